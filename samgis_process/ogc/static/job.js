/** The page of a job: follows it while it is open, and lets it be dismissed. */

import { button } from "./elements.js";
import { dismiss, follow } from "./follow.js";
import { pathOf, send } from "./http.js";
import { dataUrl } from "./outcome.js";

export function enliven(page) {
  const address = pathOf(page.dataset.address);
  const open = Boolean(page.dataset.open);
  const actions = page.querySelector("[data-actions]");
  const words = open ? "Dismiss this job" : "Remove it and its results";
  const stop = button(words, () => leave(), "button quiet danger");
  const gone = page.querySelector(".status").textContent.trim() === "dismissed";
  actions.replaceChildren(...(gone ? [] : [stop]));
  page.querySelectorAll("img[data-src]").forEach(fetchPicture);
  if (open) follow(address, draw).then(() => location.reload(), complain);

  function draw(info) {
    const chip = page.querySelector("[data-status]");
    chip.className = `status ${info.status}`;
    chip.textContent = info.status;
    page.querySelector("[data-message]").textContent = info.message ?? "";
    page.querySelector("progress").value = info.progress ?? 0;
    page.querySelector("[data-progress]").textContent = `${info.progress ?? 0} %`;
  }

  async function leave() {
    stop.disabled = true;
    try {
      await dismiss(address);
      location.reload();
    } catch (error) {
      stop.disabled = false;
      complain(error);
    }
  }

  function complain(error) {
    const place = page.querySelector("[data-trouble]");
    place.hidden = false;
    place.textContent = error.message;
  }
}

/** Show a picture that only a key opens, which the browser itself does not send. */
async function fetchPicture(picture) {
  const answer = await send(picture.dataset.src).catch(() => null);
  if (answer) picture.src = await dataUrl(await answer.blob());
}
