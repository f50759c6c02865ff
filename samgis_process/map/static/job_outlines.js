/** Outlines of jobs on the map, besides those of the prompts. */

import L from "./leaflet.js";

const layers = new Map();

/**
 * Show the outlines of a job, or take them off again.
 *
 * @param {string} id - of the job
 * @param {() => Promise<object>} get - its FeatureCollection
 * @returns {Promise<boolean>} whether they are shown now
 */
export async function toggleOutlines(map, id, get) {
  if (takeOff(id)) return false;
  const layer = L.geoJSON(await get(), { style: { className: "job-outline" }, interactive: false });
  layers.set(id, layer);
  layer.addTo(map);
  if (layer.getLayers().length) map.fitBounds(layer.getBounds(), { maxZoom: map.getZoom(), animate: false });
  return true;
}

/** Take the outlines of a job off the map; tells whether there were any. */
export function takeOff(id) {
  const shown = layers.get(id);
  shown?.remove();
  return layers.delete(id);
}
