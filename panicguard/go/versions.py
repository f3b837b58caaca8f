"""Which version of Go a file is for."""

from __future__ import annotations

import re
from typing import TypeAlias

NEWEST = (1, 99)
_BUILD = re.compile(r"^//go:build[ \t]+(?P<constraint>[^\r\n]*)", re.MULTILINE)
_PACKAGE = re.compile(r"^package\b", re.MULTILINE)
_ATOM = re.compile(r"\|\||&&|!|\(|\)|[\w.]+")
_RELEASE = re.compile(r"go1\.(\d+)")
_LEAST = (1, 21)
"""No constraint selects an older language."""

Version: TypeAlias = "tuple[int, int]"


def build_version(text: str) -> Version | None:
    """The version that the `//go:build` line of a file implies: `go1.21 && !windows` does, `go1.21 || linux` not."""
    line = _BUILD.search(text)
    package = _PACKAGE.search(text)
    if line is None or (package is not None and package.start() < line.start()):
        return None
    atoms = _ATOM.findall(line["constraint"])
    implied, _ = _either(atoms, 0)
    return max(implied, _LEAST) if implied is not None else None


def _either(atoms: list[str], at: int) -> tuple[Version | None, int]:
    version, at = _both(atoms, at)
    while at < len(atoms) and atoms[at] == "||":
        other, at = _both(atoms, at + 1)
        version = min(version, other) if version is not None and other is not None else None
    return version, at


def _both(atoms: list[str], at: int) -> tuple[Version | None, int]:
    version, at = _atom(atoms, at)
    while at < len(atoms) and atoms[at] == "&&":
        other, at = _atom(atoms, at + 1)
        version = max((candidate for candidate in (version, other) if candidate is not None), default=None)
    return version, at


def _atom(atoms: list[str], at: int) -> tuple[Version | None, int]:
    if at >= len(atoms):
        return None, at
    if atoms[at] == "!":
        _, at = _atom(atoms, at + 1)
        return None, at
    if atoms[at] == "(":
        version, at = _either(atoms, at + 1)
        return version, at + 1
    release = _RELEASE.fullmatch(atoms[at])
    return ((1, int(release[1])) if release else None), at + 1
