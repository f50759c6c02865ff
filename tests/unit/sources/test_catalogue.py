import time

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from samgis_process.blobs import BlobStore
from samgis_process.errors import InvalidInput, SourceUnavailable
from samgis_process.settings import parse
from samgis_process.sources import SourceCatalogue
from samgis_process.sources.availability import RETRY_S


def catalogue(tmp_path, **sources):
    settings = parse({"default_source": next(iter(sources)), "sources": sources}, tmp_path)
    return SourceCatalogue(settings.sources, settings.default_source, tmp_path)


OSM = {"type": "xyz", "provider": "OpenStreetMap.Mapnik", "aliases": ["OpenStreetMap"]}


def test_a_provider_brings_its_attribution_and_zooms(tmp_path):
    info = catalogue(tmp_path, osm=OSM).get("osm").info
    assert "OpenStreetMap contributors" in info.attribution
    assert info.zooms == (0, 19)


@pytest.mark.parametrize("name", [None, "osm", "OSM", "openstreetmap", "OpenStreetMap"])
def test_a_source_is_found_by_id_and_alias_in_any_case(tmp_path, name):
    assert catalogue(tmp_path, osm=OSM).get(name).info.id == "osm"


def test_an_unknown_source_is_answered_with_the_offer_and_a_guess(tmp_path):
    with pytest.raises(InvalidInput) as caught:
        catalogue(tmp_path, osm=OSM).get("openstretmap")
    (fault,) = caught.value.faults
    assert fault.limit == "osm"
    assert fault.remedy == "did you mean osm?"


def test_a_source_is_opened_once(tmp_path):
    sources = catalogue(tmp_path, osm=OSM)
    assert sources.get("osm") is sources.get("OpenStreetMap")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"type": "xyz"}, "needs `url` or `provider`"),
        ({"type": "xyz", "provider": "Nobody.Nothing"}, "xyzservices knows no"),
        ({"type": "xyz", "provider": "Thunderforest.OpenCycleMap"}, "needs a key"),
        ({"type": "xyz", "url": "http://localhost/{z}/{x}.png"}, "lacks"),
    ],
)
def test_a_source_that_cannot_work_is_unavailable_from_the_start(tmp_path, source, message):
    (known,) = catalogue(tmp_path, a=source).open_all()
    assert known.state == "unavailable"
    assert message in known.reason


def test_a_denser_tile_is_asked_for_where_the_provider_has_one(tmp_path):
    xyz = {"type": "xyz", "url": "http://127.0.0.1/{z}/{x}/{y}{r}.png"}
    sources = catalogue(tmp_path, plain=xyz, dense={**xyz, "tile_size": 512})
    assert sources.get("plain")._template.url(1, 0, 1).endswith("/1/0/1.png")
    assert sources.get("dense")._template.url(1, 0, 1).endswith("/1/0/1@2x.png")


@pytest.mark.parametrize(
    ("extra", "expected"), [({}, "abc"), ({"subdomains": ["t0", "t1"]}, ["t0", "t1"])]
)
def test_subdomains_are_the_settings_or_the_usual_ones(tmp_path, extra, expected):
    xyz = {"type": "xyz", "url": "http://{s}.localhost/{z}/{x}/{y}.png", **extra}
    source = catalogue(tmp_path, a=xyz).get("a")
    hosts = {source._template.url(5, x, 0).split("/")[2] for x in range(6)}
    assert hosts == {f"{name}.localhost" for name in expected}
    assert hosts <= source._transport.redirect_hosts


def test_a_provider_brings_its_subdomains(tmp_path):
    freemap = {"type": "xyz", "provider": "FreeMapSK"}
    template = catalogue(tmp_path, a=freemap).get("a")._template
    assert set(template.subdomains) == set("abcd")


def test_an_address_of_another_scheme_is_refused(tmp_path):
    (known,) = catalogue(tmp_path, a={"type": "xyz", "url": "file:///{z}/{x}/{y}"}).open_all()
    assert "neither http nor https" in known.reason


def test_tiles_are_kept_unless_the_source_forbids_it(tmp_path):
    xyz = {"type": "xyz", "url": "http://127.0.0.1/{z}/{x}/{y}.png"}
    settings = parse(
        {"default_source": "a", "sources": {"a": xyz, "b": {**xyz, "cache_tiles": False}}},
        tmp_path,
    )
    store = BlobStore(tmp_path / "tiles", 10**6)
    sources = SourceCatalogue(settings.sources, settings.default_source, tmp_path, store)
    assert sources.get("a")._cache is not None
    assert sources.get("b")._cache is None
    assert sources.get("a")._client is sources.get("b")._client


def test_a_source_that_is_gone_leaves_the_others_alone(tmp_path):
    sources = catalogue(tmp_path, osm=OSM, gone={"type": "raster", "path": "gone.tif"})
    states = {one.id: (one.state, one.reason) for one in sources.open_all()}
    assert states["osm"] == ("available", "")
    assert states["gone"][0] == "unavailable"
    assert "gone.tif cannot be read: no such file" in states["gone"][1]
    with pytest.raises(SourceUnavailable, match=r"gone\.tif"):
        sources.get("gone")


@pytest.mark.parametrize(
    ("more", "bulk"), [({}, False), ({"bulk": True}, True), ({"bulk": False}, False)]
)
def test_whole_regions_are_read_from_public_servers_only_if_the_operator_says_so(
    tmp_path, more, bulk
):
    assert catalogue(tmp_path, osm=OSM | more).get("osm").info.bulk is bulk


def test_whole_regions_are_read_from_files_of_ones_own_unless_the_operator_forbids_it(tmp_path):
    raster = {"type": "raster", "path": "a.tif"}
    sources = {"a": raster, "b": raster | {"bulk": False}, "s": {"type": "sample"}}
    settings = parse({"default_source": "a", "sources": sources}, tmp_path)
    assert [one.bulk for one in settings.sources.values()] == [True, False, True]


def test_a_mount_that_comes_back_works_without_a_restart(tmp_path):
    sources = catalogue(tmp_path, field={"type": "raster", "path": "mount/field.tif"})
    (told,) = sources.open_all()
    assert told.state == "unavailable"
    (tmp_path / "mount").mkdir()
    profile = {"driver": "GTiff", "count": 3, "height": 8, "width": 9, "dtype": "uint8"}
    place = from_origin(900_000, 5_800_000, 10, 10)
    path = tmp_path / "mount" / "field.tif"
    with rasterio.open(path, "w", crs="EPSG:3857", transform=place, **profile) as dataset:
        dataset.write(np.full((3, 8, 9), 90, np.uint8))
    with pytest.raises(SourceUnavailable):
        sources.get("field")
    sources._openings["field"]._clock = lambda: time.monotonic() + RETRY_S
    assert sources.get("field").info.id == "field"
    assert sources.availability()[0].state == "available"
