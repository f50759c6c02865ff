/** The readings of an ambiguous click: look at them, choose one. */

import { activeObject, withChanges } from "./edits.js";
import { make, thumbnail } from "./elements.js";
import { area, score } from "./wording.js";

const SIDE = 36; // pixels of a picture

/** Fill the block and keep it the same as the answers; `outlines` previews. */
export function mount(element, { store, asking, announce }, outlines) {
  const heading = make("h2", { id: "alternatives-title", textContent: "Did you mean" });
  const chips = make("div", { className: "chips", role: "group", aria: { labelledby: "alternatives-title" } });
  element.append(heading, chips);
  let drawn = null; // features of the chips

  function draw() {
    const object = activeObject(store.get());
    const { features, isFresh } = asking.answerOf(object);
    element.hidden = features.length < 2 || !isFresh;
    if (drawn !== features) {
      drawn = features;
      chips.replaceChildren(...(features.length > 1 ? features.map(chip) : []));
      if (features.length > 1) announce(`${features.length} readings to choose from.`);
    }
    [...chips.children].forEach((one, index) => {
      one.setAttribute("aria-pressed", String(index === object.alternative));
    });
  }

  function chip(feature, index) {
    const { area_m2, score: value } = feature.properties;
    const words = make("span", { className: "number" },
      make("strong", { textContent: area(area_m2) }),
      make("span", { textContent: `score ${score(value)}` }));
    const button = make("button", { type: "button", className: "chip" }, thumbnail(feature.geometry, SIDE), words);
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
