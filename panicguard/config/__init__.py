"""Configuration: one frozen value, from panicguard.toml or [tool.panicguard] in pyproject.toml.

fields      the keys, in one table, and the Settings
selectors   codes, prefixes and names, and how layers of them are resolved
toml        a document, and errors that point at a place in it
keys        the keys of one file or of the command line, checked
discovery   where the files are
chain       the keys that apply to a file: its own, those it extends, Ruff's
resolve     from these keys to the Settings
describe    all of it in words, for `panicguard config` and `--show-settings`
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from panicguard.config import chain, discovery
from panicguard.config.chain import Chain
from panicguard.config.discovery import forget, nearest
from panicguard.config.errors import ConfigError
from panicguard.config.fields import FIELDS
from panicguard.config.keys import Keys, flags, override
from panicguard.config.resolve import resolve

if TYPE_CHECKING:
    from collections.abc import Iterable

    from panicguard.settings import Settings

__all__ = [
    "FIELDS",
    "Chain",
    "ConfigError",
    "Keys",
    "default",
    "flags",
    "forget",
    "load",
    "nearest",
    "override",
    "resolve",
]


def load(path: str) -> Settings:
    """The settings of one configuration file and of what it extends. Raises ConfigError."""
    return resolve(chain.of(discovery.named_file(path)))


def default(root: str, overrides: Iterable[str] = ()) -> Settings:
    """The settings where there is no configuration file, with each `key = value` over them. Raises ConfigError."""
    return resolve(Chain(tuple(override(text, os.getcwd()) for text in overrides), root))
