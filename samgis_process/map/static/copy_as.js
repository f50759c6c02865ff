/**
 * An execute request as text to run elsewhere. Keys never stand in it: they come from the
 * environment variable SAMGIS_API_KEY of whoever runs it.
 */

export const KEY_VARIABLE = "SAMGIS_API_KEY";

/**
 * @param {{address: string, body: object, withKey: boolean}} request - where to post what, and
 *   whether the server wants a key
 */
export function asCurl({ address, body, withKey }) {
  const lines = [
    `curl --fail-with-body ${quoted(address)}`,
    "--header 'Content-Type: application/json'",
    "--header 'Accept: application/geo+json'",
    ...(withKey ? [`--header "X-API-Key: $${KEY_VARIABLE}"`] : []),
    `--data-raw ${quoted(JSON.stringify(body))}`,
  ];
  return lines.join(" \\\n  ");
}

export function asPython({ address, body, withKey, file }) {
  const headers = [
    '"Accept": "application/geo+json"',
    ...(withKey ? [`"X-API-Key": os.environ["${KEY_VARIABLE}"]`] : []),
  ];
  return [
    "# Needs requests: python -m pip install requests",
    "import json",
    ...(withKey ? ["import os"] : []),
    "",
    "import requests",
    "",
    `request = ${pythonic(body)}`,
    "answer = requests.post(",
    `    ${JSON.stringify(address)},`,
    "    json=request,",
    `    headers={${headers.join(", ")}},`,
    "    timeout=120,",
    ")",
    "if not answer.ok:",
    "    raise SystemExit(answer.text)",
    "collection = answer.json()",
    'for feature in collection["features"]:',
    '    properties = feature["properties"]',
    '    print(properties["object"], properties["score"], properties["area_m2"])',
    `with open(${JSON.stringify(file)}, "w", encoding="utf-8") as file:`,
    "    json.dump(collection, file)",
    "",
  ].join("\n");
}

export function asOgcJson({ body }) {
  return `${JSON.stringify(body, null, 2)}\n`;
}

/** Quote a word for a POSIX shell, to which nothing between single quotes has a meaning. */
function quoted(word) {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** Write JSON as Python does; strings of the one are strings of the other. */
function pythonic(value, indent = "") {
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value !== "object") return JSON.stringify(value);
  const inner = `${indent}    `;
  const isList = Array.isArray(value);
  const parts = isList
    ? value.map((one) => pythonic(one, inner))
    : Object.entries(value)
        .filter(([, one]) => one !== undefined)
        .map(([name, one]) => `${JSON.stringify(name)}: ${pythonic(one, inner)}`);
  const [open, close] = isList ? "[]" : "{}";
  const line = `${open}${parts.join(", ")}${close}`;
  if (indent.length + line.length <= 88 && !line.includes("\n")) return line;
  return `${open}\n${parts.map((one) => `${inner}${one},\n`).join("")}${indent}${close}`;
}
