import pytest

from samgis_process.errors import InvalidInput
from samgis_process.settings import ConfigurationError, parse
from samgis_process.sources import SourceCatalogue


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
        ({"type": "raster", "path": "gone.tif"}, "cannot be read"),
    ],
)
def test_a_source_that_cannot_work_is_refused_at_start(tmp_path, source, message):
    with pytest.raises(ConfigurationError, match=message):
        catalogue(tmp_path, a=source).open_all()
