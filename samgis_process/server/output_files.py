"""Outputs that go by reference, as files of the result store."""

from __future__ import annotations

from collections.abc import Mapping

from samgis_process.ogc.delivery import Keep, Reference, suffix
from samgis_process.ogc.encode import NOT_IN_NAMES, to_bytes
from samgis_process.ogc.process import Context, Output
from samgis_process.results import LIST, File, ResultStore


def keep_in(store: ResultStore) -> Keep:
    """Return what keeps the outputs of a run as one result."""

    def keep(outputs: Mapping[str, Output], context: Context) -> dict[str, Reference]:
        ticket = store.ticket(context.owner)
        names = _names(outputs)
        files = {names[i]: File(one.media_type, to_bytes(one)) for i, one in outputs.items()}
        store.keep(ticket, files)
        address = context.link(f"/results/{ticket.id}")
        return {
            name: Reference(one.media_type, f"{address}/{names[name]}", ticket.expires)
            for name, one in outputs.items()
        }

    return keep


def _names(outputs: Mapping[str, Output]) -> dict[str, str]:
    """Return a file's name for each output: its id, as far as that can be one, and a suffix."""
    names: dict[str, str] = {}
    for name, output in outputs.items():
        stem = NOT_IN_NAMES.sub("-", name)[:80]
        file = stem + suffix(output.media_type)
        taken = {LIST, *names.values()}
        names[name] = f"{len(names)}-{file}" if file in taken or not stem else file
    return names
