"""The fix of a raw spawn: the callee becomes a SafeGo or SafeThread of the runtime, and a component and a policy
come before the arguments, which stay where they are."""

from __future__ import annotations

import functools
import itertools
import re
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple

from panicguard.model import Applicability, Edit, Fix
from panicguard.patterns import component_for, target_version
from panicguard.python import apis, imports
from panicguard.python.lazy import cst
from panicguard.python.spawns import Fate
from panicguard.settings import language
from panicguard.settings.fields import VERSIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from libcst import CSTNode

    from panicguard.python.module import Module
    from panicguard.python.spawns import Spawn

_HUMPS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|_+")
_FOLDED = frozenset(("target", "args", "kwargs", "name", "daemon"))
"""The arguments of Thread that SafeGo takes too."""
_STRINGS = re.compile(
    r"""\#[^\r\n]* | \"{3}.*?\"{3} | '{3}.*?'{3} | (?P<quote>["']) (?: (?!(?P=quote)) [^\\\r\n] | \\. )* (?P=quote)""",
    re.VERBOSE | re.DOTALL,
)
"""The strings of a module; `quote` is that of one in a single line, and nothing for others and for comments."""
_TELLING = 20_000
"""The characters that tell how a module is written."""
_OLDEST = VERSIONS.index("py310")
"""The Python that the runtime needs."""
_LINE = 80
"""What arguments may take in one line."""
_CONTEXT = "mruntime.Context"
_WITH_CONTEXT = "SafeGoWithContextAndComponent"
_WRAPPERS = frozenset(("functools.partial", "asyncio.to_thread", "asyncio.wait_for", "asyncio.shield"))
"""What runs its first argument: that is what has a name worth telling."""
_UNSPECIFIC = frozenset(
    "f fn func function target callable callback cb coro coroutine aw awaitable fut future task".split()
)
"""Names of variables that do not say what they hold."""


class _Names(NamedTuple):
    """The component and the policy as they are written, what separates them from the arguments, and the quote."""

    component: str
    policy: str
    separator: str
    quote: str

    def before(self, *others: str) -> str:
        """What goes before the first argument."""
        return "".join(part + self.separator for part in (self.component, self.policy, *others))


class _Rewrite(NamedTuple):
    """Edits, the name they call, and whether something about them is not sure."""

    callee: str
    edits: list[Edit]
    unsafe: bool = False


def spawn_fix(module: Module, spawn: Spawn) -> Fix | None:
    """The fix for a raw spawn; None where no rewrite is right."""
    if spawn.declared:
        return None
    if language(module.settings, module.source.path) == "pyi" or any(
        arg.star for arg in spawn.call.args if spawn.kind != "future"
    ):
        return None
    found = imports.reference(module, spawn.call)
    quote = _quote(module, spawn.call)
    if found is None or quote is None:
        return None
    policy = module.settings.default_policy
    written = f"{quote}{component(module, spawn)}{quote}"
    names = _Names(written, f"{found.prefix}{policy}", _separator(module, spawn.call), quote)
    rewrite = _rewrite(module, spawn, names)
    if rewrite is None:
        return None
    callee = Edit(*module.span(spawn.call.func), found.prefix + rewrite.callee)
    edits = tuple(sorted({callee, *rewrite.edits, *found.edits}))
    removed = (module.source.text[e.start : e.end] for e in edits)
    unsafe = rewrite.unsafe or spawn.guessed or policy != "KeepRunning" or any("#" in text for text in removed)
    if found.edits and VERSIONS.index(target_version(module.settings, module.source.path)) < _OLDEST:
        unsafe = True
    title = f"Spawn with `{found.prefix}{rewrite.callee}`"
    return Fix(title, edits, Applicability.UNSAFE if unsafe else Applicability.SAFE)


def _separator(module: Module, call: cst.Call) -> str:
    """What to write between new arguments: a line break where the call's own stand in lines of their own."""
    if call.args:
        row, column = module.source.location(module.span(call.args[0])[0])
        end_row, _ = module.source.location(module.span(call.args[-1])[1])
        margin = module.source.line(row)[: column - 1]
        if row < end_row and not margin.strip():
            return f",{module.source.newline}{margin}"
    return ", "


def _rewrite(module: Module, spawn: Spawn, names: _Names) -> _Rewrite | None:
    match spawn.kind, spawn.api:
        case "task", _:
            return _task(module, spawn, names)
        case "thread", apis.THREAD:
            return _thread(module, spawn, names)
        case "thread", "_thread.start_new_thread":
            return _start_new_thread(module, spawn, names)
        case "future", _:
            return _job(module, spawn, names)
    return None


def component(module: Module, spawn: Spawn) -> str:
    """The component of a spawn: the settings' for this path, a literal `name=`, the target's name, the module's."""
    configured = component_for(module.settings, module.source.path)
    if configured is not None:
        return configured
    literal = next(
        (
            str(arg.value.raw_value)
            for arg in spawn.call.args
            if arg.keyword is not None
            and arg.keyword.value == "name"
            and isinstance(arg.value, cst.SimpleString)
            and spawn.kind in ("task", "thread")
        ),
        "",
    )
    if re.fullmatch(r"[\w.:/ -]+", literal):
        return literal
    return _kebab(_target_name(module, spawn)) or _module_component(module.source.path)


def _target_name(module: Module, spawn: Spawn) -> str:
    """The name of what runs, without what only wraps it; "" where it has none, or one that says nothing."""
    target = spawn.target
    while True:
        if isinstance(target, cst.Call) and module.names.qualified(target.func) in _WRAPPERS and target.args:
            target = target.args[0].value
        elif isinstance(target, cst.Attribute) and target.attr.value == "run" and _is_context(module, target.value):
            target = _first_given(spawn.call, target)
        else:
            break
    callee = target.func if isinstance(target, cst.Call) else target
    if not isinstance(callee, (cst.Name, cst.Attribute)):
        return ""
    name = callee.attr.value if isinstance(callee, cst.Attribute) else callee.value
    if callee is target and name.strip("_") in _UNSPECIFIC and module.names.definition(callee) is None:
        return ""
    return name


def _is_context(module: Module, node: CSTNode | None) -> bool:
    """Whether an expression is a copy of the context variables."""
    if isinstance(node, cst.Name):
        _, bindings = module.names.lookup(node.value, module.names.scope(node))
        values = [binding.value for binding in bindings]
        node = values[0] if len(values) == 1 and isinstance(values[0], cst.Call) else None
    return isinstance(node, cst.Call) and module.names.qualified(node.func) == "contextvars.copy_context"


def _first_given(call: cst.Call, target: CSTNode) -> CSTNode | None:
    """The first argument that a spawn's target is called with."""
    for arg in call.args:
        if arg.keyword is not None and arg.keyword.value == "args" and isinstance(arg.value, (cst.Tuple, cst.List)):
            return arg.value.elements[0].value if arg.value.elements else None
    given = [arg.value for arg in call.args if arg.keyword is None]
    return next((below for above, below in itertools.pairwise(given) if above is target), None)


def _kebab(name: str) -> str:
    return _HUMPS.sub("-", name.strip("_")).lower()


def _module_component(path: str) -> str:
    pure = PurePath(path)
    stem = pure.parent.name if pure.stem.startswith("__") else pure.stem
    return _kebab(stem) or "main"


def _task(module: Module, spawn: Spawn, names: _Names) -> _Rewrite | None:
    """`create_task(send(x))` -> `SafeGo("send", KeepRunning, send(x))`, with `loop=` where it was called on one.

    Where no loop runs, `ensure_future` takes the one that is set, and SafeGo none. A future for another thread is of
    another type when its loop is this one or does not run yet.
    """
    args = spawn.call.args
    if spawn.target is None or args[0].keyword is not None or spawn.api.startswith("tornado."):
        return None
    if any(a.keyword is not None and a.keyword.value == "eager_start" for a in args):
        return None
    edits = [_insert(module.span(args[0])[0], names.before())]
    unsafe = False
    if spawn.api == "asyncio.ensure_future":
        unsafe = not _is_async(module.tree.function(spawn.call)) and not any(a.keyword is not None for a in args)
    elif spawn.api == "asyncio.run_coroutine_threadsafe":
        unsafe = spawn.fate is not Fate.DROPPED
        if len(args) == 2 and args[1].keyword is None:
            edits.append(_insert(module.span(args[1])[0], "loop="))
    elif spawn.api == f"{apis.LOOP}.create_task" and not _is_running_loop(module, spawn.owner):
        if spawn.owner is None:
            return None
        edits.append(_insert(module.span(args[-1])[1], f"{names.separator}loop={module.text(spawn.owner)}"))
        unsafe = _has_effects(module, spawn.owner)
    return _Rewrite("SafeGo", edits, unsafe)


def _is_async(function: CSTNode | None) -> bool:
    return isinstance(function, cst.FunctionDef) and function.asynchronous is not None


def _is_running_loop(module: Module, owner: CSTNode | None) -> bool:
    return isinstance(owner, cst.Call) and module.names.qualified(owner.func) == "asyncio.get_running_loop"


def _has_effects(module: Module, owner: CSTNode) -> bool:
    """Whether evaluating the receiver after the arguments instead of before could be noticed."""
    return any(
        isinstance(node, cst.Call) and module.names.qualified(node.func) not in apis.RETURNS
        for node in module.tree.within(owner)
    )


def _thread(module: Module, spawn: Spawn, names: _Names) -> _Rewrite | None:
    """`Thread(target=f).start()` -> `SafeGo("f", KeepRunning, f)`; a thread that is started elsewhere becomes a
    SafeThread with the arguments it has."""
    if module.names.qualified(spawn.call.func) != apis.THREAD or not spawn.call.args or _runs_later(module, spawn):
        return None
    return _folded(module, spawn, names) or _Rewrite(
        "SafeThread", [_insert(module.span(spawn.call.args[0])[0], names.before())]
    )


def _folded(module: Module, spawn: Spawn, names: _Names) -> _Rewrite | None:
    """The SafeGo for a thread whose construction and start are one chain or two neighbouring statements."""
    args = spawn.call.args
    keywords = [arg.keyword.value if arg.keyword is not None else "" for arg in args]
    if "target" not in keywords or not _FOLDED.issuperset(keywords):
        return None
    start = _start(module, spawn.call)
    if start is None or "#" in module.source.text[start.start : start.end]:
        return None
    at = keywords.index("target")
    value_at = _after_keyword(module, args[at])
    first = module.span(args[0])[0]
    if at == 0:
        handed = _handed_context(module, spawn)
        if handed is not None:
            ctx, taken = handed
            return _Rewrite(
                _WITH_CONTEXT, [Edit(first, value_at, f"{ctx}{names.separator}{names.before()}"), *taken, start]
            )
        return _Rewrite("SafeGo", [Edit(first, value_at, names.before()), start])
    target = module.source.text[value_at : module.span(args[at])[1]]
    moved = (
        Edit(module.span(args[at])[0], module.span(args[at + 1])[0], "")
        if at + 1 < len(args)
        else Edit(module.span(args[at - 1])[1], module.span(args[at])[1], "")
    )
    if "#" in module.source.text[moved.start : moved.end] or _has_effects(module, args[at].value):
        return None
    return _Rewrite("SafeGo", [_insert(first, names.before(target)), moved, start])


def _handed_context(module: Module, spawn: Spawn) -> tuple[str, list[Edit]] | None:
    """The runtime's Context that a thread hands its target as the first argument, and the edits that take it from
    there: SafeGoWithContextAndComponent hands it on."""
    above, given = next(
        (pair for pair in itertools.pairwise(spawn.call.args) if pair[1].keyword and pair[1].keyword.value == "args"),
        (None, None),
    )
    if above is None or given is None or not isinstance(given.value, cst.Tuple) or not given.value.elements:
        return None
    elements = given.value.elements
    if not _is_handed_on(module, spawn, elements[0].value):
        return None
    ctx = module.text(elements[0].value)
    if len(elements) == 1:
        return ctx, [Edit(module.span(above)[1], module.span(given)[1], "")]
    taken = [Edit(module.span(elements[0])[0], module.span(elements[1])[0], "")]
    if len(elements) == 2 and not isinstance(elements[1].comma, cst.Comma):
        taken.append(_insert(module.span(elements[1])[1], ","))
    return ctx, taken


def _is_handed_on(module: Module, spawn: Spawn, given: CSTNode) -> bool:
    """Whether the first argument for the target is a Context that it takes: its first parameter is annotated so, or is
    called `ctx` in a module that has the runtime already."""
    function, target = spawn.definition, spawn.target
    if not (
        isinstance(function, cst.FunctionDef)
        and isinstance(target, (cst.Name, cst.Attribute))
        and isinstance(given, (cst.Name, cst.Attribute))
    ):
        return False
    params = [*function.params.posonly_params, *function.params.params]
    if module.names.method_class(function) is not None:
        params = params[1:]
    if not params or module.names.type_of(given) not in (None, _CONTEXT):
        return False
    annotation = params[0].annotation
    if annotation is not None:
        return module.names.annotation(annotation.annotation, module.names.scope(function)) == _CONTEXT
    return params[0].name.value == "ctx" and imports.existing(module) is not None


def _start(module: Module, call: cst.Call) -> Edit | None:
    """The edit that removes the start of a thread, where it follows at once and nothing can tell the difference."""
    tree = module.tree
    attribute = tree.parents[call]
    if isinstance(attribute, cst.Attribute):
        started = tree.parents[attribute]
        if not (isinstance(started, cst.Call) and attribute.attr.value == "start" and not started.args):
            return None
        if not isinstance(tree.parents[started], cst.Expr):
            return None
        return Edit(module.span(call)[1], module.span(started)[1], "")
    return _next_statement_start(module, call)


def _next_statement_start(module: Module, call: cst.Call) -> Edit | None:
    """For `t = Thread(...)` and then `t.start()`: the removal of the second line. Only for a variable that nothing but
    this function sees: the new thread could look at any other before it is assigned."""
    tree = module.tree
    assign = tree.parents[call]
    if not (isinstance(assign, cst.Assign) and len(assign.targets) == 1):
        return None
    target = assign.targets[0].target
    line = tree.parents[assign]
    function = tree.function(assign)
    if not (isinstance(target, cst.Name) and isinstance(line, cst.SimpleStatementLine) and function is not None):
        return None
    scope, _ = module.names.lookup(target.value, module.names.scope(target))
    if scope is not function or any(
        isinstance(n, cst.Name) and n.value == target.value and module.names.scope(n) is not function
        for n in tree.within(function)
    ):
        return None
    block = getattr(tree.parents[line], "body", ())
    after = block[block.index(line) + 1] if line in block[:-1] else None
    if not (isinstance(after, cst.SimpleStatementLine) and len(after.body) == 1 and len(line.body) == 1):
        return None
    match after.body[0]:
        case cst.Expr(
            value=cst.Call(func=cst.Attribute(value=cst.Name(value=name), attr=cst.Name(value="start")), args=())
        ) if name == target.value:
            start, end = module.span(after)
            row, _ = module.source.location(start)
            end_row, _ = module.source.location(end)
            if "#" in module.source.line(end_row):
                return None
            return Edit(module.source.offset(row, 1), module.source.offset(end_row + 1, 1), "")
    return None


def _start_new_thread(module: Module, spawn: Spawn, names: _Names) -> _Rewrite | None:
    """`start_new_thread(f, (x,))` -> `SafeGo("f", KeepRunning, f, args=(x,), daemon=True)`: nobody waits for such a
    thread at exit. Its ident is lost, which only a reader of the result would miss."""
    args = spawn.call.args
    if len(args) < 2 or any(arg.keyword is not None for arg in args) or _runs_later(module, spawn):
        return None
    edits = [_insert(module.span(args[0])[0], names.before()), _insert(module.span(args[1])[0], "args=")]
    if len(args) > 2:
        edits.append(_insert(module.span(args[2])[0], "kwargs="))
    edits.append(_insert(module.span(args[-1])[1], f"{names.separator}daemon=True"))
    return _Rewrite("SafeGo", edits, unsafe=not isinstance(module.tree.parents[spawn.call], cst.Expr))


def _job(module: Module, spawn: Spawn, names: _Names) -> _Rewrite | None:
    """`pool.submit(f, x, k=1)` -> `SafeGo("f", KeepRunning, f, args=(x,), kwargs={"k": 1}, executor=pool)`, and the
    same for run_in_executor with `loop=`. Only for threads: a job in another process would have to be pickled."""
    args = list(spawn.call.args)
    executor = spawn.owner
    keywords: list[tuple[str, CSTNode]] = []
    if spawn.api == f"{apis.LOOP}.run_in_executor" and spawn.owner is not None and args and args[0].keyword is None:
        pool = args.pop(0)
        if isinstance(pool.value, cst.Name) and pool.value.value == "None":
            executor = None
        elif module.names.type_of(pool.value) in apis.THREAD_EXECUTORS:
            executor = pool.value
        else:
            return None
        keywords.append(("loop", spawn.owner))
    elif spawn.api not in (f"{pool}.submit" for pool in apis.THREAD_EXECUTORS):
        return None
    if executor is not None:
        keywords.insert(0, ("executor", executor))
    if not args or args[0].keyword is not None or args[0].star or _runs_later(module, spawn):
        return None
    callee, front = "SafeGo", names.before()
    edits: list[Edit] = []
    if len(args) > 1 and args[1].keyword is None and not args[1].star and _is_handed_on(module, spawn, args[1].value):
        handed = args.pop(1)
        callee, front = _WITH_CONTEXT, f"{module.text(handed)}{names.separator}{front}"
        edits.append(Edit(module.span(args[0])[1], module.span(handed)[1], ""))
    wrapped = _wrapped_arguments(module, args[1:], names)
    if wrapped is None:
        return None
    closing, wrapping = wrapped
    tail = "".join(f"{names.separator}{key}={module.text(value)}" for key, value in keywords)
    edits += (
        Edit(module.span(spawn.call.args[0])[0], module.span(args[0])[0], front),
        *wrapping,
        _insert(module.span(args[-1])[1], closing + tail),
    )
    if any("#" in module.source.text[edit.start : edit.end] for edit in edits):
        return None
    return _Rewrite(callee, edits, unsafe=any(_has_effects(module, value) for _, value in keywords))


def _runs_later(module: Module, spawn: Spawn) -> bool:
    """Whether calling the target runs none of it: an async function, a generator. SafeGo refuses those."""
    function = spawn.definition
    return isinstance(function, cst.FunctionDef) and (
        _is_async(function) or any(isinstance(node, cst.Yield) for node in module.tree.own(function))
    )


def _wrapped_arguments(module: Module, args: list[cst.Arg], names: _Names) -> tuple[str, list[Edit]] | None:
    """The edits that put a call's arguments into `args=(...)` and `kwargs={...}`, and what has to close them behind
    the last; None where positional and keyword arguments are mixed."""
    plain = [arg for arg in args if arg.keyword is None and arg.star != "**"]
    named = [arg for arg in args if arg not in plain]
    if args != [*plain, *named]:
        return None
    edits = [*_in_one_line(module, plain), *_in_one_line(module, named)]
    closing = ""
    if plain:
        edits.append(_insert(module.span(plain[0])[0], "args=("))
        closing = ",)" if len(plain) == 1 else ")"
    if named:
        if plain:
            edits.append(_insert(module.span(plain[-1])[1], closing))
        for position, arg in enumerate(named):
            opening = "kwargs={" if position == 0 else ""
            start = module.span(arg)[0]
            if arg.keyword is not None:
                key = f"{names.quote}{arg.keyword.value}{names.quote}"
                edits.append(Edit(start, _after_keyword(module, arg), f"{opening}{key}: "))
            elif opening:
                edits.append(_insert(start, opening))
        closing = "}"
    return closing, edits


def _in_one_line(module: Module, args: list[cst.Arg]) -> list[Edit]:
    """The edits that put a few short arguments into one line, where only commas and breaks stand between them."""
    gaps = [(module.span(above)[1], module.span(below)[0]) for above, below in itertools.pairwise(args)]
    plain = [gap for gap in gaps if re.fullmatch(r"\s*,\s*[\r\n]\s*", module.source.text[slice(*gap)])]
    if sum(len(module.text(arg)) + len(", ") for arg in args) > _LINE:
        return []
    return [Edit(*gap, ", ") for gap in plain]


def _after_keyword(module: Module, arg: cst.Arg) -> int:
    """The offset at which the value of a keyword argument starts, with its parentheses."""
    match = re.compile(r"\w+\s*=\s*").match(module.source.text, module.span(arg)[0])
    assert match is not None
    return match.end()


def _insert(at: int, text: str) -> Edit:
    return Edit(at, at, text)


def _quote(module: Module, node: CSTNode) -> str | None:
    """The quote for the component: the module's own, or the one that no f-string around it uses; None if none is."""
    used = "".join(_f_string_quotes(module, node))
    own = _preferred_quote(module.source.text)
    return next((quote for quote in (own, '"', "'") if quote not in used), None)


@functools.lru_cache(maxsize=4)
def _preferred_quote(text: str) -> str:
    """The quote that most strings of a module are in; of a long one, those in its beginning."""
    quotes = [match["quote"] for match in _STRINGS.finditer(text, 0, _TELLING)]
    return "'" if quotes.count("'") > quotes.count('"') else '"'


def _f_string_quotes(module: Module, node: CSTNode) -> Iterator[str]:
    for ancestor in module.tree.ancestors(node):
        if isinstance(ancestor, cst.FormattedString):
            yield ancestor.start


def component_fix(module: Module, spawn: Spawn) -> Fix | None:
    """SafeGoWithContext -> SafeGoWithContextAndComponent, with the component as the second argument."""
    args = spawn.call.args
    quote = _quote(module, spawn.call)
    if len(args) < 3 or any(arg.star for arg in args) or any(a.keyword is not None for a in args[:3]) or quote is None:
        return None
    new = _WITH_CONTEXT
    edits: list[Edit] = [_insert(module.span(args[1])[0], f"{quote}{component(module, spawn)}{quote}, ")]
    func = spawn.call.func
    if isinstance(func, cst.Attribute):
        edits.append(Edit(*module.span(func.attr), new))
    elif module.names.resolve_name(new, module.names.scope(func)) == f"mruntime.{new}":
        edits.append(Edit(*module.span(func), new))
    else:
        found = imports.reference(module, spawn.call)
        if found is None:
            return None
        edits += (Edit(*module.span(func), f"{found.prefix}{new}"), *found.edits)
    return Fix(f"Name the component with `{new}`", tuple(sorted(edits)))


def guard_fix(module: Module, definition: cst.ClassDef, run: cst.FunctionDef) -> Fix | None:
    """`@mruntime.guarded(component=...)` above `run`; to be shown, not applied."""
    found = imports.reference(module, run)
    if found is None:
        return None
    row, column = module.source.location(module.span(run)[0])
    indent = module.source.line(row)[: column - 1]
    at = module.source.offset(row, 1)
    decorator = f'{indent}@{found.prefix}guarded(component="{_kebab(definition.name.value)}"){module.source.newline}'
    edits = tuple(sorted((*found.edits, _insert(at, decorator))))
    return Fix("Guard `run` with the runtime", edits, Applicability.DISPLAY_ONLY)
