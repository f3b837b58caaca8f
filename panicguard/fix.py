"""Fixes: edits applied to the text they were made for, round after round, until nothing is left to apply.

Offsets count code points of `Source.text`. Nothing here reads or writes a file.
"""

from __future__ import annotations

import bisect
import dataclasses
import functools
import itertools
from typing import TYPE_CHECKING

from panicguard.diagnostic import INTERNAL_ERROR, INVALID_SYNTAX, Applicability, Diagnostic, Edit, Result, edited
from panicguard.engine import check as check_source
from panicguard.languages import FRONT_ENDS
from panicguard.source import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from panicguard.diagnostic import Fix
    from panicguard.settings import Settings

ROUNDS = 100
"""After so many rounds, the fixes are assumed to undo one another."""


def apply(source: Source, fixes: Sequence[Fix]) -> tuple[Source, tuple[int, ...]]:
    """The source with those of `fixes` made that go together, and their indices, in ascending order.

    The first in the text wins; a fix with an edit that overlaps or touches an edit of another is left for a
    later round. An edit that two fixes share (the import both need) is made once. Raises ValueError when the
    edits of a fix overlap one another or leave the text.
    """
    made: list[Edit] = []
    applied: list[int] = []
    for index in sorted(range(len(fixes)), key=lambda index: (sorted(fixes[index].edits), index)):
        edits = sorted(set(fixes[index].edits))
        _validate(edits, len(source.text))
        new = [edit for edit in edits if not _is_made(edit, made)]
        if not any(_touches(edit, made) for edit in new):
            for edit in new:
                bisect.insort(made, edit)
            applied.append(index)
    return _edited(source, made), tuple(sorted(applied))


def _edited(source: Source, edits: Sequence[Edit]) -> Source:
    """The source after edits that are sorted and do not overlap; in a notebook each lies in one cell."""
    if not source.cells:
        return dataclasses.replace(source, text=edited(source.text, edits))
    own = {start: list(group) for start, group in itertools.groupby(edits, lambda edit: source.cell(edit.start)[1])}
    texts = {cell: edited(source.text, own.get(cell.start, ()), *source.cell(cell.start)[1:]) for cell in source.cells}
    return source.with_cells({cell.number: text.removesuffix("\n") for cell, text in texts.items()})


def _validate(edits: Sequence[Edit], length: int) -> None:
    position = 0
    for edit in edits:
        if not position <= edit.start <= edit.end <= length:
            raise ValueError(f"an edit at {edit.start} overlaps another or lies outside the text")
        position = edit.end


def _is_made(edit: Edit, made: Sequence[Edit]) -> bool:
    at = bisect.bisect_left(made, edit)
    return at < len(made) and made[at] == edit


def _touches(edit: Edit, made: Sequence[Edit]) -> bool:
    """Whether an edit overlaps or adjoins one of `made`, which are sorted and do not overlap."""
    at = bisect.bisect_left(made, edit)
    return (at > 0 and made[at - 1].end >= edit.start) or (at < len(made) and made[at].start <= edit.end)


def fix(source: Source, settings: Settings, unsafe: bool = False) -> Result:
    """The source after its safe fixes, or its unsafe ones as well, and the diagnostics that are left."""
    return converge(source, functools.partial(check_source, settings=settings), unsafe)


def converge(
    source: Source,
    check: Callable[[Source], tuple[Diagnostic, ...]],
    unsafe: bool = False,
    *,
    diagnostics: tuple[Diagnostic, ...] | None = None,
) -> Result:
    """Check, apply what may be applied, and again, until a round applies nothing. `diagnostics` are those of `source`,
    where they are known.

    A source with a syntax error stays as it is, and so does one whose fixes would break it: an
    `internal-error` then says so beside the diagnostics of the original. Fixes that have not settled after
    `ROUNDS` rounds are kept, with an `internal-error` too. Never applies a display-only fix.
    """
    original = source
    diagnostics = before = check(source) if diagnostics is None else diagnostics
    allowed = (Applicability.SAFE, Applicability.UNSAFE) if unsafe else (Applicability.SAFE,)
    fixed: list[str] = []
    for _ in range(ROUNDS):
        if any(diagnostic.code == INVALID_SYNTAX for diagnostic in diagnostics):
            break
        fixable = [d for d in diagnostics if d.fix is not None and d.fix.applicability in allowed]
        if not fixable:
            break
        source, applied = apply(source, [d.fix for d in fixable if d.fix is not None])
        fixed += (fixable[index].code for index in applied)
        diagnostics = check(source)
    else:
        diagnostics += (_internal_error(f"the fixes did not settle after {ROUNDS} rounds: {_listed(fixed)}"),)
    if not fixed:
        return Result(source, diagnostics)
    judge = FRONT_ENDS[original.language].judge_for(original)
    if isinstance(judge, str):
        broken = Diagnostic(INVALID_SYNTAX, INVALID_SYNTAX, f"not fixed: the file does not parse ({judge})", 0, 0)
        return Result(original, (*before, broken))
    if (fault := _fault(source, diagnostics, judge)) is not None:
        return Result(original, (*before, _internal_error(f"{fault}; the file is left as it was: {_listed(fixed)}")))
    return Result(source, diagnostics, tuple(fixed), original)


def _fault(source: Source, diagnostics: Sequence[Diagnostic], judge: Callable[[Source], str | None]) -> str | None:
    """Why the fixed source must not replace the original."""
    if any(diagnostic.code == INVALID_SYNTAX for diagnostic in diagnostics):
        return "the fixes cause a syntax error"
    try:
        reread = Source.decode(
            source.path, source.encode(), notebook=source.document is not None, language=source.language
        )
    except (ValueError, LookupError) as error:
        return f"the fixed text cannot be written as {source.encoding} ({error})"
    if dataclasses.replace(reread, document=source.document) != source:
        return "the fixed text would not be read back as it was written"
    fault = judge(source)
    return None if fault is None else f"the fixed text does not compile ({fault})"


def _internal_error(message: str) -> Diagnostic:
    return Diagnostic(INTERNAL_ERROR, INTERNAL_ERROR, message, 0, 0)


def _listed(codes: Sequence[str]) -> str:
    return ", ".join(sorted(set(codes)))
