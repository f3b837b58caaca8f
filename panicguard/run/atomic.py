"""Writing a file so that at every moment it is either the old one or the new one, complete."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from panicguard.files.reading import read

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

_DESCRIPTORS = "/proc/self/fd"
"""Where an open file without a name can be given one."""


def replace(path: str, expected: bytes, data: bytes) -> bool:
    """Put `data` in place of `expected`; False, and nothing written, when the file contains something else.

    A symbolic link stays one, and its target is written. Mode, extended attributes (access control lists and labels
    among them) and, where the system allows it, owner and group are kept. A hard link is broken: its other names keep
    the old content, as those who share files by hard links (package caches) need. Two panicguard processes that write
    at once do not lose a change: each holds an advisory lock from reading to replacing; and what an editor saves
    meanwhile is noticed right before the file is replaced. A process that is killed leaves nothing behind where a file
    can be written before it has a name (Linux); elsewhere at most a `.panicguard-*` file.

    Raises OSError when the file cannot be read or written.
    """
    target = Path(os.path.realpath(path))
    with _locked(target):
        status = target.stat()
        if read(str(target)) != expected:
            return False
        if not os.access(target, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        temporary = f"{target.parent}/.panicguard-{os.urandom(8).hex()}"
        try:
            with _new_file(temporary) as out:
                if fcntl is not None:
                    _keep_attributes(target, out.fileno(), status)
                out.write(data)
                out.flush()
                os.fsync(out.fileno())
                if _stamp(target.stat()) != _stamp(status) or read(str(target)) != expected:
                    return False
                if not os.path.exists(temporary):
                    # Only with a directory, which is ignored here, does Python make the system call that follows links.
                    os.link(f"{_DESCRIPTORS}/{out.fileno()}", temporary, src_dir_fd=out.fileno())
                    os.replace(temporary, target)  # at once: who is killed in between leaves the name behind
                    return True
            os.replace(temporary, target)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)
    return True


def _new_file(path: str) -> BinaryIO:
    """A new file to write: without a name if the system can give it one later, else at `path`."""
    if sys.platform == "linux" and os.path.isdir(_DESCRIPTORS):
        with contextlib.suppress(OSError):  # a file system without such files
            return open(os.open(os.path.dirname(path), os.O_TMPFILE | os.O_WRONLY, 0o600), "wb")
    return open(path, "xb")


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock on the file that stands at `path`; there is none on Windows, which cannot replace an open file."""
    if fcntl is None:
        yield
        return
    while True:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        try:
            with contextlib.suppress(OSError):  # a file system without locks
                fcntl.flock(file, fcntl.LOCK_EX)
            # While this waited, the last holder may have put another file there.
            if os.path.samestat(os.fstat(file), path.stat()):
                yield
                return
        finally:
            os.close(file)


def _keep_attributes(old: Path, new: int, status: os.stat_result) -> None:
    """Give an open file the owner, the extended attributes and the mode of another."""
    with contextlib.suppress(OSError):  # only root may give a file away
        os.fchown(new, status.st_uid, status.st_gid)
    if sys.platform == "linux":
        _keep_extended_attributes(old, new)
    os.fchmod(new, stat.S_IMODE(status.st_mode))


def _keep_extended_attributes(old: Path, new: int) -> None:
    try:
        kept = os.listxattr(old)
        inherited = os.listxattr(new)
    except OSError:  # a file system without them
        return
    for name in set(inherited).difference(kept):  # what new files inherit from the directory
        with contextlib.suppress(OSError):
            os.removexattr(new, name)
    for name in kept:
        with contextlib.suppress(OSError):  # some may be set by root only
            os.setxattr(new, name, os.getxattr(old, name))


def _stamp(status: os.stat_result) -> tuple[int, ...]:
    return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size
