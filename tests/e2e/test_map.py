"""The map page in a real browser: what somebody does with it, on a real server.

`window.samgis` is the page's own handle: `store`, `map`, `answers()`.
"""

import statistics

import pytest
import shapely

from samgis_process.sources import sample

PAGE = "/processes/segment?f=html"
LAKE = (-29.58979, 41.26234)
WOOD = (-29.56339, 41.26291)
POND = (-29.56464, 41.25426)
VOLCANO_BOX = (-29.5785, 41.2669, -29.5602, 41.2805)
OUTLINES = ".leaflet-overlay-pane path.outline"


@pytest.fixture(scope="module")
def truth():
    """True outlines of the sample scene by name."""
    features = sample.truth()["features"]
    return {f["properties"]["name"]: shapely.geometry.shape(f["geometry"]) for f in features}


@pytest.fixture
def open_map(server, visit):
    """Open the map page; it is ready when this returns."""

    def open_(url=server.url, **options):
        page = visit(url + PAGE, **options)
        ready(page)
        return page

    return open_


def ready(page):
    page.wait_for_function("() => window.samgis")
    page.wait_for_selector(".leaflet-tile-loaded")


def on_screen(page, lng, lat):
    """Return where a place is, pixels of the page."""
    return page.evaluate(
        """([lng, lat]) => {
            const { map } = window.samgis;
            const { x, y } = map.latLngToContainerPoint([lat, lng]);
            const { left, top } = map.getContainer().getBoundingClientRect();
            return [x + left, y + top];
        }""",
        [lng, lat],
    )


def click(page, place, **options):
    page.mouse.click(*on_screen(page, *place), **options)


def exclude(page, place):
    page.keyboard.down("Shift")
    click(page, place)
    page.keyboard.up("Shift")


def tool(page, name):
    return page.locator("#tools").get_by_role("button", name=name, exact=True)


def settled(page):
    """Wait until every object that was asked for has its answer."""
    page.wait_for_function("""() => {
        const { store, asking } = window.samgis;
        const isUsable = ({ type, label }) => type === "rectangle" || label === 1;
        const asked = store.get().objects.filter(({ prompts }) => prompts.some(isUsable));
        const isDone = asked.every((one) => asking.answerOf(one).isFresh);
        return asking.status.phase === "idle" && isDone;
    }""")


def found(page):
    """Return the outlines on the page, shapes by the objects' names."""
    settled(page)
    features = page.evaluate("() => window.samgis.answers().features")
    return {f["properties"]["name"]: shapely.geometry.shape(f["geometry"]) for f in features}


def prompts(page):
    """Return the prompts of all objects."""
    return page.evaluate("() => window.samgis.store.get().objects.map(({ prompts }) => prompts)")


def iou(a, b):
    return a.intersection(b).area / a.union(b).area


def said(page):
    return page.locator("#announcements").inner_text()


def segment_requests(page):
    return [url for method, url in page.watch.requests if url.endswith("/segment/execution")]


def test_a_click_shows_the_outline_of_what_was_clicked(open_map, truth):
    page = open_map()
    click(page, LAKE)
    assert iou(found(page)["Object 1"], truth["Heron Lake"]) > 0.9
    assert page.locator(OUTLINES).count() == 1
    path = page.locator(OUTLINES).bounding_box()
    west, _, east, _ = truth["Heron Lake"].bounds
    left, right = (on_screen(page, lng, LAKE[1])[0] for lng in (west, east))
    assert path["x"] == pytest.approx(left, abs=8)
    assert path["x"] + path["width"] == pytest.approx(right, abs=8)
    page.wait_for_function("() => document.querySelector('#announcements').textContent")
    assert "Outline found" in said(page) or "readings" in said(page)


def test_nothing_leaves_and_the_page_says_where_the_time_went(open_map, server, script):
    page = open_map()
    click(page, LAKE)
    settled(page)
    assert all(url.startswith((server.url, "data:")) for _, url in page.watch.requests)
    assert "finding the object" in page.locator("#hops .bar").get_attribute("aria-label")
    assert "pixels of" in page.locator("#hops").inner_text()
    assert page.locator("path.encoder-window").count() == 1
    assert "Sample scene" in page.locator(".leaflet-control-attribution").inner_text()
    assert script("chromium").axe(page) == []


def test_the_next_click_refines_and_meets_what_was_seen(open_map, truth):
    page = open_map()
    click(page, LAKE)
    settled(page)
    click(page, (-29.58893, 41.26048))
    assert iou(found(page)["Object 1"], truth["Heron Lake"]) > 0.9
    assert page.evaluate("() => window.samgis.asking.last.samgis.cache") == "hit"


def test_shift_and_the_tool_leave_out(open_map):
    page = open_map()
    click(page, LAKE)
    exclude(page, WOOD)
    tool(page, "Exclude").click()
    click(page, POND)
    assert [one["label"] for one in prompts(page)[0]] == [1, 0, 0]
    assert not found(page)["Object 1"].covers(shapely.Point(WOOD))


def test_points_to_leave_out_alone_ask_for_a_point_on_the_object(open_map):
    page = open_map()
    exclude(page, LAKE)
    assert "Add a point on the object" in page.locator("#objects").inner_text()
    assert segment_requests(page) == []


def test_a_rectangle_is_dragged(open_map, truth):
    page = open_map()
    tool(page, "Box").click()
    west, south, east, north = VOLCANO_BOX
    page.mouse.move(*on_screen(page, west, north))
    page.mouse.down()
    page.mouse.move(*on_screen(page, (west + east) / 2, (south + north) / 2))
    page.mouse.move(*on_screen(page, east, south))
    page.mouse.up()
    assert iou(found(page)["Object 1"], truth["Mount Ember"]) > 0.8
    click(page, ((west + east) / 2, (south + north) / 2))
    assert [one["type"] for one in prompts(page)[0]] == ["rectangle", "point"]


def test_undo_and_redo_are_instant(open_map):
    page = open_map()
    click(page, LAKE)
    first = found(page)["Object 1"]
    exclude(page, WOOD)
    settled(page)
    page.wait_for_timeout(600)
    asked = len(segment_requests(page))
    page.keyboard.press("Control+z")
    assert len(prompts(page)[0]) == 1
    assert found(page)["Object 1"].equals(first)
    page.keyboard.press("Control+z")
    assert page.locator(OUTLINES).count() == 0
    page.keyboard.press("Control+Shift+z")
    tool(page, "Redo").click()
    assert len(prompts(page)[0]) == 2
    settled(page)
    assert len(segment_requests(page)) == asked


def test_clearing_can_be_undone(open_map):
    page = open_map()
    click(page, LAKE)
    settled(page)
    tool(page, "Clear all").click()
    assert prompts(page) == [[]]
    assert page.locator(OUTLINES).count() == 0
    tool(page, "Undo").click()
    assert found(page)


def test_other_readings_of_a_click_are_shown_and_can_be_chosen(open_map):
    page = open_map()
    click(page, LAKE)
    chips = page.locator(".chip")
    chips.nth(1).wait_for()
    first = found(page)["Object 1"]
    shown = page.locator(OUTLINES).get_attribute("d")
    chips.nth(1).hover()
    assert page.locator(OUTLINES).get_attribute("d") != shown
    page.mouse.move(300, 300)
    assert page.locator(OUTLINES).get_attribute("d") == shown
    chips.nth(1).click()
    assert not found(page)["Object 1"].equals(first)
    assert chips.nth(1).get_attribute("aria-pressed") == "true"
    page.wait_for_timeout(300)
    page.reload()
    ready(page)
    assert not found(page)["Object 1"].equals(first)


def test_several_objects_with_names_of_their_own(open_map, truth):
    page = open_map()
    click(page, LAKE)
    page.get_by_label("Name").fill("Heron Lake")
    page.get_by_role("button", name="New object").click()
    click(page, WOOD)
    outlines = found(page)
    assert iou(outlines["Heron Lake"], truth["Heron Lake"]) > 0.9
    assert iou(outlines["Object 2"], truth["Raven Wood"]) > 0.7
    colours = page.locator(OUTLINES).evaluate_all(
        "all => all.map(one => one.getAttribute('stroke'))"
    )
    assert len(set(colours)) == 2
    page.get_by_role("button", name="Hide Heron Lake").click()
    assert page.locator(OUTLINES).count() == 1
    page.get_by_role("button", name="Remove Object 2").click()
    assert list(found(page)) == ["Heron Lake"]


def test_a_point_is_moved_and_taken_away(open_map, truth):
    page = open_map()
    click(page, WOOD)
    settled(page)
    page.mouse.move(*on_screen(page, *WOOD))
    page.mouse.down()
    page.mouse.move(*on_screen(page, *POND), steps=5)
    page.mouse.up()
    assert iou(found(page)["Object 1"], truth["Mirror Pond"]) > 0.7
    page.locator(".prompt").press("Delete")
    assert prompts(page) == [[]]


def test_a_reload_keeps_everything_and_two_tabs_do_not_fight(open_map, server):
    page = open_map()
    click(page, LAKE)
    before = found(page)["Object 1"]
    page.wait_for_timeout(400)
    other = page.context.new_page()
    other.goto(server.url + PAGE)
    ready(other)
    assert prompts(other) == prompts(page)
    tool(other, "Clear all").click()
    other.wait_for_timeout(400)
    page.reload()
    ready(page)
    assert found(page)["Object 1"].equals_exact(before, 1e-6)
    assert prompts(other) == [[]]


def test_what_was_kept_badly_is_ignored(open_map, server):
    page = open_map()
    page.evaluate("""() => {
        const objects = [{ id: "1", prompts: [{ type: "point" }] }];
        const bad = { version: 1, state: { objects } };
        for (const storage of [sessionStorage, localStorage]) storage.clear();
        localStorage.setItem("samgis-map", JSON.stringify(bad));
    }""")
    page.close(run_before_unload=False)
    context = page.context
    again = context.new_page()
    again.goto(server.url + PAGE)
    ready(again)
    assert prompts(again) == [[]]


def test_the_server_goes_and_comes_and_nothing_is_lost(another_server, open_map, tmp_path):
    server = another_server(tmp_path)
    page = open_map(server.url)
    page.watch.expect("ERR_CONNECTION_REFUSED", "failed: ")
    server.stop()
    click(page, LAKE)
    alert = page.get_by_role("alert")
    alert.get_by_text("The server does not answer").wait_for()
    assert len(prompts(page)[0]) == 1
    server.start()
    alert.get_by_role("button", name="Try again").click()
    assert found(page)
    assert not page.locator("#problem").is_visible()


def test_a_fault_of_the_source_is_said_in_words(open_map):
    page = open_map()
    page.watch.expect("status: 50", "status of 50", "/map/tiles/dead/")
    page.evaluate("() => window.samgis.store.set({ source: 'dead' })")
    page.evaluate("() => window.samgis.map.setView([41.26, -29.58], 16, { animate: false })")
    page.mouse.click(400, 400)
    page.locator("#problem").wait_for()
    words = page.get_by_role("alert").inner_text()
    assert "dead" in words
    assert "s3cret" not in words
    assert len(prompts(page)[0]) == 1


def test_the_newest_answer_wins(open_map):
    """The answer to the first click is held back until after the answer to the second."""
    page = open_map()
    held = []

    def hold(route):
        if len(held) == 0:
            held.append(route)
        else:
            route.continue_()

    page.route("**/execution", hold)
    click(page, LAKE)
    page.wait_for_timeout(200)
    exclude(page, WOOD)
    settled(page)
    newest = page.locator(OUTLINES).get_attribute("d")
    held[0].continue_()
    page.wait_for_timeout(300)
    assert page.locator(OUTLINES).get_attribute("d") == newest
    assert len(prompts(page)[0]) == 2


def test_while_it_waits_the_page_says_what_for(open_map):
    page = open_map()
    held = []

    def hold(route):
        held.append(route)

    page.route("**/execution", hold)
    click(page, LAKE)
    page.locator("#waiting").wait_for()
    page.wait_for_function("() => /\\d s/.test(document.querySelector('#waiting').textContent)")
    assert "first time" in page.locator("#waiting").inner_text()
    held[0].continue_()
    settled(page)
    assert not page.locator("#waiting").is_visible()


def test_another_place_gets_another_window_and_too_far_is_explained(open_map):
    page = open_map()
    page.evaluate("() => window.samgis.map.setView([41.2626, -29.5634], 17, { animate: false })")
    click(page, WOOD)
    settled(page)
    first = page.evaluate("() => window.samgis.store.get().window")
    click(page, (-29.5640, 41.2620))
    assert page.evaluate("() => window.samgis.store.get().window") == first
    page.evaluate("() => window.samgis.map.setView([41.2765, -29.5950], 19, { animate: false })")
    page.mouse.click(400, 400)
    assert "Too far" in page.get_by_role("alert").inner_text()
    assert len(prompts(page)[0]) == 2


def test_beside_the_picture_nothing_is_asked(open_map):
    page = open_map()
    click(page, (-29.6060, 41.26))
    assert "does not reach" in page.get_by_role("alert").inner_text()
    assert prompts(page) == [[]]
    click(page, LAKE)
    assert not page.locator("#problem").is_visible()


def test_another_picture_keeps_the_points_or_says_why_not(open_map):
    page = open_map()
    click(page, LAKE)
    imagery = found(page)["Object 1"]
    page.get_by_label("Source").select_option("sample-dem")
    assert not found(page)["Object 1"].equals(imagery)
    assert len(prompts(page)[0]) == 1
    page.evaluate("() => window.samgis.map.setView([41.26, -29.58], 19, { animate: false })")
    tool(page, "Clear all").click()
    page.mouse.click(400, 400)
    settled(page)
    # It is asked for the object too, if the page lives long enough; nobody answers there.
    page.watch.expect(r"status: (400|502|504) ", r"status of (400|502|504)")
    page.get_by_label("Source").select_option("terrarium")
    zoom = page.evaluate("() => window.samgis.store.get().window.zoom")
    assert zoom == 15, "the source goes no deeper"


def test_with_the_keyboard_alone(open_map, truth):
    page = open_map()
    page.evaluate("() => window.samgis.map.setView([41.2600, -29.5900], 15, { animate: false })")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # the link to the map
    page.wait_for_function("() => document.activeElement.id === 'map'")
    page.keyboard.press("ArrowUp")
    page.wait_for_timeout(500)
    assert page.locator("#cross").is_visible()
    page.keyboard.press("Enter")
    assert iou(found(page)["Object 1"], truth["Heron Lake"]) > 0.8
    for _ in range(3):
        page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("Shift+Enter")
    assert [one["label"] for one in prompts(page)[0]] == [1, 0]
    page.keyboard.press("Delete")
    assert len(prompts(page)[0]) == 1
    page.keyboard.press("n")
    page.keyboard.press("b")
    for arrow in ("ArrowRight", "ArrowDown"):
        page.keyboard.press(arrow)
        page.wait_for_timeout(500)
    page.keyboard.press("b")
    assert prompts(page)[1][0]["type"] == "rectangle"
    page.keyboard.press("Control+y")
    page.keyboard.press("Control+z")
    assert len(prompts(page)) == 2
    settled(page)
    page.keyboard.press("?")
    assert page.get_by_role("dialog").is_visible()
    page.keyboard.press("Escape")
    assert not page.get_by_role("dialog").is_visible()


def test_on_a_phone_by_touch(open_map, truth, script):
    page = open_map(phone=True)
    page.touchscreen.tap(*on_screen(page, *LAKE))
    assert iou(found(page)["Object 1"], truth["Heron Lake"]) > 0.85
    tool(page, "Exclude").tap()
    page.touchscreen.tap(*on_screen(page, *WOOD))
    assert [one["label"] for one in prompts(page)[0]] == [1, 0]
    page.get_by_role("button", name="New object").tap()
    tool(page, "Box").tap()
    west, south, east, north = VOLCANO_BOX
    drag(page, on_screen(page, west, north), on_screen(page, east, south))
    assert iou(found(page)["Object 2"], truth["Mount Ember"]) > 0.75
    tool(page, "Include").tap()
    page.touchscreen.tap(*on_screen(page, -29.5690, 41.2740))
    assert len(prompts(page)[1]) == 2
    buttons = page.locator(".toolbar button, .tabs button, .panel-head button")
    sizes = buttons.evaluate_all("""all => all
        .map((one) => one.getBoundingClientRect())
        .map(({ width, height }) => Math.min(width, height))""")
    assert min(size for size in sizes if size) >= 44
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    assert script("chromium").axe(page) == []
    page.get_by_role("button", name="Panel").tap()
    assert not page.get_by_role("tab", name="Segment").is_visible()


def drag(page, start, end):
    """Drag a finger."""
    session = page.context.new_cdp_session(page)
    middle = [(a + b) / 2 for a, b in zip(start, end, strict=True)]
    for kind, at in (("Start", start), ("Move", middle), ("Move", end), ("End", None)):
        points = [{"x": at[0], "y": at[1]}] if at else []
        session.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})


def test_in_the_dark(open_map, script):
    page = open_map(dark=True)
    click(page, LAKE)
    settled(page)
    ground = page.evaluate(
        "() => getComputedStyle(document.querySelector('.panel')).backgroundColor"
    )
    assert sum(map(int, ground.removeprefix("rgb(").removesuffix(")").split(","))) < 150
    assert script("chromium").axe(page) == []


def test_without_scripts_the_page_points_to_the_form(server, visit):
    page = visit(server.url + PAGE, java_script_enabled=False)
    page.watch.expect("csp")  # scripts that are off count as refused
    link = page.get_by_role("link", name="the plain form")
    assert link.get_attribute("href") == "/processes/segment/form"
    assert not page.locator("#tools").is_visible()


# Puts into `window.times` what passed from a click to the frame that shows its outline.
STOPWATCH = """() => {
    const { asking } = window.samgis;
    let clicked = null;
    window.times = [];
    addEventListener("click", ({ timeStamp }) => { clicked = timeStamp; }, true);
    asking.subscribe(() => {
        if (clicked === null || asking.status.phase !== "idle") return;
        const [from, server] = [clicked, asking.last.samgis.timings_ms.total];
        clicked = null;
        requestAnimationFrame(() => setTimeout(() =>
            window.times.push([performance.now() - from, server])));
    });
}"""
MOST_MS = 60


@pytest.mark.alone
def test_the_page_adds_little_to_the_servers_own_time(open_map):
    """The best round counts: other work on the machine only adds."""
    page = open_map()
    click(page, LAKE)
    settled(page)
    page.evaluate(STOPWATCH)
    rounds = [one_round(page, number) for number in range(3)]
    while min(rounds) > MOST_MS and len(rounds) < 9:
        rounds.append(one_round(page, len(rounds)))
    print(f"click to outline, ms more than the server's own: {rounds}")
    assert min(rounds) <= MOST_MS


def one_round(page, number):
    """Return the median of 6 clicks, ms that the page and the way take."""
    page.evaluate("() => { window.times.length = 0; }")
    for index in range(6):
        tool(page, "Clear all").click()
        click(page, (-29.5915 + 0.0007 * index, 41.2605 + 0.0003 * number))
        page.wait_for_function("count => window.times.length === count", arg=index + 1)
        page.wait_for_timeout(150)
    return statistics.median(
        every - server for every, server in page.evaluate("() => window.times")
    )
