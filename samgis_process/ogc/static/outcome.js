/** Answers as elements: pictures, JSON, files to keep. */

import { make } from "./elements.js";
import { pathOf } from "./http.js";

const PICTURES = ["image/png", "image/jpeg", "image/webp", "image/gif"];
const LONGEST = 200_000; // characters of JSON that are shown
const ENDINGS = {
  "application/geo+json": "geojson",
  "application/json": "json",
  "image/jpeg": "jpg",
  "image/tiff": "tif",
};

/** Return an answer as an element. */
export async function outcome(answer, name = "result") {
  const type = typeOf(answer);
  if (answer.status === 204) return make("p", {}, "It is done; there is nothing to show.");
  if (PICTURES.includes(type)) {
    const blob = await answer.blob();
    return make("div", {}, await picture(blob, name), keep(blob, name, type));
  }
  if (isJson(type)) return json(await answer.text(), name, type);
  return download(answer, name);
}

/** Return a link that saves an answer. */
export async function download(answer, name) {
  return keep(await answer.blob(), name, typeOf(answer));
}

function typeOf(answer) {
  return mediaTypeOf(answer.headers.get("Content-Type"));
}

function mediaTypeOf(text) {
  return (text ?? "").split(";")[0].trim();
}

function isJson(type) {
  return type === "application/json" || type.endsWith("+json");
}

async function picture(blob, name) {
  return make("img", { className: "preview", alt: name, src: await dataUrl(blob) });
}

/** Return a file as an address that holds it. */
export function dataUrl(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}

function keep(blob, name, type) {
  const ending = ENDINGS[type] ?? type.split("/").pop().replace(/[^a-z0-9]/g, "");
  const file = name.includes(".") ? name : `${name}.${ending}`;
  const size = blob.size < 10_000 ? `${blob.size} bytes` : `${Math.round(blob.size / 1000)} kB`;
  const link = make("a", { href: URL.createObjectURL(blob), download: file }, `Save ${file}`);
  return make("p", {}, link, ` (${size})`);
}

function json(text, name, type) {
  const value = JSON.parse(text);
  const whole = JSON.stringify(value, null, 2);
  const cut = whole.length > LONGEST;
  const shown = cut ? `${whole.slice(0, LONGEST)}\n…` : whole;
  const code = make("pre", { className: "json", tabIndex: 0 }, make("code", {}, shown));
  const blob = new Blob([text], { type });
  const more = cut ? [make("p", { className: "soft" }, "It is long: this is its beginning.")] : [];
  return make("div", {}, ...parts(value), code, ...more, keep(blob, name, type));
}

/** Return pictures and links that a document of outputs, or a link in it, holds. */
function parts(value) {
  if (!value || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([name, one]) => {
    if (PICTURES.includes(one?.mediaType) && /^[\w+/=\s]*$/.test(one.value ?? "-")) {
      const src = `data:${one.mediaType};base64,${one.value}`;
      return [make("img", { className: "preview", alt: name, src })];
    }
    if (one?.encoding === "base64" && typeof one.value === "string") {
      const bytes = Uint8Array.from(atob(one.value), (character) => character.charCodeAt(0));
      return [keep(new Blob([bytes], { type: one.mediaType }), name, mediaTypeOf(one.mediaType))];
    }
    if (typeof one?.href === "string" && /^https?:/.test(one.href)) {
      return [make("p", {}, make("a", { href: one.href }, name), ` ${one.type ?? ""}`)];
    }
    return [];
  });
}

/** Return links to the results of a job, which the browser opens. */
export function resultsLink(address) {
  return make("a", { href: `${pathOf(address)}?f=html` }, "The page of the job");
}
