/** Elevation as a picture: renderings, layers over them, what colours mean, and files. */

import { button, make } from "./elements.js";
import { filesOf } from "./item_files.js";
import { legendOf } from "./legend.js";

/** Put the panel into `element`. */
export function mount(element, app) {
  const offered = app.sources.sources.filter((one) => one.kind === "elevation");
  const usable = offered.filter((one) => !one.reason);
  if (!usable.length) {
    element.replaceChildren(make("p", { className: "note" }, nothing(offered)));
    return;
  }
  const parts = [picturePart(app, usable), layerPart(app, usable), filesPart(app, usable)];
  element.replaceChildren(...parts.map((one) => one.element));
  const draw = (state) => parts.forEach((one) => one.draw(state));
  app.store.subscribe(draw);
  draw(app.store.get());
}

function nothing(offered) {
  if (!offered.length) return "This server has no source of elevation.";
  return `No elevation is to be had now. ${offered[0].title}: ${offered[0].reason}`;
}

/** Which elevation, and how it is drawn. */
function picturePart(app, usable) {
  const source = make("select", { id: "terrain-source" },
    ...usable.map((one) => make("option", { value: one.id }, one.title || one.id)));
  const rendering = make("select", { id: "terrain-rendering" },
    ...app.sources.terrain.renderings.filter((one) => one.tiled)
      .map((one) => make("option", { value: one.name }, `${one.name}: ${one.title}`)));
  const look = button("Show it on the map", () => choose(), { className: "wide" });
  const note = make("p", { className: "note" });
  const legend = make("div", { className: "legend" });
  const choose = () => {
    app.store.set({ source: source.value, rendering: rendering.value, window: null });
    app.announce(`The map shows ${source.selectedOptions[0].textContent}, drawn as ${rendering.value}.`);
  };
  source.onchange = rendering.onchange = () => (isShown(app.store.get(), usable) ? choose() : draw(app.store.get()));

  function draw(state) {
    const shown = usable.find((one) => one.id === state.source);
    if (shown) source.value = shown.id;
    const drawn = shown ? (state.rendering ?? nameOf(shown.rendering)) : rendering.value;
    if ([...rendering.options].some((one) => one.value === drawn)) rendering.value = drawn;
    look.hidden = Boolean(shown);
    note.textContent = shown
      ? "Points and boxes of the Segment tab outline what they meet in this picture."
      : "The map shows another source.";
    const known = app.sources.terrain.renderings.find((one) => one.name === rendering.value);
    legend.replaceChildren(...(known?.legend ?? []).map(legendOf));
  }

  const element = make("div", { className: "block" }, make("h2", {}, "Picture"),
    field("Elevation", source), field("Rendering", rendering), look, note, legend);
  return { element, draw };
}

/** One layer over the picture. */
function layerPart(app, usable) {
  const layers = app.sources.terrain.layers.filter((one) => one.legend);
  const layer = make("select", { id: "terrain-layer" }, make("option", { value: "" }, "none"),
    ...layers.map((one) => make("option", { value: one.name }, one.title)));
  const opacity = make("input", { id: "terrain-opacity", type: "range", min: 0, max: 100, step: 5, value: 70 });
  const legend = make("div", { className: "legend" });
  const strength = field("Opacity", opacity);

  function show() {
    const source = usable.find((one) => one.id === app.store.get().source);
    const found = source && layers.find((one) => one.name === layer.value);
    legend.replaceChildren(...(found ? [legendOf(found.legend)] : []));
    strength.hidden = !found;
    app.setTiles(found ? tilesOf(source, found, opacity.value / 100) : null);
  }
  layer.onchange = () => {
    show();
    app.announce(layer.value ? `${layer.selectedOptions[0].textContent} lies over the picture.` : "The layer was taken off.");
  };
  opacity.onchange = show;

  let drawn = null;
  function draw(state) {
    element.hidden = !layers.length || !isShown(state, usable);
    if (state.source !== drawn) show();
    drawn = state.source;
  }

  const element = make("div", { className: "block" }, make("h2", {}, "Layer over it"), field("Layer", layer), strength, legend);
  return { element, draw };
}

function tilesOf(source, layer, opacity) {
  return {
    template: `${source.tiles}&layer=${encodeURIComponent(layer.name)}`,
    opacity,
    minNativeZoom: source.min_zoom,
    maxNativeZoom: source.max_zoom,
    ...(source.bounds && { bounds: [[source.bounds[1], source.bounds[0]], [source.bounds[3], source.bounds[2]]] }),
  };
}

/** Files of numbers of what the map shows. */
function filesPart(app, usable) {
  const boxes = app.sources.terrain.layers.filter((one) => one.name !== "elevation").map((one) => {
    const box = make("input", { type: "checkbox", value: one.name });
    return make("label", { className: "check" }, box, one.unit ? `${one.title} (${one.unit})` : one.title);
  });
  const files = make("div");
  const note = make("p", { className: "note" }, "The composite, the elevation and a picture with its legend; layers as you choose.");
  const run = button("Make files of this view", () => make_(), { className: "wide" });
  const choice = make("details", {}, make("summary", {}, "Layers in the files"), make("div", { className: "checks" }, ...boxes));

  async function make_() {
    run.disabled = true;
    note.textContent = "The terrain is being computed.";
    try {
      const layers = [...choice.querySelectorAll("input:checked")].map((one) => one.value);
      const answer = await composite(app, usable, layers);
      files.replaceChildren(filesOf(answer.features[0], app));
      note.textContent = answer.samgis?.warnings?.join(" ") || "These files are kept by the server for some time.";
      app.announce("The files are ready.");
    } catch (problem) {
      note.textContent = "No files were made.";
      app.showProblem(problem);
    } finally {
      run.disabled = false;
    }
  }

  const element = make("div", { className: "block" }, make("h2", {}, "Files"), choice, run, note, files);
  const draw = (state) => {
    element.hidden = !isShown(state, usable);
  };
  return { element, draw };
}

async function composite(app, usable, layers) {
  const state = app.store.get();
  const source = usable.find((one) => one.id === state.source);
  const inputs = {
    source: source.id,
    rendering: state.rendering ?? nameOf(source.rendering),
    bbox: viewWithin(app.map.getBounds(), source.bounds),
    layers,
  };
  const response = await app.api.call("/processes/dem-composite/execution", {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/geo+json" },
    body: JSON.stringify({ inputs }),
  });
  return response.json();
}

/** Return the view's [west, south, east, north], cut to where the source has data. */
function viewWithin(view, bounds) {
  const [west, south, east, north] = bounds ?? [-180, -85, 180, 85];
  const shift = 360 * Math.round((view.getCenter().lng - view.getCenter().wrap().lng) / 360);
  return [
    Math.max(view.getWest() - shift, west), Math.max(view.getSouth(), south),
    Math.min(view.getEast() - shift, east), Math.min(view.getNorth(), north),
  ];
}

function isShown(state, usable) {
  return usable.some((one) => one.id === state.source);
}

/** A rendering with options is an object; the page names it alone. */
function nameOf(rendering) {
  return typeof rendering === "string" ? rendering : rendering?.name ?? "";
}

function field(text, control) {
  return make("div", { className: "field" }, make("label", { htmlFor: control.id }, text), control);
}
