"""Every error has its problem."""

import importlib
import pkgutil
from pathlib import Path

import pytest
from starlette.requests import Request

import samgis_process
from samgis_process import errors as base_errors
from samgis_process.errors import Overloaded, SamgisError
from samgis_process.ogc import errors, problems
from samgis_process.ogc.names import EXCEPTION

DOCUMENT = Path(__file__).parents[3] / "docs" / "reference" / "problems.md"
ERRORS = {
    name: value
    for module in (base_errors, errors)
    for name, value in vars(module).items()
    if isinstance(value, type) and issubclass(value, SamgisError)
}


def request(accept=None):
    headers = [(b"accept", accept.encode())] if accept else []
    state = {"request_id": "7"}
    return Request({"type": "http", "headers": headers, "query_string": b"", "state": state})


@pytest.mark.parametrize("name", list(ERRORS))
def test_every_error_has_a_row(name):
    assert ERRORS[name] in problems.PROBLEMS


def everywhere(kind=SamgisError):
    """Yield every error of the package, wherever it is defined."""
    for one in kind.__subclasses__():
        if one.__module__.startswith("samgis_process."):
            yield one
            yield from everywhere(one)


def test_no_error_of_any_room_is_taken_for_a_bug():
    for module in pkgutil.walk_packages(samgis_process.__path__, "samgis_process."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    nearest = {one: problems.problem_for(one.__new__(one)) for one in everywhere()}
    assert len(nearest) > len(ERRORS)
    bugs = {one.__name__ for one, problem in nearest.items() if problem is problems.INTERNAL}
    assert bugs == {"JobFailed"}  # that one brings its own


def test_the_nearest_class_counts():
    class Special(base_errors.SourceTimeout):
        pass

    assert problems.problem_for(Special()).status == 504


def test_a_bug_is_a_500_that_says_nothing():
    details = problems.body(KeyError("secret"), "7")
    assert details["status"] == 500
    assert "secret" not in str(details)


@pytest.mark.parametrize("type_", sorted({p.type for p in problems.PROBLEMS.values()}))
def test_every_type_is_documented(type_):
    problem = next(p for p in problems.PROBLEMS.values() if p.type == type_)
    name = problem.type.replace(EXCEPTION, "EX`")
    name = name if name.startswith("EX") else f"`{name}"
    assert f"| {name}` | {problem.status.value} |" in DOCUMENT.read_text(encoding="utf-8")


def test_overload_says_when_to_come_back():
    answer = problems.response(request(), Overloaded("full", 9))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "9")


def test_pages_escape_what_came():
    error = errors.NoSuchProcess("<script>")
    page = problems.response(request("text/html"), error)
    assert b"<script>" not in page.body
    assert "default-src 'none'" in page.headers["content-security-policy"]
