"""The pages in a real browser."""

import re

import pytest
import requests

from samgis_process.server.keys import hashed, new_key

PATHS = (
    "/", "/conformance", "/openapi", "/processes", "/processes/dem-composite", "/processes/echo",
    "/jobs",
)  # fmt: skip
LOOKS = {"light": {}, "dark": {"dark": True}, "phone": {"phone": True}}
UNKNOWN = "9ad5cbc4-6b7c-4d6b-9b2c-1f6f0ee0a2ad"
NOT_FOUND = (r"status: 404 ", r"status of 404")
REFUSED = (r"status: 400 POST", r"status of 400")
SECONDS = 30_000  # ms, for what the server works on


@pytest.fixture(scope="module")
def job(suite_server):
    """The address of a job that has ended."""
    body = {"inputs": {"stringInput": "hello", "pause": 0}}
    answer = requests.post(
        f"{suite_server.url}/processes/echo/execution",
        json=body,
        headers={"Prefer": "respond-async, wait=20"},
        timeout=40,
    )
    (link,) = re.findall(r"<([^>]+)>; rel=monitor", answer.headers["link"])
    return link


@pytest.fixture
def form(suite_server, visit):
    """Open the form of a process."""

    def open_(process, **options):
        page = visit(f"{suite_server.url}/processes/{process}/form", **options)
        page.get_by_role("button", name="Run", exact=True).wait_for()
        return page

    return open_


def no_wider_than_the_screen(page):
    wide = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert wide[0] <= wide[1]


def result(page):
    page.get_by_role("heading", name="Result", exact=True).wait_for(timeout=SECONDS)
    return page.locator("[data-outcome]")


def fault(page, name):
    return page.locator(f'[data-input="{name}"] [data-fault]').inner_text()


# Every page


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("path", [*PATHS, "job", "nope"])
def test_pages_are_readable_by_everybody(suite_server, visit, script, job, path, look):
    address = {"job": job, "nope": f"{suite_server.url}/nope"}.get(path, suite_server.url + path)
    page = visit("about:blank", **LOOKS[look])
    page.watch.expect(*(NOT_FOUND if path == "nope" else ()))
    page.goto(address)
    assert script("chromium").axe(page) == []
    no_wider_than_the_screen(page)


def test_open_details_fit_a_phone(suite_server, visit, script):
    for path in ("/openapi", "/processes/echo"):
        page = visit(suite_server.url + path, phone=True)
        page.evaluate(
            "document.querySelectorAll('details').forEach((one) => { one.open = true; })"
        )
        no_wider_than_the_screen(page)
    assert script("chromium").axe(page) == []


def test_without_javascript_everything_is_there_to_read(suite_server, visit, job):
    def read(path):
        page = visit(suite_server.url + path, java_script_enabled=False)
        return page.locator("main").inner_text()

    assert "Draw elevation as a composite" in read("/")
    assert "Jobs are stopped" in read("/conformance")
    assert "/processes/dem-composite/execution" in read("/openapi")
    form = read("/processes/echo")
    assert "needs JavaScript" in form
    assert "curl " in form
    assert "At least 0, at most 10." in form
    assert "successful" in read(job.removeprefix(suite_server.url))
    assert "echo" in read("/jobs?processID=echo")


def test_without_javascript_jobs_are_filtered(suite_server, visit, job):
    page = visit(f"{suite_server.url}/jobs", java_script_enabled=False)
    page.get_by_label("Status").select_option("failed")
    page.get_by_label("Process").fill("no-such-process")
    page.get_by_role("button", name="Show").click()
    assert "There are none like that." in page.locator("main").inner_text()
    page.get_by_role("link", name="Show all").click()
    page.locator(f'tbody a[href^="{job}"]').first.click()
    assert page.get_by_role("link", name="stringInput").count()


def test_the_way_from_the_first_page_to_a_form_needs_no_mouse(suite_server, visit):
    page = visit(f"{suite_server.url}/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Echo":
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/processes/echo")
    field = page.get_by_label("stringInput").first
    field.focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("by hand")
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Run":
            break
    page.keyboard.press("Enter")
    assert "by hand" in result(page).inner_text()
    assert page.evaluate("document.activeElement.textContent") == "Result"


# The form


def test_the_form_runs_a_process(form):
    page = form("echo")
    page.get_by_label("stringInput").first.fill("it's <b>")
    page.get_by_label("doubleInput").first.fill("2.5")
    page.get_by_label("arrayInput").first.fill("[1, 2]")
    box = page.get_by_role("group", name="boundingBoxInput")
    for name, value in {"West": "7", "South": "46", "East": "8", "North": "47"}.items():
        box.get_by_label(name).fill(value)
    command = page.locator("[data-curl] code").text_content()
    page.get_by_role("button", name="Run", exact=True).click()
    shown = result(page).locator("code").inner_text()
    assert '"stringInput": "it\'s <b>"' in shown
    assert '"doubleInput": 2.5' in shown
    assert re.search(r'"bbox": \[\s*7,\s*46,\s*8,\s*47', shown)
    assert "it'\\''s <b>" in command


def test_the_command_does_what_the_form_does(form):
    import subprocess

    page = form("echo")
    page.get_by_label("stringInput").first.fill("it's")
    page.locator("[data-curl] summary").click()
    command = page.locator("[data-curl] code").inner_text()
    done = subprocess.run(["bash", "-c", f"{command} -s"], capture_output=True, check=True)
    assert done.stdout == b'{"stringInput":"it\'s"}'


def test_what_is_wrong_is_said_beside_the_field(form, script):
    page = form("echo")
    page.get_by_label("stringInput").first.fill("")
    page.get_by_label("doubleInput").first.fill("11")
    page.get_by_label("arrayInput").first.fill("[1,")
    page.get_by_label("Seconds until the answer").fill("1.5")
    page.get_by_role("group", name="boundingBoxInput").get_by_label("West").fill("7")
    page.get_by_role("button", name="Run", exact=True).click()
    assert page.get_by_role("alert").inner_text() == "Some inputs need another look."
    assert fault(page, "stringInput") == "This must be given."
    assert fault(page, "doubleInput") == "11 is more than 10."
    assert fault(page, "arrayInput").startswith("This is not JSON")
    assert fault(page, "pause") == "1.5 is not a whole number."
    assert fault(page, "boundingBoxInput") == "south, east, north must be given too."
    assert page.evaluate("document.activeElement.ariaInvalid") == "true"
    assert script("chromium").axe(page) == []
    assert not [one for one in page.watch.requests if one[0] == "POST"]


def test_what_the_server_minds_is_said_beside_the_field_and_nothing_is_lost(form):
    page = form("echo")
    page.watch.expect(*REFUSED)
    page.get_by_label("arrayInput").first.fill("[1]")
    page.get_by_label("complexObjectInput").first.fill('{"property1": 5}')
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_role("alert").wait_for()
    assert "at least 2 items" in fault(page, "arrayInput")
    assert fault(page, "complexObjectInput").startswith("complexObjectInput.property1 5 is")
    assert page.get_by_label("arrayInput").first.input_value() == "[1]"
    page.get_by_label("arrayInput").first.fill("[1, 2]")
    page.get_by_label("complexObjectInput").first.fill("")
    page.get_by_role("button", name="Run", exact=True).click()
    result(page)
    assert page.locator("[data-fault]:visible").count() == 0


def test_a_file_goes_with_the_request(form, tmp_path):
    page = form("echo")
    picture = tmp_path / "a.tif"
    picture.write_bytes(b"II*\0hello")
    page.get_by_label("imagesInput").first.set_input_files(picture)
    page.get_by_label("stringInput").nth(1).select_option("none")
    page.get_by_role("button", name="Run", exact=True).click()
    with page.expect_download() as download:
        result(page).get_by_role("link", name="Save imagesInput.tif").click()
    assert download.value.path().read_bytes() == b"II*\0hello"


def test_terrain_is_drawn_as_a_picture(form):
    page = form("dem-composite")
    assert page.get_by_label("West").input_value() == "-29.6"
    page.get_by_label("Rendering").select_option("relief")
    page.get_by_label("The composite").select_option("image/png")
    page.get_by_role("button", name="Run", exact=True).click()
    picture = result(page).get_by_role("img")
    assert picture.evaluate("(one) => one.decode().then(() => one.naturalWidth)") > 500
    assert result(page).get_by_role("link", name="Save result.png").count()


def test_a_job_is_followed_to_its_result(form):
    page = form("dem-composite")
    page.get_by_label("slope", exact=True).check()
    page.get_by_role("button", name="Run as a job").click()
    shown = result(page)
    assert shown.locator(".status").inner_text() == "successful"
    assert '"FeatureCollection"' in shown.locator("code").inner_text()
    shown.get_by_role("link", name="The page of the job").click()
    page.wait_for_url("**/jobs/*")
    page.get_by_role("link", name="features").click()
    assert "FeatureCollection" in page.locator("main").inner_text()


def test_a_job_is_dismissed_where_it_was_begun(form):
    page = form("echo")
    page.get_by_label("Seconds until the answer").fill("10")
    page.get_by_role("button", name="Run as a job").click()
    page.locator(".status.running").wait_for(timeout=SECONDS)
    page.get_by_role("button", name="Dismiss").click()
    page.locator(".status.dismissed").wait_for(timeout=SECONDS)
    page.get_by_role("button", name="Run", exact=True).wait_for()
    assert page.get_by_role("heading", name="Result", exact=True).count() == 0


def test_nobody_needs_to_wait(form):
    page = form("echo")
    page.get_by_label("Seconds until the answer").fill("10")
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_role("button", name="Stop waiting").click()
    page.get_by_role("button", name="Run", exact=True).wait_for()
    assert page.locator("[data-outcome]").inner_text() == ""


# Jobs


def test_the_page_of_a_job_follows_it_and_lets_it_be_dismissed(suite_server, visit):
    answer = requests.post(
        f"{suite_server.url}/processes/echo/execution",
        json={"inputs": {"stringInput": "x", "pause": 10}},
        headers={"Prefer": "respond-async"},
        timeout=20,
    )
    page = visit(answer.headers["location"])
    listed = visit(f"{suite_server.url}/jobs")
    page.locator(".status.running").wait_for(timeout=SECONDS)
    page.get_by_role("button", name="Dismiss this job").click()
    page.locator(".status.dismissed").wait_for(timeout=SECONDS)
    assert page.get_by_role("button").count() == 0
    row = listed.locator("tr", has_text=answer.json()["jobID"])
    row.locator(".status.dismissed").wait_for(timeout=SECONDS)


def test_a_key_opens_what_wants_one(another_server, server, visit):
    ann = new_key()
    running = another_server(
        server.cache / "keys", SAMGIS_ACCESS__KEYS=f'[{{"name":"ann","sha256":"{hashed(ann)}"}}]'
    )
    page = visit("about:blank")
    page.watch.expect(r"status: 401 ", r"status of 401")
    page.goto(f"{running.url}/jobs")
    assert "Say who you are" in page.locator("h1").inner_text()
    key = page.locator("main").get_by_label("API key")
    key.fill("wrong")
    key.press("Enter")
    page.get_by_text("The server does not know this key.").wait_for()
    page.locator("main").get_by_role("button", name="Forget").click()
    key.fill(ann)
    key.press("Enter")
    page.get_by_role("heading", name="Jobs", exact=True).wait_for()
    assert ann not in page.url
    page.goto(f"{running.url}/processes/dem-composite")
    page.get_by_label("The composite").select_option("image/png")
    page.get_by_role("button", name="Run as a job").click()
    result(page).get_by_role("link", name="The page of the job").click()
    page.get_by_role("heading", name="Results", exact=True).wait_for()
    picture = page.get_by_role("img", name="features")
    page.wait_for_function("() => document.querySelector('main img').naturalWidth > 500")
    assert picture.get_attribute("src").startswith("data:image/png")
