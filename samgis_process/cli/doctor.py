"""`samgis-process doctor`: what is wrong with a set-up, in words, with what to do about it."""

from __future__ import annotations

import contextlib
import json
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import click

from samgis_process.cli import checks
from samgis_process.errors import SamgisError
from samgis_process.settings import DEFAULT_CONFIG, Settings
from samgis_process.settings import load as load_settings

State = Literal["ok", "warn", "FAIL"]


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one check; `ms` is what it took."""

    check: str
    state: State
    message: str
    remedy: str = ""
    ms: float = 0.0

    def line(self) -> str:
        """Return it as one line."""
        remedy = f" -> {self.remedy}" if self.remedy else ""
        return f"{self.state:4}  {self.check}: {self.message}{remedy}"


def examine(config: Path, host: str, port: int) -> Iterator[Finding]:
    """Yield a finding for each check, as it is made."""
    settings: list[Settings] = []

    def parse() -> checks.Outcome:
        settings.append(load_settings(config))
        own = config == DEFAULT_CONFIG.resolve()
        return checks.Outcome(f"{"the package's own" if own else config.name} makes sense")

    yield _found("config", parse, "correct it; docs/reference/settings.md lists every setting")
    if not settings:
        return
    for name, check, remedy in checks.all_checks(settings[0], host, port):
        yield _found(name, check, remedy)


def _found(
    name: str, check: Callable[[], checks.Outcome], remedy: str | Callable[[str], str]
) -> Finding:
    begun = time.perf_counter()
    try:
        outcome = check()
        state: State = "warn" if outcome.remedy else "ok"
        message, todo = outcome.message, outcome.remedy
    except (SamgisError, OSError) as error:
        told = error.strerror if isinstance(error, OSError) else ""
        state, message = "FAIL", told or str(error)
        todo = remedy if isinstance(remedy, str) else remedy(message)
        if not todo:  # then the message says it
            message, _, todo = message.partition("; ")
    return Finding(name, state, message, todo, round((time.perf_counter() - begun) * 1000, 1))


@click.command()
@click.option("--host", envvar="HOST", default="127.0.0.1", show_default=True)
@click.option("--port", envvar="PORT", type=int, default=5000, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.pass_context
def doctor(ctx: click.Context, host: str, port: int, *, as_json: bool) -> None:
    """Check the set-up and say what is wrong with it; exit with 1 if anything is."""
    findings = []
    with _quiet():
        for finding in examine(ctx.obj.resolve(), host, port):
            findings.append(finding)
            if not as_json:
                click.echo(finding.line())
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    ctx.exit(int(any(finding.state == "FAIL" for finding in findings)))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the log out of the findings: they say it better."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
