"""The schema that editors read agrees with the program about a configuration."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from jsonschema import Draft7Validator
from schema import schema

import panicguard
from panicguard import config
from panicguard.config import FIELDS, ConfigError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SHIPPED = Path(panicguard.__file__).with_name("panicguard.schema.json")
SCHEMA = json.loads(SHIPPED.read_text("utf-8"))
ROOT = Path(__file__).parent.parent


def test_the_shipped_schema_is_up_to_date_and_well_formed() -> None:
    assert SHIPPED.read_text("utf-8") == schema()
    Draft7Validator.check_schema(SCHEMA)


def test_every_key_is_in_it() -> None:
    lint = SCHEMA["properties"]["lint"]["properties"]
    for key, field in FIELDS.items():
        table, _, name = key.rpartition(".")
        assert name in (lint if table else SCHEMA["properties"])
        assert (name in lint) is (field.lint or bool(table) or f"lint.{name}" in FIELDS)


ACCEPTED = [
    *(f"{key} = {field.example}\n" for key, field in FIELDS.items() if key not in ("extend", "required-version")),
    *(f"lint.{key} = {field.example}\n" for key, field in FIELDS.items() if field.lint),
    *(f"{key} = {field.default}\n" for key, field in FIELDS.items() if field.default),
    'component = "core"\n',
    "extend = []\n",
]
REFUSED = [
    "nope = 1\n",
    "[lint]\nfix = true\n",
    "line-length = 0\n",
    'line-length = "88"\n',
    "strict-spawns = 1\n",
    'select = "PNC1"\n',
    'select = ["PNC999"]\n',
    'output-format = "zzz"\n',
    'runtime-module = "not a module"\n',
    'runtime-module = "1.a"\n',
    'severity = { PNC1 = "bad" }\n',
    'severity = { ZZZ = "info" }\n',
    'per-file-ignores = { "a.py" = "PNC1" }\n',
    "component = 1\n",
    "exclude = [1]\n",
    "per-file-target-version = { a = 3 }\n",
]


@pytest.mark.parametrize("text", [*ACCEPTED, *REFUSED])
def test_the_schema_and_the_program_agree(tmp_path: Path, text: str) -> None:
    (tmp_path / "panicguard.toml").write_text(text)
    accepted = Draft7Validator(SCHEMA).is_valid(tomllib.loads(text))
    try:
        config.load(str(tmp_path / "panicguard.toml"))
    except ConfigError:
        assert not accepted
        assert text in REFUSED
    else:
        assert accepted
        assert text in ACCEPTED


def test_the_configurations_of_this_project_are_valid() -> None:
    samples = [tomllib.loads(path.read_text("utf-8")) for path in (ROOT / "fixtures").rglob("settings.toml")]
    samples.append(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["panicguard"])
    for sample in samples:
        Draft7Validator(SCHEMA).validate(sample)
