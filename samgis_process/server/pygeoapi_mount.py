"""pygeoapi inside our application: landing page, conformance, OpenAPI, collections.

It reads its configuration from files on import and writes one fixed address into every link. So
it gets a configuration of its own, with our processes and a placeholder for the address, and what
it answers passes through here: links get the address that the client used, errors become ours.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml
from pygeoapi.api import processes as pygeoapi_processes
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from samgis_process.ogc import problems
from samgis_process.ogc.names import conformance_classes
from samgis_process.ogc.negotiation import wants_html
from samgis_process.ogc.process import Process
from samgis_process.ogc.resource import base_url
from samgis_process.ogc.schemas import alternatives
from samgis_process.ogc.service_pages import PageOf
from samgis_process.ogc.wording import one_of

PLACEHOLDER = "http://this-server.invalid"
JOBS_ELSEWHERE = "samgis_process.server.processors.JobsElsewhere"
DESCRIBED = "samgis_process.server.processors.DescribedProcessor"
# pygeoapi takes the format from an Accept header even where it has no such format to give.
_NEGOTIATED = ("/", "/conformance", "/openapi", "/processes")
# Their pages ask other hosts for scripts, which could read a key that our pages keep; so they run
# none, and look plain.
PLAIN = (
    "default-src 'none'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; base-uri 'none'"
)
_TEXT = ("text/html", "application/json", "application/vnd.oai", "application/ld+json")

_log = logging.getLogger(__name__)


def load_app(
    config: Mapping[str, Any],
    processes: Iterable[Process],
    openapi: Any,
    *,
    jobs: bool,
    callbacks: bool = False,
) -> ASGIApp:
    """Return pygeoapi's application for a configuration, our processes and OpenAPI document.

    Declares the conformance classes that hold; pygeoapi has one list of them, for all applications
    of a Python process.
    """
    pygeoapi_processes.CONFORMANCE_CLASSES[:] = conformance_classes(jobs=jobs, callbacks=callbacks)
    # It warns of every member of a description that is not a language.
    logging.getLogger("pygeoapi.l10n").setLevel(logging.ERROR)
    own = effective_config(config, processes)
    if jobs:
        own["server"]["manager"] = {"name": JOBS_ELSEWHERE}
    with tempfile.TemporaryDirectory(prefix="samgis-") as folder:
        config_path, openapi_path = Path(folder, "config.yml"), Path(folder, "openapi.json")
        # Quoted throughout: pygeoapi fills in ${...} wherever it stands bare.
        config_path.write_text(yaml.safe_dump(own, default_style='"'), encoding="utf-8")
        openapi_path.write_text(json.dumps(openapi), encoding="utf-8")
        with _environment(PYGEOAPI_CONFIG=config_path, PYGEOAPI_OPENAPI=openapi_path):
            app: ASGIApp = _fresh("pygeoapi.starlette_app").APP
    return app


def _fresh(name: str) -> ModuleType:
    """Return a copy of a module that builds its application while being imported."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.loader is None:
        raise ImportError(name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def _environment(**variables: Path) -> Iterator[None]:
    """Set variables for a while: others read PYGEOAPI_CONFIG for the operator's own file."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update({name: str(value) for name, value in variables.items()})
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            os.environ.update({} if value is None else {name: value})


def effective_config(config: Mapping[str, Any], processes: Iterable[Process]) -> dict[str, Any]:
    """Return the configuration as pygeoapi gets it.

    Left out is what our application does around it (CORS, compression, jobs) and our own section.
    """
    server = {k: v for k, v in config["server"].items() if k not in {"cors", "gzip", "manager"}}
    described = {str(process.description["id"]): _resource(process) for process in processes}
    others = {
        name: resource
        for name, resource in (config.get("resources") or {}).items()
        if not _is_process(resource)
    }
    metadata = _with_own_address(config["metadata"], config["server"]["url"])
    kept = {key: value for key, value in config.items() if key != "samgis"}
    return kept | {
        "server": server | {"url": PLACEHOLDER},
        "metadata": metadata,
        "resources": others | described,
    }


def _is_process(resource: Mapping[str, Any]) -> bool:
    return resource.get("type") == "process"


def _resource(process: Process) -> dict[str, Any]:
    description = {key: _for_page(value) for key, value in process.description.items()}
    return {"type": "process", "processor": {"name": DESCRIBED, "description": description}}


def _for_page(value: Any) -> Any:
    """Return inputs and outputs with no more than pages show of them; the rest as it is.

    Of a schema they show the type, which one with alternatives has not.
    """
    if not isinstance(value, Mapping):
        return value
    return {
        name: {
            "title": each.get("title", name),
            "description": each.get("description", ""),
            "schema": {"type": _kind(each.get("schema", {}))},
        }
        for name, each in value.items()
        if isinstance(each, Mapping)
    }


def _kind(schema: Mapping[str, Any]) -> str:
    return one_of(str(branch.get("type", "any")) for branch in alternatives(schema))


def _with_own_address(value: Any, url: str) -> Any:
    """Return the metadata with the placeholder wherever the service's own address stands."""
    if isinstance(value, Mapping):
        return {key: _with_own_address(item, url) for key, item in value.items()}
    return PLACEHOLDER if value == url else value


def empty_parts(config: Mapping[str, Any]) -> list[str]:
    """Return paths of pygeoapi behind which the configuration puts nothing."""
    kinds = {one.get("type") for one in (config.get("resources") or {}).values()}
    parts = {"collection": ["/collections", "/TileMatrixSets"], "stac-collection": ["/stac"]}
    return [path for kind, paths in parts.items() if kind not in kinds for path in paths]


class PygeoapiMount:
    """pygeoapi's application, made to fit behind our routes.

    `pages` make pages of what it answers in JSON, by path; its own pages ask other hosts for much.
    """

    def __init__(
        self,
        app: ASGIApp,
        public_url: str | None = None,
        pages: Mapping[str, PageOf] | None = None,
        hidden: Iterable[str] = (),
    ) -> None:
        self._app = app
        self._hidden = ("/jobs", *hidden)  # what pygeoapi would answer, and we do not want
        self._public_url = public_url
        self._pages = pages or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        request = Request(scope)
        scope = dict(scope)  # pygeoapi's application writes itself into it
        path = scope["path"].removeprefix(scope.get("root_path", "")) or "/"
        if any(path == one or path.startswith(f"{one}/") for one in self._hidden):
            raise HTTPException(404, "There is nothing at this address.")
        page_of = self._page_of(path, request)
        if page_of:
            scope["query_string"] = b"f=json"
        elif path in _NEGOTIATED or path.startswith("/processes/"):
            scope["query_string"] = _with_format(request)
        base = base_url(request, self._public_url)
        absent = [f"{base}{one}" for one in self._hidden] if path == "/" else []
        answer = _Answer(send, base, absent, is_kept=bool(page_of))
        await self._app(scope, receive, answer.send)
        if answer.error:
            await problems.response(request, answer.error)(scope, receive, send)
        elif page_of:
            await (await page_of(request, json.loads(answer.body)))(scope, receive, send)

    def _page_of(self, path: str, request: Request) -> PageOf | None:
        format_, accept = request.query_params.get("f"), request.headers.get("accept")
        if request.method not in {"GET", "HEAD"} or not wants_html(accept, format_):
            return None
        return self._pages.get(path)


def _with_format(request: Request) -> bytes:
    """Return the query with the format that this client is to get."""
    query: bytes = request.scope["query_string"]
    accept = request.headers.get("accept")
    if "f" in request.query_params:
        return query
    if (accept or "").startswith("application/ld+json"):
        return query
    return (
        query + (b"&" if query else b"") + (b"f=html" if wants_html(accept, None) else b"f=json")
    )


class _Answer:
    """Lets an answer pass; of text it changes the address, and an error it keeps back.

    Where `is_kept`, it keeps back all of it: text then, in `body`.
    """

    def __init__(self, send: Send, base: str, absent: list[str], *, is_kept: bool = False) -> None:
        self._send = send
        self._absent = [one for one in absent if not one.endswith("/jobs")]
        self._base = base.encode()
        self._start: Message = {}
        self._is_kept = is_kept
        self._is_text = False
        self.body = b""
        self.error: HTTPException | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            await self._begin(message)
        elif self._is_text:
            await self._collect(message)
        else:
            await self._send(message)

    async def _begin(self, start: Message) -> None:
        headers = MutableHeaders(scope=start)
        if "x-powered-by" in headers:
            del headers["x-powered-by"]
        self._start = start
        media_type = headers.get("content-type", "")
        if media_type.startswith("text/html"):  # pages that are not ours share our origin
            headers["Content-Security-Policy"] = PLAIN
        self._is_text = start["status"] >= 400 or media_type.startswith(_TEXT)
        if "location" in headers:
            headers["location"] = headers["location"].replace(PLACEHOLDER, self._base.decode())
        if not self._is_text:
            await self._send(start)

    async def _collect(self, message: Message) -> None:
        self.body += message.get("body", b"")
        if message.get("more_body"):
            return
        if self._start["status"] >= 400:
            self.error = self._problem()
            return
        self.body = body = self._without_dead_links(
            self.body.replace(PLACEHOLDER.encode(), self._base)
        )
        if self._is_kept:
            return
        headers = MutableHeaders(scope=self._start)
        if "content-length" in headers:
            headers["content-length"] = str(len(body))
        headers.add_vary_header("Accept")
        await self._send(self._start)
        await self._send({"type": "http.response.body", "body": body})

    def _without_dead_links(self, body: bytes) -> bytes:
        """Return the landing page's JSON without links to what is not served."""
        media_type = MutableHeaders(scope=self._start).get("content-type", "")
        if not self._absent or "json" not in media_type:
            return body
        content = json.loads(body)
        links = content.get("links") or []
        content["links"] = [one for one in links if not self._is_dead(str(one.get("href")))]
        return json.dumps(content).encode()

    def _is_dead(self, href: str) -> bool:
        return any(href.partition("?")[0] == one for one in self._absent)

    def _problem(self) -> HTTPException:
        """Return pygeoapi's error as one that our problems are made of."""
        status = int(self._start["status"])
        allow = MutableHeaders(scope=self._start).get("allow")
        detail = _description(self.body) if status < 500 else None
        return HTTPException(status, detail, {"Allow": allow} if allow else None)


def _description(body: bytes) -> str | None:
    try:
        return str(json.loads(body)["description"])
    except (ValueError, KeyError, TypeError):
        return None  # Starlette then says what the status means
