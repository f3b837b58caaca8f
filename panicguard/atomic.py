"""Writing a file so that it is at every moment the old one or the new one, whole."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Iterator


def replace(path: str, expected: bytes, data: bytes) -> bool:
    """Put `data` in place of `expected`; False, and nothing written, when the file holds something else.

    A symbolic link stays one, and its target is written. Mode and, where the system allows it, owner and
    group are kept. A hard link is broken: its other names keep the old content, as those who share files
    by hard links (package caches) need. Two writers at once do not lose a change: each holds an advisory
    lock from reading to replacing. A killed process leaves at most a `.panicguard-*` file behind.

    Raises OSError when the file cannot be read or written.
    """
    target = Path(os.path.realpath(path))
    with _held(target) as (content, status):
        if content != expected:
            return False
        if not os.access(target, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        temporary = target.with_name(f".panicguard-{os.urandom(8).hex()}")
        try:
            with temporary.open("xb") as out:
                if fcntl is not None:
                    with contextlib.suppress(OSError):  # only root may give a file away
                        os.fchown(out.fileno(), status.st_uid, status.st_gid)
                    os.fchmod(out.fileno(), stat.S_IMODE(status.st_mode))
                out.write(data)
                out.flush()
                os.fsync(out.fileno())
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    return True


@contextlib.contextmanager
def _held(path: Path) -> Iterator[tuple[bytes, os.stat_result]]:
    """The content and status of the file that stands at `path` once the lock on it is held."""
    while True:
        with path.open("rb") as file:
            if fcntl is not None:
                with contextlib.suppress(OSError):  # a file system without locks
                    fcntl.flock(file, fcntl.LOCK_EX)
            status = os.fstat(file.fileno())
            # While this waited, the last holder may have put another file there.
            if not os.path.samestat(status, path.stat()):
                continue
            content = file.read()
            if fcntl is None:
                file.close()  # Windows replaces no open file
            yield content, status
            return
