"""Where configuration files are: the closest above a directory, the user's own, and Ruff's beside them."""

from __future__ import annotations

import functools
import os
import sys
from typing import TYPE_CHECKING, NamedTuple

from panicguard.config import toml
from panicguard.config.errors import ConfigError
from panicguard.files.reading import SETTINGS, is_irregular, read
from panicguard.report.width import one_line
from panicguard.settings import CONFIG_FILES

if TYPE_CHECKING:
    from collections.abc import Callable

RUFF_FILES = (".ruff.toml", "ruff.toml", "pyproject.toml")


class ConfigFiles(NamedTuple):
    """The configuration file that applies to a directory, and Ruff's beside it, which panicguard's inherits from.

    `root` is where relative patterns start from; None: each from the directory of the file it stands in. `named`: the
    user chose the file, not the author of the project. `black` is the closest pyproject.toml that is about Black.
    """

    path: str | None
    ruff: str | None
    root: str | None
    named: bool = False
    black: str | None = None


def find(directory: str, cwd: str) -> ConfigFiles:
    """The closest configuration file, else the user's own, and the closest one of Ruff. Raises ConfigError."""
    path = nearest(directory)
    black = _closest(directory, black_file)
    if path is not None:
        return ConfigFiles(path, ruff_file(os.path.dirname(path)), None, black=black)
    return ConfigFiles(_users_file(), _closest(directory, ruff_file), cwd, named=True, black=black)


def named_file(path: str, root: str | None = None) -> ConfigFiles:
    """A configuration file that is named instead of searched for."""
    path = os.path.abspath(path)
    directory = os.path.dirname(path)
    return ConfigFiles(path, ruff_file(directory), root, named=True, black=_closest(directory, black_file))


def nearest(directory: str) -> str | None:
    """The configuration file in a directory, or the closest above. Raises ConfigError."""
    return _closest(directory, own_file)


def _users_file() -> str | None:
    home = os.environ.get("APPDATA") if sys.platform == "win32" else os.environ.get("XDG_CONFIG_HOME")
    return own_file(os.path.join(home or os.path.expanduser("~/.config"), "panicguard"), named=True)


@functools.cache
def own_file(directory: str, *, named: bool = False) -> str | None:
    """The configuration file in a directory, remembered until `forget`; `named` as in ConfigFiles.

    Raises ConfigError if a pyproject.toml that may be about panicguard is not valid TOML, and if one is neither a file
    nor a directory: reading it might never end.
    """
    for name in CONFIG_FILES:
        path = os.path.join(directory, name)
        if os.path.isfile(path):
            if name != "pyproject.toml" or _has_table(path, None if named else directory):
                return path
        elif is_irregular(path):
            raise ConfigError(f"Failed to load configuration `{one_line(path)}`", "Not a regular file")
    return None


@functools.cache
def ruff_file(directory: str) -> str | None:
    """Ruff's configuration file in a directory, remembered until `forget`."""
    for name in RUFF_FILES:
        path = os.path.join(directory, name)
        if os.path.isfile(path) and (name != "pyproject.toml" or mentions(path, b"tool.ruff")):
            return path
    return None


@functools.cache
def black_file(directory: str) -> str | None:
    """The pyproject.toml in a directory, if it is about Black: remembered until `forget`."""
    path = os.path.join(directory, "pyproject.toml")
    return path if os.path.isfile(path) and mentions(path, b"tool.black") else None


def forget() -> None:
    """Forget what was found: a configuration file may have been added or removed."""
    own_file.cache_clear()
    ruff_file.cache_clear()
    black_file.cache_clear()


def _closest(directory: str, own: Callable[[str], str | None]) -> str | None:
    while (found := own(directory)) is None:
        parent = os.path.dirname(directory)
        if parent == directory:
            return None
        directory = parent
    return found


def _has_table(path: str, within: str | None) -> bool:
    # Most projects' pyproject.toml does not mention panicguard, and importing tomllib takes longer than finding out.
    return mentions(path, b"panicguard") and toml.read(path, within).tool("panicguard") is not None


def mentions(path: str, *words: bytes) -> bool:
    """Whether a file contains one of the words; otherwise its TOML need not be parsed."""
    try:
        text = read(path, SETTINGS)
    except OSError:
        return False
    return any(word in text for word in words)
