"""The commands about models: what there is, install, verify, remove, add one's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from samgis_process.cli.progress import Progress
from samgis_process.errors import ModelUnavailable, SamgisError
from samgis_process.inference import catalogue
from samgis_process.inference.catalogue import Installed, ModelEntry
from samgis_process.inference.families import FAMILIES
from samgis_process.inference.room import load as load_model
from samgis_process.inference.sessions import Runtime
from samgis_process.settings import Settings
from samgis_process.settings import load as load_settings

DAMAGED = 1  # the exit code of `verify`


@click.group()
def models() -> None:
    """Install models, verify them, bring your own."""


def _settings(ctx: click.Context) -> Settings:
    return load_settings(ctx.obj.resolve())


def _runtime(settings: Settings) -> Runtime:
    models = settings.models
    return Runtime(models.threads, models.provider)


def _models_dir(ctx: click.Context) -> Path:
    return _settings(ctx).models.directory


@models.command("list")
@click.option("--json", "as_json", is_flag=True, help="All that is known, for machines.")
@click.pass_context
def list_models(ctx: click.Context, *, as_json: bool) -> None:
    """List the models: id, state, megabytes to download, licence, what each is good for."""
    rows = _rows(_models_dir(ctx))
    if as_json:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    width = max(len(row["id"]) for row in rows)
    for row in rows:
        size = f"{row['download_bytes'] / 1e6:.0f} MB"
        click.echo(f"{row['id']:{width}}  {row['state']:13}  {size:>6}  {row['licence']}")
        click.echo(f"{'':{width}}  {row['good_for']}")


def _rows(models_dir: Path) -> list[dict[str, Any]]:
    """Return what is known of the catalogue's models, then of those a user brought."""
    there = {model.manifest.id: model for model in catalogue.found(models_dir)}
    known = catalogue.entries()
    rows = [_entry_row(entry) | _state(there.get(entry.id)) for entry in known.values()]
    own = [model for model_id, model in there.items() if model_id not in known]
    return rows + [_own_row(model) | _state(model) for model in own]


def _entry_row(entry: ModelEntry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "title": entry.title,
        "family": entry.family,
        "origin": "catalogue",
        "licence": entry.licence,
        "licence_url": entry.licence_url,
        "restricts": entry.restricts,
        "attribution": entry.attribution,
        "download_bytes": entry.download_bytes,
        "good_for": entry.good_for,
        "figures": dict(entry.figures),
    }


def _own_row(model: Installed) -> dict[str, Any]:
    manifest = model.manifest
    return {
        "id": manifest.id,
        "title": manifest.title,
        "family": manifest.family,
        "origin": manifest.origin,
        "licence": manifest.licence,
        "licence_url": manifest.licence_url,
        "restricts": None,  # nobody has read it for you
        "attribution": manifest.attribution,
        "download_bytes": 0,
        "good_for": f"{manifest.title} (your own files)",
        "figures": {},
    }


def _state(model: Installed | None) -> dict[str, Any]:
    if model is None:
        return {"state": "not installed", "directory": None, "files": {}}
    manifest = model.manifest
    files = {
        file.name: {"bytes": file.bytes, "sha256": file.sha256} for file in manifest.files.values()
    }
    state = "installed" if manifest.sizes_agree(model.directory) else "damaged"
    directory = str(model.directory)
    return {"state": state, "directory": directory, "files": files}


def ensure_model(settings: Settings) -> None:
    """Install the configured model if it is in the catalogue, unrestricted, and not there yet."""
    from samgis_process.weights.build import ensure  # noqa: PLC0415  set-up code, not for serving

    entry = catalogue.entries().get(settings.models.default)
    if entry is None or entry.restricts or entry.installed(settings.models.directory):
        return
    click.echo(f"{entry.title}: licence {entry.licence}, {entry.licence_url}", err=True)
    progress = Progress()
    directory = ensure(entry, settings.models.directory, progress)
    progress(f"{entry.title} is ready in {directory}", None)


@models.command()
@click.argument("model_id", metavar="ID", required=False)
@click.option("--accept-licence", is_flag=True, help="Needed where a licence limits the use.")
@click.pass_context
def install(ctx: click.Context, model_id: str | None, *, accept_licence: bool) -> None:
    """Download a model of the catalogue, the default one without ID; nothing is done twice."""
    from samgis_process.weights.build import ensure  # noqa: PLC0415  set-up code, not for serving

    settings = _settings(ctx)
    entry = catalogue.entry(model_id or settings.models.default)
    if entry.installed(settings.models.directory):
        return
    click.echo(f"{entry.title}: licence {entry.licence}, {entry.licence_url}", err=True)
    if entry.restricts and not accept_licence:
        raise click.UsageError(
            f"The licence of {entry.id} limits what it may be used for. Read it at "
            f"{entry.licence_url}, then install with --accept-licence."
        )
    progress = Progress()
    directory = ensure(entry, settings.models.directory, progress)
    progress(f"{entry.title} is ready in {directory.name}", None)


@models.command()
@click.argument("model_id", metavar="ID", required=False)
@click.option("--run", is_flag=True, help="Open each model and run it once, too.")
@click.pass_context
def verify(ctx: click.Context, model_id: str | None, *, run: bool) -> None:
    """Compare every installed file with its digest; exits with 1 if one is damaged."""
    settings = _settings(ctx)
    there = [
        model
        for model in catalogue.found(settings.models.directory)
        if model_id in {None, model.manifest.id}
    ]
    if not there:
        raise ModelUnavailable(f"{model_id or 'No model'} is not installed")
    healthy = True
    for model in there:
        fault = _fault(model, settings, run=run)
        healthy = healthy and not fault
        click.echo(f"{model.manifest.id}\t{fault or 'intact'}")
    if not healthy:
        ctx.exit(DAMAGED)


def _fault(model: Installed, settings: Settings, *, run: bool) -> str:
    """Return what is wrong with a model, empty if nothing."""
    damaged = model.manifest.damaged(model.directory)
    if damaged:
        again = "" if model.manifest.origin == catalogue.LOCAL else "install it again"
        return f"damaged: {', '.join(damaged)}; remove it and {again or 'add it again'}"
    if run:
        try:
            load_model(model.directory, _runtime(settings)).try_out()
        except SamgisError as error:
            return f"cannot be run: {error}"
    return ""


@models.command()
@click.argument("model_id", metavar="ID")
@click.pass_context
def remove(ctx: click.Context, model_id: str) -> None:
    """Remove an installed model, its earlier builds and its kept downloads."""
    from samgis_process.weights.build import remove as remove_files  # noqa: PLC0415  as above

    directories = remove_files(model_id, _models_dir(ctx))
    if not directories:
        raise ModelUnavailable(f"{model_id} is not installed")
    click.echo(f"removed {', '.join(directory.name for directory in directories)}")


@models.command()
@click.argument("model_id", metavar="ID")
@click.option("--encoder", type=click.Path(path_type=Path, dir_okay=False), required=True)
@click.option("--decoder", type=click.Path(path_type=Path, dir_okay=False), required=True)
@click.option("--family", required=True, help="sam-onnx (SAM 1 exports) or sam2.")
@click.option("--title", default="", help="For people; the ID without it.")
@click.option("--licence", default="not stated", help="Shown beside the model.")
@click.pass_context
def add(
    ctx: click.Context,
    model_id: str,
    encoder: Path,
    decoder: Path,
    family: str,
    title: str,
    licence: str,
) -> None:
    """Try your own ONNX files, and copy them into the models directory under an ID."""
    from samgis_process.weights import foreign  # noqa: PLC0415  as above

    if family not in foreign.FAMILIES:
        known = " or ".join(foreign.FAMILIES)
        raise click.BadParameter(f"it is {known}, not {family!r}", ctx, param_hint="--family")
    settings = _settings(ctx)

    def try_out(directory: Path) -> None:
        FAMILIES[family](directory, _runtime(settings)).try_out()

    about = foreign.Own(model_id, family, title or model_id, licence)
    files = {"encoder": encoder, "decoder": decoder}
    directory = foreign.add(about, files, settings.models.directory, try_out)
    click.echo(f"added {model_id} in {directory.name}")
