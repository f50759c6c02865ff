/** The address of the page as a link that restores view and prompts. */

import { copy } from "./clipboard.js";
import { newObject } from "./edits.js";
import { BadLink, decodeLink, encodeLink } from "./link_text.js";

const WAIT_MS = 100; // less than until the state is kept: the address is never the older of the two
const LONGEST = 8000; // characters; what is longer stays out of the address
const LONG = 2000; // characters, which some programs cut
const TABS = ["segment", "terrain", "jobs"];

/**
 * @param {object} kept - what an earlier page has left
 * @returns {object} the patch of the state that the address holds; {} without a good one, or where
 *   what was kept is the same and more
 */
export function readLink(sources, kept) {
  if (kept.view && encodeLink(kept) === location.hash) return {};
  return read(sources).patch ?? {};
}

/** Tell of a bad link; keep the address up to date, and follow links that are opened here. */
export function mount(_element, app) {
  const { problem } = read(app.sources);
  if (problem) app.showProblem(problem);
  let timer = null;
  app.store.subscribe(() => {
    timer ??= setTimeout(() => {
      timer = null;
      write(app.store.get());
    }, WAIT_MS);
  });
  window.addEventListener("hashchange", () => open(app));
}

/** Copy the link to what is on screen now. */
export async function copyLink(app) {
  const state = app.store.get();
  if (!state.view) return;
  const address = new URL(encodeLink(state), location.href).href;
  if (!(await copy(address, "Link"))) return;
  const { length } = address;
  app.announce(length > LONG ? `Link copied. It has ${length} characters; some programs cut it.` : "Link copied.");
}

function read(sources) {
  try {
    const link = decodeLink(location.hash);
    if (link) requireKnown(link, sources);
    return { patch: link && patchOf(link) };
  } catch (error) {
    if (!(error instanceof BadLink)) throw error;
    const detail = `The link cannot be used: ${error.message}. The page opens without it.`;
    return { patch: null, problem: { title: "This link is broken", detail } };
  }
}

/** Refuse what this server does not have: prompts belong to a picture. */
function requireKnown({ source, model, rendering }, known) {
  const picture = known.sources.find((one) => one.id === (source ?? known.default));
  const lacking = [
    [!picture, `picture called ${source}`],
    [model && !known.models.some((one) => one.id === model), `model called ${model}`],
    [rendering && picture?.renderings?.includes(rendering) === false, `rendering called ${rendering}`],
  ];
  const found = lacking.find(([isLacking]) => isLacking);
  if (found) throw new BadLink(`this server has no ${found[1]}`);
}

function patchOf({ objects, source = null, model = null, rendering = null, tab, view, window: seen }) {
  const made = objects.reduce((all, one) => [...all, { ...newObject(all), ...one }], []);
  const kept = made.length ? made : [newObject([])];
  return {
    source, model, rendering, view, window: seen,
    objects: kept,
    active: kept.at(-1).id,
    tab: TABS.includes(tab) ? tab : "segment",
  };
}

function write(state) {
  if (!state.view) return;
  const hash = encodeLink(state);
  if (hash.length <= LONGEST && hash !== location.hash) history.replaceState(null, "", hash);
}

function open(app) {
  const { patch, problem } = read(app.sources);
  if (problem) app.showProblem(problem);
  if (!patch) return;
  const { source, model } = app.store.get();
  app.store.set({ ...patch, source: patch.source ?? source, model: patch.model ?? model });
  app.announce("The link was opened. Undo brings back what was here.");
}
