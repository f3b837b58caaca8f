"""The stack of an exception in words."""

from __future__ import annotations

import sys
import traceback
from typing import Any

MAX_FRAMES = 64
MAX_CHARS = 4096
MAX_KNOWN = 256

_KNOWN: dict[tuple[Any, ...], str | None] = {}
"""Where a frame is and what stands there -> its lines. What fails often does so in few places, and to find out what
to underline in a line, Python compiles that each time."""


class _Frames(traceback.StackSummary):
    """The frames of one traceback."""

    if sys.version_info >= (3, 11):

        def format_frame_summary(self, frame_summary: traceback.FrameSummary, **its: Any) -> Any:
            """The lines of one frame."""
            at = frame_summary
            key = (at.filename, at.lineno, at.end_lineno, at.colno, at.end_colno, at.name, at.line)
            lines = _KNOWN.get(key)
            if lines is None:
                if len(_KNOWN) >= MAX_KNOWN:
                    _KNOWN.clear()
                lines = _KNOWN[key] = super().format_frame_summary(frame_summary, **its)
            return lines


def place_of(exc: object) -> str:
    """Where it was raised, `module.function:line`; "" for what is no exception, or was not raised. Never raises."""
    try:
        tb = exc.__traceback__ if isinstance(exc, BaseException) else None
        if tb is None:
            return ""
        while tb.tb_next is not None:
            tb = tb.tb_next
        return f"{tb.tb_frame.f_globals.get('__name__')}.{tb.tb_frame.f_code.co_name}:{tb.tb_lineno}"
    except BaseException:
        return ""


def stack_of(exc: object) -> str:
    """The last 64 frames of an exception and of those that it came from.

    "" for what is no exception. Never raises.
    """
    if not isinstance(exc, BaseException):
        return ""
    try:
        if isinstance(exc, MemoryError):
            # The frames hold what used the memory up.
            traceback.clear_frames(exc.__traceback__)
        said: Any = traceback.TracebackException(type(exc), exc, exc.__traceback__, limit=-MAX_FRAMES, compact=True)
        todo = [said]
        while todo:
            one = todo.pop()
            if one is not None:
                one.stack = _Frames(one.stack or ())
                todo += (one.__cause__, one.__context__, *(getattr(one, "exceptions", None) or ()))
        return "".join(said.format())
    except BaseException as error:
        return f"<no stack: {type(error).__name__}>"
