"""Which window the map page asks for: its pure part, called in the browser."""

import pytest

WORLD = {"min_zoom": 0, "native_zoom": 19, "max_zoom": 19, "bounds": None}
SMALL = {"min_zoom": 12, "native_zoom": 16, "max_zoom": 18, "bounds": [10, 45, 10.2, 45.1]}
VIEW = {"bbox": [10, 45, 10.04, 45.03], "zoom": 14}  # 466 x 494 pixels
ASK = """async (wish) => {
    const { windowFor } = await import("/assets/map/windows.js");
    return windowFor({ maxPixels: 4194304, current: null, seen: null, ...wish });
}"""


def point(lng, lat):
    return {"type": "point", "lng": lng, "lat": lat, "label": 1}


@pytest.fixture(scope="module")
def window_for(server, chromium):
    """Call the page's `windowFor`."""
    page = chromium.new_page()
    page.goto(f"{server.url}/processes/segment?f=html")
    yield lambda **wish: page.evaluate(ASK, {"view": VIEW, "source": WORLD, **wish})
    page.close()


def test_it_is_the_view_in_pixels_that_fill_the_encoder(window_for):
    chosen = window_for(prompts=[point(10.02, 45.01)])["window"]
    assert chosen == {"bbox": VIEW["bbox"], "zoom": 15}


def test_it_is_kept_while_the_prompts_lie_in_it_and_the_zoom_is_near(window_for):
    current = {"bbox": [9.99, 44.99, 10.05, 45.05], "zoom": 15}
    prompts = [point(10.02, 45.01)]
    assert window_for(prompts=prompts, current=current)["window"] == current
    far = {**VIEW, "zoom": 17}
    close = {"bbox": [10.018, 45.008, 10.023, 45.0117], "zoom": 17}
    assert window_for(prompts=prompts, current=current, view=far)["window"] != current
    assert window_for(prompts=prompts, current=current, view=close)["window"]["zoom"] == 18


def test_what_the_server_widened_counts(window_for):
    current = {"bbox": [10, 45, 10.01, 45.01], "zoom": 15}
    wish = {"prompts": [point(10.03, 45.01)], "current": current}
    assert window_for(**wish)["window"] != current
    assert window_for(**wish, seen=[9.9, 44.9, 10.1, 45.1])["window"] == current


def test_it_is_cut_to_the_picture(window_for):
    view = {"bbox": [9.9, 44.9, 10.1, 45.05], "zoom": 13}
    chosen = window_for(prompts=[point(10.05, 45.02)], view=view, source=SMALL)["window"]
    assert chosen["bbox"] == [10, 45, 10.1, 45.05]
    away = window_for(prompts=[point(9.95, 45.02)], view=view, source=SMALL)
    assert "does not reach" in away["reason"]["title"]
    behind = window_for(prompts=[point(9.95, 45.02), point(10.05, 45.02)], view=view, source=SMALL)
    assert "beside" in behind["reason"]["title"]


def test_prompts_that_lie_apart_share_a_coarser_one_or_are_refused(window_for):
    near = window_for(prompts=[point(10.1, 45.01), point(10.02, 45.01)])["window"]
    west, _, east, _ = near["bbox"]
    assert west <= 10
    assert east > 10.1
    far = window_for(prompts=[point(12, 45.01), point(10.02, 45.01)])
    assert "Too far" in far["reason"]["title"]


def test_it_crosses_the_antimeridian(window_for):
    view = {"bbox": [179.98, -17.02, -179.98, -16.99], "zoom": 14}
    chosen = window_for(prompts=[point(-179.99, -17), point(179.99, -17)], view=view)["window"]
    assert chosen["bbox"] == view["bbox"]
    beyond = window_for(prompts=[point(-179.97, -17), point(179.99, -17)], view=view)["window"]
    assert beyond["bbox"][0] > 179
    assert -180 < beyond["bbox"][2] < -179.96


def test_a_view_with_too_many_pixels_asks_to_zoom_in(window_for):
    view = {"bbox": [0, 0, 40, 30], "zoom": 6}
    reason = window_for(prompts=[point(10, 10)], view=view, source={**WORLD, "min_zoom": 12})[
        "reason"
    ]
    assert "Zoom in" in reason["detail"]
