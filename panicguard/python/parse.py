"""From a text to the slice of it that the rules see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.python.apis import DEFAULT_RUNTIME
from panicguard.python.cst import cst
from panicguard.python.file import PythonFile
from panicguard.python.flow import Flow
from panicguard.python.names import Names
from panicguard.python.plain import plain as as_plain
from panicguard.python.scopes import Scopes
from panicguard.python.slice.depth import TooDeepError, shallow
from panicguard.python.slice.slice import slice_of
from panicguard.python.tree import index

if TYPE_CHECKING:
    from collections.abc import Sequence

    from libcst import CSTNode

    from panicguard.python.evidence import Demand
    from panicguard.settings import Settings
    from panicguard.source import Source


class UnparsableError(Exception):
    """The source cannot be read, be it no Python or Python that the parser does not know or cannot take. `start` and
    `end` are offsets (code points) of the place."""

    def __init__(self, message: str, start: int, end: int) -> None:
        super().__init__(message)
        self.message, self.start, self.end = message, start, end


def parse(source: Source, settings: Settings, demands: Sequence[Demand]) -> PythonFile | None:
    """The module, with what no demand needs left out; None where nothing is left. Raises UnparsableError."""
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
        root, parsed = _parsed(sliced.text), sliced.text
        if root is None:
            parsed = shallow(plain, sorted(word for demand in demands for word in demand.words))
            root = _parsed(parsed)
        else:
            line_starts = [line_starts[row] for row in sliced.rows]
    except TooDeepError as deep:
        start = source.line_starts[deep.row]
        message = f"nested too deeply to be analysed ({deep.depth} levels)"
        end = start + len(source.line(deep.row + 1))
        raise UnparsableError(message, start, end) from None
    if root is None:
        raise _unparsable(source, plain)
    tree = index(root, parsed, line_starts)
    names = Names(Scopes(tree, settings.runtime_module))
    return PythonFile(source, settings, tree, names, Flow(tree, names))


def _parsed(text: str) -> cst.Module | None:
    # Nodes validate themselves as if written by hand: half the time of a parse, for what cannot be wrong.
    validate = cst.CSTNode.__post_init__
    cst.CSTNode.__post_init__ = _valid  # type: ignore[method-assign, assignment]
    try:
        return cst.parse_module(text)
    except (cst.ParserSyntaxError, cst.CSTLogicError, TypeError):
        return None
    finally:
        cst.CSTNode.__post_init__ = validate  # type: ignore[method-assign]


def _valid(_: CSTNode) -> None: ...


def _unparsable(source: Source, plain: str) -> UnparsableError:
    try:
        cst.parse_module(plain)
    except cst.ParserSyntaxError as error:
        start = source.offset(error.raw_line, error.raw_column + 1)
        return UnparsableError(f"the parser does not know this syntax: {error.message}", start, start)
    except (cst.CSTLogicError, TypeError) as error:
        return UnparsableError(f"the parser failed: {error}", 0, 0)
    raise AssertionError("parsed at the second try")
