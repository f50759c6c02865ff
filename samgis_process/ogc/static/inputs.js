/** Reading a form of inputs: what was entered as JSON, and what is wrong with it in words. */

import { dataUrl } from "./outcome.js";

const CORNERS = ["west", "south", "east", "north"];

class Fault extends Error {}

const readers = { choice, switch: checkbox, number, text, bbox, file, several, json };

/**
 * Return the body of an execute request, and faults by the names of inputs.
 *
 * @param {boolean} short whether files are named rather than read: for showing, not for sending
 */
export async function read(form, short = false) {
  const inputs = {};
  const faults = [];
  for (const field of form.querySelectorAll("[data-input]")) {
    const name = field.dataset.input;
    try {
      const value = await readers[field.dataset.control](field, short);
      if (value !== undefined) inputs[name] = value;
      else if ("required" in field.dataset) throw new Fault("This must be given.");
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      faults.push({ input: name, message: error.message });
    }
  }
  const outputs = outputsOf(form);
  return { body: outputs ? { inputs, outputs } : { inputs }, faults };
}

/** Return what is asked of the outputs; nothing, where all are as usual. */
function outputsOf(form) {
  const chosen = [...form.querySelectorAll("[data-output]")];
  if (chosen.every((one) => !one.value)) return undefined;
  const wanted = chosen.filter((one) => one.value !== "none");
  return Object.fromEntries(
    wanted.map((one) => [one.dataset.output, one.value ? { format: { mediaType: one.value } } : {}]),
  );
}

function control(field) {
  return field.querySelector("input, select, textarea");
}

function choice(field) {
  const { value } = control(field);
  return value ? JSON.parse(value) : undefined;
}

function checkbox(field) {
  const box = control(field);
  const usual = (box.dataset.default || "false") === "true";
  return box.checked === usual && !("required" in field.dataset) ? undefined : box.checked;
}

function number(field) {
  const input = control(field);
  const value = numberOf(input, "a number");
  if (value === undefined) return value;
  const { min, max } = input;
  if ("integer" in field.dataset && !Number.isInteger(value)) {
    throw new Fault(`${value} is not a whole number.`);
  }
  if (min !== "" && value < Number(min)) throw new Fault(`${value} is less than ${min}.`);
  if (max !== "" && value > Number(max)) throw new Fault(`${value} is more than ${max}.`);
  return value;
}

function numberOf(input, words) {
  if (input.validity.badInput) throw new Fault(`This is not ${words}.`);
  const text = input.value.trim();
  if (!text) return undefined;
  const value = Number(text);
  if (!Number.isFinite(value)) throw new Fault(`${text} is not ${words}.`);
  return value;
}

function text(field) {
  const { value } = control(field);
  return value || undefined;
}

function bbox(field) {
  const inputs = [...field.querySelectorAll("input")];
  const values = inputs.map((input) => numberOf(input, "a number"));
  if (values.every((value) => value === undefined)) return undefined;
  const missing = CORNERS.filter((_, index) => values[index] === undefined);
  if (missing.length) throw new Fault(`${missing.join(", ")} must be given too.`);
  return field.dataset.shape === "object" ? { bbox: values } : values;
}

function several(field) {
  const boxes = [...field.querySelectorAll("input")];
  const chosen = boxes.filter((box) => box.checked).map((box) => JSON.parse(box.value));
  const usual = boxes.every((box) => box.checked === box.defaultChecked);
  return usual && !("required" in field.dataset) ? undefined : chosen;
}

async function file(field, short) {
  const input = control(field);
  const contents = await Promise.all([...input.files].map((one) => base64(one, short)));
  if (!contents.length) return undefined;
  return input.multiple ? contents : contents[0];
}

async function base64(one, short) {
  if (short) return `…base64 of ${one.name}…`;
  return (await dataUrl(one)).replace(/^[^,]*,/, "");
}

function json(field) {
  const content = control(field).value.trim();
  if (!content) return undefined;
  try {
    return JSON.parse(content);
  } catch (error) {
    if ("text" in field.dataset && !/^[[{"]/.test(content)) return content;
    throw new Fault(`This is not JSON: ${error.message}.`);
  }
}
