/** One job as an entry of the list. */

import { Problem } from "./api.js";
import { workButton } from "./buttons.js";
import { fileName, save } from "./downloads.js";
import { make } from "./elements.js";
import { filesOf } from "./item_files.js";
import { takeOff, toggleOutlines } from "./job_outlines.js";

const WORDS = {
  accepted: "waiting",
  running: "running",
  successful: "done",
  failed: "failed",
  dismissed: "dismissed",
};

const GEOJSON = "application/geo+json";

export function isOpen({ status }) {
  return status === "accepted" || status === "running";
}

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
  const actions = make("div", { className: "actions" });
  const files = make("div");
  const element = make("li", { className: "job", tabIndex: -1 },
    make("div", { className: "job-head" }, title, state, when), bar, message, actions, files);
  const buttons = jobButtons(app, () => job, files, refresh);

  return {
    element,
    draw(found) {
      const isNew = job?.status !== found.status;
      job = found;
      element.dataset.job = job.jobID;
      title.textContent = job.processID;
      state.textContent = WORDS[job.status] ?? job.status;
      state.className = `pill ${job.status}`;
      when.textContent = clock(job.created);
      bar.hidden = !isOpen(job);
      bar.ariaLabel = `Progress of ${job.processID}`;
      bar.value = job.progress;
      message.textContent = isOpen(job) ? `${job.progress} %: ${job.message}` : job.message;
      message.hidden = job.status === "successful"; // it says "Done"
      if (isNew) replace(actions, buttonsFor(job, buttons), element);
    },
  };
}

function jobButtons(app, job, files, refresh) {
  const address = () => `/jobs/${encodeURIComponent(job().jobID)}`;
  const results = (accept) => app.api.call(`${address()}/results`, { headers: { Accept: accept } });
  const collection = async () => {
    const response = await results(`${GEOJSON}, */*;q=0.1`);
    const type = response.headers.get("Content-Type") ?? "";
    if (type.startsWith(GEOJSON)) return response.json();
    throw new Problem({ title: "This job made a file", detail: `It is ${type}: download it.` });
  };
  return {
    show: workButton("Show", app, async (pressed) => {
      pressed.ariaPressed = String(await toggleOutlines(app.map, job().jobID, collection));
    }, { ariaLabel: "Show on the map", ariaPressed: "false" }),
    files: workButton("Files", app, async (pressed) => {
      const shown = files.hasChildNodes() ? [] : [filesOf((await collection()).features[0], app)];
      files.replaceChildren(...shown);
      pressed.ariaExpanded = String(shown.length > 0);
    }, { ariaExpanded: "false" }),
    download: workButton("Download", app, async () => {
      const response = await results("*/*");
      const type = response.headers.get("Content-Type") ?? "";
      save(await response.blob(), fileName(`${job().processID}-${job().jobID.slice(0, 8)}`, type));
    }),
    dismiss: workButton("Dismiss", app, async () => {
      await app.api.call(address(), { method: "DELETE", headers: { Accept: "application/json" } });
      takeOff(job().jobID);
      files.replaceChildren();
      app.announce("The job was dismissed.");
      refresh();
    }),
  };
}

function buttonsFor({ status, processID }, { show, files, download, dismiss }) {
  if (status === "dismissed") return [];
  if (status !== "successful") return [dismiss];
  const special = { segment: [show], "dem-composite": [files] }[processID] ?? [];
  return [...special, download, dismiss];
}

/** Focus does not get lost with a button that goes. */
function replace(parent, children, fallback) {
  const hadFocus = parent.contains(document.activeElement);
  parent.replaceChildren(...children);
  if (hadFocus) (children[0] ?? fallback).focus();
}

/** The time of day; with the date, where it was another day. */
function clock(text) {
  const moment = new Date(text);
  const time = moment.toLocaleTimeString("en-GB");
  const isToday = moment.toDateString() === new Date().toDateString();
  return isToday ? time : `${moment.toLocaleDateString("en-CA")} ${time}`;
}
