"""What git ignores, as git and Ruff determine it: .gitignore, .ignore, the repository's own exclude file and the
user's."""

from __future__ import annotations

import errno
import functools
import os
import re
from typing import TYPE_CHECKING, NamedTuple

from panicguard.files.reading import SETTINGS, read
from panicguard.globs import SPECIAL, any_of, translate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class IgnoreFile(NamedTuple):
    directory: str
    says: Callable[[str], bool | None]


class Ignores(NamedTuple):
    """The ignore files that apply to a directory: each group nearest first, the groups by precedence."""

    respected: bool
    repository: bool
    plain: tuple[IgnoreFile, ...] = ()
    """Of files called .ignore, which apply outside a repository too."""
    git: tuple[IgnoreFile, ...] = ()
    rest: tuple[IgnoreFile, ...] = ()
    """The repository's info/exclude, and the user's."""

    @property
    def asked(self) -> tuple[IgnoreFile, ...]:
        return (*self.plain, *self.git, *self.rest)


NO_IGNORES = Ignores(respected=False, repository=False)
_OWN = frozenset((".git", ".jj", ".gitignore", ".ignore"))


def is_ignored(asked: tuple[IgnoreFile, ...], path: str, is_directory: bool) -> bool:
    for directory, says in asked:
        verdict = says(path[len(directory) :] + "/" * is_directory)
        if verdict is not None:
            return verdict
    return False


def ignores_above(top: str, warn: Callable[[str], None]) -> Ignores:
    """The ignore files of the directories above, and the user's own."""
    ignores = Ignores(respected=True, repository=False)
    above = [top]
    while above[-1] != os.path.dirname(above[-1]):
        above.append(os.path.dirname(above[-1]))
    for directory in reversed(above[1:]):
        names = [name for name in _OWN if os.path.lexists(os.path.join(directory, name))]
        ignores = _add(ignores, directory, names, warn)
    return ignores


def with_own(
    ignores: Ignores, directory: str, entries: Iterable[os.DirEntry[str]], warn: Callable[[str], None]
) -> Ignores:
    names = [entry.name for entry in entries if entry.name in _OWN]
    return _add(ignores, directory, names, warn) if names else ignores


def _add(ignores: Ignores, directory: str, names: Iterable[str], warn: Callable[[str], None]) -> Ignores:
    """The ignores below a directory that contains ignore files of these names."""
    read_own = functools.partial(_ignore_file, directory, warn=warn)
    if ".git" in names or ".jj" in names:
        rest = read_own(_info_exclude(directory)) + read_own(_users_ignore_file())
        ignores = ignores._replace(repository=True, git=(), rest=rest)
    if ".ignore" in names:
        ignores = ignores._replace(plain=read_own(".ignore") + ignores.plain)
    if ".gitignore" in names and ignores.repository:
        ignores = ignores._replace(git=read_own(".gitignore") + ignores.git)
    return ignores


def _ignore_file(directory: str, path: str, warn: Callable[[str], None]) -> tuple[IgnoreFile, ...]:
    """An ignore file whose patterns start from a directory, if it has any."""
    text = _text(os.path.join(directory, path), warn)
    return (IgnoreFile(directory.rstrip("/") + "/", ignore_file(text)),) if text.strip() else ()


def _text(path: str, warn: Callable[[str], None] | None = None) -> str:
    """The text of a small file; "" if there is none. `warn` is called for one that is deliberately not read."""
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
    """The file that git's `core.excludesFile` names, else git's default."""
    import re

    home = os.path.expanduser("~")
    config = os.path.join(os.environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config"), "git")
    for path in (os.path.join(home, ".gitconfig"), os.path.join(config, "config")):
        if found := re.search(r'(?im)^\s*excludesfile\s*=\s*"?([^"\r\n]*?)"?\s*$', _text(path)):
            return os.path.expanduser(found[1])
    return os.path.join(config, "ignore")


def ignore_file(text: str) -> Callable[[str], bool | None]:
    """A function that returns what an ignore file such as .gitignore says of a path: ignored, not ignored, None:
    nothing.

    The path starts at the file's directory and ends in `/` if it is itself a directory. The directories above it have
    to be asked about first. Invalid patterns are left out.
    """
    runs: list[tuple[bool, Callable[[str], bool]]] = []
    lines: list[str] = []
    ignored = True
    for line in text.removeprefix("\ufeff").splitlines():
        stripped = line.rstrip()
        if stripped.endswith("\\") and len(stripped) < len(line):
            stripped += " "
        if not stripped or stripped.startswith("#"):
            continue
        if stripped.startswith("!") is ignored and lines:
            runs.append((ignored, _run(lines)))
            lines = []
        ignored = not stripped.startswith("!")
        lines.append(stripped.removeprefix("!"))
    if lines:
        runs.append((ignored, _run(lines)))
    runs.reverse()

    def verdict(path: str) -> bool | None:
        for ignored, match in runs:
            if match(path):
                return ignored
        return None

    return verdict


def _run(lines: list[str]) -> Callable[[str], bool]:
    """A function that returns whether one of the lines, which are all negated or all not, matches a path."""
    names: set[str] = set()
    name_globs: list[str] = []
    path_globs: list[str] = []
    for line in lines:
        pattern = line.removesuffix("/")
        of_directories = pattern != line
        if "/" not in pattern and SPECIAL.isdisjoint(pattern):
            names.update((f"{pattern}/",) if of_directories else (pattern, f"{pattern}/"))
            continue
        try:
            expression = translate(pattern.removeprefix("/"), git=True)
        except ValueError:
            continue
        (path_globs if "/" in pattern else name_globs).append(f"(?:{expression})" + ("/" if of_directories else "/?"))
    name_glob = re.compile(any_of(name_globs)).fullmatch if name_globs else None
    path_glob = re.compile(any_of(path_globs)).fullmatch if path_globs else None

    def match(path: str) -> bool:
        name = path[path.rfind("/", 0, -1) + 1 :]
        if name in names or (name_glob is not None and name_glob(name)):
            return True
        return path_glob is not None and path_glob(path) is not None

    return match
