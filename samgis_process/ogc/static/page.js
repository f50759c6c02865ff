/** Every page loads this: it brings the parts of the page to life that name a module. */

import "./key.js";

/** Bring what lies in `root` to life: `data-module="job"` means `enliven` of `job.js`. */
export async function enliven(root) {
  for (const element of root.querySelectorAll("[data-module]")) {
    const module = await import(`./${element.dataset.module}.js`);
    module.enliven(element);
  }
}

/** Open what an address leads to, if it is folded. */
function unfold() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target instanceof HTMLDetailsElement) target.open = true;
}

addEventListener("hashchange", unfold);
unfold();
enliven(document);
