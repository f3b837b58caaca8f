"""What the Go modules on the disk declare: the version of the language, where a copy of the runtime is, and which names
a package has."""

from __future__ import annotations

import functools
import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING

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
_WITHOUT_LINE = "16"
"""The version of a module that does not name one."""


def adapted(settings: Settings, directory: str) -> Settings:
    """The settings adapted to the Go files of a directory: the version of its module, the copy of the runtime there,
    and no rules in that copy. Where files are fixed, the names that a package has are known too."""
    if is_runtime_copy(directory):
        return replace(settings, enabled=frozenset())
    return _for_package(
        settings, _root(directory), declared(directory) if settings.fix or settings.fix_only else frozenset()
    )


@functools.cache
def _for_package(settings: Settings, root: str | None, names: frozenset[str]) -> Settings:
    if root is None:
        return replace(settings, go_names=names) if names else settings
    return replace(
        settings, go_version=_version(root), go_runtime=settings.go_runtime or _runtime_in(root), go_names=names
    )


@functools.cache
def _root(directory: str) -> str | None:
    """The root of the module that a directory belongs to: where the nearest go.mod is; None if there is no go.mod."""
    if os.path.isfile(os.path.join(directory, _FILE)):
        return directory
    parent = os.path.dirname(directory)
    return _root(parent) if parent != directory else None


def _version(root: str) -> tuple[int, int]:
    """The version of Go that a module names."""
    line = _GO_LINE.search(_text(os.path.join(root, _FILE)) or "")
    return 1, int(line[1] if line else _WITHOUT_LINE)


@functools.cache
def declared(directory: str) -> frozenset[str]:
    """The names that the Go files of a directory declare for the whole package, by their text: an import cannot have
    one of these names."""
    files = [name for name in os.listdir(directory) if name.endswith(".go")] if os.path.isdir(directory) else []
    names: set[str] = set()
    for file in files:
        text = _text(os.path.join(directory, file), SOURCE) or ""
        names.update(_DECLARED.findall(text))
        names.update(name for group in _GROUP.finditer(text) for name in _LISTED.findall(group[1]))
    return frozenset(names)


@functools.cache
def is_runtime_copy(directory: str) -> bool:
    """Whether a directory is a copy of the Go runtime."""
    return (_text(os.path.join(directory, MANIFEST)) or "").startswith(_TITLE)


@functools.cache
def _runtime_in(root: str) -> str | None:
    """The path by which a module imports its copy of the runtime: of several, the shortest, then the first."""
    module = _MODULE.search(_text(os.path.join(root, _FILE)) or "")
    if module is None:
        return None
    copies = []
    for directory, below, files in os.walk(root):
        below[:] = [
            name for name in below if name[0] not in "._" and name not in ("vendor", "testdata", "node_modules")
        ]
        if _FILE in files and directory != root:
            below.clear()  # another module
        elif is_runtime_copy(directory):
            below.clear()
            copies.append("/".join((module[1], *os.path.relpath(directory, root).split(os.sep))))
    return min(copies, key=lambda path: (path.count("/"), len(path), path), default=None)


def forget() -> None:
    """Forget what was read: look at the disk again."""
    for cache in (_for_package, _root, declared, is_runtime_copy, _runtime_in):
        cache.cache_clear()


def _text(path: str, most: int = SETTINGS) -> str | None:
    """The text of a file, if there is one."""
    try:
        return read(path, most).decode(errors="replace")
    except OSError:
        return None
