"""The plain data that flows from the rules to the reports: frozen, picklable, free of tree nodes.

Every offset counts code points from the start of `Source.text`; ends are exclusive.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from panicguard.source import Source

INVALID_SYNTAX = "invalid-syntax"
IO_ERROR = "io-error"
INTERNAL_ERROR = "internal-error"


class Severity(enum.Enum):
    """How much a diagnostic matters, the most severe first."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Applicability(enum.Enum):
    """Who may apply a fix: `--fix`, `--fix --unsafe-fixes`, or only the reader."""

    SAFE = "safe"
    UNSAFE = "unsafe"
    DISPLAY_ONLY = "displayonly"


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """Replace `text[start:end]` by `content`; an insertion where start == end."""

    start: int
    end: int
    content: str


def edited(text: str, edits: Iterable[Edit], start: int = 0, end: int | None = None) -> str:
    """`text[start:end]` after the edits, which are sorted, do not overlap and lie in it."""
    pieces: list[str] = []
    for edit in edits:
        pieces += (text[start : edit.start], edit.content)
        start = edit.end
    return "".join((*pieces, text[start:end]))


@dataclass(frozen=True, slots=True)
class Fix:
    """Edits on one original text that go together or not at all, sorted and without overlap."""

    title: str
    edits: tuple[Edit, ...]
    applicability: Applicability = Applicability.SAFE


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule's check yields; the engine adds the rule and makes a Diagnostic of it."""

    start: int
    end: int
    message: str
    fix: Fix | None = None


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding as reported.

    `code` is a rule's code, or one of the three names above for what is not reported by a rule; those have no
    `noqa_row`. `noqa_row` is the 1-based line on which a suppression comment takes effect.
    """

    code: str
    name: str
    message: str
    start: int
    end: int
    fix: Fix | None = None
    noqa_row: int | None = None
    severity: Severity = Severity.ERROR

    @property
    def is_rule(self) -> bool:
        return self.code not in (INVALID_SYNTAX, IO_ERROR, INTERNAL_ERROR)


@dataclass(frozen=True, slots=True)
class Result:
    """The result for one file.

    `source` is the text the diagnostics point into: after a fix run, the fixed one. `original` is set
    when the text was changed: `fixed` then names the code of each diagnostic that fixes resolved, and
    `added` counts the rows that got a suppression comment. `warnings` are for stderr: comments that try to
    suppress and cannot. `noqa_codes` are the codes of ours in `# noqa` comments. `lasting` says that all this depends
    on nothing but the file, its settings, and the files that were `consulted`: each with its stamp, None where it did
    not exist.
    """

    source: Source
    diagnostics: tuple[Diagnostic, ...]
    fixed: tuple[str, ...] = ()
    original: Source | None = None
    warnings: tuple[str, ...] = ()
    added: int = 0
    noqa_codes: tuple[str, ...] = ()
    lasting: bool = True
    consulted: tuple[tuple[str, tuple[int, ...] | None], ...] = ()

    @property
    def says_something(self) -> bool:
        """Whether there is anything to show."""
        return bool(self.diagnostics or self.original or self.warnings or self.noqa_codes)


class Fault(NamedTuple):
    """Why a file must not be edited, and where. `invalid`: it is not Python at all, as Ruff sees it, so that nothing
    else is reported."""

    message: str
    start: int
    end: int
    invalid: bool
