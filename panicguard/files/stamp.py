"""What tells that a file has changed, without reading it; and one of the modules of a directory, as one."""

from __future__ import annotations

import functools
import os
import time
from hashlib import blake2b
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Stamp: TypeAlias = "list[int]"
"""The times of a file in nanoseconds, its size in bytes and its inode."""
SETTLED = 2.0
"""Seconds: a file that was changed so recently may change again within one tick of its file system's clock."""
MODULES = f"{os.sep}*.py"
"""What is behind a directory in the name of a group: of its modules, and of those of the packages right in it."""
PACKAGE = "__init__.py"
"""What makes a directory a package."""
_MOST = 500
"""Modules of a group: of a directory with more, those in it alone are one, and of those no more."""


def stamp(path: str) -> Stamp | None:
    """The stamp of a file, or of a group, as it is now; None where there is none."""
    if path.endswith(MODULES):
        return _of_all(modules_in(path))
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return [status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino]


@functools.lru_cache(maxsize=256)
def _at(path: str, _second: int) -> Stamp | None:
    return stamp(path)


def stamp_once_a_second(path: str) -> Stamp | None:
    """The same for a run, in which many ask for the stamp of a group, whose files are many."""
    return _at(path, int(time.monotonic()))


def digest(value: object) -> int:
    """A number of six bytes that stands for a plain value."""
    return int.from_bytes(blake2b(repr(value).encode("utf-8", "surrogatepass"), digest_size=6).digest(), "big")


def modules_in(group: str) -> Sequence[str]:
    """The paths of the modules of a group, sorted."""
    directory = group.removesuffix(MODULES)
    own, inner = [], []
    for entry in _entries(directory):
        if entry.name.endswith(".py"):
            own.append(entry.path)
        elif entry.name.isidentifier() and os.path.isfile(os.path.join(entry.path, PACKAGE)):
            inner.append(entry.path)
    if len(own) + len(inner) <= _MOST:
        more = [entry.path for path in inner for entry in _entries(path) if entry.name.endswith(".py")]
        if len(own) + len(more) <= _MOST:
            own += more
    return sorted(own)[:_MOST]


def _entries(directory: str) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(directory) as entries:
            yield from entries
    except OSError:
        return


def _of_all(paths: Sequence[str]) -> Stamp:
    """The latest times, the sum of the sizes and, in the place of an inode, a digest of the names and stamps."""
    stamps = [(path, *(stamp(path) or (0, 0, 0, 0))) for path in paths]
    mtimes, ctimes, sizes = ([found[at] for found in stamps] for at in (1, 2, 3))
    return [max(mtimes, default=0), max(ctimes, default=0), sum(sizes), digest(stamps)]
