"""Whether a fixed Go file may replace the original: it must have no more syntax errors than that."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from panicguard.source import Source


def judge_for(original: Source) -> Callable[[Source], str | None]:
    """A function that returns why a fixed source is worse than the original, which may contain what the grammar does
    not know."""
    from panicguard.go.tree import faults  # only where there is Go

    known = faults(original.text)
    return lambda fixed: "a syntax error that was not there before" if faults(fixed.text) > known else None
