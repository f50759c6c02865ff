/** The bar of tools over the map. */

import { cleared } from "./edits.js";

const HINTS = {
  include: "",
  exclude: "Click what does not belong to the object.",
  box: "Drag a rectangle around the object.",
};

/** Make the buttons work and keep them the same as the store. */
export function mount(element, { store, announce }, drawing) {
  const tools = [...element.querySelectorAll("[data-tool]")];
  const button = (name) => element.querySelector(`[data-do="${name}"]`);
  const hint = document.getElementById("hint");

  for (const one of tools) {
    one.addEventListener("click", () => {
      const isOn = drawing.tool === one.dataset.tool;
      drawing.setTool(isOn ? "include" : one.dataset.tool);
    });
  }
  drawing.onTool((name) => {
    for (const one of tools) one.setAttribute("aria-pressed", String(one.dataset.tool === name));
    hint.textContent = HINTS[name];
  });
  const doing = actions({ store, announce });
  for (const [name, action] of Object.entries(doing)) button(name).addEventListener("click", action);

  function draw() {
    // Not `disabled`: a focused button that is would lose the keyboard's place.
    const state = store.get();
    const able = { undo: store.canUndo, redo: store.canRedo, clear: !isEmpty(state) };
    for (const [name, isAble] of Object.entries(able)) {
      button(name).setAttribute("aria-disabled", String(!isAble));
    }
  }
  store.subscribe(draw);
  draw();
  return doing;
}

function actions({ store, announce }) {
  const said = (done, words, otherwise) => announce(done ? words : otherwise);
  return {
    undo: () => said(store.undo(), "Undone.", "Nothing to undo."),
    redo: () => said(store.redo(), "Done again.", "Nothing to do again."),
    clear() {
      if (isEmpty(store.get())) return announce("There is nothing to clear.");
      store.set(cleared());
      return announce("Cleared. Undo brings everything back.");
    },
  };
}

function isEmpty({ objects }) {
  return objects.length === 1 && !objects[0].prompts.length;
}
