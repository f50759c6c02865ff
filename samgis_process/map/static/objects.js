/** The list of objects and of their prompts. */

import { activeObject, isUsable, withChanges, withObject, withoutObject, withPromptAt } from "./edits.js";
import { icon, make } from "./elements.js";
import { area, placeOf, score } from "./wording.js";

/** Fill the list and keep it the same as the store. */
export function mount(list, app) {
  const { store, asking } = app;
  const rows = new Map(); // object's id -> its row

  function draw() {
    const state = store.get();
    const focused = document.activeElement?.dataset?.key;
    for (const [id, row] of rows) {
      if (state.objects.some((one) => one.id === id)) continue;
      row.element.remove();
      rows.delete(id);
    }
    for (const object of state.objects) {
      const row = rows.get(object.id) ?? makeRow(app, object.id);
      rows.set(object.id, row);
      row.update(state, object, asking.answerOf(object));
      if (row.element.parentNode !== list) list.append(row.element);
    }
    if (focused && !document.activeElement?.dataset?.key) keepFocus(list, focused);
  }

  document.getElementById("add-object").addEventListener("click", () => addObject(app));
  asking.subscribe(draw);
  store.subscribe((state, previous) => {
    const names = ["objects", "active", "window", "source", "model", "rendering"];
    if (names.some((name) => state[name] !== previous[name])) draw();
  });
  draw();
}

/** Begin an object, unless the active one is still empty. */
export function addObject({ store, announce }) {
  const state = store.get();
  if (activeObject(state).prompts.length) store.set(withObject(state));
  announce(`${activeObject(store.get()).name} is waiting for its first point.`);
}

function makeRow(app, id) {
  const { store } = app;
  const change = (changes) => store.set(withChanges(store.get(), id, changes), { step: false });
  const swatch = make("button", { type: "button", className: "swatch", data: { key: `swatch ${id}` } });
  const name = make("input", { className: "name", maxLength: 60, autocomplete: "off", aria: { label: "Name" } });
  const facts = make("span", { className: "facts number" });
  const hide = make("button", { type: "button", className: "bare", data: { key: `hide ${id}` } });
  const drop = make("button", { type: "button", className: "bare", data: { key: `drop ${id}` } }, icon("close"));
  const prompts = make("ul", { className: "prompts" });
  const note = make("p", { className: "note" });
  const head = make("div", { className: "object-head" }, swatch, name, facts, hide, drop);
  const element = make("li", {}, head, note, prompts);

  const activate = () => store.get().active === id || store.set({ active: id });
  swatch.addEventListener("click", activate);
  name.addEventListener("focus", activate);
  name.addEventListener("change", () => change({ name: name.value.trim() || `Object ${id}` }));
  name.addEventListener("keydown", (event) => event.key === "Enter" && name.blur());
  hide.addEventListener("click", () => change({ hidden: !find(store, id).hidden }));
  drop.addEventListener("click", () => remove(app, id));

  let drawnPrompts = null;
  function update(state, object, answer) {
    const isActive = activeObject(state).id === id;
    element.classList.toggle("active", isActive);
    element.style.setProperty("--colour", object.colour);
    if (document.activeElement !== name) name.value = object.name;
    swatch.setAttribute("aria-label", `Work on ${object.name}`);
    swatch.setAttribute("aria-pressed", String(isActive));
    drop.setAttribute("aria-label", `Remove ${object.name}`);
    hide.setAttribute("aria-label", object.hidden ? `Show ${object.name}` : `Hide ${object.name}`);
    hide.replaceChildren(icon(object.hidden ? "eye-off" : "eye"));
    const found = answer.features[object.alternative] ?? answer.features[0];
    facts.replaceChildren(...(found ? factsOf(found.properties) : []));
    facts.classList.toggle("stale", !answer.isFresh);
    note.textContent = noteOn(object, answer, isActive, state.objects.length);
    note.hidden = !note.textContent;
    prompts.hidden = !isActive || !object.prompts.length;
    if (drawnPrompts !== object.prompts) {
      drawnPrompts = object.prompts;
      prompts.replaceChildren(...object.prompts.map((one, index) => promptItem(app, id, one, index)));
    }
  }
  return { element, update };
}

function promptItem({ store, announce }, id, prompt, index) {
  const [kind, what] = describe(prompt);
  const drop = make("button", {
    type: "button",
    className: "bare",
    aria: { label: `Take away ${what.toLowerCase()} ${index + 1}` },
    data: { key: `prompt ${id} ${index}` },
  }, icon("close"));
  drop.addEventListener("click", () => {
    store.set(withPromptAt(store.get(), id, index, null));
    announce(`${what} taken away.`);
  });
  const middle = prompt.type === "point" ? prompt : {
    lng: (prompt.west + prompt.east) / 2, lat: (prompt.south + prompt.north) / 2,
  };
  const place = make("span", { className: "number place", textContent: placeOf(middle) });
  const text = make("span", { textContent: what });
  return make("li", { className: kind }, icon(kind), text, place, drop);
}

function describe(prompt) {
  if (prompt.type === "rectangle") return ["box", "Box"];
  return prompt.label === 1 ? ["include", "Include"] : ["exclude", "Exclude"];
}

function factsOf({ area_m2, score: value }) {
  const small = make("small", { textContent: `score ${score(value)}` });
  return [make("span", { textContent: area(area_m2) }), small];
}

function noteOn(object, { features, warnings, isFresh }, isActive, objects) {
  if (!object.prompts.length) {
    if (!isActive) return "Empty.";
    return objects > 1 ? "Click on the map to begin it." : "Click something on the map.";
  }
  if (!isUsable(object)) return "Add a point on the object: so far, all points are left out.";
  if (isFresh && !features.length && !warnings.length) return "Nothing was found here.";
  return warnings.map((text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`).join(" ");
}

function remove({ store, announce }, id) {
  const { name } = find(store, id);
  store.set(withoutObject(store.get(), id));
  announce(`${name} removed. Undo brings it back.`);
}

function find(store, id) {
  return store.get().objects.find((one) => one.id === id);
}

/** Where the focused button went away, focus the one that took its place, or the list's last. */
function keepFocus(list, key) {
  const same = list.querySelector(`[data-key="${key}"]`);
  const buttons = [...list.querySelectorAll(`[data-key^="${key.split(" ")[0]}"]`)];
  (same ?? buttons.at(-1) ?? list.querySelector("button"))?.focus();
}
