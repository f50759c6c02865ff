/** Controls with their labels. */

import { make } from "./elements.js";

export function field(text, control) {
  return make("div", { className: "field" }, make("label", { htmlFor: control.id }, text), control);
}

/** @param {[string, string][]} pairs - values and what they are called */
export function select(id, pairs) {
  return make("select", { id }, ...pairs.map(([value, text]) => make("option", { value }, text)));
}

/** Return what the chosen option is called. */
export function labelOf(control) {
  return control.selectedOptions[0]?.textContent ?? "";
}
