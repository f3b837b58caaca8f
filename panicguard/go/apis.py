"""What panicguard knows of Go packages by name; the runtime is `mruntime`, whatever module it is a package of."""

from __future__ import annotations

RUNTIME = "mruntime"
SAFEGO = f"{RUNTIME}.SafeGoWithContextAndComponent"
RECOVERERS = frozenset(
    f"{RUNTIME}.{name}"
    for name in (
        "RecoverAndLog",
        "RecoverAndCrash",
        "RecoverWithPolicy",
        "RecoverAndLogWithContext",
        "RecoverAndCrashWithContext",
        "RecoverWithPolicyAndContext",
    )
)
"""The functions of the runtime that recover where they are deferred."""
CONTEXT = "context.Context"
RESULTS = {
    "golang.org/x/sync/errgroup.WithContext": ("golang.org/x/sync/errgroup.Group", CONTEXT),
    "context.Background": (CONTEXT,),
    "context.TODO": (CONTEXT,),
    "context.WithCancel": (CONTEXT,),
    "context.WithCancelCause": (CONTEXT,),
    "context.WithTimeout": (CONTEXT,),
    "context.WithTimeoutCause": (CONTEXT,),
    "context.WithDeadline": (CONTEXT,),
    "context.WithValue": (CONTEXT,),
    "context.WithoutCancel": (CONTEXT,),
}
"""The types of what a few functions return."""
