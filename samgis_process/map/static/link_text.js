/**
 * View and prompts as the fragment of an address, and back.
 *
 *     #v=1&at=16/41.2601000/-29.5896000&source=sample&o=name~0b6b5d~00~i2s.1f_r1.2.3.4
 *
 * Positions are steps of 1e-7 degrees from the view's middle, in base 36 with the sign in the last
 * bit: some 10 characters for a point. What is read here was written by anybody: each value is
 * checked, and what does not fit makes a BadLink, whose message is for people.
 */

export class BadLink extends Error {}

export const LONGEST = 20_000; // characters that are read

const VERSION = "1";
const STEP = 1e-7; // degrees: a centimetre
const MOST_OBJECTS = 200;
const MOST_PROMPTS = 1000;
const LONGEST_NAME = 60;
const NAME = /^.{1,100}$/u; // of what there is, the server tells
const COLOUR = /^#[0-9a-f]{6}$/i;
const KINDS = { i: 2, e: 2, r: 4 }; // include, exclude, rectangle: how many numbers follow

/** @returns {string} the fragment, with its # */
export function encodeLink(state) {
  const { lng, lat, zoom } = state.view;
  const at = [trimmed(zoom, 2), trimmed(lat, 7), trimmed(lng, 7)];
  const middle = { lng: Number(at[2]), lat: Number(at[1]) };
  const texts = { source: state.source, model: state.model, rendering: state.rendering, tab: state.tab };
  const pairs = [["v", VERSION], ["at", at.join("/")]];
  for (const [name, text] of Object.entries(texts)) if (text) pairs.push([name, text]);
  if (state.window) pairs.push(["window", encodeWindow(state.window, middle)]);
  for (const one of state.objects) {
    if (one.prompts.length) pairs.push(["o", encodeObject(one, middle)]);
  }
  return `#${pairs.map(([name, text]) => `${name}=${escaped(text)}`).join("&")}`;
}

/**
 * @param {string} hash - with or without its #
 * @returns {object|null} source, model, rendering, tab, view, window, objects (without ids), as
 *   far as the link has them; null where the fragment is none of ours
 */
export function decodeLink(hash) {
  const text = hash.replace(/^#/, "");
  if (!/^v=/.test(text)) return null;
  if (text.length > LONGEST) throw new BadLink("it is too long");
  const query = new URLSearchParams(text.replaceAll("+", "%2B"));
  if (query.get("v") !== VERSION) throw new BadLink("it is of another version of this page");
  const view = decodeView(query.get("at") ?? "");
  const objects = query.getAll("o").slice(0, MOST_OBJECTS + 1).map((one) => decodeObject(one, view));
  const prompts = objects.reduce((sum, one) => sum + one.prompts.length, 0);
  if (objects.length > MOST_OBJECTS || prompts > MOST_PROMPTS) throw new BadLink("it holds too much");
  const window = query.has("window") ? decodeWindow(query.get("window"), view) : null;
  const names = ["source", "model", "rendering", "tab"].filter((name) => query.has(name));
  const named = Object.fromEntries(names.map((name) => [name, checked(query.get(name), NAME, name)]));
  return { ...named, view, window, objects };
}

function encodeObject(one, middle) {
  const flags = `${one.hidden ? 1 : 0}${Math.min(one.alternative ?? 0, 9)}`;
  const prompts = one.prompts.map((prompt) => encodePrompt(prompt, middle)).join("_");
  const name = shortened(one.name).replaceAll("~", "-");
  return [name, one.colour.replace("#", ""), flags, prompts].join("~");
}

function decodeObject(text, middle) {
  const [name, colour, flags, prompts, ...rest] = text.split("~");
  if (rest.length || !/^[01]\d$/.test(flags ?? "") || !prompts) throw new BadLink("an object of it is broken");
  return {
    name: shortened(name),
    colour: checked(`#${colour}`, COLOUR, "colour"),
    hidden: flags[0] === "1",
    alternative: Number(flags[1]),
    prompts: prompts.split("_").map((one) => decodePrompt(one, middle)),
  };
}

function encodePrompt(prompt, middle) {
  if (prompt.type === "point") {
    return (prompt.label ? "i" : "e") + encodeNumbers([prompt.lng, prompt.lat], middle);
  }
  return `r${encodeNumbers([prompt.west, prompt.south, prompt.east, prompt.north], middle)}`;
}

function decodePrompt(text, middle) {
  const kind = text[0];
  const numbers = decodeNumbers(text.slice(1), middle);
  if (!Object.hasOwn(KINDS, kind) || numbers.length !== KINDS[kind]) throw new BadLink("a prompt of it is broken");
  if (kind !== "r") return { type: "point", lng: numbers[0], lat: numbers[1], label: kind === "i" ? 1 : 0 };
  const [west, south, east, north] = numbers;
  if (south > north) throw new BadLink("a rectangle of it stands on its head");
  return { type: "rectangle", west, south, east, north };
}

function encodeWindow(window, middle) {
  return `${window.zoom ?? ""}_${encodeNumbers(window.bbox, middle)}`;
}

function decodeWindow(text, middle) {
  const [zoom, numbers, ...rest] = text.split("_");
  if (rest.length || !/^\d{0,2}$/.test(zoom)) throw new BadLink("its window is broken");
  const bbox = decodeNumbers(numbers ?? "", middle);
  if (bbox.length !== 4 || bbox[1] >= bbox[3]) throw new BadLink("its window is broken");
  return { bbox, zoom: zoom === "" ? null : Number(zoom) };
}

function decodeView(text) {
  const [zoom, lat, lng] = text.split("/").map(Number);
  const isView = /^\d+(\.\d+)?(\/-?\d+(\.\d+)?){2}$/.test(text) && zoom <= 30;
  if (!isView || !isPlace(lng, lat)) throw new BadLink("it does not say where");
  return { zoom, lat, lng };
}

/** @param {number[]} degrees - longitude and latitude by turns */
function encodeNumbers(degrees, middle) {
  return degrees
    .map((one, at) => Math.round((one - (at % 2 ? middle.lat : middle.lng)) / STEP))
    .map((steps) => (steps < 0 ? -2 * steps - 1 : 2 * steps).toString(36))
    .join(".");
}

function decodeNumbers(text, middle) {
  if (!/^[0-9a-z]{1,8}(\.[0-9a-z]{1,8}){1,3}$/.test(text)) throw new BadLink("a position of it is broken");
  const degrees = text.split(".").map((one, at) => {
    const bits = parseInt(one, 36);
    const steps = bits % 2 ? -(bits + 1) / 2 : bits / 2;
    return Number(((at % 2 ? middle.lat : middle.lng) + steps * STEP).toFixed(7));
  });
  for (let at = 0; at < degrees.length - 1; at += 2) {
    if (!isPlace(degrees[at], degrees[at + 1])) throw new BadLink("a position of it is nowhere");
  }
  return degrees;
}

function isPlace(lng, lat) {
  return Math.abs(lng) <= 540 && Math.abs(lat) <= 90; // maps that wrap go round once more
}

function checked(text, pattern, what) {
  if (!pattern.test(text)) throw new BadLink(`its ${what} is broken`);
  return text;
}

/** Cut a text between characters, not in the midst of one. */
function shortened(text) {
  return Array.from(text).slice(0, LONGEST_NAME).join("");
}

function trimmed(number, digits) {
  return number.toFixed(digits).replace(/\.?0+$/, "");
}

/** Escape what an address may not hold bare; slashes and the like stay readable. */
function escaped(text) {
  return encodeURIComponent(text.toWellFormed()).replaceAll("%2F", "/").replaceAll("%3A", ":");
}
