"""Background work that cannot die unheard: tasks, threads and pool jobs with a policy for panics."""

from __future__ import annotations

from ._context import (
    Canceled,
    Context,
    DeadlineExceeded,
    Derived,
    Done,
    background,
    current_context,
    todo,
    with_cancel,
    with_deadline,
    with_timeout,
    with_value,
)
from ._crash import on_crash, set_exit_code
from ._panic import PanicInfo, handle_panic_value
from ._policy import CrashProcess, KeepRunning, PanicPolicy, PanicRecoveryPolicy
from ._recover import RecoverAndCrash, RecoverAndLog, RecoverWithPolicy, guarded
from ._spawn import SafeGo, SafeGoWithContext, SafeGoWithContextAndComponent
from ._state import metrics
from ._sync import WaitGroup
from ._thread import SafeThread, SafeTimer

# By this line the linter knows a copy of the runtime, whatever its name.
__mruntime__ = "1"
__version__ = "0.1.0"

__all__ = [
    "Canceled",
    "Context",
    "CrashProcess",
    "DeadlineExceeded",
    "Derived",
    "Done",
    "KeepRunning",
    "PanicInfo",
    "PanicPolicy",
    "PanicRecoveryPolicy",
    "RecoverAndCrash",
    "RecoverAndLog",
    "RecoverWithPolicy",
    "SafeGo",
    "SafeGoWithContext",
    "SafeGoWithContextAndComponent",
    "SafeThread",
    "SafeTimer",
    "WaitGroup",
    "background",
    "current_context",
    "guarded",
    "handle_panic_value",
    "metrics",
    "on_crash",
    "set_exit_code",
    "todo",
    "with_cancel",
    "with_deadline",
    "with_timeout",
    "with_value",
]
