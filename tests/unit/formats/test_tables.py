"""Features as files: what a desktop GIS finds in them."""

import io

import geopandas
import pyogrio
import pytest

from samgis_process.formats.tables import (
    FLATGEOBUF,
    GEOPACKAGE,
    GEOPARQUET,
    LAYER,
    MEDIA_TYPES,
    available,
    table,
)

RING = [[12.4, 41.9], [12.6, 41.9], [12.6, 42.0], [12.4, 41.9]]
FAR = [[-179.0, -17.0], [-178.0, -17.0], [-178.0, -16.0], [-179.0, -17.0]]
POLYGON = {"type": "Polygon", "coordinates": [RING]}
TWO = {"type": "MultiPolygon", "coordinates": [[RING], [FAR]]}

every = pytest.mark.parametrize("media_type", [GEOPACKAGE, FLATGEOBUF, GEOPARQUET])


def collection(*features, **samgis):
    whole = [
        {"type": "Feature", "geometry": geometry, "properties": properties}
        for geometry, properties in features
    ]
    return {"type": "FeatureCollection", "features": whole, "samgis": samgis}


@pytest.fixture
def read(tmp_path):
    """What is read from the file of some features."""

    def read(media_type, *features, columns=None):
        content = table(collection(*features), media_type, columns)
        if media_type == GEOPARQUET:
            frame = geopandas.read_parquet(io.BytesIO(content))
        else:
            frame = pyogrio.read_dataframe(kept(content, tmp_path, media_type), layer=LAYER)
        # FlatGeobuf orders its features by place.
        return frame.sort_values("n").reset_index(drop=True) if "n" in frame else frame

    return read


def kept(content, directory, media_type):
    suffix = next(suffix for suffix, one in MEDIA_TYPES.items() if one == media_type)
    path = directory / f"features{suffix}"
    path.write_bytes(content)
    return path


def test_all_types_are_on_offer_where_pyarrow_is():
    assert available() == tuple(MEDIA_TYPES.values())


@every
def test_polygons_come_back_as_multipolygons_with_longitude_first(read, media_type):
    frame = read(media_type, (POLYGON, {"n": 1}), (TWO, {"n": 2}))
    assert list(frame.geom_type) == ["MultiPolygon", "MultiPolygon"]
    assert frame.geometry[0].bounds == (12.4, 41.9, 12.6, 42.0)
    assert len(frame.geometry[1].geoms) == 2
    assert frame.crs.equals("OGC:CRS84" if media_type == GEOPARQUET else "EPSG:4326")


@every
def test_properties_keep_their_kind_and_their_gaps(read, media_type):
    frame = read(
        media_type,
        (POLYGON, {"n": 1, "name": "è ラ", "flat": True, "share": 1}),
        (TWO, {"n": 2, "name": None, "flat": None, "share": 0.5}),
    )
    assert frame["name"][0] == "è ラ"
    assert frame["name"].isna().tolist() == [False, True]
    assert frame["share"].tolist() == [1.0, 0.5]
    assert bool(frame["flat"][0]) is True
    assert frame["flat"].isna().tolist() == [False, True]


@every
def test_what_has_no_column_type_becomes_json_text(read, media_type):
    frame = read(media_type, (POLYGON, {"n": 1, "any": [1, "é"]}), (TWO, {"n": 2, "any": 7}))
    assert frame["any"].tolist() == ['[1, "é"]', "7"]


@every
def test_a_number_too_large_for_a_column_of_integers_is_a_real_one(read, media_type):
    frame = read(media_type, (POLYGON, {"n": 2**70}))
    assert frame["n"].tolist() == [float(2**70)]


@every
def test_names_that_databases_keep_or_cannot_tell_apart_are_numbered(read, media_type):
    frame = read(
        media_type,
        (POLYGON, {"Name": "a", "name": "b", "fid": 5, "geom": "c", "geometry": "g", "": "d"}),
    )
    kept = frame.drop(columns=frame.geometry.name).iloc[0].to_dict()
    assert kept == {
        "Name": "a",
        "name_2": "b",
        "fid_2": 5,
        "geom_2": "c",
        "geometry_2": "g",
        "_": "d",
    }


@every
def test_without_features_the_table_has_its_columns(read, media_type):
    frame = read(media_type, columns={"object": "text", "score": "number", "rank": "integer"})
    assert len(frame) == 0
    assert list(frame.columns[:3]) == ["object", "score", "rank"]
    assert frame["score"].dtype.kind == "f"
    assert frame["rank"].dtype.kind == "i"


@every
def test_a_column_has_the_kind_that_was_promised(read, media_type):
    frame = read(media_type, (POLYGON, {"n": 1, "object": 3}), columns={"object": "text"})
    assert frame["object"].tolist() == ["3"]


@pytest.mark.parametrize("media_type", [GEOPACKAGE, FLATGEOBUF])
def test_the_attribution_goes_along(tmp_path, media_type):
    content = table(collection((POLYGON, {}), source={"attribution": "© somebody"}), media_type)
    metadata = pyogrio.read_info(kept(content, tmp_path, media_type), layer=LAYER)[
        "layer_metadata"
    ]
    assert metadata["DESCRIPTION"] == "© somebody"
