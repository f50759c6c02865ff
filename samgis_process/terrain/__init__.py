"""Elevation: how tiles encode it."""

from samgis_process.terrain.decode import Encoding, decode

__all__ = ["Encoding", "decode"]
