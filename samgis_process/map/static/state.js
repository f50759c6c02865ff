/**
 * What the page knows, in one place.
 *
 * @typedef {{type: "point", lng: number, lat: number, label: 0 | 1}} PointPrompt
 * @typedef {{type: "rectangle", west: number, south: number, east: number, north: number}} BoxPrompt
 * @typedef {{id: string, name: string, colour: string, hidden: boolean, alternative: number,
 *   prompts: (PointPrompt | BoxPrompt)[]}} MapObject
 * @typedef {{source: string | null, model: string | null, rendering: string | null,
 *   view: {lng: number, lat: number, zoom: number} | null,
 *   window: {bbox: number[], zoom: number} | null,
 *   objects: MapObject[], active: string, opacity: number,
 *   tab: "segment" | "terrain" | "jobs"}} State
 */

import { newObject } from "./edits.js";

const UNDONE = ["objects", "active", "window"];
const MOST_STEPS = 200;

/** The state of a page that nobody has touched. */
export function emptyState() {
  return {
    source: null,
    model: null,
    rendering: null,
    view: null,
    window: null,
    objects: [newObject([])],
    active: "1",
    opacity: 0.45,
    tab: "segment",
  };
}

/**
 * Make a store. States are never changed in place; a patch replaces whole members.
 *
 * A patch that holds `objects` is one step of undo; so that naming, hiding and choosing an
 * alternative are none, they are set with `{step: false}`.
 *
 * @param {State} initial
 */
export function createStore(initial) {
  let state = initial;
  let past = [];
  let future = [];
  const listeners = new Set();

  function change(next) {
    const previous = state;
    state = next;
    for (const listener of listeners) listener(state, previous);
  }

  function step(from, to) {
    if (!from.length) return false;
    to.push(kept(state));
    change({ ...state, ...from.pop() });
    return true;
  }

  return {
    get: () => state,
    set(patch, { step: isStep = "objects" in patch } = {}) {
      if (isStep) {
        past = [...past.slice(1 - MOST_STEPS), kept(state)];
        future = [];
      }
      change({ ...state, ...patch });
    },
    /** Call `listener(state, previous)` after each change; returns how to stop it. */
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    undo: () => step(past, future),
    redo: () => step(future, past),
    get canUndo() {
      return past.length > 0;
    },
    get canRedo() {
      return future.length > 0;
    },
  };
}

function kept(state) {
  return Object.fromEntries(UNDONE.map((name) => [name, state[name]]));
}
