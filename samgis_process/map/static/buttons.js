/** Buttons of the panel. */

import { make } from "./elements.js";

/** Make a button; `properties` as for `make`. */
export function button(text, onclick, properties = {}) {
  return make("button", { type: "button", textContent: text, onclick, ...properties });
}

/**
 * Make a button whose work takes a while: it cannot be pressed twice, and a problem is shown.
 *
 * @param {(pressed: HTMLButtonElement) => Promise<void>} work
 */
export function workButton(text, app, work, properties = {}) {
  const made = button(text, async () => {
    if (made.ariaBusy === "true") return;
    made.ariaBusy = "true";
    try {
      await work(made);
    } catch (problem) {
      app.showProblem(problem);
    } finally {
      made.ariaBusy = "false";
    }
  }, properties);
  return made;
}
