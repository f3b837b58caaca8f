"""Whether a fixed Python file may replace the original: it must still be Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from panicguard.source import Source


def judge_for(original: Source) -> Callable[[Source], str | None] | str:
    """A function that returns why a fixed source is no longer Python: the running Python decides, or a less strict
    check if the original is newer or deeper than that accepts. For an original that no Python accepts: why not."""
    from panicguard.python.validity import compile_error  # only where something was fixed

    if compile_error(original) is None:
        return compile_error
    return _fault(original) or _fault


def _fault(source: Source) -> str | None:
    from panicguard.python.validity import fault

    broken = fault(source)
    return broken and broken.message
