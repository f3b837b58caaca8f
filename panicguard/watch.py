"""Waiting until a file changes.

By looking again and again: that sees every file system there is, needs no limit raised, and looks only at the files
that are checked.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from panicguard.settings import discovery

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Stamps = Mapping[str, tuple[int, int, int] | None]
    """Path -> what tells one content from the next; None where there is no such file."""

SECONDS = 0.2
"""Between two looks, at least."""
SHARE = 10
"""One part of so many is what looking may take of a processor's time."""


def stamps(paths: Iterable[str], more: Iterable[str] = ()) -> Stamps:
    """What the files at `paths` are like, and the configuration files that may hold for them, and those of `more`."""
    files = list(paths)
    directories: set[str] = set()
    pending = [os.path.dirname(path) for path in files] or [os.getcwd()]
    while pending:
        directory = pending.pop()
        if directory not in directories:
            directories.add(directory)
            pending.append(os.path.dirname(directory))
    configurations = (
        os.path.join(directory, name) for directory in directories for name in (*discovery.FILES, *discovery.RUFF_FILES)
    )
    return {path: _stamp(path) for path in (*files, *configurations, *more)}


def _stamp(path: str) -> tuple[int, int, int] | None:
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def wait(before: Stamps, look: Callable[[], Stamps]) -> None:
    """Return when `look` sees something else than what was `before`."""
    while True:
        started = time.monotonic()
        now = look()
        if now != before:
            return
        time.sleep(max(SECONDS, SHARE * (time.monotonic() - started)))
