"""What stays of the functions of a module."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Set

    from panicguard.python.slice.outline import Block
    from panicguard.python.slice.words import Marks


@dataclass
class Kept:
    """What is kept of each function: the first rows of units, and all rows of what is kept whole."""

    rows: dict[Block, set[int]] = field(default_factory=dict)
    told: Set[str] = field(default_factory=set)
    """Names that handles go to, and of functions whose calls are asked for: what is said of them outside of functions
    is kept too."""

    def names(self, marks: Marks) -> set[str]:
        """The names in what is kept that a verdict may ask about."""
        found: set[str] = set()
        for block, rows in self.rows.items():
            hits = marks.hits.get(block, {})
            for unit in block.units:
                if unit in hits:
                    found |= unit.facts.names
                elif unit.first in rows:
                    found |= unit.facts.called
                    found |= unit.facts.leading
        return found
