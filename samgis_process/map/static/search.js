/** Going to a place by its coordinates; nobody else is asked where it is. */

import L from "./leaflet.js";
import { button } from "./buttons.js";
import { Unreadable, readPlace } from "./coordinates.js";
import { make } from "./elements.js";

const CLOSE = 15; // zoom at which a place is looked at
const MARK_MS = 6000;

/** Put the field into `element`. */
export function mount(element, app) {
  const field = make("input", {
    type: "search", id: "search-field", autocomplete: "off", spellcheck: false,
    placeholder: "47.37, 8.54", enterKeyHint: "go", aria: { describedby: "search-said" },
  });
  const said = make("p", { id: "search-said", className: "note", role: "status" });
  const form = make("form", { className: "search", role: "search" },
    make("label", { htmlFor: field.id }, "Go to"), field, make("button", { type: "submit" }, "Go"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    go(field, said, app);
  });
  field.addEventListener("input", () => field.removeAttribute("aria-invalid"));
  element.classList.add("block");
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
  const swap = () => {
    fly(place.other, app);
    say({ ...place.other, other: { ...place, other: undefined } }, said, app);
  };
  const parts = [place.said, outside(place, app)].filter(Boolean).join(" ");
  said.replaceChildren(parts, ...(place.other ? [" ", button("Swap them", swap, { className: "link" })] : []));
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
  const ring = L.circleMarker([lat, lng], { radius: 14, className: "found-place", interactive: false });
  ring.addTo(map);
  setTimeout(() => ring.remove(), MARK_MS);
}

/** Say so where the source has no picture there. */
function outside({ lng, lat, bounds }, app) {
  const id = app.store.get().source;
  const source = app.sources.sources.find((one) => one.id === id);
  if (!source?.bounds) return "";
  const [west, south, east, north] = bounds ?? [lng, lat, lng, lat];
  const [left, bottom, right, top] = source.bounds;
  const isBeside = left <= right && west <= east && (east < left || west > right);
  return north < bottom || south > top || isBeside ? `${source.title} has no picture there.` : "";
}
