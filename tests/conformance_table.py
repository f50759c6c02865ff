"""Runs the conformance tests and writes docs/reference/conformance.md from what came of them."""

import re
import sys
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "reference" / "conformance.md"
TESTS = ROOT / "tests" / "contract" / "conformance"
STORES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
CLASSES = (
    "core", "ogc-process-description", "json", "html", "oas30", "job-list", "dismiss", "callback",
)  # fmt: skip
OPEN: dict[str, str] = {}  # what is not met
_RUNS = "core/process-execute-"
GROUPS = {
    "GeneralHttp (1)": ["core/http"],
    "LandingPage (2)": ["core/landingpage-op", "core/landingpage-success"],
    "Conformance (1)": ["core/conformance-op"],
    "ProcessList (5)": ["core/process-list", "core/pl-limit-definition", "core/pl-links"],
    "Process (3)": ["core/process-description", "core/process-exception-no-such-process"],
    "Jobs: modes, default outputs, inputs, document and raw answers (16)": [
        f"{_RUNS}auto-execution-mode",
        f"{_RUNS}default-execution-mode",
        f"{_RUNS}default-outputs",
        f"{_RUNS}inputs",
        *(f"{_RUNS}input-{each}" for each in ("array", "inline-object", "mixed-type")),
        *(f"{_RUNS}input-inline-{each}" for each in ("binary", "bbox")),
        f"{_RUNS}sync-document",
        f"{_RUNS}sync-raw-value-multi",
        f"{_RUNS}sync-raw-ref",
        f"{_RUNS}sync-raw-mixed-multi",
        "core/job-op",
        "core/job-results-async-document",
    ],
    "Jobs: sync raw value (1)": [f"{_RUNS}sync-raw-value-one"],
    "Jobs: input by reference (1)": ["core/process-execute-inputs (by reference)"],
    "Jobs: input validation (1)": [f"{_RUNS}input-validation"],
    "Jobs: requests, success, async raw answers (7)": [
        f"{_RUNS}op",
        f"{_RUNS}request",
        f"{_RUNS}success-async",
        "core/job-success",
        "core/job-results-async-raw-value-multi",
        "core/job-results-async-raw-ref",
        "core/job-results-async-raw-mixed-multi",
    ],
    "Jobs: results (1)": ["core/job-results"],
    "Jobs: async raw value (1)": ["core/job-results-async-raw-value-one"],
    "Jobs: not ready (1)": ["core/job-results-exception-results-not-ready"],
    "Jobs: no such job (2)": [
        "core/job-exception-no-such-job",
        "core/job-results-exception-no-such-job",
    ],
    "Jobs: results failed (1)": ["core/job-results-failed", f"{_RUNS}input-validation"],
    "Jobs: results sync (1)": ["core/job-results-success-sync"],
    "Process description (7)": [
        f"ogc-process-description/{each}"
        for each in ("json-encoding", "inputs-def", "input-mixed-type", "output-mixed-type")
    ],
    "JobList (2)": ["job-list/job-list-op", "job-list/job-list-success"],
}
HEAD = """\
# Conformance with OGC API - Processes - Part 1

Written by `tests/conformance_table.py` (`make conformance`) from a run of our own tests; another
test fails where this page and the tests differ.

The tests are a port of the rules of 18-062r2 and of the checks of OGC's executable test suite to
Python. **This is no certified run**: OGC's suite itself was not executed, and its validators may
judge differently at the edges. Each test calls a real server with the process `echo`, which takes
1.5 s, so that unfinished jobs are seen too; answers are validated against the essentials of the
standard's schemas. The server keeps its jobs in SQLite, then in PostgreSQL.

`make serve-conformance` starts a server with that process for a suite of your own; by default it
is not offered.
"""


class Recorder:
    """A plugin that notes what came of each rule on each store."""

    def __init__(self):
        self.outcomes = defaultdict(lambda: defaultdict(list))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item):
        report = yield
        marker = item.get_closest_marker("rule")
        if marker and (report.when == "call" or report.outcome != "passed"):
            store = item.callspec.params["suite"]
            for rule in marker.args:
                self.outcomes[rule][store].append(report.outcome)
        return report


def rules():
    """Return the sentences of the tests by rule, one class after the other."""
    found = defaultdict(list)
    for path in sorted(TESTS.glob("test_*.py")):
        for name, ids in _marked(path):
            for rule in ids:
                found[rule].append(_sentence(name, ids))
    order = sorted(found, key=lambda rule: CLASSES.index(rule.partition("/")[0]))
    return {rule: found[rule] for rule in order}


def _marked(path):
    sys.path.append(str(ROOT / "tests"))
    names = {}
    exec(compile(path.read_text(), str(path), "exec"), names)  # noqa: S102  our own tests
    for name, value in names.items():
        for mark in getattr(value, "pytestmark", ()):
            if name.startswith("test_") and mark.name == "rule":
                yield name, mark.args


def _sentence(name, ids):
    """Return what a test's name says after its rule, which it begins with."""
    slug = "test_" + re.sub(r"\W+", "_", ids[0].lower()).strip("_") + "_"
    assert name.startswith(slug), (name, slug)
    return name.removeprefix(slug).replace("_", " ")


def render(outcomes):
    """Return the page; `outcomes` holds those of all tests by rule and store."""
    lines = [HEAD, _table(("rule", "what is checked", *STORES.values()))]
    for rule, sentences in rules().items():
        said = "; ".join(dict.fromkeys(sentences))
        lines.append(_row((f"`/req/{rule}`", said, *(_said(outcomes[rule][s]) for s in STORES))))
    if OPEN:
        lines += ["\n## Open\n", _table(("rule", "what happens"))]
        lines += [_row((f"`/req/{rule}`", why)) for rule, why in OPEN.items()]
    lines += ["\n## The methods of OGC's suite\n", _table(("group (methods)", "rules", "result"))]
    for group, ids in GROUPS.items():
        named = ", ".join(f"`{rule}`" for rule in ids)
        lines.append(_row((group, named, _summary(ids, outcomes))))
    return "\n".join(lines) + "\n"


def _said(found):
    passed, failed = found.count("passed"), found.count("failed")
    if failed:
        return f"**{failed} of {len(found)} failed**"
    return f"passed ({passed})" if passed else "not run"


def _summary(ids, outcomes):
    tested = [rule for rule in ids if rule not in OPEN]
    if not tested:
        return "open"
    found = {each for rule in tested for s in STORES for each in outcomes[rule][s] or ["none"]}
    rest = ", but for what is open" if tested != ids else ""
    return f"passed{rest}" if found == {"passed"} else "**not all passed**"


def _table(names):
    return f"{_row(names)}\n{_row('---' for _ in names)}"


def _row(cells):
    return f"| {' | '.join(cells)} |"


def main():
    """Run the tests and write the page."""
    recorder = Recorder()
    code = pytest.main([str(TESTS), "-q", "-p", "no:randomly"], plugins=[recorder])
    PAGE.write_text(render(recorder.outcomes))
    print(f"wrote {PAGE.relative_to(ROOT)}")
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
