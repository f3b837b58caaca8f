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
from typing import TYPE_CHECKING

from panicguard.files.reading import SETTINGS, read
from panicguard.files.stamp import MODULES, PACKAGE, SETTLED, digest, modules_in, stamp
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


def _consulted(group: str, stamped: tuple[int, ...]) -> tuple[int, ...]:
    """The stamp of a group, which says nothing where a file has just changed, and behind it one of its hooks."""
    is_settled = max(stamped[:2]) < (time.time() - SETTLED) * 1e9
    return (*(stamped if is_settled else (0,) * len(stamped)), digest_of(group, stamped))


def digest_of(group: str, stamped: tuple[int, ...]) -> int:
    """What stands for the hooks that a group sets: other changes of its files are no matter."""
    return digest([(*hook, *sorted(names)) for hook, names in _hooks_in(group, stamped)])


def _tops(path: str, root: str) -> Iterator[tuple[str, str]]:
    """The directories in which a program may start that a file belongs to, each with what a module there has to import
    for that; nothing, if it is a part of the same package."""
    top = os.path.dirname(path)
    is_package = os.path.isfile(os.path.join(top, PACKAGE))
    while os.path.isfile(os.path.join(top, PACKAGE)):
        above = os.path.dirname(top)
        if not os.path.isfile(os.path.join(above, PACKAGE)):
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
