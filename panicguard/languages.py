"""The languages, each with its front end: the one table that asks which language a file is in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from panicguard.go import frontend as go
from panicguard.python import frontend as python

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from panicguard.diagnostic import Diagnostic, Fault
    from panicguard.lines import CommentStyle, Scan
    from panicguard.rule import Rule
    from panicguard.settings import Settings
    from panicguard.source import Source


class FrontEnd(Protocol):
    """What a language has to say: a module with these functions and values."""

    WEIGHT: float
    """How long a file takes beside one of Python of the same size."""
    COMMENTS: CommentStyle

    def words(self, rule: Rule, likely: bool) -> tuple[str, ...]:
        """What a rule looks for; with `likely`, also where what is likely but not proven is reported."""

    def skips(self, source: Source, settings: Settings) -> bool:
        """Whether a file is not to be checked at all."""

    def standing_in(self, text: str, words: Iterable[str]) -> frozenset[str]:
        """Those of the words that stand in a text in a way that matters."""

    def findings(
        self, source: Source, settings: Settings, rules: Sequence[Rule], words: frozenset[str]
    ) -> list[Diagnostic]:
        """What the rules find in a file that has these words."""

    def fault(self, source: Source) -> Fault | None:
        """Why the file is not of its language; asked only where there is something to report."""

    def judge_for(self, original: Source) -> Callable[[Source], str | None] | str:
        """What tells why a fixed version must not replace the original; a text: why the original is not to be fixed."""

    def scan(self, text: str) -> Scan:
        """The comments and logical lines of a text."""


FRONT_ENDS: Mapping[str, FrontEnd] = {"python": python, "go": go}
"""By `Source.language`."""


def style(source: Source) -> CommentStyle:
    """How the language of a file writes comments."""
    return FRONT_ENDS[source.language].COMMENTS


def scan(source: Source) -> Scan:
    """The comments and logical lines of a file."""
    return FRONT_ENDS[source.language].scan(source.text)
