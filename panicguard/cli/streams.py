"""The three standard streams where they are closed, full or broken."""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import BinaryIO

GONE = 141
"""The exit code when nobody reads the output any more: the one that shells give a program killed by SIGPIPE."""


def prepare() -> None:
    """Have all three open, and standard error never fail. `sys.stdin` stays None if there is no standard input.

    Otherwise the next file opened would get the number of a closed stream, and output would be written into it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:  # closed: the null device gets the lowest number that is free, which is this one
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    if sys.stdout is None:
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    if sys.platform == "win32" and sys.stderr is not None:
        return  # a console there is no file
    encoding = "utf-8" if sys.stderr is None else sys.stderr.encoding
    remarks = io.BufferedWriter(_Remarks(2, "w", closefd=False))
    sys.stderr = io.TextIOWrapper(remarks, encoding=encoding, errors="backslashreplace", line_buffering=True)


def standard_input() -> BinaryIO:
    """The bytes of standard input. Raises OSError if it is closed: nothing was checked then, so nothing may pass as
    clean."""
    if sys.stdin is None:
        raise OSError(errno.EBADF, "it is closed", "standard input")
    return sys.stdin.buffer


def finish(code: int) -> int:
    """Write out what standard output still holds; the exit code, a different one if that fails."""
    try:
        sys.stdout.flush()
    except OSError as error:
        return refused(error)
    return code


def refused(error: OSError) -> int:
    """Report that the system refused something that the command needs; the exit code.

    Whatever standard output still holds is dropped if that is what failed: the interpreter would try again at its end.
    """
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    if isinstance(error, BrokenPipeError):
        return GONE
    return failed(_cause(error))


def failed(cause: str) -> int:
    """Report why the command could not do its work; the exit code."""
    from panicguard.report.width import one_line

    sys.stderr.write(f"panicguard failed\n  Cause: {one_line(cause)}\n")
    return 2


def _cause(error: OSError) -> str:
    if error.filename is None and isinstance(error, FileNotFoundError):  # the error of os.getcwd names no file
        return "The current directory does not exist any more"
    where = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, (str, bytes)) else ""
    number = f" (os error {error.errno})" if error.errno else ""
    return f"{where}{error.strerror or error}{number}"


class _Remarks(io.FileIO):
    """Standard error: a remark that cannot be written is lost, but the findings and the exit code are not."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data) or len(data)
        except OSError:
            return len(data)
