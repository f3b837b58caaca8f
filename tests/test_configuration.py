"""Which configuration applies to a file, beside Ruff on the same tree: discovery, `extend`, precedence, paths."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from beside_ruff import OURS, both, inside, ours, theirs, translated, write

from panicguard import config, settings
from panicguard.config import ConfigError
from panicguard.config.options import Options, settings_for_options

if TYPE_CHECKING:
    from pathlib import Path

F, E = '[lint]\nselect = ["F401"]\n', '[lint]\nselect = ["E711"]\n'
NEITHER = "[lint]\nselect = []\n"
BOTH = 'select = ["F401", "E711"]'
TOOL_F, TOOL_E = F.replace("lint", "tool.ruff.lint"), E.replace("lint", "tool.ruff.lint")
PY = {"a.py": "", "p/b.py": "", "p/q/c.py": ""}

TREES = {
    "the closest wins, and nothing is merged": {"ruff.toml": F, "p/ruff.toml": E},
    "hidden first": {".ruff.toml": F, "ruff.toml": E, "pyproject.toml": TOOL_E},
    "own name next": {"ruff.toml": F, "pyproject.toml": TOOL_E},
    "pyproject last": {"pyproject.toml": TOOL_F, "p/q/pyproject.toml": TOOL_E},
    "a pyproject without a table is passed by": {"ruff.toml": E, "p/pyproject.toml": "[tool.other]\n"},
    "the user's where there is no other": {"xdg/ruff/ruff.toml": F},
    "the user's pyproject": {"xdg/ruff/pyproject.toml": TOOL_F},
    "not the user's where there is another": {"xdg/ruff/ruff.toml": F, "ruff.toml": E},
    "a parent with its own selection": {"base.toml": F, "ruff.toml": 'extend = "base.toml"\n' + E},
    "layers add up": {
        "base.toml": F,
        "ruff.toml": 'extend = "base.toml"\n[lint]\nextend-select = ["E711"]\nignore = ["F4"]\n',
    },
    "an ignore of the parent": {
        "base.toml": 'lint.ignore = ["F401"]\n',
        "ruff.toml": f'extend = "base.toml"\n[lint]\n{BOTH}\n',
    },
    "two steps, and another folder": {
        "shared/base.toml": 'extend = "more/top.toml"\nlint.extend-select = ["E711"]\n',
        "shared/more/top.toml": F,
        "p/ruff.toml": 'extend = "../shared/base.toml"\n',
        "ruff.toml": NEITHER,
    },
    "a variable": {"base.toml": F, "ruff.toml": 'extend = "$BASE_OF_TESTS/base.toml"\n'},
    "pyproject extends a file": {"base.toml": E, "pyproject.toml": '[tool.ruff]\nextend = "base.toml"\n'},
    "excludes of a child replace": {
        "base.toml": f'exclude = ["p"]\nlint.{BOTH}\n',
        "ruff.toml": 'extend = "base.toml"\nexclude = ["q"]\n',
    },
    "extend-exclude adds": {
        "base.toml": f'extend-exclude = ["q"]\nlint.{BOTH}\n',
        "ruff.toml": 'extend = "base.toml"\nextend-exclude = ["a.py"]\n',
    },
    "per-file-ignores of a child replace": {
        "base.toml": f'[lint]\n{BOTH}\nper-file-ignores = {{ "a.py" = ["F401"] }}\n',
        "ruff.toml": 'extend = "base.toml"\n[lint]\nper-file-ignores = { "b.py" = ["F401"] }\n',
    },
    "extend-per-file-ignores adds": {
        "base.toml": f'[lint]\n{BOTH}\nextend-per-file-ignores = {{ "a.py" = ["F401"], "b.py" = ["F"] }}\n',
        "ruff.toml": 'extend = "base.toml"\n[lint]\nextend-per-file-ignores = { "b.py" = ["E"] }\n',
    },
    "patterns start from the extended file": {
        "shared/ruff.toml": f'extend-exclude = ["p/*.py", "../p/q/*.py"]\nlint.{BOTH}\n',
        "ruff.toml": 'extend = "shared/ruff.toml"\n',
    },
    "ignores by path start from the extended file": {
        "p/base.toml": f'[lint]\n{BOTH}\nper-file-ignores = {{ "q/*.py" = ["F"], "p/*.py" = ["E"] }}\n',
        "ruff.toml": 'extend = "p/base.toml"\n',
    },
    "include": {"ruff.toml": f'include = ["q/*.py", "a.py"]\nlint.{BOTH}\n'},
    "include of the extended file": {
        "p/base.toml": f'include = ["q/*.py"]\nlint.{BOTH}\n',
        "ruff.toml": 'extend = "p/base.toml"\nextend-include = ["p/b.py"]\n',
    },
    "force-exclude": {"ruff.toml": f'force-exclude = true\nexclude = ["q"]\nlint.{BOTH}\n'},
}


@pytest.mark.parametrize("texts", TREES.values(), ids=TREES)
@pytest.mark.parametrize("arguments", [(), ("p/q/c.py", "a.py"), ("--isolated",)], ids=["tree", "files", "isolated"])
def test_the_same_configuration_holds_as_in_ruff(
    tmp_path: Path, texts: dict[str, str], arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    if arguments == ("--isolated",):
        arguments = ("--isolated", "--select", "F401")
    places = write(tmp_path, {**PY, **texts})
    monkeypatch.setenv("BASE_OF_TESTS", str(places[0]))
    their = theirs(places[0], *arguments)
    monkeypatch.setenv("BASE_OF_TESTS", str(places[1]))
    our = ours(places[1], *map(translated, arguments))
    assert our == their
    assert isinstance(our, dict)


PRECEDENCE = [
    ("--config", "p/own.toml"),
    ("--config", "p/own.toml", "--select", "E711"),
    ("--config", "p/own.toml", "--config", "lint.extend-select = ['E711']"),
    ("--config", "p/own.toml", "--config", "exclude = ['p']"),
    ("--isolated", "--config", "lint.select = ['E711']"),
    ("--config", "lint.per-file-ignores = { 'b.py' = ['F', 'E'] }"),
    ("--config", "lint = { select = ['E711'], per-file-ignores = { 'p/*.py' = ['E711'] } }"),
    ("--exclude", "q"),
    ("--exclude", "p/q,a.py"),
    ("--extend-exclude", "c.py"),
    ("--per-file-ignores", "b.py:F401"),
    ("--per-file-ignores", "b.py:F401,b.py:E711", "--select", "ALL"),
    ("--extend-per-file-ignores", "p/**:F401"),
    ("--per-file-ignores", "!b.py:F401"),
    ("--config", "exclude = ['q']", "--exclude", "b.py"),
    ("--config", "force-exclude = true", "p/q/c.py"),
    ("--no-force-exclude", "--config", "force-exclude = true", "p/own.py"),
]


@pytest.mark.parametrize("arguments", PRECEDENCE, ids=" ".join)
def test_the_same_precedence_as_in_ruff(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    texts = {
        "ruff.toml": f'extend-exclude = ["own.py"]\n[lint]\n{BOTH}\nper-file-ignores = {{ "a.py" = ["E711"] }}\n',
        "p/own.toml": 'extend = "base.toml"\nextend-exclude = ["q/*.py"]\n[lint]\nselect = ["F401"]\n',
        "p/base.toml": 'exclude = ["b.py", "p/own.py"]\n',
        "p/own.py": "",
    }
    their, our = both(tmp_path, {**PY, **texts}, *arguments)
    assert our == their
    assert isinstance(our, dict)


FROM_BELOW = [
    (),
    ("--exclude", "q"),
    ("--exclude", "q/*.py"),
    ("--extend-exclude", "p/q"),
    ("--extend-exclude", "../a.py", ".."),
    ("--per-file-ignores", "q/*.py:F401"),
    ("--per-file-ignores", "p/q/*.py:F401"),
    ("--config", "extend-exclude = ['q/*.py']"),
    ("--config", "lint.per-file-ignores = { 'q/c.py' = ['F'] }"),
    ("--config", "own.toml", ".."),
    ("--config", "../p/own.toml", "--isolated"),
]


@pytest.mark.parametrize("arguments", FROM_BELOW, ids=" ".join)
def test_patterns_of_the_command_line_start_from_the_current_directory(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    texts = {"ruff.toml": f"lint.{BOTH}\n", "p/own.toml": f'lint.{BOTH}\nextend-exclude = ["q/*.py"]\n'}
    places = write(tmp_path, {**PY, **texts})
    their, our = theirs(places[0] / "p", *arguments), ours(places[1] / "p", *map(translated, arguments))
    assert isinstance(our, str) is isinstance(their, str)
    assert isinstance(our, str) or our == their


def test_the_last_of_several_overrides_wins(tmp_path: Path) -> None:
    # In Ruff the first does, which surprises: of everything else on a command line the last counts.
    arguments = ("--isolated", "--config", "lint.select = ['F401']", "--config", "lint.select = ['E711']")
    their, our = both(tmp_path, {"a.py": ""}, *arguments)
    assert their == {"a.py": {"F401": "safe"}}
    assert our == {"a.py": {"E711": "unsafe"}}


REFUSED = [
    ("--config", "p/own.toml", "--config", "p/own.toml"),
    ("--config", "p/own.toml", "--isolated"),
    ("--config", "nowhere.toml"),
    ("--config", "nope = 1"),
    ("--config", "a b = 1"),
    ("--config", "lint.select = 1"),
    ("--config", "extend = 'p/own.toml'"),
    ("--exclude", "[a"),
    ("--per-file-ignores", "[a:F401"),
    ("--per-file-ignores", "a.py"),
    ("--target-version", "3.12"),
    ("--config", "required-version = '>=99'"),
]


@pytest.mark.parametrize("arguments", REFUSED, ids=" ".join)
def test_what_ruff_refuses_is_refused(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    their, our = both(tmp_path, {"a.py": "", "p/own.toml": ""}, *arguments)
    assert isinstance(their, str)
    assert isinstance(our, str)


CIRCLE = {"ruff.toml": 'extend = "p/b.toml"\n', "p/b.toml": 'extend = "../ruff.toml"\n'}
MISSING = {"ruff.toml": 'extend = "nowhere.toml"\n'}


@pytest.mark.parametrize("texts", [CIRCLE, MISSING], ids=["circle", "missing"])
def test_extend_is_refused_in_ruffs_words(tmp_path: Path, texts: dict[str, str]) -> None:
    their, our = both(tmp_path, {"a.py": "", **texts})
    expected = their.replace(str(tmp_path / "theirs"), str(tmp_path / "ours")).replace(" (os error 2)", "")
    lines = translated(expected.removeprefix("ruff failed\n")).splitlines()
    assert our == "\n".join(line.removeprefix("  Cause: ") for line in lines)


def test_a_list_of_extended_files_the_last_wins(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('line-length = 1\ncache-dir = "a"\n')
    (tmp_path / "b.toml").write_text("line-length = 2\n")
    (tmp_path / "panicguard.toml").write_text('extend = ["a.toml", "b.toml"]\n')
    its = config.load(str(tmp_path / "panicguard.toml"))
    assert (its.line_length, its.cache_dir) == (2, str(tmp_path / "a"))


def test_the_home_directory_in_extend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "a.toml").write_text("line-length = 1\n")
    (tmp_path / "panicguard.toml").write_text('extend = "~/a.toml"\n')
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert config.load(str(tmp_path / "panicguard.toml")).line_length == 1


# What is inherited from Ruff


def configured(folder: Path, texts: dict[str, str], directory: str = "", **flags: object) -> settings.Settings:
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    with inside(folder):
        return settings_for_options(Options(**flags))(str(folder / directory))  # type: ignore[arg-type]


RUFF = 'exclude = ["gen/*"]\nextend-exclude = ["more"]\nline-length = 120\ntarget-version = "py313"\nsrc = ["lib"]\n'


@pytest.mark.parametrize("name", ["ruff.toml", ".ruff.toml", "pyproject.toml"])
@pytest.mark.parametrize("own", [True, False], ids=["beside ours", "alone"])
def test_what_ruff_says_holds_for_us(tmp_path: Path, name: str, own: bool) -> None:
    text = f"[tool.ruff]\n{RUFF}" if name == "pyproject.toml" else RUFF
    its = configured(tmp_path, {name: text, **({"panicguard.toml": ""} if own else {})})
    assert (its.exclude, its.line_length) == (("gen/*", "more"), 120)
    assert (its.target_version, its.src) == ("py313", (str(tmp_path / "lib"),))


def test_our_own_keys_come_first(tmp_path: Path) -> None:
    ours = "[tool.panicguard]\nextend-exclude = ['x']\nline-length = 100\n"
    its = configured(tmp_path, {"pyproject.toml": f"[tool.ruff]\n{RUFF}{ours}"}, exclude=("y",))
    assert (its.exclude, its.line_length, its.target_version) == (("y", "x"), 100, "py313")


@pytest.mark.parametrize("where", ["file", "flag"])
def test_nothing_is_inherited_when_told_so(tmp_path: Path, where: str) -> None:
    said = "inherit-ruff = false\n"
    texts = {"ruff.toml": RUFF, "panicguard.toml": said if where == "file" else ""}
    its = configured(tmp_path, texts, config=(said,) if where == "flag" else ())
    assert (its.exclude, its.line_length) == (settings.EXCLUDE, 88)


BLACK = "[tool.black]\nline-length = 111\n"


@pytest.mark.parametrize(
    ("texts", "length"),
    [
        ({"pyproject.toml": BLACK}, 111),
        ({"pyproject.toml": BLACK, "app/panicguard.toml": ""}, 111),
        ({"pyproject.toml": f"{BLACK}[tool.ruff]\n"}, 111),
        ({"pyproject.toml": f"{BLACK}[tool.ruff]\nline-length = 100\n"}, 100),
        ({"pyproject.toml": BLACK, "app/ruff.toml": "line-length = 100\n"}, 100),
        ({"pyproject.toml": BLACK, "app/pyproject.toml": "[tool.ruff]\nextend = '../r.toml'\n"}, 111),
        ({"ruff.toml": "extend = 'r.toml'\n", "r.toml": "line-length = 99\n"}, 99),
        ({"ruff.toml": "line-length = 99\n"}, 99),
        ({"pyproject.toml": f"{BLACK}[tool.panicguard]\nline-length = 90\n"}, 90),
        ({"pyproject.toml": f"{BLACK}[tool.panicguard]\ninherit-ruff = false\n"}, 88),
        ({"pyproject.toml": "[tool.black]\nline-length = 'x'\n"}, 88),
        ({"pyproject.toml": "[tool.black]\nline-length = = 1\n"}, 88),
        ({"pyproject.toml": "tool.black = 1\n"}, 88),
    ],
)
def test_the_length_of_a_line_is_the_one_that_the_project_formats_by(
    tmp_path: Path, texts: dict[str, str], length: int
) -> None:
    assert configured(tmp_path, {"app/a.py": "", **texts}, "app").line_length == length


def test_excludes_of_ruff_start_from_its_file(tmp_path: Path) -> None:
    texts = {"project/ruff.toml": RUFF, "project/gen/a.py": OURS, "gen/a.py": OURS, "project/more/b.py": OURS}
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    found = ours(tmp_path)
    assert isinstance(found, dict)
    assert set(found) == {"gen/a.py"}


def test_what_ruff_extends_counts_too(tmp_path: Path) -> None:
    texts = {
        "pyproject.toml": f"[tool.ruff]\n{RUFF}",
        "app/pyproject.toml": "[tool.ruff]\nextend = '../pyproject.toml'\nextend-exclude = ['b']\nline-length = 1\n",
        "app/panicguard.toml": "",
        "circle/ruff.toml": "extend = 'ruff.toml'\nline-length = 2\n",
    }
    its = configured(tmp_path, texts, "app")
    assert (its.exclude, its.line_length) == ((f"{tmp_path}/gen/*", "more", "b"), 1)
    assert configured(tmp_path, {}, "circle").line_length == 2


def test_a_fault_in_ruffs_keys_is_for_ruff_to_report(tmp_path: Path) -> None:
    its = configured(tmp_path, {"ruff.toml": "line-length = 'x'\nnope = 1\nexclude = ['g']\n", "panicguard.toml": ""})
    assert (its.line_length, its.exclude) == (88, ("g",))


@pytest.mark.parametrize("text", ["exclude = [", "extend = 'nowhere.toml'\nline-length = 99\n"])
def test_a_broken_configuration_of_ruffs_is_a_warning(tmp_path: Path, text: str) -> None:
    its = configured(tmp_path, {"ruff.toml": text})
    assert its.exclude == settings.EXCLUDE
    broken = tmp_path / ("nowhere.toml" if "nowhere" in text else "ruff.toml")
    assert its.warnings == (f"Ruff's configuration `{broken}` cannot be read: nothing is taken from it",)
    assert its.line_length == (99 if "99" in text else 88)


NOT_IMPORTED = """
import sys
from panicguard.cli.commands import run
assert run(["check", "-q"]) == 0
assert "tomllib" not in sys.modules and "tomli" not in sys.modules
"""


@pytest.mark.parametrize("text", ["", "[tool.other]\n", "[tool.ruff]\nlint.preview = true\n"])
def test_without_configuration_no_toml_is_read(tmp_path: Path, text: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    (tmp_path / "a.py").write_text("x = 1\n")
    done = subprocess.run(
        [sys.executable, "-c", NOT_IMPORTED], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_nearest_file_may_be_asked_for(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "panicguard.toml").write_text("")
    config.forget()
    assert config.nearest(str(tmp_path / "a")) == str(tmp_path / "panicguard.toml")
    config.forget()


def test_a_pyproject_that_cannot_be_read_is_an_error_where_it_may_be_ours(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.panicguard\n")
    config.forget()
    with pytest.raises(ConfigError, match="Failed to parse"):
        config.nearest(str(tmp_path))
    config.forget()
