"""Which files a run is about, and the settings of each."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING

from panicguard import patterns, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from panicguard.settings import Settings

    SettingsFor = Callable[[str], Settings]
    """Directory (absolute) -> the settings of its files."""

SUFFIXES = (".py", ".pyi")
MARKER = "__mruntime__ = "
"""What the `__init__.py` of every copy of the runtime holds."""


def discover(arguments: Iterable[str], settings_for: SettingsFor) -> Iterator[tuple[str, Settings]]:
    """(path, settings) of each file under the arguments, once each.

    A file that is named itself is taken whatever its name, unless `force-exclude` says otherwise; one that does not
    exist is handed on, so that reading it says so. Paths are absolute.
    """
    seen: set[str] = set()
    for argument in arguments:
        path = os.path.normpath(os.path.join(os.getcwd(), argument))
        found = _walk(path, settings_for) if os.path.isdir(path) else _named(path, settings_for)
        for file, its in found:
            if file not in seen:
                seen.add(file)
                yield file, its


def _named(path: str, settings_for: SettingsFor) -> Iterator[tuple[str, Settings]]:
    its = settings_for(os.path.dirname(path))
    if not (its.force_exclude and _is_under_excluded(path, its)):
        yield path, its


def _is_under_excluded(path: str, its: Settings) -> bool:
    """Whether the path or a directory above it, up to the settings' own, is excluded."""
    while path and path != its.root and path != os.path.dirname(path):
        if patterns.is_excluded(its, path):
            return True
        path = os.path.dirname(path)
    return False


def _walk(top: str, settings_for: SettingsFor) -> Iterator[tuple[str, Settings]]:
    its = settings_for(top)
    if its.force_exclude and _is_under_excluded(top, its):
        return
    ignores = _ignores_above(top) if its.respect_gitignore else ()
    in_repository = _repository(top) is not None
    pending: list[tuple[str, tuple[_Ignore, ...]]] = [(top, ignores)]
    while pending:
        directory, ignores = pending.pop()
        its = settings_for(directory)
        try:
            with os.scandir(directory) as scan:
                entries = sorted(scan, key=lambda entry: entry.name)
        except OSError:
            continue
        if its.respect_gitignore:
            in_repository = in_repository or any(entry.name == ".git" for entry in entries)
            if in_repository and any(entry.name == ".gitignore" for entry in entries):
                ignores = (*ignores, _Ignore(directory, ".gitignore"))
        below = []
        for entry in entries:
            is_directory = entry.is_dir(follow_symlinks=False)
            if not is_directory and not entry.name.endswith(SUFFIXES):
                continue
            if patterns.is_excluded(its, entry.path) or any(i.ignores(entry.path, is_directory) for i in ignores):
                continue
            if is_directory:
                below.append((entry.path, ignores))
            elif entry.is_file():
                yield entry.path, its
        pending.extend(reversed(below))


def _repository(directory: str) -> str | None:
    """The root of the git work tree that a directory is in."""
    while not os.path.exists(os.path.join(directory, ".git")):
        parent = os.path.dirname(directory)
        if parent == directory:
            return None
        directory = parent
    return directory


def _ignores_above(top: str) -> tuple[_Ignore, ...]:
    """The ignore files of the work tree above a directory, the outermost first."""
    root = _repository(top)
    if root is None:
        return ()
    found = []
    directory = top
    while directory != root:
        directory = os.path.dirname(directory)
        found.append(_Ignore(directory, ".gitignore"))
    found.append(_Ignore(root, os.path.join(".git", "info", "exclude")))
    return tuple(reversed(found))


class _Ignore:
    """One ignore file, read at its first question."""

    def __init__(self, directory: str, name: str) -> None:
        self.directory, self.name = directory, name

    @functools.cached_property
    def _spec(self) -> Callable[[str], bool]:
        try:
            with open(os.path.join(self.directory, self.name), encoding="utf-8", errors="replace") as file:
                lines = file.read().splitlines()
        except OSError:
            return lambda path: False
        from pathspec import GitIgnoreSpec

        return GitIgnoreSpec.from_lines(lines).match_file

    def ignores(self, path: str, is_directory: bool) -> bool:
        return self._spec(os.path.relpath(path, self.directory) + ("/" if is_directory else ""))


@functools.cache
def is_runtime_copy(directory: str) -> bool:
    """Whether the files of a directory belong to a vendored copy of the runtime."""
    return _has_marker(os.path.join(directory, "__init__.py"))


@functools.cache
def runtime_in(root: str) -> str | None:
    """The dotted name of the copy of the runtime in a project, the shortest if there are several.

    A directory that does not look like a project's is not searched: it may be the root of everything.
    """
    found: list[str] = []
    if not any(os.path.exists(os.path.join(root, name)) for name in (*settings.FILES, ".git", "setup.py")):
        return None
    for directory, subdirectories, names in os.walk(root):
        subdirectories[:] = [d for d in subdirectories if d not in settings.EXCLUDE and not d.startswith(".")]
        if "__init__.py" in names and _has_marker(os.path.join(directory, "__init__.py")):
            found.append(dotted(directory))
            subdirectories.clear()
    return min(found, key=lambda name: (name.count("."), name), default=None)


def _has_marker(path: str) -> bool:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return MARKER in file.read(20_000)
    except OSError:
        return False


def dotted(directory: str) -> str:
    """The name a package is imported by: from the nearest directory above that is no package."""
    parts = [os.path.basename(directory)]
    parent = os.path.dirname(directory)
    while os.path.isfile(os.path.join(parent, "__init__.py")):
        parts.append(os.path.basename(parent))
        parent = os.path.dirname(parent)
    return ".".join(reversed(parts))
