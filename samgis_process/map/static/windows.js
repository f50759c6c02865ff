/**
 * Where the encoder looks: one window for all objects, kept as long as it will do, since the
 * first answer in a window takes long and every further one does not.
 *
 * A bbox is [west, south, east, north], degrees; west lies east of east across the antimeridian.
 */

export const MAX_LAT = 85.0511287; // where Web Mercator ends
const TILE = 256; // pixels
const FILL = 1024; // pixels, the side of the encoder's picture
const LONGEST = 4 * FILL; // pixels of a side; more would be shrunk past recognition
const ZOOM_KEPT = 1; // steps that the map may be zoomed before a new window is worth its time
const COARSER = 2; // zoom steps that prompts far apart may cost; beyond, outlines become poor
const EDGE = 1e-6; // degrees that rounding may take
const MARGIN = 0.15; // of the prompts' extent, around them

const wrapped = (degrees) => ((degrees % 360) + 360) % 360;
const span = ([west, , east]) => wrapped(east - west) || 360;
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const normal = (lng) => (lng >= -180 && lng <= 180 ? lng : wrapped(lng + 180) - 180);

/** Tell whether a place lies in a bbox. */
export function contains(bbox, { lng, lat }) {
  const [west, south, , north] = bbox;
  const isAcross = wrapped(lng - west + EDGE) <= span(bbox) + 2 * EDGE;
  return lat >= south - EDGE && lat <= north + EDGE && isAcross;
}

/** Return the places that must lie in the window for a prompt. */
function corners(prompt) {
  if (prompt.type === "point") return [prompt];
  const { west, south, east, north } = prompt;
  return [{ lng: west, lat: south }, { lng: east, lat: north }];
}

/** Return the (width, height) of a bbox in pixels of a zoom. */
function sizeAt(bbox, zoom) {
  const world = TILE * 2 ** zoom;
  const height = (mercator(bbox[3]) - mercator(bbox[1])) / (2 * Math.PI);
  return [(span(bbox) / 360) * world, height * world];
}

/**
 * Choose the window for prompts.
 *
 * @param {object} wish
 * @param {object[]} wish.prompts all of them, of all objects
 * @param {{bbox: number[], zoom: number}} wish.view what the map shows
 * @param {{min_zoom: number, native_zoom: number, max_zoom: number, bounds: number[] | null}}
 *   wish.source
 * @param {number} wish.maxPixels
 * @param {{bbox: number[], zoom: number} | null} wish.current
 * @param {number[] | null} wish.seen what the encoder saw for `current`: the server may widen it
 * @returns {{window?: {bbox: number[], zoom: number}, reason?: {title: string, detail: string}}}
 */
export function windowFor({ prompts, view, source, maxPixels, current, seen }) {
  const off = source.bounds ? prompts.filter((one) => isOff(one, source.bounds)) : [];
  if (off.length) return { reason: off.includes(prompts.at(-1)) ? OFF : LEFT_BEHIND };
  const places = prompts.flatMap(corners).map((place) => clipped(place, source.bounds));
  const all = (bbox) => places.every((place) => contains(bbox, place));
  const shown = within(view.bbox, source.bounds);
  if (isEmpty(shown, source.bounds)) return { reason: OFF };
  const zoom = bestZoom(shown, view.zoom, source);
  const near = current && Math.abs(zoom - current.zoom) <= ZOOM_KEPT;
  if (near && (all(current.bbox) || (seen && all(seen)))) return { window: current };
  if (all(shown)) return fitting(shown, zoom, source.min_zoom, maxPixels, TOO_WIDE);
  const lowest = Math.max(source.min_zoom, zoom - COARSER);
  return fitting(within(around(shown, places), source.bounds), zoom, lowest, maxPixels, TOO_FAR);
}

/** Tell whether a source can be asked for a window; one of another source may not fit. */
export function fits({ bbox, zoom }, { min_zoom: low, max_zoom: high, bounds }) {
  if (zoom < low || zoom > high) return false;
  const [west, south, east, north] = bbox;
  return !bounds || !isOff({ type: "rectangle", west, south, east, north }, bounds);
}

/**
 * Return the zoom whose pixels fill the encoder's picture, and no coarser than the map's: on a
 * small screen the encoder may see more than the eye.
 */
function bestZoom(bbox, zoom, { min_zoom: low, native_zoom: native, max_zoom: high }) {
  const finer = Math.round(Math.log2(FILL / Math.max(...sizeAt(bbox, zoom))));
  return clamp(Math.max(zoom, Math.min(zoom + finer, native ?? high)), low, high);
}

/** Tell whether nothing of a prompt lies on the picture. */
function isOff(prompt, bounds) {
  if (prompt.type === "point") return !contains(bounds, prompt);
  const { west, south, east, north } = prompt;
  const isBeside = west < east && (east <= bounds[0] || west >= bounds[2]);
  return isBeside || north <= bounds[1] || south >= bounds[3];
}

/** Return the place of a picture that is nearest. */
function clipped({ lng, lat }, bounds) {
  if (!bounds || bounds[0] > bounds[2]) return { lng, lat };
  return { lng: clamp(lng, bounds[0], bounds[2]), lat: clamp(lat, bounds[1], bounds[3]) };
}

const OFF = {
  title: "The picture does not reach there",
  detail: "Click on the picture. If you cannot see it: Picture, Show all of it.",
};
const LEFT_BEHIND = {
  title: "Some points lie beside this picture",
  detail: "Choose their picture again, take them away, or clear the map; Undo brings all back.",
};
const TOO_WIDE = {
  title: "The map shows too much at once",
  detail: "Zoom in, then click: the picture is read as the map shows it.",
};
const TOO_FAR = {
  title: "Too far from the other points",
  detail:
    "All objects share one part of the picture. Go back to the dashed frame, " +
    "or clear the map to begin here; Undo brings everything back.",
};

function fitting(bbox, zoom, lowest, maxPixels, reason) {
  for (let at = zoom; at >= lowest; at -= 1) {
    const [width, height] = sizeAt(bbox, at);
    const isSmall = (width + 2) * (height + 2) <= maxPixels && Math.max(width, height) <= LONGEST;
    if (isSmall) return { window: { bbox: bbox.map(rounded), zoom: at } };
  }
  return { reason };
}

/** Return a bbox cut to the source's bounds: nothing is to be seen outside. */
function within(bbox, bounds) {
  const [west, south, east, north] = span(bbox) >= 360 ? [-180, bbox[1], 180, bbox[3]] : bbox;
  const low = Math.max(south, -MAX_LAT, bounds?.[1] ?? -90);
  const high = Math.min(north, MAX_LAT, bounds?.[3] ?? 90);
  if (!bounds || bounds[0] > bounds[2] || west > east) return [west, low, east, high];
  return [Math.max(west, bounds[0]), low, Math.min(east, bounds[2]), high];
}

/** Tell whether cutting left nothing. */
function isEmpty([west, south, east, north], bounds) {
  return south >= north || Boolean(bounds && bounds[0] < bounds[2] && west >= east);
}

/** Return the bbox that holds another and some places, with room around these. */
function around([west, south, east, north], places) {
  const middle = west + span([west, south, east, north]) / 2;
  // The way to each place is the shorter one around the world.
  const lngs = places.map(({ lng }) => middle + (wrapped(lng - middle + 180) - 180));
  const lats = places.map(({ lat }) => lat);
  const [left, right] = [Math.min(...lngs), Math.max(...lngs)];
  const [low, high] = [Math.min(...lats), Math.max(...lats)];
  const [across, along] = [(right - left) * MARGIN, (high - low) * MARGIN];
  const far = [Math.min(west, left - across), Math.max(middle * 2 - west, right + across)];
  return [
    normal(far[0]),
    Math.max(Math.min(south, low - along), -MAX_LAT),
    normal(far[1]),
    Math.min(Math.max(north, high + along), MAX_LAT),
  ];
}

function mercator(lat) {
  return Math.asinh(Math.tan((lat * Math.PI) / 180));
}

function rounded(degrees) {
  return Math.round(degrees * 1e7) / 1e7;
}
