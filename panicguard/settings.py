"""Configuration: one frozen value, from panicguard.toml, .panicguard.toml or [tool.panicguard] in pyproject.toml.

`FIELDS` is the one list of keys: what reads a file, checks it and words its errors goes by it.
"""

from __future__ import annotations

import functools
import os
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from panicguard.patterns import translate
from panicguard.rule import all_rules

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

SPAWN_EXEMPT = (
    "**/tests/**",
    "test_*.py",
    "*_test.py",
    "conftest.py",
    "*_pb2.py",
    "*_pb2_grpc.py",
    "**/mocks/**",
)
EXCLUDE = tuple(
    ".bzr .direnv .eggs .git .git-rewrite .hg .ipynb_checkpoints .mypy_cache .nox .pants.d .pyenv .pytest_cache "
    ".pytype .ruff_cache .panicguard_cache .svn .tox .venv .vscode __pypackages__ _build buck-out dist node_modules "
    "site-packages venv".split()
)
FILES = (".panicguard.toml", "panicguard.toml", "pyproject.toml")
"""The names of configuration files, the first of them in a directory wins."""


class ConfigError(Exception):
    """The user's mistake in the configuration: lines of causes, the outermost first."""

    def __init__(self, *causes: str) -> None:
        super().__init__("\n".join(causes))
        self.causes = causes


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a run depends on. Hashable; two equal values give equal results."""

    root: str = ""
    """The directory that relative patterns start from."""
    enabled: frozenset[str] = frozenset()
    """The codes of the rules that are on, selectors already resolved."""
    per_file_ignores: tuple[tuple[str, frozenset[str]], ...] = ()
    exclude: tuple[str, ...] = EXCLUDE
    runtime_module: str | None = None
    """The dotted name of the runtime that fixes import; None: a copy in the project, else panicguard.mruntime."""
    default_policy: str = "KeepRunning"
    component: tuple[tuple[str, str], ...] = ()
    """(path pattern, component name): the component for spawns in those files."""
    spawn_exempt: tuple[str, ...] = SPAWN_EXEMPT
    strict_spawns: bool = False
    low_confidence: bool = False
    reporters: tuple[str, ...] = ()
    """Dotted names of functions that report an exception being handled (PNC303)."""
    respect_gitignore: bool = True
    force_exclude: bool = False
    fix: bool = False
    fix_only: bool = False
    unsafe_fixes: bool | None = None
    show_fixes: bool = False
    output_format: str = "full"


class Field(NamedTuple):
    """A key of the configuration: `kind` is bool, str, list, table, or a tuple of the strings it may be."""

    kind: str | tuple[str, ...]
    doc: str


FIELDS: Mapping[str, Field] = {
    "select": Field("list", "The rules to run: codes, prefixes, names, or ALL."),
    "ignore": Field("list", "The rules not to run."),
    "extend-select": Field("list", "Rules to run beside the selected ones."),
    "per-file-ignores": Field("table", "Rules not to run, by path pattern."),
    "exclude": Field("list", "Files and directories to leave out."),
    "extend-exclude": Field("list", "Files and directories to leave out beside the default ones."),
    "respect-gitignore": Field("bool", "Leave out what git ignores."),
    "force-exclude": Field("bool", "Leave out excluded files even when they are named on the command line."),
    "runtime-module": Field("str", "The module that fixes import the runtime from, such as `myapp.mruntime`."),
    "default-policy": Field(("KeepRunning", "CrashProcess"), "The policy that fixes write."),
    "component": Field("component", "The component that fixes write: a name, or names by path pattern."),
    "spawn-exempt": Field("list", "Files in which the rules about spawns do not hold."),
    "strict-spawns": Field("bool", "Report every raw spawn, observed ones too."),
    "low-confidence": Field("bool", "Report what is likely but not proven."),
    "reporters": Field("list", "Functions that report the exception being handled."),
    "fix": Field("bool", "Fix what can be fixed."),
    "fix-only": Field("bool", "Fix, and do not report what is left."),
    "unsafe-fixes": Field("bool", "Apply unsafe fixes too."),
    "show-fixes": Field("bool", "List what was fixed."),
    "output-format": Field(("full", "concise", "json"), "How to print diagnostics."),
}
_SELECTION = ("select", "ignore", "extend-select")


class Layer(NamedTuple):
    """Selectors given in one place: `origin` is named in errors. `select` is None where it is not given."""

    select: tuple[str, ...] | None
    ignore: tuple[str, ...]
    extend: tuple[str, ...]
    origin: str


# Selectors


def enabled_codes(layers: Iterable[Layer]) -> frozenset[str]:
    """The codes that are on after all layers, the last the strongest.

    In a layer the more specific selector wins, and `ignore` at the same length. A `select` starts afresh. Raises
    ConfigError for a selector that names no rule.
    """
    enabled = frozenset(rule.code for rule in all_rules() if rule.default)
    for layer in layers:
        weights = dict.fromkeys(enabled, (-1, 0)) if layer.select is None else {}
        chosen = {code: True for code in weights}
        for key, selectors, on in (
            ("select", layer.select or (), True),
            ("extend-select", layer.extend, True),
            ("ignore", layer.ignore, False),
        ):
            for selector in selectors:
                weight = (len(selector) if selector.startswith("PNC") else 0 if selector == "ALL" else 6, not on)
                for code in codes_of(selector, key, layer.origin):
                    if weight >= weights.get(code, (-2, 0)):
                        weights[code], chosen[code] = weight, on
        enabled = frozenset(code for code, on in chosen.items() if on)
    return enabled


def codes_of(selector: str, key: str, origin: str) -> frozenset[str]:
    """The codes that a code, a prefix, a rule's name or ALL stands for. Raises ConfigError if none."""
    codes = frozenset(
        rule.code
        for rule in all_rules()
        if selector in ("ALL", rule.name) or (selector.startswith("PNC") and rule.code.startswith(selector))
    )
    if not codes:
        raise ConfigError(f"Unknown rule selector `{selector}` in `{key}` from {origin}")
    return codes


# Reading


def load(path: str, overrides: Sequence[str] = ()) -> tuple[Settings, Layer]:
    """The settings of one configuration file with `key = value` overrides; the Layer is its selection.

    Raises ConfigError.
    """
    return _settings(_table(path) | _overrides(overrides), os.path.dirname(os.path.abspath(path)), f"`{path}`")


def default(root: str, overrides: Sequence[str] = ()) -> tuple[Settings, Layer]:
    """The settings where there is no configuration file. Raises ConfigError."""
    return _settings(_overrides(overrides), root, "the command line")


@functools.cache
def nearest(directory: str) -> str | None:
    """The configuration file that holds for the files of a directory: its own, or the closest above."""
    for name in FILES:
        path = os.path.join(directory, name)
        if os.path.isfile(path) and (name != "pyproject.toml" or _has_table(path)):
            return path
    parent = os.path.dirname(directory)
    return None if parent == directory else nearest(parent)


def _has_table(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            text = file.read()
    except OSError:
        return False
    return re.search(rb"^\s*\[\s*tool\s*\.\s*[\"']?panicguard[\"'.\s\]]", text, re.MULTILINE) is not None


def _table(path: str) -> dict[str, Any]:
    """The keys of a configuration file, those of its `lint` table taken up. Raises ConfigError."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigError(f"Failed to read {path}", str(reason)) from None
    table = _parse(text, path)
    if os.path.basename(path) == "pyproject.toml":
        table = table.get("tool", {}).get("panicguard", {})
    return _checked(table, text, path)


def _overrides(overrides: Sequence[str]) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for override in overrides:
        for key, value in _checked(_parse(override, "--config"), override, "--config").items():
            table.setdefault(key, value)
    return table


def _parse(text: str, path: str) -> dict[str, Any]:
    import sys

    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
        row, column = (int(found[1]), int(found[2])) if found else (1, 1)
        message = str(error).partition(" (at ")[0]
        raise ConfigError(f"Failed to parse {path}", _pointer(text, row, column, message)) from None


def _checked(table: Mapping[str, Any], text: str, path: str) -> dict[str, Any]:
    """The table with its `lint` part taken up. Raises ConfigError at the first key that is unknown or mistyped."""
    flat = {key: value for key, value in table.items() if key != "lint"}
    flat |= table.get("lint", {}) if isinstance(table.get("lint", {}), dict) else {"lint": table["lint"]}
    for key, value in flat.items():
        problem = _problem(key, value)
        if problem:
            raise ConfigError(f"Failed to parse {path}", _pointer(text, *_position(text, key), problem))
    return flat


def _problem(key: str, value: object) -> str | None:
    field = FIELDS.get(key)
    if field is None:
        import difflib

        close = difflib.get_close_matches(key, FIELDS, n=1)
        hint = f", did you mean `{close[0]}`?" if close else f", expected one of {', '.join(f'`{k}`' for k in FIELDS)}"
        return f"unknown field `{key}`{hint}"
    if isinstance(field.kind, tuple):
        if not isinstance(value, str):
            return f"invalid type: {_toml_type(value)}, expected a string"
        expected = ", ".join(f"`{v}`" for v in field.kind)
        return None if value in field.kind else f"unknown variant `{value}`, expected one of {expected}"
    fits = {
        "bool": isinstance(value, bool),
        "str": isinstance(value, str),
        "list": _is_strings(value),
        "table": isinstance(value, dict) and all(_is_strings(v) for v in value.values()),
        "component": isinstance(value, str)
        or (isinstance(value, dict) and all(isinstance(v, str) for v in value.values())),
    }[field.kind]
    wanted = {
        "bool": "a boolean",
        "str": "a string",
        "list": "a list of strings",
        "table": "a table of lists of strings",
        "component": "a string or a table of strings",
    }[field.kind]
    if not fits:
        return f"invalid type: {_toml_type(value)}, expected {wanted}"
    return _bad_pattern(key, value)


def _bad_pattern(key: str, value: Any) -> str | None:
    if key not in ("exclude", "extend-exclude", "spawn-exempt", "per-file-ignores") and not isinstance(value, dict):
        return None
    for pattern in value:
        try:
            translate(pattern)
        except ValueError as error:
            return f"invalid glob `{pattern}`: {error}"
    return None


def _is_strings(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _toml_type(value: object) -> str:
    match value:
        case bool():
            return f"boolean `{str(value).lower()}`"
        case int():
            return f"integer `{value}`"
        case str():
            return f'string "{value}"'
        case list():
            return "sequence"
        case dict():
            return "map"
    return type(value).__name__


def _position(text: str, key: str) -> tuple[int, int]:
    """Row and column of a key in a TOML text; tomllib does not tell."""
    found = re.search(rf"^[ \t]*(?:\[.*\b|[\w.\"-]*)?(?<![\w-]){re.escape(key)}(?![\w-])", text, re.MULTILINE)
    if found is None:
        return 1, 1
    at = found.end() - len(key)
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def _pointer(text: str, row: int, column: int, message: str) -> str:
    line = (text.splitlines() or [""])[min(row, len(text.splitlines()) or 1) - 1]
    gutter = " " * len(str(row))
    return (
        f"TOML parse error at line {row}, column {column}\n{gutter} |\n{row} | {line}\n"
        f"{gutter} | {' ' * (column - 1)}^\n{message}"
    )


def _settings(table: Mapping[str, Any], root: str, origin: str) -> tuple[Settings, Layer]:
    values = {key.replace("-", "_"): value for key, value in table.items() if key not in _SELECTION}
    values["exclude"] = (*values.pop("exclude", EXCLUDE), *values.pop("extend_exclude", ()))
    component = values.get("component", {})
    values["component"] = tuple(component.items()) if isinstance(component, dict) else (("**", component),)
    values["per_file_ignores"] = tuple(
        (pattern, frozenset().union(*(codes_of(s, "per-file-ignores", origin) for s in selectors)))
        for pattern, selectors in values.get("per_file_ignores", {}).items()
    )
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
    select = table.get("select")
    layer = Layer(
        None if select is None else tuple(select),
        tuple(table.get("ignore", ())),
        tuple(table.get("extend-select", ())),
        origin,
    )
    return replace(Settings(root=root, enabled=enabled_codes((layer,))), **values), layer
