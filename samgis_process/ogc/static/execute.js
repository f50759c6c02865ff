/** The form that runs a process: sends its inputs, shows the answer, or what is wrong with them. */

import { button, make } from "./elements.js";
import { dismiss, follow, isOpen } from "./follow.js";
import { send, Trouble } from "./http.js";
import { read } from "./inputs.js";
import { outcome, resultsLink } from "./outcome.js";

export function enliven(form) {
  const place = form.querySelector("[data-outcome]");
  const faults = faultsOf(form);
  const { action, jobs, sync } = form.dataset;
  const run = button("Run", () => start(perform));
  const later = button("Run as a job", () => start(performAsJob), sync ? "button quiet" : "button");
  const buttons = [...(sync ? [run] : []), ...(jobs ? [later] : [])];
  form.querySelector("[data-actions]").append(...buttons);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    buttons[0].click();
  });
  keepCurl(form);

  async function start(how) {
    faults.clear();
    const { body, faults: found } = await read(form);
    if (found.length) return faults.show("Some inputs need another look.", found);
    const leaving = new AbortController();
    for (const one of buttons) one.disabled = true;
    try {
      await how(JSON.stringify(body), leaving);
    } catch (error) {
      place.replaceChildren();
      if (error instanceof Trouble) faults.show(error.message, error.faults);
      else if (error.name !== "AbortError") throw error;
    } finally {
      for (const one of buttons) one.disabled = false;
    }
  }

  async function perform(body, leaving) {
    const stop = button("Stop waiting", () => leaving.abort(), "button quiet");
    place.replaceChildren(make("p", { className: "waiting" }, "Running… "), stop);
    await show(await post(body, {}, leaving.signal));
  }

  async function performAsJob(body) {
    const answer = await post(body, { Prefer: "respond-async" });
    if (answer.status !== 201) return show(answer);
    const address = answer.headers.get("Location");
    const panel = jobPanel(address);
    place.replaceChildren(panel.element);
    const info = await follow(address, panel.draw);
    if (info.status === "dismissed") return undefined;
    return show(await send(`${address}/results`), panel.element);
  }

  function post(body, headers, signal) {
    const own = { "Content-Type": "application/json", ...headers };
    return send(action, { method: "POST", body, headers: own, signal });
  }

  async function show(answer, ...before) {
    const heading = make("h3", { tabIndex: -1 }, "Result");
    place.replaceChildren(...before, heading, await outcome(answer));
    heading.focus();
  }
}

/** Return an element that shows how a job gets on, and what draws it. */
function jobPanel(address) {
  const chip = make("span", { className: "status accepted" }, "accepted");
  const message = make("span");
  const bar = make("progress", { max: 100, value: 0 });
  bar.setAttribute("aria-label", "Progress");
  const stop = button("Dismiss", () => leave(), "button quiet danger");
  const line = make("p", {}, chip, " ", message);
  const element = make("div", { className: "job" }, line, bar, stop, " ", resultsLink(address));

  function draw(info) {
    chip.className = `status ${info.status}`;
    chip.textContent = info.status;
    message.textContent = info.message ?? "";
    bar.value = info.progress ?? 0;
    stop.hidden = !isOpen(info);
  }

  async function leave() {
    stop.disabled = true;
    await dismiss(address).catch((error) => {
      stop.disabled = false;
      message.textContent = error.message;
    });
  }

  return { element, draw };
}

/** Return what shows faults beside their fields, and the others above all. */
function faultsOf(form) {
  const summary = form.querySelector("[data-summary]");
  const inputs = [...form.querySelectorAll("[data-input]")];
  const fields = new Map(inputs.map((one) => [one.dataset.input, one]));

  function clear() {
    summary.hidden = true;
    for (const field of fields.values()) mark(field, "");
  }

  function show(message, found) {
    clear();
    const rest = found.filter((fault) => !wasPlaced(fault));
    const items = rest.map((fault) => make("li", {}, `${fault.input}: ${wordsOf(fault)}`));
    summary.replaceChildren(make("p", {}, message), ...(items.length ? [make("ul", {}, ...items)] : []));
    summary.hidden = false;
    const first = form.querySelector("[aria-invalid]");
    (first?.closest("[data-input]") ?? summary).scrollIntoView({ block: "center" });
    first?.focus({ preventScroll: true });
  }

  /** Show a fault beside its field, which its name begins with: `sun.azimuth` is of `sun`. */
  function wasPlaced(fault) {
    const [name, field] = [...fields].find(([one]) => isIn(fault.input, one)) ?? [];
    if (!field) return false;
    const where = fault.input === name ? "" : `${fault.input} `;
    mark(field, where + wordsOf(fault));
    return true;
  }

  return { clear, show };
}

function isIn(place, name) {
  return place === name || place.startsWith(`${name}.`) || place.startsWith(`${name}[`);
}

function wordsOf({ message, limit, remedy }) {
  const wanted = limit ? ` (wanted: ${limit})` : "";
  const sentence = `${message}${wanted}`;
  return [/[.!?]$/.test(sentence) ? sentence : `${sentence}.`, remedy].filter(Boolean).join(" ");
}

function mark(field, message) {
  const words = field.querySelector("[data-fault]");
  const before = message && !words.hidden ? `${words.textContent} ` : "";
  words.textContent = before + message;
  words.hidden = !message;
  const about = [words.id.replace("fault", "about"), ...(message ? [words.id] : [])].join(" ");
  for (const control of field.querySelectorAll("input, select, textarea")) {
    control.setAttribute("aria-describedby", about);
    if (message) control.setAttribute("aria-invalid", "true");
    else control.removeAttribute("aria-invalid");
  }
}

/** Keep the command that does the same up to date. */
function keepCurl(form) {
  const details = form.querySelector("[data-curl]");
  const code = details.querySelector("code");
  details.hidden = false;
  const draw = async () => {
    const { body } = await read(form, true);
    code.textContent = curl(form.dataset.address, JSON.stringify(body));
  };
  form.addEventListener("input", draw);
  form.addEventListener("change", draw);
  draw();
}

function curl(address, body) {
  const key = document.querySelector("api-key") ? ["-H 'X-API-Key: KEY'"] : [];
  const parts = [`curl ${address}`, "-H 'Content-Type: application/json'", ...key];
  return [...parts, `-d '${body.replaceAll("'", "'\\''")}'`].join(" \\\n  ");
}
