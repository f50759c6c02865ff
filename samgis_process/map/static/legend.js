/** What a colour means, as a bar with its ends. */

import { make } from "./elements.js";

/** @param {{title: string, unit: string, low: number, high: number, ramp: string[]}} legend */
export function legendOf({ title, unit, low, high, ramp }) {
  const bar = make("span", { className: "ramp", "aria-hidden": "true" });
  bar.style.background = `linear-gradient(to right, ${ramp.join(", ")})`;
  const ends = make("span", { className: "ramp-ends" }, make("span", {}, number(low)), make("span", {}, number(high)));
  return make("figure", {}, make("figcaption", {}, unit ? `${title}, ${unit}` : title), bar, ends);
}

function number(value) {
  return Math.abs(value) > 0 && Math.abs(value) < 0.01 ? value.toExponential(1) : String(Number(value.toPrecision(3)));
}
