"""Which files a run covers, and the settings of each."""

from __future__ import annotations

import heapq
import operator
import os
import stat
from typing import TYPE_CHECKING

from panicguard import globs
from panicguard.files import gomod
from panicguard.files.gitignore import NO_IGNORES, Ignores, ignores_above, is_ignored, with_own
from panicguard.settings import front_end

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from panicguard.settings import Settings

    SettingsFor = Callable[[str], Settings]
    """Directory (absolute) -> the settings of its files."""

_ADAPTED: Mapping[str, Callable[[Settings, str], Settings]] = {
    "python": lambda settings, _: settings,
    "go": gomod.adapted,
}
"""The settings of a directory adapted to its files, by front end; computed only where there are such files."""


def _drop(warning: str) -> None:
    """The default: warnings are dropped."""


def discover(
    arguments: Iterable[str], settings_for: SettingsFor, warn: Callable[[str], None] = _drop
) -> Iterator[tuple[str, Settings]]:
    """(absolute path, settings) of each file under the arguments, once each, sorted by the parts of the path.

    A file that is named itself is taken whatever its name, unless `force-exclude` says otherwise; one that does not
    exist is passed on, so that reading it reports that. `warn` is called for unreadable directories. Raises what
    `settings_for` raises.
    """
    cwd = os.getcwd()
    tops = sorted({os.path.normpath(os.path.join(cwd, argument)) for argument in arguments}, key=parts)
    walks = [_walk(top, settings_for, warn) if os.path.isdir(top) else _named(top, settings_for) for top in tops]
    if len(walks) == 1:
        yield from walks[0]
        return
    last = None
    for path, settings in heapq.merge(*walks, key=lambda item: parts(item[0])):
        if path != last:
            yield path, settings
        last = path


def parts(path: str) -> list[str]:
    """The key that paths are sorted by."""
    return path.split("/")


def _named(path: str, settings_for: SettingsFor) -> Iterator[tuple[str, Settings]]:
    settings = settings_for(os.path.dirname(path))
    if not (settings.force_exclude and _is_under_excluded(path, settings)):
        yield path, _ADAPTED[front_end(settings, path)](settings, os.path.dirname(path))


def excluded_but_named(arguments: Iterable[str], settings_for: SettingsFor) -> list[str]:
    """The arguments that are files which `exclude` leaves out, and which are taken because they are named."""
    excluded = []
    for argument in arguments:
        path = os.path.abspath(argument)
        settings = settings_for(os.path.dirname(path))
        if not settings.force_exclude and os.path.isfile(path) and _is_under_excluded(path, settings):
            excluded.append(argument)
    return excluded


def _is_under_excluded(path: str, settings: Settings) -> bool:
    """Whether the path or a directory above it, up to and including the settings' own, is excluded."""
    excluded = _excluder(settings)
    while not excluded(path):
        parent = os.path.dirname(path)
        if path in (settings.root, parent):
            return False
        path = parent
    return True


def _excluder(settings: Settings) -> Callable[[str], bool]:
    return globs.matcher(settings.root, settings.exclude)


def _walk(top: str, settings_for: SettingsFor, warn: Callable[[str], None]) -> Iterator[tuple[str, Settings]]:
    settings = settings_for(top)
    if settings.force_exclude and _is_under_excluded(top, settings):
        return
    # Files and directories yet to come, the next one last: a file has no Ignores.
    pending: list[tuple[str, Settings, Ignores | None]]
    pending = [(top, settings, ignores_above(top, warn) if settings.respect_gitignore else NO_IGNORES)]
    while pending:
        path, settings, ignores = pending.pop()
        if ignores is None:
            yield path, settings
            continue
        try:
            with os.scandir(path) as scan:
                entries = sorted(scan, key=operator.attrgetter("name"), reverse=True)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            warn(f"Failed to read {path}: {error.strerror or error}")
            continue
        settings = settings_for(path)
        excluded = _excluder(settings)
        included = globs.matcher(settings.root, settings.include)
        if ignores.respected:
            ignores = with_own(ignores, path, entries, warn)
        asked = ignores.asked
        adapted: dict[str, Settings] = {}
        for entry in entries:
            try:
                is_directory = entry.is_dir(follow_symlinks=False)
                if not is_directory and not (included(entry.path) and _is_readable(entry)):
                    continue
            except OSError:
                continue
            if excluded(entry.path) or (asked and is_ignored(asked, entry.path, is_directory)):
                continue
            if is_directory:
                pending.append((entry.path, settings, ignores))
                continue
            language = front_end(settings, entry.path)
            if language not in adapted:
                adapted[language] = _ADAPTED[language](settings, path)
            pending.append((entry.path, adapted[language], None))


def _is_readable(entry: os.DirEntry[str]) -> bool:
    """Whether reading the file ends: not a pipe or a device. A broken link is for its reader to report."""
    if entry.is_file(follow_symlinks=False):
        return True
    if not entry.is_symlink():
        return False
    try:
        mode = entry.stat().st_mode
    except OSError:
        return True
    return stat.S_ISREG(mode) or stat.S_ISDIR(mode)
