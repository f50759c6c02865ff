"""The map page: its scripts and style, and the tiles under it."""
