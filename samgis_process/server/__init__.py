"""The joint: wiring, and the ASGI application around pygeoapi."""
