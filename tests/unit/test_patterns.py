"""Every regular expression of the package, on texts made to be slow: none may hold the server."""

import importlib
import itertools
import pkgutil
import re
import time
from pathlib import Path

import pytest

import samgis_process

LENGTH = 65_536
MOST_S = 0.1
LETTERS = 'a0 "\\,;=-./%<(:*_é\n'
# Read by tools and the command line from files of their user, never from a client.
NOT_SERVED = ("weights", "cli", "settings")
OURS = ("inference.sessions._PATHS", "ogc.conformance_names._STANDARD")


def modules():
    for module in pkgutil.walk_packages(samgis_process.__path__, "samgis_process."):
        if module.name.split(".")[1] not in NOT_SERVED and not module.name.endswith("__main__"):
            yield importlib.import_module(module.name)


def patterns():
    """Each pattern by its name, with the methods that are called on it."""
    found = {}
    for module in modules():
        source = Path(module.__file__).read_text()
        for name, value in vars(module).items():
            if not isinstance(value, re.Pattern):
                continue
            methods = set(re.findall(rf"\b{name}\.(\w+)\(", source)) & set(METHODS)
            full = f"{module.__name__}.{name}".removeprefix("samgis_process.")
            if methods and full not in OURS:
                found[full] = (value, methods)
    return found


METHODS = {
    "match": lambda pattern, text: pattern.match(text),
    "fullmatch": lambda pattern, text: pattern.fullmatch(text),
    "search": lambda pattern, text: pattern.search(text),
    "sub": lambda pattern, text: pattern.sub(text[:0], text),
    "split": lambda pattern, text: pattern.split(text),
    "findall": lambda pattern, text: pattern.findall(text),
    "finditer": lambda pattern, text: list(pattern.finditer(text)),
}
PATTERNS = patterns()


def nasty(pattern):
    """Long texts of letters that the pattern takes, and an end that it does not."""
    letters = sorted(set(LETTERS) | set(re.findall(r"[^\\\[\]{}()|?+*^$]", str(pattern))))
    for one, other in itertools.combinations_with_replacement(letters[:24], 2):
        yield (one + other) * (LENGTH // 2) + "\0"
        yield one * (LENGTH // 2) + other * (LENGTH // 2)
        yield one + other * LENGTH


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_takes_no_time_on_any_text(name):
    pattern, methods = PATTERNS[name]
    until = time.perf_counter() + 4
    for text, method in itertools.product(nasty(pattern.pattern), sorted(methods)):
        given = text.encode() if isinstance(pattern.pattern, bytes) else text
        taken = seconds(METHODS[method], pattern, given)
        if taken > MOST_S:  # once more, for others use this machine too
            taken = min(taken, seconds(METHODS[method], pattern, given))
        assert taken < MOST_S, (text[:20], text[-20:], method)
        if time.perf_counter() > until:
            break


def seconds(method, pattern, text):
    begun = time.perf_counter()
    method(pattern, text)
    return time.perf_counter() - begun


def test_every_pattern_has_a_name_and_so_is_tried():
    assert len(PATTERNS) > 25
    for module in modules():
        source = Path(module.__file__).read_text()
        assert not re.findall(r"\bre\.(?!compile|escape|Pattern|Match|[A-Z])\w+\(", source), module
