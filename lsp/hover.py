"""The text of a hover: about a spawn, or about a rule that a suppression comment names.

Offsets count code points of `Source.text`."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, NamedTuple

from panicguard import engine
from panicguard.inventory import site_at
from panicguard.inventory.site import short
from panicguard.languages import FRONT_ENDS, scan
from panicguard.python.magics import as_python
from panicguard.report.rules import to_markdown
from panicguard.rule import all_rules, rule_names
from panicguard.settings import is_spawn_exempt
from panicguard.suppression import directives

if TYPE_CHECKING:
    from panicguard.diagnostic import Diagnostic
    from panicguard.inventory.site import SpawnSite
    from panicguard.settings import Settings
    from panicguard.source import Source


class Hover(NamedTuple):
    """Markdown about `text[start:end]`."""

    markdown: str
    start: int
    end: int


def hover(source: Source, settings: Settings, offset: int) -> Hover | None:
    """The text about what is at an offset; None without any."""
    plain = as_python(source)
    return _of_code(plain, offset) or _of_spawn(plain, settings, offset)


def _of_code(source: Source, offset: int) -> Hover | None:
    rules = {name: rule for rule in all_rules() for name in (rule.code, rule.name)}
    for directive in directives.read(source, scan(source), rule_names()).directives:
        for code in directive.codes or ():
            if code.start <= offset <= code.end and code.text in rules:
                return Hover(to_markdown(rules[code.text]), code.start, code.end)
    return None


def _of_spawn(source: Source, settings: Settings, offset: int) -> Hover | None:
    site = site_at(source, settings, offset)
    if site is None:
        return None
    facts = "\n".join(f"- {name}: {value}" for name, value in _facts(site))
    call = short(source.text[site.start : site.end])
    markdown = f"**Spawn** `{call}`\n\n{facts}\n\n{_verdict(source, settings, site)}\n"
    return Hover(markdown, site.start, site.end)


def _facts(site: SpawnSite) -> tuple[tuple[str, str], ...]:
    """What is known about a spawn: labels and their values in Markdown."""
    of_a_fix = " of a fix" if site.is_proposed else ""
    target = "unknown" if site.target is None else f"`{site.target}`"
    line = "" if site.target_line is None else f" (line {site.target_line})"
    return (
        ("API", f"`{site.api}`"),
        ("Target", f"{target}{line}"),
        (f"Component{of_a_fix}", f"`{site.component}`"),
        (f"Policy{of_a_fix}", f"`{site.policy}`"),
        ("Owner", "none" if site.owner is None else f"`{site.owner}`"),
        ("Handle", site.handle),
    )


def _verdict(source: Source, settings: Settings, site: SpawnSite) -> str:
    """Whether the spawn is reported, and why or why not: each thing that may hide a finding is switched off in turn."""

    def reported(**changes: Any) -> list[Diagnostic]:
        diagnostics = engine.check(source, dataclasses.replace(settings, **changes))
        return [d for d in diagnostics if d.start <= site.end and site.start <= d.end and d.is_rule]

    if diagnostics := reported():
        return "\n\n".join(f"Reported as {d.code} ({d.name}): {d.message}" for d in diagnostics)
    if diagnostics := reported(ignore_noqa=True):
        return f"Not reported: a comment suppresses {_codes(diagnostics)}."
    if is_spawn_exempt(settings, source.path) or source.path.endswith(".pyi"):
        return "Not reported: the rules about spawns do not apply to this file (`spawn-exempt`)."
    if FRONT_ENDS[source.language].skips(source, settings):
        return "Not reported: this file is generated."
    all_rules_on = {"ignore_noqa": True, "enabled": frozenset(rule_names()), "per_file_ignores": ()}
    if diagnostics := reported(**all_rules_on):
        return f"Not reported: {_codes(diagnostics)} is off for this file."
    if site.safe_because is not None:
        return f"Not reported: {site.safe_because}."
    if reported(**all_rules_on, low_confidence=True, strict_spawns=True):
        return (
            "Not reported: it is likely to be safe, or not certain to be a spawn (`strict-spawns`, `low-confidence`)."
        )
    return "Not reported: what it runs handles its own errors, or it runs nothing."


def _codes(diagnostics: list[Diagnostic]) -> str:
    return ", ".join(dict.fromkeys(d.code for d in diagnostics))
