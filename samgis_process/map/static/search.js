/** Going to a place by its coordinates; nobody else is asked where it is. */

import { EXAMPLES, Unreadable, readPlace } from "./coordinates.js";
import { button, make } from "./elements.js";
import { circleMarker } from "../leaflet/leaflet-src.esm.js";

const CLOSE = 15; // zoom at which a place is looked at
const MARK_MS = 6000;

/** Put the field into `element`. */
export function mount(element, app) {
  const field = make("input", {
    type: "search", id: "search-field", autocomplete: "off", spellcheck: false,
    placeholder: "47.37, 8.54", "aria-describedby": "search-said", enterKeyHint: "go",
  });
  const said = make("p", { id: "search-said", className: "said", role: "status" });
  const form = make("form", { className: "search", role: "search" },
    make("label", { htmlFor: field.id, className: "unseen", title: EXAMPLES }, "Go to coordinates"),
    field, make("button", { type: "submit" }, "Go"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    go(field, said, app);
  });
  field.addEventListener("input", () => field.removeAttribute("aria-invalid"));
  element.replaceChildren(form, said);
}

function go(field, said, app) {
  try {
    const place = readPlace(field.value);
    fly(place, app);
    say(place, said, app);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    field.setAttribute("aria-invalid", "true");
    said.replaceChildren(error.message);
    field.focus();
  }
}

function say(place, said, app) {
  const swap = place.other && button("Swap", () => {
    fly(place.other, app);
    say({ ...place.other, other: { ...place, other: undefined } }, said, app);
  }, { "aria-label": "Swap latitude and longitude" });
  said.replaceChildren(...[place.said, outside(place, app), swap].filter(Boolean).flatMap((one) => [one, " "]));
}

function fly(place, { map }) {
  const animate = !matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (place.bounds) {
    const [west, south, east, north] = place.bounds;
    map.fitBounds([[south, west], [north, east < west ? east + 360 : east]], { animate });
    return;
  }
  const zoom = Math.min(place.zoom ?? Math.max(map.getZoom(), CLOSE), map.getMaxZoom());
  map.setView([place.lat, place.lng], zoom, { animate });
  mark(place, map);
}

/** Show for a moment where the place is. */
function mark({ lng, lat }, map) {
  const ring = circleMarker([lat, lng], { radius: 14, className: "found-place", interactive: false });
  ring.addTo(map);
  setTimeout(() => ring.remove(), MARK_MS);
}

/** Say so where the source has no picture there. */
function outside({ lng, lat, bounds }, app) {
  const id = app.store.get().source ?? app.sources.default;
  const source = (app.sources.sources ?? []).find((one) => one.id === id);
  if (!source?.bounds) return "";
  const [west, south, east, north] = bounds ?? [lng, lat, lng, lat];
  const [w, s, e, n] = source.bounds;
  const isApart = north < s || south > n || (w <= e && west <= east && (east < w || west > e));
  return isApart ? `${source.title ?? source.id} has no picture there.` : "";
}
