/** The files of a STAC item as a list to download. */

import { workButton } from "./buttons.js";
import { save } from "./downloads.js";
import { make } from "./elements.js";

const KINDS = { "image/png": "PNG", "image/tiff": "GeoTIFF" };

/** @returns {HTMLElement} one button for each asset of `item` */
export function filesOf({ assets = {} }, app) {
  return make("ul", { className: "files" }, ...Object.values(assets).map((one) => entry(one, app)));
}

function entry({ href, type, title }, app) {
  const kind = KINDS[String(type).split(";")[0]] ?? "File";
  const get = workButton(kind, app, async () => {
    const path = new URL(href, location.href).pathname;
    const response = await app.api.call(path.slice(app.api.base.length));
    save(await response.blob(), path.split("/").at(-1));
    app.announce(`Saved: ${title}.`);
  }, { ariaLabel: `Save as ${kind}: ${title}` });
  return make("li", {}, make("span", {}, title), get);
}
