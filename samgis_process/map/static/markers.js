/** Prompts on the map: points to drag, rectangles; the chosen one can be deleted. */

import L from "./leaflet.js";

import { withPromptAt } from "./edits.js";
import { contains } from "./windows.js";

const SIZE = 26; // pixels: enough to take hold of, small enough to click beside it
const OTHER_SIZE = 20; // of objects that are not the active one

/** Draw the prompts of all objects and keep them so. */
export function mount(map, { store, asking, announce, showProblem }) {
  const group = L.layerGroup().addTo(map);

  function draw() {
    const state = store.get();
    const focused = document.activeElement?.dataset?.prompt;
    group.clearLayers();
    for (const object of state.objects.filter((one) => !one.hidden)) {
      object.prompts.forEach((prompt, index) => {
        if (prompt.type === "rectangle") box(object, prompt).addTo(group);
        else point(state, object, prompt, index).addTo(group);
      });
    }
    if (focused) map.getContainer().querySelector(`[data-prompt="${focused}"]`)?.focus();
  }

  function point(state, object, prompt, index) {
    const isActive = object.id === state.active;
    const kind = prompt.label === 1 ? "include" : "exclude";
    const size = isActive ? SIZE : OTHER_SIZE;
    const marker = L.marker([prompt.lat, prompt.lng], {
      icon: L.divIcon({ className: `prompt ${kind}`, iconSize: [size, size] }),
      draggable: true,
      autoPan: false,
      keyboard: true,
      alt: `${object.name}, point ${index + 1}: ${kind}`,
      title: "Drag to move; Delete takes it away",
      zIndexOffset: isActive ? 1000 : 0,
    });
    marker.on("add", () => {
      const element = marker.getElement();
      element.dataset.prompt = `${object.id}/${index}`;
      element.setAttribute("aria-label", marker.options.alt);
      element.style.setProperty("--colour", object.colour);
    });
    marker.on("click", () => marker.getElement().focus());
    marker.on("dragend", () => move(object, index, prompt, marker));
    marker.on("keydown", ({ originalEvent: event }) => {
      if (event.key !== "Delete" && event.key !== "Backspace") return;
      event.preventDefault();
      event.stopPropagation();
      remove(object.id, index);
    });
    return marker;
  }

  function move(object, index, prompt, marker) {
    const { lng, lat } = marker.getLatLng().wrap();
    const state = store.get();
    const bbox = asking.seen(state) ?? state.window.bbox;
    if (!contains(bbox, { lng, lat })) {
      marker.setLatLng([prompt.lat, prompt.lng]);
      showProblem({ title: "The point stays", detail: "It can be moved within the dashed frame." });
      return;
    }
    store.set(withPromptAt(state, object.id, index, { ...prompt, lng, lat }));
  }

  function remove(id, index) {
    store.set(withPromptAt(store.get(), id, index, null));
    announce("Point taken away.");
    map.getContainer().focus();
  }

  store.subscribe((state, previous) => {
    if (state.objects !== previous.objects || state.active !== previous.active) draw();
  });
  draw();
}

function box(object, { west, south, east, north }) {
  const right = east < west ? east + 360 : east;
  const options = { className: "prompt-box", color: object.colour, interactive: false, fill: false };
  return L.rectangle([[south, west], [north, right]], options);
}
