"""What is to say about a place in a file: the spawn there, or the rule that a suppression comment names.

Offsets count code points of `Source.text`."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, NamedTuple

from panicguard import directives, engine, patterns
from panicguard.comments import scan
from panicguard.python import screen
from panicguard.python.magics import as_python
from panicguard.python.module import UnparsableError, parse
from panicguard.python.rewrite import component
from panicguard.python.spawns import Fate
from panicguard.report.rules import to_markdown
from panicguard.rule import all_rules, rule_names

if TYPE_CHECKING:
    from panicguard.model import Diagnostic
    from panicguard.python.module import Module
    from panicguard.python.spawns import Spawn
    from panicguard.settings import Settings
    from panicguard.source import Source

_NAME = re.compile(r"[^\W\d]\w*")
_FATES = {
    Fate.DROPPED: "dropped: nobody reads the error",
    Fate.RETAINED: "kept, but its error is never read",
    Fate.OBSERVED: "observed: its error can be read",
    Fate.STRUCTURED: "awaited by its owner, which raises the error",
}


class Hover(NamedTuple):
    """Markdown about `text[start:end]`."""

    markdown: str
    start: int
    end: int


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
    module = _module(source, settings, offset)
    if module is None:
        return None
    for spawn in module.spawns:
        start, end = module.span(spawn.call.func)
        if start <= offset <= end:
            return Hover(_spawn(module, spawn, start, end), start, end)
    return None


def _module(source: Source, settings: Settings, offset: int) -> Module | None:
    """What of a module is needed to say something about a line: the screen would leave an awaited spawn out, but not
    what else stands on its line."""
    words = tuple(dict.fromkeys(word for rule in all_rules() if not rule.handlers for word in rule.words))
    line = source.line(source.location(offset)[0])
    if not screen.found_in(line, words):
        return None
    names = screen.found_in(source.text, words) | {*_NAME.findall(line)}
    try:
        return parse(source, settings, sorted(names), ())
    except UnparsableError:
        return None


def _spawn(module: Module, spawn: Spawn, start: int, end: int) -> str:
    safe = spawn.kind == "safe"
    target = "unknown" if spawn.target is None else f"`{_short(module.text(spawn.target))}`"
    if spawn.definition is not None:
        target += f" (line {module.source.location(module.span(spawn.definition)[0])[0]})"
    rows = [
        ("API", f"`{spawn.api}`"),
        ("Target", target),
        ("Component", f"`{_argument(module, spawn, 0) if safe else component(module, spawn)}`"),
        ("Policy", f"`{_argument(module, spawn, 1) if safe else module.settings.default_policy}`"),
        ("Owner", "none" if spawn.owner is None else f"`{_short(module.text(spawn.owner))}`"),
        ("Handle", "SafeGo handles the error" if safe else _FATES[spawn.fate]),
    ]
    if not safe and spawn.fate is not Fate.STRUCTURED:
        rows[2:4] = [(f"{name} of a fix", value) for name, value in rows[2:4]]
    table = "\n".join(f"- {name}: {value}" for name, value in rows)
    return f"**Spawn** `{_short(module.text(spawn.call.func))}`\n\n{table}\n\n{_verdict(module, spawn, start, end)}\n"


def _argument(module: Module, spawn: Spawn, index: int) -> str:
    plain = [arg for arg in spawn.call.args if arg.keyword is None and not arg.star]
    named = {arg.keyword.value: arg for arg in spawn.call.args if arg.keyword is not None}
    arg = plain[index] if index < len(plain) else named.get(("component", "policy")[index])
    return "unknown" if arg is None else _short(module.text(arg.value))


def _verdict(module: Module, spawn: Spawn, start: int, end: int) -> str:
    """Whether the spawn is reported, and why, or why not."""
    source, its = module.source, module.settings

    def said(settings: Settings) -> list[Diagnostic]:
        return [d for d in engine.check(source, settings) if d.start <= end and start <= d.end and d.is_rule]

    if found := said(its):
        return "\n\n".join(f"Reported as {d.code} ({d.name}): {d.message}" for d in found)
    if found := said(dataclasses.replace(its, ignore_noqa=True)):
        return f"Not reported: a comment suppresses {_codes(found)}."
    if patterns.is_spawn_exempt(its, source.path) or source.path.endswith(".pyi"):
        return "Not reported: the rules about spawns do not hold in this file (`spawn-exempt`)."
    every = dataclasses.replace(its, ignore_noqa=True, enabled=frozenset(rule_names()), per_file_ignores=())
    if found := said(every):
        return f"Not reported: {_codes(found)} is off for this file."
    if spawn.kind == "safe":
        return "Not reported: the runtime guards it."
    if spawn.fate is Fate.STRUCTURED:
        return "Not reported: its owner hears of an error."
    if spawn.fate is Fate.OBSERVED:
        return "Not reported: its error can be read where the handle goes."
    if said(dataclasses.replace(every, low_confidence=True, strict_spawns=True)):
        return (
            "Not reported: it is likely to be safe, or not certain to be a spawn (`strict-spawns`, `low-confidence`)."
        )
    return "Not reported: what it runs handles its own errors, or it runs nothing."


def _codes(found: list[Diagnostic]) -> str:
    return ", ".join(dict.fromkeys(d.code for d in found))


def _short(text: str) -> str:
    return text if len(text) <= 60 and "\n" not in text else f"{text.splitlines()[0][:57]}..."
