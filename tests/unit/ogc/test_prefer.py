"""The header Prefer, from anybody."""

import time

import pytest

from samgis_process.ogc.prefer import preferences


def test_quoted_commas_and_parameters_do_not_separate():
    headers = ['respond-async;x="a,b", wait="10"', 'return=minimal; y=1, foo="a;b,c"']
    assert preferences(headers) == {
        "respond-async": "", "wait": "10", "return": "minimal", "foo": "a;b,c",
    }  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["," * 30_000 + '"' * 30_001, '"' * 64_001, 'a="' * 21_000, ";" * 32_000 + '"' * 32_001,
     '",' * 32_000 + '"', "a" * 64_000, 'a="b;' * 13_000],
    ids=["commas", "quotes", "open", "semicolons", "pairs", "long", "mixed"],
)  # fmt: skip
def test_the_worst_text_takes_no_time(text):
    begun = time.perf_counter()
    preferences([text])
    assert time.perf_counter() - begun < 0.1
