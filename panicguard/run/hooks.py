"""Which hooks for errors the other modules of a project set, without a question of its files more than a finding asks.

A thread whose error is told by `threading.excepthook`, or a task whose error the handler of its loop gets, is no
finding; such a hook is set once, where a program starts. That is looked for near the top of the project alone: in the
modules of a file's outermost package and of the packages right in it; and at the root of the project, or beside a file
that is in no package, in those that import it. They are searched as text, never imported, and one stamp stands for all.
"""

from __future__ import annotations

import functools
import os
import time
from hashlib import blake2b
from typing import TYPE_CHECKING

from panicguard.files.reading import SETTINGS, read
from panicguard.files.stamp import MODULES, SETTLED, modules_in, stamp
from panicguard.globs import matches
from panicguard.python.hooks import WORDS, hooks
from panicguard.python.imported import imports
from panicguard.python.plain import plain
from panicguard.settings import TESTS, Hook
from panicguard.source import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeAlias

    from panicguard.files.stamp import Stamp
    from panicguard.run.modules import Consulted
    from panicguard.settings import Settings

    StampOf: TypeAlias = Callable[[str], Stamp | None]

_WORDS = tuple(word.encode() for word in WORDS)
_PACKAGE = "__init__.py"


def known(path: str, settings: Settings, stamp_of: StampOf = stamp) -> tuple[tuple[Hook, ...], Consulted]:
    """The hooks that a project sets, as seen from one of its files, and what that depends on."""
    groups = [
        (group := f"{directory}{MODULES}", tuple(stamp_of(group) or ()), imported)
        for directory, imported in _tops(path, settings.root)
    ]
    found = (
        hook
        for group, stamped, imported in groups
        for hook, names in _hooks_in(group, stamped)
        if (not imported or imported in names) and hook.path != path and not matches(settings.root, TESTS, hook.path)
    )
    return tuple(dict.fromkeys(found)), tuple((group, _consulted(group, stamped)) for group, stamped, _ in groups)


def stamp_once_a_second(group: str) -> Stamp | None:
    """The stamp of a group, for a run: its files are many, and so are those that ask for it."""
    return _stamp_at(group, int(time.monotonic()))


@functools.lru_cache(maxsize=256)
def _stamp_at(group: str, _second: int) -> Stamp | None:
    return stamp(group)


def _consulted(group: str, stamped: tuple[int, ...]) -> tuple[int, ...]:
    """The stamp of a group, which says nothing where a file has just changed, and behind it one of its hooks."""
    is_settled = max(stamped[:2]) < (time.time() - SETTLED) * 1e9
    return (*(stamped if is_settled else (0,) * len(stamped)), _digest(_hooks_in(group, stamped)))


def are_as_before(group: str, consulted: object, now: Stamp | None) -> bool:
    """Whether a group, which has a stamp now, sets the hooks that it did when it was consulted: other changes of its
    files are no matter."""
    if now is None or not group.endswith(MODULES) or not isinstance(consulted, list) or not consulted:
        return False
    return now == consulted[:-1] or _digest(_hooks_in(group, tuple(now))) == consulted[-1]


def _digest(hooks: tuple[tuple[Hook, frozenset[str]], ...]) -> int:
    return int.from_bytes(
        blake2b(
            repr([(*hook, *sorted(names)) for hook, names in hooks]).encode("utf-8", "surrogatepass"), digest_size=6
        ).digest(),
        "big",
    )


def _tops(path: str, root: str) -> Iterator[tuple[str, str]]:
    """The directories in which a program may start that a file belongs to, each with what a module there has to import
    for that; nothing, if it is a part of the same package."""
    top = os.path.dirname(path)
    is_package = os.path.isfile(os.path.join(top, _PACKAGE))
    while os.path.isfile(os.path.join(top, _PACKAGE)):
        above = os.path.dirname(top)
        if not os.path.isfile(os.path.join(above, _PACKAGE)):
            break
        top = above
    yield top, "" if is_package else os.path.splitext(os.path.basename(path))[0]
    if is_package and os.path.dirname(top) == os.path.normpath(root):
        yield os.path.dirname(top), os.path.basename(top)


@functools.lru_cache(maxsize=256)
def _hooks_in(group: str, stamped: tuple[int, ...]) -> tuple[tuple[Hook, frozenset[str]], ...]:
    """The hooks that a group of modules sets, each with what its module imports. The stamp makes them be read again
    once one has changed."""
    return tuple(hook for path in modules_in(group) for hook in _hooks_of(path))


def _hooks_of(path: str) -> Iterator[tuple[Hook, frozenset[str]]]:
    try:
        data = read(path, SETTINGS)
        if any(word in data for word in _WORDS):
            text = plain(Source.decode(path, data).text)
            names = frozenset(part for _, of in imports(text) for part in of.split(".") if part)
            yield from ((Hook(kind, path, row), names) for kind, row in hooks(text))
    except (OSError, UnicodeError, LookupError, ValueError):
        return
