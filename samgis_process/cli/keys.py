"""`samgis-process keys`: keys for the server's clients."""

from __future__ import annotations

import json

import click

from samgis_process.server.keys import hashed, new_key
from samgis_process.settings import KeySettings


@click.group()
def keys() -> None:
    """Make keys for the server's clients."""


@keys.command()
@click.argument("name")
@click.option("--operator", is_flag=True, help="The key may read /metrics too.")
def new(name: str, *, operator: bool) -> None:
    """Make a key for NAME, and print it once: only its hash is kept, in the configuration.

    Jobs and results belong to the name; two keys of one name see the same ones.
    """
    key = new_key()
    try:
        entry = KeySettings(name=name, sha256=hashed(key), operator=operator)
    except ValueError as error:
        raise click.BadParameter(
            "begin with a letter or a digit; up to 100 letters, digits, '.', '_', '@' and '-'",
            param_hint="NAME",
        ) from error
    click.echo("The key, for whoever will use it; it is not shown again:", err=True)
    click.echo(key)
    click.echo("Its line in pygeoapi-config.yml, below samgis: access: keys:", err=True)
    click.echo(_line(entry))


def _line(entry: KeySettings) -> str:
    operator = ", operator: true" if entry.operator else ""
    # Quoted: a name or a hash of digits alone would be read as a number.
    return f"- {{name: {json.dumps(entry.name)}, sha256: {json.dumps(entry.sha256)}{operator}}}"
