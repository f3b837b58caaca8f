"""The JSON schema of panicguard.toml, made from the table of keys: for editors, which complete and check by it."""

from __future__ import annotations

import json
from typing import Any

from panicguard.config.fields import FIELDS, Either, Kind, ListOf, TableOf
from panicguard.config.selectors import known_selectors

_PLAIN: dict[str, dict[str, Any]] = {
    "bool": {"type": "boolean"},
    "int": {"type": "integer", "minimum": 1},
    "selector": {"$ref": "#/definitions/selector"},
    "call": {"type": "string", "pattern": r"\{fn\}\)$"},
    "function": {
        "type": "string",
        "pattern": r"^((?:[^\W\d]\w*\.)*|\*\.|[\w.~-]+(?:/[\w.~-]+)+\.)[^\W\d]\w*$",
    },
    "module": {"type": "string", "pattern": r"^[^\W\d]\w*(\.[^\W\d]\w*)*$"},
}


def schema() -> str:
    """The schema, draft 7, as it is shipped."""
    top = {key: _property(key) for key in FIELDS if not key.startswith("lint.")}
    lint = {
        key.removeprefix("lint."): _property(key)
        for key, field in FIELDS.items()
        if field.lint or key.startswith("lint.")
    }
    top["lint"] = {"type": "object", "additionalProperties": False, "properties": lint}
    return (
        json.dumps(
            {
                "$schema": "http://json-schema.org/draft-07/schema#",
                "title": "panicguard",
                "description": "panicguard.toml, and [tool.panicguard] in pyproject.toml.",
                "type": "object",
                "additionalProperties": False,
                "properties": top,
                "definitions": {"selector": {"type": "string", "enum": list(known_selectors())}},
            },
            indent=2,
        )
        + "\n"
    )


def _property(key: str) -> dict[str, Any]:
    return {"description": FIELDS[key].doc, **_shape(FIELDS[key].kind)}


def _shape(kind: Kind) -> dict[str, Any]:
    match kind:
        case tuple():
            return {"type": "string", "enum": list(kind)}
        case ListOf(of=of):
            return {"type": "array", "items": _shape(of)}
        case TableOf(keys="selector", of=of):
            return {"type": "object", "propertyNames": _shape("selector"), "additionalProperties": _shape(of)}
        case TableOf(of=of):
            return {"type": "object", "additionalProperties": _shape(of)}
        case Either(many=many, one=one):
            return {"anyOf": [_shape(many), _shape(one)]}
    return _PLAIN.get(kind, {"type": "string"})
