"""From words to the statements that a verdict depends on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.python.apis import GUARDS
from panicguard.python.evidence import Evidence
from panicguard.python.screen import hits
from panicguard.python.slice.depth import TooDeepError, shallow
from panicguard.python.slice.functions import functions
from panicguard.python.slice.render import render, whole
from panicguard.python.slice.toplevel import Toplevel
from panicguard.python.slice.whole import NotReadError, ask
from panicguard.python.slice.words import mark

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence, Set

    from panicguard.python.evidence import Demand
    from panicguard.python.slice.outline import Outline
    from panicguard.python.slice.render import Slice

_GUARDS = frozenset(name.rpartition(".")[2] for name in GUARDS)
IN_HANDLERS = frozenset((Evidence.CANCELLATION_HANDLERS,))
"""Evidence of which the words say something in handlers alone."""


def slice_of(text: str, demands: Iterable[Demand], names: Set[str]) -> Slice | None:
    """The text (newlines all `\\n`) without what no demand needs; None where nothing is left of it, all of it where the
    running Python cannot parse it. What is bound to one of `names` is kept as if it were read.

    Raises TooDeepError where a word stands in what is too deep to be parsed.
    """
    demands = list(demands)
    words = {word for demand in demands if demand.evidence - IN_HANDLERS for word in demand.words}
    caught = {word for demand in demands if demand.evidence & IN_HANDLERS for word in demand.words}

    def cut(found: Outline) -> Slice | None:
        return _cut(found, demands, words, caught, names)

    try:
        return ask(text, cut)
    except NotReadError:
        text = shallow(text, words | caught)
    try:
        return ask(text, cut)
    except NotReadError:
        return whole(text)


def _cut(found: Outline, demands: Sequence[Demand], words: Set[str], caught: Set[str], names: Set[str]) -> Slice | None:
    kinds = {kind for demand in demands for kind in demand.evidence}
    outside = {word for demand in demands if Evidence.CALLERS in demand.evidence for word in demand.words}
    if Evidence.ESCAPES in kinds:
        words = words | _GUARDS
    marks = mark(
        found, words, outside - {word for d in demands if Evidence.CALLERS not in d.evidence for word in d.words}
    )
    kept = functions(marks, caught, kinds, names)
    if kept is None:
        return None
    toplevel = Toplevel(marks, kept, names)

    def too_deep(first: int, last: int, depth: int) -> None:
        if hits("\n".join(found.lines[first:last]), words | caught):
            raise TooDeepError(first, depth)

    return render(found, kept.rows, toplevel, too_deep)
