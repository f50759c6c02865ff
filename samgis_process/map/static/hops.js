/** Where the time of the last answer went, and whether the picture had been looked at before. */

import { make } from "./elements.js";
import { duration } from "./wording.js";

const HOPS = [
  ["tiles", "reading the picture"],
  ["encode", "looking at it"],
  ["decode", "finding the object"],
  ["vectorize", "drawing its outline"],
  ["network", "network and page"],
];
const CACHE = {
  hit: "Seen before: answered from memory.",
  miss: "Looked at for the first time.",
  shared: "Looked at together with somebody else's request.",
};

/** Fill the block and keep it the same as the last answer. */
export function mount(element, { asking }) {
  const total = make("span", { className: "number" });
  const bar = make("div", { className: "bar", role: "img" });
  const legend = make("ul", { className: "legend" });
  const cache = make("p", { className: "note" });
  const head = make("div", { className: "block-head" }, make("h2", { textContent: "Last answer" }), total);
  element.append(head, bar, legend, cache);
  let drawn = null;

  asking.subscribe(() => {
    if (!asking.last || asking.last === drawn) return;
    drawn = asking.last;
    const parts = timesOf(drawn);
    element.hidden = false;
    total.textContent = duration(drawn.elapsed_ms);
    bar.replaceChildren(...parts.map(piece));
    bar.setAttribute("aria-label", parts.map(({ words, ms }) => `${words}: ${duration(ms)}`).join("; "));
    legend.replaceChildren(...parts.map(entry));
    cache.textContent = `${CACHE[drawn.samgis.cache] ?? ""} ${windowOf(drawn.samgis)}`;
  });
}

/** Return the parts of an answer's time: [{name, words, ms}]. */
function timesOf({ samgis, elapsed_ms }) {
  const server = samgis.timings_ms;
  const times = { ...server, network: Math.max(0, elapsed_ms - server.total) };
  const parts = HOPS.map(([name, words]) => ({ name, words, ms: times[name] ?? 0 }));
  return parts.filter(({ ms }) => ms >= 0.05);
}

function piece({ name, ms }) {
  const element = make("span", { className: `hop ${name}` });
  element.style.flexGrow = ms;
  return element;
}

function entry({ name, words, ms }) {
  const dot = make("span", { className: `dot ${name}`, aria: { hidden: "true" } });
  const time = make("span", { className: "number", textContent: duration(ms) });
  return make("li", {}, dot, make("span", { textContent: words }), time);
}

function windowOf({ window: seen, model }) {
  const metres = seen.resolution_m < 10 ? seen.resolution_m.toFixed(2) : Math.round(seen.resolution_m);
  return `Frame: ${seen.width} × ${seen.height} pixels of ${metres} m. Model: ${model.id}.`;
}
