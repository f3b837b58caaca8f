"""The editor's settings: the keys of Ruff's that make sense for panicguard. Unknown keys are ignored, because an
editor's extension may be newer than the server."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from panicguard.config.options import Options

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_STRINGS = (
    "select", "ignore", "extendSelect", "exclude", "lint.select", "lint.ignore", "lint.extendSelect", "lint.exclude",
)  # fmt: skip
_FLAGS = (
    "fixAll", "unsafeFixes", "showSyntaxErrors", "lint.enable", "lint.unsafeFixes",
    "codeAction.disableRuleComment.enable", "codeAction.fixViolation.enable",
)  # fmt: skip
_CHOICES = {
    "configurationPreference": ("editorFirst", "filesystemFirst", "editorOnly"),
    "logLevel": ("trace", "debug", "info", "warn", "error"),
}

DEFAULT = Options(force_exclude=True)
"""The options that an editor does not set. Exclusion is forced: to open an excluded file is not to ask for a check."""


@dataclass(frozen=True, slots=True)
class Preferences:
    """The settings of one workspace folder. `options` are those that the command line has as well."""

    options: Options = DEFAULT
    files_first: bool = False
    """Whether the configuration files of the project override the options."""
    enable: bool = True
    fix_all: bool = True
    fix_violation: bool = True
    disable_rule_comment: bool = True
    show_syntax_errors: bool = True
    log_level: str = "info"
    log_file: str | None = None


def read_preferences(values: object) -> tuple[Preferences, tuple[str, ...]]:
    """The preferences in an editor's JSON, and its faults. A value of the wrong type is a fault, and is ignored."""
    flat = dict(_flat(values, "")) if isinstance(values, dict) else {}
    faults = [
        f"`{key}`: expected {kind}, not {json.dumps(flat.pop(key))}"
        for key, value in tuple(flat.items())
        if (kind := _expected(key, value)) is not None
    ]
    if values is not None and not isinstance(values, dict):
        faults.append(f"expected an object, not {json.dumps(values)[:80]}")

    def strings(key: str) -> tuple[str, ...] | None:
        value = flat.get(f"lint.{key}", flat.get(key))
        return None if value is None else tuple(value)

    configuration, preference = flat.get("configuration"), flat.get("configurationPreference")
    config: tuple[str, ...] = ()
    if isinstance(configuration, str):
        config = (configuration,)
    elif isinstance(configuration, dict):
        config = tuple(f"{_key(key)} = {_toml(value)}" for key, value in configuration.items() if value is not None)
    options = DEFAULT._replace(
        config=config,
        isolated=preference == "editorOnly" and not isinstance(configuration, str),
        select=strings("select"),
        ignore=strings("ignore"),
        extend_select=strings("extendSelect"),
        exclude=strings("exclude"),
        unsafe_fixes=flat.get("lint.unsafeFixes", flat.get("unsafeFixes")),
    )
    return Preferences(
        options,
        files_first=preference == "filesystemFirst",
        enable=flat.get("lint.enable", True),
        fix_all=flat.get("fixAll", True),
        fix_violation=flat.get("codeAction.fixViolation.enable", True),
        disable_rule_comment=flat.get("codeAction.disableRuleComment.enable", True),
        show_syntax_errors=flat.get("showSyntaxErrors", True),
        log_level=flat.get("logLevel", "info"),
        log_file=flat.get("logFile"),
    ), tuple(faults)


def _flat(values: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    """The values by dotted key, however the keys are nested. Null counts as not set."""
    for key, value in values.items():
        if isinstance(value, dict) and key != "configuration":
            yield from _flat(value, f"{prefix}{key}.")
        elif value is not None:
            yield f"{prefix}{key}", value


def _expected(key: str, value: object) -> str | None:
    """What the value of a key should be; None if it is that."""
    if key in _FLAGS and not isinstance(value, bool):
        return "true or false"
    if key in _STRINGS and not (isinstance(value, list) and all(isinstance(item, str) for item in value)):
        return "a list of strings"
    if key == "configuration" and not isinstance(value, (str, dict)):
        return "a path or an object"
    if key == "logFile" and not isinstance(value, str):
        return "a path"
    if key in _CHOICES and value not in _CHOICES[key]:
        return f"one of {', '.join(_CHOICES[key])}"
    return None


def _toml(value: object) -> str:
    """A JSON value as TOML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(k)} = {_toml(v)}" for k, v in value.items() if v is not None) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value, ensure_ascii=False)


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(key, ensure_ascii=False)
