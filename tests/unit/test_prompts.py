import math

import pytest

from samgis_process.errors import InvalidRequest
from samgis_process.grid import Bounds, LngLat
from samgis_process.prompts import group, parse_prompts

LIMIT = 1000


def point(lng, lat, label=1, **more):
    return {"type": "point", "data": {"lng": lng, "lat": lat}, "label": label, **more}


def rectangle(west, south, east, north, **more):
    data = {"ne": {"lng": east, "lat": north}, "sw": {"lng": west, "lat": south}}
    return {"type": "rectangle", "data": data, **more}


def feature(kind, coordinates, **properties):
    geometry = {"type": kind, "coordinates": coordinates}
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def parse(*entries):
    return parse_prompts(list(entries), LIMIT)


def objects(*entries, separate=False):
    targets = group(parse(*entries), separate=separate)
    return [[prompt.path for prompt in target.prompts] for target in targets]


def faults(call):
    with pytest.raises(InvalidRequest) as caught:
        call()
    return [(fault.input, fault.message) for fault in caught.value.faults]


def test_both_spellings_of_a_point_mean_the_same():
    (ours,) = parse(point(9.5, 46.25, 0, id=7))
    (theirs,) = parse_prompts(
        {"type": "FeatureCollection", "features": [feature("Point", [9.5, 46.25], label=0, id=7)]},
        LIMIT,
    )
    assert ours.at == theirs.at == LngLat(9.5, 46.25)
    assert not ours.include
    assert not theirs.include
    assert ours.id == theirs.id == 7


def test_a_polygon_is_the_box_of_its_bounds():
    ring = [[1, 2], [5, 2.5], [4, 6], [1, 5], [1, 2]]
    collection = {"type": "FeatureCollection", "features": [feature("Polygon", [ring])]}
    (prompt,) = parse_prompts(collection, LIMIT)
    assert prompt.box == Bounds(1, 2, 5, 6)


@pytest.mark.parametrize("corners", [(1, 2, 5, 6), (5, 2, 1, 6), (1, 6, 5, 2), (5, 6, 1, 2)])
def test_a_rectangle_may_be_drawn_from_any_corner(corners):
    (prompt,) = parse(rectangle(*corners))
    assert prompt.box == Bounds(1, 2, 5, 6)


def test_a_rectangle_across_the_antimeridian_goes_the_short_way():
    assert parse(rectangle(179, -1, -179, 1))[0].box == Bounds(179, -1, -179, 1)
    assert parse(rectangle(-179, -1, 179, 1))[0].box == Bounds(179, -1, -179, 1)


def test_numbers_written_as_text_are_read():
    assert parse(point("9.5", "46.25", "1"))[0].at == LngLat(9.5, 46.25)


@pytest.mark.parametrize("lat", [91, -91, math.nan, math.inf, "north", None, True, [46]])
def test_a_latitude_that_is_none_is_named(lat):
    ((where, _),) = faults(lambda: parse(point(9, 46), point(9, lat)))
    assert where == "prompt[1].data.lat"


def test_every_bad_prompt_is_named_at_once():
    found = faults(
        lambda: parse(point(9, 46, 2), {"type": "circle", "data": {}}, point(9, 46), "x", {})
    )
    assert [where for where, _ in found] == [
        "prompt[0].label",
        "prompt[1].type",
        "prompt[3]",
        "prompt[4].type",
    ]


def test_a_rectangle_without_area_is_refused():
    assert faults(lambda: parse(rectangle(1, 2, 1, 6)))[0][1] == "has no area"


@pytest.mark.parametrize("empty", [[], {"type": "FeatureCollection", "features": []}])
def test_no_prompts_are_refused(empty):
    assert faults(lambda: parse_prompts(empty, LIMIT)) == [("prompt", "is empty")]


def test_too_many_prompts_are_counted():
    entries = [point(9, 46)] * 10_000
    assert faults(lambda: parse_prompts(entries, 1000)) == [("prompt", "holds 10000 prompts")]


def test_free_include_points_are_one_object():
    assert objects(point(1, 1), point(2, 2), point(3, 3, 0)) == [
        ["prompt[0]", "prompt[1]", "prompt[2]"]
    ]


def test_separate_makes_each_include_point_an_object_and_keeps_shared_excludes():
    assert objects(point(1, 1), point(3, 3, 0), point(2, 2), separate=True) == [
        ["prompt[0]", "prompt[1]"],
        ["prompt[1]", "prompt[2]"],
    ]


def test_each_rectangle_is_an_object_that_points_inside_join():
    entries = (
        rectangle(0, 0, 10, 10),
        rectangle(20, 0, 30, 10),
        point(5, 5, 0),
        point(25, 5),
        point(50, 50),
        point(60, 60, 0),
    )
    assert objects(*entries) == [
        ["prompt[0]", "prompt[2]", "prompt[5]"],
        ["prompt[1]", "prompt[3]", "prompt[5]"],
        ["prompt[4]", "prompt[5]"],
    ]


def test_a_point_in_two_rectangles_belongs_to_neither():
    entries = (rectangle(0, 0, 10, 10), rectangle(5, 0, 15, 10), point(7, 5))
    assert objects(*entries) == [["prompt[0]"], ["prompt[1]"], ["prompt[2]"]]


def test_object_overrides_the_rules():
    entries = (rectangle(0, 0, 10, 10, object="a"), point(50, 50, object="a"), point(5, 5))
    assert objects(*entries) == [["prompt[0]", "prompt[1]", "prompt[2]"]]


def test_an_object_with_exclude_points_only_is_refused():
    message = "object 'b' has exclude points only"
    found = faults(lambda: objects(point(1, 1), point(2, 2, 0, object="b")))
    assert found == [("prompt", message)]
    assert faults(lambda: objects(point(1, 1, 0)))[0][1] == "holds exclude points only"


def test_two_rectangles_of_one_object_are_refused():
    entries = (rectangle(0, 0, 1, 1, object=1), rectangle(2, 2, 3, 3, object=1))
    assert "more than one rectangle" in faults(lambda: objects(*entries))[0][1]


def test_a_longitude_beyond_180_is_the_same_place():
    assert parse(point(190, 5))[0].at == LngLat(-170, 5)


@pytest.mark.parametrize("properties", ["text", 5, [1], True])
def test_properties_that_are_no_object_are_named(properties):
    feature = {"type": "Feature", "geometry": {"type": "Point", "coordinates": [7, 46]},
               "properties": properties}  # fmt: skip
    with pytest.raises(InvalidRequest, match=r"features\[0\]\.properties: is no object"):
        parse_prompts({"type": "FeatureCollection", "features": [feature]}, 10)


@pytest.mark.parametrize(
    "entry",
    [
        {"type": "point", "data": {"lat": "9" * 5_000_000, "lng": 1}},
        {"type": "x" * 5_000_000, "data": {}},
        {"type": "point", "data": {"lat": 1, "lng": 1}, "label": "y" * 5_000_000},
        {"type": "point", "data": {"lat": 1, "lng": 1}, "object": "z" * 5_000_000},
    ],
)
def test_a_refusal_is_short_however_long_the_mistake_is(entry):
    with pytest.raises(InvalidRequest) as refused:
        parse_prompts([entry], 10)
    assert len(str(refused.value)) < 1000


def test_properties_are_bounded():
    feature = {"type": "Feature", "geometry": {"type": "Point", "coordinates": [7, 46]},
               "properties": {"note": "x" * 50_000}}  # fmt: skip
    with pytest.raises(InvalidRequest, match="are too long") as refused:
        parse_prompts({"type": "FeatureCollection", "features": [feature]}, 10)
    assert refused.value.faults[0].limit == "10000 characters"
