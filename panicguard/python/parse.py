"""From a text to the slice of it that the rules see."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from panicguard.python.apis import DEFAULT_RUNTIME
from panicguard.python.cst import cst, parsed
from panicguard.python.elsewhere import Elsewhere
from panicguard.python.file import PythonFile
from panicguard.python.flow import Flow
from panicguard.python.names import Names
from panicguard.python.places import Approximate, Sketched, Written
from panicguard.python.plain import plain as as_plain
from panicguard.python.scopes import Scopes
from panicguard.python.sketch.expressions import NoSketchError
from panicguard.python.sketch.statements import sketch
from panicguard.python.slice.depth import TooDeepError, shallow
from panicguard.python.slice.parse import as_parsed
from panicguard.python.slice.slice import slice_of
from panicguard.python.tree import index

if TYPE_CHECKING:
    from collections.abc import Sequence

    from panicguard.python.evidence import Demand
    from panicguard.python.tree import Tree
    from panicguard.settings import Settings
    from panicguard.source import Source


class Way(enum.Enum):
    """How the places of a module's nodes are known, the fastest way first."""

    SKETCHED = "as Python has them, or libcst for single statements"
    WRITTEN = "as libcst has them for the whole module"
    APPROXIMATE = "as Python has them, more or less: libcst cannot parse the module, or not write it as it is"


class UnparsableError(Exception):
    """The source cannot be read, be it no Python or Python that the parser does not know or cannot take. `start` and
    `end` are offsets (code points) of the place."""

    def __init__(self, message: str, start: int, end: int) -> None:
        super().__init__(message)
        self.message, self.start, self.end = message, start, end


def parse(source: Source, settings: Settings, demands: Sequence[Demand], way: Way = Way.SKETCHED) -> PythonFile | None:
    """The module, with what no demand needs left out; None where nothing is left.

    Of the ways to know its places the first possible one is taken, from `way` on: all but the last may raise
    UnplacedError when they are asked for one. Raises UnparsableError.
    """
    text = source.text
    if "\0" in text:
        at = text.index("\0")
        raise UnparsableError("source code cannot contain null bytes", at, at + 1)
    plain = as_plain(text)
    feeds = len(plain) - len(plain.lstrip("\f"))
    line_starts = [feeds, *source.line_starts[1:]]
    plain = plain[feeds:]
    runtime = settings.runtime_module or DEFAULT_RUNTIME
    try:
        sliced = slice_of(plain, demands, frozenset(("mruntime", *runtime.split("."))))
        if sliced is None:
            return None
        rows = [line_starts[row] for row in sliced.rows]
        tree = _sketched(sliced.text, rows, Sketched) if way is Way.SKETCHED else None
        if tree is None and way is not Way.APPROXIMATE:
            words = sorted(word for demand in demands for word in demand.words)
            tree = _parsed(sliced.text, rows) or _parsed(shallow(plain, words), line_starts)
        tree = tree or _sketched(sliced.text, rows, Approximate)
    except TooDeepError as deep:
        start = source.line_starts[deep.row]
        message = f"nested too deeply to be analysed ({deep.depth} levels)"
        end = start + len(source.line(deep.row + 1))
        raise UnparsableError(message, start, end) from None
    if tree is None:
        raise _unparsable(source, plain)
    names = Names(Scopes(tree, settings.runtime_module), Elsewhere(settings.imported))
    return PythonFile(source, settings, tree, names, Flow(tree, names))


def _parsed(text: str, line_starts: Sequence[int]) -> Tree | None:
    root = parsed(text)
    return None if root is None else index(root, line_starts, lambda parents: Written(root, parents, text))


def _sketched(text: str, line_starts: Sequence[int], kind: type[Sketched | Approximate]) -> Tree | None:
    """A tree of what CPython makes of a text; None where that is not enough to know what libcst would."""
    found = as_parsed(text)
    if found is None:
        return None
    try:
        made = sketch(found.tree, found.text, found.aliases)
    except NoSketchError:
        return None
    if found.text != text:  # columns are those of the text in older words
        made.origins.clear()
    return index(made.root, line_starts, lambda parents: kind(made, parents, text))


def _unparsable(source: Source, plain: str) -> UnparsableError:
    try:
        cst.parse_module(plain)
    except cst.ParserSyntaxError as error:
        start = source.offset(error.raw_line, error.raw_column + 1)
        return UnparsableError(f"the parser does not know this syntax: {error.message}", start, start)
    except (cst.CSTLogicError, TypeError) as error:
        return UnparsableError(f"the parser failed: {error}", 0, 0)
    raise AssertionError("parsed at the second try")
