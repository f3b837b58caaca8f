"""Lines in the log, and on file descriptor 2 where there is no log."""

from __future__ import annotations

import contextlib
import logging
import os
import select
import sys
from typing import Any

SILENCED = "silenced by its level or a filter"


def write_line(text: str) -> None:
    """One line to file descriptor 2, or nothing: it never raises and does not wait for a full pipe."""
    line = text.replace("\r", "\\r").replace("\n", "\\n")
    with contextlib.suppress(BaseException):
        if stderr_ready():
            os.write(2, line.encode("utf-8", "backslashreplace")[:2047] + b"\n")


def stderr_ready() -> bool:
    """False if a write to file descriptor 2 would block or fail, or if that was closed when Python started: then it is
    by now some file of the program's."""
    if sys.__stderr__ is None:
        return False
    if not hasattr(select, "poll"):
        return True
    try:
        poll = select.poll()
        poll.register(2, select.POLLOUT)
        return any(event & select.POLLOUT for _, event in poll.poll(100))
    except Exception:
        return False


def _usable(handler: logging.Handler | None, level: int) -> bool:
    if handler is None or level < handler.level:
        return False
    if not isinstance(handler, logging.StreamHandler):
        return True
    if isinstance(handler, logging.FileHandler):
        return True
    try:
        stream = handler.stream
        return stream is not None and not getattr(stream, "closed", False)
    except Exception:
        return False


def _heard(logger: logging.Logger, level: int) -> bool:
    """Whether some handler will write a record of this level."""
    at: logging.Logger | None = logger
    found = False
    while at is not None:
        found = found or bool(at.handlers)
        if any(_usable(handler, level) for handler in at.handlers):
            return True
        at = at.parent if at.propagate else None
    return not found and _usable(logging.lastResort, level)


def emit(logger: Any, level: int, exc: object, message: str, extra: dict[str, Any]) -> str:
    """Log it; "" or why it was not logged."""
    if logger is None:
        logger = logging.getLogger("mruntime")
    if not isinstance(logger, logging.Logger):
        if type(logger).__module__.partition(".")[0] == "loguru":
            # It would take the braces of a value for fields.
            message = message.replace("{", "{{").replace("}", "}}")
        (logger.critical if level >= logging.CRITICAL else logger.error)(message, extra=extra)
        return ""
    # Not `isEnabledFor`: a `dictConfig` after the first panic disables every logger that it does not name.
    if logger.manager.disable >= level or level < logger.getEffectiveLevel():
        return SILENCED
    path, line, func = "(unknown)", 0, None
    tb = exc.__traceback__ if isinstance(exc, BaseException) else None
    while tb is not None:
        code = tb.tb_frame.f_code
        path, line, func = code.co_filename, tb.tb_lineno, code.co_name
        tb = tb.tb_next
    record = logger.makeRecord(logger.name, level, path, line, message, (), None, func, extra)
    kept: Any = logger.filter(record)
    if not kept:
        return SILENCED
    if not _heard(logger, level):
        return "no usable handler"
    # What formatters put behind the message: in `exc_info` it would hold the frames of the panic.
    record.exc_text = extra["stack_trace"].rstrip("\n")
    logger.callHandlers(kept if isinstance(kept, logging.LogRecord) else record)
    return ""


def note(level: int, message: str) -> None:
    """Log a line that is no panic. Never raises."""
    with contextlib.suppress(BaseException):
        logging.getLogger("mruntime").log(level, "%s", message)
