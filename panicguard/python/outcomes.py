"""How control leaves a handler that has caught a cancellation: on which paths it is raised again, and on which not."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from panicguard.python.blocks import statements
from panicguard.python.cancellation import catches_cancellation, is_cancellation
from panicguard.python.cst import cst
from panicguard.python.errors import Caught, caught, is_again, is_kind, truth
from panicguard.python.handlers import caught_types, never_returns
from panicguard.python.naming import asks_whether_to_end
from panicguard.python.tree import last_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Set

    from libcst import CSTNode

    from panicguard.python.file import PythonFile
    from panicguard.python.handlers import Handler


class Exit(enum.Enum):
    """A way out of a handler."""

    AGAIN = "raises the cancellation, or what may be one"
    OTHER = "raises another error in its place"
    RETURN = "returns"
    BREAK = "leaves the loop"
    CONTINUE = "begins the next turn of the loop"
    YIELD = "gives the consumer of a generator a value"
    PAST = "runs on behind the `try`"


_ENDING = frozenset((Exit.AGAIN, Exit.RETURN, Exit.BREAK))
_ENDS_A_TURN = frozenset((Exit.BREAK, Exit.CONTINUE, Exit.PAST))


def exits(module: PythonFile, handler: Handler, *, otherwise: bool | None = None) -> frozenset[Exit]:
    """The ways out of a handler, where the error that it handles is a cancellation. `otherwise`: what questions of the
    error come to of which nobody knows the answer."""
    return _Walk(module, caught(handler, otherwise=otherwise)).block(statements(handler.body))


def chooses(module: PythonFile, handler: Handler, ways: Set[Exit]) -> bool:
    """Whether a handler finds out whether the cancellation may end here: it asks whether to stop, and leaves if so; or
    it raises the cancellation again or not, by what the error is or, where it takes no other errors, by anything."""
    tests = [node.test for node in module.tree.within(handler.body) if isinstance(node, cst.If)]
    if not tests or not ways & _ENDING:
        return False
    named = (node for test in tests for node in module.tree.within(test) if isinstance(node, (cst.Name, cst.Attribute)))
    if len(ways) > 1 and any(asks_whether_to_end(last_name(node)) for node in named):
        return True
    if exits(module, handler, otherwise=False) <= {Exit.AGAIN}:
        return True
    is_narrow = all(is_cancellation(module, t) for t in caught_types(handler) or (handler,))
    is_asked = any(not isinstance(test, cst.Comparison) or _is_identity(test) for test in tests)
    return Exit.AGAIN in ways and is_narrow and is_asked


def _is_identity(test: cst.Comparison) -> bool:
    return all(isinstance(c.operator, (cst.Is, cst.IsNot)) for c in test.comparisons)


class _Walk:
    def __init__(self, module: PythonFile, error: Caught) -> None:
        self.module, self.error = module, error

    def block(self, body: Iterable[CSTNode]) -> frozenset[Exit]:
        """The ways out of statements; `PAST` where the end of them is reached."""
        found: set[Exit] = set()
        for statement in body:
            ways = self.statement(statement)
            found |= ways - {Exit.PAST}
            if Exit.PAST not in ways:
                return frozenset(found)
        return frozenset((*found, Exit.PAST))

    def statement(self, node: CSTNode) -> frozenset[Exit]:
        match node:
            case cst.Raise():
                return frozenset((Exit.AGAIN if is_again(self.module, node, self.error) else Exit.OTHER,))
            case cst.Return():
                return frozenset((Exit.RETURN,))
            case cst.Break():
                return frozenset((Exit.BREAK,))
            case cst.Continue():
                return frozenset((Exit.CONTINUE,))
            case cst.If():
                return self.branches(node)
            case cst.Match():
                return self.cases(node)
            case cst.While() | cst.For():
                return self.loop(node)
            case cst.With():
                return self.block(statements(node.body))
            case cst.Try() | cst.TryStar():
                return self.nested(node)
            case cst.FunctionDef() | cst.ClassDef():
                return frozenset((Exit.PAST,))
        inner = list(self.module.tree.within(node))
        if any(isinstance(n, cst.Call) and never_returns(self.module, n) for n in inner):
            return frozenset((Exit.AGAIN,))
        yields = any(isinstance(n, cst.Yield) for n in inner)
        return frozenset((Exit.YIELD, Exit.PAST) if yields else (Exit.PAST,))

    def branches(self, node: cst.If) -> frozenset[Exit]:
        then = self.block(statements(node.body))
        other = node.orelse
        if other is None:
            rest = frozenset((Exit.PAST,))
        else:
            rest = self.branches(other) if isinstance(other, cst.If) else self.block(statements(other.body))
        holds = truth(self.module, node.test, self.error)
        return then | rest if holds is None else then if holds else rest

    def cases(self, node: cst.Match) -> frozenset[Exit]:
        found: set[Exit] = set()
        is_error = self.error.is_it(node.subject)
        for case in node.cases:
            holds = self._matches(case, is_error=is_error)
            if holds is not False:
                found |= self.block(statements(case.body))
            if holds:
                return frozenset(found)
        return frozenset((*found, Exit.PAST))

    def _matches(self, case: cst.MatchCase, *, is_error: bool) -> bool | None:
        """Whether a case is taken for a cancellation; None if that is not known."""
        pattern, holds = case.pattern, None
        if isinstance(pattern, cst.MatchAs) and pattern.pattern is None:
            holds = True
        elif is_error and isinstance(pattern, (cst.MatchClass, cst.MatchOr)):
            options = [o.pattern for o in pattern.patterns] if isinstance(pattern, cst.MatchOr) else [pattern]
            classes = [o.cls for o in options if isinstance(o, cst.MatchClass)]
            if len(classes) == len(options):
                kinds = [is_kind(self.module, c) for c in classes]
                holds = True if True in kinds else None if None in kinds else False
        return None if holds and case.guard is not None else holds

    def loop(self, node: cst.While | cst.For) -> frozenset[Exit]:
        ways = self.block(statements(node.body))
        found = set(ways - _ENDS_A_TURN)
        if isinstance(node, cst.While):
            is_endless = _is_true(node.test)
            runs_out = not is_endless
        else:
            is_endless = False
            runs_out = not _is_filled(node.iter) or bool(ways & {Exit.CONTINUE, Exit.PAST})
        if runs_out:
            other = node.orelse
            found |= self.block(statements(other.body)) if other is not None else {Exit.PAST}
        if Exit.BREAK in ways:
            found.add(Exit.PAST)
        return frozenset(found)

    def nested(self, node: cst.Try | cst.TryStar) -> frozenset[Exit]:
        ways = set(self.block(statements(node.body)))
        if Exit.PAST in ways and node.orelse is not None:
            ways = (ways - {Exit.PAST}) | self.block(statements(node.orelse.body))
        taken = next((h for h in node.handlers if catches_cancellation(self.module, h)), None)
        for handler in node.handlers:
            if handler is taken:
                if Exit.AGAIN in ways:
                    ways = (ways - {Exit.AGAIN}) | exits(self.module, handler)
            else:
                ways |= self.block(statements(handler.body)) - {Exit.OTHER}
        if node.finalbody is not None:
            last = self.block(statements(node.finalbody.body))
            ways = ways | last if Exit.PAST in last else set(last)
        return frozenset(ways)


def _is_true(test: CSTNode) -> bool:
    """Whether the test of a loop is a constant that holds."""
    match test:
        case cst.Name(value="True") | cst.Ellipsis():
            return True
        case cst.Integer(value=value):
            return value != "0"
    return False


def _is_filled(iterated: CSTNode) -> bool:
    """Whether a loop over this has a first turn: a display that holds something, or `range(3)`."""
    match iterated:
        case cst.List(elements=elements) | cst.Set(elements=elements) | cst.Tuple(elements=elements):
            return any(isinstance(e, cst.Element) or _is_filled(e.value) for e in elements)
        case cst.Dict(elements=elements):
            return any(isinstance(e, cst.DictElement) or _is_filled(e.value) for e in elements)
        case cst.Call(func=cst.Name(value="range"), args=[cst.Arg(value=cst.Integer(value=value))]):
            return value != "0"
    return False
