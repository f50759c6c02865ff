/** Asking again and again, politely: rarely while nothing changes, never in a hidden tab. */

const LEAST_MS = 1000;
const MOST_MS = 20_000;
const GROWTH = 1.5;

/**
 * Call `ask` until it is stopped.
 *
 * @param {() => Promise<"changed" | "same" | "failed">} ask
 * @param {() => boolean} isWanted - whether there is a reason to ask now
 * @returns {{now: () => void}} which asks at once, whatever the pause
 */
export function createPoller(ask, isWanted) {
  let pause = LEAST_MS;
  let timer = null;
  let isAsking = false;

  async function turn() {
    clearTimeout(timer);
    if (isAsking || document.hidden || !isWanted()) return;
    isAsking = true;
    const outcome = await ask();
    isAsking = false;
    pause = outcome === "changed" ? LEAST_MS : Math.min(MOST_MS, pause * GROWTH);
    timer = setTimeout(turn, pause);
  }

  function now() {
    pause = LEAST_MS;
    turn();
  }

  document.addEventListener("visibilitychange", () => !document.hidden && now());
  return { now };
}
