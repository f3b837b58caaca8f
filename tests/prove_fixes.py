"""Fix a copy of a tree and prove that nothing else changed.

    python tests/prove_fixes.py DIRECTORY [--unsafe-fixes] [--config "KEY = VALUE"] [--keep COPY]

Checked for every changed file, and printed with its path and line if it does not hold:

- it compiles, under the newest Python that compiles the original;
- imports of names that nothing uses any more, and variables that nothing reads, are gone, and blank lines beside them;
- its syntax tree is the original's, except for the spawns that became calls of the runtime and hold the same arguments,
  one import of the runtime at the top and one behind imports in a function or a cell of marimo, which then returns it
  and is passed it, a `start()` that such a call took in, and what two unsafe fixes add: a `raise` at the end of a
  handler, and a default that binds a lambda's variable;
- each of those arguments is written as it was, and outside of these calls and lines the text is the same, character for
  character, and so are the comments within; where a row would have become too long, or is aligned with a bracket, the
  tokens are the same;
- a second run changes nothing.

The comparison reads trees of Python's `ast` and does not depend on how a fix is made.
"""

from __future__ import annotations

import argparse
import ast
import collections
import io
import itertools
import json
import re
import shutil
import subprocess
import sys
import tempfile
import tokenize
import warnings
from pathlib import Path

RUNTIME = ("SafeGo", "SafeGoWithContextAndComponent", "SafeThread", "SafeTimer")
POLICIES = ("KeepRunning", "CrashProcess")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
IMPORTS = (ast.Import, ast.ImportFrom)
Function = ast.Lambda | ast.FunctionDef | ast.AsyncFunctionDef
NEWLINE = re.compile(r"\r\n|\r|\n")
UNPARENTHESIZED = re.compile(r"^([ \t]*except) ([\w.]+(?:, [\w.]+)+)(?=:)", re.MULTILINE)
"""`except A, B:`, which Python knows from 3.14 on: without one, both texts are read with parentheses."""


CLOSING = (")", "]", "}")
LAYOUT = (tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.COMMENT)


class Text:
    """A module's text, and where in it its nodes stand."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.starts = [0, *(match.end() for match in NEWLINE.finditer(text)), len(text)]

    def span(self, node: ast.AST) -> tuple[int, int]:
        return self._offset(node.lineno, node.col_offset), self._offset(node.end_lineno, node.end_col_offset)

    def _offset(self, row: int, column: int) -> int:
        line = self.text[self.starts[row - 1] : self.starts[row]]
        return self.starts[row - 1] + len(line.encode()[:column].decode())

    def lines(self, node: ast.AST) -> tuple[int, int]:
        """The whole lines a statement stands in."""
        return self.starts[node.lineno - 1], self.starts[node.end_lineno]

    def of(self, node: ast.AST) -> str:
        start, end = self.span(node)
        return self.text[start:end]


class Comparison:
    """What is wrong with the change from one text to another."""

    def __init__(self, before: str, after: str) -> None:
        self.old, self.new = Text(before), Text(after)
        self.complaints: list[str] = []
        self.replaced: list[tuple[tuple[int, int], tuple[int, int]]] = []
        self.removed: list[tuple[int, int]] = []
        self.added: list[tuple[int, int]] = []
        self.imported: list[ast.stmt] = []
        self.is_at_top = False
        self.unstarted: list[ast.Call] = []
        self.unused: list[tuple[str, ast.stmt]] = []
        trees = [ast.parse(text) for text in (before, after)]
        self.imports = imports(trees[0])
        self.statements(trees[0].body, trees[1].body, module=True)
        for call in self.unstarted:
            self.complain(call, "a thread is started that was not")
        for name, statement in self.unused:
            if is_used(trees[1], name, statement):
                self.complain(statement, f"{name} is gone, but used")
        if not self.complaints:
            self.texts()

    def complain(self, node: ast.AST, what: str) -> None:
        self.complaints.append(f"line {getattr(node, 'lineno', '?')}: {what}")

    # Trees

    def statements(
        self, olds: list[ast.stmt], news: list[ast.stmt], *, module: bool = False, handler: bool = False
    ) -> None:
        rest = collections.deque(self.without_gone(olds, news))
        lost = len(rest) < len(olds)
        for above, new in itertools.pairwise((None, *news)):
            if self.is_import(new, above, module, lost) and not (rest and ast.dump(rest[0]) == ast.dump(new)):
                self.imported.append(new)
                self.is_at_top = self.is_at_top or module
            elif handler and new is news[-1] and is_bare_raise(new) and not rest:
                self.added.append(self.new.lines(new))
            elif handler and is_bare_raise(new) and rest and isinstance(rest[0], ast.Pass):
                self.replaced.append((self.old.span(rest.popleft()), self.new.span(new)))
            elif not rest:
                self.complain(new, "a new statement")
            else:
                old = rest.popleft()
                if isinstance(old, ast.Assign) and isinstance(new, ast.Expr) and isinstance(old.targets[0], ast.Name):
                    self.unused.append((old.targets[0].id, old))
                    self.removed.append((self.old.span(old)[0], self.old.span(old.value)[0]))
                    self.nodes(old.value, new.value)
                else:
                    self.nodes(old, new)
                call = getattr(new, "value", None)
                if call in self.unstarted and rest and is_start_of(rest[0], old):
                    self.unstarted.remove(call)
                    self.removed.append(self.old.lines(rest.popleft()))
        if rest:
            self.complain(rest[0], "a statement of the original is gone")

    def without_gone(self, olds: list[ast.stmt], news: list[ast.stmt]) -> list[ast.stmt]:
        """The statements of the original without the imports that are gone; one that lacks names is as it is now."""
        kept = {ast.dump(new) for new in news}
        rest: list[ast.stmt] = []
        for old in olds:
            if not isinstance(old, IMPORTS) or ast.dump(old) in kept:
                rest.append(old)
                continue
            names = [ast.dump(alias) for alias in old.names]
            now = next((new for new in news if is_from_the_same(old, new) and lacks_some(names, new)), None)
            if now is None:
                self.removed.append(self.old.lines(old))
            else:
                rest.append(now)
                self.replaced.append((self.old.span(old), self.new.span(now)))
            left = [] if now is None else [ast.dump(alias) for alias in now.names]
            gone = [alias for alias in old.names if ast.dump(alias) not in left]
            self.unused += [((alias.asname or alias.name).partition(".")[0], old) for alias in gone]
        return rest

    def is_import(self, statement: ast.stmt, above: ast.stmt | None, module: bool, lost: bool) -> bool:
        """Whether it imports the runtime, once at the top, elsewhere behind what is imported there or instead of it."""
        return (not self.is_at_top if module else lost or isinstance(above, (ast.Import, ast.ImportFrom))) and (
            isinstance(statement, (ast.Import, ast.ImportFrom))
            and [alias.name.rpartition(".")[2] for alias in statement.names] == ["mruntime"]
        )

    def nodes(self, old: ast.AST, new: ast.AST) -> None:
        if isinstance(old, ast.Call) and isinstance(new, ast.Call) and runtime_name(new) and not runtime_name(old):
            self.spawn(old, new)
            return
        if isinstance(old, ast.Call) and isinstance(new, ast.Call) and (place := handed(old, new)) is not None:
            self.handed_on(old, new, place)
            return
        if type(old) is not type(new):
            self.complain(new, f"{type(old).__name__} became {type(new).__name__}")
            return
        if (
            isinstance(old, ast.Return)
            and ast.dump(old) != ast.dump(new)
            and returned(new) == [*returned(old), "mruntime"]
        ):
            self.replaced.append((self.old.span(old), self.new.span(new)))
            return
        bound = isinstance(old, (ast.Lambda, *FUNCTIONS)) and ast.dump(old.args) != ast.dump(new.args)
        if bound:
            self.parameters(old, new)
        for field in old._fields:
            if not (bound and field == "args"):
                self.values(new, field, getattr(old, field, None), getattr(new, field, None))

    def values(self, node: ast.AST, field: str, old: object, new: object) -> None:
        if isinstance(old, ast.AST) and isinstance(new, ast.AST):
            self.nodes(old, new)
        elif isinstance(old, list) and isinstance(new, list):
            if old and isinstance(old[0], ast.stmt):
                self.statements(old, new, handler=isinstance(node, ast.ExceptHandler))
            elif len(old) != len(new):
                self.complain(node, f"{field} of {type(node).__name__} has another length")
            else:
                for one, other in zip(old, new, strict=True):
                    self.values(node, field, one, other)
        elif (type(old), old) != (type(new), new):
            self.complain(node, f"{old!r} became {new!r}")

    def parameters(self, old: Function, new: Function) -> None:
        """A function with further parameters, each with the variable of that name as its default."""
        before, after = parameters(old), parameters(new)
        added = [entry for entry in after if entry not in before]
        if is_cell(new) and added == [("mruntime", "")]:
            added = []
        if [entry for entry in after if entry in before] != before or any(name != default for name, default in added):
            self.complain(new, "other parameters")
        (start, _), (new_start, _) = self.old.span(old), self.new.span(new)
        ends = [text.span(body_of(node))[0] for text, node in ((self.old, old), (self.new, new))]
        self.replaced.append(((start, ends[0]), (new_start, ends[1])))

    # Spawns

    def spawn(self, old: ast.Call, new: ast.Call) -> None:
        """A spawn became a call of the runtime: a component, a policy, and its arguments."""
        self.replaced.append((self.old.span(old), self.new.span(new)))
        name = runtime_name(new)
        args = list(new.args)
        context = [args.pop(0)] if name == "SafeGoWithContextAndComponent" and args else []
        if not (args and is_component(args.pop(0))):
            self.complain(new, "no component")
            return
        if last_name(old.func) == "SafeGoWithContext":
            self.arguments(new, old.args, [*context, *args])
            self.keywords(new, [(keyword.arg, keyword.value) for keyword in old.keywords])
            return
        if not (args and last_name(args.pop(0)) in POLICIES):
            self.complain(new, "no policy")
            return
        is_started = isinstance(old.func, ast.Attribute) and old.func.attr == "start" and not (old.args or old.keywords)
        call = old.func.value if is_started and isinstance(old.func.value, ast.Call) else old
        if call is not old and (name == "SafeThread" or not has_target(call)):
            self.complain(new, "`.start()` is gone")
        elif call is old and name != "SafeThread" and has_target(call):
            self.unstarted.append(new)
        given, keywords = expected(call, name, self.imports)
        self.arguments(new, given, [*context, *args])
        self.keywords(new, keywords)

    def handed_on(self, old: ast.Call, new: ast.Call, place: int) -> None:
        """What spawns is handed to another call, before its arguments, and became a function of the runtime."""
        self.replaced.append((self.old.span(old), self.new.span(new)))
        component, policy = [*new.args[place + 1 : place + 3], None, None][:2]
        if component is None or policy is None or not is_component(component) or last_name(policy) not in POLICIES:
            self.complain(new, "no component or no policy")
            return
        self.nodes(old.func, new.func)
        self.arguments(new, old.args[:place], new.args[:place])
        self.arguments(new, old.args[place + 1 :], new.args[place + 3 :])
        self.keywords(new, [(keyword.arg, keyword.value) for keyword in old.keywords])

    def arguments(self, new: ast.Call, olds: list[ast.expr], news: list[ast.expr]) -> None:
        if len(olds) != len(news):
            self.complain(new, "more or fewer arguments")
            return
        for one, other in zip(olds, news, strict=True):
            self.argument(one, other)

    def keywords(self, new: ast.Call, olds: list[tuple[str | None, object]]) -> None:
        """The keywords of the new call. The value of an old one is a node, a list of nodes for a tuple of them, a dict
        of nodes, or a constant."""
        if [keyword.arg for keyword in new.keywords] != [name for name, _ in olds]:
            self.complain(new, "other keywords")
            return
        for keyword, (_, old) in zip(new.keywords, olds, strict=True):
            value = keyword.value
            if isinstance(old, list) and isinstance(value, (ast.Tuple, ast.List)):
                self.arguments(new, old, value.elts)
            elif isinstance(old, dict) and isinstance(value, ast.Dict):
                if [getattr(key, "value", None) for key in value.keys] != list(old):
                    self.complain(new, "other keys")
                self.arguments(new, list(old.values()), value.values)
            elif isinstance(old, ast.AST):
                self.argument(old, value)
            elif not isinstance(value, ast.Constant) or value.value is not old:
                self.complain(new, f"another {keyword.arg}")

    def argument(self, old: ast.AST, new: ast.AST) -> None:
        """The same expression, and written the same except for the fixes in it."""
        fixes = len(self.replaced)
        self.nodes(old, new)
        if len(self.replaced) == fixes and not is_same(f"({self.old.of(old)})", f"({self.new.of(new)})"):
            self.complain(new, "an argument is written in another way")

    # Texts

    def texts(self) -> None:
        """What is left without the places of the fixes is the same, and so are all comments."""
        olds = outermost([span for span, _ in self.replaced])
        news = outermost([span for _, span in self.replaced])
        before = without(self.old.text, olds, self.removed)
        after = [without(self.new.text, news, added) for added in self.insertions()]
        if self.unused:  # blank rows in strings were compared with the trees
            before, *after = ("\n".join(without_blank_rows(text)) for text in (before, *after))
        if not any(is_same(before, text) for text in after):
            self.complaints.append("the text around the fixes changed")
        if comments(self.old.text) != comments(self.new.text):
            self.complaints.append("the comments changed")

    def insertions(self) -> list[list[tuple[int, int]]]:
        """The inserted lines; each import with or without a blank line above and below that comes with it."""
        return [[*self.added, *spans] for spans in itertools.product(*map(self.lines_with, self.imported))]

    def lines_with(self, statement: ast.stmt) -> list[tuple[int, int]]:
        start, end = self.new.lines(statement)
        above = re.search(r"(?:\r\n|\r|\n)?\Z", self.new.text[:start])
        below = NEWLINE.match(self.new.text, end)
        return [(a, b) for a in {start, above.start()} for b in {end, below.end() if below else end}]


def expected(
    call: ast.Call, name: str, imports: dict[str, str]
) -> tuple[list[ast.expr], list[tuple[str | None, object]]]:
    """The arguments and keywords that the new call must have after the component and the policy, by the form of the old
    one. For SafeGoWithContextAndComponent the context comes first. `imports`: what the module's imported names are."""
    keywords = [(keyword.arg, keyword.value) for keyword in call.keywords]
    receiver = call.func.value if isinstance(call.func, ast.Attribute) else None
    targets = [value for key, value in keywords if key == "target"]
    handed = 1 if name == "SafeGoWithContextAndComponent" else 0
    api = last_name(call.func)
    match imports.get(api, api):
        case _ if name == "SafeThread":
            return call.args, keywords
        case _ if targets:
            others = [(key, value) for key, value in keywords if key != "target"]
            if name == "SafeGo":
                return [*call.args, *targets], others
            context, *rest = dict(others)["args"].elts
            others = [(key, rest if key == "args" else value) for key, value in others if key != "args" or rest]
            return [context, *targets], others
        case "start_new_thread" | "start_new":
            names = ("args", "kwargs")[: len(call.args) - 1]
            return call.args[:1], [*zip(names, call.args[1:], strict=True), ("daemon", True)]
        case "submit":
            function, *others = call.args
            return [*others[:handed], function], [*packed(others[handed:], keywords), ("executor", receiver)]
        case "run_in_executor":
            pool, function, *others = call.args
            executor = [] if ast.dump(pool) == ast.dump(ast.Constant(None)) else [("executor", pool)]
            return [*others[:handed], function], [*packed(others[handed:], []), *executor, ("loop", receiver)]
        case "run_coroutine_threadsafe":
            return call.args[:1], [*(("loop", loop) for loop in call.args[1:]), *keywords]
        case "create_task" if receiver is not None and not (
            last_name(receiver) == "get_running_loop"
            or (isinstance(receiver, ast.Name) and is_module(receiver, imports))
        ):
            return call.args, [*keywords, ("loop", receiver)]
    return call.args, keywords


def is_module(name: ast.Name, imports: dict[str, str]) -> bool:
    """Whether a name is that of a module that is imported, and no constant of one."""
    return name.id in imports and not imports[name.id].isupper()


def imports(tree: ast.AST) -> dict[str, str]:
    """The names that are imported anywhere, and what they are in their modules."""
    found = [alias for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom)) for alias in node.names]
    return {alias.asname or alias.name.partition(".")[0]: alias.name for alias in found}


def packed(args: list[ast.expr], keywords: list[tuple[str | None, ast.expr]]) -> list[tuple[str | None, object]]:
    return [*([("args", args)] if args else []), *([("kwargs", dict(keywords))] if keywords else [])]


def handed(old: ast.Call, new: ast.Call) -> int | None:
    """Which argument of a call became a function of the runtime."""
    for place, pair in enumerate(zip(old.args, new.args, strict=False)):
        names = [last_name(node) if isinstance(node, (ast.Name, ast.Attribute)) else "" for node in pair]
        if names[1] in RUNTIME and names[0] not in RUNTIME:
            return place
    return None


def runtime_name(call: ast.Call) -> str:
    name = last_name(call.func)
    return name if name in RUNTIME else ""


def last_name(node: ast.AST) -> str:
    node = node.func if isinstance(node, ast.Call) else node
    return getattr(node, "attr", getattr(node, "id", ""))


def has_target(call: ast.Call) -> bool:
    """Whether it makes a thread."""
    return any(keyword.arg == "target" for keyword in call.keywords)


def is_component(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.strip() != ""


def is_from_the_same(old: ast.stmt, new: ast.stmt | None) -> bool:
    """Whether two imports are of one form, and from one module."""
    where = [(getattr(statement, "module", None), getattr(statement, "level", None)) for statement in (old, new)]
    return type(old) is type(new) and where[0] == where[1]


def is_used(tree: ast.Module, name: str, gone: ast.stmt) -> bool:
    """Whether a name is read that an import at the top level bound."""
    if not isinstance(gone, IMPORTS) or gone.col_offset:
        return False
    own = [f for f in ast.walk(tree) if isinstance(f, FUNCTIONS)]
    inner = [f for f in own if name in imports(f) or name in [parameter for parameter, _ in parameters(f)]]
    hidden = {id(node) for function in inner for node in ast.walk(function)}
    reads = (node for node in ast.walk(tree) if isinstance(node, ast.Name))
    return any(node.id == name and id(node) not in hidden for node in reads)


def lacks_some(names: list[str], new: ast.stmt) -> bool:
    left = [ast.dump(alias) for alias in new.names]
    return len(left) < len(names) and [name for name in names if name in left] == left


def without_blank_rows(text: str) -> list[str]:
    return [row for row in NEWLINE.split(text) if row.strip()]


def is_bare_raise(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Raise) and statement.exc is None


def is_cell(function: ast.AST) -> bool:
    """Whether it is a cell of a notebook of marimo."""
    decorators = getattr(function, "decorator_list", ())
    return any(ast.unparse(decorator).partition("(")[0].endswith(".cell") for decorator in decorators)


def returned(statement: ast.Return) -> list[str]:
    """The names in a tuple that is returned; of anything else, its text."""
    if statement.value is None:
        return []
    return [ast.unparse(node) for node in getattr(statement.value, "elts", (statement.value, statement.value))]


def is_start_of(statement: ast.stmt, assigned: ast.stmt) -> bool:
    """Whether it is `t.start()`, after `t = ...`."""
    match statement, assigned:
        case (
            ast.Expr(ast.Call(ast.Attribute(ast.Name(name), "start"), [], [])),
            ast.Assign([ast.Name(target)]),
        ):
            return name == target
    return False


def body_of(function: Function) -> ast.AST:
    return function.body[0] if isinstance(function.body, list) else function.body


def parameters(function: Function) -> list[tuple[str, str]]:
    """Each parameter with the text of its default; none has one that is a variable of its name by chance."""
    args = function.args
    plain = [*args.posonlyargs, *args.args]
    defaults = [None] * (len(plain) - len(args.defaults)) + args.defaults
    every = [*zip(plain, defaults, strict=True), *zip(args.kwonlyargs, args.kw_defaults, strict=True)]
    every += [(extra, None) for extra in (args.vararg, args.kwarg) if extra is not None]
    return [(arg.arg, "" if default is None else ast.unparse(default)) for arg, default in every]


def outermost(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if not found or start >= found[-1][1]:
            found.append((start, end))
    return found


def without(text: str, replaced: list[tuple[int, int]], gone: list[tuple[int, int]]) -> str:
    """The text with a mark in place of each fix, and without what is gone."""
    pieces, at = [], 0
    for start, end, mark in sorted([*((*span, "\0") for span in replaced), *((*span, "") for span in gone)]):
        pieces += (text[at:start], mark)
        at = end
    return "".join((*pieces, text[at:]))


def comments(text: str) -> list[str]:
    tokens = tokenize.generate_tokens(io.StringIO(NEWLINE.sub("\n", text)).readline)
    return [token.string.rstrip() for token in tokens if token.type == tokenize.COMMENT]


def is_same(before: str, after: str) -> bool:
    """Whether two texts are the same, but for the row breaks, margins and last commas within brackets."""
    return before == after or laid_flat(before) == laid_flat(after)


def laid_flat(text: str) -> list[str]:
    """The tokens of a text, without comments, without what breaks rows, and without the last comma in brackets."""
    flat: list[str] = []
    rows = io.StringIO(NEWLINE.sub("\n", text.replace("\0", "_FIX_")))
    for token in tokenize.generate_tokens(rows.readline):
        if token.type in LAYOUT:
            continue
        if token.string in CLOSING and flat[-1:] == [","]:
            flat.pop()
        flat.append(token.string)
    return flat


def compare(before: str, after: str) -> list[str] | None:
    """What is wrong with a change; None if this Python does not compile the original."""
    try:
        compile(before, "before", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return None
    try:
        compile(after, "after", "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        return [f"does not compile: {error}"]
    return Comparison(before, after).complaints


def compare_all() -> None:
    """Under some Python: texts from standard input, complaints to standard output."""
    warnings.simplefilter("ignore")
    sys.setrecursionlimit(20_000)
    json.dump([compare(before, after) for before, after in json.load(sys.stdin)], sys.stdout)


# Under the Python that panicguard is installed in


def prove(directory: Path, *, unsafe: bool, config: list[str]) -> int:
    first = fixed(directory, unsafe, config)
    changed = [result for result in first if result.original is not None]
    pairs = {r.source.path: (r.original.text, r.source.text) for r in changed}
    again = [result.source.path for result in fixed(directory, unsafe, config) if result.original is not None]
    faults = [(r.source.path, d.message) for r in first for d in r.diagnostics if d.code == "internal-error"]

    rules = collections.Counter(code for result in changed for code in result.fixed)
    print(f"{len(first)} files, {len(changed)} changed, {sum(rules.values())} fixes: {dict(sorted(rules.items()))}")
    complaints: list[tuple[str, str]] = []
    for python in pythons():
        complaints += compared(python, f"compared by {Path(python).name}", pairs)
    parenthesized = {
        path: tuple(UNPARENTHESIZED.sub(r"\1 (\2)", text) for text in texts) for path, texts in pairs.items()
    }
    complaints += compared(pythons()[0], "with parentheses around `except A, B`", parenthesized)
    complaints += [(path, "no Python here compiles the original") for path in parenthesized]
    print(f"{len(complaints)} differences, {len(again)} changed by a second run, {len(faults)} internal errors")
    for path, message in [*complaints, *((path, "changed again") for path in again), *faults]:
        print(f"  {path}: {message}")
    return 1 if complaints or again or faults else 0


def fixed(directory: Path, unsafe: bool, config: list[str]) -> list:
    """What all files come to by these settings; the fixes are written."""
    from panicguard.config import default
    from panicguard.files import discover
    from panicguard.run import workers
    from panicguard.run.task import Does, Task

    its = default(str(directory), config)
    return list(workers.run(discover.discover([str(directory)], lambda _: its), Task(Does.FIX, unsafe=unsafe)))


def compared(python: str, how: str, pairs: dict[str, tuple[str, str]]) -> list[tuple[str, str]]:
    """The complaints of one Python. Takes out of `pairs` those it could read."""
    command = [python, __file__, "--compare"]
    answer = subprocess.run(command, input=json.dumps(list(pairs.values())), capture_output=True, text=True, check=True)
    found = [
        (path, said) for path, said in zip(list(pairs), json.loads(answer.stdout), strict=True) if said is not None
    ]
    for path, _ in found:
        del pairs[path]
    if found:
        print(f"{len(found)} files {how}")
    return [(path, complaint) for path, said in found for complaint in said]


def pythons() -> list[str]:
    """The Pythons there are, newest first, one of each version; the running one is among them."""
    found = {sys.version_info[:2]: sys.executable}
    root = (
        subprocess.run(["pyenv", "root"], capture_output=True, text=True).stdout.strip()
        if shutil.which("pyenv")
        else ""
    )
    for minor in range(10, 20):
        paths = [str(path) for path in Path(root).glob(f"versions/*/bin/python3.{minor}")] if root else []
        for path in (shutil.which(f"python3.{minor}"), *paths):
            if path and subprocess.run([path, "-c", ""], capture_output=True, check=False).returncode == 0:
                found.setdefault((3, minor), path)
    return [found[version] for version in sorted(found, reverse=True)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--unsafe-fixes", action="store_true", help="make the unsafe fixes too")
    parser.add_argument("--keep", type=Path, metavar="COPY", help="where to make the copy, to look at afterwards")
    parser.add_argument(
        "--config", action="append", default=[], metavar="SETTING", help="e.g. `lint.strict-spawns = true`"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        copy = options.keep or Path(temporary) / options.directory.resolve().name
        shutil.copytree(options.directory, copy, symlinks=True)
        return prove(copy.resolve(), unsafe=options.unsafe_fixes, config=options.config)


if __name__ == "__main__":
    sys.exit(compare_all() if sys.argv[1:] == ["--compare"] else main())
