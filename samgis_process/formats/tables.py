"""GeoJSON features as the files that desktop GIS and databases open: one layer, one table."""

from __future__ import annotations

import importlib.util
import io
import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import shapely

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

Kind = Literal["boolean", "integer", "number", "text"]

GEOPACKAGE = "application/geopackage+sqlite3"
FLATGEOBUF = "application/flatgeobuf"
GEOPARQUET = "application/vnd.apache.parquet"
MEDIA_TYPES = {".gpkg": GEOPACKAGE, ".fgb": FLATGEOBUF, ".parquet": GEOPARQUET}
LAYER = "features"
_GEOMETRY = "geom"
_RESERVED = ("fid", _GEOMETRY, "geometry")
_DTYPES = {"boolean": "boolean", "integer": "Int64", "number": "Float64", "text": "string"}


def available() -> tuple[str, ...]:
    """Return the media types that can be written here: GeoParquet needs the package pyarrow."""
    parquet = importlib.util.find_spec("pyarrow") is not None
    return tuple(one for one in MEDIA_TYPES.values() if parquet or one != GEOPARQUET)


def table(
    collection: Mapping[str, Any], media_type: str, columns: Mapping[str, Kind] | None = None
) -> bytes:
    """Return the bytes of a file of the features, which are polygons in OGC:CRS84.

    Args:
        collection: a FeatureCollection; its `samgis.source.attribution` goes along.
        columns: properties that the table has in any case, also without features. Those besides
            get the kind that holds all their values; lists and objects become JSON text.
    """
    frame = _frame(collection["features"], columns or {})
    source = collection.get("samgis", {}).get("source", {})
    return _WRITERS[media_type](frame, str(source.get("attribution") or ""))


def _frame(features: Sequence[Mapping[str, Any]], columns: Mapping[str, Kind]) -> GeoDataFrame:
    import geopandas  # noqa: PLC0415 - half a second, and most answers are GeoJSON
    import pandas as pd  # noqa: PLC0415

    rows = [one.get("properties") or {} for one in features]
    names = list(dict.fromkeys([*columns, *(name for row in rows for name in row)]))
    kinds, values = {}, {}
    for name, column in zip(names, _distinct(names), strict=True):
        kind, found = _column([row.get(name) for row in rows], columns.get(name))
        kinds[column], values[column] = _DTYPES[kind], found
    geometry = geopandas.GeoSeries([_multi(one["geometry"]) for one in features], crs="EPSG:4326")
    frame = pd.DataFrame(values, dtype=object).astype(kinds)
    return geopandas.GeoDataFrame(frame, geometry=geometry).rename_geometry(_GEOMETRY)


def _multi(geometry: dict[str, Any]) -> shapely.MultiPolygon:
    return shapely.MultiPolygon(shapely.get_parts(shapely.geometry.shape(geometry)).tolist())


def _distinct(names: Sequence[str]) -> list[str]:
    """Return names that differ in more than their case, which SQL does not see."""
    taken, distinct = {*_RESERVED}, []
    for name in names:
        new, number = name or "_", 1
        while new.lower() in taken:
            number += 1
            new = f"{name}_{number}"
        taken.add(new.lower())
        distinct.append(new)
    return distinct


def _column(values: Sequence[Any], kind: Kind | None) -> tuple[Kind, list[Any]]:
    """Return the kind of a column, and its values as such; None is unknown."""
    kind = kind or _kind([value for value in values if value is not None])
    return kind, [_text(value) if kind == "text" else value for value in values]


def _kind(values: Sequence[Any]) -> Kind:
    if not values:
        return "text"
    if all(isinstance(value, bool) for value in values):
        return "boolean"
    if all(type(value) is int and -(2**63) <= value < 2**63 for value in values):
        return "integer"
    return "number" if all(type(value) in (int, float) for value in values) else "text"


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _geopackage(frame: GeoDataFrame, attribution: str) -> bytes:
    # Of version 1.4 older readers say that they may not understand all of it.
    return _ogr(frame, attribution, driver="GPKG", VERSION="1.3", GEOMETRY_NAME=_GEOMETRY)


def _flatgeobuf(frame: GeoDataFrame, attribution: str) -> bytes:
    return _ogr(frame, attribution, driver="FlatGeobuf")


def _ogr(frame: GeoDataFrame, attribution: str, *, driver: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    frame.to_file(
        stream,
        driver,
        layer=LAYER,
        engine="pyogrio",
        geometry_type="MultiPolygon",
        promote_to_multi=True,
        DESCRIPTION=attribution,
        **options,
    )
    return stream.getvalue()


def _geoparquet(frame: GeoDataFrame, attribution: str) -> bytes:
    stream = io.BytesIO()
    frame = frame.set_crs("OGC:CRS84", allow_override=True).rename_geometry("geometry")
    frame.attrs = {"attribution": attribution}
    frame.to_parquet(stream, index=False)
    return stream.getvalue()


_WRITERS: dict[str, Callable[[GeoDataFrame, str], bytes]] = {
    GEOPACKAGE: _geopackage,
    FLATGEOBUF: _flatgeobuf,
    GEOPARQUET: _geoparquet,
}
