/** The readings of an ambiguous click: look at them, choose one. */

import { activeObject, withChanges } from "./edits.js";
import { make, thumbnail } from "./elements.js";
import { area, score } from "./wording.js";

const SIDE = 36; // pixels of a picture
const LEAST_SCORE = 0.2; // what scores less is no reading, but noise

/** Fill the block and keep it the same as the answers; `outlines` previews. */
export function mount(element, { store, asking, announce }, outlines) {
  const heading = make("h2", { id: "alternatives-title", textContent: "Did you mean" });
  const chips = make("div", { className: "chips", role: "group", aria: { labelledby: "alternatives-title" } });
  element.append(heading, chips);
  let drawn = null; // features of the chips

  function draw() {
    const object = activeObject(store.get());
    const { features, isFresh } = asking.answerOf(object);
    if (drawn !== features) {
      drawn = features;
      const others = features.flatMap((one, index) => (isReading(one, index) ? chip(one, index) : []));
      chips.replaceChildren(...(others.length > 1 ? others : []));
      if (others.length > 1) announce(`${others.length} readings to choose from.`);
    }
    element.hidden = !chips.childNodes.length || !isFresh;
    for (const one of chips.children) {
      one.setAttribute("aria-pressed", String(Number(one.dataset.index) === object.alternative));
    }
  }

  function chip(feature, index) {
    const { area_m2, score: value } = feature.properties;
    const words = make("span", { className: "number" },
      make("strong", { textContent: area(area_m2) }),
      make("span", { textContent: `score ${score(value)}` }));
    const shape = thumbnail(feature.geometry, SIDE);
    const button = make("button", { type: "button", className: "chip", data: { index } }, shape, words);
    for (const name of ["pointerenter", "focus"]) button.addEventListener(name, () => outlines.preview(index));
    for (const name of ["pointerleave", "blur"]) button.addEventListener(name, () => outlines.preview(null));
    button.addEventListener("click", () => choose(index, area(area_m2)));
    return button;
  }

  function choose(index, words) {
    const state = store.get();
    store.set(withChanges(state, activeObject(state).id, { alternative: index }), { step: false });
    announce(`Chosen: ${words}.`);
  }

  asking.subscribe(draw);
  store.subscribe(draw);
  draw();
}

function isReading(feature, index) {
  return index === 0 || feature.properties.score >= LEAST_SCORE;
}
