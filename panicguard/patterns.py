"""Path patterns, one dialect for every setting: Ruff's.

A pattern is matched against the base name of a path and, taken from the directory of the settings, against its
absolute path. `*` also crosses directories, `**/` stands for any number of them, `[...]`, `?` and `{a,b}` as in a
shell; a leading `!` turns a pattern of `per-file-ignores` around.
"""

from __future__ import annotations

import functools
import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from panicguard.settings import Settings


def is_excluded(settings: Settings, path: str) -> bool:
    """Whether `exclude` names this file or directory itself; whoever walks a tree prunes the directories."""
    return matches(settings.root, settings.exclude, path)


def ignored_codes(settings: Settings, path: str) -> frozenset[str]:
    """The codes that `per-file-ignores` turns off for a file."""
    ignored: frozenset[str] = frozenset()
    for pattern, codes in settings.per_file_ignores:
        negated = pattern.startswith("!")
        if matches(settings.root, (pattern.removeprefix("!"),), path) is not negated:
            ignored |= codes
    return ignored


def is_spawn_exempt(settings: Settings, path: str) -> bool:
    """Whether the rules about spawns leave a file alone."""
    return matches(settings.root, settings.spawn_exempt, path)


def component_for(settings: Settings, path: str) -> str | None:
    """The component that the settings give the spawns of a file."""
    return next((name for pattern, name in settings.component if matches(settings.root, (pattern,), path)), None)


def matches(root: str, patterns: tuple[str, ...], path: str) -> bool:
    """Whether one of the patterns, taken from the directory `root`, matches a path."""
    if not patterns or path == "-":
        return False
    absolute = path if os.path.isabs(path) else os.path.normpath(os.path.join(os.getcwd(), path))
    names, paths = _compiled(root, patterns)
    return names.match(absolute.rpartition("/")[2]) is not None or paths.match(absolute) is not None


@functools.lru_cache(maxsize=256)
def _compiled(root: str, patterns: tuple[str, ...]) -> tuple[re.Pattern[str], re.Pattern[str]]:
    names = "|".join(translate(p) for p in patterns)
    paths = "|".join(translate(os.path.normpath(os.path.join(root or os.getcwd(), p))) for p in patterns)
    return re.compile(names), re.compile(paths)


def translate(pattern: str) -> str:
    """The regular expression for a whole string. Raises ValueError for an unclosed class or group."""
    parts: list[str] = []
    at, depth = 0, 0
    while at < len(pattern):
        char = pattern[at]
        if pattern.startswith("**/", at) and (at == 0 or pattern[at - 1] == "/"):
            parts.append("(?:.*/)?")
            at += 3
            continue
        if char == "*":
            parts.append(".*")
            while pattern.startswith("*", at + 1):
                at += 1
        elif char == "?":
            parts.append(".")
        elif char == "[":
            end = pattern.find("]", at + 2)
            if end < 0:
                raise ValueError("unclosed character class; missing ']'")
            content = pattern[at + 1 : end].replace("\\", "\\\\")
            parts.append(f"[^{content[1:]}]" if content[0] in "!^" else f"[{content}]")
            at = end
        elif char == "{":
            depth += 1
            parts.append("(?:")
        elif char == "}" and depth:
            depth -= 1
            parts.append(")")
        elif char == "," and depth:
            parts.append("|")
        else:
            parts.append(re.escape(char))
        at += 1
    if depth:
        raise ValueError("unclosed alternate group; missing '}'")
    return f"(?s:{''.join(parts)})\\Z"
