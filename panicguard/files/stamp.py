"""What tells that a file has changed, without reading it."""

from __future__ import annotations

import os
from typing import TypeAlias

Stamp: TypeAlias = "list[int]"
"""The times of a file in nanoseconds, its size in bytes and its inode."""


def stamp(path: str) -> Stamp | None:
    """The stamp of a file as it is now; None where there is none."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return [status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino]
