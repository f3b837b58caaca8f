"""What a module's own text says of a name that other modules import from it: where it comes from, what it holds, what
the class derives from, or that the function only spawns.

Names are as the module writes them; `run/modules.py` looks them up where they lead. Only the statements that bind the
name are parsed: a module is often long, and asked about one name.
"""

from __future__ import annotations

import ast
import enum
import re
import textwrap
from typing import TYPE_CHECKING, NamedTuple

from panicguard.python.imported import imports
from panicguard.python.keeping import Kept, errors
from panicguard.python.screen import places
from panicguard.python.slice.parse import tree_of

if TYPE_CHECKING:
    from collections.abc import Iterator

STAR = "*"
"""The name of everything that a module imports by `*`."""
LONGEST = 40
"""Rows of a statement that may tell something: a table or a long function does not."""
_RUN_AT_IMPORT = re.compile(r"(?:if|elif|else|try|except|finally|with)\b")
"""What begins a row at the top under which statements run when the module is imported."""
_TOP_ROW = re.compile(r"[^\s#)\]}]")
_NEXT_TOP_ROW = re.compile(r"\n(?=[^\s#)\]}])")
_IS_ASSIGNED = re.compile(r"[ \t]*(?::[^=\n]*)?=(?!=)")
_HEADER = re.compile(r"class\b[^\n(:]*(?:\([^()]*\))?[ \t]*:")
_METHOD = re.compile(r"^[ \t]+(?:async[ \t]+)?def[ \t]+(\w+)", re.MULTILINE)
_UNKNOWN = ast.parse("raise")
"""In the place of a function that nothing is known of."""
_OWN_WAYS = frozenset(
    ("start", "submit", "map", "_bootstrap", "_bootstrap_inner", "__init_subclass__", "__getattribute__")
)
"""Methods by which a class may run its `run`, or what it is given, in its own way."""


class ExportKind(enum.Enum):
    """What binds a name at the top of a module."""

    IMPORT = "an import of `of`"
    NAME = "an assignment of `of`"
    CALL = "an assignment of what a call of `of` returns"
    CLASS = "a class of which `of` is a base"
    SPAWNER = "a function that hands its first argument to `of`, and what it gets for it to its caller"
    UNKNOWN = "anything else"


class Export(NamedTuple):
    """One way in which a name is bound."""

    kind: ExportKind
    of: str = ""


_ANYTHING = Export(ExportKind.UNKNOWN)


def exports(text: str, name: str) -> frozenset[Export]:
    """The ways in which a name is bound at the top of a module (newlines all `\\n`); none where that is not known."""
    found = {Export(ExportKind.IMPORT, of) for local, of in imports(text) if local == name}
    if name != STAR:
        for at in places(text, name):
            found.update(_bound_at(text, name, at))
    return frozenset(found)


def kept_errors(text: str, name: str, method: str) -> Kept | None:
    """What becomes of the errors in a function at the top of a module, or in a method of a class there; None where that
    is not there. A decorated one is not known."""
    start, end = 0, len(text)
    if method:
        header = re.search(rf"^class[ \t]+{re.escape(name)}\b", text, re.MULTILINE)
        if header is None:
            return None
        below = _NEXT_TOP_ROW.search(text, header.end())
        start, end = header.start(), below.start() if below is not None else end

    def named(called: str) -> ast.AST | None:
        is_method = called.startswith(".")
        return _definition(text, called.lstrip("."), start, end) if is_method else _definition(text, called)

    function = _definition(text, method, start, end) if method else _definition(text, name)
    if function is None:
        return None
    from panicguard.python.practice import provides  # few files hand on what is of other modules

    kept = errors(function, named)
    if kept is Kept.OUT and provides(function, function, text, lambda of: [f] if (f := named(of)) else []):
        return Kept.EXPECTED
    return kept


def _definition(text: str, name: str, start: int = 0, end: int | None = None) -> ast.AST | None:
    """The function of a name at the top, or in a class between two offsets. What a decorated one does nobody knows."""
    margin = "" if end is None else "[ \t]+"
    header = re.compile(rf"^{margin}(?:async[ \t]+)?def[ \t]+{re.escape(name)}\b", re.MULTILINE)
    found = header.search(text, start, len(text) if end is None else end) if name else None
    if found is None:
        return None
    tree = None if _is_decorated(text, found.start()) else tree_of(_statement(text, found.start()))
    return tree.body[0] if tree is not None and len(tree.body) == 1 else _UNKNOWN


def _bound_at(text: str, name: str, at: int) -> Iterator[Export]:
    """The ways in which a name is bound at one of its places."""
    start = text.rfind("\n", 0, at) + 1
    keyword = text[start:at].strip()
    if keyword not in ("class", "def", "async def") and (keyword or not _IS_ASSIGNED.match(text, at + len(name))):
        return
    if text[start].isspace() and not (_runs_at_import(text, start) or (not keyword and _is_global(text, name))):
        return
    statement = _statement(text, start)
    if keyword == "class":
        yield from _class(text, start, statement)
        return
    tree = tree_of(statement) if statement.count("\n") <= LONGEST else None
    match tree.body if tree is not None else []:
        case [ast.FunctionDef() as function]:
            yield _ANYTHING if _is_decorated(text, start) else _function(function)
        case [ast.Assign(targets=[ast.Name()], value=value) | ast.AnnAssign(value=value)]:
            if not (isinstance(value, ast.Constant) and value.value is None):
                yield _value(value)
        case _:
            yield _ANYTHING


def _runs_at_import(text: str, start: int) -> bool:
    """Whether an indented row stands under branches, not in a function or a class."""
    while start:
        start = text.rfind("\n", 0, start - 1) + 1
        if _TOP_ROW.match(text, start):
            return _RUN_AT_IMPORT.match(text, start) is not None
    return False


def _is_global(text: str, name: str) -> bool:
    return "global " in text and re.search(rf"\bglobal\b[^\n]*\b{name}\b", text) is not None


def _is_decorated(text: str, start: int) -> bool:
    """Whether the row above is a decorator, or may be the end of one."""
    return text[text.rfind("\n", 0, max(0, start - 1)) + 1 : start].lstrip()[:1] in ("@", ")")


def _statement(text: str, start: int) -> str:
    """The rows from `start` up to the next statement that is not in this one."""
    if not text[start].isspace():
        end = _NEXT_TOP_ROW.search(text, start)
        return text[start : end.start() if end is not None else len(text)]
    margin = re.compile(r"[ \t]*").match(text, start)
    depth = len(margin[0]) if margin is not None else 0
    end = re.compile(rf"\n(?![ \t]{{{depth + 1}}}|[ \t]*\n)").search(text, start)
    return textwrap.dedent(text[start : end.start() if end is not None else len(text)])


def _class(text: str, start: int, statement: str) -> Iterator[Export]:
    """A class as each of its bases has it; one that may run or submit in its own way is like nothing else."""
    header = _HEADER.match(statement)
    tree = tree_of(f"{header[0]} pass") if header is not None else None
    if tree is None or _is_decorated(text, start) or not _OWN_WAYS.isdisjoint(_METHOD.findall(statement)):
        yield _ANYTHING
        return
    definition = tree.body[0]
    assert isinstance(definition, ast.ClassDef)
    for base in definition.bases:
        of = _dotted(base)
        yield Export(ExportKind.CLASS, of) if of and not definition.keywords else _ANYTHING


def _value(value: ast.expr | None) -> Export:
    if isinstance(value, ast.Call) and (of := _dotted(value.func)):
        return Export(ExportKind.CALL, of)
    of = _dotted(value)
    return Export(ExportKind.NAME, of) if of else _ANYTHING


def _function(function: ast.FunctionDef) -> Export:
    """A function that does nothing but hand its first argument on and return what it gets is a spawner if that is."""
    parameters = (*function.args.posonlyargs, *function.args.args)
    has_docstring = ast.get_docstring(function, clean=False) is not None
    match function.body[has_docstring:]:
        case [ast.Return(value=ast.Call() as call)]:
            pass
        case [
            ast.Assign(targets=[ast.Name(id=kept)], value=ast.Call() as call),
            ast.Return(value=ast.Name(id=returned)),
        ] if kept == returned:
            pass
        case _:
            return _ANYTHING
    if not parameters or not call.args:
        return _ANYTHING
    first, of = call.args[0], _dotted(call.func)
    is_handed_on = isinstance(first, ast.Name) and first.id == parameters[0].arg
    return Export(ExportKind.SPAWNER, of) if is_handed_on and of else _ANYTHING


def _dotted(node: ast.expr | None) -> str:
    """The text of a name, or of attributes of one; "" for anything else. `X[int]` is `X`, and calls without arguments
    keep their brackets."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=attr):
            of = _dotted(value)
            return f"{of}.{attr}" if of else ""
        case ast.Subscript(value=value):
            return _dotted(value)
        case ast.Call(func=func, args=[], keywords=[]):
            of = _dotted(func)
            return f"{of}()" if of else ""
    return ""
