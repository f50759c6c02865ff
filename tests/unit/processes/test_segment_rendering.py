"""`rendering` in a request: what is drawn, what is shared, what is refused."""

import numpy as np
import pytest
import rasterio
import shapely
from rasterio.transform import from_origin

from samgis_process.errors import InvalidRequest, SourceUnavailable
from samgis_process.grid import GeoBox, Pixel
from samgis_process.ogc.process import Context
from samgis_process.server.wiring import build_services
from samgis_process.settings import parse

GRID = GeoBox(15, 34_400 * 128 + 37, 23_100 * 128 + 11, 256, 256)
POND = (40, 60, 120, 150)  # left, top, right, bottom: visible in the near infrared alone


def scene(path, pond=POND, scale=1):
    """Four bands of 12 bits; the first three show nothing at all."""
    bands = np.full((4, 256, 256), 900, np.uint16) * scale
    left, top, right, bottom = pond
    bands[3] = 3000
    bands[3, top:bottom, left:right] = 200
    x, y = GRID.transform @ (0, 0)
    with rasterio.open(
        path, "w", driver="GTiff", count=4, height=256, width=256, dtype="uint16",
        crs="EPSG:3857", transform=from_origin(x, y, GRID.resolution, GRID.resolution),
    ) as dataset:  # fmt: skip
        dataset.write(bands)
    return path


def make(tmp_path, model_dir, **source):
    section = {
        "models": {"default": model_dir.name, "directory": str(model_dir.parent)},
        "cache": {"directory": str(tmp_path / "cache")},
        "default_source": "deep",
        "sources": {"deep": {"type": "raster", "path": str(tmp_path / "deep.tif"), **source}},
    }
    return build_services(parse(section, tmp_path))


def run(services, **more):
    lng, lat = GRID.lnglat(Pixel(80, 100))
    inputs = {
        "bbox": list(GRID.bounds),
        "zoom": 15,
        "contour": "pixel",
        "simplify": 0,
        "prompt": [{"type": "point", "data": {"lng": lng, "lat": lat}}],
        **more,
    }
    return services.processes["segment"].run(inputs, Context("x"))["features"].value


def outline(answer):
    (feature,) = answer["features"]
    shape = shapely.geometry.shape(feature["geometry"])
    return shapely.transform(shape, lambda at: np.column_stack(GRID.pixels(*at.T)))


@pytest.fixture
def services(tmp_path, tiny_model_dir):
    scene(tmp_path / "deep.tif")
    return make(tmp_path, tiny_model_dir)


def test_what_one_rendering_hides_another_shows(services):
    false = run(services, rendering="false-colour")
    assert outline(false).bounds == pytest.approx(POND, abs=0.01)
    assert false["samgis"]["rendering"] == "false-colour"
    index = run(services, rendering={"bands": [{"nd": [4, 1]}]})
    assert outline(index).bounds == pytest.approx(POND, abs=0.01)
    assert index["samgis"]["rendering"] == {"bands": [{"nd": [4, 1]}], "stretch": [[-1, 1]]}
    plain = run(services)
    assert plain["samgis"]["rendering"] == "rgb"
    assert not plain["features"] or outline(plain).bounds != pytest.approx(POND, abs=0.01)


def test_equal_renderings_share_an_embedding_and_others_do_not(services):
    states = [
        run(services, rendering=rendering)["samgis"]["cache"]
        for rendering in (
            "false-colour",
            {"bands": [4, 1, 2]},
            {"bands": [4.0, 1, 2], "stretch": [2, 98]},
            {"bands": [4, 1, 2], "stretch": "minmax"},
            {"bands": [4, 1, 2], "stretch": [0, 100]},
            "rgb",
            None,
        )
    ]
    assert states == ["miss", "hit", "hit", "miss", "hit", "miss", "hit"]


def test_the_echo_can_be_sent_again(services):
    first = run(services, rendering={"bands": [4], "stretch": [[100, 4000]]})
    again = run(services, rendering=first["samgis"]["rendering"])
    assert again["samgis"]["cache"] == "hit"
    assert again["features"] == first["features"]


def test_the_operator_chooses_the_default(tmp_path, tiny_model_dir):
    scene(tmp_path / "deep.tif")
    services = make(tmp_path, tiny_model_dir, rendering={"bands": [4]})
    answer = run(services)
    assert outline(answer).bounds == pytest.approx(POND, abs=1.01)
    assert answer["samgis"]["rendering"] == {"bands": [4], "stretch": [2, 98]}
    assert run(services, rendering="rgb")["samgis"]["rendering"] == "rgb"
    wrong = make(tmp_path, tiny_model_dir, rendering={"bands": [5]})
    (known,) = wrong.sources.open_all()
    assert "samgis.sources.deep.rendering: band 5" in known.reason


def test_a_band_that_does_not_exist_is_refused_with_their_number(services):
    with pytest.raises(InvalidRequest) as caught:
        run(services, rendering={"bands": [5, 2, 1]})
    (fault,) = caught.value.faults
    assert (fault.input, fault.limit) == ("rendering", "deep has 4 bands")


def test_a_file_replaced_between_key_and_pixels_is_not_kept_under_the_old_key(
    services, tmp_path, monkeypatch
):
    source = services.sources.get(None)
    read = source.read

    def replaced(*args):
        scene(tmp_path / "deep.tif", pond=(100, 30, 200, 90))
        monkeypatch.undo()
        return read(*args)

    monkeypatch.setattr(source, "read", replaced, raising=False)
    with pytest.raises(SourceUnavailable, match="changed"):
        run(services, rendering="false-colour")
    scene(tmp_path / "deep.tif")
    answer = run(services, rendering="false-colour")
    assert answer["samgis"]["cache"] == "miss"
    assert outline(answer).bounds == pytest.approx(POND, abs=0.01)


def test_the_description_offers_renderings(services):
    declared = services.processes["segment"].description["inputs"]["rendering"]
    assert "false-colour" in declared["description"]
    assert declared["minOccurs"] == 0


def test_progress_tells_what_is_being_done(services):
    told = []
    lng, lat = GRID.lnglat(Pixel(80, 100))
    point = {"type": "point", "data": {"lng": lng, "lat": lat}}
    inputs = {"bbox": list(GRID.bounds), "zoom": 15, "separate": True, "prompt": [point] * 3}
    context = Context("x", on_report=lambda fraction, words: told.append((fraction, words)))
    services.processes["segment"].run(inputs, context)
    fractions, words = zip(*told, strict=True)
    assert list(fractions) == sorted(fractions)
    assert words == (
        "reading the picture", "encoding the picture", "object 1", "object 2", "object 3",
    )  # fmt: skip
    told.clear()
    services.processes["segment"].run(inputs, context)
    assert [words for _, words in told] == ["object 1", "object 2", "object 3"]
