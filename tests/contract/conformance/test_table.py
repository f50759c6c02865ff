"""The page of rules and results."""

import re


def test_the_page_names_each_rule_that_is_tested_and_each_that_is_open(script):
    table = script("conformance_table")
    named = re.findall(r"^\| `/req/([^`]+)` \|", table.PAGE.read_text(), re.MULTILINE)
    assert sorted(named) == sorted([*table.rules(), *table.OPEN]), "run: make conformance"


def test_the_groups_of_the_suite_name_rules_that_there_are(script):
    table = script("conformance_table")
    known = table.rules().keys() | table.OPEN.keys()
    assert {rule for ids in table.GROUPS.values() for rule in ids} <= known
    methods = sum(int(re.search(r"\((\d+)\)", group)[1]) for group in table.GROUPS)
    assert methods == 54


def test_each_deviation_of_pygeoapi_is_closed_by_tests_that_there_are(script):
    root = script("conformance_table").ROOT
    page = (root / "docs" / "reference" / "pygeoapi-deviations.md").read_text()
    rows = re.findall(r"^\| (\d+) \|.*\| ([^|]+) \|$", page, re.MULTILINE)
    assert [int(number) for number, _ in rows] == list(range(1, 41))
    for number, proofs in rows:
        named = re.findall(r"`([^`:]+)::(\w+)`", proofs)
        assert named, number
        for file, name in named:
            assert f"def {name}(" in (root / "tests" / file).read_text(), (number, name)
