"""How `mobile-sam-maps` is trained: PyTorch in an environment of its own, see README.md."""
