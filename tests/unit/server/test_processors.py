"""Our processors, as pygeoapi's own managers run them."""

import pytest
from pygeoapi.process.base import ProcessorExecuteError

from samgis_process.errors import SourceUnavailable
from samgis_process.ogc.process import Output
from samgis_process.server.processors import SegmentProcessor, processor

DEFINITION = {"name": "samgis_process.server.processors.X"}


DESCRIPTION = {
    "id": "double",
    "version": "1",
    "title": "Double",
    "description": "",
    "keywords": [],
    "inputs": {"n": {"schema": {"type": "integer"}}},
    "outputs": {"two": {"schema": {}}, "text": {"schema": {}}},
}


class Doubler:
    description = DESCRIPTION

    def run(self, inputs, _context):
        if inputs["n"] == 13:
            raise SourceUnavailable("source north did not answer")
        two = inputs["n"] * 2
        return {
            "two": Output("application/json", {"n": two}),
            "text": Output("text/plain", str(two)),
        }


@pytest.fixture
def doubler():
    return processor("double", lambda: {"double": Doubler()})(DEFINITION)


def test_one_output_comes_with_its_media_type(doubler):
    assert doubler.execute({"n": 2}, {"two": {}}) == ("application/json", {"n": 4})
    assert doubler.execute({"n": 2}, {"text": {}}) == ("text/plain", "4")


def test_several_outputs_come_as_the_document(doubler):
    media_type, value = doubler.execute({"n": 2})
    assert media_type == "application/json"
    assert value == {"two": {"value": {"n": 4}, "mediaType": "application/json"}, "text": "4"}


def test_metadata_are_the_processors_own(doubler):
    doubler.metadata["inputs"].clear()
    assert DESCRIPTION["inputs"]


@pytest.mark.parametrize(("n", "status"), [("a", 400), (13, 502)])
def test_errors_keep_their_words_and_status(doubler, n, status):
    with pytest.raises(ProcessorExecuteError) as caught:
        doubler.execute({"n": n})
    assert caught.value.http_status_code == status
    assert caught.value.message == str(caught.value)


def test_a_processor_is_named_after_its_process():
    assert SegmentProcessor.__name__ == "SegmentProcessor"
