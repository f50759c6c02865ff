import pytest

from samgis_process.grid import Pixel


@pytest.fixture
def served(script, services, scene, tmp_path):
    """Run `segment` on tiles of which the eastern column is missing."""
    from samgis_process.ogc.process import Context
    from samgis_process.server.wiring import build_services
    from samgis_process.settings import parse

    module = script("tile_server")
    left = scene.grid.col_off // 256
    body = module.png([[(70, 110, 50)] * 256] * 256)
    section = services.settings.model_dump(include={"models"}) | {
        "cache": {"directory": str(tmp_path / "tile-cache")},
        "default_source": "osm",
    }
    with module.TileServer(respond=lambda path: body if f"/{left}/" in path else None) as tiles:
        osm = {"type": "xyz", "url": tiles.url + "/{z}/{x}/{y}.png"}
        ours = build_services(parse(section | {"sources": {"osm": osm}}, tmp_path))

        def run():
            lng, lat = scene.grid.lnglat(Pixel(60, 60))
            inputs = {
                "bbox": list(scene.grid.bounds),
                "zoom": 15,
                "prompt": [{"type": "point", "data": {"lng": lng, "lat": lat}}],
            }
            answer = ours.processes["segment"].run(inputs, Context("a-request"))
            return answer["features"].value["samgis"]

        run.log = tiles.log
        run.cache = tmp_path / "tile-cache" / "tiles"
        yield run


def test_missing_tiles_are_told_in_the_answer_and_again_on_a_hit(served):
    first, second = served(), served()
    assert (first["cache"], second["cache"]) == ("miss", "hit")
    warning = "2 of 4 tiles of osm do not exist there"
    assert warning in first["warnings"]
    assert warning in second["warnings"]
    assert len(served.log) == 4


def test_tiles_lie_in_the_cache_directory(served):
    served()
    assert len(list(served.cache.iterdir())) == 4
