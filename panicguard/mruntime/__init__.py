"""Background work that cannot die unheard: tasks, threads and pool jobs with a policy for panics."""

from __future__ import annotations

from ._channel import Channel, ChannelClosed
from ._classify import let_pass
from ._context import Canceled, Context, DeadlineExceeded, Done
from ._crash import on_crash, set_exit_code
from ._derived import (
    Derived,
    background,
    current_context,
    root,
    todo,
    with_cancel,
    with_deadline,
    with_timeout,
    with_value,
    without_cancel,
)
from ._exception_group import BaseExceptionGroup, ExceptionGroup
from ._group import Group
from ._health import ComponentHealth, Health, LastPanic, health
from ._lifespan import Lifespan, lifespan
from ._panic import ErrorReporter, PanicError, PanicInfo, handle_panic_value, observe_panics, set_error_reporter
from ._policy import CrashProcess, KeepRunning, PanicPolicy, PanicRecoveryPolicy
from ._recover import RecoverAndCrash, RecoverAndLog, RecoverWithPolicy, guarded
from ._redact import set_production_mode
from ._registry import Running, running
from ._reopen import reopen
from ._safego import SafeGo
from ._safego_context import SafeGoWithContext, SafeGoWithContextAndComponent
from ._shutdown import shutdown, shutdown_async
from ._signals import install_signal_handlers
from ._state import metrics
from ._storm import set_storm_limit
from ._stragglers import ShutdownReport, Straggler
from ._supervise import Supervise
from ._sync import WaitGroup
from ._thread import SafeThread, SafeTimer
from ._watch import watch

# By this line the linter knows a copy of the runtime, whatever its name.
__mruntime__ = "1"
__version__ = "0.1.0"

__all__ = [
    "BaseExceptionGroup",
    "Canceled",
    "Channel",
    "ChannelClosed",
    "ComponentHealth",
    "Context",
    "CrashProcess",
    "DeadlineExceeded",
    "Derived",
    "Done",
    "ErrorReporter",
    "ExceptionGroup",
    "Group",
    "Health",
    "KeepRunning",
    "LastPanic",
    "Lifespan",
    "PanicError",
    "PanicInfo",
    "PanicPolicy",
    "PanicRecoveryPolicy",
    "RecoverAndCrash",
    "RecoverAndLog",
    "RecoverWithPolicy",
    "Running",
    "SafeGo",
    "SafeGoWithContext",
    "SafeGoWithContextAndComponent",
    "SafeThread",
    "SafeTimer",
    "ShutdownReport",
    "Straggler",
    "Supervise",
    "WaitGroup",
    "background",
    "current_context",
    "guarded",
    "handle_panic_value",
    "health",
    "install_signal_handlers",
    "let_pass",
    "lifespan",
    "metrics",
    "observe_panics",
    "on_crash",
    "reopen",
    "root",
    "running",
    "set_error_reporter",
    "set_exit_code",
    "set_production_mode",
    "set_storm_limit",
    "shutdown",
    "shutdown_async",
    "todo",
    "watch",
    "with_cancel",
    "with_deadline",
    "with_timeout",
    "with_value",
    "without_cancel",
]
