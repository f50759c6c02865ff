"""Measure the map page and take its pictures: `make map-figures`.

Weight, times and requests go into docs/explanation/map-page.md, pictures into docs/pictures.
"""

import io
import re
import statistics
import sys
import tempfile
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import requests
from conftest import MODELS, ROOT, load_script
from PIL import Image

DOCUMENT = ROOT / "docs" / "explanation" / "map-page.md"
PICTURES = ROOT / "docs" / "pictures"
MOST_BYTES = 150_000  # of a picture
ROUNDS = 5
LAKE = (41.26234, -29.58979)
VOLCANO = "15/41.27370/-29.56935"
WINDOW = [-29.59652, 41.25536, -29.58304, 41.26479]
SOURCES = {
    "sample": {"type": "sample", "title": "Sample scene"},
    "sample-dem": {"type": "sample-dem", "title": "Elevation of the sample scene"},
    "dead": {
        "type": "xyz",
        "url": "http://127.0.0.1:9/{z}/{x}/{y}.png",
        "title": "A server that is away",
        "retries": 0,
    },
}
READY = "() => window.samgis"
OUTLINED = "() => document.querySelector('path.outline:not(.stale)')"
KINDS = {
    "Document": "page",
    "Script": "scripts",
    "Stylesheet": "style sheets",
    "Image": "pictures",
}


class Wire:
    """What a page fetched: kind, address and bytes over the wire, of each request."""

    def __init__(self, page):
        self._seen = {}
        self.loaded = []
        session = page.context.new_cdp_session(page)
        session.on("Network.responseReceived", self._received)
        session.on("Network.loadingFinished", self._finished)
        session.send("Network.enable")

    def _received(self, event):
        self._seen[event["requestId"]] = event["type"], event["response"]["url"]

    def _finished(self, event):
        kind, address = self._seen.get(event["requestId"], (None, ""))
        if address.startswith("http"):
            self.loaded.append((KINDS.get(kind, "data"), address, event["encodedDataLength"]))

    def table(self):
        """Return rows of (kind, files, kB over the wire)."""
        kinds = dict.fromkeys(kind for kind, _, _ in self.loaded)
        rows = [(one, [size for kind, _, size in self.loaded if kind == one]) for one in kinds]
        return [(kind, len(sizes), sum(sizes) / 1000) for kind, sizes in rows]


def opened(browser, url, *, phone=False, dark=False, hash_=""):
    """Return a page in a fresh profile, and what went over the wire for it."""
    tools = load_script("chromium")
    context = browser.new_context(
        viewport=tools.PHONE if phone else tools.DESKTOP,
        has_touch=phone,
        is_mobile=phone,
        color_scheme="dark" if dark else "light",
    )
    page = context.new_page()
    page.watch, wire = tools.Watch(context), Wire(page)
    page.goto(f"{url}/processes/segment?f=html{hash_}")
    page.wait_for_function(READY, timeout=60_000)
    return page, wire


def click(page, across=0.5, down=0.5):
    """Click the map at shares of its size."""
    box = page.locator("#map").bounding_box()
    page.mouse.click(box["x"] + across * box["width"], box["y"] + down * box["height"])


def at_the_lake(page):
    """Show the lake."""
    page.evaluate("at => samgis.map.setView(at, 16, { animate: false })", LAKE)
    page.wait_for_load_state("networkidle")


def first_click(browser, url):
    """Return (milliseconds until a click counts, the weight) of the page in a fresh profile."""
    page, wire = opened(browser, url)
    ready_ms = page.evaluate("() => performance.now()")
    page.wait_for_load_state("networkidle")
    weight = wire.table()
    page.context.close()
    return ready_ms, weight


def save(page, name):
    """Take a picture, as good as it can be in so many bytes."""
    image = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    for quality in range(90, 30, -5):
        stream = io.BytesIO()
        image.save(stream, "JPEG", quality=quality, optimize=True, progressive=True)
        if stream.tell() <= MOST_BYTES:
            break
    (PICTURES / f"map-{name}.jpg").write_bytes(stream.getvalue())
    print(f"map-{name}.jpg: {stream.tell() / 1000:.0f} kB, quality {quality}", file=sys.stderr)


def outlined(page):
    """Click the lake, and wait for its outline."""
    at_the_lake(page)
    click(page)
    page.wait_for_function(OUTLINED, timeout=60_000)
    page.wait_for_timeout(500)


def whole_session(page, url):
    """Do everything that the page offers."""
    outlined(page)
    save(page, "desktop")
    for name in ("GeoJSON", "GeoPackage", "FlatGeobuf", "PNG", "Report"):
        with page.expect_download():
            page.get_by_role("button", name=name, exact=True).click()
    page.get_by_label("Go to").fill("41.262, -29.588")
    page.get_by_role("button", name="Go", exact=True).click()
    page.evaluate(
        "hash => { location.hash = hash; }", f"v=1&at={VOLCANO}&source=sample&tab=terrain"
    )
    page.get_by_role("button", name="Show it on the map").click()
    page.get_by_label("Layer", exact=True).select_option(label="Slope")
    page.get_by_label("Strength").fill("0.4")
    page.wait_for_load_state("networkidle")
    click(page)
    page.wait_for_function(OUTLINED, timeout=60_000)
    page.get_by_role("button", name="Make files of this view").click()
    page.locator(".files li").first.wait_for(timeout=60_000)
    page.locator("#terrain").evaluate("one => one.parentElement.scrollTo(0, 0)")
    save(page, "terrain")
    page.locator("#tab-jobs").click()
    jobs(page, url)
    save(page, "jobs")


def jobs(page, url):
    """Make a job that ends well, one that fails, and a composite."""
    bodies = (
        ("segment", {"source": "dead", "prompt": [point()], "zoom": 14}),
        ("dem-composite", {"source": "sample-dem"}),
    )
    for process, inputs in bodies:
        address = f"{url}/processes/{process}/execution"
        body = {"inputs": {"bbox": WINDOW, **inputs}}
        requests.post(address, json=body, headers={"Prefer": "respond-async"}, timeout=60)
    page.get_by_role("button", name="Run as a job").click()
    for words, count in (("done", 2), ("failed", 1)):
        page.locator(f".pill:text-is('{words}')").nth(count - 1).wait_for(timeout=60_000)


def point():
    """Return the lake's point as SamGIS writes it."""
    return {"type": "point", "data": {"lat": LAKE[0], "lng": LAKE[1]}}


def looks(browser, url):
    """Take the pictures of a phone, and in the dark."""
    for name, options in (("phone", {"phone": True}), ("dark", {"dark": True})):
        page, _ = opened(browser, url, **options)
        outlined(page)
        save(page, name)
        page.context.close()


def accessibility(browser, url):
    """Return rows of (page, rules passed, violations by how bad they are), as axe sees them."""
    for tab in ("segment", "terrain", "jobs"):
        for look in ({}, {"dark": True}, {"phone": True}):
            page, _ = opened(
                browser, url, hash_=f"#v=1&at={VOLCANO}&source=sample&tab={tab}", **look
            )
            page.wait_for_load_state("networkidle")
            yield f"map, {tab}, {next(iter(look), 'light')}", *axe_counts(page)
            page.context.close()
    for path in (
        "/",
        "/processes",
        "/processes/segment/form",
        "/jobs",
        "/openapi",
        "/conformance",
    ):
        page = browser.new_page()
        page.goto(f"{url}{path}?f=html")
        yield f"`{path}`", *axe_counts(page)
        page.close()


def axe_counts(page):
    """Return how many rules a page keeps, and which it breaks."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response
    broken = [f"{one['id']} ({one['impact']})" for one in found["violations"]]
    return len(found["passes"]), ", ".join(broken) or "none"


def axe_table(rows):
    """Return the report of axe as Markdown."""
    yield ""
    yield "What axe finds that hinders people:"
    yield ""
    yield "| page | rules kept | rules broken |"
    yield "| --- | ---: | --- |"
    for page, kept, broken in rows:
        yield f"| {page} | {kept} | {broken} |"


def shape_of(address):
    """Return an address without what differs from place to place and from run to run."""
    path = re.sub(r"/tiles/([^/]+)/\d+/\d+/\d+", r"/tiles/\1/{z}/{x}/{y}", urlsplit(address).path)
    return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "{id}", path)


def figures(browser, server):
    """Return what was measured, as Markdown; take the pictures."""
    url = server.url
    looks(browser, url)
    runs = [first_click(browser, url) for _ in range(ROUNDS)]
    ready_ms, weight = statistics.median(ms for ms, _ in runs), runs[-1][1]
    page, _ = opened(browser, url)
    whole_session(page, url)
    asked = Counter((method, shape_of(address)) for method, address in page.watch.requests
                    if address.startswith("http"))  # fmt: skip
    hosts = {urlsplit(address).netloc for _, address in page.watch.requests} - {""}
    page.context.close()
    report = list(accessibility(browser, url))
    page, _ = opened(browser, url)
    outlined(page)
    server.stop()
    click(page, 0.3, 0.3)
    page.locator("#problem").wait_for()
    save(page, "error")
    tables = weight_table(weight, ready_ms), request_table(asked, hosts, url), axe_table(report)
    return "\n".join(line for table in tables for line in table)


def weight_table(weight, ready_ms):
    """Return the page's weight as Markdown."""
    yield "| what | files | kB over the wire |"
    yield "| --- | ---: | ---: |"
    for kind, files, size in weight:
        yield f"| {kind} | {files} | {size:.1f} |"
    files, size = (sum(row[at] for row in weight) for at in (1, 2))
    yield f"| all | {files} | {size:.1f} |"
    yield ""
    yield f"A click counts after {ready_ms / 1000:.2f} s (median of {ROUNDS} fresh profiles)."
    yield ""


def request_table(asked, hosts, url):
    """Return the requests of a whole session as Markdown."""
    yield f"Requests of a whole session: {sum(asked.values())}, to {len(hosts)} host"
    yield f"({'the server itself' if hosts == {urlsplit(url).netloc} else ', '.join(hosts)}):"
    yield ""
    yield "| method | path | times |"
    yield "| --- | --- | ---: |"
    scripts = [key for key in asked if key[1].startswith("/assets/")]
    yield f"| GET | `/assets/...` ({len(scripts)} files) | {sum(asked[key] for key in scripts)} |"
    for (method, path), times in sorted(asked.items()):
        if (method, path) not in scripts:
            yield f"| {method} | `{path}` | {times} |"


def main():
    """Write them."""
    helper = load_script("server_process")
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        model = MODELS / "mobile-sam-maps"
        config = helper.configure(place / "config.yml", model, place, SOURCES)
        server = helper.ServerProcess(config, place / "log").start().ready(240)
        try:
            with load_script("chromium").browser() as browser:
                text = figures(browser, server)
        finally:
            server.stop()
    marked = re.compile(r"(<!-- figures -->\n).*(<!-- end -->)", re.DOTALL)
    found = marked.sub(lambda part: f"{part[1]}{text}\n{part[2]}", DOCUMENT.read_text())
    DOCUMENT.write_text(found)


if __name__ == "__main__":
    sys.exit(main())
