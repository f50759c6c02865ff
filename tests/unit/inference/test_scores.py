"""The score is an estimate, fitted or the model's own word."""

import pytest

from samgis_process.inference.catalogue import entries
from samgis_process.inference.masks import _rules
from samgis_process.inference.scores import Facts, score

GOOD = Facts(predicted_iou=0.95, stability=0.97, share=0.05, edge=0.0, agreement=0.8)
WHOLE = Facts(predicted_iou=1.04, stability=0.97, share=1.0, edge=1.0, agreement=0.3)
SHAKY = Facts(predicted_iou=0.6, stability=0.4, share=0.05, edge=0.0, agreement=0.3)
CALIBRATED = {model: rule["score"] for model, rule in _rules().items()}


def test_without_weights_the_models_own_word_counts():
    assert score(GOOD, "box", {}) == pytest.approx(0.95 * 0.97)
    assert score(WHOLE, "click", {}) == pytest.approx(0.97)


@pytest.mark.parametrize("kind", ["click", "clicks", "box"])
@pytest.mark.parametrize("model", CALIBRATED)
def test_a_fitted_score_is_lower_for_what_is_worse(model, kind):
    weights = CALIBRATED[model]
    good, shaky = (score(facts, kind, weights) for facts in (GOOD, SHAKY))
    assert 0 < shaky < good < 1


@pytest.mark.parametrize("model", CALIBRATED)
def test_one_click_on_the_whole_window_is_not_believed(model):
    """Its predicted IoU is the highest of all, and it is nearly always wrong."""
    weights = CALIBRATED[model]
    assert score(WHOLE, "click", weights) < score(GOOD, "click", weights) - 0.1


def test_the_default_models_are_calibrated():
    assert {"mobile-sam", "mobile-sam-maps"} <= CALIBRATED.keys() <= entries().keys()
