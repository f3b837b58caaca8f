"""Selectors: codes, prefixes of codes, names and ALL, and the rules that layers of them select."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

from panicguard.rule import all_rules

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


_FAMILY = "PNC"
_LIKE = 0.7
"""How much of two words is the same where one may be meant by the other."""


class Layer(NamedTuple):
    """Selectors given in one place. `select` is None if it is not given."""

    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()
    extend: tuple[str, ...] = ()


def resolve(start: frozenset[str], layers: Iterable[Layer]) -> frozenset[str]:
    """The codes that are on after all layers, the last one wins; before the first, those of `start`.

    In a layer the more specific selector wins, and `ignore` among equals. A `select` starts afresh. A selector
    that names no rule does nothing.
    """
    on = start
    carried: tuple[str, ...] = ()
    for layer in layers:
        given = [(_specificity(s), True, s) for s in (*(layer.select or ()), *layer.extend)]
        given += [(_specificity(s), False, s) for s in (*layer.ignore, *carried)]
        if layer.select is not None:
            on = frozenset()
        for _, selects, selector in sorted(given, key=lambda one: (one[0], not one[1])):
            on = on | codes_of(selector) if selects else on - codes_of(selector)
        # An `ignore` beside nothing selected is meant for what is selected later.
        carried = layer.ignore if layer.select == () and not layer.extend else ()
    return on


def by_code(table: Mapping[str, str]) -> dict[str, str]:
    """Selector -> value as code -> value: the more specific selector wins, and the last among equals."""
    return {
        code: table[selector] for selector in sorted(table, key=_specificity) for code in sorted(codes_of(selector))
    }


def default_codes() -> frozenset[str]:
    """The codes of the rules that are on where nothing is selected."""
    return frozenset(rule.code for rule in all_rules() if rule.default)


def codes_of(selector: str) -> frozenset[str]:
    """The codes that a code, a prefix of codes, a rule's name or ALL stands for; nothing if unknown."""
    is_prefix = selector.startswith("PNC")
    return frozenset(
        rule.code
        for rule in all_rules()
        if selector in ("ALL", rule.name) or (is_prefix and rule.code.startswith(selector))
    )


def known_selectors() -> tuple[str, ...]:
    """Every selector that stands for something: ALL, prefixes and codes, names."""
    codes = [rule.code for rule in all_rules()]
    prefixes = sorted({code[:length] for code in codes for length in range(len("PNC"), len(code) + 1)})
    return ("ALL", *prefixes, *(rule.name for rule in all_rules()))


def did_you_mean(selector: str) -> str:
    """What to write instead of a selector that names nothing."""
    close = nearest(selector, known_selectors())
    if close is not None:
        return f"did you mean `{close}`?"
    return "expected a code, a prefix such as `PNC1`, the name of a rule, or `ALL`"


def nearest(word: str, selectors: Iterable[str]) -> str | None:
    """The selector that is most like a word; None where there is none like it.

    A word that begins as a code does is held against whole codes, by the characters that are the same at its start and
    its end: of those as near, the lowest. The case of letters does not count.
    """
    import difflib

    known = {selector.upper(): selector for selector in selectors}
    upper = word.upper()
    if upper in known or not upper.startswith(_FAMILY):
        close = difflib.get_close_matches(upper, known, n=1, cutoff=_LIKE)
        return known[close[0]] if close else None
    codes = [rule.code for rule in all_rules() if rule.code in known]
    likeness = {code: 2 * _equal_ends(upper, code) / (len(upper) + len(code)) for code in codes}
    return min((code for code in codes if likeness[code] >= _LIKE), key=lambda c: (-likeness[c], c), default=None)


def _equal_ends(left: str, right: str) -> int:
    """How many characters two texts have in common at their start and, of the rest, at their end."""
    start = _equal_start(left, right)
    return start + _equal_start(left[start:][::-1], right[start:][::-1])


def _equal_start(left: str, right: str) -> int:
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(left, right, strict=False)))


def _specificity(selector: str) -> int:
    """ALL, then prefixes by length, then a code or name."""
    if selector == "ALL":
        return 0
    return len(selector) if selector.startswith("PNC") else len("PNC000")
