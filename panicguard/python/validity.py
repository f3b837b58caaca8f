"""What no Python accepts, as opposed to what is newer than the running Python, or too deep or too long for it.

The running Python judges: its own parser and compiler know every rule. If it rejects a file, newer syntax may be the
reason, and then libcst decides. Offsets count code points of `Source.text`.
"""

from __future__ import annotations

import functools
import re
import warnings
from typing import TYPE_CHECKING, NamedTuple

from panicguard.diagnostic import Fault
from panicguard.lines import margin
from panicguard.python.chunks import ByChunk, split
from panicguard.python.cst import cst
from panicguard.python.lex import scan
from panicguard.python.magics import as_python
from panicguard.python.newer import holds_newer
from panicguard.python.plain import plain
from panicguard.python.slice.depth import shallow
from panicguard.python.slice.parse import as_older, is_newer

if TYPE_CHECKING:
    from panicguard.source import Source

_LIMITS = re.compile("too many (?:nested|levels|statically)|Exceeds the limit|f-string: expressions nested too deeply")
"""CPython's errors for a file that is too deep or contains too long a number: the rest of it has not been judged
then."""
_RULES_OF_RUFF = re.compile(
    r"'(?:return|await|yield|yield from|break|continue|async \w+)'|asynchronous comprehension|no binding for nonlocal"
    r"|name '\w+' is (?:assigned|used|nonlocal)|future feature|from __future__|not a chance|default 'except:'"
    r"|multiple starred expressions|import \*|wildcard makes"
)
"""The compiler's errors for a file that is not `invalid-syntax` to Ruff, which has rules for them, such as F706, or
nothing."""
_WHOLE_MARGIN = re.compile("unindent|unexpected indent|inconsistent use of tabs")
_BLANK_BEHIND_CONVERSION = "f-string: expecting '}'"
"""What CPython says before 3.12 of `f"{x!r }"`, which libcst reads, and does not keep the blank of."""
_DEDENT = "unindent does not match any outer indentation level"
_TABS = "inconsistent use of tabs and spaces in indentation"


def fault(source: Source) -> Fault | None:
    """What is wrong with a file that no Python accepts; None for a file that some Python does, or may."""
    if (null := source.text.find("\0")) >= 0:
        return Fault("source code cannot contain null bytes", null, null + 1, invalid=True)
    text, notebook = as_python(source).text, source.document is not None
    if is_newer(text) and _is_valid_in_older_words(text, notebook):  # sooner than that an error is sought in it
        return None
    rejected = _rejected(text, notebook)
    if rejected is None:
        return None
    return (_beside_limits if rejected.limit else _beside_newer)(as_python(source), rejected)


def compile_error(source: Source) -> str | None:
    """Why the running Python does not compile the source, whether it is newer, too deep or wrong."""
    rejected = _rejected(as_python(source).text, source.document is not None)
    return rejected and rejected.message


class _Rejected(NamedTuple):
    """What the running Python says, and where: rows and columns as it counts, from 1, the columns in bytes if the
    compiler reports it; 0 or less if it is unknown. There is no row if the compiler has given up."""

    message: str
    limit: bool
    indentation: bool = False
    compiler: bool = False
    row: int = 0
    column: int = 0
    end_row: int = 0
    end_column: int = 0


@functools.lru_cache(maxsize=4)
def _rejected(text: str, notebook: bool) -> _Rejected | None:
    """Cached for the last texts: the check and the fix ask for the same one."""
    import ast

    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT if notebook else 0
    error = _error(text, flags)
    if error is None:
        return None
    if not isinstance(error, SyntaxError):
        return _Rejected(f"{type(error).__name__}: {error}".partition("\n")[0], limit=True)
    place = error.lineno or 1, error.offset or 1, error.end_lineno or 0, error.end_offset or 0
    indentation = isinstance(error, IndentationError)
    compiler = _error(text, flags | ast.PyCF_ONLY_AST) is None
    return _Rejected(error.msg, _LIMITS.search(error.msg) is not None, indentation, compiler, *place)


def _error(text: str, flags: int) -> Exception | None:
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    # A `global` outside of functions is the one thing that is wrong because of another statement.
    chunks = split(plain) if not flags and "\nglobal " not in plain else ()
    if len(chunks) > 1 and all(_COMPILES(chunks)):
        return None
    return _compiled(plain, flags)


def _compiled(text: str, flags: int = 0) -> Exception | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, "<text>", "exec", flags, dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return error
    return None


_COMPILES = ByChunk(lambda chunk: _compiled(chunk.whole) is None)


def _beside_limits(source: Source, rejected: _Rejected) -> Fault | None:
    """What is wrong with a file of which CPython has judged only a part: such a file is valid if libcst parses it."""
    misplaced = _misplaced(source)
    if misplaced is not None or _tree(source) is not None:
        return misplaced
    return Fault(rejected.message, *_span(source, rejected), invalid=rejected.row > 0)


def _beside_newer(source: Source, rejected: _Rejected) -> Fault | None:
    if _is_valid_in_older_words(source.text, source.document is not None):
        return None
    if not rejected.indentation:
        misplaced, root = _misplaced(source), _tree(source)
        is_newer = root is not None and (rejected.message == _BLANK_BEHIND_CONVERSION or holds_newer(root))
        if misplaced is not None or is_newer:
            return misplaced
    start, end = _span(source, rejected)
    return Fault(rejected.message, start, end, not (rejected.compiler and _RULES_OF_RUFF.match(rejected.message)))


def _is_valid_in_older_words(text: str, notebook: bool) -> bool:
    older = as_older(text)
    return older.is_faithful and _rejected(older.text, notebook) is None


def _tree(source: Source) -> cst.Module | None:
    """The whole file except for the statements that are too deep for libcst; None if libcst rejects it."""
    try:
        return cst.parse_module(shallow(plain(source.text).lstrip("\f"), ()))
    except (cst.ParserSyntaxError, cst.CSTLogicError, SyntaxError, TypeError, ValueError, RecursionError):
        return None


# Where


def _span(source: Source, rejected: _Rejected) -> tuple[int, int]:
    row = min(max(rejected.row, 1), len(source.line_starts))
    if rejected.indentation and _WHOLE_MARGIN.match(rejected.message):
        line, start = source.line(row), source.line_starts[row - 1]
        return start, start + len(line) - len(line.lstrip(" \t\f"))
    start = _offset(source, rejected, row, rejected.column)
    if (rejected.end_row, rejected.end_column) <= (rejected.row, rejected.column):
        return start, min(start + 1, len(source.text))
    end = _offset(source, rejected, min(rejected.end_row, len(source.line_starts)), rejected.end_column)
    return start, max(start, end)


def _offset(source: Source, rejected: _Rejected, row: int, column: int) -> int:
    line, before = source.line(row), max(column - 1, 0)
    if rejected.compiler:
        before = len(line.encode(errors="replace")[:before].decode(errors="replace"))
    return source.line_starts[row - 1] + min(before, len(line))


def _misplaced(source: Source) -> Fault | None:
    """The first line whose indentation fits no other: libcst accepts that, and CPython does not get there if something
    newer stands above."""
    text, scanned = source.text, scan(source.text)
    open_blocks = [(0, 0)]
    for line in scanned.lines if scanned.sound else ():
        if line.blank:
            continue
        indent = margin(text, line)
        columns = line.indent, len(indent.rpartition("\f")[2])  # with tabs of 8 columns, and of 1: both must agree
        outer = [block for block in open_blocks if block[0] <= columns[0]]
        deeper = len(outer) == len(open_blocks) and columns[0] > outer[-1][0]
        open_blocks = [*outer, columns] if deeper else outer
        if outer[-1][0] != columns[0] and not deeper:
            return Fault(_DEDENT, line.start, line.start + len(indent), invalid=True)
        if deeper != (columns[1] > outer[-1][1]) or (not deeper and columns != outer[-1]):
            return Fault(_TABS, line.start, line.start + len(indent), invalid=True)
    return None
