"""How good the answers are: the click protocol, its tables, and comparisons with intervals.

`python -m models.evaluation --help`, or `make eval-model`.
"""
