/** Taking results along: files, and the request as text to run elsewhere. */

import { base, segment } from "./api.js";
import { copy } from "./clipboard.js";
import { asCurl, asOgcJson, asPython } from "./copy_as.js";
import { fileName, save } from "./downloads.js";
import { isUsable } from "./edits.js";
import { button, make } from "./elements.js";
import { copyLink } from "./link.js";
import { executeRequest } from "./request.js";
import { headers } from "../pages/key.js";

const GEOJSON = "application/geo+json";
const FILES = [
  ["GeoJSON", GEOJSON],
  ["GeoPackage", "application/geopackage+sqlite3"],
  ["FlatGeobuf", "application/flatgeobuf"],
  ["Picture (PNG)", "image/png"],
  ["Report", "application/vnd.samgis.report+json"],
];
const TEXTS = [
  ["curl", asCurl],
  ["Python", asPython],
  ["OGC JSON", asOgcJson],
];

/** Put the buttons into `element`. */
export function mount(element, app) {
  const files = FILES.map(([title, type]) => button(title, (event) => exportFile(app, type, title, event.target)));
  const texts = TEXTS.map(([title, write]) => button(title, () => copyText(app, write, title)));
  const hint = make("p", { className: "note" });
  element.replaceChildren(
    group("Save as", files),
    group("Copy as", texts),
    group("Share", [button("Copy link", () => copyLink(app))]),
    hint,
  );
  const draw = () => {
    const isReady = canExport(app.store.get());
    for (const one of [...files, ...texts]) one.disabled = !isReady || one.ariaBusy === "true";
    hint.textContent = isReady ? "" : "Place a point or draw a box first; then its outline can be saved.";
  };
  app.store.subscribe(draw);
  draw();
}

/** Return what is on screen: chosen alternatives of objects that are shown, by their names. */
export function onScreen(collection, state) {
  const objects = new Map(state.objects.map((one) => [String(one.id), one]));
  const features = (collection?.features ?? []).flatMap((feature) => {
    const object = objects.get(String(feature.properties.object));
    if (!object || object.hidden) return [];
    if ((feature.properties.alternative ?? 0) !== object.alternative) return [];
    return [{ ...feature, properties: { ...feature.properties, name: object.name } }];
  });
  return { ...collection, type: "FeatureCollection", features };
}

function group(title, buttons) {
  return make("div", { className: "button-group", role: "group", "aria-label": title },
    make("span", { className: "group-title" }, title), ...buttons);
}

function shown(state) {
  return state.objects.filter((one) => isUsable(one) && !one.hidden);
}

function canExport(state) {
  return Boolean(state.window) && shown(state).length > 0;
}

function requestOf(app) {
  const state = app.store.get();
  return executeRequest(state, app.sources, { objects: shown(state) });
}

async function exportFile(app, type, title, pressed) {
  pressed.ariaBusy = "true";
  pressed.disabled = true;
  try {
    const blob = type === GEOJSON ? geojsonOf(app) : await fetched(app, type);
    const name = fileName(sourceOf(app), type);
    save(blob, name);
    app.announce(`Saved as ${name}.${alternativesNote(app, type)}`);
  } catch (problem) {
    app.showProblem({ ...problem, title: `${title} could not be made`, detail: problem.detail ?? problem.message });
  } finally {
    pressed.ariaBusy = "false";
    pressed.disabled = !canExport(app.store.get());
  }
}

function geojsonOf(app) {
  const collection = onScreen(app.answers(), app.store.get());
  return new Blob([JSON.stringify(collection)], { type: GEOJSON });
}

async function fetched(app, accept) {
  return (await segment(requestOf(app), { accept })).blob();
}

/** Files of the server hold what was asked for: with a choice among alternatives, all of them. */
function alternativesNote(app, type) {
  const isChosen = shown(app.store.get()).some((one) => one.alternative > 0);
  const isTable = type !== GEOJSON && !type.startsWith("image/") && !type.endsWith("+json");
  return isChosen && isTable ? " It holds all alternatives; the column `alternative` tells them apart." : "";
}

function sourceOf(app) {
  return app.store.get().source ?? app.sources.default;
}

async function copyText(app, write, title) {
  const text = write({
    address: new URL(`${base}/processes/segment/execution`, location.href).href,
    body: requestOf(app),
    withKey: Object.keys(headers()).length > 0,
    file: fileName(sourceOf(app), GEOJSON),
  });
  if (await copy(text, `Request as ${title}`)) app.announce(`Copied as ${title}.`);
}
