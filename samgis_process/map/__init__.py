"""The map page: its scripts and style, and the tiles under it.

What the page's scripts can count on:

- `/processes/segment?f=html` is the page; its `<html>` bears `data-base`, the path before every
  address of this server (`""`, or `/prefix` behind a proxy). Its template includes
  `described.html`: OGC API - Processes wants the whole description on the page.
- `/map/sources` says all that the page does not know beforehand; everybody may read it who may
  read the page. Its texts are plain: they are never to be read as HTML.
- `needs_key` in it says that this server wants a key, and that this request had none. Tiles,
  executions and jobs then answer 401 without one. An `<img>` cannot send it: fetch the tiles with
  the header `X-API-Key` and show them as blobs, which the page's policy allows.
- `/map/tiles/{source}/{z}/{x}/{y}` is a tile of 256 pixels: of `?rendering=NAME`, or of
  `?layer=NAME` of elevation, or as `segment` sees the source. The template in `/map/sources` bears
  a version, so that a browser shows no old tiles: further parameters follow after `&`. Beyond the
  source's bounds and zooms tiles are empty, not errors.
- Legends are bars: `ramp` holds their colours and `stops` values, both equally far apart along the
  bar; of `low` and `high`, its ends. A rendering has one for each colour, a layer one.
"""

from samgis_process.map.room import MapRoom

__all__ = ["MapRoom"]
