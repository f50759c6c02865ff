/** Files of the terrain that the map shows: what `dem-composite` makes of the view. */

import { Problem } from "./api.js";
import { workButton } from "./buttons.js";
import { make } from "./elements.js";
import { filesOf } from "./item_files.js";
import { viewOf } from "./map.js";
import { MAX_LAT } from "./windows.js";

const USUAL = "The composite, the elevation, and a picture with its legend; further layers as you choose.";

/** @returns {{element: HTMLElement, draw: (source: object | null, state: object) => void}} */
export function filesPart(app) {
  const choice = layerChoice(app.sources.terrain.layers);
  const note = make("p", { className: "note", role: "status" }, USUAL);
  const files = make("div");
  let inputs = null;

  const run = workButton("Make files of this view", app, async () => {
    note.textContent = "The terrain is being computed.";
    try {
      const { features, samgis } = await composite(app, { ...inputs(), layers: choice.chosen() });
      files.replaceChildren(filesOf(features[0], app));
      note.textContent = ["The files are ready; the server keeps them for some time.", ...(samgis.warnings ?? [])].join(" ");
    } catch (problem) {
      note.textContent = USUAL;
      throw problem;
    }
  }, { className: "wide" });

  const element = make("div", { className: "block" }, make("h2", {}, "Files"), choice.element, run, note, files);
  const draw = (source, state) => {
    element.hidden = !source;
    inputs = () => ({
      source: source.id,
      rendering: state.rendering ?? source.rendering,
      bbox: viewWithin(app.map, source.bounds),
    });
  };
  return { element, draw };
}

function layerChoice(layers) {
  const boxes = layers.filter((one) => one.name !== "elevation")
    .map((one) => [make("input", { type: "checkbox", value: one.name }), one]);
  const labels = boxes.map(([box, { title, unit }]) =>
    make("label", { className: "check" }, box, unit ? `${title} (${unit})` : title));
  const element = make("details", {}, make("summary", {}, "Layers in the files"), make("div", { className: "checks" }, ...labels));
  return { element, chosen: () => boxes.filter(([box]) => box.checked).map(([box]) => box.value) };
}

async function composite({ api }, inputs) {
  const response = await api.call("/processes/dem-composite/execution", {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/geo+json" },
    body: JSON.stringify({ inputs }),
  });
  return response.json();
}

/** Return what the map shows of a source, as a bbox. */
function viewWithin(map, bounds) {
  const [west, south, east, north] = viewOf(map).bbox;
  if (!bounds || bounds[0] > bounds[2] || west > east) {
    return [west, Math.max(south, -MAX_LAT), east, Math.min(north, MAX_LAT)];
  }
  const seen = [
    Math.max(west, bounds[0]), Math.max(south, bounds[1]),
    Math.min(east, bounds[2]), Math.min(north, bounds[3]),
  ];
  if (seen[0] < seen[2] && seen[1] < seen[3]) return seen;
  throw new Problem({ title: "Nothing of this elevation is in view", detail: "Go to where it is, then make files." });
}
