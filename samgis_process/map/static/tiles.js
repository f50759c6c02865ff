/** Tiles of the server; where it asks for a key, they are fetched with it. */

import L from "./leaflet.js";

import { headers, key } from "../pages/key.js";

export const Tiles = L.TileLayer.extend({
  createTile(coords, done) {
    if (!key()) return L.TileLayer.prototype.createTile.call(this, coords, done);
    const tile = document.createElement("img");
    tile.alt = "";
    fetchInto(tile, this.getTileUrl(coords)).then(() => done(null, tile), (error) => done(error, tile));
    return tile;
  },
});

async function fetchInto(tile, address) {
  const response = await fetch(address, { headers: headers() });
  if (!response.ok) throw new Error(`status ${response.status}`);
  tile.src = URL.createObjectURL(await response.blob());
  await tile.decode().finally(() => URL.revokeObjectURL(tile.src));
}
