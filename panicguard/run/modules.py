"""What a Python file imports from other modules of the project and may spawn with: executors, loops, thread classes,
functions that spawn, and modules by another name; and what it hands to spawns that handles its errors itself.

`engine.check` reads nothing, so that this is looked up before, and handed to it in the settings. Only few files import
something that is asked about (`python/imported.py`); for these, modules are found by their paths, read and parsed, but
never imported. What a run found of a file holds as long as all the files do that were looked at, or looked for.
"""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

from panicguard import engine
from panicguard.files.reading import SETTINGS, read
from panicguard.files.stamp import PACKAGE, stamp
from panicguard.python import apis
from panicguard.python.apis import SpawnKind
from panicguard.python.exports import STAR, Export, ExportKind, exports, kept_errors
from panicguard.python.handed import WORDS, handed
from panicguard.python.imported import asked
from panicguard.python.keeping import Kept
from panicguard.python.plain import plain
from panicguard.settings import Imported, Settings
from panicguard.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from panicguard.files.stamp import Stamp

Consulted: TypeAlias = "tuple[tuple[str, tuple[int, ...] | None], ...]"
"""Files that were read or looked for, each with its stamp, None where it did not exist."""
_CALLED = "()"
_LOOPS = ("uvloop", "winloop")
"""Modules that stand for asyncio's."""
_DEPTH = 5
"""Modules and classes that a name is followed through."""
_SPAWNERS = (SpawnKind.TASK, SpawnKind.FUTURE)


def with_imported(
    source: Source, settings: Settings, opened: Mapping[str, str] | None = None
) -> tuple[Settings, Consulted]:
    """The settings with what is known of the names that a source imports, and the files that this depends on. The texts
    that are `opened` in an editor stand for the files."""
    if source.language != "python" or not os.path.isabs(source.path):
        return settings, ()
    words = engine.occurring(source, settings)
    names = asked(source.text, words)
    targets = {} if WORDS.isdisjoint(words) else handed(source.text)
    if not names and not targets:
        return settings, ()
    modules = _Modules(settings, opened or {})
    meanings = ((name, modules.meaning(source.path, name)) for name in names)
    found = (
        *(Imported(name, meant.kind, meant.of) for name, meant in meanings if meant is not None and _tells(meant)),
        *(
            Imported(written, "keeps", kept.name)
            for written, name in targets.items()
            if (kept := modules.kept_errors(source.path, name)) is not Kept.OUT
        ),
    )
    consulted = tuple((path, None if at is None else tuple(at)) for path, at in modules.stamps.items())
    return replace(settings, imported=found) if found else settings, consulted


@dataclass(frozen=True, slots=True)
class _Modules:
    """The modules of a project, as far as they were asked for."""

    settings: Settings
    opened: Mapping[str, str]
    stamps: dict[str, Stamp | None] = field(default_factory=dict)
    _under_way: set[tuple[str, str]] = field(default_factory=set)

    def meaning(self, path: str, name: str) -> Imported | None:
        """What a name is that the module at a path imports. None where the project does not say."""
        place = self._place(path, name)
        if place is None:
            return None
        module, rest = place
        return self._in_module(module, rest)

    def kept_errors(self, path: str, name: str, depth: int = _DEPTH) -> Kept:
        """What becomes of the errors in a function, or in a method of a class, that the module at a path imports."""
        place = self._place(path, name)
        return Kept.OUT if place is None or not depth else self._kept_in(*place, depth)

    def _kept_in(self, path: str, name: str, depth: int) -> Kept:
        """The same for one that is named in the module at a path, or that a class there inherits."""
        head, dot, rest = name.partition(".")
        if "." in rest:
            return Kept.OUT
        if (kept := self._kept_at(path, head, rest)) is not None:
            return kept
        for export in self._exports(path, head):
            if export.kind is ExportKind.IMPORT:
                return self.kept_errors(path, f"{export.of}{dot}{rest}", depth - 1)
            if export.kind is ExportKind.CLASS and rest and depth:
                return self._kept_in(path, f"{export.of}.{rest}", depth - 1)
        return Kept.OUT

    def _in_module(self, path: str, name: str) -> Imported | None:
        """What a name is in the module at a path."""
        head, _, rest = name.partition(".")
        if (path, head) in self._under_way:
            return None  # modules import each other in a circle
        self._under_way.add((path, head))
        try:
            ways = self._exports(path, head)
            if not ways:
                stars = (self._imported(path, f"{star.of[:-1]}{name}") for star in self._exports(path, STAR))
                return next((meant for meant in stars if meant is not None and meant.of != name), None)
            found = {self._exported(path, export, rest) for export in ways}
            if all(export.kind is ExportKind.CLASS for export in ways):
                found.discard(None)  # its other bases
            return found.pop() if len(found) == 1 else None
        finally:
            self._under_way.discard((path, head))

    def _exported(self, path: str, export: Export, rest: str) -> Imported | None:
        """What one binding of a name, or `rest` of its value, is."""
        dot = "." if rest else ""
        match export.kind:
            case ExportKind.IMPORT:
                return self._imported(path, f"{export.of}{dot}{rest}")
            case ExportKind.NAME:
                return self._looked_up(path, f"{export.of}{dot}{rest}")
            case ExportKind.CALL if not rest:
                return self._returned(self._looked_up(path, export.of))
            case ExportKind.CALL if "." not in rest:
                made = self._returned(self._looked_up(path, export.of))
                return None if made is None else _external(f"{made.of}.{rest}")
            case ExportKind.CLASS if not rest:
                base = self._looked_up(path, export.of)
                is_known = base is not None and base.of in (*apis.THREAD_CLASSES, *apis.EXECUTORS)
                return Imported("", "class", base.of) if base is not None and is_known else None
            case ExportKind.SPAWNER if not rest:
                callee = self._looked_up(path, export.of)
                api = apis.SPAWNS.get(callee.of) if callee is not None else None
                is_known = api is not None and api.target == 0 and api.kind in _SPAWNERS
                return Imported("", "spawner", callee.of) if callee is not None and is_known else None
        return None

    def _returned(self, callee: Imported | None) -> Imported | None:
        """What a call returns: an object of a class with methods that spawn."""
        if callee is None or callee.kind not in ("alias", "class"):
            return None
        made = apis.RETURNS.get(callee.of, callee.of)
        return (
            Imported("", "object", made) if made in (apis.LOOP, apis.POOL, apis.THREAD_POOL, *apis.EXECUTORS) else None
        )

    def _looked_up(self, path: str, name: str) -> Imported | None:
        """What an expression is in the module at a path: a dotted name, in which calls without arguments may be."""
        if _CALLED in name:
            func, _, rest = name.partition(_CALLED)
            made = self._returned(self._in_module(path, func))
            return _external(f"{made.of}{rest}") if made is not None and _CALLED not in rest else None
        return self._in_module(path, name)

    def _imported(self, path: str, name: str) -> Imported | None:
        """What a name is that the module at a path imports, from the project or from elsewhere."""
        return self.meaning(path, name) or (_external(name) if self._place(path, name) is None else None)

    # Where a module is

    def _place(self, path: str, name: str) -> tuple[str, str] | None:
        """The file of the module that a name comes from, and the rest of the name; None where the project has none."""
        bare = name.lstrip(".")
        level = len(name) - len(bare)
        if level:
            directory = path
            for _ in range(level):
                directory = os.path.dirname(directory)
            return self._below(directory, bare.split("."), is_package=True)
        parts = bare.split(".")
        found = (self._below(root, parts, is_package=False) for root in self._roots(path, parts[0]))
        return next((place for place in found if place is not None), None)

    def _below(self, directory: str, parts: list[str], *, is_package: bool) -> tuple[str, str] | None:
        """The same for a name that starts from a directory, which may be that of a package. Another package may be in
        it without a file of its own."""
        for at, part in enumerate(parts):
            inner, rest = os.path.join(directory, part), ".".join(parts[at + 1 :])
            if not self._exists(package := os.path.join(inner, PACKAGE)) and self._exists(f"{inner}.py"):
                return (f"{inner}.py", rest) if rest else None
            if not self._exists(package) and (at or is_package) and self._exists(os.path.join(directory, PACKAGE)):
                inside = self._below(inner, parts[at + 1 :], is_package=False)
                return inside or (os.path.join(directory, PACKAGE), ".".join(parts[at:]))
            directory = inner
        return None

    def _roots(self, path: str, package: str) -> Iterator[str]:
        """The directories that the modules of the project are imported from; `package` is the outermost one that is
        asked about."""
        directory = os.path.dirname(path)
        while self._exists(os.path.join(directory, PACKAGE)) and os.path.dirname(directory) != directory:
            directory = os.path.dirname(directory)
        yield directory
        if self.settings.root:
            yield from (os.path.normpath(os.path.join(self.settings.root, source)) for source in self.settings.src)
        while (above := os.path.dirname(directory)) != directory:
            if os.path.basename(directory) == package:
                yield above  # packages on the way up may have no file of their own
            directory = above

    # What is read

    def _exists(self, path: str) -> bool:
        if path in self.opened:
            return True
        if path not in self.stamps:
            self.stamps[path] = stamp(path)
        return self.stamps[path] is not None

    def _exports(self, path: str, name: str) -> frozenset[Export]:
        if path in self.opened:
            return exports(plain(self.opened[path]), name)
        return _exports_at(path, tuple(self.stamps[path] or ()), name) if self._exists(path) else frozenset()

    def _kept_at(self, path: str, name: str, method: str) -> Kept | None:
        if path in self.opened:
            return kept_errors(plain(self.opened[path]), name, method)
        return _kept_errors_at(path, tuple(self.stamps[path] or ()), name, method) if self._exists(path) else None


def _external(name: str) -> Imported:
    return Imported("", "alias", "asyncio" if name in _LOOPS else apis.canonical(name, None))


def _tells(meant: Imported) -> bool:
    """Whether the rules know what something is."""
    return meant.kind != "alias" or meant.of in (*apis.KNOWN, *apis.SPAWNING_MODULES, *apis.THREAD_CLASSES)


@functools.lru_cache(maxsize=4096)
def _exports_at(path: str, stamped: tuple[int, ...], name: str) -> frozenset[Export]:
    """What binds a name in a file. The stamp makes it be read again once it has changed."""
    return exports(_text(path, stamped), name)


@functools.lru_cache(maxsize=4096)
def _kept_errors_at(path: str, stamped: tuple[int, ...], name: str, method: str) -> Kept | None:
    """What becomes of the errors in a function of a file."""
    return kept_errors(_text(path, stamped), name, method)


@functools.lru_cache(maxsize=16)
def _text(path: str, stamped: tuple[int, ...]) -> str:
    try:
        return plain(Source.decode(path, read(path, SETTINGS)).text)
    except (OSError, UnicodeError, LookupError, ValueError):
        return ""
