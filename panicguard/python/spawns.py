"""The spawns of a module: what is started, by which API, and who learns of a failure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from panicguard.python import apis
from panicguard.python.apis import SpawnKind
from panicguard.python.cst import cst
from panicguard.python.declared import is_declared
from panicguard.python.declared import spawner as declared_spawner
from panicguard.python.fates import Fate
from panicguard.python.ready import is_ready
from panicguard.python.scopes import BindingKind
from panicguard.python.tree import last_name
from panicguard.python.uses import UseKind
from panicguard.settings import last_part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from libcst import CSTNode

    from panicguard.python.fates import Fates
    from panicguard.python.flow import Flow
    from panicguard.python.names import Names
    from panicguard.python.tree import Tree
    from panicguard.python.uses import Use


@dataclass(frozen=True, slots=True)
class Spawn:
    """One spawn site.

    api: the qualified name ("asyncio.create_task"). target: the expression of what is run, and
    definition: its function, when it is in this module. owner: the loop, executor or group it is called on.
    """

    call: cst.Call
    api: str
    kind: SpawnKind
    target: CSTNode | None
    definition: cst.FunctionDef | cst.Lambda | None
    owner: CSTNode | None
    fate: Fate
    uses: tuple[Use, ...]
    guessed: bool = False
    """The receiver's type is unknown, and only its name suggests that it is a loop."""
    declared: bool = False
    """The settings say that it spawns; the kind is inferred."""
    handed: CSTNode | None = None
    """Where the API is only named, and `call` hands it to what calls it later: `call_soon(asyncio.create_task, x)`."""

    others: tuple[cst.FunctionDef | cst.Lambda, ...] = ()
    """The functions of the other arguments, where one call starts several."""

    @property
    def place(self) -> CSTNode:
        """Where the API is named."""
        return self.call.func if self.handed is None else self.handed

    @property
    def started(self) -> bool:
        """For a thread: whether the module starts it."""
        return any(use.kind is UseKind.METHOD and use.name == "start" for use in self.uses)

    def waited_for(self, tree: Tree) -> bool:
        """Whether it is awaited on the spot, which is a call like others; to await `go_async` is not."""
        return isinstance(tree.parents[self.call], cst.Await) and self.api.rpartition(".")[2] not in apis.AWAITED


_ALIASING = (BindingKind.IMPORT, BindingKind.VALUE, BindingKind.CLASS)
"""The bindings by which a name may stand for an API."""
_HANDLES = (SpawnKind.TASK, SpawnKind.GATHER, SpawnKind.THREAD, SpawnKind.FUTURE, SpawnKind.MAP)
"""The spawns that return a handle with the error."""
_LOOP_NAME = re.compile(r"(?:.*_)?loop")


@dataclass(frozen=True)
class _Finder:
    tree: Tree
    names: Names
    flow: Flow
    fates: Fates
    spawners: tuple[str, ...]
    guards: tuple[str, ...]

    def spawns(self) -> Iterator[Spawn]:
        aliases = self._aliases()
        imported = (known.name for known in self.names.elsewhere.imported)
        aliases.update(map(last_part, (*self.spawners, *self.guards, *imported)))
        for call in self.tree.all(cst.Call):
            last = last_name(call.func)
            if last in apis.SPAWN_NAMES or last in aliases or isinstance(call.func, cst.Call):
                yield from self._spawn(call)
            elif last in apis.CALLBACK_TAKERS:
                yield from self._handed_on(call)
        yield from self._mapped()

    def _aliases(self) -> set[str]:
        """Names under which this module may know a spawning API, and its thread classes."""
        return {
            name
            for scope in self.names.bindings.values()
            for name, bindings in scope.items()
            if any(b.kind in _ALIASING for b in bindings)
        }

    def _spawn(self, call: cst.Call) -> Iterator[Spawn]:
        spawner = self.names.resolve(call.func)
        guessed = False
        if (declared := self._declared(call)) is not None:
            yield declared
            return
        if isinstance(spawner, cst.ClassDef):
            spawner = apis.THREAD if self.names.is_a(spawner, apis.THREAD) else None
        if spawner not in apis.SPAWNS and self._is_called_loop(call.func):
            spawner, guessed = f"{apis.LOOP}.create_task", True
        if spawner is None and self._is_ray(call.func):
            spawner = apis.RAY_REMOTE
        if not isinstance(spawner, str):
            return
        if (of := self.names.elsewhere.of(spawner, "spawner")) is not None:
            yield self._imported(call, spawner, apis.SPAWNS[of])
            return
        api = apis.Api(SpawnKind.FUTURE) if spawner == apis.RAY_REMOTE else apis.SPAWNS.get(spawner)
        if api is None:
            return
        target = None if spawner == apis.RAY_REMOTE else _argument(call, api)
        if spawner == apis.ENSURE and target is not None and is_ready(self.names, target):
            return
        runs = call.func.value if spawner == apis.RAY_REMOTE else self._within_context(call, api, target)  # type: ignore[attr-defined]
        definition = self._run(runs)
        uses = tuple(self.flow.uses(call)) if api.kind in _HANDLES else ()
        fate = self.fates.of(uses)
        if api.kind in (SpawnKind.GROUP, SpawnKind.SAFE):
            fate = Fate.STRUCTURED
        elif api.kind is SpawnKind.MAP and uses and not isinstance(self.tree.parents[call], cst.Expr):
            fate = Fate.OBSERVED  # iterating over the results raises the errors
        owner = call.func.value if isinstance(call.func, cst.Attribute) and self._is_object(call.func) else None
        others = tuple(self._others(call)) if api.kind is SpawnKind.GATHER else ()
        yield Spawn(call, spawner, api.kind, target, definition, owner, fate, uses, guessed, others=others)

    def _others(self, gather: cst.Call) -> Iterator[cst.FunctionDef | cst.Lambda]:
        """The functions that a `gather` runs, but for its first argument; of `*values` those that are written there."""
        for arg in gather.args if gather.args and gather.args[0].star else gather.args[1:]:
            if arg.keyword is None:
                yield from (run for value in _written(arg) if (run := self._run(value)) is not None)

    def _declared(self, call: cst.Call) -> Spawn | None:
        """A spawn by a function of the project. What it runs is its first argument; a guard may have other arguments
        before that one."""
        values = [arg.value for arg in call.args]
        if is_declared(self.names, call.func, self.guards):
            target = next((node for node in values if self._run(node) is not None), None)
            name, runs = last_name(call.func), self._run(target)
            return Spawn(call, name, SpawnKind.SAFE, target, runs, None, Fate.STRUCTURED, (), declared=True)
        found = declared_spawner(self.names, call.func, self.spawners)
        if found is None:
            return None
        name, kind = found
        target = values[0] if values else None
        definition = self._run(target)
        uses = tuple(self.flow.uses(call))
        kind = kind or self._inferred(target, definition)
        return Spawn(call, name, kind, target, definition, None, self.fates.of(uses), uses, declared=True)

    def _inferred(self, target: CSTNode | None, definition: CSTNode | None) -> SpawnKind:
        """How something runs: as a task if it is a coroutine or an async function, else as a thread."""
        is_async = isinstance(definition, cst.FunctionDef) and definition.asynchronous is not None
        is_called = isinstance(target, cst.Call) and self.names.qualified(target.func) != "functools.partial"
        return SpawnKind.TASK if is_async or is_called else SpawnKind.THREAD

    def _imported(self, call: cst.Call, name: str, api: apis.Api) -> Spawn:
        """A spawn by a function of another module, which hands its first argument on and returns the handle."""
        target = _argument(call, api)
        uses = tuple(self.flow.uses(call))
        return Spawn(call, name, api.kind, target, self._run(target), None, self.fates.of(uses), uses, declared=True)

    def _mapped(self) -> Iterator[Spawn]:
        """`map(asyncio.create_task, ...)`: each element is a handle."""
        for call in self.tree.all(cst.Call):
            if len(call.args) > 1 and isinstance(call.func, cst.Name) and call.func.value == "map":
                spawner = self.names.qualified(call.args[0].value)
                api = apis.SPAWNS.get(spawner or "")
                if spawner and api and api.kind is SpawnKind.TASK and self.names.qualified(call.func) == "map":
                    uses = tuple(self.flow.uses(call))
                    yield Spawn(
                        call, spawner, SpawnKind.TASK, None, None, None, self.fates.of(uses), uses, guessed=False
                    )

    def _handed_on(self, call: cst.Call) -> Iterator[Spawn]:
        """`loop.call_soon(asyncio.create_task, send(x))`: the loop calls it, and drops the handle."""
        place = apis.CALLBACK_TAKERS[last_name(call.func)]
        if place >= len(call.args) or any(arg.star or arg.keyword for arg in call.args[: place + 1]):
            return
        handed: CSTNode = call.args[place].value
        given, first = call, place + 1
        if isinstance(handed, cst.Call) and self.names.qualified(handed.func) == "functools.partial" and handed.args:
            given, first = handed, 1
            handed = handed.args[0].value
        if not isinstance(handed, (cst.Name, cst.Attribute)):
            return
        spawner = self.names.qualified(handed) or ""
        api = apis.SPAWNS.get(spawner)
        if api is None or api.kind not in (SpawnKind.TASK, SpawnKind.FUTURE) or self.fates.logs(call):
            return
        target = _argument(given, apis.Api(api.kind, api.target + first, api.keyword))
        yield Spawn(call, spawner, api.kind, target, self._run(target), None, Fate.DROPPED, (), handed=handed)

    def _is_object(self, func: cst.Attribute) -> bool:
        """Whether the callee is a method of an object, not a function of a module."""
        name = self.names.qualified(func.value)
        return name is None or self.names.elsewhere.of(name, "object") is not None

    def _is_called_loop(self, func: CSTNode) -> bool:
        if not (isinstance(func, cst.Attribute) and func.attr.value == "create_task"):
            return False
        if not _LOOP_NAME.fullmatch(last_name(func.value)) or self.names.type_of(func.value) is not None:
            return False
        root: CSTNode = func
        while isinstance(root, cst.Attribute):
            root = root.value
        return isinstance(root, cst.Call) or (isinstance(root, cst.Name) and self.names.qualified(root) is None)

    def _is_ray(self, func: CSTNode) -> bool:
        if not (isinstance(func, cst.Attribute) and func.attr.value == "remote"):
            return False
        function = self.names.definition(func.value)
        return isinstance(function, cst.FunctionDef) and any(
            self.names.qualified(d.decorator.func if isinstance(d.decorator, cst.Call) else d.decorator)
            == apis.RAY_REMOTE
            for d in function.decorators
        )

    def _within_context(self, call: cst.Call, api: apis.Api, target: CSTNode | None) -> CSTNode | None:
        """What runs: for the `run` of a context, the first argument that it gets."""
        if target is None or self.names.qualified(target) != f"{apis.CONTEXT}.run":
            return target
        rest = apis.Api(
            api.kind, 3 if api.kind is SpawnKind.THREAD and api.keyword == "target" else api.target + 1, "args"
        )
        given = _argument(call, rest)
        if isinstance(given, (cst.Tuple, cst.List)):
            return given.elements[0].value if given.elements else None
        return given

    def _run(self, target: CSTNode | None) -> cst.FunctionDef | cst.Lambda | None:
        """The function that runs when the target is started: for `send(x)`, send."""
        if isinstance(target, cst.Call) and self.names.qualified(target.func) != "functools.partial":
            target = target.func
        definition = None if target is None else self.names.definition(target)
        return definition if isinstance(definition, (cst.FunctionDef, cst.Lambda)) else None


def find(
    tree: Tree,
    names: Names,
    flow: Flow,
    fates: Fates,
    spawners: tuple[str, ...] = (),
    guards: tuple[str, ...] = (),
) -> tuple[Spawn, ...]:
    """All spawns of a module: raw ones, those that an owner awaits, and those that are already safe; `spawners` and
    `guards` are functions of the project that spawn raw and safely."""
    return tuple(_Finder(tree, names, flow, fates, spawners, guards).spawns())


def _written(arg: cst.Arg) -> Iterator[CSTNode]:
    """The expressions of an argument: of `*` the elements of a display, or that of a comprehension."""
    match arg.value:
        case cst.List(elements=elements) | cst.Tuple(elements=elements) if arg.star:
            yield from (element.value for element in elements)
        case cst.ListComp(elt=value) | cst.GeneratorExp(elt=value) | cst.SetComp(elt=value) if arg.star:
            yield value
        case value:
            yield value


def _argument(call: cst.Call, api: apis.Api) -> CSTNode | None:
    """The expression of what is spawned."""
    positional = 0
    for arg in call.args:
        if arg.star:
            return None
        if arg.keyword is None:
            if positional == api.target:
                return arg.value
            positional += 1
        elif arg.keyword.value == api.keyword:
            return arg.value
    return None
