"""Elevation: how tiles encode it, and what its shape says."""

from samgis_process.terrain.decode import Encoding, decode, plausible
from samgis_process.terrain.layers import LAYERS, Layer, Options, compute, halo_of
from samgis_process.terrain.surface import Surface

__all__ = [
    "LAYERS",
    "Encoding",
    "Layer",
    "Options",
    "Surface",
    "compute",
    "decode",
    "halo_of",
    "plausible",
]
