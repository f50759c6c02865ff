/** Drawing on the map: clicks are points, a drag with the box tool is a rectangle. */

import L from "./leaflet.js";

import { withPrompt } from "./edits.js";

const LEAST_PX = 6; // a shorter drag was a click

/** Return {place(prompt), tool, setTool(name), onTool(listener)}. */
export function mount(map, app) {
  const listeners = new Set();
  let tool = "include";

  const drawing = {
    get tool() {
      return tool;
    },
    setTool(name) {
      tool = name;
      for (const listener of listeners) listener(name);
    },
    onTool: (listener) => listeners.add(listener),
    place: (prompt) => place(app, prompt),
  };
  map.on("click", ({ latlng, originalEvent }) => {
    const { lng, lat } = latlng.wrap();
    const label = originalEvent.shiftKey || tool === "exclude" ? 0 : 1;
    drawing.place({ type: "point", lng, lat, label });
  });
  mountBox(map, drawing);
  return drawing;
}

/** Add a prompt to the active object, and see to its window; say why where it cannot be. */
function place({ store, asking, framing, announce, showProblem, clearProblem }, prompt) {
  const state = store.get();
  const patch = withPrompt(state, prompt);
  const { window: chosen, reason } = framing.frame(patch.objects, state.window, asking.seen(state));
  if (reason) {
    showProblem(reason);
    return false;
  }
  clearProblem();
  const isMoved = state.window && chosen !== state.window;
  if (isMoved) announce("A new frame of the picture is looked at; all outlines are found again.");
  store.set({ ...patch, window: chosen });
  return true;
}

/** Rectangles by dragging. */
function mountBox(map, drawing) {
  const container = map.getContainer();
  let from = null;
  let shape = null;
  let wasDrag = false;

  const at = (event) => map.mouseEventToLatLng(event);
  const stop = () => {
    shape?.remove();
    from = shape = null;
  };

  drawing.onTool((name) => {
    const isOn = name === "box";
    // Without this a finger's drag would move the map.
    container.classList.toggle("drawing-box", isOn);
    map.dragging[isOn ? "disable" : "enable"]();
    stop();
  });
  container.addEventListener("pointerdown", (event) => {
    wasDrag = false;
    if (drawing.tool !== "box" || event.button !== 0 || !event.isPrimary) return;
    if (event.target.closest(".leaflet-control, .leaflet-marker-icon")) return;
    container.setPointerCapture(event.pointerId);
    from = event;
    shape = L.rectangle([at(event), at(event)], { className: "drawn-box", interactive: false }).addTo(map);
  });
  container.addEventListener("pointermove", (event) => {
    if (from && event.pointerId === from.pointerId) shape.setBounds([at(from), at(event)]);
  });
  container.addEventListener("pointercancel", stop);
  // The click that ends a drag is no point.
  container.addEventListener("click", (event) => {
    if (wasDrag) event.stopImmediatePropagation();
    wasDrag = false;
  }, true);
  container.addEventListener("pointerup", (event) => {
    if (!from || event.pointerId !== from.pointerId) return;
    const isBox = Math.hypot(event.clientX - from.clientX, event.clientY - from.clientY) >= LEAST_PX;
    const box = isBox && rectangle(at(from), at(event));
    stop();
    wasDrag = isBox;
    if (box) drawing.place(box);
  });
}

/** Return the rectangle between two opposite corners. */
export function rectangle(one, other) {
  const bounds = L.latLngBounds([one, other]);
  const [sw, ne] = [bounds.getSouthWest().wrap(), bounds.getNorthEast().wrap()];
  return { type: "rectangle", west: sw.lng, south: sw.lat, east: ne.lng, north: ne.lat };
}
