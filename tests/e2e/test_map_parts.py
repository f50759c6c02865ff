"""Parts of the map page in a real browser: search, links, export, jobs, terrain."""

import pytest

PLACES = {
    "47.37, 8.54": (8.54, 47.37),
    "8.54 47.37": (47.37, 8.54),
    "47,37 8,54": (8.54, 47.37),
    "-122.4, 37.8": (-122.4, 37.8),
    "−29.5; 10": (10, -29.5),
    "47°22'12\"N 8°32'24\"E": (8.54, 47.37),
    "47°22′12″ 8°32′24″": (8.54, 47.37),
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
  try { return decodeLink(hash); } catch (error) { return `${error.constructor.name}: ${error.message}`; }
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
    "#v=1&at=16/41/-29&source=%3Cscript%3E",
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


def test_hostile_links_are_refused(blank):
    for text in HOSTILE:
        assert str(blank.evaluate(DECODE, text)).startswith("BadLink: "), text[:80]
    assert blank.evaluate(DECODE, "#somewhere-else") is None
