"""GDAL's own programs, of whatever age they are, open our tables without a warning."""

import shutil
import subprocess

import pytest

from samgis_process.formats.tables import FLATGEOBUF, GEOPACKAGE, LAYER, table

RING = [[12.4, 41.9], [12.6, 41.9], [12.6, 42.0], [12.4, 41.9]]
POLYGON = {"type": "Polygon", "coordinates": [RING]}
COLUMNS = {"object": "text", "score": "number", "touches_edge": "boolean"}
OWN = {"object": "barn", "score": 0.9, "touches_edge": False, "name": "è"}


def collection(*properties):
    features = [{"type": "Feature", "geometry": POLYGON, "properties": one} for one in properties]
    source = {"source": {"attribution": "© somebody"}}
    return {"type": "FeatureCollection", "features": features, "samgis": source}


@pytest.mark.parametrize("properties", [[], [OWN]])
@pytest.mark.parametrize(("media_type", "suffix"), [(GEOPACKAGE, "gpkg"), (FLATGEOBUF, "fgb")])
def test_ogrinfo_has_nothing_to_complain_of(media_type, suffix, properties, tmp_path, unavailable):
    if not shutil.which("ogrinfo"):
        unavailable("no ogrinfo; `make system-packages` tells how to get it")
    path = tmp_path / f"features.{suffix}"
    path.write_bytes(table(collection(*properties), media_type, COLUMNS))
    shown = subprocess.run(
        ["ogrinfo", "-al", path, LAYER], capture_output=True, text=True, timeout=60, check=True
    )
    assert shown.stderr == ""
    assert "Warning" not in shown.stdout
    assert f"Feature Count: {len(properties)}" in shown.stdout
    assert 'ID["EPSG",4326]' in shown.stdout
    for column in ("object: String", "score: Real", "touches_edge: Integer(Boolean)"):
        assert column in shown.stdout
    if properties:
        assert "name (String) = è" in shown.stdout
        assert "MULTIPOLYGON (((12.4 41.9," in shown.stdout
