"""Parts of the map page in a real browser: search, links, export, jobs, terrain."""

import json
import re
import subprocess
import sys
from urllib.parse import quote

import geopandas
import numpy as np
import pytest
import rasterio
import requests
import yaml
from PIL import Image
from shapely.geometry import Point

PLACES = {
    "47.37, 8.54": (8.54, 47.37),
    "8.54 47.37": (47.37, 8.54),
    "47,37 8,54": (8.54, 47.37),
    "-122.4, 37.8": (-122.4, 37.8),
    "\u221229.5; 10": (10, -29.5),
    "47°22'12\"N 8°32'24\"E": (8.54, 47.37),
    "47°22\u203212\u2033 8°32\u203224\u2033": (8.54, 47.37),
    "N 47 22 12, E 8 32 24": (8.54, 47.37),
    "41°15'36\"S 174°46'W": (-174.7666667, -41.26),
    "8.54E 47.37N": (8.54, 47.37),
    "geo:47.37,8.54;u=35?z=15": (8.54, 47.37),
    "https://www.openstreetmap.org/#map=14/47.37/8.54&layers=N": (8.54, 47.37),
}
UNREADABLE = {
    "": "Write a place",
    "Zurich": "not understood",
    "95, 200": "95 is no latitude",
    "10, 200": "200 is no longitude",
    "88, 10": "ends at 85",
    "47 61 0 N, 8 E": "below 60",
    "47N 8N": "the other E or W",
    "8.4 47.5 8.6 47.3": "south is not below north",
    "geo:47.37,8.54;crs=EPSG-2056": "EPSG-2056",
}
READ = """async (text) => {
  const { readPlace } = await import("/assets/map/coordinates.js");
  try { return readPlace(text); } catch (error) { return { message: error.message }; }
}"""
DECODE = """async (hash) => {
  const { decodeLink } = await import("/assets/map/link_text.js");
  try {
    return decodeLink(hash);
  } catch (error) {
    return `${error.constructor.name}: ${error.message}`;
  }
}"""
ENCODE = """async (state) => {
  const { encodeLink } = await import("/assets/map/link_text.js");
  return encodeLink(state);
}"""
VIEW = {"lng": -29.5896123, "lat": 41.26, "zoom": 16}
HOSTILE = (
    "#v=1",
    "#v=2&at=1/2/3",
    "#v=1&at=//",
    "#v=1&at=1e400/41/-29",
    "#v=1&at=16/NaN/-29",
    "#v=1&at=16/41/-29&o=a~red~00~i1.1",
    "#v=1&at=16/41/-29&o=a~ff0000~00~constructor",
    "#v=1&at=16/41/-29&o=a~ff0000~00~izzzzzzzz.1",
    "#v=1&at=16/41/-29&o=a~ff0000~00~i1.1.1.1",
    "#v=1&at=16/41/-29" + "&o=a~ff0000~00~i1.1" * 300,
    "#v=1&at=16/41/-29&o=a~ff0000~00~" + "_".join(["i1.1"] * 1001),
    "#v=1&at=16/41/-29&window=16_1.1.1.1",
    "#v=1&at=16/41/-29&x=" + "x" * 20_000,
)


@pytest.fixture
def blank(server, visit):
    """A page of the server without scripts of its own."""
    return visit(f"{server.url}/conformance?f=json")


def test_places_are_read_as_people_write_them(blank):
    for text, (lng, lat) in PLACES.items():
        place = blank.evaluate(READ, text)
        assert (place.get("lng"), place.get("lat")) == (lng, lat), (text, place)
        assert str(lat) in place["said"], place
    assert blank.evaluate(READ, "47.37, 8.54")["other"]["lng"] == 47.37
    assert "other" not in blank.evaluate(READ, "47.37N 8.54E")
    assert blank.evaluate(READ, "[8.4, 47.3, 8.6, 47.5]")["bounds"] == [8.4, 47.3, 8.6, 47.5]
    assert blank.evaluate(READ, "#map=14/47.37/8.54")["zoom"] == 14


def test_what_is_no_place_is_refused_in_words(blank):
    for text, words in UNREADABLE.items():
        assert words in blank.evaluate(READ, text).get("message", ""), text


def test_a_link_restores_fifty_prompts_to_the_centimetre_in_2000_characters(blank):
    def point(number):
        at = {"lng": VIEW["lng"] + number * 2.1234567e-4, "lat": VIEW["lat"] - number * 1.7e-4}
        return {"type": "point", **at, "label": number % 2}

    def box(number):
        low = {"west": VIEW["lng"] - number * 3e-4, "south": VIEW["lat"] - number * 2e-4}
        high = {"east": VIEW["lng"] + number * 1e-4, "north": VIEW["lat"] + number * 2e-4}
        return {"type": "rectangle", **low, **high}

    prompts = [point(n) for n in range(25)] + [box(n) for n in range(1, 26)]
    objects = [
        {
            "name": f"Häuser & <b>Höfe</b> {n}", "colour": "#0b6b5d", "hidden": n == 3,
            "alternative": n % 3, "prompts": prompts[n * 10 : n * 10 + 10],
        }
        for n in range(5)
    ]  # fmt: skip
    state = {
        "source": "sample-dem", "model": "mobile-sam-maps", "rendering": "terrain",
        "tab": "segment", "view": VIEW, "objects": objects,
        "window": {"bbox": [-29.6, 41.25, -29.58, 41.27], "zoom": 16},
    }  # fmt: skip
    hash_ = blank.evaluate(ENCODE, state)
    assert blank.evaluate(
        ENCODE, {**state, "view": {"lng": 1e-7, "lat": -1e-8, "zoom": 10}}
    ).startswith("#v=1&at=10/-0/0.0000001&")
    assert len(hash_) < 1900, hash_
    found = blank.evaluate(DECODE, hash_)
    for name in ("source", "model", "rendering", "tab", "view", "window"):
        assert found[name] == state[name], name
    for before, after in zip(objects, found["objects"], strict=True):
        assert {k: v for k, v in after.items() if k != "prompts"} == {
            k: v for k, v in before.items() if k != "prompts"
        }
        for one, other in zip(before["prompts"], after["prompts"], strict=True):
            assert other == {k: pytest.approx(v, abs=1e-7) for k, v in one.items()}


def test_a_name_is_cut_between_characters(blank):
    one = {"name": "🌋" * 80 + "\ud800", "colour": "#ff0000", "prompts": []}
    one["prompts"] = [{"type": "point", "label": 1, "lng": VIEW["lng"], "lat": VIEW["lat"]}]
    hash_ = blank.evaluate(ENCODE, {"source": "ein Bild", "view": VIEW, "objects": [one]})
    found = blank.evaluate(DECODE, hash_)
    assert found["objects"][0]["name"] == "🌋" * 60
    assert found["source"] == "ein Bild"


def test_hostile_links_are_refused(blank):
    for text in HOSTILE:
        assert str(blank.evaluate(DECODE, text)).startswith("BadLink: "), text[:80]
    assert blank.evaluate(DECODE, "#somewhere-else") is None


LAKE = {"lng": -29.58979, "lat": 41.26234}
WINDOW = (-29.59652, 41.25536, -29.58304, 41.26479)
OUTLINE = "path.outline:not(.stale)"


def base36(number):
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    text = ""
    while number or not text:
        number, last = divmod(number, 36)
        text = digits[last] + text
    return text


def places(*degrees):
    """Return longitudes and latitudes by turns as a link has them."""
    steps = [
        round((one - LAKE["lat" if at % 2 else "lng"]) * 1e7) for at, one in enumerate(degrees)
    ]
    return ".".join(base36(-2 * one - 1 if one < 0 else 2 * one) for one in steps)


def link(server, *objects, source="sample", tab="segment", at="16"):
    """Return the address of the page with objects, each (name, prompts as a link has them)."""
    colours = ("ffb000", "19b5fe", "ff4d9d")
    texts = [
        f"&o={name}~{colour}~00~{prompts}"
        for (name, prompts), colour in zip(objects, colours, strict=False)
    ]
    window = f"&window=16_{places(*WINDOW)}" if objects else ""
    view = f"#v=1&at={at}/{LAKE['lat']}/{LAKE['lng']}&source={source}&tab={tab}{window}"
    return f"{server.url}/processes/segment?f=html{view}{''.join(texts)}"


LAKE_POINT = "i" + places(*LAKE.values())
FIELD_BOX = "r" + places(-29.5862, 41.2625, -29.5840, 41.2640)


@pytest.fixture
def open_map(server, visit):
    """Open the page by a link, and wait until it works and shows its outlines.

    Whatever a test does, nobody but the server is asked.
    """
    pages = []

    def open_(*objects, options=None, **place):
        page = visit(link(server, *objects, **place), **(options or {}))
        pages.append(page)
        page.wait_for_function("() => window.samgis")
        if objects:
            page.wait_for_function(
                f"() => document.querySelectorAll('{OUTLINE}').length === {len(objects)}",
                timeout=60_000,
            )
        return page

    yield open_
    asked = {address for page in pages for _, address in page.watch.requests}
    assert all(one.startswith((server.url, "data:", "blob:")) for one in asked), asked


def pressed(page, name, *, exact=True):
    page.get_by_role("button", name=name, exact=exact).click()


def saved(page, name, directory):
    """Press a button and return the file that it saves."""
    with page.expect_download(timeout=60_000) as download:
        pressed(page, name, exact=False)
    path = directory / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_geojson_holds_what_is_on_screen(open_map, tmp_path):
    page = open_map(("Lake", LAKE_POINT), ("Field", FIELD_BOX))
    page.evaluate("""() => {
        const { objects } = samgis.store.get();
        const hide = (one) => ({ ...one, hidden: one.name === "Field" });
        samgis.store.set({ objects: objects.map(hide) });
    }""")
    path = saved(page, "GeoJSON", tmp_path)
    assert re.fullmatch(r"samgis-sample-20\d\d-\d\d-\d\d\.geojson", path.name)
    table = geopandas.read_file(path)
    assert list(table["name"]) == ["Lake"]
    assert table.geometry.is_valid.all()
    assert table.geometry[0].contains(Point(*LAKE.values()))
    shown = page.evaluate("() => samgis.answers()")
    assert json.loads(path.read_text())["samgis"] == shown["samgis"]


def test_the_chosen_alternative_is_saved(open_map, tmp_path):
    page = open_map(("Lake", LAKE_POINT))
    chips = page.locator("#alternatives .chip")
    chips.nth(1).click()
    table = geopandas.read_file(saved(page, "GeoJSON", tmp_path))
    assert list(table["alternative"]) == [1]


def test_without_prompts_there_is_nothing_to_save(open_map):
    page = open_map()
    for name in ("GeoJSON", "GeoPackage", "curl"):
        assert page.get_by_role("button", name=name, exact=True).is_disabled()
    assert page.get_by_text("Place a point or draw a box first.", exact=True).is_visible()


def copied(page, name):
    pressed(page, name)
    return page.evaluate("() => navigator.clipboard.readText()")


def polygons(collection):
    return [feature["geometry"] for feature in collection["features"]]


def test_copied_curl_and_python_answer_as_the_page_does(open_map, server, tmp_path):
    nasty = 'it\'s $(touch owned) `touch owned` "<&>" ü'
    options = {"options": {"permissions": ["clipboard-read", "clipboard-write"]}}
    page = open_map((quote(nasty), f"{LAKE_POINT}_e{places(-29.586, 41.258)}"), **options)
    shown = polygons(page.evaluate("() => samgis.answers()"))
    assert len(shown) == 1

    command = copied(page, "curl")
    run = subprocess.run(
        ["sh", "-c", command], capture_output=True, cwd=tmp_path, timeout=60, check=True
    )
    assert polygons(json.loads(run.stdout)) == shown

    (tmp_path / "copied.py").write_text(copied(page, "Python"))
    subprocess.run([sys.executable, "copied.py"], cwd=tmp_path, timeout=60, check=True)
    (written,) = tmp_path.glob("*.geojson")
    assert polygons(json.loads(written.read_text())) == shown

    answer = server.segment({}, json=json.loads(copied(page, "OGC JSON")))
    assert polygons(answer.json()) == shown
    assert answer.json()["features"][0]["properties"]["name"] == nasty
    assert not (tmp_path / "owned").exists()


def test_a_key_is_never_copied(open_map):
    options = {"options": {"permissions": ["clipboard-read", "clipboard-write"]}}
    page = open_map(("Lake", LAKE_POINT), **options)
    page.evaluate("() => import('/assets/pages/key.js').then(({ setKey }) => setKey('s3cret'))")
    for name in ("curl", "Python", "OGC JSON"):
        text = copied(page, name)
        assert "s3cret" not in text
        assert ("SAMGIS_API_KEY" in text) == (name != "OGC JSON")


def test_where_the_clipboard_is_refused_the_text_is_shown_and_selected(open_map):
    page = open_map(("Lake", LAKE_POINT))
    page.evaluate("() => Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    pressed(page, "curl")
    dialog = page.get_by_role("dialog")
    assert "curl --fail-with-body" in dialog.get_by_role("textbox").input_value()
    assert page.evaluate("() => String(document.getSelection())").startswith("curl")
    page.keyboard.press("Escape")
    assert dialog.count() == 0


def objects_of(page):
    return page.evaluate("() => samgis.store.get().objects")


def test_a_link_opens_the_same_view_prompts_and_outlines_elsewhere(open_map, visit):
    options = {"permissions": ["clipboard-read", "clipboard-write"]}
    page = open_map(("Lake", LAKE_POINT), ("Field", FIELD_BOX), options=options)
    before = page.evaluate("() => samgis.answers()")
    address = copied(page, "Copy link")
    assert len(address) < 400

    other = visit(address, phone=True)  # another profile: nothing is kept there
    other.wait_for_function(
        f"() => document.querySelectorAll('{OUTLINE}').length === 2", timeout=60_000
    )
    after = other.evaluate("() => samgis.answers()")
    assert polygons(after) == polygons(before)
    assert [one["name"] for one in objects_of(other)] == ["Lake", "Field"]
    view = other.evaluate("() => samgis.store.get().view")
    assert view == {**{k: pytest.approx(v, abs=1e-5) for k, v in LAKE.items()}, "zoom": 16}


def test_the_address_follows_what_is_done_and_survives_a_reload(open_map):
    page = open_map(("Lake", LAKE_POINT))
    length = page.evaluate("() => history.length")
    page.evaluate("""() => {
        const [lake] = samgis.store.get().objects;
        const added = { ...lake.prompts[0], label: 0, lng: -29.586 };
        samgis.store.set({ objects: [{ ...lake, prompts: [...lake.prompts, added] }] });
    }""")
    page.wait_for_function("() => location.hash.includes('_e')")
    assert page.evaluate("() => history.length") == length
    page.reload()
    page.wait_for_function("() => window.samgis")
    assert [one["label"] for one in objects_of(page)[0]["prompts"]] == [1, 0]
    pressed(page, "New object", exact=False)
    page.wait_for_timeout(600)
    page.reload()
    page.wait_for_function("() => window.samgis")
    assert len(objects_of(page)) == 2  # the link leaves out what is empty, the tab does not


def test_two_tabs_keep_their_own_prompts(open_map, server):
    page = open_map(("Lake", LAKE_POINT))
    second = page.context.new_page()
    second.goto(link(server, ("Field", FIELD_BOX)))
    second.wait_for_function("() => window.samgis && location.hash.includes('Field')")
    for one in (page, second):
        one.reload()
        one.wait_for_function("() => window.samgis")
    assert [one["name"] for one in objects_of(page)] == ["Lake"]
    assert [one["name"] for one in objects_of(second)] == ["Field"]


@pytest.mark.parametrize(
    ("hash_", "words"),
    [
        ("#v=9&at=1/2/3", "another version"),
        ("#v=1&at=16/41/-29&source=nowhere", "no picture called nowhere"),
        ("#v=1&at=16/41/-29&model=nothing", "no model called nothing"),
        ("#v=1&at=16/41/-29&source=%3Cscript%3E", "no picture called <script>"),
        ("#v=1&at=16/41/-29&rendering=../../x", "no rendering called ../../x"),
        ("#v=1&at=16/41/-29&o=a~b~c~d", "broken"),
        ("#v=1&at=<img src=x onerror=alert(1)>", "where"),
    ],
)
def test_a_broken_link_says_so_and_the_page_works(server, visit, hash_, words):
    page = visit(f"{server.url}/processes/segment?f=html{hash_}")
    page.wait_for_function("() => window.samgis")
    assert words in page.locator("#problem").inner_text()
    assert page.evaluate("() => samgis.store.get().source") == "sample"
    assert objects_of(page)[0]["prompts"] == []


def test_a_hostile_name_is_shown_as_text(open_map):
    name = "<img src=x onerror=alert(1)>"
    page = open_map((quote(name), LAKE_POINT))
    page.on("dialog", lambda _: pytest.fail("a script of the link ran"))
    assert page.locator("#objects input.name").input_value() == name
    assert page.locator("img[src=x]").count() == 0


def test_a_link_opened_in_the_page_can_be_undone(open_map, server):
    page = open_map(("Lake", LAKE_POINT))
    page.evaluate("(address) => { location.href = address; }", link(server, ("Field", FIELD_BOX)))
    page.wait_for_function("() => samgis.store.get().objects[0].name === 'Field'")
    pressed(page, "Undo")
    assert objects_of(page)[0]["name"] == "Lake"


def go_to(page, text):
    page.get_by_label("Go to").fill(text)
    page.get_by_label("Go to").press("Enter")
    return page.locator("#search-said").inner_text()


def centre(page):
    page.wait_for_timeout(600)  # the flight
    return page.evaluate(
        "() => { const { lat, lng } = samgis.map.getCenter(); return [lat, lng]; }"
    )


def test_the_map_goes_to_coordinates_and_says_how_they_were_read(open_map):
    page = open_map()
    assert "latitude 41.26, longitude -29.59" in go_to(page, "41.26, -29.59")
    assert centre(page) == pytest.approx([41.26, -29.59], abs=1e-4)
    assert page.locator(".found-place").count() == 1
    said = go_to(page, "-29.59 41.26")
    assert "no picture there" in said
    pressed(page, "Swap them")
    assert centre(page) == pytest.approx([41.26, -29.59], abs=1e-4)
    go_to(page, "-29.6, 41.25, -29.58, 41.27")
    assert centre(page) == pytest.approx([41.26, -29.59], abs=1e-3)


def test_a_place_that_cannot_be_read_is_said_in_words(open_map, script):
    page = open_map()
    before = centre(page)
    assert "not understood" in go_to(page, "Zürich")
    assert page.get_by_label("Go to").get_attribute("aria-invalid") == "true"
    assert "95 is no latitude" in go_to(page, "95, 200")
    assert centre(page) == before
    assert script("chromium").axe(page) == []


def job_cards(page):
    return page.locator(".job")


def job_card(page, job):
    return page.locator(f"[data-job='{job}']")


def test_prompts_run_as_a_job_that_is_followed_shown_saved_and_dismissed(
    open_map, script, tmp_path
):
    page = open_map(("Lake", LAKE_POINT))
    page.locator("#tab-jobs").click()
    pressed(page, "Run as a job")
    card = job_cards(page).first
    card.get_by_text("done", exact=True).wait_for(timeout=60_000)
    page.wait_for_function(
        "() => document.getElementById('announcements').textContent.includes('is done')"
    )
    assert script("chromium").axe(page) == []

    card.get_by_role("button", name="Show on the map").click()
    page.locator("path.job-outline").wait_for()
    card.get_by_role("button", name="Show on the map").click()
    page.locator("path.job-outline").wait_for(state="detached")

    with page.expect_download() as download:
        card.get_by_role("button", name="Download").click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    assert path.suffix == ".geojson"
    assert geopandas.read_file(path).geometry[0].contains(Point(*LAKE.values()))

    card.get_by_role("button", name="Dismiss").click()
    card.get_by_text("dismissed", exact=True).wait_for()
    assert card.get_by_role("button").count() == 0


def submitted(server, process, media_type="application/geo+json", **inputs):
    address = f"{server.url}/processes/{process}/execution"
    body, headers = {"inputs": inputs}, {"Prefer": "respond-async", "Accept": media_type}
    answer = requests.post(address, json=body, headers=headers, timeout=30)
    assert answer.status_code == 201, answer.text
    return answer.json()["jobID"]


def test_jobs_of_others_appear_and_a_failed_one_says_why(server, open_map):
    page = open_map(tab="jobs")
    prompt = [{"type": "point", "data": LAKE}]
    job = submitted(server, "segment", source="dead", bbox=WINDOW, zoom=14, prompt=prompt)
    card = job_card(page, job)
    card.get_by_text("failed", exact=True).wait_for(timeout=60_000)
    assert "s3cret" not in page.content()
    job = submitted(server, "dem-composite", source="sample-dem", bbox=WINDOW, zoom=14)
    card = job_card(page, job)
    card.get_by_role("button", name="Files").click(timeout=60_000)
    card.locator(".files li").nth(2).wait_for()


def test_a_job_that_made_a_picture_is_there_to_download(server, open_map):
    page = open_map(tab="jobs")
    job = submitted(
        server, "dem-composite", "image/png", source="sample-dem", bbox=WINDOW, zoom=14
    )
    card = job_card(page, job)
    card.get_by_role("button", name="Files").click(timeout=60_000)
    page.locator("#problem").get_by_text("It is image/png: download it.").wait_for()
    with page.expect_download() as download:
        card.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename.endswith(".png")


def test_jobs_outlive_the_server_and_the_page_says_that_it_is_away(
    another_server, visit, tmp_path
):
    one = another_server(tmp_path / "cache")
    page = visit(link(one, ("Lake", LAKE_POINT), tab="jobs"))
    page.get_by_text("There are no jobs.").wait_for()
    page.locator(OUTLINE).wait_for(state="attached", timeout=60_000)
    pressed(page, "Run as a job")
    job_cards(page).get_by_text("done", exact=True).wait_for(timeout=60_000)
    page.watch.expect("ERR_CONNECTION_REFUSED", "ERR_EMPTY_RESPONSE", "ERR_CONNECTION_RESET")
    one.stop()
    page.locator(".failure").wait_for(timeout=60_000)
    assert "does not answer" in page.locator(".failure").inner_text()
    assert job_cards(page).count() == 1
    one.start()
    page.locator(".failure").wait_for(state="hidden", timeout=60_000)
    assert job_cards(page).get_by_text("done", exact=True).count() == 1
    assert objects_of(page)[0]["name"] == "Lake"


def test_nobody_is_asked_for_jobs_in_a_hidden_tab(open_map):
    page = open_map(tab="jobs")
    page.get_by_role("heading", name="New job").wait_for()
    page.evaluate("() => Object.defineProperty(document, 'hidden', { value: true })")
    page.wait_for_timeout(2500)
    asked = len(page.watch.requests)
    page.wait_for_timeout(4000)
    assert len(page.watch.requests) == asked


def test_terrain_is_shown_as_chosen_with_layers_and_legends(open_map, script):
    page = open_map(tab="terrain")
    pressed(page, "Show it on the map")
    page.get_by_label("Drawn as").select_option(label="Tinted multi-directional hillshade")
    page.wait_for_function("() => samgis.store.get().rendering === 'relief'")
    assert page.locator(".ramps .ramp").count() == 1
    page.get_by_label("Layer", exact=True).select_option(label="Slope")
    page.wait_for_timeout(3000)
    asked = [address for _, address in page.watch.requests]
    assert any("/sample-dem/" in one and "rendering=relief" in one for one in asked)
    assert any("/sample-dem/" in one and "layer=slope" in one for one in asked)
    assert page.locator(".ramps .ramp").count() == 2
    assert page.get_by_label("Strength").is_visible()
    assert script("chromium").axe(page) == []
    page.get_by_label("Layer", exact=True).select_option(label="none")
    assert page.locator("img[src*='layer=']").count() == 0


def test_a_click_outlines_what_it_meets_in_the_terrain(open_map):
    page = open_map(tab="terrain")
    pressed(page, "Show it on the map")
    page.get_by_label("Drawn as").select_option(value="terrain")
    page.locator("#tab-segment").click()
    box = page.locator("#map").bounding_box()
    wanted = re.compile("/segment/execution")
    with page.expect_response(wanted, timeout=60_000) as response:
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    inputs = response.value.request.post_data_json["inputs"]
    assert (inputs["source"], inputs["rendering"]) == ("sample-dem", "terrain")
    assert response.value.json()["samgis"]["rendering"] == "terrain"
    page.locator(OUTLINE).wait_for(state="attached")


def test_files_are_made_of_what_is_in_view_only(open_map):
    page = open_map(tab="terrain")
    pressed(page, "Show it on the map")
    page.evaluate("() => samgis.map.setView([10, 20], 14, { animate: false })")
    pressed(page, "Make files of this view")
    page.locator("#problem").get_by_text("Nothing of this elevation is in view").wait_for()


def test_files_of_the_terrain_in_view_are_made_and_saved(open_map, tmp_path):
    page = open_map(tab="terrain")
    pressed(page, "Show it on the map")
    page.get_by_text("Layers in the files").click()
    page.get_by_label("Slope", exact=False).first.check()
    pressed(page, "Make files of this view")
    entries = page.locator("#terrain .files li")
    entries.first.wait_for(timeout=60_000)
    files = {}
    for entry in entries.all():
        with page.expect_download() as download:
            entry.get_by_role("button").click()
        path = tmp_path / download.value.suggested_filename
        download.value.save_as(path)
        files[path.name] = path
    assert {"composite.tif", "elevation.tif", "slope.tif", "preview.png"} <= set(files)
    with rasterio.open(files["slope.tif"]) as file:
        slope = file.read(1)
        assert 0 <= np.nanmax(slope) <= 90
    with Image.open(files["preview.png"]) as picture:
        assert min(picture.size) > 100


@pytest.mark.parametrize("looks", [{}, {"dark": True, "phone": True}])
@pytest.mark.parametrize("tab", ["segment", "terrain", "jobs"])
def test_every_tab_is_accessible(open_map, script, tab, looks):
    page = open_map(("Lake", LAKE_POINT), tab=tab, options=looks)
    page.wait_for_timeout(500)
    assert script("chromium").axe(page) == []
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


def test_a_server_with_keys_lists_jobs_once_it_knows_the_key(
    another_server, tiny_model_dir, visit, tmp_path
):
    command = [sys.executable, "-m", "samgis_process", "keys", "new", "ann"]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    key, line = shown.stdout.splitlines()
    environ = {
        "SAMGIS_ACCESS__KEYS": json.dumps(yaml.safe_load(line)),
        "SAMGIS_MODELS__DIRECTORY": str(tiny_model_dir.parent),
        "SAMGIS_MODELS__DEFAULT": tiny_model_dir.name,
    }
    one = another_server(tmp_path / "cache", **environ)
    page = visit(link(one, tab="jobs"))
    page.watch.expect("status: 401", "console: .*401")
    page.locator(".failure").wait_for(timeout=30_000)
    assert "Say who you are" in page.locator(".failure").inner_text()
    page.get_by_label("API key").fill(key)
    pressed(page, "Use")
    page.get_by_text("There are no jobs.").wait_for()
    assert page.locator(".failure").is_hidden()
    assert key not in page.url


@pytest.mark.parametrize(("name", "suffix"), [("GeoPackage", ".gpkg"), ("FlatGeobuf", ".fgb")])
def test_tables_hold_the_outlines_by_name(open_map, tmp_path, name, suffix):
    page = open_map(("Lake", LAKE_POINT), ("Field", FIELD_BOX))
    path = saved(page, name, tmp_path)
    assert path.suffix == suffix
    table = geopandas.read_file(path)
    assert sorted(table["name"]) == ["Field", "Lake"]
    assert table.crs.to_epsg() == 4326
    (lake,) = table[table["name"] == "Lake"].geometry
    assert lake.contains(Point(*LAKE.values()))


def test_the_picture_shows_the_window(open_map, tmp_path):
    page = open_map(("Lake", LAKE_POINT))
    with Image.open(saved(page, "PNG", tmp_path)) as picture:
        assert picture.format == "PNG"
        assert min(picture.size) > 500


def test_the_report_can_be_posted_again(open_map, server, tmp_path):
    page = open_map(("Lake", LAKE_POINT))
    path = saved(page, "Report", tmp_path)
    assert path.name.endswith(".report.json")
    answer = server.segment({}, json=json.loads(path.read_text()))
    assert answer.status_code == 200, answer.text
    assert polygons(answer.json()) == polygons(page.evaluate("() => samgis.answers()"))


def network(page):
    """Return how to make the network slow, or to take it away."""
    usual = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    return lambda **so: session.send("Network.emulateNetworkConditions", usual | so)


def test_on_a_slow_network_a_file_is_asked_for_once_and_comes(open_map, tmp_path):
    page = open_map(("Lake", LAKE_POINT))
    network(page)(latency=1500, downloadThroughput=20_000, uploadThroughput=20_000)
    asked = []
    page.on("request", lambda one: asked.append(one.headers.get("accept")))
    with page.expect_download(timeout=60_000) as download:
        for _ in range(3):
            pressed(page, "GeoPackage")
    download.value.save_as(tmp_path / "slow.gpkg")
    assert len(geopandas.read_file(tmp_path / "slow.gpkg")) == 1
    assert asked.count("application/geopackage+sqlite3") == 1


def test_without_a_network_the_page_says_so_and_goes_on_afterwards(open_map, tmp_path):
    page = open_map(("Lake", LAKE_POINT))
    page.watch.expect("ERR_INTERNET_DISCONNECTED")
    set_network = network(page)
    set_network(offline=True)
    pressed(page, "GeoPackage")
    page.locator("#problem").get_by_text("GeoPackage: The server does not answer").wait_for()
    assert saved(page, "GeoJSON", tmp_path).stat().st_size > 500  # the page has it already
    set_network()
    assert saved(page, "GeoPackage", tmp_path).suffix == ".gpkg"
    assert objects_of(page)[0]["name"] == "Lake"


def test_scripts_come_compressed_and_are_not_sent_again_unchanged(server):
    address = f"{server.url}/assets/leaflet/leaflet.js"
    first = requests.get(address, headers={"Accept-Encoding": "gzip"}, stream=True, timeout=20)
    assert first.headers["content-encoding"] == "gzip"
    assert len(first.raw.read(decode_content=False)) < 60_000
    known = {"Accept-Encoding": "gzip", "If-None-Match": first.headers["etag"]}
    assert requests.get(address, headers=known, timeout=20).status_code == 304
    plain = requests.get(address, headers={"Accept-Encoding": "identity"}, timeout=20)
    assert "content-encoding" not in plain.headers
    assert len(plain.content) > 120_000
