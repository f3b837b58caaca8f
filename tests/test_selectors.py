"""Which rules are on and what may be fixed, beside Ruff: the same selectors in files and flags."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from beside_ruff import both, ours

from panicguard.config import selectors
from panicguard.rule import all_rules

if TYPE_CHECKING:
    from pathlib import Path


def flags(**given: str) -> tuple[str, ...]:
    return tuple(part for name, value in given.items() if value for part in (f"--{name.replace('_', '-')}", value))


PREFIXES = ("F", "F4", "F401", "E", "ALL")
ROWS = [
    *(
        ("", flags(select=select, ignore=ignore))
        for select, ignore in itertools.product(PREFIXES, ("", "F", "F401", "E711", "ALL"))
    ),
    ("", flags(select="F401", extend_select="E", ignore="F")),
    ("", flags(select="F", extend_select="E711", ignore="E")),
    ("", flags(select="E", extend_select="F4", ignore="F401")),
    ("", flags(select="F4", extend_select="F", ignore="F4")),
    ("", flags(select="F,F401", ignore="F4")),
    ("", flags(ignore="F401", extend_select="F401")),
    ("", flags(ignore="F", extend_select="F401")),
    ("", flags(select="F401", extend_ignore="F401,E711")),
    ('ignore = ["F401"]', flags(select="F")),
    ('ignore = ["F401"]', flags(extend_select="F401")),
    ('extend-select = ["F401"]', flags(ignore="F")),
    ('select = ["ALL"]\nignore = ["F401"]', flags(extend_select="F")),
    ('select = ["F401"]\nextend-ignore = ["F"]', ()),
    ('select = ["F"]\nextend-ignore = ["F401"]', ()),
    ("select = []", ()),
    ('select = []\nignore = ["F401"]', flags(extend_select="F401,E711")),
    ('select = []\nextend-select = ["E711"]\nignore = ["F401"]', flags(extend_select="F401")),
    ('select = ["F401"]', ("--config", 'lint.select = ["E711"]')),
    ('select = ["F401"]', ("--config", 'lint = { extend-select = ["E711"], ignore = ["F401"] }')),
    ("", ("--config", 'lint.select = ["F401"]', "--ignore", "F")),
    ("", ("--config", 'lint.select = ["F401"]', "--select", "E711")),
]
"""What stands in the table `lint`, and the flags."""


@pytest.mark.parametrize(
    ("text", "arguments"), ROWS, ids=lambda part: part if isinstance(part, str) else " ".join(part)
)
def test_the_same_rules_are_on_as_in_ruff(tmp_path: Path, text: str, arguments: tuple[str, ...]) -> None:
    if not text.startswith("select"):  # the rules that are on by default are not alike
        text = f'select = ["F401", "E711"]\n{text}'
    theirs, our = both(tmp_path, {"ruff.toml": f"[lint]\n{text}\n", "a.py": ""}, *arguments)
    assert our == theirs
    assert isinstance(our, dict)


FIXES = [
    ("fixable = []", ()),
    ('fixable = ["E"]', ()),
    ('fixable = ["F"]\nunfixable = ["F401"]', ()),
    ('fixable = ["F401"]\nunfixable = ["F"]', ()),
    ('fixable = ["F401"]\nunfixable = ["ALL"]', ()),
    ('unfixable = ["ALL"]', ()),
    ('unfixable = ["E711"]\nextend-fixable = ["E"]', ()),
    ('unfixable = ["F401"]', flags(extend_fixable="F401")),
    ('unfixable = ["F401"]', flags(fixable="F")),
    ('fixable = ["F401"]', flags(unfixable="F")),
    ('fixable = []\nunfixable = ["F401"]', flags(extend_fixable="F,E")),
    ('extend-unsafe-fixes = ["F401"]', ()),
    ('extend-safe-fixes = ["E711"]', ()),
    ('extend-safe-fixes = ["ALL"]\nextend-unsafe-fixes = ["E7"]', ()),
    ('extend-safe-fixes = ["E711"]\nextend-unsafe-fixes = ["E"]', ()),
    ('extend-safe-fixes = ["E"]\nextend-unsafe-fixes = ["E", "F"]', ()),
    ('extend-safe-fixes = ["E"]\nunfixable = ["E"]', ()),
]


@pytest.mark.parametrize(("text", "arguments"), FIXES)
def test_the_same_may_be_fixed_as_in_ruff(tmp_path: Path, text: str, arguments: tuple[str, ...]) -> None:
    files = {"ruff.toml": f'[lint]\nselect = ["F401", "E711"]\n{text}\n', "a.py": ""}
    theirs, our = both(tmp_path, files, *arguments)
    assert our == theirs
    assert isinstance(our, dict)
    assert our["a.py"].keys() == {"F401", "E711"}


UNKNOWN = [
    ("select", "ZZZ"),
    ("extend-select", "F999"),
    ("fixable", "f401"),
    ("unfixable", "ZZZ"),
    ("extend-fixable", ""),
    ("select", ""),
    ("ignore", "ZZZ"),
    ("per-file-ignores", "a.py:ZZZ"),
]


@pytest.mark.parametrize(("flag", "value"), UNKNOWN)
def test_unknown_selectors(tmp_path: Path, flag: str, value: str) -> None:
    theirs, our = both(tmp_path, {"a.py": ""}, "--isolated", f"--{flag}", value)
    said = f"Unknown rule selector `{value.rpartition(':')[2]}` in `{flag}` from the CLI"
    assert said in theirs
    if flag in ("ignore", "per-file-ignores"):
        # A newer panicguard may know it: Ruff's users ask for that.
        assert our == {"a.py": {"F401": "safe", "E711": "unsafe"}}
    else:
        assert said.replace("F999", "PNC19") in our or said in our


def test_spaces_in_a_list_do_not_count(tmp_path: Path) -> None:
    theirs, our = both(tmp_path, {"a.py": ""}, "--isolated", "--select", "F401, E711,")
    assert "Unknown rule selector ` E711`" in theirs
    assert our == {"a.py": {"F401": "safe", "E711": "unsafe"}}


def test_names_are_selectors(tmp_path: Path) -> None:
    for rule in all_rules():
        assert selectors.codes_of(rule.name) == {rule.code}
    (tmp_path / "a.py").write_text("x = 1\n")
    assert ours(tmp_path, "--isolated", "--select", "bare-asyncio-task") == {}
    assert selectors.resolve(frozenset(), [selectors.Layer(("bare-thread",), ("PNC1",))]) == {"PNC103"}
