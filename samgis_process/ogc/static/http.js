/** Requests to this server, and what goes wrong with them, in words. */

import { headers } from "./key.js";

const PASSING = [429, 502, 503, 504];

/** What the server, or the way to it, said against a request. */
export class Trouble extends Error {
  /**
   * @param {string} message for people
   * @param {object[]} [faults] of the problem, one for each input
   * @param {boolean} [passes] whether trying again may help
   */
  constructor(message, faults = [], passes = false) {
    super(message);
    this.faults = faults;
    this.passes = passes;
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
    throw new Trouble("The server did not answer. Try again.", [], true);
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
  const parts = [said.title, said.detail].filter(Boolean);
  const words = parts.join(". ") || `The answer was ${answer.status}.`;
  const hint = answer.status === 401 && document.querySelector("api-key");
  const message = hint ? `${words} Enter the key at the top of the page.` : words;
  return new Trouble(message, said.errors ?? [], PASSING.includes(answer.status));
}
