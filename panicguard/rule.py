"""What a rule is, and where the rules are found: a file in `panicguard/rules` with a `RULE` in it."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from panicguard.diagnostic import Diagnostic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from panicguard.diagnostic import Finding
    from panicguard.go.module import GoModule
    from panicguard.python.module import Module
    from panicguard.settings import Settings


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: a value, not a class to inherit from.

    `words`, and `go_words` for Go, are the substrings without one of which a file cannot have a finding: a file
    with none of any rule's words is never parsed. `docs` is the module docstring: its first line is the summary, and
    its sections are What it does, Why is this bad, Example, Use instead, Fix safety, Options, References.
    """

    code: str
    module: str
    docs: str
    words: tuple[str, ...] = ()
    likely_words: tuple[str, ...] = ()
    """Further words, where what is likely but not proven is reported too."""
    python: Callable[[Module], Iterator[Finding]] | None = None
    go_words: tuple[str, ...] = ()
    go: Callable[[GoModule], Iterator[Finding]] | None = None
    """What checks a file, by language; a rule may be about one alone."""
    default: bool = True
    spawn: bool = False
    """Whether the rule is about a spawn itself, so that `spawn-exempt` files are free of it."""
    handlers: bool = False
    """Whether its words matter only in the handlers of async functions."""
    fix: str = "None"
    """None, Sometimes or Always: whether its findings come with a fix."""

    @property
    def name(self) -> str:
        return self.module.rpartition(".")[2].replace("_", "-")

    @property
    def summary(self) -> str:
        return self.docs.strip().partition("\n")[0]


@functools.cache
def all_rules() -> tuple[Rule, ...]:
    """Every rule, by code."""
    package = importlib.import_module("panicguard.rules")
    modules = (importlib.import_module(f"{package.__name__}.{m.name}") for m in pkgutil.iter_modules(package.__path__))
    return tuple(sorted((module.RULE for module in modules), key=lambda rule: rule.code))


@functools.cache
def rule_names() -> Mapping[str, str]:
    """The name of every rule, by its code."""
    return {rule.code: rule.name for rule in all_rules()}


def diagnostics(rule: Rule, findings: Iterator[Finding]) -> Iterator[Diagnostic]:
    """What a rule found, under its code and its name."""
    for finding in findings:
        yield Diagnostic(rule.code, rule.name, finding.message, finding.start, finding.end, finding.fix)


def declared_words(settings: Settings) -> tuple[str, ...]:
    """The words of the project's own spawners and guards: every rule about spawned code may speak of them."""
    return tuple(dict.fromkeys(n.rpartition(".")[2] for n in (*settings.extend_spawners, *settings.extend_guards)))
