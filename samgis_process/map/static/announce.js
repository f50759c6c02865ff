/** What the page says: politely to screen readers, and problems to everybody. */

const byId = (id) => document.getElementById(id);

/** Have a text read aloud when there is a pause; the same text twice is said twice. */
export function announce(text) {
  const region = byId("announcements");
  region.textContent = region.textContent === text ? `${text}\u00a0` : text;
}

/**
 * Show a problem until it is cleared or closed.
 *
 * @param {{title?: string, detail?: string, errors?: object[]}} problem
 * @param {{retry?: () => void}} options
 */
export function showProblem(problem, { retry } = {}) {
  const { title = "Something went wrong", detail = "", errors = [] } = problem;
  byId("problem-title").textContent = title;
  const lines = (errors ?? []).map(inWords);
  byId("problem-detail").textContent = lines.length ? "" : detail;
  byId("problem-errors").replaceChildren(...lines.map(item));
  const again = byId("problem-retry");
  again.hidden = !retry;
  again.onclick = retry ?? null;
  byId("problem").hidden = false;
}

/** Take the problem off the page. */
export function clearProblem() {
  byId("problem").hidden = true;
}

/** Make the buttons of the problem work. */
export function mount() {
  byId("problem-close").addEventListener("click", clearProblem);
}

function inWords({ input, message, limit, remedy }) {
  const what = [input, message].filter(Boolean).join(" ");
  return [what, limit && `Limit: ${limit}`, remedy].filter(Boolean).join(". ") + ".";
}

function item(text) {
  const line = document.createElement("li");
  line.textContent = text.charAt(0).toUpperCase() + text.slice(1);
  return line;
}
