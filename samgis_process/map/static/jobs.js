/** The jobs of this server: how they get on, what came of them, and making one. */

import { segment } from "./api.js";
import { workButton } from "./buttons.js";
import { isUsable } from "./edits.js";
import { make } from "./elements.js";
import { isOpen, jobCard } from "./job_card.js";
import { createPoller } from "./poller.js";
import { executeRequest } from "./request.js";

const SHOWN = 20;

/** Put the panel into `element`. */
export function mount(element, app) {
  if (app.sources.has_jobs === false) return;
  let jobs = null;
  const isWanted = () => app.store.get().tab === "jobs" || (jobs ?? []).some(isOpen);
  const poller = createPoller(ask, isWanted);
  const list = listPart(app, poller.now);
  element.replaceChildren(runPart(app, ask, poller.now), list.element);

  async function ask() {
    try {
      const found = await listed(app);
      const isSame = JSON.stringify(found) === JSON.stringify(jobs);
      tell(jobs ?? [], found, app);
      jobs = found;
      list.draw(jobs);
      return isSame ? "same" : "changed";
    } catch (problem) {
      list.drawFailure(problem, jobs !== null);
      return "failed";
    }
  }

  app.store.subscribe((state, previous) => {
    if (state.tab === "jobs" && previous.tab !== "jobs") poller.now();
  });
  document.addEventListener("keychange", poller.now);
  poller.now();
}

async function listed({ api }) {
  const response = await api.call(`/jobs?limit=${SHOWN}`, { headers: { Accept: "application/json" } });
  return (await response.json()).jobs;
}

/** The button that makes a job of the present prompts. */
function runPart(app, ask, refresh) {
  const note = make("p", { className: "note" });
  const run = workButton("Run as a job", app, async () => {
    await segment(executeRequest(app.store.get(), app.sources), { prefer: "respond-async" });
    app.announce("The job was accepted.");
    await ask();
    refresh();
  }, { className: "wide" });
  const draw = ({ window: seen, objects }) => {
    run.disabled = !(seen && objects.some(isUsable));
    note.textContent = run.disabled
      ? "Place a point or draw a box first; then the prompts can run as a job."
      : "Runs the present prompts in the background, also when this page is closed.";
  };
  app.store.subscribe(draw);
  draw(app.store.get());
  return make("div", { className: "block" }, make("h2", {}, "New job"), run, note);
}

function listPart(app, refresh) {
  const failure = make("p", { className: "note failure", role: "status", hidden: true });
  const none = make("p", { className: "note" }, "The jobs are being asked for.");
  const list = make("ul", { className: "jobs-list", aria: { label: "Jobs" } });
  const cards = new Map();

  function draw(jobs) {
    failure.hidden = true;
    none.textContent = "There are no jobs.";
    none.hidden = jobs.length > 0;
    for (const id of cards.keys()) if (!jobs.some((one) => one.jobID === id)) cards.delete(id);
    for (const job of jobs) {
      if (!cards.has(job.jobID)) cards.set(job.jobID, jobCard(app, refresh));
      cards.get(job.jobID).draw(job);
    }
    place(list, jobs.map((job) => cards.get(job.jobID).element));
  }

  function drawFailure({ title, detail }, isKnown) {
    const known = isKnown ? "This is how they were. " : "";
    failure.textContent = `${title}. ${detail} ${known}The list is asked for again by itself.`;
    failure.hidden = false;
    none.hidden = true;
  }

  const element = make("div", { className: "block" }, make("h2", {}, "Jobs"), failure, none, list);
  return { element, draw, drawFailure };
}

/** Put elements in order without moving those that are in place: focus stays where it is. */
function place(list, elements) {
  elements.forEach((one, at) => {
    if (list.children[at] !== one) list.insertBefore(one, list.children[at] ?? null);
  });
  while (list.children.length > elements.length) list.lastElementChild.remove();
}

/** Say which jobs have ended since the last look. */
function tell(before, now, { announce }) {
  for (const job of now) {
    const earlier = before.find((one) => one.jobID === job.jobID);
    if (!earlier || !isOpen(earlier) || isOpen(job)) continue;
    announce(`The job ${job.processID} ${job.status === "successful" ? "is done" : `has ${job.status}`}.`);
  }
}
