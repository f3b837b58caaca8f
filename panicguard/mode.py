"""What a run does with its files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from panicguard.annotate import Annotation


@dataclass(frozen=True, slots=True)
class Mode:
    """What to do with a file: check it, or fix it, with unsafe fixes or without, or add suppression comments, and write
    what was changed."""

    fix: bool = False
    unsafe: bool = False
    write: bool = False
    annotation: Annotation | None = None
    trees: tuple[str, ...] = ()
    """The directories in which a file that is written has to lie once links are followed; (): anywhere."""
