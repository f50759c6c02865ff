/** A list of jobs of which some are open: kept up to date, row by row. */

import { follow, isOpen } from "./follow.js";
import { pathOf } from "./http.js";

const MOST = 10; // rows, each of which asks for itself

export function enliven(list) {
  const rows = [...list.querySelectorAll("tr[data-job]")];
  const status = (row) => row.querySelector(".status").textContent.trim();
  rows.filter((row) => isOpen({ status: status(row) })).slice(0, MOST).forEach(watch);
}

function watch(row) {
  const address = pathOf(row.querySelector("th a").href).split("?")[0];
  // A job that is gone meanwhile stays as it was last seen.
  follow(address, (info) => draw(row, info)).catch(() => {});
}

function draw(row, info) {
  const chip = row.querySelector(".status");
  chip.className = `status ${info.status}`;
  chip.textContent = info.status;
  row.querySelector("progress").value = info.progress ?? 0;
  row.querySelector(".how .soft").textContent = info.message ?? "";
}
