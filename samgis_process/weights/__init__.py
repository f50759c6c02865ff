"""Set-up of a model: fetch the checkpoint, read it, author the ONNX graphs, install them.

Used by the command line at set-up, never imported while serving.
"""
