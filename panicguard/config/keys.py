"""The keys that one place gives, such as a file or the command line: checked, but not yet resolved."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from panicguard import __version__, globs
from panicguard.config import toml
from panicguard.config.errors import ConfigError
from panicguard.config.fields import FIELDS, Either, ListOf, TableOf
from panicguard.config.selectors import codes_of, did_you_mean
from panicguard.report.width import one_line
from panicguard.settings import GO_CALL_PARTS, SPAWNED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from panicguard.config.fields import Field, Kind
    from panicguard.config.toml import Document, Where

_FUNCTION = re.compile(r"((?:[^\W\d]\w*\.)*|\*\.|[\w.~-]+(?:/[\w.~-]+)+\.)[^\W\d]\w*")
"""A dotted name, `*.method`, or a function of a Go package with the path of that."""
LENIENT = ("ignore", "extend-ignore", "per-file-ignores", "extend-per-file-ignores")
"""The keys in which a selector that names no rule is a warning: a newer panicguard may know it."""
RUFF = ("exclude", "extend-exclude", "target-version", "line-length", "src")
"""What is taken from Ruff's configuration where panicguard's does not set it."""
_LINT = {key.removeprefix("lint."): field for key, field in FIELDS.items() if field.lint or key.startswith("lint.")}
_TOP = {key: field for key, field in FIELDS.items() if not key.startswith("lint.")}


class Keys(NamedTuple):
    """Keys and their values as TOML gives them, merged with those of the table `lint`.

    Patterns and paths start from `directory`. `places` is where in the document each key stands.
    """

    values: Mapping[str, Any]
    directory: str
    document: Document | None = None
    """None for the flags of a command line."""
    places: Mapping[str, Where] = {}
    warnings: tuple[str, ...] = ()
    by_user: bool = False
    """Whether they are the user's (of the command line, or of the user's own file) and not the project's."""

    def place(self, key: str) -> str:
        """Where a key was set, for people."""
        if self.document is None or self.document.path is None:
            return "the command line"
        tool = next((t for t in ("black", "ruff") if self.places[key][:2] == ("tool", t)), None)
        table = f"[tool.{tool}] of " if tool else ""
        return f"{table}{self.document.path}:{self.document.row(self.places[key])}"


def flags(values: Mapping[str, Any], directory: str) -> Keys:
    """The keys of the command line. Raises ConfigError for a bad value."""
    warnings: list[str] = []
    for key, value in values.items():
        kind = FIELDS[key].kind
        for _, message in _faults(kind, value):
            raise ConfigError(f"Invalid value for '--{key}'", one_line(message))
        for _, selector in _unknown(kind, value):
            unknown = f"Unknown rule selector `{selector}` in `{key}` from the CLI"
            if key not in LENIENT:
                raise ConfigError(one_line(unknown), did_you_mean(selector))
            warnings.append(f"{unknown}: {did_you_mean(selector)}")
    return Keys(values, directory, warnings=tuple(warnings), by_user=True)


def override(text: str, directory: str) -> Keys:
    """The keys of a `key = value` of the command line. Raises ConfigError."""
    document = toml.parse(toml.Document(None, text, {}))
    if "extend" in document.table:
        raise document.error(("extend",), "Cannot include `extend` in a --config flag value")
    return from_document(document, directory)._replace(by_user=True)


def from_document(document: Document, directory: str) -> Keys:
    """The keys of a file. Raises ConfigError at the first one that is unknown or mistyped."""
    table: object = document.table
    where: Where = ()
    if document.is_pyproject:
        table, where = document.tool("panicguard") or {}, ("tool", "panicguard")
    if isinstance(table, dict) and isinstance(wanted := table.get("required-version"), str):
        _require(document, (*where, "required-version"), wanted)
    taken = _Taken({}, {}, [])
    _take(document, table, where, taken, _TOP)
    if isinstance(table, dict) and "lint" in table:
        _take(document, table["lint"], (*where, "lint"), taken, _LINT)
    return Keys(taken.values, directory, document, taken.places, tuple(taken.warnings))


def from_ruff(document: Document, directory: str) -> tuple[Keys, str | None]:
    """The keys of a configuration of Ruff's that panicguard inherits, and the file that it extends.

    Faults in it are for Ruff to report: such a key is left out.
    """
    table: object = document.table
    where: Where = ()
    if document.is_pyproject:
        table, where = document.tool("ruff"), ("tool", "ruff")
    written = table if isinstance(table, dict) else {}
    values = {key: written[key] for key in RUFF if key in written and not any(_faults(FIELDS[key].kind, written[key]))}
    extended = written.get("extend")
    keys = Keys(values, directory, document, {key: (*where, key) for key in values})
    return keys, extended if isinstance(extended, str) else None


def from_black(document: Document, directory: str) -> Keys:
    """The keys of a pyproject.toml that panicguard inherits from Black."""
    table = document.tool("black")
    key = "line-length"
    length = table.get(key) if isinstance(table, dict) else None
    if length is None or any(_faults(FIELDS[key].kind, length)):
        return Keys({}, directory)
    return Keys({key: length}, directory, document, {key: ("tool", "black", key)})


class _Taken(NamedTuple):
    values: dict[str, Any]
    places: dict[str, Where]
    warnings: list[str]


def _take(document: Document, table: object, where: Where, taken: _Taken, allowed: Mapping[str, Field]) -> None:
    """Take over the keys of a table."""
    if not isinstance(table, dict):
        raise document.error(where, f"invalid type: {_toml_type(table)}, expected a map")
    for name, value in table.items():
        if name == "lint" and allowed is _TOP:
            continue
        at = (*where, name)
        if name not in allowed:
            raise document.error((*at, ""), _unknown_key(name, allowed))
        key = f"lint.{name}" if allowed is _LINT and f"lint.{name}" in FIELDS else name
        kind = FIELDS[key].kind
        for inner, message in _faults(kind, value):
            raise document.error((*at, *inner), message)
        for inner, selector in _unknown(kind, value):
            unknown, instead = f"Unknown rule selector `{one_line(selector)}`", did_you_mean(selector)
            if document.outside is not None:
                unknown, instead = "Unknown rule selector", document.error((*at, *inner), instead).causes[-1]
            unknown += f" in `{name}` from {document.origin}"
            if key not in LENIENT:
                frame = document.error((*at, *inner), instead).causes[-1]
                raise ConfigError(unknown, frame.replace("TOML parse error at", "At"))
            taken.warnings.append(f"{unknown}: {instead}")
        taken.values[key] = value
        taken.places[key] = at


def _require(document: Document, where: Where, wanted: str) -> None:
    """Raise ConfigError unless this version of panicguard is one that the file asks for. That comes before all other
    keys, because those of another version may be unknown to this one."""
    try:
        if _is_version(__version__, wanted):
            return
    except ValueError as error:
        raise document.error(where, f"Failed to parse version: {error}") from None
    shown = wanted if wanted.strip()[:1] in "=~!<>" else f"=={wanted}"
    message = f"Required version `{shown}` does not match the running version `{__version__}`"
    if document.path is None:
        raise ConfigError(one_line(message))
    if document.outside is not None:
        raise document.error(where, message)
    raise ConfigError(f"Failed to load configuration {document.origin}", one_line(message))


def _is_version(version: str, wanted: str) -> bool:
    """Whether a version fits specifiers such as `>=0.3,<1`; a bare version means `==`. Raises ValueError for what is
    neither."""
    from packaging.specifiers import SpecifierSet
    from packaging.version import InvalidVersion, Version

    try:
        specifiers = SpecifierSet(f"=={Version(wanted)}")
    except InvalidVersion:
        specifiers = SpecifierSet(wanted)
    return specifiers.contains(version, prereleases=True)


def _unknown_key(key: str, allowed: Mapping[str, Field]) -> str:
    import difflib

    if key in FIELDS:
        return f"unknown field `{key}` in the table `lint`: it belongs outside of that table"
    close = difflib.get_close_matches(key, allowed, n=1, cutoff=0.7)
    if close:
        return f"unknown field `{key}`, did you mean `{close[0]}`?"
    return f"unknown field `{key}`, expected one of {', '.join(f'`{known}`' for known in allowed)}"


def _faults(kind: Kind, value: Any, where: Where = ()) -> Iterator[tuple[Where, str]]:
    """Where and how a value is not of its kind."""
    expected = None
    match kind:
        case Either(many=many, one=one):
            yield from _faults(many if isinstance(value, (list, dict)) else one, value, where)
        case ListOf(of=of):
            if isinstance(value, (list, tuple)):
                for index, item in enumerate(value):
                    yield from _faults(of, item, (*where, index))
            else:
                expected = "a sequence"
        case TableOf(keys=keys, of=of):
            if isinstance(value, dict):
                for key, item in value.items():
                    yield from _faults(keys, key, (*where, key, ""))
                    yield from _faults(of, item, (*where, key))
            else:
                expected = "a map"
        case "bool":
            expected = None if isinstance(value, bool) else "a boolean"
        case "int":
            if isinstance(value, bool) or not isinstance(value, int):
                expected = "an integer"
            elif value < 1:
                yield where, f"invalid value: integer `{value}`, expected a number above 0"
        case _ if not isinstance(value, str):
            expected = "a string"
        case tuple():
            if value not in kind:
                yield where, f"unknown variant `{value}`, expected one of {', '.join(f'`{v}`' for v in kind)}"
        case "glob":
            try:
                globs.translate(value.removeprefix("!"))
            except ValueError as error:
                yield where, f"error parsing glob '{value}': {error}"
        case "call":
            unknown = [part for part in re.findall(r"{(.*?)}", value) if part not in GO_CALL_PARTS]
            if unknown or not re.fullmatch(r"[^{}]*({\w+}[^{}]*)*\(([^{}]*{\w+}[^{}]*)*{fn}\)", value):
                known = ", ".join(f"`{{{part}}}`" for part in GO_CALL_PARTS)
                yield where, f'invalid value: string "{value}", expected a call of {known} that ends in `{{fn}})`'
        case "function":
            if not _FUNCTION.fullmatch(value):
                yield where, f'invalid value: string "{value}", expected the name of a function'
        case "spawner":
            name, colon, kind = value.partition(":")
            if (colon and kind not in SPAWNED) or not all(p.isidentifier() for p in name.removeprefix("*.").split(".")):
                known = ", ".join(f"`:{kind}`" for kind in SPAWNED)
                yield (
                    where,
                    f'invalid value: string "{value}", expected a dotted name or `*.name`, and {known} behind it',
                )
        case "module":
            if not all(part.isidentifier() for part in value.split(".")):
                yield where, f'invalid value: string "{value}", expected a dotted name'
    if expected:
        yield where, f"invalid type: {_toml_type(value)}, expected {expected}"


def _unknown(kind: Kind, value: Any, where: Where = ()) -> Iterator[tuple[Where, str]]:
    """The selectors in a value that name no rule, and where they stand."""
    match kind:
        case "selector":
            if not codes_of(value):
                yield where, value
        case ListOf(of=of):
            for index, item in enumerate(value):
                yield from _unknown(of, item, (*where, index))
        case TableOf(keys=keys, of=of):
            for key, item in value.items():
                yield from _unknown(keys, key, (*where, key, ""))
                yield from _unknown(of, item, (*where, key))


def anchored(kind: Kind, value: Any, directory: str, root: str) -> Any:
    """A value that means the same from `root` as it does in a directory: its patterns; its paths become absolute."""
    match kind:
        case "glob":
            return value if directory == root else globs.anchored(value, directory)
        case "path":
            return expanded(value, directory)
        case Either(many=many, one=one):
            return anchored(many if isinstance(value, (list, tuple, dict)) else one, value, directory, root)
        case ListOf(of=of):
            return [anchored(of, item, directory, root) for item in value]
        case TableOf(keys=keys, of=of):
            return {
                anchored(keys, key, directory, root): anchored(of, item, directory, root) for key, item in value.items()
            }
    return value


def expanded(path: str, directory: str) -> str:
    """An absolute path: `~` and variables expanded, relative to a directory."""
    return os.path.normpath(os.path.join(directory, os.path.expanduser(os.path.expandvars(path))))


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
        case list() | tuple():
            return "sequence"
        case dict():
            return "map"
    return f"datetime `{value}`"
