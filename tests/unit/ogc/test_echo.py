"""The standard's test process."""

import pytest

from samgis_process.errors import InvalidInput
from samgis_process.ogc.echo import GEOJSON, GML, EchoProcess
from samgis_process.ogc.process import Context

POINT = {"type": "Point", "coordinates": [7, 52]}


def run(inputs, **context):
    return EchoProcess(0).run({"stringInput": "a", **inputs}, Context("id", **context))


def test_what_was_not_given_does_not_come_back():
    found = run({"arrayInput": [1, 2]})
    assert {name: output.value for name, output in found.items()} == {
        "stringInput": "a",
        "arrayInput": [1, 2],
    }


@pytest.mark.parametrize(("value", "media_type"), [(POINT, GEOJSON), ("<gml/>", GML)])
def test_a_geometry_keeps_its_media_type(value, media_type):
    output = run({"geometryInput": [value]})["geometryInput"]
    assert (output.media_type, output.value) == (media_type, value)


def test_one_picture_comes_as_a_file_and_several_as_they_came():
    wanted = {"imagesInput": "image/jp2"}
    output = run({"imagesInput": ["aGVsbG8="]}, outputs=wanted)["imagesInput"]
    assert (output.media_type, output.value) == ("image/jp2", b"hello")
    assert run({"imagesInput": ["aGVsbG8="] * 2})["imagesInput"].value == ["aGVsbG8="] * 2
    assert run({"imagesInput": []})["imagesInput"].value == []
    with pytest.raises(InvalidInput, match="base64"):
        run({"imagesInput": ["no!"]})


def test_it_says_how_long_it_will_take_and_stops_when_told():
    said = []
    run({"pause": 10}, on_report=lambda *what: said.append(what), is_cancelled=lambda: bool(said))
    assert said == [(pytest.approx(0, abs=0.01), "10.0 s left")]
