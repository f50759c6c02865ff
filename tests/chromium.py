"""Pages in Chromium, watched: what a user would never see in a screenshot still fails the test.

Errors of scripts, breaches of the Content-Security-Policy, failed requests, answers of 400 and
more, and any request to a host that is not this machine are faults; a test that causes one says
so beforehand.
"""

import re
import shutil
from contextlib import contextmanager

ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
LOCAL = re.compile(r"(https?://(127\.0\.0\.1|localhost)(:\d+)?/|data:|blob:|about:)")
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 800}
SERIOUS = {"serious", "critical"}


def program():
    """Return the browser's path, or None."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)


@contextmanager
def browser():
    """Start the browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program(), args=list(ARGUMENTS))
        yield running
        running.close()


class Watch:
    """What went wrong in a page, and what it asked for.

    Attributes:
        requests: (method, address) of all requests, in order.
        expected: patterns of faults that the test brings about.
    """

    def __init__(self, context):
        self.requests = []
        self.expected = []
        self._faults = []
        context.route(re.compile(r"^(?!https?://(127\.0\.0\.1|localhost)[:/])http"), self._refuse)
        context.on("console", self._console)
        context.on("weberror", lambda error: self._add(f"script: {error.error}"))
        context.on("request", lambda one: self.requests.append((one.method, one.url)))
        context.on("requestfailed", self._failed)
        context.on("response", self._response)

    def expect(self, *patterns):
        """Let faults pass that match."""
        self.expected += patterns

    @property
    def faults(self):
        """What happened and was not expected."""
        return [
            fault
            for fault in self._faults
            if not any(re.search(pattern, fault) for pattern in self.expected)
        ]

    def _add(self, fault):
        self._faults.append(fault)

    def _refuse(self, route):
        self._add(f"outside: {route.request.url}")
        route.abort()

    def _console(self, message):
        if message.type == "error":
            self._add(f"console: {message.text} ({message.location.get('url', '')})")

    def _failed(self, request):
        # The page gives up requests that newer ones replace.
        if "ERR_ABORTED" not in (request.failure or ""):
            self._add(f"failed: {request.method} {request.url} {request.failure}")

    def _response(self, response):
        if response.status >= 400:
            self._add(f"status: {response.status} {response.request.method} {response.url}")


def axe(page):
    """Return the serious violations that axe finds in a page, in words."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {one['help']} ({', '.join(str(n['target']) for n in one['nodes'][:5])})"
        for one in found
        if one["impact"] in SERIOUS
    ]
