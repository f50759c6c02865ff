/** What is going on: the spinner, what went wrong, and what was found, said aloud. */

import { activeObject } from "./edits.js";
import { areaAloud, score } from "./wording.js";

const PATIENCE_MS = 300; // what comes sooner needs no spinner
const byId = (id) => document.getElementById(id);

/** Keep the messages the same as the status of the questions. */
export function mount({ store, asking, announce, showProblem, clearProblem }) {
  const pill = byId("waiting");
  let shown = asking.status; // the one on the page
  let timer = null;

  function tick() {
    const { since, isNew } = asking.status;
    const passed = performance.now() - since;
    if (pill.hidden && passed >= PATIENCE_MS) announce("Looking at the picture.");
    pill.hidden = passed < PATIENCE_MS;
    byId("waiting-text").textContent = isNew
      ? "Reading the picture and looking at it for the first time"
      : "Finding the outline";
    byId("waiting-time").textContent = passed < 1000 ? "" : `${(passed / 1000).toFixed(0)} s`;
  }

  asking.subscribe(() => {
    const status = asking.status;
    const before = shown;
    if (status.phase === before.phase && status.since === before.since) return;
    shown = status;
    clearInterval(timer);
    pill.hidden = true;
    if (status.phase === "waiting") timer = setInterval(tick, 100);
    if (status.phase === "failed") showProblem(status.problem, { retry: asking.retry });
    else if (before.phase === "failed") clearProblem();
    if (status.phase === "idle" && before.phase === "waiting") announce(found(store, asking));
  });
}

function found(store, asking) {
  const object = activeObject(store.get());
  const { features } = asking.answerOf(object);
  const feature = features[object.alternative] ?? features[0];
  if (!feature) return `Nothing was found for ${object.name}.`;
  const { area_m2, score: value } = feature.properties;
  return `Outline found: ${areaAloud(area_m2)}, score ${score(value)}.`;
}
