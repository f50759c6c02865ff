/** The map: pictures of the chosen source, the window's outline, and where the view is. */

import L from "./leaflet.js";

import { escaped } from "./elements.js";
import { Tiles } from "./tiles.js";

const NO_TILE = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==";

/** Make the Leaflet map; it shows nothing yet. */
export function createMap(element) {
  const map = L.map(element, {
    zoomControl: false,
    attributionControl: false,
    doubleClickZoom: false, // two clicks are two points
    worldCopyJump: true,
    boxZoom: false, // Shift and the mouse put points to leave out
    minZoom: 1,
    maxZoom: 24,
    zoomAnimationThreshold: 6,
  });
  L.control.attribution({ prefix: false, position: "bottomleft" }).addTo(map);
  L.control.scale({ imperial: false, position: "bottomleft" }).addTo(map);
  L.control.zoom({ position: "bottomright" }).addTo(map);
  new ResizeObserver(() => map.invalidateSize({ animate: false })).observe(element);
  return map;
}

/** Keep the map's pictures and place the same as the store's. */
export function mount(map, { store, sources, asking }) {
  let pictures = null;
  let frame = null;
  const find = (id) => sources.sources.find((one) => one.id === id);

  /** Return the address of tiles; a rendering that is stretched over a window has none. */
  function template({ tiles }, rendering) {
    const known = sources.terrain?.renderings.find((one) => one.name === rendering);
    if (!rendering || known?.tiled === false) return tiles;
    return `${tiles}${tiles.includes("?") ? "&" : "?"}rendering=${encodeURIComponent(rendering)}`;
  }

  function drawPictures(state) {
    pictures?.remove();
    const source = find(state.source);
    if (!source) return;
    pictures = layer(source, template(source, state.rendering)).addTo(map);
    map.setMaxZoom(Math.min(source.max_zoom + 2, 24));
  }

  function drawWindow() {
    const state = store.get();
    const bbox = asking.seen(state) ?? state.window?.bbox;
    if (!bbox) {
      frame?.remove();
      frame = null;
      return;
    }
    const corners = asLatLngs(bbox, map.getCenter().lng);
    if (frame) frame.setBounds(corners);
    else frame = L.rectangle(corners, { className: "encoder-window", interactive: false, fill: false }).addTo(map);
  }

  map.on("moveend", () => {
    const { lat, lng } = map.getCenter().wrap();
    store.set({ view: { lng, lat, zoom: map.getZoom() } });
  });
  store.subscribe((state, previous) => {
    if (state.source !== previous.source || state.rendering !== previous.rendering) drawPictures(state);
    if (state.window !== previous.window) drawWindow();
    if (state.view !== previous.view) follow(state.view);
  });
  asking.subscribe(drawWindow);

  /** Go where somebody else put the view. */
  function follow(view) {
    const { lat, lng } = map.getCenter().wrap();
    const moved = Math.abs(lat - view.lat) + Math.abs(lng - view.lng) > 1e-9;
    if (moved || view.zoom !== map.getZoom()) map.setView([view.lat, view.lng], view.zoom);
  }

  const { view, source } = store.get();
  if (view) map.setView([view.lat, view.lng], view.zoom);
  else showAll(map, find(source));
  drawPictures(store.get());
  drawWindow();
}

/** Show all of a source, or the world. */
export function showAll(map, source) {
  const bbox = source?.bounds;
  if (bbox) map.fitBounds(asLatLngs(bbox, (bbox[0] + bbox[2]) / 2), { animate: false });
  else map.setView([25, 10], Math.max(2, source?.min_zoom ?? 2));
}

/** Return what the map shows, as the window's maker wants it. */
export function viewOf(map) {
  const bounds = map.getBounds();
  const wrap = (lng) => (lng < -180 || lng > 180 ? L.latLng(0, lng).wrap().lng : lng);
  const isWorld = bounds.getEast() - bounds.getWest() >= 360;
  const [west, east] = isWorld ? [-180, 180] : [wrap(bounds.getWest()), wrap(bounds.getEast())];
  return { bbox: [west, bounds.getSouth(), east, bounds.getNorth()], zoom: map.getZoom() };
}

/**
 * Return how to lay pictures over the source's: `setTiles({template, attribution, opacity})`,
 * and `setTiles(null)` to take them away.
 */
export function createOverlay(map) {
  let laid = null;
  return (tiles) => {
    laid?.remove();
    laid = null;
    if (!tiles) return;
    const { template, attribution = "", opacity = 1, ...rest } = tiles;
    laid = new Tiles(template, { attribution: escaped(attribution), opacity, maxZoom: 24, ...rest }).addTo(map);
  };
}

function layer(source, url) {
  const options = {
    attribution: escaped(source.attribution ?? ""),
    minNativeZoom: source.min_zoom,
    maxNativeZoom: source.max_zoom,
    maxZoom: 24,
    errorTileUrl: NO_TILE,
    keepBuffer: 3,
    ...(source.bounds && source.bounds[0] < source.bounds[2] && { bounds: asLatLngs(source.bounds, 0) }),
  };
  return new Tiles(url, options);
}

/** Return Leaflet's corners of a bbox, on the copy of the world nearest to a longitude. */
function asLatLngs([west, south, east, north], near) {
  const width = (((east - west) % 360) + 360) % 360 || 360;
  const left = west + 360 * Math.round((near - (west + width / 2)) / 360);
  return L.latLngBounds([south, left], [north, left + width]);
}
