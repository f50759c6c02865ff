/** The address of the page as a link that restores view and prompts. */

import { copy } from "./clipboard.js";
import { newObject } from "./edits.js";
import { BadLink, decodeLink, encodeLink } from "./link_text.js";

const WAIT_MS = 400;
const LONGEST = 8000; // characters; what is longer stays out of the address
const LONG = 2000; // characters, which some programs cut
const TABS = ["segment", "terrain", "jobs"];

/** @returns {object|null} the patch of the state that the address holds; null without a good one */
export function readLink() {
  return read().patch;
}

/** Tell of a bad link; keep the address up to date, and follow links that are opened here. */
export function mount(_element, app) {
  const { problem } = read();
  if (problem) app.showProblem(problem);
  let timer = null;
  app.store.subscribe(() => {
    clearTimeout(timer);
    timer = setTimeout(() => write(app.store.get()), WAIT_MS);
  });
  window.addEventListener("hashchange", () => open(app));
}

/** Copy the link to what is on screen now. */
export async function copyLink(app) {
  const state = app.store.get();
  if (!state.view) return;
  const address = new URL(encodeLink(state), location.href).href;
  write(state);
  if (!(await copy(address, "Link"))) return;
  app.announce(address.length > LONG ? `Link copied. It has ${address.length} characters, which some programs cut.` : "Link copied.");
}

function read() {
  try {
    const link = decodeLink(location.hash);
    return { patch: link && patchOf(link), problem: null };
  } catch (error) {
    if (!(error instanceof BadLink)) throw error;
    const detail = `The link cannot be used: ${error.message}. The page opens without it.`;
    return { patch: null, problem: { title: "This link is broken", detail } };
  }
}

function patchOf({ objects, tab, ...rest }) {
  const made = objects.reduce((all, one) => [...all, { ...newObject(all), ...one }], []);
  const kept = made.length ? made : [newObject([])];
  return { ...rest, ...(TABS.includes(tab) && { tab }), objects: kept, active: kept.at(-1).id };
}

function write(state) {
  if (!state.view) return;
  const hash = encodeLink(state);
  if (hash.length <= LONGEST && hash !== location.hash) history.replaceState(null, "", hash);
}

function open(app) {
  const { patch, problem } = read();
  if (problem) app.showProblem(problem);
  if (!patch) return;
  app.store.set(patch);
  app.map.setView([patch.view.lat, patch.view.lng], patch.view.zoom, { animate: false });
  app.announce("The link was opened. Undo brings back what was here.");
}
