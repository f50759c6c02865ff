"""Segment Anything on the map, served through OGC API - Processes."""

__version__ = "0.1.0"
