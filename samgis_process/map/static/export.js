/** Taking results along: files, and the request as text to run elsewhere. */

import { headers } from "../pages/key.js";
import { base, segment } from "./api.js";
import { button, workButton } from "./buttons.js";
import { copy } from "./clipboard.js";
import { asCurl, asOgcJson, asPython } from "./copy_as.js";
import { fileName, save } from "./downloads.js";
import { isUsable } from "./edits.js";
import { make } from "./elements.js";
import { copyLink } from "./link.js";
import { executeRequest } from "./request.js";

const GEOJSON = "application/geo+json";
const TABLES = {
  GeoPackage: "application/geopackage+sqlite3",
  FlatGeobuf: "application/flatgeobuf",
};
const FILES = {
  GeoJSON: GEOJSON,
  ...TABLES,
  PNG: "image/png",
  Report: "application/vnd.samgis.report+json",
};
const TEXTS = { curl: asCurl, Python: asPython, "OGC JSON": asOgcJson };

/** Put the buttons into `element`. */
export function mount(element, app) {
  const files = Object.keys(FILES).map((title) => workButton(title, app, () => saveAs(app, title)));
  const texts = Object.keys(TEXTS).map((title) => button(title, () => copyAs(app, title)));
  const note = make("p", { className: "note" });
  element.classList.add("block");
  element.replaceChildren(
    make("h2", {}, "Take it along"),
    group("Save as", files),
    group("Copy the request as", texts),
    group("Share", [button("Copy link", () => copyLink(app))]),
    note,
  );
  const draw = () => {
    const isReady = canExport(app.store.get());
    for (const one of [...files, ...texts]) one.disabled = !isReady;
    note.textContent = isReady ? "" : "Place a point or draw a box first.";
  };
  app.store.subscribe(draw);
  draw();
}

function group(title, buttons) {
  const name = make("span", { className: "group-title" }, title);
  return make("div", { className: "button-group", role: "group", aria: { label: title } }, name, ...buttons);
}

function canExport(state) {
  return Boolean(state.window) && shown(state).length > 0;
}

function shown({ objects }) {
  return objects.filter((one) => isUsable(one) && !one.hidden);
}

async function saveAs(app, title) {
  const type = FILES[title];
  const isThere = type === GEOJSON && shown(app.store.get()).every((one) => app.asking.answerOf(one).isFresh);
  const blob = isThere ? onScreen(app) : await fetched(app, title);
  const name = fileName(sourceOf(app), type);
  save(blob, name);
  app.announce(`Saved as ${name}.${title in TABLES ? noteOfAlternatives(app) : ""}`);
}

/** Return what is seen: chosen alternatives of the objects that are not hidden. */
function onScreen(app) {
  const seen = new Set(shown(app.store.get()).map((one) => one.id));
  const all = app.answers();
  const features = all.features.filter((one) => seen.has(String(one.properties.object)));
  return new Blob([JSON.stringify({ ...all, features })], { type: GEOJSON });
}

async function fetched(app, title) {
  try {
    return await (await segment(requestOf(app), { accept: FILES[title] })).blob();
  } catch (problem) {
    throw Object.assign(problem, { title: `${title}: ${problem.title}` });
  }
}

function requestOf(app) {
  const state = app.store.get();
  return executeRequest(state, app.sources, { objects: shown(state) });
}

/** The server knows of no choice among alternatives: its tables then hold all of them. */
function noteOfAlternatives(app) {
  const isChosen = shown(app.store.get()).some((one) => one.alternative > 0);
  return isChosen ? " It holds all alternatives; the column alternative tells them apart." : "";
}

function sourceOf(app) {
  return app.store.get().source ?? app.sources.default;
}

async function copyAs(app, title) {
  const text = TEXTS[title]({
    address: new URL(`${base}/processes/segment/execution`, location.href).href,
    body: requestOf(app),
    withKey: Object.keys(headers()).length > 0,
    file: fileName(sourceOf(app), GEOJSON),
  });
  if (await copy(text, `Request as ${title}`)) app.announce(`Copied as ${title}.`);
}
