import pytest

from samgis_process.server.wiring import build_services
from samgis_process.settings import parse

TILES = {"type": "xyz", "url": "http://localhost/{z}/{x}/{y}.png"}
GONE = {"type": "raster", "path": "gone.tif"}


@pytest.fixture
def build(tiny_model_dir, tmp_path):
    """Return the services with such sources, the first of which is the default."""

    def made(sources, **more):
        section = {
            "models": {"default": "tiny", "directory": str(tiny_model_dir.parent)},
            "cache": {"directory": str(tmp_path)},
            "results": {"directory": str(tmp_path / "data")},
            "default_source": next(iter(sources)),
            "sources": sources,
        }
        return build_services(parse(section | more, tmp_path))

    return made


@pytest.fixture
def health(build):
    """Return what a server with such sources says of itself."""

    def ask(**sources):
        services = build(sources)
        services.sources.open_all()
        return services.health()

    return ask


def test_echo_is_offered_only_where_it_is_asked_for(build):
    offered = set(build({"tiles": TILES}).processes)
    assert "echo" not in offered
    suite = build({"tiles": TILES}, server={"echo_s": 0})
    assert set(suite.processes) == {*offered, "echo"}


def test_a_server_whose_default_source_works_is_well(health):
    told = health(tiles=TILES, gone=GONE)
    assert told["status"] == "ok"
    assert [one["state"] for one in told["sources"]] == ["available", "unavailable"]
    assert "gone.tif cannot be read" in told["sources"][1]["reason"]


def test_a_server_whose_default_source_is_gone_is_degraded(health):
    assert health(gone=GONE, tiles=TILES)["status"] == "degraded"
