/** The server's addresses, and its errors in words. */

import { headers } from "../pages/key.js";

export const base = document.documentElement.dataset.base ?? "";

/** What went wrong, as problem details (RFC 7807) say it; status 0: there was no answer. */
export class Problem extends Error {
  constructor({ status = 0, title = "Something went wrong", detail = "", errors = [] } = {}) {
    super(detail || title);
    Object.assign(this, { name: "Problem", status, title, detail, errors });
  }
}

/**
 * Fetch from the server.
 *
 * @param {string} path without the base
 * @returns {Promise<Response>} an answer below 400
 * @throws {Problem} for anything else but an abort
 */
export async function call(path, options = {}) {
  let response;
  try {
    response = await fetch(base + path, { ...options, headers: { ...headers(), ...options.headers } });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem({
      title: "The server does not answer",
      detail: "The network is down, or the server is being restarted. Nothing you placed is lost.",
    });
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}

/** Return what can be looked at, and with which models. */
export async function getSources() {
  return (await call("/map/sources", { headers: { Accept: "application/json" } })).json();
}

/**
 * Run `segment`.
 *
 * @param {{inputs: object}} body
 * @param {{signal?: AbortSignal, accept?: string, prefer?: string}} options
 * @returns {Promise<Response>}
 */
export function segment(body, { signal, accept = "application/geo+json", prefer } = {}) {
  return call("/processes/segment/execution", {
    method: "POST",
    signal,
    headers: {
      "Content-Type": "application/json",
      Accept: accept,
      ...(prefer && { Prefer: prefer }),
    },
    body: JSON.stringify(body),
  });
}

async function problemOf(response) {
  const { status, statusText } = response;
  try {
    const { title, detail, errors } = await response.json();
    return new Problem({ status, title, detail, errors });
  } catch {
    const title = `The server answered ${status} ${statusText}`.trim();
    return new Problem({ status, title, detail: "Something between you and it may be down." });
  }
}
