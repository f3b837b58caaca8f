"""What a run does with each file: decided once, before the first one is read."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from panicguard.suppression.write import Annotation


class Does(enum.Enum):
    """What becomes of the findings: reported, fixed, fixed only to show the difference, or silenced by comments."""

    CHECK = "check"
    FIX = "fix"
    DIFF = "diff"
    ANNOTATE = "annotate"


@dataclass(frozen=True, slots=True)
class Task:
    """What to do with each file, and where it may be written."""

    does: Does = Does.CHECK
    unsafe: bool | None = None
    """Whether unsafe fixes are made. None: they are not, but are counted in the summary; False: not even mentioned."""
    annotation: Annotation | None = None
    """The comments that ANNOTATE adds."""
    trees: tuple[str, ...] = ()
    """The directories in which a file that is written has to lie once links are followed; (): anywhere."""
    only: bool = False
    """Whether what is left after FIX goes unreported."""
    lists_fixes: bool = False
    """Whether FIX lists what it fixed."""

    @property
    def fixes(self) -> bool:
        """Whether fixes are applied, be it only to show what they would do."""
        return self.does in (Does.FIX, Does.DIFF)

    @property
    def writes(self) -> bool:
        """Whether files that have changed are written."""
        return self.does in (Does.FIX, Does.ANNOTATE)
