/** Requests to this server, and what goes wrong with them, in words. */

import { headers } from "./key.js";

/** What the server, or the way to it, said against a request. */
export class Trouble extends Error {
  constructor(message, faults = []) {
    super(message);
    this.faults = faults;
  }
}

/** Return the answer to a request that carries the key; throws Trouble where it is none of 2xx. */
export async function send(address, { headers: own = {}, ...options } = {}) {
  const asked = { ...options, headers: { Accept: "*/*", ...headers(), ...own } };
  let answer;
  try {
    answer = await fetch(pathOf(address), asked);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Trouble("The server did not answer. Try again.");
  }
  if (!answer.ok) throw await troubleOf(answer);
  return answer;
}

/** Return an address without its host: the page may know the server by another name. */
export function pathOf(address) {
  const url = new URL(address, location.href);
  return url.pathname + url.search;
}

async function troubleOf(answer) {
  const said = await answer.json().catch(() => ({}));
  const key = answer.status === 401 && document.querySelector("api-key");
  const words = [said.title, said.detail].filter(Boolean).join(". ") || `The answer was ${answer.status}`;
  return new Trouble(key ? `${words} Enter it at the top of the page.` : words, said.errors ?? []);
}
