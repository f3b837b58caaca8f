"""The arguments of a call, where a fix moves them into `args=(...)` and `kwargs={...}`."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

from panicguard.diagnostic import Edit
from panicguard.python.fixes.rewrite import insert
from panicguard.python.lex import GAP

if TYPE_CHECKING:
    from collections.abc import Sequence

    import libcst as cst

    from panicguard.python.file import PythonFile

_LINE = 80
"""How long arguments that are joined in one line may be, in code points."""
_KEYWORD = re.compile(rf"\w+{GAP}=(?:\s|\\[\r\n])*")
"""A keyword with its `=`; a comment behind that is kept with the value."""
_BREAK = re.compile(r"\s*,\s*[\r\n]\s*")


def value_start(module: PythonFile, arg: cst.Arg) -> int:
    """The offset at which the value of a keyword argument starts, with its parentheses."""
    match = _KEYWORD.match(module.source.text, module.span(arg)[0])
    assert match is not None
    return match.end()


def wrapped(module: PythonFile, args: Sequence[cst.Arg], quote: str) -> tuple[list[Edit], str] | None:
    """The edits that put a call's arguments into `args=(...)` and `kwargs={...}`, and the brackets that have to follow
    the last argument. None if positional arguments follow keyword arguments."""
    positional = [arg for arg in args if arg.keyword is None and arg.star != "**"]
    named = [arg for arg in args if arg not in positional]
    if list(args) != [*positional, *named]:
        return None
    edits = [*_joined(module, positional), *_joined(module, named)]
    closing = ""
    if positional:
        edits.append(insert(module.span(positional[0])[0], "args=("))
        closing = ",)" if len(positional) == 1 else ")"
    if named:
        if positional:
            edits.append(insert(module.span(positional[-1])[1], closing))
        edits += _as_dict(module, named, quote)
        closing = "}"
    return edits, closing


def _as_dict(module: PythonFile, named: list[cst.Arg], quote: str) -> list[Edit]:
    """The edits that turn keyword arguments, and `**` ones, into the items of `kwargs={`."""
    edits: list[Edit] = []
    opening = "kwargs={"
    for arg in named:
        start = module.span(arg)[0]
        if arg.keyword is not None:
            key = f"{quote}{arg.keyword.value}{quote}"
            edits.append(Edit(start, value_start(module, arg), f"{opening}{key}: "))
        elif opening:
            edits.append(insert(start, opening))
        opening = ""
    return edits


def _joined(module: PythonFile, args: list[cst.Arg]) -> list[Edit]:
    """The edits that join a few short arguments in one line, where only commas and line breaks separate them."""
    if sum(len(module.text(arg)) + len(", ") for arg in args) > _LINE:
        return []
    gaps = [(module.span(above)[1], module.span(below)[0]) for above, below in itertools.pairwise(args)]
    return [Edit(*gap, ", ") for gap in gaps if _BREAK.fullmatch(module.source.text, *gap)]
