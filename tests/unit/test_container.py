"""What Dockerfile and compose.yml say holds for this checkout; no engine is needed to see that."""

import fnmatch
import json
import re
import shlex
from pathlib import Path

import pytest
import yaml

from samgis_process.cli import main
from samgis_process.server import connections
from samgis_process.settings import SHORT_NAMES

ROOT = Path(__file__).parents[2]
INSTRUCTION = re.compile(r"^([A-Z]+)\s+((?:.*\\\n)*.*)$", re.MULTILINE)


@pytest.fixture(scope="module")
def dockerfile():
    """(instruction, text) of each, in order."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    return [(name, rest.replace("\\\n", " ")) for name, rest in INSTRUCTION.findall(text)]


@pytest.fixture(scope="module")
def service():
    return yaml.safe_load((ROOT / "compose.yml").read_text())["services"]["samgis"]


def texts(dockerfile, wanted):
    return [text for name, text in dockerfile if name == wanted]


def environment(dockerfile):
    last = max(index for index, (name, _) in enumerate(dockerfile) if name == "FROM")
    words = [word for t in texts(dockerfile[last:], "ENV") for word in shlex.split(t)]
    return dict(word.split("=", 1) for word in words)


def let_through(name):
    """Whether .dockerignore lets a path through; its last line that fits decides."""
    through = True
    for line in (ROOT / ".dockerignore").read_text().split():
        pattern = line.removeprefix("!").removeprefix("**/")
        if fnmatch.fnmatch(name, pattern):
            through = line.startswith("!")
    return through


def test_what_is_copied_exists_and_is_let_through(dockerfile):
    copied = [t.split()[:-1] for t in texts(dockerfile, "COPY") if not t.startswith("--from")]
    names = {name.removeprefix("./") for group in copied for name in group}
    assert {"samgis_process", "requirements.lock", "pygeoapi-config.yml"} <= names
    for name in names:
        assert (ROOT / name).exists(), name
        assert let_through(name), name
    assert not let_through("models")
    assert not let_through(".git")
    assert not let_through("tests")


def test_the_base_can_be_chosen(dockerfile):
    assert dockerfile[0][0] == "ARG"
    name = dockerfile[0][1].partition("=")[0]
    bases = [text.split()[0] for text in texts(dockerfile, "FROM")]
    assert bases == [f"${{{name}}}"] * 2


def test_it_runs_as_a_numbered_user_who_is_not_root(dockerfile):
    (user,) = texts(dockerfile, "USER")
    assert user.isdigit()
    assert int(user) > 0
    assert any(f"--uid {user}" in text for text in texts(dockerfile, "RUN"))


def test_names_agree_with_the_settings_and_the_command_line(dockerfile, service):
    environ = environment(dockerfile)
    known = {*SHORT_NAMES, *(option.envvar for option in main.commands["serve"].params)}
    ours = {name for name in environ if name.startswith(("SAMGIS_", "HOST", "PORT"))}
    assert {"HOST", "PORT", "SAMGIS_CACHE_DIR"} <= ours <= known
    assert {name.partition("=")[0] for name in service["environment"]} <= known
    assert texts(dockerfile, "EXPOSE") == [environ["PORT"]]
    assert service["ports"][0].endswith(f":{environ['PORT']}")
    volumes = [environ["SAMGIS_CACHE_DIR"], environ["SAMGIS_DATA_DIR"]]
    assert texts(dockerfile, "VOLUME") == [" ".join(volumes)]
    assert service["volumes"] == [f"{Path(volume).name}:{volume}" for volume in volumes]


def test_the_command_is_the_one_that_the_package_installs(dockerfile):
    (command,) = texts(dockerfile, "CMD")
    program, name = json.loads(command)
    assert Path(program).name == "samgis-process"
    assert name in main.commands


def test_health_is_asked_where_the_server_listens(dockerfile, service):
    (check,) = texts(dockerfile, "HEALTHCHECK")
    arguments = json.loads(check.partition("CMD")[2])
    assert service["healthcheck"]["test"] == ["CMD", *arguments]
    assert "os.environ['PORT'] + '/health'" in arguments[-1]
    compile(arguments[-1], "healthcheck", "exec")


def test_the_base_image_is_named_by_digest(dockerfile):
    (image,) = [t for t in texts(dockerfile, "ARG") if t.startswith("PYTHON_IMAGE=")]
    assert re.fullmatch(r"PYTHON_IMAGE=python:3\.12-\S+@sha256:[0-9a-f]{64}", image)


def test_compose_gives_it_no_more_than_it_needs(service):
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["tmpfs"] == ["/tmp:size=512m"]  # noqa: S108  inside the container
    assert service["mem_limit"] == "3g"
    assert service["ulimits"]["nofile"] >= 1024
    assert service["logging"]["options"].keys() >= {"max-size", "max-file"}
    assert service["ports"][0].startswith("127.0.0.1:")
    assert int(service["stop_grace_period"].removesuffix("s")) > connections.STOP_S + 5
