/**
 * Places as people write them: pairs of numbers, degrees with minutes and seconds, boxes,
 * geo: URIs, and addresses of OpenStreetMap.
 *
 * `readPlace(text)` returns {lng, lat, zoom, said, other} for a point, or {bounds, said} with
 * bounds = [west, south, east, north]. `said` tells how the text was read; `other` is the same
 * pair the other way round, where that is a place too. What cannot be read is an Unreadable,
 * whose message is for people.
 */

export class Unreadable extends Error {}

export const EXAMPLES = "47.37, 8.54 or 47°22'12\"N 8°32'24\"E or 8.4, 47.3, 8.6, 47.5";

const MAP_ENDS = 85.0511; // degrees of latitude, where Web Mercator does
const NUMBER = "[-+]?\\d+(?:\\.\\d+)?";
const PAIR = new RegExp(`^(${NUMBER})[\\s,;/]+(${NUMBER})$`);
const DECIMAL_COMMAS = /^([-+]?\d+,\d+)\s*[\s;/]\s*([-+]?\d+,\d+)$/;
const BOX = new RegExp(`^${Array(4).fill(`(${NUMBER})`).join("[\\s,;]+")}$`);
const OPENSTREETMAP = new RegExp(`#.*\\bmap=(\\d+(?:\\.\\d+)?)/(${NUMBER})/(${NUMBER})`);
const GEO = new RegExp(`^geo:(${NUMBER}),(${NUMBER})(?:,${NUMBER})?((?:;[^?]*)?)(?:\\?(.*))?$`, "i");
const ANGLE = /(\d+(?:\.\d+)?)\s*(?:°|d|\s)\s*(?:(\d+(?:\.\d+)?)\s*(?:'|m|\s)\s*)?(?:(\d+(?:\.\d+)?)\s*(?:"|s)?\s*)?/;

/** @param {string} text */
export function readPlace(text) {
  const tidy = tidied(text);
  if (!tidy) throw new Unreadable(`Write a place, such as ${EXAMPLES}.`);
  const found = openStreetMap(tidy) ?? geoUri(tidy) ?? pair(tidy) ?? box(tidy) ?? angles(tidy);
  if (!found) throw new Unreadable(`This was not understood. Write it as ${EXAMPLES}.`);
  return found;
}

function tidied(text) {
  return text
    .trim()
    .replace(/[−–]/g, "-")
    .replace(/[’′´`]/g, "'")
    .replace(/[”″“]|''/g, '"')
    .replace(/º/g, "°")
    .replace(/^[[(]\s*|\s*[\])]$/g, "");
}

function openStreetMap(text) {
  const found = OPENSTREETMAP.exec(text);
  if (!found) return null;
  const [zoom, lat, lng] = found.slice(1).map(Number);
  return { ...point(lng, lat, "as an address of OpenStreetMap"), zoom };
}

function geoUri(text) {
  if (!/^geo:/i.test(text)) return null;
  const found = GEO.exec(text);
  if (!found) throw new Unreadable("A geo: address is written as geo:47.37,8.54.");
  const crs = /;crs=([^;]*)/i.exec(found[3])?.[1];
  if (crs && crs.toLowerCase() !== "wgs84") {
    throw new Unreadable(`A geo: address in ${crs} cannot be read here, only in WGS 84.`);
  }
  const zoom = Number(new URLSearchParams(found[4] ?? "").get("z"));
  const place = point(Number(found[2]), Number(found[1]), "as a geo: address");
  return zoom > 0 ? { ...place, zoom } : place;
}

function box(text) {
  const found = BOX.exec(text);
  if (!found) return null;
  const bounds = found.slice(1).map(Number);
  const [west, south, east, north] = bounds;
  requireLng(west);
  requireLng(east);
  requireLat(south);
  requireLat(north);
  if (south >= north) {
    throw new Unreadable("A box is west, south, east, north: here south is not below north.");
  }
  if (west === east) throw new Unreadable("This box has no width: west and east are the same.");
  return { bounds, said: `Box: west ${west}, south ${south}, east ${east}, north ${north}.` };
}

/** Maps give latitude first; what cannot be a latitude is a longitude. */
function pair(text) {
  const commas = DECIMAL_COMMAS.exec(text);
  const found = commas ?? PAIR.exec(text);
  if (!found) return null;
  const [first, second] = found.slice(1).map((one) => Number(one.replace(",", ".")));
  const swapped = Math.abs(first) > 90 && Math.abs(second) <= 90;
  const [lat, lng] = swapped ? [second, first] : [first, second];
  const why = swapped ? ", as no latitude is beyond 90" : ", in this order";
  const place = point(lng, lat, why);
  const isOther = !swapped && Math.abs(lng) <= MAP_ENDS && lng !== lat;
  return isOther ? { ...place, other: point(lat, lng, ", the other way round") } : place;
}

/** Degrees, minutes and seconds, with N, S, E, W before or after them; or without, lat first. */
function angles(text) {
  const parts = halves(text.toUpperCase());
  if (!parts) return null;
  const [one, two] = parts.map(angle);
  if (!one || !two) return null;
  if (!one.side && !two.side) return point(two.degrees, one.degrees, ", in this order");
  const lat = [one, two].find(({ side }) => "NS".includes(side || "-"));
  const lng = [one, two].find(({ side }) => "EW".includes(side || "-"));
  if (!lat || !lng) throw new Unreadable("One of the two must be N or S, the other E or W.");
  return point(lng.degrees, lat.degrees, "");
}

function halves(text) {
  const byComma = text.split(/\s*[,;]\s*/);
  if (byComma.length === 2) return byComma;
  const found =
    /^(.*?\d.*?[NSEW])\s*(\S.*[NSEW])$/.exec(text) ??
    /^([NSEW].*?)\s*([NSEW].*)$/.exec(text) ??
    /^(.*?\d")\s*(-?\d.*)$/.exec(text) ??
    /^(-?[\d.]+°\s*[\d.]+')\s*(-?[\d.]+°.*)$/.exec(text) ??
    /^(-?[\d.]+°)\s*(-?[\d.]+°)$/.exec(text);
  return found && found.slice(1);
}

function angle(text) {
  const found = /^([NSEW])?\s*([-+])?\s*(.*?)\s*([NSEW])?$/.exec(text.trim());
  const [, before, sign, digits, after] = found ?? [];
  const parts = digits && new RegExp(`^${ANGLE.source}$`, "i").exec(`${digits} `.replace(/\s+/g, " "));
  if (!parts || (before && after)) return null;
  const [degrees, minutes, seconds] = parts.slice(1).map((one) => Number(one ?? 0));
  if (minutes >= 60 || seconds >= 60) {
    throw new Unreadable("Minutes and seconds of an angle are below 60.");
  }
  const side = before ?? after ?? "";
  const isNegative = (sign === "-") !== "SW".includes(side || "-");
  const size = degrees + minutes / 60 + seconds / 3600;
  return { side, degrees: Number((isNegative ? -size : size).toFixed(7)) };
}

function point(lng, lat, how) {
  requireLat(lat);
  requireLng(lng);
  return { lng, lat, said: `Read as latitude ${lat}, longitude ${lng}${/^\w/.test(how) ? ", " : ""}${how}.` };
}

function requireLat(lat) {
  if (Math.abs(lat) > 90) {
    throw new Unreadable(`${lat} is no latitude: they go from -90 to 90.`);
  }
  if (Math.abs(lat) > MAP_ENDS) {
    throw new Unreadable(`The map ends at ${MAP_ENDS} degrees of latitude, before ${lat}.`);
  }
}

function requireLng(lng) {
  if (Math.abs(lng) > 180) {
    throw new Unreadable(`${lng} is no longitude: they go from -180 to 180.`);
  }
}
