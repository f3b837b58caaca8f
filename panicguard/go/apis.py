"""What panicguard knows about Go packages, by name; the runtime is `mruntime`, whatever module it is a package of."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

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
REPANICKING = frozenset(
    f"k8s.io/apimachinery/pkg/util/runtime.HandleCrash{form}" for form in ("", "WithContext", "WithLogger")
)
"""Functions that report a panic where they are deferred and then panic again."""
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

SPAWNERS = {"time.AfterFunc": 1, "context.AfterFunc": 1, "runtime.AddCleanup": 1, "runtime.SetFinalizer": 1}
"""Functions that run one of their arguments, at this index, in a goroutine."""
METHODS = frozenset(
    (
        ("sync.WaitGroup", "Go"),
        ("golang.org/x/sync/errgroup.Group", "Go"),
        ("golang.org/x/sync/errgroup.Group", "TryGo"),
        ("net/http.Server", "RegisterOnShutdown"),
    )
)
"""(type, method) of those that run their first argument in one."""
CALLED_ON = {"WaitGroup": ("Go",), "errgroup": ("Go", "TryGo"), "Server": ("RegisterOnShutdown",)}
"""What a file with a variable of one of these types has in it -> the names of the methods that spawn."""
SPAWN_WORDS = ("go", "SafeGo", *(name.rpartition(".")[2] for name in SPAWNERS), *CALLED_ON)
"""A file without any of these spawns nothing."""
NEEDS: Mapping[str, tuple[str, ...]] = {"Panic": ('"log"', "`log`")}
"""Word -> texts without one of which it says nothing."""
