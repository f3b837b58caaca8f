"""Copies of the runtime for Python: whether a directory is one, and where a project has its own."""

from __future__ import annotations

import functools
import os

from panicguard.files.reading import SETTINGS, read
from panicguard.settings import CONFIG_FILES, EXCLUDE

MARKER = b"__mruntime__ = "
"""What the `__init__.py` of every copy of the runtime contains."""
PART = "_panic.py"
"""A module of every copy: looking for it takes less time than reading every `__init__.py`."""


@functools.cache
def is_runtime_copy(directory: str) -> bool:
    """Whether the files of a directory are a vendored copy of the runtime."""
    return os.path.isfile(os.path.join(directory, PART)) and _has_marker(os.path.join(directory, "__init__.py"))


@functools.cache
def runtime_in(root: str) -> str | None:
    """The dotted name of the copy of the runtime in a project: of several, the shortest, then the first.

    A directory that does not look like a project's is not searched: it may be the root of everything.
    """
    if not any(os.path.exists(os.path.join(root, name)) for name in (*CONFIG_FILES, ".git", "setup.py")):
        return None
    copies: list[str] = []
    pending = [root]
    while pending:
        directory = pending.pop()
        try:
            with os.scandir(directory) as scan:
                entries = list(scan)
        except OSError:
            continue
        if any(entry.name == PART for entry in entries) and is_runtime_copy(directory):
            copies.append(dotted(directory))
        else:
            pending.extend(entry.path for entry in entries if _is_searched(entry))
    return min(copies, key=lambda name: (name.count("."), len(name), name), default=None)


_NOT_SEARCHED = frozenset((*EXCLUDE, "__pycache__"))


def _is_searched(entry: os.DirEntry[str]) -> bool:
    return entry.name[0] != "." and entry.name not in _NOT_SEARCHED and entry.is_dir(follow_symlinks=False)


def _has_marker(path: str) -> bool:
    try:
        return MARKER in read(path, SETTINGS)
    except OSError:
        return False


def dotted(directory: str) -> str:
    """The name a package is imported by: from the nearest directory above that is not a package."""
    parts = [os.path.basename(directory)]
    parent = os.path.dirname(directory)
    while os.path.isfile(os.path.join(parent, "__init__.py")):
        parts.append(os.path.basename(parent))
        parent = os.path.dirname(parent)
    return ".".join(reversed(parts))
