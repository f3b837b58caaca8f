"""How a goroutine tells that it has ended, by `Done` or by closing a channel, and what keeps it from telling."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from panicguard.go.guards import is_guarded_call, recovers_itself
from panicguard.go.harmless import fallible
from panicguard.go.loops import loops
from panicguard.go.nodes import (
    FUNCTIONS,
    ancestors,
    beside,
    callee,
    is_deferred_call,
    own,
    parts,
    plain_arguments,
    spelled,
    text,
)
from panicguard.go.spawns import SpawnKind, naming

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from panicguard.go.file import GoFile
    from panicguard.go.spawns import Spawn

_LEAVING = frozenset("Fatal Fatalf FailNow Skip Skipf SkipNow".split())
"""The methods of a test that end its goroutine."""
_TESTS = ("testing.T", "testing.B", "testing.F", "testing.TB")
_FAILING = frozenset("call_expression index_expression type_assertion_expression".split())


class Signal(NamedTuple):
    """A call that tells somebody that a goroutine has ended; `subject` is the group, or the channel that it closes."""

    call: Node
    subject: Node
    is_close: bool


class Skipped(NamedTuple):
    """A signal that is not sent whenever the goroutine ends, and why; `is_only` if the goroutine has no other."""

    signal: Signal
    why: str
    is_only: bool


def skipped(module: GoFile, spawn: Spawn, function: Node) -> Iterator[Skipped]:
    """The signals of a goroutine that are not sent whenever it ends."""
    nodes = list(own(function))
    signals = [signal for node in nodes if (signal := _signal(module, node, function)) is not None]
    if not signals:
        return
    # In a loop it counts jobs, not goroutines; and who adds takes back what he has added.
    fine = {spelled(s.subject) for s in signals if is_deferred_call(s.call) or any(True for _ in loops(s.call))}
    fine.update(
        spelled(called.child_by_field_name("operand")) for n in nodes if (called := callee(n)) and _adds(called)
    )
    survives = _survives(module, spawn, function)
    for signal in signals:
        if spelled(signal.subject) in fine or not _is_last(signal, [other.call for other in signals]):
            continue
        before = [node for node in nodes if node.end_byte <= signal.call.start_byte]
        if survives and _may_panic(module, function, signal, signals):
            why = "panics" if signal.is_close else "panics or returns early"
            yield Skipped(signal, why, len(signals) == 1)
        elif not signal.is_close and any(_leaves(module, node, signal) for node in before):
            yield Skipped(signal, "returns early", len(signals) == 1)


def _signal(module: GoFile, node: Node, function: Node) -> Signal | None:
    called = callee(node) if node.type == "call_expression" else None
    if called is None:
        return None
    if module.names.is_builtin(called, "close"):
        closed = next(iter(plain_arguments(node)), None)
        binding = module.names.lookup(closed) if closed is not None and closed.type == "identifier" else None
        is_own = binding is not None and function.start_byte <= binding.node.start_byte < function.end_byte
        return Signal(node, closed, True) if closed is not None and not is_own else None
    group = called.child_by_field_name("operand") if called.type == "selector_expression" else None
    if group is None or text(called.child_by_field_name("field")) != "Done":
        return None
    return Signal(node, group, False) if module.names.type_of(group) == "sync.WaitGroup" else None


def _adds(called: Node) -> bool:
    return called.type == "selector_expression" and text(called.child_by_field_name("field")) == "Add"


def _survives(module: GoFile, spawn: Spawn, function: Node) -> bool:
    """Whether the process goes on when a goroutine panics, with those who wait for it."""
    if spawn.kind is SpawnKind.SAFE:
        call = naming(module.names, spawn)
        passed = (
            [argument for argument in plain_arguments(call) if argument != spawn.target] if call is not None else []
        )
        return bool(passed) and not any("CrashProcess" in text(argument) for argument in passed)
    return recovers_itself(module, function)


def _is_last(signal: Signal, calls: list[Node]) -> bool:
    """Whether nothing follows a signal but other signals and a `return`: one that says how far the goroutine has come
    does not say that it has ended."""
    child = signal.call
    for above in ancestors(signal.call):
        if above.type in FUNCTIONS:
            return True
        if above.type in ("statement_list", "expression_case", "default_case", "type_case", "communication_case"):
            rest = [node for node in above.named_children if node.start_byte >= child.end_byte]
            for node in (node for node in rest if node.type != "comment"):
                if node.type == "return_statement":
                    return True
                if not any(node == call.parent for call in calls):
                    return False
        child = above
    return True


def _may_panic(module: GoFile, function: Node, signal: Signal, signals: list[Signal]) -> bool:
    """Whether something before a signal may panic, so that it is not sent."""
    body = function.child_by_field_name("body")
    calls = [other.call for other in signals]
    return body is not None and any(
        node.type in _FAILING
        and node.end_byte <= signal.call.start_byte
        and node not in calls
        and not is_guarded_call(module, node)
        for node in fallible(module, body)
    )


def _leaves(module: GoFile, node: Node, signal: Signal) -> bool:
    """Whether a node ends the goroutine without that signal."""
    if node.type == "return_statement":
        block = node.parent
        return block is None or not any(
            spelled(parts(other)[0]) == spelled(signal.call)
            for other in beside(node)
            if other.type == "expression_statement" and other.end_byte <= node.start_byte
        )
    if node.type != "call_expression":
        return False
    return module.names.qualified(callee(node)) == "runtime.Goexit" or ends_test(module, node)


def ends_test(module: GoFile, call: Node) -> bool:
    """Whether a call ends the goroutine of a test, as `t.Fatal` and `require.NoError(t, err)` do."""
    called = callee(call)
    if called is None:
        return False
    if (module.names.qualified(called) or "").rpartition(".")[0].endswith("/testify/require"):
        return True
    if text(called.child_by_field_name("field")) not in _LEAVING:
        return False
    return module.names.type_of(called.child_by_field_name("operand")) in _TESTS
