"""Requests to addresses that a stranger named: bounded, and never to where only we can reach.

`rules` says where a request may go, `exchange` makes it, to the very address that was checked.
"""

from samgis_process.outbound.exchange import Fetched, Limits, get, post
from samgis_process.outbound.rules import Refused, Rules, Unreachable

__all__ = ["Fetched", "Limits", "Refused", "Rules", "Unreachable", "get", "post"]
