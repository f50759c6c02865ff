/** Which picture is looked at, with which model, and how strong the outlines are. */

import { make } from "./elements.js";
import { showAll } from "./map.js";

/** Fold the block with what it holds already, and keep it the same as the store. */
export function mount(element, app) {
  const { store, sources } = app;
  const source = select("Source", "source", groups(sources.sources));
  const model = select("Model", "model", sources.models.map(modelOption));
  const opacity = make("input", { id: "opacity", type: "range", min: 0, max: 0.9, step: 0.05 });
  const reason = make("p", { className: "note" });
  const terms = make("p", { className: "note beside" });
  const name = make("span", { className: "facts" });
  const whole = make("button", { type: "button", className: "link", textContent: "Show all of it" });
  const summary = make("summary", {}, make("h2", { textContent: "Picture" }), name);
  const block = make("details", { open: !matchMedia("(max-width: 760px)").matches },
    summary,
    source.row,
    terms,
    reason,
    ...(sources.models.length > 1 ? [model.row] : []),
    make("div", { className: "field" }, make("label", { htmlFor: "opacity", textContent: "Fill" }), opacity),
    ...element.children,
  );
  element.append(block);

  source.control.addEventListener("change", () => choose(app, source.control.value));
  model.control.addEventListener("change", () => store.set({ model: model.control.value }));
  opacity.addEventListener("input", () => store.set({ opacity: Number(opacity.value) }));
  whole.addEventListener("click", () => showAll(app.map, chosen(store.get())));

  const chosen = (state) => sources.sources.find((one) => one.id === state.source);
  function draw(state) {
    source.control.value = state.source;
    model.control.value = state.model;
    opacity.value = state.opacity;
    const { title, terms: text, bounds } = chosen(state) ?? {};
    name.textContent = title ?? "";
    terms.replaceChildren(...[termsLink(text), bounds ? whole : ""].filter(Boolean));
    terms.hidden = !terms.childNodes.length;
    const lacking = sources.sources.filter((one) => one.reason);
    reason.textContent = lacking.map((one) => `${one.title}: ${one.reason}`).join(" ");
    reason.hidden = !lacking.length;
  }
  store.subscribe(draw);
  draw(store.get());
}

/** Look at another picture; prompts that lie in it stay, with a new window. */
function choose({ store, sources, map, announce }, id) {
  const source = sources.sources.find((one) => one.id === id);
  store.set({ source: id, rendering: null });
  announce(`Picture: ${source.title}.`);
  const [west, south, east, north] = source.bounds ?? [-180, -90, 180, 90];
  const { lng, lat } = map.getCenter().wrap();
  const isInside = lat >= south && lat <= north && (west > east || (lng >= west && lng <= east));
  if (!isInside) showAll(map, source);
}

function select(title, id, children) {
  const control = make("select", { id }, ...children);
  const label = make("label", { htmlFor: id, textContent: title });
  return { control, row: make("div", { className: "field" }, label, control) };
}

function groups(all) {
  const kinds = [["imagery", "Imagery"], ["elevation", "Elevation"]];
  return kinds.flatMap(([kind, label]) => {
    const options = all.filter((one) => one.kind === kind).map(sourceOption);
    return options.length ? [make("optgroup", { label }, ...options)] : [];
  });
}

function sourceOption({ id, title, reason }) {
  const textContent = reason ? `${title} (unavailable)` : title;
  return make("option", { value: id, textContent, disabled: Boolean(reason), title: reason ?? "" });
}

function modelOption({ id, title }) {
  return make("option", { value: id, textContent: title });
}

function termsLink(text) {
  if (!text) return "";
  if (!/^https?:/.test(text)) return make("span", { textContent: text });
  return make("a", { href: text, textContent: "Terms of use", rel: "noreferrer noopener", target: "_blank" });
}
