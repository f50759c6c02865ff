/** The window that the encoder looks at, as prompts, the view and the source want it. */

import { viewOf } from "./map.js";
import { fits, windowFor } from "./windows.js";

/**
 * Return `{frame(objects, current, seen), mend()}`: the first chooses a window for the prompts of
 * objects, the second replaces one that the source cannot give, which is done after each change.
 * It wants to hear of changes before those who ask for windows.
 */
export function mount(map, { store, sources, showProblem }) {
  const sourceOf = (state) => sources.sources.find((one) => one.id === state.source);

  function frame(objects, current, seen) {
    return windowFor({
      prompts: objects.flatMap((one) => one.prompts),
      view: viewOf(map),
      source: sourceOf(store.get()),
      maxPixels: sources.limits.max_pixels,
      current,
      seen,
    });
  }

  function mend() {
    const state = store.get();
    const source = sourceOf(state);
    const isGood = !state.window || fits(state.window, source);
    const isFramed = state.window || !state.objects.some((one) => one.prompts.length);
    if (isGood && isFramed) return;
    const { window: chosen = null, reason } = frame(state.objects, null, null);
    if (chosen || state.window) store.set({ window: chosen });
    if (reason) showProblem(reason);
  }

  store.subscribe((state, previous) => {
    const names = ["source", "window", "objects"];
    if (names.some((name) => state[name] !== previous[name])) mend();
  });
  return { frame, mend };
}
