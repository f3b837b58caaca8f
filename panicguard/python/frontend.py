"""What Python has to say to the engine: see `panicguard.languages.FrontEnd`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from panicguard.diagnostic import INTERNAL_ERROR, Diagnostic
from panicguard.python.apis import DEFAULT_RUNTIME, NEEDS, SPAWNING_MODULES
from panicguard.python.evidence import Demand, Evidence
from panicguard.python.imported import HINTS
from panicguard.python.judge import judge_for
from panicguard.python.lex import COMMENTS, scan
from panicguard.python.screen import standing_in
from panicguard.rule import declared_words, diagnostics

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from panicguard.diagnostic import Fault
    from panicguard.python.file import PythonFile
    from panicguard.rule import Check, Rule
    from panicguard.settings import Settings
    from panicguard.source import Source

__all__ = [
    "COMMENTS",
    "HINTS",
    "NEEDS",
    "WEIGHT",
    "fault",
    "findings",
    "judge_for",
    "scan",
    "skips",
    "standing_in",
    "words",
]

WEIGHT = 1.0
_GIVEN = tuple(sorted({part for name in SPAWNING_MODULES for part in name.split(".")}))
"""What a cell of marimo may import for another one, which spawns with it."""


def words(rule: Rule, likely: bool) -> tuple[str, ...]:
    check = rule.python
    if check is None:
        return ()
    return (*check.words, *check.likely_words) if likely else check.words


def skips(source: Source, settings: Settings) -> bool:
    return False


def findings(source: Source, settings: Settings, rules: Sequence[Rule], words: frozenset[str]) -> list[Diagnostic]:
    from panicguard.python.parse import UnparsableError, Way, parse
    from panicguard.python.places import UnplacedError

    wanted, demands = _chosen(source, settings, rules, words)
    if not wanted:
        return []
    for way in Way:
        try:
            module = parse(source, settings, demands, way)
            return [] if module is None else _run(wanted, module)
        except UnplacedError:
            continue
        except UnparsableError as error:
            return [Diagnostic(INTERNAL_ERROR, INTERNAL_ERROR, error.message, error.start, error.end)]
    return []


def _chosen(
    source: Source, settings: Settings, rules: Sequence[Rule], words: frozenset[str]
) -> tuple[list[tuple[Rule, Check[PythonFile]]], list[Demand]]:
    """The rules whose words stand in a source, and what they need to see of it."""
    declared = words.intersection(declared_words(settings))
    wanted: list[tuple[Rule, Check[PythonFile]]] = []
    demands: list[Demand] = []
    for rule in rules:
        if rule.python is None:
            continue
        own = words.intersection(_words(rule, settings.low_confidence))
        if rule.python.evidence != {Evidence.CANCELLATION_HANDLERS}:
            own |= declared
        if own:
            wanted.append((rule, rule.python))
            demands.append(Demand(own, frozenset(rule.python.evidence)))
            if rule.python.context:
                demands.append(Demand(standing_in(source.text, rule.python.context), frozenset((Evidence.SPAWNS,))))
    if "marimo" in source.text:
        runtime = (settings.runtime_module or DEFAULT_RUNTIME).rpartition(".")[2]
        demands.append(Demand(standing_in(source.text, (*_GIVEN, runtime)), frozenset((Evidence.SPAWNS,))))
    return wanted, demands


def _run(wanted: Iterable[tuple[Rule, Check[PythonFile]]], module: PythonFile) -> list[Diagnostic]:
    found = [diagnostic for rule, check in wanted for diagnostic in diagnostics(rule, check.run(module))]
    return found if module.tree.places.are_exact else [replace(diagnostic, fix=None) for diagnostic in found]


def fault(source: Source) -> Fault | None:
    from panicguard.python.validity import fault  # only where there is something to report

    return fault(source)


_words = words
