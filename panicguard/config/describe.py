"""The configuration in words: what a key means, and what is in force for a file and why."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from panicguard.config.fields import FIELDS, Either, ListOf, TableOf
from panicguard.config.resolve import values
from panicguard.report.width import escaped, one_line
from panicguard.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from panicguard.config.chain import Chain
    from panicguard.config.fields import Field, Kind
    from panicguard.config.keys import Keys

_PARTS: Mapping[str, tuple[str, ...]] = {
    "select": ("ignore", "extend-ignore", "extend-select"),
    "fixable": ("unfixable", "extend-fixable"),
    "exclude": ("extend-exclude", "lint.exclude"),
    "include": ("extend-include",),
    "per-file-ignores": ("extend-per-file-ignores",),
}
"""Key -> the keys that only modify its value."""
_TYPES = {
    "selector": "RuleSelector",
    "glob": "str",
    "path": "str",
    "module": "str",
    "spawner": "str",
    "function": "str",
    "call": "str",
    "version": "str",
}


def list_keys(table: str | None, *, as_json: bool) -> str:
    """The keys at the top (None), or those that may stand in `lint`, one on a line or as an object of objects."""
    fields = {
        key.removeprefix("lint."): field
        for key, field in FIELDS.items()
        if (field.lint or key.startswith("lint.") if table else not key.startswith("lint."))
    }
    if as_json:
        return json.dumps({key: _described(key, field) for key, field in fields.items()}, indent=2) + "\n"
    return "".join(f"{key}\n" for key in (*fields, *(() if table else ("lint",))))


def describe_key(key: str, *, as_json: bool) -> str:
    """What a key means, in text or as an object with Ruff's keys."""
    description = _described(key.removeprefix("lint."), FIELDS[key])
    if as_json:
        return json.dumps(description, indent=2) + "\n"
    return (
        f"{description['doc']}\n\nDefault value: {description['default']}\nType: {description['value_type']}\n"
        f"Example usage:\n```toml\n{description['example']}\n```\n"
    )


def _described(key: str, field: Field) -> dict[str, str | None]:
    return {
        "doc": field.doc,
        "default": field.default or "null",
        "value_type": _type(field.kind),
        "scope": None,
        "example": f"{key} = {field.example}",
        "deprecated": None,
    }


def _type(kind: Kind) -> str:
    match kind:
        case tuple():
            return " | ".join(f'"{value}"' for value in kind)
        case ListOf(of=of):
            return f"list[{_type(of)}]"
        case TableOf(keys=keys, of=of):
            return f"dict[{_type(keys)}, {_type(of)}]"
        case Either(many=many, one=one):
            return f"{_type(many)} | {_type(one)}"
    return _TYPES.get(kind, kind)


def show_settings(path: str, chain: Chain, settings: Settings) -> str:
    """All settings in force for a file, as equivalent TOML, each followed by where it was set."""
    lines = [f"# Resolved settings for: {_toml(path)}"]
    if chain.path is not None:
        lines.append(f"# Settings path: {_toml(chain.path)}")
    for key, value in _in_force(settings):
        places = dict.fromkeys(one_line(keys.place(part)) for part, keys in _origins(key, chain))
        origin = ", ".join(places) or _unset(key, value)
        lines.append(f"{key} = {_toml(value)}  # {origin}" if value is not None else f"# {key}: {origin}")
    return "\n".join((*lines, ""))


def _in_force(settings: Settings) -> Iterator[tuple[str, Any]]:
    """Each key and its value; keys that only modify another one are merged into it."""
    resolved: dict[str, Any] = {
        "select": sorted(settings.enabled),
        "fixable": ["ALL"],
        "unfixable": sorted(settings.unfixable),
        "extend-safe-fixes": sorted(settings.forced_safe),
        "extend-unsafe-fixes": sorted(settings.forced_unsafe),
        "per-file-ignores": {pattern: sorted(codes) for pattern, codes in settings.per_file_ignores},
        **{key: dict(getattr(settings, key.replace("-", "_"))) for key in _TABLES},
    }
    parts = {part for parts in _PARTS.values() for part in parts} - {"unfixable"}
    for key in FIELDS:
        name = key.replace("-", "_")
        if key not in parts and (key in resolved or name in Settings.__dataclass_fields__):
            yield key, resolved[key] if key in resolved else getattr(settings, name)


_TABLES = ("severity", "component", "per-file-target-version", "extension")


def _origins(key: str, chain: Chain) -> Iterator[tuple[str, Keys]]:
    """The keys, and where they were set, that a value in force comes from."""
    resolved = values(chain)
    if key in ("select", "fixable", "unfixable"):
        key = "fixable" if key == "unfixable" else key
        layers = list(chain.keys)
        first = max((at for at, keys in enumerate(layers) if key in keys.values), default=0)
        for keys in layers[first:]:
            yield from ((part, keys) for part in (key, *_PARTS[key]) if part in keys.values)
        return
    for part in (key, *_PARTS.get(key, ())):
        if part in resolved:
            yield from ((part, keys) for keys in resolved[part].origins)


def _unset(key: str, value: object) -> str:
    """Where a value comes from that was not set."""
    if key == "target-version" and value != Settings().target_version:
        return "requires-python"
    if key == "runtime-module" and value is not None:
        return "the copy of the runtime in the project"
    return "default"


def _toml(value: Any) -> str:
    match value:
        case dict():
            items = ", ".join(f"{_toml(key)} = {_toml(item)}" for key, item in value.items())
            return f"{{ {items} }}" if items else "{}"
        case list() | tuple():
            return f"[{', '.join(map(_toml, value))}]"
    return escaped(json.dumps(value, ensure_ascii=False))
