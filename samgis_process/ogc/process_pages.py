"""Processes on pages: the list, and each with the form to run it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from samgis_process.ogc import forms, samples
from samgis_process.ogc.curl import curl
from samgis_process.ogc.pages import Place, page, root_of, site_of
from samgis_process.ogc.service_pages import HOME

PROCESSES = Place("Processes", "/processes")


def list_page(request: Request, content: Mapping[str, Any]) -> Response:
    """Return the list of processes as a page."""
    return page(
        request,
        "processes.html",
        title="Processes",
        trail=(HOME,),
        processes=content["processes"],
        links=content["links"],
    )


def place(process_id: str) -> Place:
    """Return where the page of a process is."""
    return Place(process_id, f"/processes/{quote(process_id, safe='')}")


def form_page(
    request: Request, description: Mapping[str, Any], *, has_own: bool = False
) -> Response:
    """Return the page of a process, with its form.

    Args:
        description: with its links.
        has_own: whether another page of the process is at its address.
    """
    address = next(one["href"] for one in description["links"] if one["rel"].endswith("/execute"))
    example = samples.example(description)
    path = f"{root_of(request)}{place(description['id']).href}"
    return page(
        request,
        "process.html",
        title=str(description.get("title", description["id"])),
        trail=(HOME, PROCESSES),
        process=description,
        fields=forms.fields(description),
        answers=forms.answers(description),
        example=example,
        curl=curl(address, example, key=site_of(request).keys),
        address=address,
        action=f"{path}/execution",
        own_page=path if has_own else "",
        links=description["links"],
        json_href=f"{path}?f=json",
    )
