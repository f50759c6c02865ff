import pytest

from samgis_process.server.wiring import build_services
from samgis_process.settings import parse

TILES = {"type": "xyz", "url": "http://localhost/{z}/{x}/{y}.png"}
GONE = {"type": "raster", "path": "gone.tif"}


@pytest.fixture
def health(tiny_model_dir, tmp_path):
    """Return what a server with such sources says of itself; the first is its default."""

    def ask(**sources):
        section = {
            "models": {"default": "tiny", "directory": str(tiny_model_dir.parent)},
            "cache": {"directory": str(tmp_path)},
            "default_source": next(iter(sources)),
            "sources": sources,
        }
        services = build_services(parse(section, tmp_path))
        services.sources.open_all()
        return services.health()

    return ask


def test_a_server_whose_default_source_works_is_well(health):
    told = health(tiles=TILES, gone=GONE)
    assert told["status"] == "ok"
    assert [one["state"] for one in told["sources"]] == ["available", "unavailable"]
    assert "gone.tif cannot be read" in told["sources"][1]["reason"]


def test_a_server_whose_default_source_is_gone_is_degraded(health):
    assert health(gone=GONE, tiles=TILES)["status"] == "degraded"
