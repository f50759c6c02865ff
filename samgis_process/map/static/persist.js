/**
 * The state outlives a reload. Each tab keeps its own, so that two do not fight; a new tab
 * begins where the last change of any tab was.
 */

import { emptyState } from "./state.js";

const NAME = "samgis-map";
const VERSION = 1;
const TABS = ["segment", "terrain", "jobs"];

/** Return what was kept and can still be used; `{}` where there is none. */
export function load(sources) {
  const found = read(sessionStorage) ?? read(localStorage);
  return found ? usable(found, sources) : {};
}

/** Keep the state after each change, once things are quiet. */
export function mount(store) {
  let timer = null;
  const keep = () => {
    clearTimeout(timer);
    timer = null;
    const text = JSON.stringify({ version: VERSION, state: store.get() });
    for (const storage of [sessionStorage, localStorage]) write(storage, text);
  };
  store.subscribe(() => {
    timer ??= setTimeout(keep, 200);
  });
  addEventListener("pagehide", () => timer && keep());
}

function read(storage) {
  try {
    const { version, state } = JSON.parse(storage.getItem(NAME)) ?? {};
    return version === VERSION && isSound(state) ? state : null;
  } catch {
    return null;
  }
}

function write(storage, text) {
  try {
    storage.setItem(NAME, text);
  } catch {
    // A full or forbidden storage: the page works, and forgets.
  }
}

/** Leave out what this server does not have. */
function usable(state, sources) {
  const { source, model, ...rest } = { ...emptyState(), ...state };
  if (!TABS.includes(rest.tab)) rest.tab = "segment";
  const isKnown = sources.sources.some((one) => one.id === source && !one.reason);
  const known = { ...rest, ...(sources.models.some((one) => one.id === model) && { model }) };
  if (isKnown) return { ...known, source };
  return { ...known, view: null, window: null, rendering: null, objects: emptyState().objects, active: "1" };
}

/** Tell whether a state has the shape that the page relies on. */
function isSound(state) {
  const { objects, window: seen, view, opacity = 0 } = state ?? {};
  return (
    Number.isFinite(opacity) &&
    Array.isArray(objects) && objects.length > 0 && objects.every(isObject) &&
    (seen == null || (areNumbers(seen.bbox, 4) && Number.isFinite(seen.zoom))) &&
    (view == null || areNumbers([view.lng, view.lat, view.zoom], 3))
  );
}

function isObject({ id, name, colour, prompts } = {}) {
  const texts = [id, name, colour].every((one) => typeof one === "string");
  return texts && Array.isArray(prompts) && prompts.every(isPrompt);
}

function isPrompt(prompt) {
  const { type, lng, lat, label, west, south, east, north } = prompt ?? {};
  if (type === "point") return areNumbers([lng, lat], 2) && (label === 0 || label === 1);
  return type === "rectangle" && areNumbers([west, south, east, north], 4);
}

function areNumbers(values, count) {
  return Array.isArray(values) && values.length === count && values.every(Number.isFinite);
}
