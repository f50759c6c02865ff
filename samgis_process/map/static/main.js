/** The map page: puts the parts together. */

import * as alternatives from "./alternatives.js";
import * as answer from "./answer.js";
import { announce, clearProblem, mount as mountMessages, showProblem } from "./announce.js";
import * as api from "./api.js";
import { createAsking } from "./asking.js";
import * as draw from "./draw.js";
import * as exportPart from "./export.js";
import * as frames from "./framing.js";
import * as hops from "./hops.js";
import * as jobs from "./jobs.js";
import * as keyboard from "./keyboard.js";
import * as link from "./link.js";
import * as mapPart from "./map.js";
import * as markers from "./markers.js";
import * as objects from "./objects.js";
import * as persist from "./persist.js";
import * as picture from "./picture.js";
import * as progress from "./progress.js";
import * as search from "./search.js";
import { createStore, emptyState } from "./state.js";
import * as tabs from "./tabs.js";
import * as terrain from "./terrain.js";
import * as tools from "./tools.js";

const byId = (id) => document.getElementById(id);

async function start() {
  const sources = await api.getSources();
  const store = createStore(firstState(sources));
  const map = mapPart.createMap(byId("map"));
  const framing = frames.mount(map, { store, sources, showProblem });
  const asking = createAsking({ store, sources, api });
  const app = {
    store, sources, api, asking, framing, map, announce, showProblem, clearProblem,
    answers: () => answer.collection(store.get(), asking),
    setTiles: mapPart.createOverlay(map),
  };
  mountMap(app);
  mountPanel(app);
  persist.mount(store);
  framing.mend();
  for (const [where, what] of [[window, "online"], [document, "keychange"]]) {
    where.addEventListener(what, () => asking.status.phase === "failed" && asking.retry());
  }
  asking.check();
  // For people at the console, and for tests.
  window.samgis = app;
}

/** Return the state to begin with: the server's default, over it what was kept, then the link. */
function firstState(sources) {
  const kept = persist.load(sources);
  const state = { ...emptyState(), ...kept, ...link.readLink(sources, kept) };
  const model = sources.models.find((one) => one.default)?.id ?? null;
  return { ...state, source: state.source ?? sources.default, model: state.model ?? model };
}

function mountMap(app) {
  mapPart.mount(app.map, app);
  const drawing = draw.mount(app.map, app);
  markers.mount(app.map, app);
  const outlines = answer.mount(app.map, app);
  keyboard.mount(app.map, app, drawing, tools.mount(byId("tools"), app, drawing));
  alternatives.mount(byId("alternatives"), app, outlines);
  progress.mount(app);
}

function mountPanel(app) {
  picture.mount(byId("picture"), app);
  objects.mount(byId("objects"), app);
  hops.mount(byId("hops"), app);
  exportPart.mount(byId("export"), app);
  search.mount(byId("search"), app);
  link.mount(null, app);
  terrain.mount(byId("terrain"), app);
  jobs.mount(byId("jobs"), app);
  byId("tab-jobs").hidden = app.sources.has_jobs === false;
  byId("key").hidden = !app.sources.needs_key;
  tabs.mount(app);
}

mountMessages();
start().catch((problem) => {
  byId("key").hidden = ![401, 403].includes(problem.status);
  showProblem(problem, { retry: () => location.reload() });
});
