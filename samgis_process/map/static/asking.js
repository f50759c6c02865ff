/**
 * Questions to the server, one for each object: what is answered is kept, so that undo is
 * instant; what changes is asked again, the newest question wins.
 */

import { activeObject, isUsable } from "./edits.js";
import { executeRequest } from "./request.js";

const SETTLE_MS = 30; // prompts that follow each other this quickly go in one request
const KEPT = 300; // answers
// The other readings of a click take several times as long as the best: they come after it, unless
// the next click does.
const OTHERS_AFTER_MS = 350;

/**
 * @typedef {{phase: "idle" | "waiting" | "failed", since: number, isNew: boolean,
 *   problem: object | null}} Status
 *   `isNew`: no answer came from this window before
 */

/** Make the one who asks; it begins with the store's next change, or with `check()`. */
export function createAsking({ store, sources, api }) {
  const known = new Map(); // question -> answer
  const shown = new Map(); // object's id -> the answer shown last
  const windows = new Map(); // window -> bounds that the encoder saw
  const listeners = new Set();
  let status = { phase: "idle", since: 0, isNew: false, problem: null };
  let last = null; // {samgis, elapsed_ms}
  let flight = null; // how to give up the request under way
  let wanted = ""; // the questions that are asked, or failed
  let timer = null;
  let others = null; // {about, control} of the request for other readings
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
    const key = open(state).map((one) => question(state, one)).join();
    if (key !== wanted) {
      wanted = key;
      clearTimeout(timer);
      flight?.abort();
      flight = null;
      if (!key) tell({ phase: "idle", problem: null });
      else if (performance.now() - askedAt > SETTLE_MS * 4) ask();
      else timer = setTimeout(ask, SETTLE_MS);
    }
    followUp();
  }

  async function ask() {
    const state = store.get();
    const objects = open(state);
    const mine = new AbortController();
    flight = mine;
    askedAt = performance.now();
    tell({ phase: "waiting", since: askedAt, isNew: !windows.has(windowKey(state)), problem: null });
    try {
      const body = executeRequest(state, sources, { objects });
      const answer = await (await api.segment(body, { signal: mine.signal })).json();
      if (flight !== mine) return;
      keep(state, objects, answer);
      last = { samgis: answer.samgis, elapsed_ms: performance.now() - askedAt };
      wanted = "";
      tell({ phase: "idle" });
    } catch (problem) {
      if (flight === mine) tell({ phase: "failed", problem });
    }
    if (flight === mine) flight = null;
    followUp();
  }

  /** Ask for the other readings of the active object's one click, when there is time. */
  function followUp() {
    const state = store.get();
    const object = activeObject(state);
    const about = question(state, object);
    const found = known.get(about);
    const isDue = isAmbiguous(object) && found?.features.length && !found.hasOthers;
    if (isDue && others?.about === about) return;
    others?.control.abort();
    others = isDue ? { about, control: new AbortController() } : null;
    if (!isDue) return;
    const { signal } = others.control;
    setTimeout(() => signal.aborted || askOthers(state, object, signal), OTHERS_AFTER_MS);
  }

  async function askOthers(state, object, signal) {
    try {
      const body = executeRequest(state, sources, { objects: [object], masks: "all" });
      const answer = await (await api.segment(body, { signal })).json();
      keep(state, [object], answer);
      known.get(question(state, object)).hasOthers = true;
      tell({});
    } catch {
      // The best reading is there; the others are no matter to trouble people with.
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
      wanted = "";
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

function isAmbiguous({ prompts }) {
  return prompts.length === 1 && prompts[0].type === "point" && prompts[0].label === 1;
}

function windowKey(state) {
  return JSON.stringify([state.source, state.model, state.rendering, state.window]);
}

function question(state, object) {
  return windowKey(state) + JSON.stringify(object.prompts);
}
