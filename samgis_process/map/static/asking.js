/**
 * Questions to the server, one for each object: what is answered is kept, so that undo is
 * instant; what changes is asked again, the newest question wins.
 */

import { isUsable } from "./edits.js";
import { executeRequest } from "./request.js";

const SETTLE_MS = 30; // prompts that follow each other this quickly go in one request
const KEPT = 300; // answers

/**
 * @typedef {{phase: "idle" | "waiting" | "failed", since: number, isNew: boolean,
 *   problem: object | null}} Status `isNew`: no answer came from this window before
 */

/** Make the one who asks; it begins with the store's next change, or with `check()`. */
export function createAsking({ store, sources, api }) {
  const known = new Map(); // question -> answer
  const shown = new Map(); // object's id -> the answer shown last
  const windows = new Map(); // window -> bounds that the encoder saw
  const listeners = new Set();
  let status = { phase: "idle", since: 0, isNew: false, problem: null };
  let last = null; // {samgis, elapsed_ms}
  let flight = null; // {control, key}
  let failed = null; // key of what failed: it is asked again when something changes
  let timer = null;
  let askedAt = -Infinity;

  function tell(changes) {
    status = { ...status, ...changes };
    for (const listener of listeners) listener();
  }

  function open(state) {
    if (!state.window) return [];
    return state.objects.filter((one) => isUsable(one) && !known.has(question(state, one)));
  }

  function check() {
    const state = store.get();
    const objects = open(state);
    const key = objects.map((one) => question(state, one)).join();
    if (key === (flight?.key ?? "") || (key && key === failed)) return;
    clearTimeout(timer);
    give();
    if (!key) tell({ phase: "idle", problem: null });
    else if (performance.now() - askedAt > SETTLE_MS * 4) ask();
    else timer = setTimeout(ask, SETTLE_MS);
  }

  /** Stop waiting for an answer that nobody wants any more. */
  function give() {
    flight?.control.abort();
    flight = failed = null;
  }

  async function ask() {
    const state = store.get();
    const objects = open(state);
    if (!objects.length) return;
    const control = new AbortController();
    const mine = { control, key: objects.map((one) => question(state, one)).join() };
    flight = mine;
    failed = null;
    askedAt = performance.now();
    const isNew = !windows.has(windowKey(state));
    tell({ phase: "waiting", since: askedAt, isNew, problem: null });
    try {
      const masks = objects.some(isAmbiguous) ? "all" : "best";
      const body = executeRequest(state, sources, { objects, masks });
      const response = await api.segment(body, { signal: control.signal });
      const answer = await response.json();
      if (flight !== mine) return;
      keep(state, objects, answer);
      last = { samgis: answer.samgis, elapsed_ms: performance.now() - askedAt };
      flight = null;
      tell({ phase: "idle" });
    } catch (problem) {
      if (flight !== mine || problem.name === "AbortError") return;
      flight = null;
      failed = mine.key;
      tell({ phase: "failed", problem });
    }
  }

  function keep(state, objects, { features, samgis }) {
    windows.set(windowKey(state), samgis.window.bounds);
    for (const one of objects) {
      const prefix = `object ${one.id}: `;
      const warnings = samgis.warnings.filter((words) => words.startsWith(prefix));
      known.set(question(state, one), {
        features: features.filter((feature) => String(feature.properties.object) === one.id),
        warnings: warnings.map((words) => words.slice(prefix.length)),
      });
    }
    for (const old of [...known.keys()].slice(0, -KEPT)) known.delete(old);
  }

  /** Return {features, warnings, isFresh} of an object; until a new answer comes, the old one. */
  function answerOf(object) {
    const state = store.get();
    const found = state.window && isUsable(object) ? known.get(question(state, object)) : NOTHING;
    if (found) shown.set(object.id, found);
    return { ...(shown.get(object.id) ?? NOTHING), isFresh: Boolean(found) };
  }

  store.subscribe(check);
  return {
    check,
    answerOf,
    /** Ask again what failed. */
    retry() {
      failed = null;
      check();
    },
    /** Return the bounds that the encoder saw for the window of a state, or null. */
    seen: (state) => (state.window ? (windows.get(windowKey(state)) ?? null) : null),
    /** Call `listener()` when the status or an answer changes. */
    subscribe: (listener) => listeners.add(listener),
    /** @returns {Status} */
    get status() {
      return status;
    },
    get last() {
      return last;
    },
  };
}

const NOTHING = { features: [], warnings: [] };

function isAmbiguous(object) {
  return object.prompts.length === 1 && object.prompts[0].type === "point";
}

function windowKey(state) {
  return JSON.stringify([state.source, state.model, state.rendering, state.window]);
}

function question(state, object) {
  return windowKey(state) + JSON.stringify(object.prompts);
}
