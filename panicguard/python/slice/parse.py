"""Python's own parse of a text, newer syntax included as far as its rows go."""

from __future__ import annotations

import ast
import functools
import re
import sys
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from panicguard.python.chunks import ByChunk, split

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence, Set

_TYPE = re.compile(r"^([ \t]*)type[ \t]+(\w+)[ \t]*(\[)?", re.MULTILINE)
_PARAMETERS = re.compile(r"^[ \t]*(?:(?:async[ \t]+)?def|class)[ \t]+\w+[ \t]*(\[)", re.MULTILINE)
_EXCEPT = re.compile(r"^([ \t]*except\*?[ \t]+)([^\n:()#'\"]+,[^\n:()#'\"]*)(?=:)", re.MULTILINE)
_BACKSLASH = re.compile(r"""\b[fF](?:"[^"\n]*\{[^}"\n]*\\[^"\n]*"|'[^'\n]*\{[^}'\n]*\\[^'\n]*')""")
"""An f-string with a backslash in its braces."""
_SIGNS = tuple(
    re.compile(sign) for sign in (r"except\*? [\w.]+,", r"\n[ \t]*type \w+ ?[=\[]", r"def \w+\[", r"class \w+\[")
)
"""What a text with newer syntax has, sought by plain letters first: that costs a tenth of a failed parse."""
_STAR = re.compile(r"\*{1,2}\s*(?=[^\W\d])")
_NO_PARAMETER = re.compile(r"[*/]|:=|\b(?:yield|await)\b")
"""What a parameter of a function may have, but no type parameter, once its stars are gone."""
_BOUND_STAR = re.compile(r"\*\s*\w+\s*:")


class Older(NamedTuple):
    """A text in the words of an older Python, as many rows as before, and the type parameters that it lost."""

    text: str
    parameters: list[str]

    @property
    def is_faithful(self) -> bool:
        """Whether what was lost is right: read as the parameters of a function, which have nearly the same rules."""
        return all(map(_are_right, self.parameters))


def _are_right(parameters: str) -> bool:
    bare = _STAR.sub("", parameters)
    if _NO_PARAMETER.search(bare) or _BOUND_STAR.search(parameters):
        return False
    try:
        compile(f"def _({bare}): 0", "<text>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


class Parsed(NamedTuple):
    """A tree, and the text it is of: as many rows as the one that was asked for, if need be in older words."""

    tree: ast.Module
    text: str
    aliases: Set[int]
    """The rows (from 0) in which an assignment of the tree is a `type X = Y`."""


@functools.lru_cache(maxsize=1)
def parsed(text: str) -> ast.Module | None:
    """The tree of a text (newlines all `\n`) in which statements have the right rows; None where the running Python
    cannot parse it. The last one is kept: more than the slicer may ask for it."""
    found = as_parsed(text, _by_chunk)
    if found is None and is_newer(text):
        return tree_of(_BACKSLASH.sub('""', as_older(text).text))
    return found and found.tree


def as_parsed(text: str, parse: Callable[[str], ast.Module | None] | None = None) -> Parsed | None:
    """The tree of a text (newlines all `\n`); None where the running Python knows neither that nor older words."""
    parse = parse or tree_of
    if is_newer(text):
        older = as_older(text).text
        if (tree := parse(older)) is not None:
            return Parsed(tree, older, {text.count("\n", 0, alias.start()) for alias in _TYPE.finditer(text)})
    tree = parse(text)
    return None if tree is None else Parsed(tree, text, frozenset())


def is_newer(text: str) -> bool:
    return sys.version_info < (3, 14) and any(sign.search(text) for sign in _SIGNS)


def _by_chunk(text: str) -> ast.Module | None:
    """The tree of a text: its statements have their rows, what is in them may not."""
    chunks = split(text)
    if len(chunks) == 1:
        return tree_of(text)
    body: list[ast.stmt] = []
    copied: ast.ClassDef | None = None
    row = 0
    for chunk, known in zip(chunks, _KNOWN(chunks), strict=True):
        if known.tree is None:
            return tree_of(text)
        statements = known.tree.body
        if known.row != row:
            _move(statements, row - known.row)
            known.row = row
        if chunk.is_inner:
            around, (methods, *statements) = body[-1], statements
            if not (isinstance(around, ast.ClassDef) and isinstance(methods, ast.ClassDef)):
                return tree_of(text)
            if around is not copied:
                body[-1] = copied = _copy(around)
            copied.body += methods.body
            copied.end_lineno = methods.end_lineno
        body += statements
        row += chunk.text.count("\n")
    return ast.Module(body, [])


def _copy(definition: ast.ClassDef) -> ast.ClassDef:
    """A class that can be given further methods: what is remembered must not be."""
    places = ("lineno", "col_offset", "end_lineno", "end_col_offset")
    copy = ast.ClassDef(**{name: getattr(definition, name) for name in (*definition._fields, *places)})
    copy.body = [*definition.body]
    return copy


def tree_of(text: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


@dataclass
class _Known:
    """The tree of a chunk, with the rows that its statements have when it stands `row` rows below the top."""

    tree: ast.Module | None
    row: int = 0


_KNOWN = ByChunk(lambda chunk: _Known(tree_of(chunk.whole), int(chunk.is_inner)))


def _move(body: Sequence[Any], rows: int) -> None:
    """Move statements, handlers and decorators by so many rows; what is in them does not count."""
    stack = list(body)
    while stack:
        node = stack.pop()
        if hasattr(node, "lineno"):  # a case has none
            node.lineno += rows
            node.end_lineno += rows
        for decorator in getattr(node, "decorator_list", ()):
            decorator.lineno += rows
        for field in ("body", "orelse", "finalbody", "handlers", "cases"):
            stack += getattr(node, field, ())


def as_older(text: str) -> Older:
    """The text in the words of Python 3.11: `type X[T] = Y` as `X = Y`, `def f[T](x)` and `class A[T]`
    without their type parameters, `except A, B` with brackets."""
    text = _EXCEPT.sub(r"\1(\2)", text)
    pieces: list[str] = []
    parameters: list[str] = []
    done = 0
    for found in sorted((*_TYPE.finditer(text), *_PARAMETERS.finditer(text)), key=lambda match: match.start()):
        if found.start() < done:
            continue
        end = found.end()
        has_parameters = bool(found[found.re.groups])
        if has_parameters:
            end = _closed(text, end)
        if found.re is _TYPE:
            if not text[end:].lstrip(" \t\\\n").startswith("=") or text[end:].lstrip().startswith("=="):
                continue
            pieces += (text[done : found.start()], found[1], found[2])
        else:
            pieces.append(text[done : found.end() - 1])
        if has_parameters:
            lost = text[found.end() : end - 1]
            parameters.append(lost)
            pieces.append(" " + "\\\n" * lost.count("\n"))
        done = end
    return Older("".join((*pieces, text[done:])), parameters)


def _closed(text: str, start: int) -> int:
    """The offset behind the bracket that closes the one before `start`."""
    depth, at = 1, start
    while depth and at < len(text):
        depth += (text[at] == "[") - (text[at] == "]")
        at += 1
    return at
