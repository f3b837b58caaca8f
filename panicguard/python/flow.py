"""Where a value goes: through variables, attributes, containers and loops to every use of it in the module."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from panicguard.python.containers import Containers
from panicguard.python.cst import cst
from panicguard.python.items import are_looked_at, is_read_here, item, uses_of
from panicguard.python.uses import Use, UseKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from libcst import CSTNode

    from panicguard.python.names import Names
    from panicguard.python.tree import Tree

ADDERS = frozenset("add append appendleft insert extend extendleft update setdefault".split())
"""Methods that put their argument into a container."""
_TAKERS = frozenset("pop popleft popitem get keys values items copy".split())
"""Methods that return what a container holds; the job of a pool has a `get` too, which raises its error."""
_TAKING_OUT = frozenset("discard remove index count".split())
"""Methods of a container that look for their argument in it."""
_HANDED_ON = frozenset(
    "list tuple set frozenset dict iter enumerate zip sorted reversed filter next collections.deque "
    "itertools.chain itertools.chain.from_iterable asyncio.as_completed concurrent.futures.as_completed "
    "asyncio.shield asyncio.ensure_future asyncio.wrap_future weakref.ref typing.cast".split()
)
"""Calls whose result is, or holds, their argument."""
_WAITS = frozenset(("asyncio.wait", "concurrent.futures.wait"))
"""Calls that wait, do not raise, and return their argument."""
_LOOKED_AT = frozenset("len bool id hash repr str type isinstance print any all".split())
_LABELS = {
    "Attribute": "attr",
    "Arg": "keyword",
    **dict.fromkeys(("AnnAssign", "NamedExpr", "For", "CompFor"), "target"),
    **dict.fromkeys(("Param", "FunctionDef", "ClassDef"), "name"),
}
"""Type of node -> its field that holds a name which is not read."""
_ELEMENTS = frozenset(("Element", "StarredElement"))
_BINDERS = frozenset(("AssignTarget", "AsName", "ImportAlias", "Del", "NameItem"))


@dataclass(frozen=True)
class Flow:
    tree: Tree
    names: Names
    _steps: dict[CSTNode, tuple[Use | CSTNode, ...]] = field(default_factory=dict)
    _loads_by_scope: dict[str, dict[CSTNode | None, list[CSTNode]]] = field(default_factory=dict)

    @cached_property
    def _containers(self) -> Containers:
        return Containers(self.names)

    def uses(self, *values: CSTNode) -> Iterator[Use]:
        """Every use the module makes of the value of these expressions, each once."""
        seen: set[CSTNode] = set()
        pending = [*values]
        while pending:
            node = pending.pop()
            if node in seen:
                continue
            seen.add(node)
            steps = self._steps.get(node)
            if steps is None:
                steps = self._steps[node] = tuple(self._step(node))
            for step in steps:
                if isinstance(step, Use):
                    yield step
                else:
                    pending.append(step)

    def is_read(self, name: cst.Name) -> bool:
        """Whether a Name node reads a variable, and is not a binding, attribute or keyword."""
        return not _is_stored_or_label(name, self.tree.parents[name], self.tree)

    def _step(self, node: CSTNode) -> Iterator[Use | CSTNode]:
        """One step on: the expressions that hold the value next, or the uses it ends in."""
        parent = self.tree.parents[node]
        match parent:
            case cst.Expr():
                yield Use(UseKind.DROPPED, parent)
            case cst.Await():
                yield Use(UseKind.AWAITED, parent)
            case cst.Return():
                yield Use(UseKind.RETURNED, parent)
            case cst.Yield() | cst.From():
                yield Use(UseKind.YIELDED, parent)
            case cst.Lambda():
                yield Use(UseKind.LAMBDA, parent)
            case cst.Assign():
                for target in parent.targets:
                    yield from self._bind(target.target, node)
            case cst.AnnAssign():
                yield from self._bind(parent.target, node)
            case cst.AugAssign():
                yield from self._into(parent.target)
            case cst.NamedExpr():
                yield parent
                yield from self._bind(parent.target, node)
            case cst.FormattedStringExpression():
                yield Use(UseKind.DROPPED, parent)
            case cst.DictElement(key=key) if key is node:
                yield parent
            case (
                cst.Element()
                | cst.StarredElement()
                | cst.DictElement()
                | cst.StarredDictElement()
                | cst.Tuple()
                | cst.List()
                | cst.Set()
                | cst.Dict()
                | cst.ListComp()
                | cst.SetComp()
                | cst.GeneratorExp()
                | cst.DictComp()
            ):
                yield parent
            case cst.IfExp(test=test):
                yield Use(UseKind.TESTED, parent) if test is node else parent
            case cst.BooleanOperation() | cst.BinaryOperation():
                yield parent
            case (
                cst.UnaryOperation() | cst.Comparison() | cst.ComparisonTarget() | cst.If() | cst.While() | cst.Assert()
            ):
                yield Use(UseKind.TESTED, parent)
            case cst.CompIf() | cst.Del():
                yield Use(UseKind.TESTED, parent)
            case cst.For(iter=iterable, asynchronous=None) | cst.CompFor(iter=iterable, asynchronous=None) if (
                iterable is node
            ):
                yield from self._bind_loop(parent)
            case cst.Subscript(value=container) if container is node:
                yield from self._subscript(parent)
            case cst.Index():
                yield from self._key(parent)
            case cst.Attribute(value=owner) if owner is node:
                yield from self._attribute(parent)
            case cst.Arg():
                yield from self._argument(parent, node)
            case _:
                yield Use(UseKind.OTHER, parent)

    def _bind_loop(self, loop: CSTNode) -> Iterator[Use | CSTNode]:
        targets = list(self._bind(loop.target, loop))  # type: ignore[attr-defined]
        if not targets:
            yield Use(UseKind.DROPPED, loop)
        yield from targets

    def _subscript(self, subscript: CSTNode) -> Iterator[Use | CSTNode]:
        holder = self.tree.parents[subscript]
        if isinstance(holder, (cst.AssignTarget, cst.Del)):
            yield Use(UseKind.TESTED, subscript)
        else:
            yield subscript

    def _key(self, index: CSTNode) -> Iterator[Use | CSTNode]:
        """The value as a key: `d[task] = x` keeps it in d; reading `d[task]` does nothing to it."""
        subscript = self.tree.parents[self.tree.parents[index]]
        if isinstance(self.tree.parents[subscript], cst.AssignTarget):
            yield from self._into(subscript.value)  # type: ignore[attr-defined]
        else:
            yield Use(UseKind.TESTED, subscript)

    def _attribute(self, attribute: cst.Attribute) -> Iterator[Use | CSTNode]:
        call = self.tree.parents[attribute]
        name = attribute.attr.value
        if not (isinstance(call, cst.Call) and call.func is attribute):
            yield Use(UseKind.METHOD, attribute, name)
        elif name in _TAKERS and (name != "get" or (call.args and self._containers.holds(attribute.value))):
            yield call
        else:
            yield Use(UseKind.METHOD, call, name)

    def _argument(self, arg: cst.Arg, node: CSTNode) -> Iterator[Use | CSTNode]:
        call = self.tree.parents[arg]
        if not isinstance(call, cst.Call):
            yield Use(UseKind.OTHER, arg)
            return
        callee = self.names.qualified(call.func)
        if callee in _HANDED_ON:
            yield call
        elif callee in _WAITS:
            yield Use(UseKind.WAITED, call)
            yield from self._done(call)
        elif callee in _LOOKED_AT:
            yield Use(UseKind.TESTED, call)
        elif (
            isinstance(call.func, cst.Attribute)
            and call.func.attr.value in ADDERS
            and self._containers.holds(call.func.value)
        ):
            yield from self._into(call.func.value)
        elif self._is_taken_out(call.func):
            yield Use(UseKind.TESTED, call)
        else:
            yield Use(UseKind.ARGUMENT, call, _slot(arg, call))

    def _is_taken_out(self, func: CSTNode) -> bool:
        match func:
            case cst.Attribute(value=container, attr=cst.Name(value=name)):
                return name in _TAKING_OUT and self._containers.holds(container)
        return False

    def _done(self, wait: cst.Call) -> Iterator[Use | CSTNode]:
        """What has ended, of what is waited for: the first of two sets; what has not ended has no error yet."""
        outer = self.tree.parents[wait]
        value = outer if isinstance(outer, cst.Await) else wait
        match self.tree.parents[value]:
            case cst.Assign(targets=[cst.AssignTarget(target=cst.Tuple(elements=[done, _]))]):
                yield from self._bind(done.value, value)
            case _:
                yield value

    def _into(self, container: CSTNode) -> Iterator[Use | CSTNode]:
        """The value is now in this container: what is done to the container's contents is done to it."""
        root = self._containers.root(container)
        if root is None or (isinstance(root, cst.Name) and self._containers.is_parameter(root)):
            yield Use(UseKind.ARGUMENT, container)
        else:
            if isinstance(root, cst.Name):
                yield Use(UseKind.HELD, root)
            yield from self._bind(root, container)

    def _bind(self, target: CSTNode, value: CSTNode) -> Iterator[Use | CSTNode]:
        match target:
            case cst.Name(value=name):
                scope, _ = self.names.lookup(name, self.names.scope(target))
                if not isinstance(scope, (cst.FunctionDef, cst.Lambda)) and not _is_comprehension(scope):
                    yield Use(UseKind.KEPT, target, name)
                    if isinstance(scope, cst.ClassDef):
                        yield from self._loads_of(name, scope)
                yield from self.loads(name, scope)
            case cst.Attribute(attr=cst.Name(value=name)):
                owner = self._class_of(target.value)
                loads = tuple(self._loads_of(name, owner))
                bases = () if owner is None else self.names.mro(owner)
                is_own = is_read_here(bases, name) or are_looked_at(self.tree, loads)
                yield Use(UseKind.KEPT if is_own else UseKind.ARGUMENT, target, name)
                yield from loads
            case cst.Subscript(value=container):
                if self._containers.holds(container):
                    yield from self._into(container)
                else:
                    yield from self._item(target)
            case cst.Tuple(elements=elements) | cst.List(elements=elements):
                parts = value.elements if isinstance(value, (cst.Tuple, cst.List)) else ()
                for position, element in enumerate(elements):
                    part = parts[position].value if len(parts) == len(elements) else value
                    yield from self._bind(element.value, part)
            case _:
                yield Use(UseKind.OTHER, target)

    def _item(self, target: cst.Subscript) -> Iterator[Use | CSTNode]:
        """The value is now an item of something that is no container of this module."""
        wanted = item(target)
        uses = None if wanted is None else uses_of(self.tree, wanted, self._loads_like(wanted.base))
        yield Use(UseKind.KEPT if are_looked_at(self.tree, uses or ()) else UseKind.ARGUMENT, target)
        yield from uses or ()

    def _loads_like(self, base: cst.Name | cst.Attribute) -> Sequence[CSTNode]:
        """Where what an item is of is read: a parameter may be passed on to many, who know nothing of the item."""
        if isinstance(base, cst.Attribute):
            return list(self._loads_of(base.attr.value, self._class_of(base.value)))
        loads = self.loads(base.value, self.names.lookup(base.value, self.names.scope(base))[0])
        is_given = self._containers.is_parameter(base)
        return [load for load in loads if not (is_given and isinstance(self.tree.parents[load], cst.Arg))]

    def loads(self, name: str, scope: CSTNode | None) -> Sequence[CSTNode]:
        """Where the variable of a scope is read."""
        by_scope = self._loads_by_scope.get(name)
        if by_scope is None:
            by_scope = self._loads_by_scope[name] = defaultdict(list)
            for load in self._name_loads[name]:
                by_scope[self.names.lookup(name, self.names.scope(load))[0]].append(load)
        return by_scope.get(scope, ())

    def _loads_of(self, name: str, owner: cst.ClassDef | None) -> Iterator[CSTNode]:
        """Where the attribute of a class is read: of no other class that this module knows."""
        for load in self._attribute_loads[name]:
            other = self._class_of(load.value) if isinstance(load, cst.Attribute) else None
            if owner is None or other is None or self._may_be_one(owner, other):
                yield load

    def _class_of(self, node: CSTNode) -> cst.ClassDef | None:
        """The class of this module that an object is of."""
        found = self.names.type_of(node) or self.names.resolve(node)
        return found if isinstance(found, cst.ClassDef) else None

    def _may_be_one(self, owner: cst.ClassDef, other: cst.ClassDef) -> bool:
        """Whether an object may be of both classes: one derives from the other, or a third one from both."""
        if owner is other or "Mixin" in owner.name.value or "Mixin" in other.name.value:
            return True
        lines = (self.names.mro(definition) for definition in self.tree.all(cst.ClassDef))
        return any(owner in line and other in line for line in lines)

    @cached_property
    def _name_loads(self) -> dict[str, list[CSTNode]]:
        """Each name where it is read."""
        loads: dict[str, list[CSTNode]] = defaultdict(list)
        for name in self.tree.all(cst.Name):
            if self.is_read(name):
                loads[name.value].append(name)
        return loads

    @cached_property
    def _attribute_loads(self) -> dict[str, list[CSTNode]]:
        """Each attribute, on whatever object, where it is read; by `getattr`, the call of that."""
        loads: dict[str, list[CSTNode]] = defaultdict(list)
        for attribute in self.tree.all(cst.Attribute):
            parent = self.tree.parents[attribute]
            is_stored = _is_stored_or_label(attribute, parent, self.tree) or (
                isinstance(parent, cst.AugAssign) and parent.target is attribute
            )
            if not is_stored:
                loads[attribute.attr.value].append(attribute)
        for call in self.tree.all(cst.Call):
            match call:
                case cst.Call(func=cst.Name(value="getattr"), args=[_, cst.Arg(value=cst.SimpleString() as name), *_]):
                    loads[str(name.raw_value)].append(call)
        return loads


def _slot(arg: cst.Arg, call: cst.Call) -> str:
    """Which parameter an argument is for: its name or its place; empty where that is not known."""
    if arg.keyword is not None:
        return arg.keyword.value
    place = next(at for at, other in enumerate(call.args) if other is arg)
    return "" if any(other.star for other in call.args[: place + 1]) else str(place)


def _is_comprehension(node: CSTNode | None) -> bool:
    return isinstance(node, (cst.ListComp, cst.SetComp, cst.GeneratorExp, cst.DictComp))


def _is_stored_or_label(name: CSTNode, parent: CSTNode, tree: Tree) -> bool:
    """Whether a Name node is a binding, an attribute's own name or a keyword, not a reading of a variable."""
    kind = type(parent).__name__  # isinstance() with libcst's abstract classes is slow, and this runs for every name
    if kind in _LABELS:
        return getattr(parent, _LABELS[kind]) is name
    if kind in _ELEMENTS:
        holder = tree.parents[parent]
        return isinstance(holder, (cst.Tuple, cst.List)) and _is_stored_or_label(holder, tree.parents[holder], tree)
    return kind in _BINDERS
