import json
import sys

import numpy as np
import pytest

from models.evaluation import __main__ as command
from models.evaluation import compare, drawn, pairs, protocol, tables
from models.evaluation.configuration import OLD, Configuration
from models.evaluation.contact_sheet import choose
from models.evaluation.predict import Predictor
from models.evaluation.run import Settings, paired, run


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return drawn.write(tmp_path_factory.mktemp("pairs"))


@pytest.fixture(scope="module")
def answers(root, tiny_model_dir):
    """Two sets of rules, and a second model to agree with, over six drawn objects."""
    tiny = str(tiny_model_dir)
    rules = Configuration(tiny), Configuration(tiny, choice="largest-iou", previous=False)
    settings = Settings(rules, tiny_model_dir.parent, Configuration(tiny), True, 4)
    found = [one for few in run(pairs.tasks(pairs.load(root), 6), settings) for one in few]
    return paired(found, 2)


def test_drawn_pairs_are_the_same_every_time_and_have_objects(root, tmp_path):
    first, again = pairs.load(root), pairs.load(drawn.write(tmp_path))
    assert len(first) == 12
    for one, other in zip(first, again, strict=True):
        assert np.array_equal(one.read()[0], other.read()[0])
    assert {task.pair.source for task in pairs.tasks(first)} == set(drawn.KINDS)


def test_the_measured_mask_is_the_outline_drawn_again_and_cut_to_the_box(root, tiny_model_dir):
    image, labels = next(p for p in pairs.load(root) if p.source == "drawn_roofs").read()
    predict = Predictor(Configuration(str(tiny_model_dir)), tiny_model_dir)
    truth = labels == protocol.choose_objects(labels, "any")[0]
    step = protocol.box_step(predict, image, truth, 1)
    left, top, right, bottom = step.said[4].bounds
    rows, cols = protocol.extent(step.mask)
    assert left - 0.5 <= cols.start <= cols.stop <= right + 0.5
    assert top - 0.5 <= rows.start <= rows.stop <= bottom + 0.5
    assert right <= step.box[2] + 1 + max(1, (step.box[2] + 1 - step.box[0]) * 0.02)
    assert step.mask.sum() == pytest.approx(step.said[4].area, rel=0.1)
    assert protocol.iou(step.mask, truth) > 0.8


def test_the_same_model_agrees_with_itself(answers):
    assert tables.agreement(answers[0])["box"]["least"] == 1.0
    assert tables.agreement(answers[0])["several clicks"]["least"] == 1.0
    assert tables.agreement(answers[1]) is None


def test_measures_that_need_ten_clicks_are_empty_after_four(answers):
    measured = tables.measured(answers[0])
    assert measured["c10"] == measured["failing_at_10"] == {}
    assert 0 <= measured["c3"]["all"].low <= measured["c3"]["all"].high <= 1


def test_a_run_compared_with_itself_differs_by_nothing(answers):
    for name, found in tables.compare(answers[0], answers[0]).items():
        assert all(interval == (0, 0, 0) for interval in found.values()), name
    with pytest.raises(ValueError, match="different objects"):
        tables.compare(answers[0], answers[1][1:])


def test_records_tell_of_every_mask_of_every_answer(answers):
    rows = tables.record_rows(answers[0])
    assert len(rows) == sum(len(one.clicks) + 1 for one in answers[0])
    for row in rows:
        assert 0 <= row[f"agreement_{row['chosen']}"] <= 1
        assert row[f"iou_{row['chosen']}"] == pytest.approx(row["iou"], abs=0.05)


def test_a_contact_sheet_shows_an_object_once(answers):
    shown = choose(answers[0] * 5, answers[1] * 5, "c3")
    assert [len(rows) for rows in shown.values()] == [12, 6, 6]


def test_rules_are_read_from_words():
    text = "choice=largest-iou,previous=no,box_margin=none"
    assert Configuration.parse(text) == OLD
    assert Configuration.parse("model=x", OLD).choice == "largest-iou"
    with pytest.raises(ValueError, match="is none of"):
        Configuration.parse("colour=red")


def test_without_reference_data_it_says_that_its_pictures_are_drawn(tmp_path, monkeypatch):
    monkeypatch.setattr(command, "REFERENCE", tmp_path / "nothing")
    monkeypatch.setattr(command, "BUILD", tmp_path)
    monkeypatch.setattr(sys, "argv", ["eval"])
    found, words = command._pairs(command._options())
    assert len(found) == 12
    assert "not real pictures" in words


def test_the_command_writes_the_layout_of_the_protocol(
    root, tiny_model_dir, tmp_path, monkeypatch
):
    out = tmp_path / "eval-model.json"
    words = ["--pairs", root, "--model", tiny_model_dir, "--limit", 5, "--clicks", 5]
    words += ["--workers", 1, "--out", out, "--records", tmp_path / "records.csv"]
    monkeypatch.setattr(sys, "argv", ["eval", *map(str, words)])
    command.main()
    table = json.loads(out.read_text())
    assert list(table)[-3:] == ["all", "mean_of_sources", "seconds"]
    assert list(table["all"]) == ["c1", "c3", "c5", "box", "objects"]
    assert table["all"]["objects"] == 5
    rules, found = compare.read(tmp_path / "eval-model-details.json")
    assert rules.model == str(tiny_model_dir)
    mean = np.mean([one.after(3).iou for one in found])
    assert mean == pytest.approx(table["all"]["c3"], abs=1e-4)
    assert len((tmp_path / "records.csv").read_text().splitlines()) > 5
