/** Following a job until it has ended. */

import { send } from "./http.js";

const FIRST_MS = 400;
const LONGEST_MS = 5000;
const GROWTH = 1.4;
const MOST_MISSED = 5; // answers in a row
const OPEN = ["accepted", "running"];

export const isOpen = (info) => OPEN.includes(info.status);

/**
 * Ask for a job's status again and again, less often the longer it takes, until it has ended.
 *
 * @param {string} address of the job
 * @param {(info: object) => void} tell what to do with each status
 * @param {AbortSignal} [signal] ends it early
 * @returns {Promise<object>} the last status
 */
export async function follow(address, tell, signal) {
  let missed = 0;
  for (let pause = FIRST_MS; ; pause = Math.min(pause * GROWTH, LONGEST_MS)) {
    try {
      const info = await statusOf(address, signal);
      missed = 0;
      tell(info);
      if (!isOpen(info)) return info;
    } catch (error) {
      missed += 1;
      if (!error.passes || missed === MOST_MISSED) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

async function statusOf(address, signal) {
  const answer = await send(address, { headers: { Accept: "application/json" }, signal });
  return answer.json();
}

/** Dismiss a job. */
export function dismiss(address) {
  return send(address, { method: "DELETE", headers: { Accept: "application/json" } });
}
