"""Where a name is used in all of a module's text: a rule sees only a part of the code, and what is left of it decides
whether a name is still needed."""

from __future__ import annotations

import ast
import bisect
import functools
import itertools
import re
from typing import TYPE_CHECKING, NamedTuple

from panicguard.lines import line_at
from panicguard.python.lex import scan
from panicguard.python.plain import plain
from panicguard.python.slice.parse import parsed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_QUOTES = re.compile(r"[\"']")
_TYPE_COMMENT = re.compile(r"#\s*type:")
_SPAWNS = re.compile(
    r"(?:\.\w+)*\.(?:Thread|start_new_thread|create_task|ensure_future|run_coroutine_threadsafe|get_running_loop|Task)"
    r"\s*\(|\s*\("
)
"""What follows the name of a module, or of what is imported from it, where it is called to spawn."""


class Occurrences(NamedTuple):
    """The offsets at which a name stands for something, ascending; and those of them at which nothing is spawned."""

    all: Sequence[int]
    others: Sequence[int]

    def outside(self, spans: Iterable[tuple[int, int]]) -> Occurrences:
        """Those that are in none of some spans, which do not overlap."""
        every, others = self.all, self.others
        for start, end in spans:
            every, others = _without(every, start, end), _without(others, start, end)
        return Occurrences(every, others)

    def inside(self, start: int, end: int) -> Occurrences:
        return Occurrences(
            *(found[bisect.bisect_left(found, start) : bisect.bisect_left(found, end)] for found in self)
        )


def _without(found: Sequence[int], start: int, end: int) -> Sequence[int]:
    low, high = bisect.bisect_left(found, start), bisect.bisect_left(found, end)
    return found if low == high else [*found[:low], *found[high:]]


@functools.lru_cache(maxsize=16)
def occurrences(text: str, name: str) -> Occurrences:
    """Where a name stands as a variable, or in a string that may be read as code: an annotation, `__all__`. In doubt it
    does."""
    whole = scan(text)
    found: list[int] = []
    doubtful = False
    for match in re.finditer(rf"(?<![\w.]){name}(?!\w|(?:\.\w+)*[ \t]+import\b)", text):
        at = match.start()
        comment = _holding(whole.comments, at)
        if comment is not None:
            if _TYPE_COMMENT.match(text, comment):
                found.append(at)
            continue
        row = max(text.rfind("\n", 0, at), text.rfind("\r", 0, at)) + 1
        doubtful = doubtful or _holding(whole.strings, at) is not None or _QUOTES.search(text, row, at) is not None
        found.append(at)
    if doubtful and (tree := parsed(plain(text))) is not None:
        rows = set(_rows(tree, name))
        if rows:
            starts = [match.end() for match in re.finditer(r"\r\n|\r|\n", text)]
            found = [at for at in found if bisect.bisect_right(starts, at) + 1 in rows]
        else:
            found = []
    return Occurrences(found, [at for at in found if not _SPAWNS.match(text, at + len(name))])


def block(text: str, start: int) -> tuple[int, int]:
    """The span of a compound statement whose header an offset is in: up to where the text is indented no further. The
    tree may lack its last rows."""
    lines = scan(text).lines
    first = line_at(lines, start)
    for line in itertools.islice(lines, first + 1, None):
        if not line.blank and line.indent <= lines[first].indent:
            return lines[first].start, line.start
    return lines[first].start, len(text)


def _holding(spans: Sequence[tuple[int, int]], at: int) -> int | None:
    """The start of the span that an offset is in."""
    index = bisect.bisect_right(spans, at, key=lambda span: span[0]) - 1
    return spans[index][0] if index >= 0 and at < spans[index][1] else None


def _rows(tree: ast.Module, name: str) -> Iterator[int]:
    """The rows in which a name is bound or read, by code or by a string that is code."""
    word = re.compile(rf"(?<!\w){name}(?!\w)")
    for node in ast.walk(tree):
        row = getattr(node, "lineno", 0)
        match node:
            case ast.Constant(value=str(value)):
                if word.search(value) and _is_code(value.strip(), name):
                    yield from range(row, (node.end_lineno or row) + 1)
            case ast.Name(id=found) | ast.arg(arg=found) if found == name:
                yield row
            case ast.Global(names=names) | ast.Nonlocal(names=names) if name in names:
                yield from range(row, (node.end_lineno or row) + 1)
            case ast.Import() | ast.ImportFrom():
                if any((alias.asname or alias.name.partition(".")[0]) == name for alias in node.names):
                    yield from range(row, (node.end_lineno or row) + 1)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() | ast.ExceptHandler() | ast.MatchAs():
                if node.name == name:
                    yield row


def _is_code(text: str, name: str) -> bool:
    try:
        expression = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(expression))
