"""What a check needs of a module."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from panicguard.python.evidence import Evidence


class Demand(NamedTuple):
    """Words that stand in a text, and what says something of them."""

    words: frozenset[str]
    evidence: frozenset[Evidence]
