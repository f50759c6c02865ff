/** Elevation as a picture: its renderings, layers over it, what colours mean, and files. */

import { button } from "./buttons.js";
import { make } from "./elements.js";
import { field, labelOf, select } from "./fields.js";
import { legendOf } from "./legend.js";
import { filesPart } from "./terrain_files.js";
import { layerPart } from "./terrain_layer.js";

/** Put the panel into `element`. */
export function mount(element, app) {
  const offered = app.sources.sources.filter((one) => one.kind === "elevation");
  const usable = offered.filter((one) => !one.reason);
  if (!usable.length) {
    element.replaceChildren(make("p", { className: "note" }, nothing(offered)));
    return;
  }
  const parts = [picturePart(app, usable), layerPart(app), filesPart(app)];
  element.replaceChildren(...parts.map((one) => one.element));
  const draw = (state) => {
    const shown = usable.find((one) => one.id === state.source) ?? null;
    for (const one of parts) one.draw(shown, state);
  };
  app.store.subscribe(draw);
  draw(app.store.get());
}

function nothing(offered) {
  if (!offered.length) return "This server has no source of elevation.";
  return `No elevation is to be had now. ${offered[0].title}: ${offered[0].reason}`;
}

/** Which elevation, and how it is drawn. */
function picturePart(app, usable) {
  const tiled = app.sources.terrain.renderings.filter((one) => one.tiled);
  const source = select("terrain-source", usable.map((one) => [one.id, one.title]));
  const rendering = select("terrain-rendering", tiled.map((one) => [one.name, one.title]));
  const look = button("Show it on the map", choose, { className: "wide" });
  const note = make("p", { className: "note" });
  const legend = make("div", { className: "ramps" });
  const isShown = () => look.hidden;

  function choose() {
    app.store.set({ source: source.value, rendering: rendering.value });
    bringIntoView(app.map, usable.find((one) => one.id === source.value));
    app.announce(`The map shows ${labelOf(source)} as ${labelOf(rendering)}.`);
  }

  function drawLegend() {
    const { legend: bars } = tiled.find((one) => one.name === rendering.value) ?? { legend: [] };
    legend.replaceChildren(...bars.map(legendOf));
  }

  function draw(shown, state) {
    look.hidden = Boolean(shown);
    note.textContent = shown
      ? "Points and boxes outline what they meet in this picture, as on any other."
      : "The map shows another picture now.";
    if (shown) {
      source.value = shown.id;
      rendering.value = state.rendering ?? shown.rendering;
    }
    drawLegend();
  }

  for (const one of [source, rendering]) one.onchange = () => (isShown() ? choose() : drawLegend());
  rendering.value = usable[0].rendering;
  const element = make("div", { className: "block" }, make("h2", {}, "Elevation"),
    field("Picture", source), field("Drawn as", rendering), look, note, legend);
  return { element, draw };
}

/** Go to the source, where the map is elsewhere. */
function bringIntoView(map, { bounds }) {
  if (!bounds) return;
  const corners = [[bounds[1], bounds[0]], [bounds[3], bounds[2]]];
  if (!map.getBounds().intersects(corners)) map.fitBounds(corners, { animate: false });
}
