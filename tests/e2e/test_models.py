"""A request chooses its model, and may ask for every reading of its prompts."""

from samgis_process.settings import ModelSettings

LAKE = {
    "source": "sample",
    "bbox": [-29.59652, 41.25536, -29.58304, 41.26479],
    "zoom": 16,
    "prompt": [{"type": "point", "data": {"lng": -29.58979, "lat": 41.26234}}],
}


def member(server, **inputs):
    answer = server.segment({**LAKE, **inputs})
    assert answer.status_code == 200, answer.text
    return answer.json()["samgis"]


def test_models_that_share_an_encoder_share_what_it_saw(server):
    first = member(server)
    assert first["model"]["id"] == ModelSettings().default
    second = member(server, model="mobile-sam")
    assert second["model"]["id"] == "mobile-sam"
    assert second["model"]["digest"] != first["model"]["digest"]
    assert second["cache"] == "hit"


def test_a_model_that_is_not_there_is_a_problem_that_lists_those_that_are(server):
    answer = server.segment({**LAKE, "model": "sam-12"})
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert error["input"] == "model"
    assert "mobile-sam-maps" in error["limit"]


def test_all_readings_of_a_click_come_back_best_first(server):
    best = server.segment(LAKE).json()["features"]
    every = server.segment({**LAKE, "masks": "all"}).json()["features"]
    assert every[0] == best[0]
    assert [f["properties"]["alternative"] for f in every] == list(range(len(every)))
    assert len(every) > 1
    assert all(0 <= f["properties"]["score"] <= 1 for f in every)
