"""The spawn at a place in a Python file, and what there is to know of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from panicguard.python import screen
from panicguard.python.apis import SpawnKind
from panicguard.python.fixes.component import component
from panicguard.python.module import UnparsableError, parse
from panicguard.python.spawns import Fate
from panicguard.rule import all_rules

from .hover import Site, short

if TYPE_CHECKING:
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
_REASONS = {
    Fate.OBSERVED: "its error can be read where the handle goes",
    Fate.STRUCTURED: "its owner hears of an error",
}


def site_at(source: Source, settings: Settings, offset: int) -> Site | None:
    module = _module(source, settings, offset)
    if module is None:
        return None
    for spawn in module.spawns:
        start, end = module.span(spawn.call.func)
        if start <= offset <= end:
            reason = "the runtime guards it" if spawn.kind is SpawnKind.SAFE else _REASONS.get(spawn.fate)
            return Site(start, end, _facts(module, spawn), reason)
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


def _facts(module: Module, spawn: Spawn) -> tuple[tuple[str, str], ...]:
    safe = spawn.kind is SpawnKind.SAFE
    of_a_fix = "" if safe or spawn.fate is Fate.STRUCTURED else " of a fix"
    target = "unknown" if spawn.target is None else f"`{short(module.text(spawn.target))}`"
    if spawn.definition is not None:
        target += f" (line {module.source.location(module.span(spawn.definition)[0])[0]})"
    return (
        ("API", f"`{spawn.api}`"),
        ("Target", target),
        (f"Component{of_a_fix}", f"`{_argument(module, spawn, 0) if safe else component(module, spawn)}`"),
        (f"Policy{of_a_fix}", f"`{_argument(module, spawn, 1) if safe else module.settings.default_policy}`"),
        ("Owner", "none" if spawn.owner is None else f"`{short(module.text(spawn.owner))}`"),
        ("Handle", "SafeGo handles the error" if safe else _FATES[spawn.fate]),
    )


def _argument(module: Module, spawn: Spawn, index: int) -> str:
    plain = [arg for arg in spawn.call.args if arg.keyword is None and not arg.star]
    named = {arg.keyword.value: arg for arg in spawn.call.args if arg.keyword is not None}
    arg = plain[index] if index < len(plain) else named.get(("component", "policy")[index])
    return "unknown" if arg is None else short(module.text(arg.value))
