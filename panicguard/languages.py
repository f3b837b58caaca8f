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
    """What the engine asks of a language: a module with these functions and values."""

    WEIGHT: float
    """How long a file takes, relative to one of Python of the same size."""
    COMMENTS: CommentStyle
    HINTS: tuple[str, ...]
    """Texts, beside the words, for which a file may be asked what it imports from other modules of the project."""
    NEEDS: Mapping[str, tuple[str, ...]]
    """Word -> texts without one of which it says nothing."""

    def words(self, rule: Rule, likely: bool) -> tuple[str, ...]:
        """The words that a rule looks for; with `likely`, also those for likely findings."""

    def skips(self, source: Source, settings: Settings) -> bool:
        """Whether a file must not be checked at all."""

    def standing_in(self, text: str, words: Iterable[str]) -> frozenset[str]:
        """Those of the words that occur in a text in a way that matters."""

    def findings(
        self, source: Source, settings: Settings, rules: Sequence[Rule], words: frozenset[str]
    ) -> list[Diagnostic]:
        """What the rules find in a file that contains these words."""

    def fault(self, source: Source) -> Fault | None:
        """Why the file is not valid in its language; called only if there is something to report."""

    def judge_for(self, original: Source) -> Callable[[Source], str | None] | str:
        """A function that returns why a fixed version must not replace the original; or a text: why the original cannot
        be fixed."""

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
