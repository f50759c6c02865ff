import numpy as np
import pytest
import rasterio
import shapely

from samgis_process.errors import InvalidRequest
from samgis_process.grid import Bounds, Pixel


def outline(feature):
    return shapely.geometry.shape(feature["geometry"])


def in_pixels(feature, grid):
    """The outline in pixels of the window."""
    return shapely.transform(
        outline(feature), lambda at: np.column_stack(grid.pixels(at[:, 0], at[:, 1]))
    )


def middle(box):
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


@pytest.fixture
def ask(scene):
    """Build inputs in pixels of the scene."""

    def place(col, row):
        lng, lat = scene.grid.lnglat(Pixel(col, row))
        return {"lng": lng, "lat": lat}

    def point(at, label=1, **more):
        return {"type": "point", "data": place(*at), "label": label, **more}

    def rectangle(box, **more):
        data = {"ne": place(box[2], box[1]), "sw": place(box[0], box[3])}
        return {"type": "rectangle", "data": data, **more}

    def inputs(*prompts, **more):
        return {"bbox": list(scene.grid.bounds), "zoom": 15, "prompt": list(prompts), **more}

    inputs.point, inputs.rectangle, inputs.place = point, rectangle, place
    return inputs


def test_a_rectangle_painted_on_exact_edges_comes_back_exactly(segment, ask, scene):
    answer = segment(ask(ask.point(middle(scene.house)), contour="pixel", simplify=0))
    (feature,) = answer["features"]
    assert answer["samgis"]["window"]["width"] == 256
    found = in_pixels(feature, scene.grid)
    assert found.bounds == pytest.approx(scene.house, abs=0.01)
    assert found.symmetric_difference(shapely.box(*scene.house)).area < 0.1


def test_the_smooth_contour_runs_between_the_same_pixels(segment, ask, scene):
    """Within half a pixel: where between two centres it passes is the model's to say."""
    (feature,) = segment(ask(ask.point(middle(scene.house))))["features"]
    found = in_pixels(feature, scene.grid)
    assert found.bounds == pytest.approx(scene.house, abs=0.51)
    assert middle(found.bounds) == pytest.approx(middle(scene.house), abs=0.01)


def test_a_window_off_the_grid_gives_the_same_outline(segment, ask, scene):
    """Asked for with fractions of pixels, the window grows to whole ones; nothing shifts."""
    inputs = ask(ask.point(middle(scene.house)), contour="pixel", simplify=0)
    west, south, east, north = inputs["bbox"]
    step = (east - west) / 256
    inputs["bbox"] = [west + 0.3 * step, south + 0.4 * step, east - 0.2 * step, north - 0.7 * step]
    (feature,) = segment(inputs)["features"]
    assert in_pixels(feature, scene.grid).bounds == pytest.approx(scene.house, abs=0.01)


def test_the_second_request_is_a_hit_and_says_the_same(segment, ask, scene):
    inputs = ask(ask.point(middle(scene.lake)))
    first, second = segment(inputs), segment(inputs)
    assert first["samgis"]["cache"] == "miss"
    assert second["samgis"]["cache"] == "hit"
    assert second["samgis"]["timings_ms"]["encode"] == 0
    assert second["features"] == first["features"]


def test_another_prompt_on_the_same_window_is_a_hit(segment, ask, scene):
    segment(ask(ask.point(middle(scene.lake))))
    assert segment(ask(ask.point(middle(scene.house))))["samgis"]["cache"] == "hit"


def test_a_hit_reads_no_pixel(segment, ask, scene):
    segment(ask(ask.point(middle(scene.lake))))
    scene.path.unlink()
    assert segment(ask(ask.point(middle(scene.house))))["features"]


def test_clicks_sent_at_once_and_one_by_one_give_the_same_answer(segment, ask, scene):
    clicks = [
        ask.point(middle(scene.lake)),
        ask.point((50, 140)),
        ask.point((200, 200), 0),
        ask.point((110, 70)),
    ]
    at_once = segment(ask(*clicks))
    for count in range(1, 4):
        segment(ask(*clicks[:count]))
    assert segment(ask(*clicks))["features"] == at_once["features"]


def test_a_long_list_takes_few_decoder_runs():
    from samgis_process.embeddings.replay import _steps, frame_prompts

    rows = [(np.zeros((1, 2), np.float32), (label,)) for label in (0.0, 1.0, 1.0, 0.0)]
    assert _steps(frame_prompts(rows)) == [2, 3, 4]
    many = [(np.zeros((1, 2), np.float32), (1.0,))] * 1000
    steps = _steps(frame_prompts(many))
    assert steps[:16] == list(range(1, 17))
    assert steps[-1] == 1000
    assert len(steps) < 32


def test_objects_are_features_with_their_prompts_properties(segment, ask, scene):
    geojson = {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "id": "p1",
                "geometry": {
                    "type": "Point",
                    "coordinates": list(scene.grid.lnglat(Pixel(*middle(scene.house)))),
                },
                "properties": {"label": 1, "object": "house", "street": "Main"},
            },
            {
                "type": "Feature",
                "id": "p2",
                "geometry": {
                    "type": "Point",
                    "coordinates": list(scene.grid.lnglat(Pixel(*middle(scene.lake)))),
                },
                "properties": {"object": "lake"},
            },
        ],
    }
    features = segment({**ask(), "prompt": geojson})["features"]
    assert [f["properties"]["object"] for f in features] == ["house", "lake"]
    assert features[0]["properties"]["street"] == "Main"
    assert features[0]["properties"]["prompt_ids"] == ["p1"]
    assert [f["id"] for f in features] == [0, 1]


def test_properties_of_a_feature(segment, ask, scene):
    (feature,) = segment(ask(ask.point(middle(scene.house)), contour="pixel"))["features"]
    properties = feature["properties"]
    left, top, right, bottom = scene.house
    area = (right - left) * (bottom - top) * scene.grid.ground_resolution**2
    assert properties["area_m2"] == pytest.approx(area, rel=0.01)
    assert 0 < properties["score"] <= 1
    assert properties["touches_edge"] is False
    coordinates = shapely.get_coordinates(outline(feature))
    assert max(len(f"{value!r}".partition(".")[2]) for value in coordinates.ravel().tolist()) <= 7


def test_an_object_at_the_frame_touches_it(segment, ask, scene):
    inputs = ask(ask.point(middle(scene.house)))
    bounds = Bounds(*inputs["bbox"])
    cut = scene.grid.lnglat(Pixel(200, 100))
    inputs["bbox"] = [bounds.west, cut.lat, cut.lng, bounds.north]
    inputs["prompt"] = [ask.point((190, 46))]
    (feature,) = segment(inputs)["features"]
    assert feature["properties"]["touches_edge"] is True


def test_a_box_cuts_the_mask_to_its_margin(segment, ask, scene):
    left, top, right, bottom = scene.lake
    half = (left, top, (left + right) / 2, bottom)
    (cut,) = segment(ask(ask.rectangle(half), contour="pixel", simplify=0))["features"]
    assert in_pixels(cut, scene.grid).bounds[2] <= half[2] + 1.01
    inputs = ask(ask.rectangle(half), box_margin=None)
    assert segment(inputs)["features"]


def test_a_box_with_corners_swapped_is_the_same_box(segment, ask, scene):
    drawn = ask.rectangle(scene.house)
    swapped = {"type": "rectangle", "data": {"ne": drawn["data"]["sw"], "sw": drawn["data"]["ne"]}}
    assert segment(ask(swapped))["features"] == segment(ask(drawn))["features"]


def test_a_box_that_stands_out_is_cut_with_a_warning(segment, ask):
    answer = segment(ask(ask.rectangle((180, -40, 220, 62))))
    assert answer["samgis"]["warnings"] == ["prompt[0] was cut at the window's edge"]


def test_separate_points_are_separate_objects(segment, ask, scene):
    points = [ask.point(middle(scene.house)), ask.point(middle(scene.second))]
    assert len(segment(ask(*points))["features"]) == 1
    assert len(segment(ask(*points, separate=True))["features"]) == 2


def test_parts_can_be_left_out(segment, ask, scene):
    lakes = ask(ask.point(middle(scene.lake)))
    assert outline(segment(lakes)["features"][0]).geom_type in {"Polygon", "MultiPolygon"}
    largest = segment({**lakes, "largest_only": True})["features"][0]
    assert outline(largest).geom_type == "Polygon"


def test_what_is_scored_too_low_is_left_out_with_a_warning(segment, ask, scene):
    answer = segment(ask(ask.point(middle(scene.house)), min_score=1))
    assert answer["features"] == []
    assert "object 0: left out, its score is" in answer["samgis"]["warnings"][0]


def test_where_the_answer_came_from(segment, ask, scene, services):
    member = segment(ask(ask.point(middle(scene.house))))["samgis"]
    assert member["request_id"] == "a-request"
    assert member["model"] == {"id": "tiny", "digest": services.models.default.digest}
    assert member["source"]["id"] == "scene"
    assert member["source"]["zoom"] == 15
    assert member["window"]["bounds"] == pytest.approx(list(scene.grid.bounds), abs=1e-7)
    assert set(member["timings_ms"]) == {"tiles", "encode", "decode", "vectorize", "total"}


def test_a_seed_request_of_the_ancestor_works_verbatim(segment, ask, scene):
    bounds = scene.grid.bounds
    at = ask.place(*middle(scene.house))
    answer = segment(
        {
            "id": "x",
            "debug": True,
            "bbox": {
                "ne": {"lat": bounds.north, "lng": bounds.east},
                "sw": {"lat": bounds.south, "lng": bounds.west},
            },
            "prompt": [{"id": 146, "type": "point", "data": at, "label": 1}],
            "zoom": 15,
            "source_type": "old.name",
        }
    )
    assert answer["features"][0]["properties"]["prompt_ids"] == [146]


@pytest.mark.parametrize("crs", ["OGC:CRS84", "EPSG:4326", "EPSG:3857"])
def test_a_window_in_another_crs_is_the_same_window(segment, ask, scene, crs):
    from pyproj import Transformer

    prompt = ask.point(middle(scene.house))
    west, south, east, north = scene.grid.bounds
    transformer = Transformer.from_crs("OGC:CRS84", crs)
    numbers = [*transformer.transform(west, south), *transformer.transform(east, north)]
    name, _, code = crs.partition(":")
    uri = f"http://www.opengis.net/def/crs/{name}/0/{code}"
    answer = segment({"bbox": {"bbox": numbers, "crs": uri}, "zoom": 15, "prompt": [prompt]})
    assert answer["features"] == segment(ask(prompt))["features"]


def test_default_zoom_fills_the_model_within_the_source(segment, ask, scene):
    inputs = ask(ask.point(middle(scene.house)))
    del inputs["zoom"]
    assert segment(inputs)["samgis"]["source"]["zoom"] == 15


def test_no_outline_is_drawn_where_there_is_no_data(segment, ask, scene):
    import rasterio

    image = scene.image.copy()
    image[62:150, 80:120] = 0
    with rasterio.open(scene.path, "r+") as dataset:
        dataset.write(image.transpose(2, 0, 1))
        dataset.nodata = 0
    (feature,) = segment(ask(ask.point((50, 140)), contour="pixel", simplify=0))["features"]
    hole = shapely.box(80, 62, 120, 150)
    assert in_pixels(feature, scene.grid).intersection(hole).area < 0.5


BAD = [
    ({"bbox": None}, "bbox", "is missing"),
    ({"prompt": None}, "prompt", "is missing"),
    ({"bbox": [9, 46, 9, 47]}, "bbox", "west and east are both 9"),
    ({"bbox": [9, 47, 10, 46]}, "bbox", "south (47) is not below north (46)"),
    ({"bbox": [9, 46, 10, 91]}, "bbox north", "is 91"),
    ({"bbox": [9, 46, 10, 89]}, "bbox", "north is 89"),
    ({"bbox": [9, 46, float("nan"), 47]}, "bbox", "is no bounding box"),
    ({"bbox": [9, 46, 10]}, "bbox", "is no bounding box"),
    ({"bbox": "9,46,10,47"}, "bbox", "is no bounding box"),
    ({"bbox": {"bbox": [9, 46, 10, 47], "crs": "EPSG:2154"}}, "bbox.crs", "is 'EPSG:2154'"),
    ({"zoom": 99}, "zoom", "99 is outside the zooms of scene"),
    ({"source": "moon"}, "source", "'moon' is not offered"),
    ({"source_type": "moon"}, "source_type", "'moon' is not offered"),
    ({"prompt": []}, "prompt", "is empty"),
    ({"bbox": [-170, -80, 170, 80]}, "bbox", "pixels at zoom 15"),
]


@pytest.mark.parametrize(("change", "name", "message"), BAD)
def test_bad_input_is_named(segment, ask, scene, change, name, message):
    with pytest.raises(InvalidRequest) as caught:
        segment(ask(ask.point(middle(scene.house))) | change)
    (fault,) = caught.value.faults
    assert fault.input == name
    assert message in fault.message
    assert fault.limit or fault.remedy


def test_a_window_too_wide_is_told_the_zoom_that_fits(segment, ask, scene):
    with pytest.raises(InvalidRequest) as caught:
        segment(ask(ask.point(middle(scene.house))) | {"bbox": [8, 46, 10, 47], "zoom": 17})
    (fault,) = caught.value.faults
    assert "limits.max_pixels" in fault.limit
    assert "smaller window" in fault.remedy


@pytest.mark.parametrize("where", [(-1, 50), (257, 50), (50, -1), (50, 257)])
def test_a_prompt_outside_the_window_is_refused_not_mirrored(segment, ask, scene, where):
    with pytest.raises(InvalidRequest) as caught:
        segment(ask(ask.point(middle(scene.house)), ask.point(where)))
    assert [fault.input for fault in caught.value.faults] == ["prompt[1]"]
    with pytest.raises(InvalidRequest, match="lies outside"):
        segment(ask(ask.rectangle((-50, 20, -10, 60))))


@pytest.mark.parametrize("where", ["left", "middle"])
def test_a_click_where_there_is_no_data_finds_nothing_and_is_named(segment, ask, scene, where):
    rows, cols = np.mgrid[:256, :256]
    void = cols < 100 if where == "left" else (cols - 128) ** 2 + (rows - 128) ** 2 < 30**2
    image = np.where(void, 0, scene.image.transpose(2, 0, 1))
    with rasterio.open(scene.path, "r+") as dataset:
        dataset.nodata = 0
        dataset.write(image.astype(np.uint8))
    at = (50, 100) if where == "left" else (128, 128)
    answer = segment(ask(ask.point(at), ask.point(middle(scene.second), object="b")))
    assert [one["properties"]["object"] for one in answer["features"]] == ["b"]
    (warning,) = [one for one in answer["samgis"]["warnings"] if "has no data" in one]
    assert warning.startswith("object 0: prompt[0] lies where scene has no data")
    void_box = ask.rectangle((20, 90, 60, 120) if where == "left" else (118, 118, 138, 138))
    assert segment(ask(void_box))["features"] == []


def test_ids_of_all_readings_are_different_whole_numbers(segment, ask, scene):
    answer = segment(
        ask(
            ask.point(middle(scene.house)),
            ask.point(middle(scene.second)),
            separate=True,
            masks="all",
        )
    )
    ids = [one["id"] for one in answer["features"]]
    assert all(type(one) is int for one in ids)
    assert len(set(ids)) == len(ids) > 2
    best = [one["id"] for one in answer["features"] if not one["properties"]["alternative"]]
    assert best == [0, 1]


@pytest.mark.parametrize("label", [1.0, "1", None])
def test_labels_as_tables_write_them(segment, ask, scene, label):
    (feature,) = segment(ask(ask.point(middle(scene.house), label=label)))["features"]
    assert feature["properties"]["object"] == 0
    with pytest.raises(InvalidRequest):
        segment(ask(ask.point(middle(scene.house), label=0.5)))
