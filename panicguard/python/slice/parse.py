"""Python's own parse of a text, newer syntax included as far as its rows go."""

from __future__ import annotations

import ast
import re
import sys
import warnings

_TYPE = re.compile(r"^([ \t]*)type[ \t]+(\w+)[ \t]*(\[)?", re.MULTILINE)
_PARAMETERS = re.compile(r"^[ \t]*(?:(?:async[ \t]+)?def|class)[ \t]+\w+[ \t]*(\[)", re.MULTILINE)
_EXCEPT = re.compile(r"^([ \t]*except\*?[ \t]+)([^\n:()#'\"]+,[^\n:()#'\"]*)(?=:)", re.MULTILINE)
_BACKSLASH = re.compile(r"""\b[fF](?:"[^"\n]*\{[^}"\n]*\\[^"\n]*"|'[^'\n]*\{[^}'\n]*\\[^'\n]*')""")
"""An f-string with a backslash in its braces."""
_SIGNS = tuple(
    re.compile(sign) for sign in (r"except\*? [\w.]+,", r"\n[ \t]*type \w+ ?[=\[]", r"def \w+\[", r"class \w+\[")
)
"""What a text with newer syntax has, sought by plain letters first: that costs a tenth of a failed parse."""


def parsed(text: str) -> ast.Module | None:
    """The tree of a text (newlines all `\\n`); None where the running Python cannot parse it. Where a newer one may,
    rows are right, columns may not be."""
    if sys.version_info < (3, 14) and any(sign.search(text) for sign in _SIGNS):
        older = as_older(text)
        return _parsed(older) or _parsed(text) or _parsed(_BACKSLASH.sub('""', older))
    return _parsed(text)


def _parsed(text: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def as_older(text: str) -> str:
    """The text, row by row, in the words of Python 3.11: `type X[T] = Y` as `X = Y`, `def f[T](x)` and `class A[T]`
    without their type parameters, `except A, B` with brackets."""
    text = _EXCEPT.sub(r"\1(\2)", text)
    pieces: list[str] = []
    done = 0
    for found in sorted((*_TYPE.finditer(text), *_PARAMETERS.finditer(text)), key=lambda match: match.start()):
        if found.start() < done:
            continue
        end = found.end()
        if found[found.re.groups]:
            end = _closed(text, end)
        if found.re is _TYPE:
            if not text[end:].lstrip(" \t\\\n").startswith("=") or text[end:].lstrip().startswith("=="):
                continue
            pieces += (text[done : found.start()], found[1], found[2])
        else:
            pieces.append(text[done : found.end() - 1])
        pieces.append(
            " " + "\\\n" * text.count("\n", found.start(found.re.groups) if found[found.re.groups] else end, end)
        )
        done = end
    return "".join((*pieces, text[done:]))


def _closed(text: str, start: int) -> int:
    """The offset behind the bracket that closes the one before `start`."""
    depth, at = 1, start
    while depth and at < len(text):
        depth += (text[at] == "[") - (text[at] == "]")
        at += 1
    return at
