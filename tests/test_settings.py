"""Configuration: selectors beside Ruff's, keys, and errors that point at what is wrong."""

from __future__ import annotations

import itertools
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from panicguard import settings
from panicguard.rule import all_rules
from panicguard.settings import ConfigError, Layer

if TYPE_CHECKING:
    from pathlib import Path

# Rules of Ruff that one file breaks, and the codes of ours that stand for them: alike in their prefixes.
STAND_FOR = {"F401": "PNC101", "E711": "PNC304"}
TEXT = "import os\n\n\ndef f(x):\n    return x == None\n"
PREFIXES = {"F": "PNC1", "F4": "PNC10", "F401": "PNC101", "E": "PNC3", "E711": "PNC304", "ALL": "ALL"}


def ruff_finds(folder: Path, *flags: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--output-format", "concise", *flags],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return {code for code in STAND_FOR if f" {code} " in done.stdout}


@pytest.mark.parametrize(
    ("select", "extend", "ignore"),
    [
        *itertools.product(("F", "F4", "F401", "E", "ALL"), ("",), ("", "F", "F4", "F401", "E711", "ALL")),
        ("F401", "E", "F"),
        ("F", "E711", "E"),
        ("E", "F4", "F401"),
        ("F4", "F", "F4"),
    ],
)
def test_selectors_resolve_as_ruffs(tmp_path: Path, select: str, extend: str, ignore: str) -> None:
    (tmp_path / "a.py").write_text(TEXT)
    given = {"--select": select, "--extend-select": extend, "--ignore": ignore}
    flags = [part for flag, value in given.items() if value for part in (flag, value)]
    theirs = {STAND_FOR[code] for code in ruff_finds(tmp_path, *flags)}
    layer = Layer(
        (PREFIXES[select],),
        (PREFIXES[ignore],) if ignore else (),
        (PREFIXES[extend],) if extend else (),
        "the CLI",
    )
    assert settings.enabled_codes([layer]) & set(STAND_FOR.values()) == theirs


def test_names_are_selectors() -> None:
    for rule in all_rules():
        assert settings.enabled_codes([Layer((rule.name,), (), (), "here")]) == {rule.code}


def loaded(folder: Path, text: str, name: str = "panicguard.toml") -> settings.Settings:
    path = folder / name
    path.write_text(text)
    return settings.load(str(path))[0]


def test_all_keys(tmp_path: Path) -> None:
    its = loaded(
        tmp_path,
        """
runtime-module = "app.mruntime"
default-policy = "CrashProcess"
spawn-exempt = ["scripts/**"]
strict-spawns = true
exclude = ["gen"]
extend-exclude = ["more"]
output-format = "concise"
unsafe-fixes = false

[per-file-ignores]
"a.py" = ["PNC1"]

[component]
"src/**" = "core"
""",
    )
    assert its.runtime_module == "app.mruntime"
    assert its.default_policy == "CrashProcess"
    assert its.spawn_exempt == ("scripts/**",)
    assert its.strict_spawns
    assert its.exclude == ("gen", "more")
    assert its.output_format == "concise"
    assert its.unsafe_fixes is False
    assert its.component == (("src/**", "core"),)
    assert dict(its.per_file_ignores)["a.py"] == frozenset(r.code for r in all_rules() if r.code.startswith("PNC1"))


def test_the_lint_table_and_pyproject(tmp_path: Path) -> None:
    text = '[tool.panicguard.lint]\nstrict-spawns = true\n[tool.panicguard]\ndefault-policy = "CrashProcess"\n'
    its = loaded(tmp_path, text, "pyproject.toml")
    assert (its.strict_spawns, its.default_policy) == (True, "CrashProcess")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("select = [", "TOML parse error at line 1"),
        ('x = 1\nselect = ["PNC1"]\n', "unknown field `x`"),
        ("\n\nstrict-spawns = 1\n", "TOML parse error at line 3, column 17"),
        ('default-policy = "Panic"\n', "KeepRunning"),
        ('select = ["PNC999"]\n', "PNC999"),
        ('runtime-module = "not a module"\n', "runtime-module"),
    ],
)
def test_errors_point_at_the_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, text)
    assert said in str(caught.value)
    assert "panicguard.toml" in str(caught.value)


def test_the_nearest_file_wins_and_pyproject_must_speak_of_us(tmp_path: Path) -> None:
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    settings.own_file.cache_clear()
    (tmp_path / "panicguard.toml").write_text("")
    (tmp_path / "a" / "pyproject.toml").write_text("[tool.other]\n")
    assert settings.nearest(str(below)) == str(tmp_path / "panicguard.toml")
    settings.own_file.cache_clear()
    (tmp_path / "a" / "pyproject.toml").write_text("[tool.panicguard]\n")
    (tmp_path / ".panicguard.toml").write_text("")
    assert settings.nearest(str(below)) == str(tmp_path / "a" / "pyproject.toml")
    assert settings.nearest(str(tmp_path)) == str(tmp_path / ".panicguard.toml")
    settings.own_file.cache_clear()
