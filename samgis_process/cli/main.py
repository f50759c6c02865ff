"""The commands."""

from __future__ import annotations

import json
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import click
from rasterio.errors import NotGeoreferencedWarning

from samgis_process import __version__
from samgis_process.blobs import BlobStore
from samgis_process.cli import serving
from samgis_process.cli.composite import composite
from samgis_process.cli.doctor import doctor
from samgis_process.cli.exit_codes import INTERRUPTED, OUR_FAULT, SOURCE_DOWN, WRONG_USE
from samgis_process.cli.keys import keys
from samgis_process.cli.models import ensure_model, models
from samgis_process.cli.progress import Progress
from samgis_process.cli.segment import segment
from samgis_process.cli.streams import only_ours
from samgis_process.errors import (
    Fault,
    InvalidRequest,
    SamgisError,
    SourceDamaged,
    SourceUnavailable,
)
from samgis_process.server import wiring
from samgis_process.server.logs import set_up_logging
from samgis_process.settings import DEFAULT_CONFIG, ConfigurationError, Settings
from samgis_process.settings import load as load_settings
from samgis_process.sources import sample

HERE = Path("pygeoapi-config.yml")


class _Commands(click.Group):
    """A group that turns our errors into one line and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with only_ours():
                return super().invoke(ctx)
        except SamgisError as error:
            click.echo(f"samgis-process: {_said(error)}", err=True)
            ctx.exit(_exit_code(error))
        except KeyboardInterrupt:
            ctx.exit(INTERRUPTED)


def _said(error: SamgisError) -> str:
    """Return the error in one line; of a request also what would do, and what to do."""
    if not isinstance(error, InvalidRequest):
        return str(error)
    return "; ".join(_one(fault) for fault in error.faults)


def _one(fault: Fault) -> str:
    wanted = f" (wanted: {fault.limit})" if fault.limit else ""
    remedy = f"; {fault.remedy}" if fault.remedy else ""
    return f"{fault.input}: {fault.message}{wanted}{remedy}"


def _exit_code(error: SamgisError) -> int:
    if isinstance(error, InvalidRequest | ConfigurationError):
        return WRONG_USE
    if isinstance(error, SourceDamaged):  # the caller's own file, or one that the caller named
        return WRONG_USE
    return SOURCE_DOWN if isinstance(error, SourceUnavailable) else OUR_FAULT


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar=wiring.CONFIG_VARIABLE,
    help="pygeoapi's configuration file, with the section `samgis:`. Without it, `serve` takes "
    f"{HERE} of the directory, all others that of the package.",
)
@click.pass_context
def main(ctx: click.Context, config: Path | None) -> None:
    """Segment Anything on the map, through OGC API - Processes."""
    logging.getLogger("samgis_process").addHandler(logging.NullHandler())  # unless it is set up
    warnings.filterwarnings("ignore", category=NotGeoreferencedWarning)  # our words say it better
    if config is None and ctx.invoked_subcommand == "serve" and HERE.is_file():
        config = HERE
    ctx.obj = config or DEFAULT_CONFIG


def _settings(ctx: click.Context) -> Settings:
    return load_settings(ctx.obj.resolve())


@main.command()
@click.option("--host", envvar="HOST", default="127.0.0.1", show_default=True)
@click.option("--port", envvar="PORT", type=int, default=5000, show_default=True)
@click.pass_context
def serve(ctx: click.Context, host: str, port: int) -> None:
    """Serve until interrupted."""
    set_up_logging()
    serving.stop_on_signals()
    config = ctx.obj.resolve()
    sockets = serving.claim(host, port)
    click.echo(f"Configuration: {config}", err=True)
    port = sockets[0].getsockname()[1]
    os.environ |= {"HOST": host, "PORT": str(port)}  # the configuration file reads them
    settings = load_settings(config)
    set_up_logging(json_lines=settings.server.log == "json")
    _warn_of_the_open(host, settings)
    jobs = wiring.job_room(settings, config)
    services = _ready(settings, config)
    from samgis_process.server.app import create_app  # noqa: PLC0415  pygeoapi takes seconds

    app = create_app(config, services, jobs, wiring.map_room(services))
    click.echo(f"Serving on http://{host}:{port}/ (stop with Ctrl-C)", err=True)
    serving.run(app, sockets, settings.limits.max_connections, app.state.stopping)


def _warn_of_the_open(host: str, settings: Settings) -> None:
    if host not in {"127.0.0.1", "::1", "localhost"} and not settings.access.is_closed:
        click.echo(
            "Everybody who reaches this address may use the server and see all jobs; "
            "docs/how-to/access.md says how to change that.",
            err=True,
        )


def _ready(settings: Settings, config: Path) -> wiring.Services:
    """Open what would otherwise fail or wait at the first request."""
    ensure_model(settings)
    progress = Progress()
    progress("Opening the model", None)
    services = wiring.build_services(settings, config)
    services.models.default.warm_up()
    progress("Opening the sources; the sample scene is drawn the first time", None)
    for source in services.sources.open_all():
        if source.reason:
            click.echo(f"Source {source.id} is unavailable: {source.reason}", err=True)
    wiring.set_default(services)
    return services


main.add_command(composite)
main.add_command(doctor)
main.add_command(keys)
main.add_command(models)
main.add_command(segment)


@main.group()
def cache() -> None:
    """Look at what is kept on disk, or empty it."""


def _stores(ctx: click.Context) -> Iterator[tuple[str, BlobStore]]:
    caches = wiring.Caches.of(_settings(ctx))
    for field in fields(caches):
        yield field.name, getattr(caches, field.name)


@cache.command("stats")
@click.pass_context
def cache_stats(ctx: click.Context) -> None:
    """Print entries and bytes of each store as JSON."""
    report = {}
    for name, store in _stores(ctx):
        stats = store.stats()
        report[name] = {
            "entries": stats.entries,
            "bytes": stats.size_bytes,
            "max_bytes": stats.max_bytes,
        }
    click.echo(json.dumps(report, indent=2))


@cache.command("clear")
@click.pass_context
def cache_clear(ctx: click.Context) -> None:
    """Remove every embedding, kept answer, tile and picture; a running server makes new ones."""
    for name, store in _stores(ctx):
        removed = store.clear()
        click.echo(f"{name}: removed {removed.entries} entries, {removed.size_bytes} bytes")


@main.group("sample")
def sample_group() -> None:
    """The built-in sample scene."""


@sample_group.command("truth")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False))
def sample_truth(out: Path | None) -> None:
    """Print the true outlines of what is drawn in the scene, as GeoJSON."""
    _write(json.dumps(sample.truth()) + "\n", out)


@main.command()
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False))
@click.pass_context
def openapi(ctx: click.Context, out: Path | None) -> None:
    """Print the OpenAPI document of the configured server, as YAML."""
    from samgis_process.server import openapi_file  # noqa: PLC0415  pygeoapi takes seconds

    config = ctx.obj.resolve()
    services = wiring.build_services(_settings(ctx), config)
    _write(openapi_file.render(services, config, services.access), out)


def _write(text: str, out: Path | None) -> None:
    if out is None:
        sys.stdout.write(text)
    else:
        out.write_text(text, encoding="utf-8")
