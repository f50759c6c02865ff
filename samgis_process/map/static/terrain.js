/** Elevation as a picture: its renderings, layers over it, what colours mean, and files. */

import L from "./leaflet.js";
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
  let isPicked = false;

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
    if (shown || !isPicked) {
      const proposed = shown ?? nearest(usable, app.map);
      source.value = proposed.id;
      rendering.value = (shown && state.rendering) ?? nameOf(proposed.rendering);
    }
    drawLegend();
  }

  for (const one of [source, rendering]) {
    one.onchange = () => {
      isPicked = true;
      if (isShown()) choose();
      else drawLegend();
    };
  }
  const element = make("div", { className: "block" }, make("h2", {}, "Elevation"),
    field("Picture", source), field("Drawn as", rendering), look, note, legend);
  return { element, draw };
}

/** Return the elevation of the middle of the map; one of all the world only where there is no other. */
function nearest(usable, map) {
  const centre = map.getCenter().wrap();
  const isHere = ({ bounds }) => bounds && corners(bounds).contains(centre);
  return usable.find(isHere) ?? usable.find(({ bounds }) => !bounds) ?? usable[0];
}

/** A rendering with options is an object. */
function nameOf(rendering) {
  return rendering?.name ?? rendering;
}

/** Go to the source, where the map is elsewhere. */
function bringIntoView(map, { bounds }) {
  if (!bounds || map.getBounds().intersects(corners(bounds))) return;
  map.fitBounds(corners(bounds), { animate: false });
}

function corners([west, south, east, north]) {
  return L.latLngBounds([south, west], [north, west > east ? east + 360 : east]);
}
