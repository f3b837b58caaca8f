"""The rules as documents: the examples of each are run, and nothing that must be documented is missing."""

from __future__ import annotations

import dataclasses
import re

import pytest

from panicguard import config
from panicguard.engine import check
from panicguard.rule import Rule, all_rules, imported, index
from panicguard.source import Source

RULES = all_rules()
SETTINGS = dataclasses.replace(
    config.default(""), enabled=frozenset(rule.code for rule in RULES), boundary_packages=("nowhere",)
)
_EXAMPLE = re.compile(r"```(python|go)\n(.*?)```", re.DOTALL)


def codes(text: str, language: str) -> set[str]:
    return {d.code for d in check(Source("example", text, language), SETTINGS)}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_the_index_says_what_the_module_says(rule: Rule) -> None:
    assert index(rule) == index(imported(rule.name.replace("-", "_"))), "run python tests/generate.py"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_the_first_example_is_flagged_and_the_second_is_not(rule: Rule) -> None:
    for language in ("python", "go"):
        texts = [text for its, text in _EXAMPLE.findall(rule.docs) if its == language]
        assert bool(texts) or getattr(rule, language) is None
        for wrong, right in zip(texts[::2], texts[1::2], strict=True):
            assert rule.code in codes(wrong, language)
            assert rule.code not in codes(right, language)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_rule_says_what_it_does_and_why_and_how_safe_its_fix_is(rule: Rule) -> None:
    for section in ("## What it does", "## Why is this bad", "## Example", "## Use instead"):
        assert section in rule.docs
    assert ("## Fix safety" in rule.docs) is (rule.fix != "None")
    assert rule.summary.startswith("Checks for ")
    assert rule.summary.endswith(".")


def test_codes_and_names_are_unique_and_well_formed() -> None:
    assert len({rule.code for rule in RULES}) == len({rule.name for rule in RULES}) == len(RULES)
    assert all(re.fullmatch(r"PNC\d{3}", rule.code) for rule in RULES)
    assert all(re.fullmatch(r"[a-z0-9-]+", rule.name) for rule in RULES)
