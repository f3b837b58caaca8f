"""Which files a run is about, and the settings of each."""

from __future__ import annotations

import errno
import functools
import heapq
import operator
import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from panicguard import gomod, patterns, settings
from panicguard.reading import SETTINGS, read
from panicguard.remarks import warn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from panicguard.settings import Settings

    SettingsFor = Callable[[str], Settings]
    """Directory (absolute) -> the settings of its files."""

_ADAPTED: Mapping[str, Callable[[Settings, str], Settings]] = {"python": lambda its, _: its, "go": gomod.adapted}
"""What the settings of a directory come to for its files, by front end: asked only where there are any."""
MARKER = b"__mruntime__ = "
"""What the `__init__.py` of every copy of the runtime holds."""
PART = "_panic.py"
"""A module of every copy: to look for it takes less time than to read every `__init__.py`."""


def discover(
    arguments: Iterable[str], settings_for: SettingsFor, warn: Callable[[str], None] = warn
) -> Iterator[tuple[str, Settings]]:
    """(absolute path, settings) of each file under the arguments, once each, sorted by the parts of the path.

    A file that is named itself is taken whatever its name, unless `force-exclude` says otherwise; one that
    does not exist is handed on, so that reading it says so. `warn` is told of unreadable directories. Raises
    what `settings_for` raises.
    """
    cwd = os.getcwd()
    tops = sorted({os.path.normpath(os.path.join(cwd, argument)) for argument in arguments}, key=parts)
    found = [_walk(top, settings_for, warn) if os.path.isdir(top) else _named(top, settings_for) for top in tops]
    if len(found) == 1:
        yield from found[0]
        return
    last = None
    for path, its in heapq.merge(*found, key=lambda item: parts(item[0])):
        if path != last:
            yield path, its
        last = path


def parts(path: str) -> list[str]:
    """What paths are sorted by."""
    return path.split("/")


def _named(path: str, settings_for: SettingsFor) -> Iterator[tuple[str, Settings]]:
    its = settings_for(os.path.dirname(path))
    if not (its.force_exclude and _is_under_excluded(path, its)):
        yield path, _ADAPTED[settings.front_end(its, path)](its, os.path.dirname(path))


def excluded_but_named(arguments: Iterable[str], settings_for: SettingsFor) -> list[str]:
    """The arguments that are files which `exclude` leaves out, and which are taken since they are named."""
    found = []
    for argument in arguments:
        path = os.path.abspath(argument)
        its = settings_for(os.path.dirname(path))
        if not its.force_exclude and os.path.isfile(path) and _is_under_excluded(path, its):
            found.append(argument)
    return found


def _is_under_excluded(path: str, its: Settings) -> bool:
    """Whether the path or a directory above it, up to and with the settings' own, is excluded."""
    excluded = _excluder(its)
    while not excluded(path):
        parent = os.path.dirname(path)
        if path in (its.root, parent):
            return False
        path = parent
    return True


def _excluder(its: Settings) -> Callable[[str], bool]:
    return patterns.matcher(its.root, its.exclude)


def _walk(top: str, settings_for: SettingsFor, warn: Callable[[str], None]) -> Iterator[tuple[str, Settings]]:
    its = settings_for(top)
    if its.force_exclude and _is_under_excluded(top, its):
        return
    # Files and directories yet to come, the next one last: a file has no _Ignores.
    pending: list[tuple[str, Settings, _Ignores | None]]
    pending = [(top, its, _ignores_above(top, warn) if its.respect_gitignore else _NO_IGNORES)]
    while pending:
        path, its, ignores = pending.pop()
        if ignores is None:
            yield path, its
            continue
        try:
            with os.scandir(path) as scan:
                entries = sorted(scan, key=operator.attrgetter("name"), reverse=True)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            warn(f"Failed to read {path}: {error.strerror or error}")
            continue
        its = settings_for(path)
        excluded = _excluder(its)
        included = patterns.matcher(its.root, its.include)
        if ignores.respected:
            ignores = _with_own(ignores, path, entries, warn)
        asked = ignores.asked
        adapted: dict[str, Settings] = {}
        for entry in entries:
            try:
                is_directory = entry.is_dir(follow_symlinks=False)
                if not is_directory and not (included(entry.path) and _is_readable(entry)):
                    continue
            except OSError:
                continue
            if excluded(entry.path) or (asked and _is_ignored(asked, entry.path, is_directory)):
                continue
            if is_directory:
                pending.append((entry.path, its, ignores))
                continue
            front_end = settings.front_end(its, entry.path)
            if front_end not in adapted:
                adapted[front_end] = _ADAPTED[front_end](its, path)
            pending.append((entry.path, adapted[front_end], None))


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


# What git ignores


class _IgnoreFile(NamedTuple):
    directory: str
    says: Callable[[str], bool | None]


class _Ignores(NamedTuple):
    """The ignore files that hold for a directory: each group nearest first, the groups by precedence."""

    respected: bool
    repository: bool
    plain: tuple[_IgnoreFile, ...] = ()
    """Of files called .ignore, which hold outside a repository too."""
    git: tuple[_IgnoreFile, ...] = ()
    rest: tuple[_IgnoreFile, ...] = ()
    """The repository's info/exclude, and the user's."""

    @property
    def asked(self) -> tuple[_IgnoreFile, ...]:
        return (*self.plain, *self.git, *self.rest)


_NO_IGNORES = _Ignores(respected=False, repository=False)
_OWN = frozenset((".git", ".jj", ".gitignore", ".ignore"))


def _is_ignored(asked: tuple[_IgnoreFile, ...], path: str, is_directory: bool) -> bool:
    for directory, says in asked:
        verdict = says(path[len(directory) :] + "/" * is_directory)
        if verdict is not None:
            return verdict
    return False


def _ignores_above(top: str, warn: Callable[[str], None]) -> _Ignores:
    """What the directories above say, the user's own ignore file included."""
    ignores = _Ignores(respected=True, repository=False)
    above = [top]
    while above[-1] != os.path.dirname(above[-1]):
        above.append(os.path.dirname(above[-1]))
    for directory in reversed(above[1:]):
        names = [name for name in _OWN if os.path.lexists(os.path.join(directory, name))]
        ignores = _add(ignores, directory, names, warn)
    return ignores


def _with_own(
    ignores: _Ignores, directory: str, entries: Iterable[os.DirEntry[str]], warn: Callable[[str], None]
) -> _Ignores:
    names = [entry.name for entry in entries if entry.name in _OWN]
    return _add(ignores, directory, names, warn) if names else ignores


def _add(ignores: _Ignores, directory: str, names: Iterable[str], warn: Callable[[str], None]) -> _Ignores:
    """The ignores below a directory that holds those of the special names."""
    read_own = functools.partial(_ignore_file, directory, warn=warn)
    if ".git" in names or ".jj" in names:
        rest = read_own(_info_exclude(directory)) + read_own(_users_ignore_file())
        ignores = ignores._replace(repository=True, git=(), rest=rest)
    if ".ignore" in names:
        ignores = ignores._replace(plain=read_own(".ignore") + ignores.plain)
    if ".gitignore" in names and ignores.repository:
        ignores = ignores._replace(git=read_own(".gitignore") + ignores.git)
    return ignores


def _ignore_file(directory: str, path: str, warn: Callable[[str], None]) -> tuple[_IgnoreFile, ...]:
    """An ignore file whose patterns start from a directory, if it says anything."""
    text = _text(os.path.join(directory, path), warn)
    return (_IgnoreFile(directory.rstrip("/") + "/", patterns.ignore_file(text)),) if text.strip() else ()


def _text(path: str, warn: Callable[[str], None] | None = None) -> str:
    """The text of a small file; nothing where there is none. `warn` is told of one that is not read on purpose."""
    try:
        return read(path, SETTINGS).decode(errors="surrogateescape")
    except OSError as error:
        if warn is not None and error.errno in (errno.EINVAL, errno.EFBIG):
            warn(f"Failed to read {path}: {error.strerror}")
    except ValueError:  # a pointer to a path with a null byte
        pass
    return ""


def _info_exclude(directory: str) -> str:
    """The info/exclude of the repository whose work tree a directory is; in a linked one `.git` is a file."""
    git = os.path.join(directory, ".git")
    pointer = _text(git)
    if pointer.startswith("gitdir:"):
        git = os.path.join(directory, pointer.removeprefix("gitdir:").strip())
        git = os.path.join(git, _text(os.path.join(git, "commondir")).strip())
    return os.path.join(git, "info", "exclude")


def _users_ignore_file() -> str:
    """The file that git's `core.excludesFile` names, else the one that git takes."""
    import re

    home = os.path.expanduser("~")
    config = os.path.join(os.environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config"), "git")
    for path in (os.path.join(home, ".gitconfig"), os.path.join(config, "config")):
        if found := re.search(r'(?im)^\s*excludesfile\s*=\s*"?([^"\r\n]*?)"?\s*$', _text(path)):
            return os.path.expanduser(found[1])
    return os.path.join(config, "ignore")


# Copies of the runtime


@functools.cache
def is_runtime_copy(directory: str) -> bool:
    """Whether the files of a directory are a vendored copy of the runtime."""
    return os.path.isfile(os.path.join(directory, PART)) and _has_marker(os.path.join(directory, "__init__.py"))


@functools.cache
def runtime_in(root: str) -> str | None:
    """The dotted name of the copy of the runtime in a project: of several the shortest, then the first.

    A directory that does not look like a project's is not searched: it may be the root of everything.
    """
    if not any(os.path.exists(os.path.join(root, name)) for name in (*settings.FILES, ".git", "setup.py")):
        return None
    found: list[str] = []
    pending = [root]
    while pending:
        directory = pending.pop()
        try:
            with os.scandir(directory) as scan:
                entries = list(scan)
        except OSError:
            continue
        if any(entry.name == PART for entry in entries) and is_runtime_copy(directory):
            found.append(dotted(directory))
        else:
            pending.extend(entry.path for entry in entries if _is_searched(entry))
    return min(found, key=lambda name: (name.count("."), len(name), name), default=None)


_NOT_SEARCHED = frozenset((*settings.EXCLUDE, "__pycache__"))


def _is_searched(entry: os.DirEntry[str]) -> bool:
    return entry.name[0] != "." and entry.name not in _NOT_SEARCHED and entry.is_dir(follow_symlinks=False)


def _has_marker(path: str) -> bool:
    try:
        return MARKER in read(path)
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
