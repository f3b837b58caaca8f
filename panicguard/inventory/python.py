"""The spawns of a Python file in plain words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from panicguard.inventory.site import SpawnSite, short
from panicguard.python import screen
from panicguard.python.apis import SpawnKind
from panicguard.python.evidence import Demand, Evidence
from panicguard.python.fates import Fate
from panicguard.python.fixes.component import component
from panicguard.python.parse import UnparsableError, parse
from panicguard.rule import all_rules

if TYPE_CHECKING:
    from panicguard.python.file import PythonFile
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
    Fate.STRUCTURED: "its owner learns of an error",
}
"""Why a spawn is safe, by the fate of its handle."""


def site_at(source: Source, settings: Settings, offset: int) -> SpawnSite | None:
    """The spawn whose called function contains an offset (code points); None if there is none, or if the file does not
    parse."""
    module = _module(source, settings, offset)
    if module is None:
        return None
    for spawn in module.spawns:
        start, end = module.span(spawn.place)
        if start <= offset <= end:
            return site(module, spawn)
    return None


def _module(source: Source, settings: Settings, offset: int) -> PythonFile | None:
    """The part of a module that the spawns on the line of an offset depend on; None if there can be none. All names on
    the line are asked for, because the screen drops a spawn that is awaited on the spot."""
    checks = [rule.python for rule in all_rules() if rule.python]
    spawning = (check for check in checks if Evidence.CANCELLATION_HANDLERS not in check.evidence)
    words = tuple(dict.fromkeys(word for check in spawning for word in check.words))
    line = source.line(source.location(offset)[0])
    if not any(word.strip(".:") in line for word in words):
        return None
    names = screen.found_in(source.text, words) | {*_NAME.findall(line)}
    try:
        return parse(source, settings, [Demand(frozenset(names), frozenset((Evidence.SPAWNS,)))])
    except UnparsableError:
        return None


def site(module: PythonFile, spawn: Spawn) -> SpawnSite:
    """A spawn in plain words."""
    start, end = module.span(spawn.place)
    is_safe = spawn.kind is SpawnKind.SAFE
    return SpawnSite(
        start,
        end,
        api=spawn.api,
        target=None if spawn.target is None else short(module.text(spawn.target)),
        target_line=None if spawn.definition is None else module.source.location(module.span(spawn.definition)[0])[0],
        component=_argument(module, spawn, "component") if is_safe else component(module, spawn),
        policy=_argument(module, spawn, "policy") if is_safe else module.settings.default_policy,
        is_proposed=not is_safe and spawn.fate is not Fate.STRUCTURED,
        owner=None if spawn.owner is None else short(module.text(spawn.owner)),
        handle="SafeGo handles the error" if is_safe else _FATES[spawn.fate],
        safe_because="the runtime guards it" if is_safe else _REASONS.get(spawn.fate),
    )


def _argument(module: PythonFile, spawn: Spawn, name: str) -> str:
    """The component or policy that a call of the runtime passes."""
    index = ("component", "policy").index(name)
    positional = [arg for arg in spawn.call.args if arg.keyword is None and not arg.star]
    named = {arg.keyword.value: arg for arg in spawn.call.args if arg.keyword is not None}
    is_supervised = spawn.api.endswith(".Supervise")  # its policy is a keyword, and has a default
    if is_supervised and name == "policy":
        return short(module.text(named[name].value)) if name in named else "KeepRunning"
    arg = positional[index] if index < len(positional) else named.get(name)
    return "unknown" if arg is None else short(module.text(arg.value))
