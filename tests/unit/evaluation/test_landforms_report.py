import numpy as np
import pytest

from models.evaluation.landforms import report
from models.evaluation.landforms.rows import Row


def row(name, scene, value, number=1, origin="drawn"):
    return Row(name, scene, origin, "hill", number, value, value, value, value)


def test_a_mean_is_over_landforms_and_its_interval_over_windows():
    values = [0.2] * 9 + [0.8]
    within = report.clustered(values, ["one"] * 9 + ["two"])
    alone = report.clustered(values, [str(k) for k in range(10)])
    assert within.mean == alone.mean == pytest.approx(0.26)
    assert within.low == pytest.approx(0.2)
    assert within.high == pytest.approx(0.8)
    assert alone.high < 0.8


def test_one_window_has_no_spread_to_tell_of():
    interval = report.clustered([0.1, 0.3], ["one", "one"])
    assert interval.low == interval.high == interval.mean


def test_the_interval_covers_the_mean_about_as_often_as_it_says():
    random = np.random.default_rng(3)
    hits = 0
    for _ in range(100):
        shared = random.normal(0, 1, 30).repeat(2)
        values = shared + random.normal(0, 0.3, 60)
        interval = report.clustered(values, [str(k // 2) for k in range(60)])
        hits += interval.low <= 0 <= interval.high
    assert 86 <= hits <= 99


def test_differences_are_paired_by_landform():
    rows = [row("relief", s, v) for s, v in (("a", 0.1), ("b", 0.9))]
    rows += [row("terrain", s, v + 0.05) for s, v in (("b", 0.9), ("a", 0.1))]
    found = report.difference(rows, "terrain", "relief", "c1")
    assert tuple(found) == pytest.approx((0.05, 0.05, 0.05))
    assert report.difference(rows, "relief", "relief", "c1") is None
    assert report.difference(rows, "terrain", "samgis", "c1") is None


def test_what_is_held_out_is_every_second_window_whatever_the_rendering():
    rows = [row(name, scene, 0.5) for name in ("relief", "samgis") for scene in "abcd"]
    kept = report.held_out(rows)
    assert [(one.rendering, one.scene) for one in kept] == [
        ("relief", "b"), ("relief", "d"), ("samgis", "b"), ("samgis", "d"),
    ]  # fmt: skip


def test_drawn_and_real_are_told_apart():
    rows = [
        row(name, origin, value, origin=origin)
        for name, value in (("relief", 0.5), ("samgis", 0.4))
        for origin in ("drawn", "real")
    ]
    text = report.tables(rows)
    assert "Drawn: 1 landforms in 1 windows" in text
    assert "Real: 1 landforms in 1 windows" in text
    assert "+0.100" in text
