/** Copying texts; where the browser refuses, they are shown to be copied by hand. */

import { button } from "./buttons.js";
import { make } from "./elements.js";

/** @returns {Promise<boolean>} whether it was copied; otherwise a dialog shows it */
export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text); // not there at all on plain http
    return true;
  } catch {
    showText(text, what);
    return false;
  }
}

function showText(text, what) {
  const area = make("textarea", {
    value: text,
    readOnly: true,
    rows: Math.min(18, text.split("\n").length + 1),
    spellcheck: false,
    aria: { label: what },
  });
  const dialog = make(
    "dialog",
    { className: "copy-dialog", aria: { label: `${what}, to copy` } },
    make("p", {}, "The browser does not let this page copy. The text is selected: copy it from here."),
    area,
    button("Close", () => dialog.close()),
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  area.select();
  area.scrollTop = 0;
}
