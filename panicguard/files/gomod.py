"""What the Go modules on the disk say: the version of the language, where a copy of the runtime is, and which names a
package has."""

from __future__ import annotations

import functools
import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from panicguard.files.reading import SETTINGS, SOURCE, read

if TYPE_CHECKING:
    from panicguard.settings import Settings

_FILE = "go.mod"
MANIFEST = "MANIFEST"
_TITLE = "mruntime-go "
"""What the manifest of every copy of the runtime begins with."""
_GO_LINE = re.compile(r"^go[ \t]+1\.(\d+)", re.MULTILINE)
_MODULE = re.compile(r"^[ \t]*module\s*\(?\s*[\"`]?([^\s\"`()]+)", re.MULTILINE)
_DECLARED = re.compile(r"^(?:func|type|var|const)[ \t]+(\w+)", re.MULTILINE)
_GROUP = re.compile(r"^(?:type|var|const)[ \t]*\((.*?)^\)", re.MULTILINE | re.DOTALL)
_LISTED = re.compile(r"^\t(\w+)", re.MULTILINE)
Stamp: TypeAlias = "tuple[int, int, int]"
"""What tells that a file has changed."""
_WITHOUT_LINE = "16"
"""The version of a module that names none."""


def adapted(its: Settings, directory: str) -> Settings:
    """The settings as they are for the Go files of a directory: for the version of its module, with the copy of the
    runtime there, and without rules in that copy."""
    if is_runtime_copy(directory):
        return replace(its, enabled=frozenset())
    root = _root(directory)
    return its if root is None else _for_module(its, root)


@functools.cache
def _for_module(its: Settings, root: str) -> Settings:
    return replace(its, go_version=_version(root), go_runtime=its.go_runtime or _runtime_in(root))


@functools.cache
def _root(directory: str) -> str | None:
    """The root of the module that a directory belongs to: where the nearest go.mod is; None where there is none."""
    if os.path.isfile(os.path.join(directory, _FILE)):
        return directory
    parent = os.path.dirname(directory)
    return _root(parent) if parent != directory else None


def _version(root: str) -> tuple[int, int]:
    """The version of Go that a module names."""
    line = _GO_LINE.search(_text(os.path.join(root, _FILE)) or "")
    return 1, int(line[1] if line else _WITHOUT_LINE)


def declared_beside(path: str) -> frozenset[str]:
    """The names that the other Go files of a file's directory declare for all of their package, as they are written on
    the disk now: an import cannot have one of them."""
    return frozenset().union(*(_declared_in(other, stamp) for other, stamp in beside(path)))


def beside(path: str) -> list[tuple[str, Stamp]]:
    """The other Go files of a file's directory, each with what tells that it has changed."""
    directory, name = os.path.split(path)
    try:
        with os.scandir(directory) as scan:
            others = sorted(entry.path for entry in scan if entry.name.endswith(".go") and entry.name != name)
    except OSError:
        return []
    return [(other, stamp) for other in others if (stamp := _stamp(other)) is not None]


@functools.lru_cache(maxsize=4096)
def _declared_in(path: str, stamp: Stamp) -> frozenset[str]:
    """The names that a file declares. The stamp makes it be read again once it has changed."""
    text = text_of(path)
    return frozenset((*_DECLARED.findall(text), *(n for group in _GROUP.findall(text) for n in _LISTED.findall(group))))


def text_of(path: str) -> str:
    """The text of a Go file; "" if it cannot be read."""
    return _text(path, SOURCE) or ""


def _stamp(path: str) -> Stamp | None:
    """What tells that a file has changed."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


@functools.cache
def is_runtime_copy(directory: str) -> bool:
    """Whether a directory is a copy of the Go runtime."""
    return (_text(os.path.join(directory, MANIFEST)) or "").startswith(_TITLE)


@functools.cache
def _runtime_in(root: str) -> str | None:
    """The path by which a module imports its copy of the runtime: of several the shortest, then the first."""
    name = _MODULE.search(_text(os.path.join(root, _FILE)) or "")
    if name is None:
        return None
    copies = []
    for directory, below, files in os.walk(root):
        below[:] = [one for one in below if one[0] not in "._" and one not in ("vendor", "testdata", "node_modules")]
        if _FILE in files and directory != root:
            below.clear()  # another module
        elif is_runtime_copy(directory):
            below.clear()
            copies.append("/".join((name[1], *os.path.relpath(directory, root).split(os.sep))))
    return min(copies, key=lambda path: (path.count("/"), len(path), path), default=None)


def forget() -> None:
    """Look at the disk again."""
    for cache in (_for_module, _root, _declared_in, is_runtime_copy, _runtime_in):
        cache.cache_clear()


def _text(path: str, most: int = SETTINGS) -> str | None:
    """The text of a file, if there is one."""
    try:
        return read(path, most).decode(errors="replace")
    except OSError:
        return None
