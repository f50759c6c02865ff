/** What the page asks of the process `segment`; pure, so that exports say the same. */

import { isUsable } from "./edits.js";

/**
 * Return the body for `POST /processes/segment/execution` that answers the objects of a state.
 *
 * @param {import("./state.js").State} state
 * @param {object} sources the answer of `/map/sources`
 * @param {{objects?: object[], masks?: "best" | "all"}} choice by default all objects that can
 *   be asked for, and alternatives only where somebody chose one
 */
export function executeRequest(state, sources, choice = {}) {
  const objects = choice.objects ?? state.objects.filter(isUsable);
  const chosen = objects.some((one) => one.alternative > 0);
  const inputs = {
    source: state.source ?? sources.default,
    ...(state.model && { model: state.model }),
    ...(state.rendering && { rendering: state.rendering }),
    ...(state.window && { bbox: state.window.bbox, zoom: state.window.zoom }),
    window: isWhole(state, sources) ? "exact" : "snap",
    masks: choice.masks ?? (chosen ? "all" : "best"),
    prompt: { type: "FeatureCollection", features: objects.flatMap(features) },
  };
  return { inputs };
}

/** Tell whether all of a source is seen: then every view of it is the same window already. */
function isWhole({ source, window: seen }, { sources }) {
  const bounds = sources.find((one) => one.id === source)?.bounds;
  return Boolean(bounds && seen?.bbox.every((degrees, at) => Math.abs(degrees - bounds[at]) < 1e-6));
}

/** Return an object's prompts as GeoJSON; what the server does not know comes back as it is. */
function features(object) {
  return object.prompts.map((prompt) => ({
    type: "Feature",
    geometry: geometry(prompt),
    properties: {
      object: object.id,
      name: object.name,
      ...(prompt.type === "point" && { label: prompt.label }),
    },
  }));
}

function geometry(prompt) {
  if (prompt.type === "point") return { type: "Point", coordinates: [prompt.lng, prompt.lat] };
  const { west, south, east, north } = prompt;
  const ring = [[west, south], [east, south], [east, north], [west, north], [west, south]];
  return { type: "Polygon", coordinates: [ring] };
}
