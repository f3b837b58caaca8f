"""From an exception to one count, one log record and what observers make of it."""

from __future__ import annotations

import builtins
import contextlib
import logging
import opcode
import os
import select
import time
import traceback
from asyncio import CancelledError
from concurrent.futures import CancelledError as PoolCancelledError
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from ._context import current_context, own
from ._policy import crashes
from ._redact import REDACTED, redact
from ._state import STATE, count_panic

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from ._context import Context

MAX_FRAMES = 64
MAX_CHARS = 4096
REPORTED = "__mruntime_reported__"
GROUP: type[BaseException] | tuple[()] = getattr(builtins, "BaseExceptionGroup", ())
RAISE = opcode.opmap["RAISE_VARARGS"]

CLEAN = "clean"
PANIC = "panic"
EXIT = "exit"
PASS = "pass"


class PanicError(Exception):
    """What an error reporter gets for a panic value that is no exception, and in production mode."""


class PanicInfo(NamedTuple):
    """A panic in words, secrets taken out: it holds no exception, so it keeps no frame alive."""

    type: str
    """The class, with its module unless that is `builtins`."""
    value: str
    stack: str
    """The last 64 frames, at most 4096 characters of it, from the end."""
    component: str
    name: str
    policy: str
    time: float
    """Seconds since the epoch."""


class ErrorReporter(Protocol):
    """Where panics are sent besides the log: an error tracker."""

    def capture_exception(self, ctx: Context, exc: BaseException, tags: Mapping[str, str], /) -> object:
        """`tags`: `component`, `goroutine_name`, `panic_type` and `stack_trace`."""


def set_error_reporter(reporter: ErrorReporter | None) -> None:
    """Send every panic to it as well, or to none any more. TypeError if it cannot capture exceptions."""
    if reporter is not None and not callable(getattr(reporter, "capture_exception", None)):
        raise TypeError(f"an error reporter has capture_exception(ctx, exc, tags); {type(reporter).__name__} has not")
    STATE.reporter = reporter


def observe_panics(observer: Callable[[PanicInfo, object], object]) -> Callable[[], None]:
    """Call it with each panic, where that was raised, and with the exception; returns what takes it back."""
    key = object()
    with STATE.lock:
        STATE.observers[key] = observer

    def undo() -> None:
        with STATE.lock:
            STATE.observers.pop(key, None)

    return undo


def write_line(text: str) -> None:
    """One line to file descriptor 2, or nothing: it never raises and does not wait for a full pipe."""
    line = text.replace("\r", "\\r").replace("\n", "\\n")
    with contextlib.suppress(BaseException):
        if stderr_ready():
            os.write(2, line.encode("utf-8", "backslashreplace")[:2047] + b"\n")


def stderr_ready() -> bool:
    """False if a write to file descriptor 2 would block or fail."""
    if not hasattr(select, "poll"):
        return True
    try:
        poll = select.poll()
        poll.register(2, select.POLLOUT)
        return any(event & select.POLLOUT for _, event in poll.poll(100))
    except Exception:
        return False


def describe(exc: object) -> str:
    """The type of it, in words."""
    cls = type(exc)
    try:
        module = cls.__module__
        return cls.__qualname__ if module == "builtins" else f"{module}.{cls.__qualname__}"
    except BaseException:
        return "<unknown type>"


def _value(exc: object) -> str:
    try:
        return (str(exc) or repr(exc))[:MAX_CHARS]
    except BaseException:
        return f"<unprintable {type(exc).__name__}>"


def _stack(exc: object) -> str:
    if not isinstance(exc, BaseException):
        return ""
    try:
        if isinstance(exc, MemoryError):
            # The frames hold what used the memory up.
            traceback.clear_frames(exc.__traceback__)
        lines = traceback.format_exception(type(exc), exc, exc.__traceback__, limit=-MAX_FRAMES)
        return "".join(lines)[-MAX_CHARS:]
    except BaseException as error:
        return f"<no stack: {type(error).__name__}>"


def code_of(exc: BaseException) -> int | None:
    """The exit status a SystemExit asks for: None for success, 0 if it is not one from 1 to 255."""
    code = getattr(exc, "code", None)
    if code is None or code == 0:
        return None
    return code if isinstance(code, int) and 1 <= code <= 255 else 0


def leaves(exc: BaseException) -> list[BaseException]:
    """The exceptions in a group, however deep; of any other exception itself."""
    found: list[BaseException] = []
    todo: list[BaseException] = [exc]
    while todo:
        one = todo.pop()
        # Not asked of any other exception, whose __getattr__ may raise.
        inner = getattr(one, "exceptions", None) if isinstance(one, GROUP) else None
        if isinstance(inner, tuple):
            todo.extend(inner)
        else:
            found.append(one)
    return found


def classify(exc: BaseException, ctx: object, *, task: bool) -> str:
    """What leaving the spawned body with `exc` is, in a task or else in a thread.

    `clean`: not worth a report; `panic`; `exit`: SystemExit in a task; `pass`: for the interpreter alone.
    """
    kinds = {_kind(leaf, ctx, task) for leaf in leaves(exc)}
    for kind in (PANIC, EXIT, PASS):
        if kind in kinds:
            return kind
    return CLEAN


def _kind(exc: BaseException, ctx: object, task: bool) -> str:
    if getattr(type(exc), "__mruntime_canceled__", False):
        return CLEAN if own(ctx).err() is not None else PANIC
    if isinstance(exc, (CancelledError, PoolCancelledError)):
        return CLEAN if task or own(ctx).err() is not None else PANIC
    if isinstance(exc, SystemExit):
        if task:
            return EXIT
        return CLEAN if code_of(exc) is None else PANIC
    if task and isinstance(exc, (KeyboardInterrupt, GeneratorExit)):
        return PASS
    return PANIC


def was_reported(exc: object) -> bool:
    """Whether this very panic was reported before, by the task whose waiter is failing now, say."""
    if not isinstance(exc, BaseException):
        return False
    parts = leaves(exc)
    if parts != [exc] and not hasattr(exc, REPORTED):
        return all(was_reported(part) for part in parts)
    head = getattr(exc, REPORTED, None)
    above: set[int] = set()
    anew = False
    tb = exc.__traceback__
    while tb is not None and id(tb) != head:
        above.add(id(tb.tb_frame))
        after = tb.tb_next
        # An exception object kept and raised again, `raise ERROR`, is a new panic though its traceback goes on
        # with the old one. Where it goes on in a frame that is above too, an `except` clause handed it on.
        if after is not None and (id(after) == head or id(after.tb_frame) not in above):
            anew = anew or _raises(tb)
        tb = after
    if head is None or (tb is None and exc.__traceback__ is not None):
        return False
    return not anew


def _raises(tb: TracebackType) -> bool:
    """Whether this entry is a `raise` of something, and not of a future that hands on what it holds."""
    code = tb.tb_frame.f_code.co_code
    at = tb.tb_lasti
    module = str(tb.tb_frame.f_globals.get("__name__"))
    if module.startswith(("asyncio.", "concurrent.futures.")):
        return False
    return 0 <= at < len(code) - 1 and code[at] == RAISE and bool(code[at + 1])


def _mark(exc: object) -> None:
    if isinstance(exc, BaseException):
        with contextlib.suppress(Exception):
            # Past a __setattr__ that refuses, as that of a frozen dataclass does.
            BaseException.__setattr__(exc, REPORTED, id(exc.__traceback__))


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


def _emit(logger: Any, level: int, exc: object, message: str, extra: dict[str, Any]) -> str:
    """Log it; "" or why it was not logged."""
    if logger is None:
        logger = logging.getLogger("mruntime")
    if not isinstance(logger, logging.Logger):
        (logger.critical if level >= logging.CRITICAL else logger.error)(message, extra=extra)
        return ""
    if logger.disabled or not logger.isEnabledFor(level):
        return "logger disabled"
    path, line, func = "(unknown)", 0, None
    tb = exc.__traceback__ if isinstance(exc, BaseException) else None
    while tb is not None:
        code = tb.tb_frame.f_code
        path, line, func = code.co_filename, tb.tb_lineno, code.co_name
        tb = tb.tb_next
    record = logger.makeRecord(logger.name, level, path, line, message, (), None, func, extra)
    kept: Any = logger.filter(record)
    if not kept:
        return "filtered"
    if not _heard(logger, level):
        return "no usable handler"
    if not logger.hasHandlers():
        # Nobody set up logging: Python would have printed the traceback of a bare task or thread.
        record.exc_text = extra["stack_trace"].rstrip("\n")
    logger.callHandlers(kept if isinstance(kept, logging.LogRecord) else record)
    return ""


def _guarded(what: str, call: Callable[..., object], *args: object) -> None:
    """Call an observer. If it fails that is a line on file descriptor 2, one in a second at most."""
    try:
        call(*args)
    except BaseException as error:
        if time.monotonic() - STATE.complained >= 1 or not STATE.complained:
            STATE.complained = time.monotonic()
            write_line(f"mruntime: {what} raised {describe(error)}")


def _tell_reporter(info: PanicInfo, exc: object, ctx: object) -> None:
    reporter = STATE.reporter
    if reporter is None:
        return
    stack = info.stack if len(info.stack) < MAX_CHARS else f"{info.stack[:MAX_CHARS]}\n...[truncated]"
    tags = {
        "component": info.component,
        "goroutine_name": info.name,
        "panic_type": "recovered",
        **({"stack_trace": stack} if stack else {}),
    }
    if STATE.production:
        exc = PanicError(REDACTED)
    elif not isinstance(exc, BaseException):
        exc = PanicError(f"panic: {info.value}")
    reporter.capture_exception(current_context() if ctx is None else own(ctx), exc, tags)


def value_of(exc: object) -> str:
    """What an exception says, as far as that may leave the process."""
    return REDACTED if STATE.production else redact(_value(exc))


def _inform(exc: object, component: str, name: str, policy: str) -> PanicInfo:
    stack = "" if STATE.production else redact(_stack(exc))
    return PanicInfo(describe(exc), value_of(exc), stack, component, name, policy, time.time())


def report(
    exc: object,
    *,
    component: str,
    name: str,
    policy: object,
    ctx: object = None,
    logger: Any = None,
    crash: bool = False,
) -> PanicInfo:
    """Format, count, log and send a panic to all who want to know, unless it was before. Never raises."""
    seen = False
    with contextlib.suppress(BaseException):
        seen = was_reported(exc)
    label = "CrashProcess" if crashes(policy) else "KeepRunning"
    info = _inform(exc, component, name, label)
    if seen:
        return info
    _mark(exc)
    try:
        count_panic(component, name)
        message = f"panic recovered in {component}/{name}: {info.value}"
    except BaseException:
        message = "panic recovered"
    why = "panic while reporting a panic"
    if not getattr(STATE.local, "reporting", False):
        STATE.local.reporting = True
        try:
            extra = {
                "panic_source": name,
                "panic_value": info.value,
                "stack_trace": info.stack,
                "panic_component": component,
                "panic_policy": label,
                "panic_type": info.type,
            }
            why = _emit(logger, logging.CRITICAL if crash else logging.ERROR, exc, message, extra)
        except BaseException as error:
            why = f"logging raised {type(error).__name__}"
        try:
            for observer in tuple(STATE.observers.values()):
                _guarded("an observer of panics", observer, info, exc)
            _guarded("the error reporter", _tell_reporter, info, exc, ctx)
        finally:
            STATE.local.reporting = False
    if why:
        write_line(f"mruntime: {message} [{info.type}; not logged: {why}]")
    # Last, for a test that waited for it may look at the log and the counters.
    for innermost in STATE.captures[-1:]:
        innermost.add(info)
    return info


def note(level: int, message: str) -> None:
    """Log a line that is no panic. Never raises."""
    with contextlib.suppress(BaseException):
        logging.getLogger("mruntime").log(level, "%s", message)


def handle_panic_value(
    exc: object, *, component: str, name: str, ctx: Context | None = None, logger: Any = None
) -> None:
    """Report what somebody else caught: an exception, or any value. Never raises, never exits.

    Nothing is reported for a cancellation of `ctx` (default: the current context).
    """
    with contextlib.suppress(BaseException):
        if isinstance(exc, BaseException):
            around = current_context() if ctx is None else ctx
            if classify(exc, around, task=True) in (CLEAN, PASS):
                return
        report(exc, component=component, name=name, policy=None, ctx=ctx, logger=logger)
