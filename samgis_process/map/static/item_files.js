/** The files of a STAC item as a list to download. */

import { save } from "./downloads.js";
import { button, make } from "./elements.js";

const KINDS = { "image/png": "PNG", "image/tiff": "GeoTIFF" };

/** @returns {HTMLElement} one button for each asset of `item` */
export function filesOf(item, app) {
  const entries = Object.entries(item.assets ?? {}).map(([name, asset]) => {
    const kind = KINDS[String(asset.type).split(";")[0]] ?? "file";
    const get = async (event) => {
      event.target.disabled = true;
      try {
        const path = new URL(asset.href, location.href).pathname;
        save(await (await app.api.call(path.slice(app.api.base.length))).blob(), path.split("/").at(-1));
        app.announce(`Saved ${asset.title ?? name}.`);
      } catch (problem) {
        app.showProblem(problem);
      } finally {
        event.target.disabled = false;
      }
    };
    return make("li", {}, make("span", {}, asset.title ?? name), button(kind, get, { "aria-label": `Save ${asset.title ?? name} as ${kind}` }));
  });
  return make("ul", { className: "files" }, ...entries);
}
