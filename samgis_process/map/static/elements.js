/** Making elements: text stays text, whatever it holds. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * Return a new element.
 *
 * @param {string} tag
 * @param {object} properties set as they are; `data` and `aria` hold attributes of these families
 * @param {...(Node | string)} children
 */
export function make(tag, { data = {}, aria = {}, ...properties } = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  Object.assign(element.dataset, data);
  for (const [name, value] of Object.entries(aria)) element.setAttribute(`aria-${name}`, value);
  element.append(...children);
  return element;
}

/** Return a picture of the page's symbols. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}

/** Return text as HTML that shows it, for those who take nothing else. */
export function escaped(text) {
  return make("span", { textContent: text }).innerHTML;
}

/** Return the outline of a GeoJSON geometry as a picture of `side` pixels. */
export function thumbnail(geometry, side) {
  const polygons = geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates;
  const places = polygons.flat(2);
  const [lngs, lats] = [places.map(([lng]) => lng), places.map(([, lat]) => lat)];
  const [west, north] = [Math.min(...lngs), Math.max(...lats)];
  const squeeze = Math.cos((north * Math.PI) / 180);
  const [width, height] = [(Math.max(...lngs) - west) * squeeze, north - Math.min(...lats)];
  const scale = (side - 4) / Math.max(width, height, 1e-12);
  const [left, top] = [(side - width * scale) / 2, (side - height * scale) / 2];
  const at = ([lng, lat]) =>
    `${(left + (lng - west) * squeeze * scale).toFixed(1)} ${(top + (north - lat) * scale).toFixed(1)}`;
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", polygons.flat().map((ring) => `M${ring.map(at).join("L")}Z`).join(""));
  svg.setAttribute("viewBox", `0 0 ${side} ${side}`);
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("thumbnail");
  svg.append(path);
  return svg;
}
