"""Configuration: one frozen value, from panicguard.toml or [tool.panicguard] in pyproject.toml.

`FIELDS` is the one list of keys: what reads a file, checks it and words its errors goes by it.
"""

from __future__ import annotations

import functools
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from panicguard import patterns
from panicguard.report.formats import FORMATS
from panicguard.rule import all_rules

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from panicguard.rule import Rule

    Where = tuple[str | int, ...]
    """The way to a value in a TOML document: keys, and indices in arrays."""

SPAWN_EXEMPT = (
    "**/tests/**",
    "test_*.py",
    "*_test.py",
    "conftest.py",
    "*_pb2.py",
    "*_pb2_grpc.py",
    "**/mocks/**",
)
# fmt: off
EXCLUDE = (
    ".bzr", ".direnv", ".eggs", ".git", ".git-rewrite", ".hg", ".ipynb_checkpoints", ".mypy_cache", ".nox",
    ".pants.d", ".panicguard_cache", ".pyenv", ".pytest_cache", ".pytype", ".ruff_cache", ".svn", ".tox",
    ".venv", ".vscode", "__pypackages__", "_build", "buck-out", "dist", "node_modules", "site-packages",
    "venv",
)
# fmt: on
FILES = (".panicguard.toml", "panicguard.toml", "pyproject.toml")
"""The names of configuration files, the first of them in a directory wins."""
CACHE = ".panicguard_cache"
VERSIONS = ("py310", "py311", "py312", "py313", "py314", "py315")


class ConfigError(Exception):
    """The user's mistake in the configuration: the causes, the outermost first, of one line or more each."""

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
    """The dotted name of the runtime that fixes import. None: the project's copy, else the installed one."""
    default_policy: str = "KeepRunning"
    component: tuple[tuple[str, str], ...] = ()
    """(path pattern, component name): the component for spawns in those files, the first that matches."""
    spawn_exempt: tuple[str, ...] = SPAWN_EXEMPT
    strict_spawns: bool = False
    low_confidence: bool = False
    reporters: tuple[str, ...] = ()
    """Dotted names of functions that report an exception being handled (PNC303)."""
    target_version: str = "py310"
    respect_gitignore: bool = True
    force_exclude: bool = False
    cache_dir: str = CACHE
    """The directory of the cache, from `root`."""
    fix: bool = False
    fix_only: bool = False
    unsafe_fixes: bool | None = None
    """None: not applied, but counted in the summary; False: not even mentioned."""
    show_fixes: bool = False
    ignore_noqa: bool = False
    """Whether suppression comments, of every kind, do not count."""
    output_format: str = "full"
    warnings: tuple[str, ...] = ()
    """For the user: what is wrong in the configuration, but does no harm."""


class Field(NamedTuple):
    """A key of the configuration.

    `kind` is a tuple of the strings it may be, or bool, str, glob, module (a dotted name), selector; `[kind]`
    is a list of those, `{glob: kind}` a table, `a | b` either. `default` is TOML, or empty: no value.
    """

    kind: str | tuple[str, ...]
    default: str
    doc: str
    lint: bool = True
    """Whether the key may also stand in the table `lint`."""


def _toml_list(items: Iterable[str]) -> str:
    return "[" + ", ".join(f'"{item}"' for item in items) + "]"


FIELDS: Mapping[str, Field] = {
    "select": Field("[selector]", "", "The rules to run: codes, prefixes, names, or ALL."),
    "ignore": Field("[selector]", "[]", "The rules not to run."),
    "extend-select": Field("[selector]", "[]", "Rules to run beside the selected ones."),
    "per-file-ignores": Field("{glob: [selector]}", "{}", "Rules not to run, by path pattern."),
    "runtime-module": Field("module", "", "The module that fixes import the runtime from: `myapp.mruntime`."),
    "default-policy": Field(("KeepRunning", "CrashProcess"), '"KeepRunning"', "The policy that fixes write."),
    "component": Field("{glob: str} | str", "{}", "The component fixes write: a name, or names by path pattern."),
    "spawn-exempt": Field("[glob]", _toml_list(SPAWN_EXEMPT), "Files in which the rules about spawns do not hold."),
    "strict-spawns": Field("bool", "false", "Report every raw spawn, observed ones too."),
    "low-confidence": Field("bool", "false", "Report what is likely but not proven."),
    "reporters": Field("[module]", "[]", "Functions that report the exception being handled."),
    "exclude": Field("[glob]", _toml_list(EXCLUDE), "Files and directories to leave out.", lint=False),
    "extend-exclude": Field("[glob]", "[]", "Files and directories to leave out beside `exclude`.", lint=False),
    "respect-gitignore": Field("bool", "true", "Leave out what git ignores.", lint=False),
    "force-exclude": Field("bool", "false", "Exclude files that the command line names, too.", lint=False),
    "target-version": Field(
        VERSIONS, "", "The oldest Python to support; `requires-python` where it is not given.", lint=False
    ),
    "cache-dir": Field("str", f'"{CACHE}"', "The directory of the cache.", lint=False),
    "fix": Field("bool", "false", "Fix what can be fixed.", lint=False),
    "fix-only": Field("bool", "false", "Fix, and do not report what is left.", lint=False),
    "unsafe-fixes": Field("bool", "", "Apply unsafe fixes too; false: do not even mention them.", lint=False),
    "show-fixes": Field("bool", "false", "List what was fixed.", lint=False),
    "output-format": Field(tuple(FORMATS), '"full"', "How to print diagnostics.", lint=False),
}


# Selectors


class Layer(NamedTuple):
    """Selectors given in one place: `origin` is named in errors. `select` is None where it is not given."""

    select: tuple[str, ...] | None
    ignore: tuple[str, ...]
    extend: tuple[str, ...]
    origin: str


class Selection(NamedTuple):
    """What layers come to; `carried` are the `ignore` of a last layer that selects nothing."""

    enabled: frozenset[str]
    warnings: tuple[str, ...]
    carried: tuple[str, ...] = ()


def resolve_selectors(rules: Sequence[Rule], layers: Iterable[Layer]) -> Selection:
    """The rules that are on after all layers, the last the strongest; before the first, those on by default.

    In a layer the more specific selector wins, and `ignore` among equals. A `select` starts afresh. Raises
    ConfigError for a selector of `select` or `extend-select` that names no rule; in `ignore` it is a warning.
    """
    enabled = {rule.code for rule in rules if rule.default}
    warnings: list[str] = []
    carried: tuple[str, ...] = ()
    for layer in layers:
        found: list[tuple[int, bool, frozenset[str]]] = []
        for key, on, selectors in (
            ("select", True, layer.select or ()),
            ("extend-select", True, layer.extend),
            ("ignore", False, layer.ignore + carried),
        ):
            for selector in selectors:
                codes = codes_of(rules, selector)
                if not codes:
                    unknown = _unknown_selector(selector, key, layer.origin)
                    if on:
                        raise ConfigError(unknown, _did_you_mean(rules, selector))
                    warnings.append(f"{unknown}: {_did_you_mean(rules, selector)}")
                found.append((_specificity(selector), on, codes))
        if layer.select is not None:
            enabled = set()
        for _, on, codes in sorted(found, key=lambda one: (one[0], not one[1])):
            enabled = enabled | codes if on else enabled - codes
        # An `ignore` beside nothing selected is meant for what is selected later.
        carried = layer.ignore if layer.select == () and not layer.extend else ()
    return Selection(frozenset(enabled), tuple(warnings), carried)


def enabled_codes(layers: Iterable[Layer]) -> frozenset[str]:
    """The codes of all the rules that are on after the layers. Raises ConfigError."""
    return resolve_selectors(all_rules(), layers).enabled


def codes_of(rules: Iterable[Rule], selector: str) -> frozenset[str]:
    """The codes that a code, a prefix of codes, a rule's name or ALL stands for; nothing if unknown."""
    is_prefix = selector.startswith("PNC")
    return frozenset(
        rule.code for rule in rules if selector in ("ALL", rule.name) or (is_prefix and rule.code.startswith(selector))
    )


def _specificity(selector: str) -> int:
    """ALL, then prefixes by length, then a code or name."""
    if selector == "ALL":
        return 0
    return len(selector) if selector.startswith("PNC") else len("PNC000")


def _unknown_selector(selector: str, key: str, origin: str) -> str:
    return f"Unknown rule selector `{selector}` in `{key}` from {origin}"


def _did_you_mean(rules: Iterable[Rule], selector: str) -> str:
    import difflib

    known = ["ALL", *(name for rule in rules for name in (rule.code, rule.name))]
    close = difflib.get_close_matches(selector, known, n=1, cutoff=0.7)
    if close:
        return f"did you mean `{close[0]}`?"
    return "expected a code, a prefix such as `PNC1`, the name of a rule, or `ALL`"


# Finding and reading files


def nearest(directory: str) -> str | None:
    """The configuration file that holds for the files of a directory: its own, or the closest above."""
    while (own := own_file(directory)) is None:
        parent = os.path.dirname(directory)
        if parent == directory:
            return None
        directory = parent
    return own


@functools.cache
def own_file(directory: str) -> str | None:
    """The configuration file in a directory, remembered: `own_file.cache_clear()` forgets.

    Raises ConfigError where a pyproject.toml is no TOML and may be about panicguard.
    """
    for name in FILES:
        path = os.path.join(directory, name)
        if os.path.isfile(path) and (name != "pyproject.toml" or _has_table(path)):
            return path
    return None


def _has_table(path: str) -> bool:
    # Most projects' pyproject.toml says nothing of panicguard, and the import of tomllib takes longer than that.
    try:
        with open(path, "rb") as file:
            if b"panicguard" not in file.read():
                return False
    except OSError:
        return False
    return "panicguard" in _tool_table(_document(path))


def load(path: str, overrides: Sequence[str] = (), root: str | None = None) -> tuple[Settings, Layer]:
    """The settings of one configuration file and of `key = value` overrides, the first the strongest.

    Its patterns start from `root`, by default the directory of the file; those of overrides from the current
    one. The Layer is what all the selectors come to, for more layers to go over it. Raises ConfigError.
    """
    directory = os.path.dirname(os.path.abspath(path))
    return _settings([_keys(_document(path)), *_overrides(overrides)], root or directory, directory)


def default(root: str, overrides: Sequence[str] = ()) -> tuple[Settings, Layer]:
    """The settings where there is no configuration file. Raises ConfigError."""
    return _settings(_overrides(overrides), root, root or os.getcwd())


class _Document(NamedTuple):
    """A TOML text: `path` is None for an argument of the command line."""

    path: str | None
    text: str
    table: dict[str, Any]

    @property
    def origin(self) -> str:
        return f"`{self.path}`" if self.path else "the CLI"

    @property
    def is_pyproject(self) -> bool:
        return self.path is not None and os.path.basename(self.path) == "pyproject.toml"

    def error(self, where: Where, message: str) -> ConfigError:
        """The error that points at a value; at a key where the last part of `where` is empty."""
        return self.failure(*_positions(self.text).get(where, (0, 1)), message)

    def failure(self, start: int, end: int, message: str) -> ConfigError:
        """The error that points at these offsets of the text."""
        row = self.text.count("\n", 0, start) + 1
        line_start = self.text.rfind("\n", 0, start) + 1
        line = self.text[line_start:].partition("\n")[0].rstrip("\r")
        column = start - line_start
        gutter = " " * len(str(row))
        # A caret needs as much room as what it is under: a tab stays one.
        blank = "".join("\t" if char == "\t" else " " for char in line[:column])
        frame = (
            f"TOML parse error at line {row}, column {column + 1}\n{gutter} |\n{row} | {line}\n"
            f"{gutter} | {blank}{'^' * max(1, min(end, line_start + len(line)) - start)}\n{message}"
        )
        if self.path is None:
            return ConfigError(f"Invalid value '{self.text}' for '--config'", frame)
        parsing = f"Failed to parse {self.path}"
        if self.is_pyproject:
            return ConfigError(parsing, frame)
        return ConfigError(f"Failed to load configuration `{self.path}`", parsing, frame)


def _document(path: str) -> _Document:
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError) as error:
        reason = (error.strerror or str(error)) if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigError(f"Failed to load configuration `{path}`", f"Failed to read {path}", reason) from None
    return _parse(_Document(path, text, {}))


def _parse(document: _Document) -> _Document:
    import sys

    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        return document._replace(table=tomllib.loads(document.text))
    except RecursionError:
        raise document.failure(0, 1, "nested too deeply") from None
    except ValueError as error:
        message, _, place = str(error).partition(" (at ")
        found = re.match(r"line (\d+), column (\d+)", place)
        at = len(document.text.rstrip("\r\n"))
        if found:
            lines = document.text.split("\n")[: int(found[1]) - 1]
            at = sum(len(line) + 1 for line in lines) + int(found[2]) - 1
        raise document.failure(at, at + 1, message[:1].lower() + message[1:]) from None


def _tool_table(document: _Document) -> Mapping[str, Any]:
    tool = document.table.get("tool")
    return tool if isinstance(tool, dict) else {}


# Checking


class _Keys(NamedTuple):
    """The keys that one document gives, those of its `lint` table taken up and all of them checked."""

    values: dict[str, Any]
    origin: str
    warnings: list[str]


def _overrides(overrides: Iterable[str]) -> list[_Keys]:
    """Each override is a document of its own; of two for the same key the first counts, so it comes last."""
    found = [_keys(_parse(_Document(None, override, {}))) for override in overrides]
    here = os.getcwd()
    for keys in found:
        for key, value in keys.values.items():
            if key in ("exclude", "extend-exclude", "spawn-exempt"):
                keys.values[key] = [patterns.anchored(pattern, here) for pattern in value]
            elif isinstance(value, dict):
                keys.values[key] = {patterns.anchored(pattern, here): v for pattern, v in value.items()}
    return found[::-1]


def _keys(document: _Document) -> _Keys:
    table: Any = document.table
    where: Where = ()
    if document.is_pyproject:
        table, where = _tool_table(document).get("panicguard", {}), ("tool", "panicguard")
    keys = _Keys({}, document.origin, [])
    _check(document, table, where, keys, FIELDS)
    if isinstance(table, dict) and "lint" in table:
        _check(document, table["lint"], (*where, "lint"), keys, {k: f for k, f in FIELDS.items() if f.lint})
    return keys


def _check(document: _Document, table: object, where: Where, keys: _Keys, allowed: Mapping[str, Field]) -> None:
    """Take over the keys of a table. Raises ConfigError at the first one that is unknown or mistyped."""
    if not isinstance(table, dict):
        raise document.error(where, f"invalid type: {_toml_type(table)}, expected a map")
    for key, value in table.items():
        if key == "lint" and allowed is FIELDS:
            continue
        at = (*where, key)
        if key not in allowed:
            raise document.error((*at, ""), _unknown_key(key, allowed))
        for inner, message in _faults(allowed[key].kind, value):
            raise document.error((*at, *inner), message)
        for inner, selector in _selectors(allowed[key].kind, value):
            if codes_of(all_rules(), selector):
                continue
            unknown = _unknown_selector(selector, key, document.origin)
            if key in ("select", "extend-select"):
                frame = document.error((*at, *inner), _did_you_mean(all_rules(), selector)).causes[-1]
                raise ConfigError(unknown, frame.replace("TOML parse error at", "At"))
            keys.warnings.append(f"{unknown}: {_did_you_mean(all_rules(), selector)}")
        keys.values[key] = value


def _unknown_key(key: str, allowed: Mapping[str, Field]) -> str:
    import difflib

    if key in FIELDS:
        return f"unknown field `{key}` in the table `lint`: it stands outside of it"
    close = difflib.get_close_matches(key, allowed, n=1)
    if close:
        return f"unknown field `{key}`, did you mean `{close[0]}`?"
    return f"unknown field `{key}`, expected one of {', '.join(f'`{known}`' for known in allowed)}"


def _faults(kind: str | tuple[str, ...], value: Any, where: Where = ()) -> Iterator[tuple[Where, str]]:
    """Where in a value, and in which way, it is not of its kind."""
    expected = None
    if isinstance(kind, tuple):
        if not isinstance(value, str):
            expected = "a string"
        elif value not in kind:
            yield where, f"unknown variant `{value}`, expected one of {', '.join(f'`{v}`' for v in kind)}"
    elif " | " in kind:
        table, _, other = kind.partition(" | ")
        yield from _faults(table if isinstance(value, dict) else other, value, where)
    elif kind.startswith("["):
        if isinstance(value, list):
            for index, item in enumerate(value):
                yield from _faults(kind[1:-1], item, (*where, index))
        else:
            expected = "a sequence"
    elif kind.startswith("{"):
        if isinstance(value, dict):
            for key, item in value.items():
                yield from _faults("glob", key, (*where, key, ""))
                yield from _faults(kind[len("{glob: ") : -1], item, (*where, key))
        else:
            expected = "a map"
    elif kind == "bool":
        expected = None if isinstance(value, bool) else "a boolean"
    elif not isinstance(value, str):
        expected = "a string"
    elif kind == "glob":
        try:
            patterns.translate(value.removeprefix("!"))
        except ValueError as error:
            yield where, f"error parsing glob '{value}': {error}"
    elif kind == "module" and not all(part.isidentifier() for part in value.split(".")):
        yield where, f'invalid value: string "{value}", expected a dotted name'
    if expected:
        yield where, f"invalid type: {_toml_type(value)}, expected {expected}"


def _selectors(kind: str | tuple[str, ...], value: Any) -> Iterator[tuple[Where, str]]:
    if "[selector]" not in kind:
        return
    lists = value.items() if isinstance(value, dict) else ((None, value),)
    for key, selectors in lists:
        for index, selector in enumerate(selectors):
            yield ((index,) if key is None else (key, index)), selector


def _toml_type(value: object) -> str:
    match value:
        case bool():
            return f"boolean `{str(value).lower()}`"
        case int():
            return f"integer `{value}`"
        case float():
            return f"floating point `{value}`"
        case str():
            return f'string "{value}"'
        case list():
            return "sequence"
        case dict():
            return "map"
    return f"datetime `{value}`"


_TOKEN = r"""(?xs)
    [ \t\r]+ | \#[^\n]*
  | (?P<token> \"{3}(?:\\.|[^\\])*?\"{3,5} | '{3}.*?'{3,5} | "(?:\\.|[^"\\\n])*" | '[^'\n]*'
             | [][{}=,.\n] | [^][{}=,.\s\#"']+ )
"""


def _positions(text: str) -> dict[Where, tuple[int, int]]:
    """Where the values of a TOML text stand; the key of one, under its own way with an empty part after it.

    The TOML library does not tell. The text is one that it could read.
    """
    found: dict[Where, tuple[int, int]] = {}
    tokens = [m.span("token") for m in re.finditer(_TOKEN, text) if m["token"]]
    words = [text[start:end] for start, end in tokens]

    def keys(at: int, base: Where, end: str) -> tuple[Where, int]:
        while words[at] != end:
            if words[at] != ".":
                base = (*base, words[at].strip("\"'"))
                found.setdefault((*base, ""), tokens[at])
            at += 1
        return base, at + 1

    def value(at: int, where: Where) -> int:
        start, is_array = at, words[at] == "["
        if words[at] in ("[", "{"):
            at, index = at + 1, 0
            while words[at] not in ("]", "}"):
                if words[at] in (",", "\n"):
                    at += 1
                elif is_array:
                    at, index = value(at, (*where, index)), index + 1
                else:
                    name, at = keys(at, where, "=")
                    at = value(at, name)
            at += 1
        else:
            while at < len(words) and words[at] not in (",", "]", "}", "\n"):
                at += 1
        found[where] = (tokens[start][0], tokens[at - 1][1])
        return at

    at = 0
    table: Where = ()
    while at < len(words):
        if words[at] in ("\n", "]"):
            at += 1
        elif words[at] == "[":
            start = tokens[at]
            while words[at] == "[":
                at += 1
            table, at = keys(at, (), "]")
            found.setdefault(table, start)
        else:
            name, at = keys(at, table, "=")
            at = value(at, name)
    return found


# Settings from keys


def _settings(given: Sequence[_Keys], root: str, directory: str) -> tuple[Settings, Layer]:
    """The settings of documents, the last the strongest; pyproject.toml is looked for from `directory` up."""
    values: dict[str, Any] = {}
    extended: list[str] = []
    for keys in given:
        values |= keys.values
        extended += keys.values.get("extend-exclude", ())
    layers = [
        Layer(
            tuple(keys.values["select"]) if "select" in keys.values else None,
            tuple(keys.values.get("ignore", ())),
            tuple(keys.values.get("extend-select", ())),
            keys.origin,
        )
        for keys in given
    ]
    selection = resolve_selectors(all_rules(), layers)
    component = values.get("component", {})
    ignores = values.get("per-file-ignores", {})
    plain: dict[str, Any] = {
        key.replace("-", "_"): tuple(value) if isinstance(value, list) else value
        for key, value in values.items()
        if key not in ("select", "ignore", "extend-select", "extend-exclude")
    }
    plain |= {
        "exclude": (*values.get("exclude", EXCLUDE), *extended),
        "component": tuple(component.items()) if isinstance(component, dict) else (("**", component),),
        "per_file_ignores": tuple(
            (pattern, frozenset(code for s in selectors for code in codes_of(all_rules(), s)))
            for pattern, selectors in ignores.items()
        ),
        "target_version": values.get("target-version") or _target_version(directory),
        "warnings": tuple(warning for keys in given for warning in keys.warnings),
    }
    layer = Layer(tuple(sorted(selection.enabled)), selection.carried, (), "the configuration")
    return Settings(root=root, enabled=selection.enabled, **plain), layer


def _target_version(directory: str) -> str:
    """The lower bound of `requires-python` in the closest pyproject.toml that has one."""
    while True:
        try:
            with open(os.path.join(directory, "pyproject.toml"), encoding="utf-8", errors="replace") as file:
                text = file.read()
        except OSError:
            text = ""
        if bound := re.search(r"""^[ \t]*requires-python[ \t]*=[ \t]*["'](.*?)["']""", text, re.MULTILINE):
            minors = [int(minor) for minor in re.findall(r"(?:>=?|~=|==)\s*3\.(\d+)", bound[1])]
            return VERSIONS[min(max(max(minors, default=0) - 10, 0), len(VERSIONS) - 1)]
        parent = os.path.dirname(directory)
        if parent == directory:
            return VERSIONS[0]
        directory = parent
