"""From an exception to one count, one log record and what observers make of it."""

from __future__ import annotations

import contextlib
import logging
import opcode
import time
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from ._captures import tell
from ._classify import CLEAN, PASS, classify, leaves
from ._derived import current_context, own
from ._log import SILENCED, emit, write_line
from ._policy import crashes
from ._redact import MAX_READ, REDACTED, redact
from ._stack import MAX_CHARS, place_of, stack_of
from ._state import STATE, count_panic
from ._storm import held_back, sum_up

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from ._context import Context

REPORTED = "__mruntime_reported__"
AT_THE_END = "unhandled exception during asyncio.run() shutdown"
RAISE = opcode.opmap["RAISE_VARARGS"]


class _Mark:
    """That an exception was reported, with the traceback that it had: it is kept, for the address of one that is freed
    is soon that of another. Pickled it is nothing: an error of another process was not reported in this one."""

    __slots__ = ("head",)

    def __init__(self, head: TracebackType | None) -> None:
        self.head = head

    def __reduce__(self) -> tuple[type[int], tuple[()]]:
        return int, ()


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
    restarts: int = 0
    """How often `Supervise` had started it again before."""


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
        return str(exc) or repr(exc)
    except BaseException:
        return f"<unprintable {type(exc).__name__}>"


def was_reported(exc: object) -> bool:
    """Whether this very panic was reported before, by the task whose waiter is failing now, say."""
    if not isinstance(exc, BaseException):
        return False
    parts = leaves(exc)
    if parts != [exc] and not hasattr(exc, REPORTED):
        return all(was_reported(part) for part in parts)
    mark: Any = getattr(exc, REPORTED, None)
    if not hasattr(mark, "head"):
        return False
    head = mark.head
    above: set[int] = set()
    anew = False
    tb = exc.__traceback__
    while tb is not None and tb is not head:
        above.add(id(tb.tb_frame))
        after = tb.tb_next
        # An exception object kept and raised again, `raise ERROR`, is a new panic though its traceback goes on
        # with the old one. Where it goes on in a frame that is above too, an `except` clause handed it on.
        if after is not None and (after is head or id(after.tb_frame) not in above):
            anew = anew or _raises(tb)
        tb = after
    if tb is not head or (head is None and exc.__traceback__ is not None):
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
            BaseException.__setattr__(exc, REPORTED, _Mark(exc.__traceback__))


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
    return REDACTED if STATE.production else redact(_value(exc)[:MAX_READ])[:MAX_CHARS]


def _inform(exc: object, component: str, name: str, policy: str, restarts: int) -> PanicInfo:
    stack = "" if STATE.production else redact(stack_of(exc)[-MAX_READ:])[-MAX_CHARS:]
    return PanicInfo(describe(exc), value_of(exc), stack, component, name, policy, time.time(), restarts)


def _is_news(record: logging.LogRecord) -> bool:
    """False for what `asyncio.run` says at its end of a task whose panic was reported."""
    exc = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
    return not (AT_THE_END in str(record.msg) and was_reported(exc))


def once_only() -> None:
    """Have asyncio say nothing, at the end of `asyncio.run`, of panics that were reported."""
    log = logging.getLogger("asyncio")
    with STATE.lock:
        if not STATE.once_only:
            STATE.once_only = True
            log.addFilter(_is_news)


def report(
    exc: object,
    *,
    component: str,
    name: str,
    policy: object,
    ctx: object = None,
    logger: Any = None,
    crash: bool = False,
    restarts: int = 0,
    since: float | None = None,
) -> PanicInfo:
    """Format, count, log and send a panic to all who want to know, unless it was before. Never raises.

    `since`: when the work was spawned, by `perf_counter`, if it was.
    """
    seen = False
    with contextlib.suppress(BaseException):
        seen = was_reported(exc)
    label = "CrashProcess" if crashes(policy) else "KeepRunning"
    info = _inform(exc, component, name, label, restarts)
    if seen:
        return info
    _mark(exc)
    held = False
    place = place_of(exc)
    try:
        count_panic(component, name, (info.type, info.value, place, info.time))
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
                "panic_restarts": restarts,
            }
            sum_up()
            held = not crash and held_back(component, info.type, place, logger)
            why = "" if held else emit(logger, logging.CRITICAL if crash else logging.ERROR, exc, message, extra)
        except BaseException as error:
            why = f"logging raised {type(error).__name__}"
        try:
            for observer in tuple(STATE.observers.values()):
                _guarded("an observer of panics", observer, info, exc)
            if not held:
                _guarded("the error reporter", _tell_reporter, info, exc, ctx)
        finally:
            STATE.local.reporting = False
    if why == SILENCED:
        why = "" if STATE.silenced else f"{why}, as further ones are"
        STATE.silenced = True
    if why:
        write_line(f"mruntime: {message} [{info.type}; not logged: {why}]")
    # Last, for a test that waited for it may look at the log and the counters.
    tell(info, since)
    return info


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
