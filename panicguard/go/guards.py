"""What keeps a panic of a goroutine from ending the process: a `defer` of something that recovers, in the function
that runs in it or in the one that this does nothing but call.

What a file does not declare may be declared by another file of its package, of which the settings know; of what comes
from elsewhere, a variable or another package, only the name tells.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from panicguard.go.apis import RECOVERERS, REPANICKING
from panicguard.go.harmless import fallible
from panicguard.go.loops import is_wait
from panicguard.go.nodes import callee, own, parts, plain, plain_arguments, statement_call, steps, text, within
from panicguard.go.packages import package_name
from panicguard.go.types import receiver_type

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tree_sitter import Node

    from panicguard.go.file import GoFile

_TELLING = re.compile(r"recover|panic|crash|guard|catch|rescue", re.IGNORECASE)
"""The names of functions of which it is likely that they recover."""
_WRAPPING = re.compile(r"safe|protect", re.IGNORECASE)
"""The names of functions of which it is likely that they guard a function that is passed to them."""
_STEPS = 4
"""How far calls are followed."""
_SAFE = re.compile(r"safe(?:go|ly)?|panics?|recover\w*")
"""The names of packages that are about that."""


def is_guarded(module: GoFile, target: Node) -> bool:
    """Whether the function that a goroutine runs recovers from panics, or may do so where this file does not tell."""
    return _is_guarded(module, target, frozenset())


def recovers_itself(module: GoFile, function: Node) -> bool:
    """Whether a function defers something that recovers, wherever in its body."""
    deferred = (call for node in own(function) if node.type == "defer_statement" and (call := statement_call(node)))
    return any(_guards(module, callee(call)) for call in deferred)


def is_guarded_call(module: GoFile, node: Node) -> bool:
    """Whether a node is a call of a function that recovers from its own panics."""
    return _is_guarded_call(module, node, frozenset())


def recovering(module: GoFile) -> frozenset[str]:
    """The functions of a file that recover where they are deferred; methods with their type: `server.guard`."""
    return frozenset(_name(node) for node in _declarations(module) if _recovers(module, node))


def guarded(module: GoFile) -> frozenset[str]:
    """The functions of a file that recover from panics of their own; methods with their type."""
    return frozenset(_name(node) for node in _declarations(module) if _begins_guarded(module, node, frozenset()))


def _declarations(module: GoFile) -> list[Node]:
    kinds = ("function_declaration", "method_declaration")
    return [node for node in module.tree.root.named_children if node.type in kinds]


def _name(function: Node) -> str:
    name = text(function.child_by_field_name("name"))
    return f"{receiver_type(function)}.{name}" if function.type == "method_declaration" else name


def _is_guarded(module: GoFile, target: Node | None, seen: frozenset[int]) -> bool:
    """Whether the function that an expression stands for recovers from its own panics."""
    target = plain(target)
    if target is None:
        return False
    declared = module.names.declared(target)
    if declared is not None:
        if declared.id in seen or len(seen) == _STEPS:
            return False
        return _begins_guarded(module, declared, seen | {declared.id})
    if target.type == "call_expression":  # what wraps a function, or makes one
        return _may_wrap(module, callee(target)) or _returns(
            module, target, lambda function: _begins_guarded(module, function, seen)
        )
    if text(target.child_by_field_name("field")) == "Wait":
        return True
    return not module.settings.go_guarded.isdisjoint(_names(module, target))


def _may_wrap(module: GoFile, called: Node | None) -> bool:
    """Whether a function that takes a function may recover from what that raises."""
    if called is None or module.names.declared(called) is not None:
        return False
    name = text(called.child_by_field_name("field") or called)
    return _is_by_name(module, called) or _WRAPPING.search(name) is not None


def _begins_guarded(module: GoFile, function: Node, seen: frozenset[int]) -> bool:
    """Whether nothing in a function can panic before it defers something that recovers; or but in guarded calls, or at
    all, for it only waits."""
    return _is_guarded_block(module, function.child_by_field_name("body"), seen)


def _is_guarded_block(module: GoFile, block: Node | None, seen: frozenset[int]) -> bool:
    is_done = False
    for statement in steps(block):
        if statement.type == "defer_statement":
            call = statement_call(statement)
            if call is not None and _guards(module, callee(call)):
                return True
            continue
        risky = list(fallible(module, statement))
        if not all(is_wait(node) or _is_guarded_call(module, node, seen) for node in risky):
            return False
        is_done = is_done or bool(risky) or any(map(is_wait, within(statement)))
    return is_done


def _is_guarded_call(module: GoFile, node: Node, seen: frozenset[int]) -> bool:
    if node.type != "call_expression":
        return False
    called = callee(node)
    if called is None or called.type == "call_expression":
        return False
    wraps = any(argument.type == "func_literal" for argument in plain_arguments(node)) and _may_wrap(module, called)
    return wraps or _is_by_name(module, called) or _is_guarded(module, called, seen)


def _guards(module: GoFile, called: Node | None) -> bool:
    """Whether what a `defer` calls recovers, or may do so."""
    called = plain(called)
    if called is None:
        return False
    declared = module.names.declared(called)
    if declared is not None:
        return _recovers(module, declared) or _is_named(module, called)
    if called.type == "call_expression":  # what makes the function, if this file tells
        return _is_by_name(module, callee(called)) or _returns(
            module, called, lambda function: _recovers(module, function)
        )
    return _is_by_name(module, called) or not module.settings.go_recovering.isdisjoint(_names(module, called))


def _recovers(module: GoFile, function: Node) -> bool:
    """Whether a function recovers where it is deferred, and does not panic again."""
    return function.id in module.recovering and not any(
        node.type == "call_expression" and module.names.is_builtin(callee(node), "panic") for node in own(function)
    )


def _returns(module: GoFile, call: Node, is_good: Callable[[Node], bool]) -> bool:
    """Whether a call is of a function of this file that returns nothing but literals for which something holds."""
    made_by = module.names.declared(callee(call))
    returned = [] if made_by is None else [node for node in own(made_by) if node.type == "return_statement"]
    values = [plain(value) for node in returned for listed in parts(node) for value in parts(listed)]
    return bool(values) and all(v is not None and v.type == "func_literal" and is_good(v) for v in values)


def _is_by_name(module: GoFile, called: Node | None) -> bool:
    """Whether a function that this file does not declare recovers by its name, or as the settings say."""
    if called is None or module.names.qualified(called) in REPANICKING:
        return False
    if _is_named(module, called):
        return True
    if called.type == "identifier":
        return _TELLING.search(text(called)) is not None and text(called) not in ("recover", "panic")
    package, _, _ = (module.names.qualified(called) or "").rpartition(".")
    name = text(called.child_by_field_name("field"))
    return _TELLING.search(name) is not None or _SAFE.fullmatch(package_name(package)) is not None


def _is_named(module: GoFile, called: Node) -> bool:
    """Whether a function is one of the runtime's that recover, or one of those in `extend-guards`."""
    names = set(_names(module, called))
    return not RECOVERERS.isdisjoint(names) or not names.isdisjoint(module.settings.extend_guards)


def _names(module: GoFile, called: Node) -> Iterator[str]:
    """The names under which a function may be listed: `guard`, `server.guard`, `*.guard`, `safe.Guard`, and that with
    the path of the package."""
    if called.type == "identifier":
        yield text(called)
    if called.type != "selector_expression":
        return
    name, operand = text(called.child_by_field_name("field")), called.child_by_field_name("operand")
    yield f"*.{name}"
    qualified = module.names.qualified(called)
    if qualified is not None:
        yield qualified
        yield f"{package_name(qualified.rpartition('.')[0])}.{name}"
        yield text(called)
    elif (receiver := module.names.type_of(operand)) is not None:
        yield f"{receiver}.{name}"
