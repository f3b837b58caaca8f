"""The keys of the configuration: the value of each, errors that point at what is wrong, and what describes them."""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from typing import TYPE_CHECKING

import pytest
from beside_ruff import OURS, both, inside, theirs

from panicguard import __version__, config, settings
from panicguard.cli.commands import run
from panicguard.config import FIELDS, ConfigError, describe
from panicguard.config.options import Options, chain_for_options, settings_for_options
from panicguard.diagnostic import Severity
from panicguard.engine import check
from panicguard.rule import all_rules
from panicguard.settings import INCLUDE, LANGUAGES, is_spawn_exempt
from panicguard.source import Source

if TYPE_CHECKING:
    from pathlib import Path

if sys.version_info >= (3, 11):
    pass
else:
    pass


CODES_1 = frozenset(rule.code for rule in all_rules() if rule.code.startswith("PNC1"))


def loaded(folder: Path, text: str, name: str = "panicguard.toml") -> settings.Settings:
    path = folder / name
    path.write_text(text)
    return config.load(str(path))


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
include = ["*.py"]
extend-include = ["*.pyw"]
output-format = "concise"
unsafe-fixes = false
fail-level = "error"
cache-dir = "cache"
per-file-target-version = { "a.py" = "py313" }
extend-per-file-ignores = { "b.py" = ["ALL"] }

[per-file-ignores]
"a.py" = ["PNC1"]

[component]
"src/**" = "core"

[lint]
exclude = ["lint_only"]
""",
    )
    assert its.runtime_module == "app.mruntime"
    assert its.default_policy == "CrashProcess"
    assert its.spawn_exempt == ("scripts/**",)
    assert its.strict_spawns
    assert its.exclude == ("gen", "more", "lint_only")
    assert its.include == ("*.py", "*.pyw")
    assert its.output_format == "concise"
    assert its.unsafe_fixes is False
    assert its.fail_level == "error"
    assert its.cache_dir == str(tmp_path / "cache")
    assert its.per_file_target_version == (("a.py", "py313"),)
    assert its.component == (("src/**", "core"),)
    assert dict(its.per_file_ignores)["a.py"] == CODES_1
    assert dict(its.per_file_ignores)["b.py"] == {rule.code for rule in all_rules()}


SAME = ("extend", "required-version", "inherit-ruff", "extend-select", "extend-fixable")
"""Keys whose example adds nothing to what is on by default."""


@pytest.mark.parametrize("key", FIELDS)
def test_every_key_has_an_example_that_holds(tmp_path: Path, key: str) -> None:
    table, _, name = key.rpartition(".")
    example = FIELDS[key].example.replace(">=0.3,<1", ">=0").replace("../panicguard.toml", "other.toml")
    (tmp_path / "other.toml").write_text("")
    text = f"{name} = {example}\n"
    its = loaded(tmp_path, f"[{table}]\n{text}" if table else text)
    if key not in SAME:
        assert its != config.default(str(tmp_path))
    if FIELDS[key].lint:
        assert loaded(tmp_path, f"[lint]\n{text}") == its


def test_the_defaults_in_the_table_are_those_of_the_settings(tmp_path: Path) -> None:
    keys = [key for key, field in FIELDS.items() if field.default and "." not in key and key != "src"]
    cache, text = FIELDS["cache-dir"].default, "".join(f"{key} = {FIELDS[key].default}\n" for key in keys)
    its = loaded(tmp_path, text.replace(f"cache-dir = {cache}\n", ""))
    assert its == config.default(str(tmp_path))
    assert json.loads(cache) == its.cache_dir
    assert tuple(json.loads(FIELDS["src"].default)) == its.src


def test_directories_are_searched_for_every_language() -> None:
    assert {f"*{suffix}" for suffix in LANGUAGES} == set(INCLUDE)


def test_the_lint_table_and_pyproject(tmp_path: Path) -> None:
    text = '[tool.panicguard.lint]\nstrict-spawns = true\n[tool.panicguard]\ndefault-policy = "CrashProcess"\n'
    its = loaded(tmp_path, text, "pyproject.toml")
    assert (its.strict_spawns, its.default_policy) == (True, "CrashProcess")


@pytest.mark.parametrize(
    ("python", "version"),
    [(">=3.9", "py39"), (">=3.12,<4", "py312"), (">=2.7", "py310"), ("~=3.11.0", "py311"), (">=3.30", "py315")],
)
def test_the_target_version_is_taken_from_requires_python(tmp_path: Path, python: str, version: str) -> None:
    (tmp_path / "pyproject.toml").write_text(f'[project]\nrequires-python = "{python}"\n')
    assert loaded(tmp_path, "").target_version == version
    assert loaded(tmp_path, 'target-version = "py37"\n').target_version == "py37"


# Errors


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("select = [", "1, column 11", ""),
        ('x = 1\nselect = ["PNC1"]\n', "1, column 1", "unknown field `x`"),
        ("\n\nstrict-spawns = 1\n", "3, column 17", "invalid type: integer `1`, expected a boolean"),
        ('default-policy = "Panic"\n', "1, column 18", "expected one of `KeepRunning`, `CrashProcess`"),
        ('runtime-module = "not a module"\n', "1, column 18", "expected a dotted name"),
        ("[lint]\nfix = true\n", "2, column 1", "unknown field `fix` in the table `lint`"),
        ("[lint]\nline-lenth = 1\n", "2, column 1", "unknown field `line-lenth`, expected one of"),
        ("line-lenth = 1\n", "1, column 1", "did you mean `line-length`?"),
        ('line-length = "abc"\n', "1, column 15", 'invalid type: string "abc", expected an integer'),
        ("line-length = 0\n", "1, column 15", "expected a number above 0"),
        ('severity = { PNC1 = "bad" }\n', "1, column 21", "unknown variant `bad`, expected one of `error`"),
        ('fail-level = "never"\n', "1, column 14", "unknown variant `never`"),
        ('per-file-target-version = { "a" = "3.9" }\n', "1, column 35", "unknown variant `3.9`"),
        ('exclude = ["a", "[b"]\n', "1, column 17", "error parsing glob '[b'"),
        ('extend-per-file-ignores = { "{a" = [] }\n', "1, column 29", "error parsing glob '{a'"),
        ('required-version = "abc"\n', "1, column 20", "Failed to parse version"),
        ("component = 1\n", "1, column 13", "expected a string"),
    ],
)
@pytest.mark.parametrize("name", ["panicguard.toml", "pyproject.toml"])
def test_errors_point_at_the_place(tmp_path: Path, text: str, line: str, said: str, name: str) -> None:
    if name == "pyproject.toml":
        text = "[tool.panicguard]\n" + text.replace("[lint]", "[tool.panicguard.lint]")
        row, _, column = line.partition(",")
        line = f"{int(row) + 1},{column}"
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, text, name)
    assert f"TOML parse error at line {line}\n" in str(caught.value)
    assert said in str(caught.value)
    expected = [f"Failed to parse {tmp_path / name}"]
    if name != "pyproject.toml":
        expected.insert(0, f"Failed to load configuration `{tmp_path / name}`")
    assert list(caught.value.causes[:-1]) == expected


@pytest.mark.parametrize(
    "text",
    [
        "nope = 1\n",
        "[lint]\nnope = 1\n",
        'line-length = "abc"\n',
        'output-format = "zzz"\n',
        "exclude = [1]\n",
        "fix =",
    ],
)
def test_the_frame_is_ruffs(tmp_path: Path, text: str) -> None:
    said_by_both = both(tmp_path, {"a.py": "", "ruff.toml": text})
    frames = [re.findall(r"(?m)^.*TOML parse error[^\n]*\n[^\n]*\n[^\n]*\n[^\n^]*\^", said)[0] for said in said_by_both]
    assert frames[0].removeprefix("  Cause: ") == frames[1]


def test_an_unknown_rule_is_pointed_at(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, '[lint]\nselect = ["PNC1",\n  "PNC999"]\n')
    said = f"Unknown rule selector `PNC999` in `select` from `{tmp_path / 'panicguard.toml'}`"
    assert caught.value.causes[0] == said
    assert "At line 3, column 3\n" in caught.value.causes[1]
    for key in ("fixable", "unfixable", "extend-safe-fixes", "extend-unsafe-fixes"):
        with pytest.raises(ConfigError, match="Unknown rule selector"):
            loaded(tmp_path, f'{key} = ["PNC999"]\n')
    with pytest.raises(ConfigError, match="Unknown rule selector"):
        loaded(tmp_path, 'severity = { PNC999 = "info" }\n')
    its = loaded(tmp_path, 'ignore = ["PNC999"]\nper-file-ignores = { "a.py" = ["E501"] }\n')
    assert [warning.partition(" in ")[0] for warning in its.warnings] == [
        "Unknown rule selector `PNC999`",
        "Unknown rule selector `E501`",
    ]


REQUIRED = [
    (f"=={__version__}", True),
    (__version__, True),
    ("==99", False),
    (">=0,<99", True),
    (">=99", False),
    ("<=99", True),
    ("!=99.*", True),
    ("==99.*", False),
    ("~=99.1", False),
    (">0", True),
    ("< 0.0.1", False),
]


@pytest.mark.parametrize(("wanted", "fits"), REQUIRED)
def test_required_version(tmp_path: Path, wanted: str, fits: bool) -> None:
    text = f'nope = 1\nrequired-version = "{wanted}"\n'
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, text)
    if fits:
        assert "unknown field `nope`" in str(caught.value)
        return
    shown = wanted if wanted[0] in "<>=!~" else f"=={wanted}"
    assert caught.value.causes == (
        f"Failed to load configuration `{tmp_path / 'panicguard.toml'}`",
        f"Required version `{shown}` does not match the running version `{__version__}`",
    )


# What they do


@pytest.mark.parametrize(
    ("table", "severities"),
    [
        ("{}", ["error", "error"]),
        ('{ ALL = "info" }', ["info", "info"]),
        ('{ ALL = "info", PNC1 = "warning" }', ["warning", "info"]),
        ('{ PNC304 = "warning", PNC = "info", ALL = "error" }', ["info", "warning"]),
        ('{ bare-asyncio-task = "info", PNC10 = "error" }', ["info", "error"]),
    ],
)
def test_the_more_specific_selector_gives_the_severity(tmp_path: Path, table: str, severities: list[str]) -> None:
    found = check(Source("a.py", OURS), loaded(tmp_path, f"severity = {table}\n"))
    assert [(d.code, d.severity) for d in found] == [
        (code, Severity(severity)) for code, severity in zip(("PNC101", "PNC304"), severities, strict=True)
    ]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((), 1),
        (("--fail-level", "info"), 1),
        (("--fail-level", "warning"), 1),
        (("--fail-level", "error"), 0),
        (("--config", "fail-level = 'error'"), 0),
        (("--config", "fail-level = 'error'", "--fail-level", "warning"), 1),
        (("--config", "severity = { ALL = 'info' }", "--fail-level", "warning"), 0),
        (("--config", "severity = { PNC304 = 'error', PNC1 = 'info' }", "--fail-level", "error"), 1),
    ],
)
def test_what_is_below_the_level_does_not_fail(tmp_path: Path, arguments: tuple[str, ...], code: int) -> None:
    (tmp_path / "a.py").write_text(OURS)
    (tmp_path / "panicguard.toml").write_text('severity = { PNC1 = "warning", PNC3 = "info" }\n')
    with inside(tmp_path):
        assert run(["check", "--output-format", "json", *arguments]) == code


def test_a_syntax_error_always_fails(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import asyncio\nasyncio.create_task(f()\n")
    with inside(tmp_path):
        assert run(["check", "--config", "severity = { ALL = 'info' }", "--fail-level", "error"]) == 1


# What describes them


def test_config_lists_and_describes_every_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def said(*arguments: str) -> str:
        assert run(["config", *arguments]) == 0
        return capsys.readouterr().out

    listed = said().split()
    assert listed == [*(key for key in FIELDS if "." not in key), "lint"]
    assert "exclude" in said("lint").split()
    assert "fix" not in said("lint").split()
    every = json.loads(said("--output-format", "json"))
    assert every.keys() == {*listed} - {"lint"}
    keys = ["doc", "default", "value_type", "scope", "example", "deprecated"]
    assert all(list(described) == keys for described in every.values())
    assert json.loads(said("line-length", "--output-format", "json")) == every["line-length"]
    assert said("lint.select") == said("select")
    assert "Example usage:\n```toml\nline-length = 120\n```\n" in said("line-length")
    assert run(["config", "nope"]) == 2
    assert "invalid value 'nope' for '[OPTION]'" in capsys.readouterr().err


def test_linter_lists_the_families(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["linter"]) == 0
    assert capsys.readouterr().out == "PNC panicguard\n"
    assert run(["linter", "--output-format", "json"]) == 0
    (family,) = json.loads(capsys.readouterr().out)
    digits = {category["prefix"] for category in family["categories"]}
    assert digits >= {rule.code[3] for rule in all_rules()}


SHOWN = {
    "panicguard.toml": 'extend = "base.toml"\nextend-exclude = ["x"]\n\n[lint]\nignore = ["PNC401"]\n',
    "base.toml": 'src = ["lib"]\nseverity = { PNC1 = "info" }\nextend-exclude = ["p/*.py"]\n',
    "ruff.toml": "line-length = 99\n",
}


def test_the_settings_that_are_shown_come_to_the_same_and_say_where_from(tmp_path: Path) -> None:
    for name, text in SHOWN.items():
        (tmp_path / name).write_text(text)
    options = Options(select=("PNC",), per_file_ignores=("a.py:PNC1",), fix=True)
    with inside(tmp_path):
        its = settings_for_options(options)(str(tmp_path))
        found_for, chain_of = chain_for_options(options)
        shown = describe.show_settings("a.py", chain_of(found_for(str(tmp_path))), its)
    origins = dict(re.findall(r"(?m)^(?:# )?([\w-]+)(?: =.*  # |: )(.*)$", shown))
    at = str(tmp_path)
    assert origins["extend-safe-fixes"] == "default"
    assert origins["select"] == "the command line"
    assert origins["fix"] == "the command line"
    assert origins["src"] == f"{at}/base.toml:1"
    assert origins["severity"] == f"{at}/base.toml:2"
    assert origins["exclude"] == f"{at}/base.toml:3, {at}/panicguard.toml:2"
    assert origins["line-length"] == f"{at}/ruff.toml:1"
    assert origins["unsafe-fixes"] == "default"
    (tmp_path / "ruff.toml").unlink()
    with inside(tmp_path):
        again = loaded(tmp_path, shown)
    assert again == dataclasses.replace(its, cache_dir=str(tmp_path / its.cache_dir))


def test_settings_are_shown_for_the_first_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "[tool.ruff]\nline-length = 99\n[tool.panicguard]\nfix = true\n"
    (tmp_path / "pyproject.toml").write_text(text)
    (tmp_path / "b.py").write_text("")
    with inside(tmp_path):
        assert run(["check", "--show-settings"]) == 0
        shown = capsys.readouterr().out
        assert shown.startswith(f'# Resolved settings for: "{tmp_path}/b.py"\n# Settings path: "{tmp_path}/pyproject')
        assert f"line-length = 99  # [tool.ruff] of {tmp_path}/pyproject.toml:2\n" in shown
        assert f"fix = true  # {tmp_path}/pyproject.toml:4\n" in shown
        (tmp_path / "b.py").unlink()
        assert run(["check", "--show-settings"]) == 2
        assert "No files found under the given path" in capsys.readouterr().err


# Argument files


@pytest.mark.parametrize(
    ("texts", "arguments", "code"),
    [
        ({"args": "check\n--isolated\n\na.py\n"}, ["@args"], 1),
        ({"args": "--isolated\n--select\nPNC3\nsp ace.py"}, ["check", "@args"], 1),
        ({"args": "@more\n--isolated", "more": "--ignore\nALL\n"}, ["check", "@args", "a.py"], 0),
        ({"args": "--select\nPNC1\n"}, ["check", "@args", "@nowhere"], 2),
        ({"args": "@more", "more": "@args"}, ["check", "@args"], 2),
    ],
)
def test_arguments_from_files(tmp_path: Path, texts: dict[str, str], arguments: list[str], code: int) -> None:
    for name, text in {**texts, "a.py": OURS, "sp ace.py": OURS}.items():
        (tmp_path / name).write_text(text)
    with inside(tmp_path):
        assert run(arguments) == code


def test_a_missing_argument_file_is_said_in_ruffs_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = theirs(tmp_path, "@nowhere")
    assert isinstance(said, str)
    with inside(tmp_path):
        assert run(["check", "@nowhere"]) == 2
    expected = said.replace("ruff", "panicguard").replace(" (os error 2)", "")
    assert capsys.readouterr().err == expected


@pytest.mark.parametrize(
    "path",
    "app/testing/runner.py app/testing.py app/_testbase/proxy.py app/test/helper.py examples/gui.py "
    "app/tests/test_x.py app_examples/gui.py benchmarks/load.py".split(),
)
def test_tests_and_what_is_shown_to_copy_may_spawn_as_they_like(path: str) -> None:
    assert is_spawn_exempt(config.default("/project"), f"/project/{path}")


@pytest.mark.parametrize("path", ["app/tester.py", "app/testing_ground.py", "app/example.py", "latest/app.py"])
def test_what_is_only_called_alike_is_no_test(path: str) -> None:
    assert not is_spawn_exempt(config.default("/project"), f"/project/{path}")
    assert not is_spawn_exempt(config.default("/home/testing/project"), f"/home/testing/project/{path}")
