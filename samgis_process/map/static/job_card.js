/** One job as an entry of the list. */

import { save, fileName } from "./downloads.js";
import { button, make } from "./elements.js";
import { filesOf } from "./item_files.js";
import { toggleOutlines } from "./job_outlines.js";

const WORDS = {
  accepted: "waiting",
  running: "running",
  successful: "done",
  failed: "failed",
  dismissed: "dismissed",
};
const OPEN = ["accepted", "running"];

/**
 * @param {object} app
 * @param {() => void} refresh - has the list asked for again
 * @returns {{element: HTMLElement, draw: (job: object) => void}}
 */
export function jobCard(app, refresh) {
  let job = null;
  const title = make("strong");
  const state = make("span", { className: "pill" });
  const when = make("span", { className: "when number" });
  const bar = make("progress", { max: 100 });
  const message = make("p", { className: "note" });
  const files = make("div");
  const actions = make("div", { className: "actions" });
  const element = make("li", { className: "job" },
    make("div", { className: "job-head" }, title, state, when), bar, message, actions, files);

  const act = (work) => async (event) => {
    event.target.disabled = true;
    try {
      await work(event.target);
    } catch (problem) {
      app.showProblem(problem);
    } finally {
      event.target.disabled = false;
    }
  };
  const dismiss = button("Dismiss", act(async () => {
    await app.api.call(address(job), { method: "DELETE", headers: { Accept: "application/json" } });
    app.announce("The job was dismissed.");
    refresh();
  }));
  const show = button("Show on the map", act(async (pressed) => {
    const isShown = toggleOutlines(app.map, job.jobID, () => resultsOf(app, job).then((one) => one.json()));
    pressed.setAttribute("aria-pressed", String(await isShown));
  }), { "aria-pressed": "false" });
  const list = button("Files", act(async () => {
    const item = (await (await resultsOf(app, job)).json()).features[0];
    files.replaceChildren(filesOf(item, app));
  }));
  const download = button("Download", act(async () => {
    const response = await resultsOf(app, job);
    const type = response.headers.get("Content-Type") ?? "";
    save(await response.blob(), fileName(`${job.processID}-${job.jobID.slice(0, 8)}`, type));
  }));

  function draw(found) {
    const isNew = job?.status !== found.status;
    job = found;
    title.textContent = job.processID;
    state.textContent = WORDS[job.status] ?? job.status;
    state.className = `pill ${job.status}`;
    when.textContent = clock(job.created);
    bar.hidden = !OPEN.includes(job.status);
    bar.setAttribute("aria-label", `Progress of ${job.processID}`);
    bar.value = job.progress;
    message.textContent = OPEN.includes(job.status) ? `${job.progress} %: ${job.message}` : job.message;
    if (isNew) place(actions, buttonsOf(job));
  }

  function buttonsOf({ status, processID }) {
    if (status !== "successful") return status === "dismissed" ? [] : [dismiss];
    return [...(processID === "segment" ? [show] : []), ...(processID === "dem-composite" ? [list] : []), download, dismiss];
  }

  return { element, draw };
}

function place(element, children) {
  const had = element.contains(document.activeElement);
  element.replaceChildren(...children);
  if (had) (element.querySelector("button") ?? element.closest("section"))?.focus();
}

function address(job) {
  return `/jobs/${encodeURIComponent(job.jobID)}`;
}

function resultsOf(app, job) {
  return app.api.call(`${address(job)}/results`, { headers: { Accept: "*/*" } });
}

/** The time of day; with the date, where it was another day. */
function clock(text) {
  const moment = new Date(text);
  if (Number.isNaN(moment.getTime())) return "";
  const isToday = moment.toDateString() === new Date().toDateString();
  const time = moment.toLocaleTimeString("en-GB");
  return isToday ? time : `${moment.toLocaleDateString("en-CA")} ${time}`;
}
