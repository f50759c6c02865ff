/** Everything that can be done on the map, without a mouse. */

import L from "./leaflet.js";

import { activeObject, withPromptAt } from "./edits.js";
import { rectangle } from "./draw.js";
import { addObject } from "./objects.js";

const FINE_PX = 8; // Shift and an arrow move the map by so much
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** Listen to keys: most on the map, undo and help anywhere but in fields. */
export function mount(map, app, drawing, doing) {
  const { store, announce } = app;
  const container = map.getContainer();
  const box = boxAtCross(map, app, drawing);
  showCross(container);

  const point = (label) => {
    const { lng, lat } = map.getCenter().wrap();
    const words = label ? "Point to include" : "Point to leave out";
    if (drawing.place({ type: "point", lng, lat, label })) announce(`${words} placed.`);
  };
  const onMap = {
    Enter: (event) => point(event.shiftKey ? 0 : 1),
    " ": (event) => point(event.shiftKey ? 0 : 1),
    b: box.press,
    Escape: () => {
      box.stop();
      drawing.setTool("include");
    },
    n: () => addObject(app),
    Delete: () => removeLast(store, announce),
    Backspace: () => removeLast(store, announce),
  };

  container.addEventListener("keydown", (event) => {
    if (event.target !== container || event.ctrlKey || event.metaKey || event.altKey) return;
    const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (event.shiftKey && ARROWS[name]) {
      map.panBy(L.point(ARROWS[name]).multiplyBy(FINE_PX), { animate: false });
    } else if (onMap[name]) {
      onMap[name](event);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation(); // Leaflet listens further out
  });
  document.addEventListener("keydown", (event) => anywhere(event, doing));
  mountHelp();
}

function anywhere(event, doing) {
  if (event.target.closest("input:not([type=range]), textarea, select, dialog")) return;
  const name = event.key.toLowerCase();
  if ((event.ctrlKey || event.metaKey) && !event.altKey && (name === "z" || name === "y")) {
    event.preventDefault();
    if (name === "y" || event.shiftKey) doing.redo();
    else doing.undo();
  } else if (event.key === "?") {
    document.getElementById("help").click();
  }
}

function removeLast(store, announce) {
  const object = activeObject(store.get());
  if (!object.prompts.length) return announce(`${object.name} has no points.`);
  store.set(withPromptAt(store.get(), object.id, object.prompts.length - 1, null));
  return announce("Last point taken away.");
}

/** The first press says where the rectangle begins, the second where it ends. */
function boxAtCross(map, { announce }, drawing) {
  let from = null;
  let shape = null;
  const follow = () => shape?.setBounds([from, map.getCenter()]);
  const stop = () => {
    map.off("move", follow);
    shape?.remove();
    from = shape = null;
  };
  function press() {
    if (!from) {
      from = map.getCenter();
      shape = L.rectangle([from, from], { className: "drawn-box", interactive: false }).addTo(map);
      map.on("move", follow);
      return announce("Rectangle begun. Move to its other corner and press B again.");
    }
    const [one, other] = [from, map.getCenter()];
    stop();
    if (one.lat === other.lat || one.lng === other.lng) return announce("The rectangle had no size.");
    if (drawing.place(rectangle(one, other))) announce("Rectangle placed.");
    return undefined;
  }
  return { press, stop };
}

/** The cross marks the centre as long as keys go to the map. */
function showCross(container) {
  const cross = document.getElementById("cross");
  let byPointer = false;
  const draw = () => {
    cross.hidden = byPointer || document.activeElement !== container;
  };
  container.addEventListener("pointerdown", () => {
    byPointer = true;
    draw();
  }, true);
  container.addEventListener("keydown", () => {
    byPointer = false;
    draw();
  });
  container.addEventListener("focus", draw);
  container.addEventListener("blur", () => {
    byPointer = false;
    cross.hidden = true;
  });
}

function mountHelp() {
  const dialog = document.getElementById("help-dialog");
  document.getElementById("help").addEventListener("click", () => dialog.showModal());
  document.getElementById("help-close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
}
