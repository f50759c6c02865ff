/** The jobs of this server: how they get on, what came of them, and making one. */

import { segment } from "./api.js";
import { isUsable } from "./edits.js";
import { button, make } from "./elements.js";
import { jobCard } from "./job_card.js";
import { createPoller } from "./poller.js";
import { executeRequest } from "./request.js";

const SHOWN = 20;
const OPEN = ["accepted", "running"];

/** Put the panel into `element`. */
export function mount(element, app) {
  const view = makeView(app);
  element.replaceChildren(...view.nodes);
  let jobs = null;

  async function ask() {
    try {
      const { jobs: found } = await (await app.api.call(`/jobs?limit=${SHOWN}`, { headers: { Accept: "application/json" } })).json();
      const isSame = JSON.stringify(found) === JSON.stringify(jobs);
      tell(jobs ?? [], found, app);
      jobs = found;
      view.drawJobs(jobs, refresh);
      return isSame ? "same" : "changed";
    } catch (problem) {
      view.drawFailure(problem, jobs !== null);
      return "failed";
    }
  }

  const isWanted = () =>
    app.store.get().tab === "jobs" || (jobs ?? []).some((one) => OPEN.includes(one.status));
  const poller = createPoller(ask, isWanted);
  const refresh = () => poller.now();

  view.run.onclick = async () => {
    if (await runAsJob(app, view.run)) await ask().then(refresh);
  };
  app.store.subscribe((state, previous) => {
    view.drawRun(state);
    if (state.tab === "jobs" && previous.tab !== "jobs") refresh();
  });
  document.addEventListener("keychange", refresh);
  view.drawRun(app.store.get());
  refresh();
}

function makeView(app) {
  const run = button("Run as a job", null, { className: "wide" });
  const note = make("p", { className: "note" });
  const failure = make("p", { className: "note failure", role: "status", hidden: true });
  const list = make("ul", { className: "jobs-list", "aria-label": "Jobs" });
  const empty = make("p", { className: "note" }, "The jobs are being asked for.");
  const cards = new Map();

  function drawJobs(jobs, refresh) {
    failure.hidden = true;
    empty.textContent = "There are no jobs. Jobs run on while this page is closed, and are kept by the server.";
    empty.hidden = jobs.length > 0;
    for (const job of jobs) {
      if (!cards.has(job.jobID)) cards.set(job.jobID, jobCard(app, refresh));
      cards.get(job.jobID).draw(job);
    }
    const shown = new Set(jobs.map((job) => job.jobID));
    for (const id of [...cards.keys()].filter((one) => !shown.has(one))) cards.delete(id);
    place(list, jobs.map((job) => cards.get(job.jobID).element));
  }

  function drawFailure(problem, isKnown) {
    const again = isKnown ? " The list is as it was; it is asked for again by itself." : " It is asked for again by itself.";
    failure.textContent = `${problem.title ?? "The jobs cannot be listed"}. ${problem.detail ?? problem.message}${again}`;
    failure.hidden = false;
    if (!isKnown) empty.hidden = true;
  }

  function drawRun(state) {
    const isReady = Boolean(state.window) && state.objects.some(isUsable);
    run.disabled = !isReady;
    note.textContent = isReady
      ? "Runs the present prompts in the background."
      : "Place a point or draw a box on the Segment tab first; then it can run as a job.";
  }

  const head = make("div", { className: "block" }, make("h2", {}, "Jobs"), run, note);
  return { nodes: [head, make("div", { className: "block" }, failure, empty, list)], run, drawJobs, drawFailure, drawRun };
}

/** Put elements in order without moving those that are in place: focus stays where it is. */
function place(list, elements) {
  elements.forEach((one, at) => {
    if (list.children[at] !== one) list.insertBefore(one, list.children[at] ?? null);
  });
  while (list.children.length > elements.length) list.lastElementChild.remove();
}

async function runAsJob(app, pressed) {
  pressed.disabled = true;
  try {
    await segment(executeRequest(app.store.get(), app.sources), { prefer: "respond-async" });
    app.announce("The job was accepted.");
    return true;
  } catch (problem) {
    app.showProblem(problem);
    return false;
  } finally {
    pressed.disabled = false;
  }
}

/** Say which jobs have ended since the last look. */
function tell(before, now, app) {
  for (const job of now) {
    const earlier = before.find((one) => one.jobID === job.jobID);
    if (!earlier || earlier.status === job.status || OPEN.includes(job.status)) continue;
    app.announce(`The job ${job.processID} ${job.status === "successful" ? "is done" : `has ${job.status}`}.`);
  }
}
