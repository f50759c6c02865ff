/** Outlines on the map. */

import L from "./leaflet.js";

import { activeObject } from "./edits.js";

/** Draw the outlines of all objects and keep them so; returns `{preview(index | null)}`. */
export function mount(map, { store, asking }) {
  const drawn = new Map(); // object's id -> its two polygons
  let previewed = null; // index of an alternative of the active object

  function draw() {
    const state = store.get();
    for (const [id, pair] of drawn) {
      if (!state.objects.some((one) => one.id === id)) forget(id, pair);
    }
    for (const object of state.objects) drawObject(state, object);
  }

  function drawObject(state, object) {
    const { features, isFresh } = asking.answerOf(object);
    const isActive = object.id === activeObject(state).id;
    const index = isActive ? (previewed ?? object.alternative) : object.alternative;
    const feature = features[index] ?? features[0];
    const pair = drawn.get(object.id);
    if (!feature || object.hidden) {
      if (pair) forget(object.id, pair);
      return;
    }
    const [casing, line] = pair ?? make(object.id);
    if (line.feature !== feature) {
      const rings = latLngs(feature.geometry);
      casing.setLatLngs(rings);
      line.setLatLngs(rings);
      line.feature = feature;
    }
    line.setStyle({ color: object.colour, fillColor: object.colour, fillOpacity: state.opacity });
    const element = line.getElement();
    element.classList.toggle("stale", !isFresh);
    element.classList.toggle("previewed", isActive && previewed !== null);
    element.dataset.object = object.id;
  }

  function make(id) {
    const options = { interactive: false, smoothFactor: 0.5, noClip: false };
    const casing = L.polygon([], { ...options, className: "outline-casing", fill: false });
    const line = L.polygon([], { ...options, className: "outline", weight: 2.5 });
    const pair = [casing.addTo(map), line.addTo(map)];
    drawn.set(id, pair);
    return pair;
  }

  function forget(id, pair) {
    for (const layer of pair) layer.remove();
    drawn.delete(id);
  }

  asking.subscribe(draw);
  store.subscribe((state, previous) => {
    const names = ["objects", "active", "opacity", "window", "source", "model", "rendering"];
    if (names.some((name) => state[name] !== previous[name])) {
      previewed = null;
      draw();
    }
  });
  draw();
  return {
    preview(index) {
      previewed = index;
      draw();
    },
  };
}

/** Return what was found, of each object the alternative that was chosen, as GeoJSON. */
export function collection(state, asking) {
  const features = state.objects.flatMap((object) => {
    const found = asking.answerOf(object).features;
    const feature = found[object.alternative] ?? found[0];
    if (!feature) return [];
    return [{ ...feature, id: object.id, properties: { ...feature.properties, name: object.name } }];
  });
  return { type: "FeatureCollection", features, ...(asking.last && { samgis: asking.last.samgis }) };
}

function latLngs({ type, coordinates }) {
  const polygons = type === "Polygon" ? [coordinates] : coordinates;
  return polygons.map((rings) => rings.map((ring) => ring.map(([lng, lat]) => [lat, lng])));
}
