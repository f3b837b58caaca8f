"""The one way in which files are read: regular files only, and of a bounded size, so that every read ends."""

from __future__ import annotations

import errno
import os
import stat

SOURCE = 256 * 1024 * 1024
"""Bytes: the most that a source, a notebook, a baseline or a file of the cache may have."""
SETTINGS = 1024 * 1024
"""Bytes: the most that a configuration file, an ignore file or a go.mod may have."""
_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)  # a pipe that was put there since the first look must not block
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_BINARY", 0)
)


def read(path: str, most: int = SOURCE) -> bytes:
    """The bytes of a regular file.

    Raises OSError where it cannot be read, where it is a directory, a pipe, a socket or a device, and where it has more
    than `most` bytes; ValueError where the path has a null byte.
    """
    _check(path, os.stat(path))  # before it is opened: opening a device may activate it
    descriptor = os.open(path, _FLAGS)
    try:
        status = os.fstat(descriptor)
        _check(path, status)
        if status.st_size > most:
            raise _too_large(path, most)
        # A file of a virtual file system claims to be empty, and is read to its end anyway.
        data = _read(path, descriptor, status.st_size + 1)
        while len(data) > status.st_size or (data and status.st_size > len(data)):
            more = _read(path, descriptor, 65536)
            if not more:
                break
            data += more
            if len(data) > most:
                break
    finally:
        os.close(descriptor)
    if len(data) > most:
        raise _too_large(path, most)
    return data


def is_irregular(path: str) -> bool:
    """Whether a pipe, a socket or a device stands at a path.

    False if nothing can be found there, and for the null device, which often stands for an empty file.
    """
    try:
        _check(path, os.stat(path))
    except OSError as error:
        return error.errno == errno.EINVAL and not os.path.samefile(path, os.devnull)
    except ValueError:  # a null byte
        return False
    return False


def _read(path: str, descriptor: int, size: int) -> bytes:
    try:
        return os.read(descriptor, size)
    except BlockingIOError as error:  # a virtual file that has no data yet
        raise OSError(error.errno, error.strerror, path) from None


def _too_large(path: str, most: int) -> OSError:
    return OSError(errno.EFBIG, f"Larger than {most // 1024 // 1024} MiB", path)


def _check(path: str, status: os.stat_result) -> None:
    """Raise OSError for what is not regular; reading a directory fails with its own error."""
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
        raise OSError(errno.EINVAL, "Not a regular file", path)
