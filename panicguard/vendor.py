"""Copying the runtime into a project."""

from __future__ import annotations

import filecmp
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

RUNTIME = Path(__file__).parent / "mruntime"


class VendorError(Exception):
    """The copy cannot be made; the message says why and what to do."""


def vendor(destination: Path, name: str = "mruntime", *, force: bool = False) -> Path:
    """Copy the runtime to `destination/name`, byte for byte, with its licence; the package's directory.

    Raises VendorError when something else is there already, unless `force` is set, or the name is no package name.
    """
    if not name.isidentifier():
        raise VendorError(f"`{name}` is no name for a package")
    target = destination / name
    if target.exists() and not force:
        changed = sorted(_differences(target))
        if changed:
            listed = ", ".join(changed[:5])
            raise VendorError(f"`{target}` is there and differs ({listed}); `--force` overwrites it")
    target.mkdir(parents=True, exist_ok=True)
    for file in _files(RUNTIME):
        copy = target / file
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(RUNTIME / file, copy)
    return target


def _files(package: Path) -> Iterator[str]:
    for path in sorted(package.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path.relative_to(package).as_posix()


def _differences(target: Path) -> Iterator[str]:
    """The files in which a copy differs from the runtime, by name."""
    if not target.is_dir():
        yield target.name
        return
    here, there = set(_files(RUNTIME)), set(_files(target))
    yield from here ^ there
    yield from (f for f in here & there if not filecmp.cmp(RUNTIME / f, target / f, shallow=False))
