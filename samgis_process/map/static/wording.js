/** Figures as people read them. */

const number = (value, digits) => value.toLocaleString("en", { maximumFractionDigits: digits });

/** Return an area, square metres, in the unit that suits it. */
export function area(m2) {
  if (m2 >= 1e6) return `${number(m2 / 1e6, 2)} km²`;
  if (m2 >= 1e4) return `${number(m2 / 1e4, 2)} ha`;
  return `${number(m2, m2 < 100 ? 1 : 0)} m²`;
}

/** Return an area as it is read aloud. */
export function areaAloud(m2) {
  if (m2 >= 1e6) return `${number(m2 / 1e6, 2)} square kilometres`;
  return `${number(m2, 0)} square metres`;
}

/** Return a score between 0 and 1 as `.91`. */
export function score(value) {
  return value >= 0.995 ? "1.0" : value.toFixed(2).slice(1);
}

/** Return milliseconds as `12 ms` or `1.24 s`. */
export function duration(ms) {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`;
}

/** Return a place as `41.26234, -29.58979`, latitude first as people say it. */
export function placeOf({ lng, lat }) {
  return `${lat.toFixed(5)}, ${lng.toFixed(5)}`;
}
