"""OGC API - Processes over HTTP for any list of processes; knows nothing of segmentation.

`process.Process` is what a process must look like, `routes.process_routes` makes the paths of
the standard from a list of them, and `openapi.document` describes those.
"""
