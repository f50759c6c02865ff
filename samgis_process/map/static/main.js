/** The map page: puts the parts together. */

import * as api from "./api.js";
import { announce, clearProblem, mount as mountMessages, showProblem } from "./announce.js";
import * as exportPart from "./export.js";
import * as jobs from "./jobs.js";
import * as link from "./link.js";
import * as search from "./search.js";
import { createStore, emptyState } from "./state.js";
import * as terrain from "./terrain.js";

const byId = (id) => document.getElementById(id);

async function start() {
  mountMessages();
  const sources = await api.getSources();
  const store = createStore({ ...emptyState(), ...link.readLink() });
  const app = { store, sources, api, announce, showProblem, clearProblem };
  exportPart.mount(byId("export"), app);
  search.mount(byId("search"), app);
  link.mount(null, app);
  terrain.mount(byId("terrain"), app);
  jobs.mount(byId("jobs"), app);
}

start().catch((problem) => showProblem(problem, { retry: () => location.reload() }));
