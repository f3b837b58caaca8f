"""What is to say about a place in a file: the spawn there, or the rule that a suppression comment names.

Offsets count code points of `Source.text`."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, NamedTuple

from panicguard import directives, engine, patterns
from panicguard.comments import scan
from panicguard.python.magics import as_python
from panicguard.report.rules import to_markdown
from panicguard.rule import all_rules, rule_names

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from panicguard.model import Diagnostic
    from panicguard.settings import Settings
    from panicguard.source import Source


class Hover(NamedTuple):
    """Markdown about `text[start:end]`."""

    markdown: str
    start: int
    end: int


class Site(NamedTuple):
    """A spawn: `text[start:end]` is what spawns."""

    start: int
    end: int
    facts: tuple[tuple[str, str], ...]
    """Names and what stands for them, in Markdown."""
    reason: str | None = None
    """Why it is safe, if it is known to be."""


def hover(source: Source, settings: Settings, offset: int) -> Hover | None:
    """What is to say about an offset, if anything."""
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
    site = _SITES[source.language](source, settings, offset)
    if site is None:
        return None
    facts = "\n".join(f"- {name}: {value}" for name, value in site.facts)
    spawns = short(source.text[site.start : site.end])
    markdown = f"**Spawn** `{spawns}`\n\n{facts}\n\n{_verdict(source, settings, site)}\n"
    return Hover(markdown, site.start, site.end)


def _verdict(source: Source, its: Settings, site: Site) -> str:
    """Whether the spawn is reported, and why, or why not."""

    def said(settings: Settings) -> list[Diagnostic]:
        found = engine.check(source, settings)
        return [d for d in found if d.start <= site.end and site.start <= d.end and d.is_rule]

    if found := said(its):
        return "\n\n".join(f"Reported as {d.code} ({d.name}): {d.message}" for d in found)
    if found := said(dataclasses.replace(its, ignore_noqa=True)):
        return f"Not reported: a comment suppresses {_codes(found)}."
    if patterns.is_spawn_exempt(its, source.path) or source.path.endswith(".pyi"):
        return "Not reported: the rules about spawns do not hold in this file (`spawn-exempt`)."
    if engine.FRONT_ENDS[source.language].skips(source, its):
        return "Not reported: this file is generated."
    every = dataclasses.replace(its, ignore_noqa=True, enabled=frozenset(rule_names()), per_file_ignores=())
    if found := said(every):
        return f"Not reported: {_codes(found)} is off for this file."
    if site.reason is not None:
        return f"Not reported: {site.reason}."
    if said(dataclasses.replace(every, low_confidence=True, strict_spawns=True)):
        return (
            "Not reported: it is likely to be safe, or not certain to be a spawn (`strict-spawns`, `low-confidence`)."
        )
    return "Not reported: what it runs handles its own errors, or it runs nothing."


def _codes(found: list[Diagnostic]) -> str:
    return ", ".join(dict.fromkeys(d.code for d in found))


def short(text: str) -> str:
    """A text that may be long, in one line."""
    return text if len(text) <= 60 and "\n" not in text else f"{text.splitlines()[0][:57]}..."


def _python_site(source: Source, settings: Settings, offset: int) -> Site | None:
    from .hover_python import site_at

    return site_at(source, settings, offset)


def _go_site(source: Source, settings: Settings, offset: int) -> Site | None:
    from .hover_go import site_at

    return site_at(source, settings, offset)


_SITES: Mapping[str, Callable[[Source, Settings, int], Site | None]] = {"python": _python_site, "go": _go_site}
"""What finds the spawn at an offset, by language; each is imported where there is something of it."""
