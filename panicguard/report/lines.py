"""The difference between two texts line by line, chosen among equals as Ruff chooses it.

A text is a list of lines with their newlines. An operation is a pair of ranges, of old lines and of new ones,
that are equal (`Op.equal`) or replace one another; adjacent changes are one operation.
"""

from __future__ import annotations

import bisect
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    _Runs = list[tuple[int, int]]

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


@dataclass(frozen=True, slots=True)
class Op:
    """Old lines [old, old_end) against new lines [new, new_end), 0-based."""

    equal: bool
    old: int
    old_end: int
    new: int
    new_end: int


def split(text: str) -> list[str]:
    """The lines of a text, each with its newline; none in an empty text."""
    return _LINE.findall(text)


def groups(old: Sequence[str], new: Sequence[str], context: int, *, joined: int) -> list[list[Op]]:
    """The changes from `old` to `new`, with up to `context` equal lines around each.

    Changes with no more than `joined` equal lines between them share a group.
    """
    ops = _ops(old, new)
    if not any(not op.equal for op in ops):
        return []
    grouped: list[list[Op]] = [[]]
    for index, op in enumerate(ops):
        if not op.equal:
            grouped[-1].append(op)
            continue
        length = op.old_end - op.old
        first, last = index == 0, index == len(ops) - 1
        head = 0 if first else min(context, length)
        tail = 0 if last else min(context, length)
        if first or last or length > joined:
            if head:
                grouped[-1].append(Op(True, op.old, op.old + head, op.new, op.new + head))
            if not first and not last:
                grouped.append([])
            if tail:
                grouped[-1].append(Op(True, op.old_end - tail, op.old_end, op.new_end - tail, op.new_end))
        else:
            grouped[-1].append(op)
    return grouped


def _ops(old: Sequence[str], new: Sequence[str]) -> list[Op]:
    deletions: _Runs = []
    insertions: _Runs = []
    for lo, hi, at, end in _differing(old, new):
        if lo < hi:
            deletions.append((lo, hi))
        if at < end:
            insertions.append((at, end))
    return list(_runs(deletions, _slid(new, insertions), len(old), len(new)))


def _differing(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int, int, int, int]]:
    """Ranges (old, old end, new, new end) of which at least one is empty, by Myers' middle snakes."""
    todo = [(0, len(old), 0, len(new))]
    while todo:
        lo, hi, at, end = todo.pop()
        prefix = _common(old[lo:hi], new[at:end])
        lo, at = lo + prefix, at + prefix
        suffix = _common(old[lo:hi][::-1], new[at:end][::-1])
        hi, end = hi - suffix, end - suffix
        if lo == hi or at == end:
            if lo != hi or at != end:
                yield lo, hi, at, end
            continue
        x, y = _middle(old[lo:hi], new[at:end])
        if (x, y) in ((0, 0), (hi - lo, end - at)):
            yield lo, hi, at, at
            yield hi, hi, at, end
            continue
        todo += ((lo + x, hi, at + y, end), (lo, lo + x, at, at + y))


def _common(left: Sequence[str], right: Sequence[str]) -> int:
    """How many items two sequences begin with in common."""
    limit = min(len(left), len(right))
    return bisect.bisect_left(range(limit), True, key=lambda at: left[: at + 1] != right[: at + 1])


def _middle(old: Sequence[str], new: Sequence[str]) -> tuple[int, int]:
    """A point (lines of old, lines of new) on a shortest edit script, near its middle."""
    n, m = len(old), len(new)
    delta = n - m
    backwards = (old[::-1], new[::-1])
    forth: dict[int, int] = {1: 0}
    back: dict[int, int] = {1: 0}
    for d in range((n + m + 1) // 2 + 1):
        for k in range(d, -d - 1, -2):
            x0, x = _furthest(forth, k, d, old, new)
            if delta % 2 and abs(k - delta) < d and x + back[delta - k] >= n:
                return x0, x0 - k
        for k in range(d, -d - 1, -2):
            _, x = _furthest(back, k, d, *backwards)
            if not delta % 2 and abs(k - delta) <= d and x + forth[delta - k] >= n:
                return n - x, m - (x - k)
    return 0, 0


def _furthest(reached: dict[int, int], k: int, d: int, old: Sequence[str], new: Sequence[str]) -> tuple[int, int]:
    """Where the snake on diagonal `k` starts and ends after `d` edits, in lines of old; notes the end."""
    down = k == -d or (k != d and reached[k - 1] < reached[k + 1])
    start = x = reached[k + 1] if down else reached[k - 1] + 1
    while 0 <= x - k < len(new) and x < len(old) and old[x] == new[x - k]:
        x += 1
    reached[k] = x
    return start, x


def _slid(lines: Sequence[str], runs: _Runs) -> _Runs:
    """The inserted runs [start, end) of `lines`, each moved as far down as it stays equivalent, and joined.

    A run first moves up, and absorbs those that it meets on the way. Deleted lines stay where they are.
    """
    done: _Runs = []
    todo = runs[::-1]
    while todo:
        done.append(_down(lines, _up(lines, todo.pop(), done), todo))
    return done


def _up(lines: Sequence[str], run: tuple[int, int], before: _Runs) -> tuple[int, int]:
    """The run moved up, past the runs `before` that it absorbs; the nearest is the last."""
    start, end = run
    while True:
        if before and before[-1][1] == start:
            start = before.pop()[0]
        elif start > 0 and lines[start - 1] == lines[end - 1]:
            start, end = start - 1, end - 1
        else:
            return start, end


def _down(lines: Sequence[str], run: tuple[int, int], after: _Runs) -> tuple[int, int]:
    """The run moved down, past the runs `after` that it absorbs; the nearest is the last."""
    start, end = run
    while True:
        if after and after[-1][0] == end:
            end = after.pop()[1]
        elif end < len(lines) and lines[start] == lines[end]:
            start, end = start + 1, end + 1
        else:
            return start, end


def _runs(deletions: _Runs, insertions: _Runs, old_end: int, new_end: int) -> Iterator[Op]:
    """All operations, given the runs of deleted and of inserted lines, in order."""
    deletions, insertions = deletions[::-1], insertions[::-1]
    old = new = 0
    while old < old_end or new < new_end:
        lo, at = old, new
        while deletions and deletions[-1][0] == old:
            old = deletions.pop()[1]
        while insertions and insertions[-1][0] == new:
            new = insertions.pop()[1]
        if (lo, at) != (old, new):
            yield Op(False, lo, old, at, new)
        equal = min(
            (deletions[-1][0] if deletions else old_end) - old, (insertions[-1][0] if insertions else new_end) - new
        )
        if equal:
            yield Op(True, old, old + equal, new, new + equal)
            old, new = old + equal, new + equal
