"""What panicguard knows about Go packages, by name; the runtime is `mruntime`, whatever module it is a package of."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

RUNTIME = "mruntime"
SAFEGO = f"{RUNTIME}.SafeGoWithContextAndComponent"
SUPERVISE = f"{RUNTIME}.Supervise"
GROUPS = {f"{RUNTIME}.NewGroup": f"{RUNTIME}.Group", f"{RUNTIME}.NewResultGroup": f"{RUNTIME}.ResultGroup"}
"""The functions of the runtime that make a group -> its type, whose `Go` starts the members."""
NAMING = (SAFEGO, SUPERVISE, *GROUPS)
"""The functions of the runtime that are passed a context, a component and a policy, in this order."""
NAMING_WORDS = tuple(name.rpartition(".")[2] for name in NAMING)
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
    **{maker: (group,) for maker, group in GROUPS.items()},
    "golang.org/x/sync/errgroup.WithContext": ("golang.org/x/sync/errgroup.Group", CONTEXT),
    "github.com/gammazero/workerpool.New": ("github.com/gammazero/workerpool.WorkerPool",),
    "github.com/nats-io/nats.go.Connect": ("github.com/nats-io/nats.go.Conn",),
    "os/exec.Command": ("os/exec.Cmd",),
    "os/exec.CommandContext": ("os/exec.Cmd",),
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
METHODS = {
    ("sync.WaitGroup", "Go"): 0,
    ("golang.org/x/sync/errgroup.Group", "Go"): 0,
    ("golang.org/x/sync/errgroup.Group", "TryGo"): 0,
    ("golang.org/x/sync/singleflight.Group", "DoChan"): 1,
    ("net/http.Server", "RegisterOnShutdown"): 0,
    ("github.com/hashicorp/go-multierror.Group", "Go"): 0,
    ("github.com/oklog/run.Group", "Add"): 0,
    ("github.com/gammazero/workerpool.WorkerPool", "Submit"): 0,
    ("github.com/gammazero/workerpool.WorkerPool", "SubmitWait"): 0,
    ("gopkg.in/tomb.v2.Tomb", "Go"): 0,
    ("github.com/nats-io/nats.go.Conn", "Subscribe"): 1,
    ("github.com/nats-io/nats.go.Conn", "QueueSubscribe"): 2,
    ("github.com/eclipse/paho.mqtt.golang.Client", "Subscribe"): 2,
}
"""(type, method) -> the index of the argument that is run in a goroutine, whose panic was seen to end the process."""
HOOKS = frozenset(
    (
        ("net/http.Transport", "DialContext"),
        ("net/http/httptrace.ClientTrace", "ConnectStart"),
        ("net/http/httptrace.ClientTrace", "WroteRequest"),
        ("net/http/httptrace.ClientTrace", "GotFirstResponseByte"),
        ("os/exec.Cmd", "Cancel"),
        ("go.uber.org/fx.Hook", "OnStart"),
        ("go.uber.org/fx.Hook", "OnStop"),
    )
)
"""(type, field) of the functions that a library runs in a goroutine of its own, seen so too."""
HOOK_WORDS = ("DialContext", "httptrace", "CommandContext", "uber.org/fx")
"""A file without any of these has no hook."""
CALLED_ON = {
    "WaitGroup": ("Go",),
    "errgroup": ("Go", "TryGo"),
    "Server": ("RegisterOnShutdown",),
    "singleflight": ("DoChan",),
    "multierror": ("Go",),
    "oklog/run": ("Add",),
    "workerpool": ("Submit", "SubmitWait"),
    "tomb": ("Go",),
    "nats": ("Subscribe", "QueueSubscribe"),
    "mqtt": ("Subscribe",),
    "Group": ("Go",),
}
"""What a file with a variable of one of these types has in it -> the names of the methods that spawn."""
SPAWN_WORDS = ("go", "SafeGo", "Supervise", *(name.rpartition(".")[2] for name in SPAWNERS), *CALLED_ON)
"""A file without any of these spawns nothing."""
NEEDS: Mapping[str, tuple[str, ...]] = {"Panic": ('"log"', "`log`")}
"""Word -> texts without one of which it says nothing."""
