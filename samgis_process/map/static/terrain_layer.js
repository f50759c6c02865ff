/** A layer of the terrain, such as its slope, laid over the picture. */

import { make } from "./elements.js";
import { field, labelOf, select } from "./fields.js";
import { legendOf } from "./legend.js";

/** @returns {{element: HTMLElement, draw: (source: object | null) => void}} */
export function layerPart(app) {
  const { layers } = app.sources.terrain;
  const layer = select("terrain-layer", [["", "none"], ...layers.map((one) => [one.name, one.title])]);
  const opacity = make("input", { id: "terrain-opacity", type: "range", min: 0, max: 1, step: 0.05, value: 0.7 });
  const strength = field("Strength", opacity);
  const legend = make("div", { className: "ramps" });
  const element = make("div", { className: "block" }, make("h2", {}, "Layer over it"),
    field("Layer", layer), strength, legend);
  let source = null;

  function lay() {
    const found = source && layers.find((one) => one.name === layer.value);
    strength.hidden = !found;
    legend.replaceChildren(...(found ? [legendOf(found.legend)] : []));
    app.setTiles(found ? tilesOf(source, found.name, Number(opacity.value)) : null);
  }

  function draw(shown) {
    element.hidden = !shown;
    if (shown === source) return;
    source = shown;
    lay();
  }

  layer.onchange = () => {
    lay();
    app.announce(layer.value ? `${labelOf(layer)} lies over the picture.` : "No layer lies over the picture.");
  };
  opacity.onchange = lay;
  strength.hidden = true;
  return { element, draw };
}

function tilesOf({ tiles, attribution, bounds, min_zoom, max_zoom }, name, opacity) {
  const mark = tiles.includes("?") ? "&" : "?";
  return {
    template: `${tiles}${mark}layer=${encodeURIComponent(name)}`,
    attribution,
    opacity,
    minNativeZoom: min_zoom,
    maxNativeZoom: max_zoom,
    ...(bounds && bounds[0] < bounds[2] && { bounds: [[bounds[1], bounds[0]], [bounds[3], bounds[2]]] }),
  };
}
