"""What the Go modules on the disk say: the version of the language, and where a copy of the runtime is."""

from __future__ import annotations

import functools
import glob
import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from panicguard.settings import Settings

MANIFEST = "MANIFEST"
_TITLE = "mruntime-go "
"""What the manifest of every copy of the runtime begins with."""
_GO_LINE = re.compile(r"^go[ \t]+1\.(\d+)", re.MULTILINE)
_MODULE = re.compile(r"^\s*module\s*\(?\s*[\"`]?([^\s\"`()]+)", re.MULTILINE)
_DECLARED = re.compile(r"^(?:func|type|var|const)[ \t]+(\w+)", re.MULTILINE)
_GROUP = re.compile(r"^(?:type|var|const)[ \t]*\((.*?)^\)", re.MULTILINE | re.DOTALL)
_LISTED = re.compile(r"^\t(\w+)", re.MULTILINE)
_WITHOUT_LINE = "16"
"""The version of a module that names none."""


def adapted(its: Settings, directory: str) -> Settings:
    """The settings as they are for the Go files of a directory: for the version of its module, and without rules in a
    copy of the runtime. Where files are fixed, the names that its package has are known too."""
    if is_runtime_copy(directory):
        return replace(its, enabled=frozenset())
    return _for_package(its, version(directory), declared(directory) if its.fix or its.fix_only else frozenset())


@functools.cache
def _for_package(its: Settings, version: tuple[int, int] | None, names: frozenset[str]) -> Settings:
    return replace(its, go_version=version, go_names=names) if version or names else its


@functools.cache
def version(directory: str) -> tuple[int, int] | None:
    """The version of Go that the module of a directory names; None where it is in no module."""
    text = _text(os.path.join(directory, "go.mod"))
    if text is None:
        parent = os.path.dirname(directory)
        return version(parent) if parent != directory else None
    line = _GO_LINE.search(text)
    return 1, int(line[1] if line else _WITHOUT_LINE)


@functools.cache
def declared(directory: str) -> frozenset[str]:
    """The names that the Go files of a directory declare for all of their package, as they are written: an import
    cannot have one of them."""
    names: set[str] = set()
    for path in glob.glob(os.path.join(glob.escape(directory), "*.go")):
        text = _text(path) or ""
        names.update(_DECLARED.findall(text))
        names.update(name for group in _GROUP.finditer(text) for name in _LISTED.findall(group[1]))
    return frozenset(names)


@functools.cache
def is_runtime_copy(directory: str) -> bool:
    """Whether a directory is a copy of the Go runtime."""
    return (_text(os.path.join(directory, MANIFEST)) or "").startswith(_TITLE)


@functools.cache
def runtime_in(root: str) -> str | None:
    """The path by which a module imports its copy of the runtime: of several the shortest, then the first."""
    name = _MODULE.search(_text(os.path.join(root, "go.mod")) or "")
    if name is None:
        return None
    found = []
    for directory, below, _ in os.walk(root):
        below[:] = [one for one in below if one[0] not in "._" and one not in ("vendor", "testdata", "node_modules")]
        if is_runtime_copy(directory):
            below.clear()
            found.append("/".join((name[1], *os.path.relpath(directory, root).split(os.sep))))
    return min(found, key=lambda path: (path.count("/"), len(path), path), default=None)


def forget() -> None:
    """Look at the disk again."""
    for cache in (_for_package, version, declared, is_runtime_copy, runtime_in):
        cache.cache_clear()


def _text(path: str) -> str | None:
    """The text of a file, if there is one."""
    if not os.path.isfile(path):
        return None
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return None
