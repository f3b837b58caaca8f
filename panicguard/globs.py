"""Path patterns: one dialect for every setting, Ruff's; and how git's are read.

A pattern is matched against the base name of a path and, taken from the directory of the settings, against its absolute
path. `*` also crosses directories, `**/` stands for any number of them, `[...]`, `?` and `{a,b}` are as in a shell,
`\\` makes the next character literal. A leading `!` negates a pattern of `per-file-ignores`. A pattern that matches a
directory applies to everything below it, in every setting except `include`, which is about files only; in Ruff, only
`exclude` is like that.
"""

from __future__ import annotations

import functools
import itertools
import os
import re
import sys
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

SPECIAL = frozenset("*?[]{}\\")


def matches(root: str, patterns: tuple[str, ...], path: str) -> bool:
    """Whether one of the patterns, taken from the directory `root`, matches a path or a directory between the two;
    none matches `-`."""
    if not patterns or path == "-":
        return False
    path = path if path.startswith("/") else os.path.abspath(path)
    return matcher(root, patterns)(path) or _matches_above(root or os.getcwd(), patterns, path[: path.rindex("/")])


@functools.lru_cache(maxsize=4096)
def _matches_above(root: str, patterns: tuple[str, ...], directory: str) -> bool:
    """Whether one of the patterns matches a directory below `root`, or one between the two."""
    match, below = matcher(root, patterns), f"{root.rstrip('/')}/"
    while directory.startswith(below):
        if match(directory):
            return True
        directory = directory[: directory.rindex("/")]
    return False


@functools.lru_cache(maxsize=1024)
def matcher(root: str, patterns: tuple[str, ...]) -> Callable[[str], bool]:
    """A function that returns whether one of the patterns matches an absolute path. Raises ValueError for a bad
    pattern."""
    names: set[str] = set()
    paths: set[str] = set()
    endings: list[str] = []
    name_globs: list[str] = []
    path_globs: list[str] = []
    tails: list[str] = []
    for pattern in patterns:
        prefix, rest = _from_root(pattern, root or os.getcwd())
        if pattern.startswith("*.") and SPECIAL.isdisjoint(pattern[1:]) and "/" not in pattern:
            endings.append(pattern[1:])
        elif SPECIAL.isdisjoint(pattern):
            names.add(pattern)
            paths.add(prefix + rest)
        else:
            tails.append(pattern[max(map(pattern.rfind, SPECIAL)) + 1 :])
            name_globs.append(translate(pattern))
            path_globs.append(f"{re.escape(prefix)}(?:{translate(rest)})")
    name_glob = re.compile(any_of(name_globs)).fullmatch
    path_glob = re.compile(any_of(path_globs)).fullmatch
    ending, tail = tuple(endings), tuple(tails)

    def match(path: str) -> bool:
        name = path[path.rfind("/") + 1 :]
        if name in names or path in paths or name.endswith(ending):
            return True
        return path.endswith(tail) and (name_glob(name) is not None or path_glob(path) is not None)

    return match


def anchored(pattern: str, directory: str) -> str:
    """A pattern given in another directory than that of the settings, such as the one a command is run in.

    It means the same from any root, except for one that names no directory: that matches base names anyway.
    """
    bare = pattern.removeprefix("!")
    if "/" not in bare or bare.startswith(("/", "**/")):
        return pattern
    prefix, rest = _from_root(bare, directory)
    escaped = "".join(f"[{char}]" if char in "*?[{}" else "\\\\" if char == "\\" else char for char in prefix)
    return f"{'!' * pattern.startswith('!')}{escaped}{rest}"


def _from_root(pattern: str, root: str) -> tuple[str, str]:
    """A literal directory, with its slash, and the rest of a pattern that is taken from `root`."""
    path = os.path.normpath(pattern) if pattern else ""
    if path.startswith("/"):
        return "", path
    while path == ".." or path.startswith("../"):
        path = path[3:]
        root = os.path.dirname(root)
    return root if path in ("", ".") else root.rstrip("/") + "/", path if path != "." else ""


def any_of(expressions: Iterable[str]) -> str:
    return "(?s:" + "|".join(f"(?:{expression})" for expression in expressions) + ")"


# A pattern as a regular expression. The time to match it grows with the lengths of pattern and path, never with a power
# of the number of wildcards: what stands between two of them is looked for from the left, and the first place where it
# fits is kept (the group is atomic). No match is lost by that: what may follow a wildcard may follow it later.

_STAR = "*"
_ANY_DIRECTORIES = "**/"
ALTERNATIVES = 1000
"""The most alternatives that the groups of one pattern may have when they are multiplied out."""
LENGTH = 10_000
"""The most characters that a pattern may have: no path is as long."""


def translate(pattern: str, *, git: bool = False) -> str:
    """The regular expression for a whole string; in git's dialect no wildcard matches `/`, and braces are literal.

    Raises ValueError for an unclosed class or group, a range upside down, a pattern that is too long, and groups of too
    many alternatives.
    """
    if len(pattern) > LENGTH:
        raise ValueError(f"more than {LENGTH} characters")
    any_char = "[^/]" if git else "."
    return "|".join(dict.fromkeys(_expression(tokens, any_char) for tokens in _tokens(pattern, any_char, git)))


_Tokens: TypeAlias = "list[str]"
"""The wildcards `_STAR` and `_ANY_DIRECTORIES`, and expressions for what stands between them."""


def _tokens(pattern: str, any_char: str, git: bool) -> list[_Tokens]:
    """A pattern in parts; several times where it has groups, once for each choice of alternatives."""
    # One frame for each open group: its finished alternatives, and those of the part that is being read.
    frames: list[tuple[list[_Tokens], list[_Tokens]]] = [([], [[]])]

    def add(token: str) -> None:
        for tokens in frames[-1][1]:
            tokens.append(token)

    def multiply(choices: list[_Tokens]) -> None:
        read = frames[-1][1]
        if len(read) * len(choices) > ALTERNATIVES:
            raise ValueError(f"more than {ALTERNATIVES} alternatives")
        read[:] = [[*before, *choice] for before in read for choice in choices]

    at = 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "*":
            stars = at - 1
            while pattern.startswith("*", at):
                at += 1
            whole = at - stars == 2 and (stars == 0 or pattern[stars - 1] == "/" or frames[-1][1] == [[]])
            if whole and pattern.startswith("/", at):
                add(_ANY_DIRECTORIES)
                at += 1
            else:
                add(".+" if whole and at == len(pattern) and stars else _STAR)
        elif char == "?":
            add(any_char)
        elif char == "[":
            content, at = _character_class(pattern, at)
            add("(?!/)" * git + content)
        elif char == "\\":
            if at == len(pattern):
                raise ValueError("dangling '\\'")
            add(re.escape(pattern[at]))
            at += 1
        elif char == "{" and not git:
            frames.append(([], [[]]))
        elif char == "}" and not git:
            if len(frames) == 1:
                raise ValueError("unopened alternate group; missing '{' (maybe escape '}' with '[}]'?)")
            finished, last = frames.pop()
            # An empty alternative stands for nothing.
            multiply([tokens for tokens in (*finished, *last) if tokens] or [[]])
        elif char == "," and len(frames) > 1:
            finished, read = frames[-1]
            finished += read
            read[:] = [[]]
        else:
            add(re.escape(char))
    if len(frames) > 1:
        raise ValueError("unclosed alternate group; missing '}' (maybe escape '{' with '[{]'?)")
    return frames[0][1]


def _expression(tokens: _Tokens, any_char: str) -> str:
    first, *others = _split(tokens, _ANY_DIRECTORIES)
    if not others:
        return _between_directories(first, any_char, is_last=True)
    *middle, last = others
    return "".join(
        (
            _between_directories(first, any_char, is_last=False),
            *(_atomic(f"(?:.*?/)??{_between_directories(part, any_char, is_last=False)}") for part in middle),
            f"(?:.*/)?{_between_directories(last, any_char, is_last=True)}",
        )
    )


def _between_directories(tokens: _Tokens, any_char: str, *, is_last: bool) -> str:
    """The expression for what stands between two `**/`, or behind the last one."""
    first, *others = ("".join(part) for part in _split(tokens, _STAR))
    if not others:
        return first
    *middle, last = others
    sought = "".join(_atomic(f"{any_char}*?{part}") for part in middle if part)
    ending = f"{any_char}*{last}" if is_last or not last else _atomic(f"{any_char}*?{last}")
    return f"{first}{sought}{ending}"


def _split(tokens: _Tokens, wildcard: str) -> list[_Tokens]:
    parts: list[_Tokens] = [[]]
    for token in tokens:
        if token == wildcard:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


_names = itertools.count()


def _atomic(expression: str) -> str:
    """An atomic group, which keeps its first match; before Python 3.11, a lookahead that is then matched again."""
    if sys.version_info >= (3, 11):
        return f"(?>{expression})"
    name = f"_{next(_names)}"
    return f"(?=(?P<{name}>{expression}))(?P={name})"


def _character_class(pattern: str, at: int) -> tuple[str, int]:
    """The expression for the class whose `[` is before `at`, and where the pattern goes on."""
    negated = pattern[at : at + 1] in ("!", "^")
    start = at + negated
    end = pattern.find("]", start + 1)
    if end < 0:
        raise ValueError("unclosed character class; missing ']'")
    content = pattern[start:end]
    items: list[str] = []
    while content:
        if len(content) > 2 and content[1] == "-":
            if content[0] > content[2]:
                raise ValueError(f"invalid range; '{content[0]}' > '{content[2]}'")
            items.append(f"{re.escape(content[0])}-{re.escape(content[2])}")
            content = content[3:]
        else:
            items.append(re.escape(content[0]))
            content = content[1:]
    return f"[{'^' * negated}{''.join(items)}]", end + 1
