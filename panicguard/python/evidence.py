"""What of a Python file a rule depends on: a rule declares it, and the slicer keeps it."""

from __future__ import annotations

import enum
from typing import NamedTuple


class Evidence(enum.Enum):
    """What of a Python file says something of a rule's words, beside what they spawn and what becomes of the handle.
    The rest of the file may be missing from what the rule is given."""

    SPAWNS = "no more than that"
    WHOLE_SPAWNED_BODY = "all of the functions that are spawned, and of those that they call: the safe choice"
    ESCAPES = "whether an error can leave a spawned function"
    HANDLERS = "what may hide errors in spawned functions, and in the functions that they call"
    ENDLESS_LOOPS = "the endless loops of spawned functions, and what they call"
    FINALLY = "what leaves a `finally` in async and in spawned functions, and in the functions that those call"
    RUN_METHODS = "the `run` of thread classes, and what it calls"
    TURNS = "what ends a turn of a loop that spawns a closure"
    CALLERS = "the words where they stand in no handler, and the calls of the functions that they stand in"
    CANCELLATION_HANDLERS = "the async functions in which a handler names one of the words"


class Demand(NamedTuple):
    """Words that stand in a text, and what says something of them."""

    words: frozenset[str]
    evidence: frozenset[Evidence]
