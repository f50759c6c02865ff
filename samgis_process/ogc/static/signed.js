/** A page that wants a key: asks for it, sends it, and shows the page that comes then. */

import { headers, key } from "./key.js";
import { enliven as enlivenAll } from "./page.js";
import { download } from "./outcome.js";

export function enliven(element) {
  const state = element.querySelector("[data-state]");
  const again = () => key() && open(state);
  document.addEventListener("keychange", again);
  again();
}

async function open(state) {
  state.textContent = "Asking again, with the key…";
  let answer;
  try {
    answer = await fetch(location.href, { headers: { ...headers(), Accept: "text/html, */*;q=0.5" } });
  } catch {
    state.textContent = "The server did not answer. Try again.";
    return;
  }
  if (answer.status === 401) state.textContent = "The server does not know this key.";
  else if (isPage(answer)) replace(await answer.text());
  else state.replaceChildren("It is a file: ", await download(answer, nameOf(location.pathname)));
}

function isPage(answer) {
  return (answer.headers.get("Content-Type") ?? "").startsWith("text/html");
}

function nameOf(path) {
  return decodeURIComponent(path.split("/").pop());
}

/** Put another page of this server in the place of this one's content. */
function replace(text) {
  const page = new DOMParser().parseFromString(text, "text/html");
  const main = document.importNode(page.querySelector("main"), true);
  document.title = page.title;
  document.querySelector("main").replaceWith(main);
  main.focus();
  enlivenAll(main);
}
