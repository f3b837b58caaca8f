"""Python's own parse of a text, newer syntax included as far as its rows go."""

from __future__ import annotations

import ast
import functools
import re
import sys
import warnings
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Set

_TYPE = re.compile(r"\n([ \t]*)type[ \t]+(\w+)[ \t]*(\[)?")
_PARAMETERS = re.compile(r"\n[ \t]*(?:(?:async[ \t]+)?def|class)[ \t]+\w+[ \t]*(\[)")
_EXCEPT = re.compile(r"(\n[ \t]*except\*?[ \t]+)([^\n:()#'\"]+,[^\n:()#'\"]*)(?=:)")
"""They begin with the newline before the row: a letter that a match has to begin with is found faster than a row."""
_BACKSLASH = re.compile(r"""\b[fF](?:"[^"\n]*\{[^}"\n]*\\[^"\n]*"|'[^'\n]*\{[^}'\n]*\\[^'\n]*')""")
"""An f-string with a backslash in its braces."""
_SIGNS = tuple(re.compile(sign) for sign in (r"except\*? [\w.]+,", r"type \w+ ?[=\[]", r"def \w+\[", r"class \w+\["))
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
    cannot parse it. The last one is kept: several may ask for it."""
    found = as_parsed(text)
    if found is None and is_newer(text):
        return tree_of(_BACKSLASH.sub('""', as_older(text).text))
    return found and found.tree


def as_parsed(text: str) -> Parsed | None:
    """The tree of a text (newlines all `\n`); None where the running Python knows neither that nor older words."""
    if is_newer(text):
        older = as_older(text).text
        if (tree := tree_of(older)) is not None:
            rows = f"\n{text}"
            return Parsed(tree, older, {rows.count("\n", 0, alias.start()) for alias in _TYPE.finditer(rows)})
    tree = tree_of(text)
    return None if tree is None else Parsed(tree, text, frozenset())


@functools.lru_cache(maxsize=2)
def is_newer(text: str) -> bool:
    """Whether a text may have syntax that the running Python does not know. Slicer and judge ask about the same one."""
    return sys.version_info < (3, 14) and any(sign.search(text) for sign in _SIGNS)


def tree_of(text: str) -> ast.Module | None:
    """The tree that the running Python makes of a text; None where it cannot."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


@functools.lru_cache(maxsize=2)
def as_older(text: str) -> Older:
    """The text in the words of Python 3.11: `type X[T] = Y` as `X = Y`, `def f[T](x)` and `class A[T]`
    without their type parameters, `except A, B` with brackets."""
    text = _EXCEPT.sub(r"\1(\2)", f"\n{text}")
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
            pieces += (text[done : found.start()], "\n", found[1], found[2])
        else:
            pieces.append(text[done : found.end() - 1])
        if has_parameters:
            lost = text[found.end() : end - 1]
            parameters.append(lost)
            pieces.append(" " + "\\\n" * lost.count("\n"))
        done = end
    return Older("".join((*pieces, text[done:]))[1:], parameters)


def _closed(text: str, start: int) -> int:
    """The offset behind the bracket that closes the one before `start`."""
    depth, at = 1, start
    while depth and at < len(text):
        depth += (text[at] == "[") - (text[at] == "]")
        at += 1
    return at
