/** What a colour means, as a bar with values below it. */

import { make } from "./elements.js";

/** @param {{title: string, unit: string, ramp: string[], stops: number[]}} legend */
export function legendOf({ title, unit, ramp, stops }) {
  const bar = make("span", { className: "ramp", ariaHidden: "true" });
  bar.style.background = `linear-gradient(to right, ${ramp.join(", ")})`;
  const values = make("span", { className: "ramp-stops number" }, ...stops.map((one) => make("span", {}, short(one))));
  return make("figure", {}, make("figcaption", {}, capital(unit ? `${title}, ${unit}` : title)), bar, values);
}

function short(value) {
  const isTiny = value !== 0 && Math.abs(value) < 0.001;
  return isTiny ? value.toExponential(0) : String(Number(value.toPrecision(3)));
}

function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
