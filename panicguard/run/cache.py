"""What earlier runs found, so that an unchanged file need not be read again.

A file is identified by its metadata: times, size and inode. Identifying it by its content would mean reading it all,
which takes longer than the rest of a run with nothing to do. One cache file holds what was found with one set of
settings, as JSON behind a checksum: it may come with an untrusted project, and nothing in it is executed. If anything
is wrong with it, the files are simply read.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import functools
import hashlib
import json
import os
import re
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import panicguard
from panicguard import __version__
from panicguard.diagnostic import INVALID_SYNTAX, Applicability, Diagnostic, Edit, Fix, Result, Severity
from panicguard.files import links
from panicguard.files.reading import read
from panicguard.files.stamp import SETTLED
from panicguard.files.stamp import stamp as stamp_of
from panicguard.rule import rule_names
from panicguard.run.consulted import are_as_before
from panicguard.settings import Settings, front_end, language
from panicguard.source import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from panicguard.files.stamp import Stamp

    File = tuple[str, Settings]

NAME = Settings().cache_dir
"""The name of a cache unless the user chooses another."""
TAG = "Signature: 8a477f597d28d172789f06886806bc55\n"
"""Marks a directory as one that backups leave out (the Cache Directory Tagging Specification)."""
_MARKERS = {".gitignore": "*\n", "CACHEDIR.TAG": f"{TAG}# Made by panicguard\n"}
"""The files in a cache that say what it is, by name."""
_MARKER = re.compile("|".join(map(re.escape, _MARKERS)))
_BUILD = re.compile(r"[\w.+]+-[0-9a-f]{16}")
"""The name of the directory of one build's files: see `_build`."""
_STORED = re.compile(r"[0-9a-f]{32}\.json|[0-9a-f]{16}")
"""The name of a file in it; one without a suffix was being written when its writer was killed."""
_NO_MATTER = frozenset(
    "exclude include respect_gitignore force_exclude fix fix_only unsafe_fixes "
    "show_fixes output_format fail_level baseline cache_dir warnings".split()
)
"""The settings that affect which files are checked and how findings are reported, but not the findings."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known about the files under one set of settings, by path: stamp, what was found, and the stamps of the
    other files that this depends on."""

    file: str
    files: dict[str, list[Any]]


def run(
    files: Iterable[File], lint: Callable[[Iterable[File]], Iterator[Result]], *, fixing: bool = False
) -> Iterator[Result]:
    """The results of `lint` for the files that are new or have changed, and those that are remembered for the rest.

    In no particular order; a file that is remembered as clean has none. With `fixing`, only clean files are remembered.
    """
    stores: dict[Settings, _Known] = {}
    changed: dict[str, _Known] = {}
    remembered: list[Result] = []
    asked: dict[str, tuple[_Known, Stamp]] = {}
    seen: set[str] = set()
    stamp_now = functools.cache(stamp_of)

    def unknown() -> Iterator[File]:
        settings, known = None, None
        for path, file_settings in files:
            if file_settings is not settings or known is None:
                settings = file_settings
                known = stores.get(file_settings) or stores.setdefault(file_settings, _load(_file_for(file_settings)))
            seen.add(path)
            stamp = stamp_of(path)
            entry = known.files.get(path)
            if entry is not None and entry[0] == stamp and (not entry[2] or are_as_before(entry[2], stamp_now)):
                if entry[1] is None:
                    continue
                if not fixing and (result := _remembered(path, file_settings, stamp, entry[1])) is not None:
                    remembered.append(result)
                    continue
            if stamp is not None and _is_settled(stamp):
                asked[path] = known, stamp
            yield path, file_settings

    try:
        for result in lint(unknown()):
            known, stamp = asked.pop(result.source.path, (None, []))
            if known is not None:
                changed[known.file] = known
                _remember(known, result, stamp)
            yield result
    finally:
        for known in changed.values():
            _save(known, seen)
    yield from remembered


def clean(directory: str, named: str) -> list[str]:
    """Remove what `run` wrote below a directory: in directories with the name of a cache, and in `named`, if that lies
    there.

    Only files of panicguard are removed, identified by their names, and directories that are then empty; no link is
    followed. Returns the paths of the caches. Raises OSError.
    """
    caches = []
    for folder, names, _ in os.walk(directory):
        if ".git" in names:
            names.remove(".git")
        if NAME in names:
            names.remove(NAME)
            caches.append(os.path.join(folder, NAME))
    if named not in caches and os.path.isdir(named) and not links.leads_out(named, directory):
        caches.append(os.path.normpath(named))
    return [cache for cache in caches if not os.path.islink(cache) and _remove(cache)]


def _remove(cache: str) -> bool:
    """Remove panicguard's files in a cache, and what is then empty; whether there was anything to remove."""
    removed = False
    for entry in _entries(cache):
        if entry.is_dir(follow_symlinks=False) and _BUILD.fullmatch(entry.name):
            removed = _remove_files(entry.path, _STORED) or removed
            _remove_empty(entry.path)
    if _is_marked(cache):
        removed = _remove_files(cache, _MARKER) or removed
    return _remove_empty(cache) or removed


def _remove_files(folder: str, names: re.Pattern[str]) -> bool:
    files = [entry for entry in _entries(folder) if entry.is_file(follow_symlinks=False)]
    own = [entry.path for entry in files if names.fullmatch(entry.name)]
    for path in own:
        os.unlink(path)
    return bool(own)


def _is_marked(cache: str) -> bool:
    """Whether a directory was made for a cache: both marker files are as they were written."""
    try:
        return all(read(os.path.join(cache, name)) == text.encode() for name, text in _MARKERS.items())
    except OSError:
        return False


def _remove_empty(folder: str) -> bool:
    try:
        os.rmdir(folder)
    except OSError:  # somebody else's files are in it
        return False
    return True


def _entries(folder: str) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as scan:
        return list(scan)


# What identifies a file and a set of settings


def _is_settled(stamp: Sequence[int]) -> bool:
    return max(stamp[0], stamp[1]) < (time.time() - SETTLED) * 1e9


def _file_for(settings: Settings) -> str:
    """The path of the cache file for these settings; "" if there must not be one."""
    if not settings.cache_dir:
        return ""
    values = {
        field.name: getattr(settings, field.name)
        for field in dataclasses.fields(settings)
        if field.name not in _NO_MATTER
    }
    text = json.dumps(values, default=_plain, sort_keys=True)
    name = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    return os.path.join(settings.root, settings.cache_dir, _build(), f"{name}.json")


def _plain(value: object) -> object:
    return sorted(value) if isinstance(value, frozenset) else str(value)


@functools.cache
def _build() -> str:
    """What identifies this panicguard and what it runs on: a change to a file of either changes it."""
    import importlib.util

    spec = importlib.util.find_spec("libcst")
    times = [os.stat(spec.origin).st_mtime_ns if spec is not None and spec.origin is not None else 0]
    for folder, names, files in os.walk(os.path.dirname(panicguard.__file__)):
        names[:] = [name for name in names if name not in ("mruntime", "__pycache__")]
        times += (os.stat(os.path.join(folder, name)).st_mtime_ns for name in sorted(files) if name.endswith(".py"))
    digest = hashlib.blake2b(repr((sys.version, times)).encode(), digest_size=8).hexdigest()
    return f"{__version__}-{digest}"


# Reading and writing


def _load(file: str) -> _Known:
    """The content of a cache file; empty if it does not contain what was written."""
    try:
        checksum, _, text = read(file).partition(b"\n")
        if checksum == _checksum(text):
            files = json.loads(text)
            if isinstance(files, dict) and all(map(_is_entry, files.values())):
                return _Known(file, files)
    except (OSError, ValueError, RecursionError, MemoryError):
        pass
    return _Known(file, {})


def _is_entry(entry: object) -> bool:
    return isinstance(entry, list) and len(entry) == 3 and isinstance(entry[2], dict)


def _save(known: _Known, seen: set[str]) -> None:
    """Write the cache, without the entries of files that are gone. Failure to write is ignored."""
    if not known.file:
        return
    files = {path: entry for path, entry in known.files.items() if path in seen or os.path.lexists(path)}
    text = json.dumps(files, separators=(",", ":")).encode("utf-8", "surrogatepass")
    folder = os.path.dirname(known.file)
    temporary = os.path.join(folder, os.urandom(8).hex())
    try:
        _make(folder)
        try:
            with open(temporary, "xb") as stream:
                stream.write(_checksum(text) + b"\n" + text)
            os.replace(temporary, known.file)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
    except OSError:
        pass


def _make(folder: str) -> None:
    """Make the directory of this build's files, and the cache around it; never in place of anything. Raises OSError."""
    cache = os.path.dirname(folder)
    if not os.path.isdir(cache):
        os.makedirs(cache)
        for name, text in _MARKERS.items():  # not in a directory that somebody else made
            with open(os.path.join(cache, name), "x", encoding="utf-8") as stream:
                stream.write(text)
    if os.path.islink(folder):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), folder)
    os.makedirs(folder, exist_ok=True)


def _checksum(text: bytes) -> bytes:
    return hashlib.blake2b(text, digest_size=16).hexdigest().encode()


def _remember(known: _Known, result: Result, stamp: Stamp) -> None:
    path = result.source.path
    known.files.pop(path, None)
    lasting = result.lasting and all(d.is_rule or d.code == INVALID_SYNTAX for d in result.diagnostics)
    settled = all(stamp is None or _is_settled(stamp) for _, stamp in result.consulted)
    if result.original is None and lasting and settled:
        known.files[path] = [stamp, _to_json(result) if result.says_something else None, dict(result.consulted)]


def _to_json(result: Result) -> dict[str, Any]:
    diagnostics = [dataclasses.asdict(diagnostic) for diagnostic in result.diagnostics]
    for diagnostic in diagnostics:
        diagnostic["severity"] = diagnostic["severity"].value
        if diagnostic["fix"] is not None:
            diagnostic["fix"]["applicability"] = diagnostic["fix"]["applicability"].value
    return {"diagnostics": diagnostics, "warnings": result.warnings, "noqa_codes": result.noqa_codes}


def _remembered(path: str, settings: Settings, stamp: Stamp | None, entry: Any) -> Result | None:
    """The result for a file in which something was found; None if the file has changed by now."""
    source = Source(path, "")
    try:
        if not all(isinstance(entry[key], list) for key in ("diagnostics", "warnings", "noqa_codes")):
            raise TypeError("not lists")
        if entry["diagnostics"]:
            source = Source.decode(
                path, read(path), notebook=language(settings, path) == "ipynb", language=front_end(settings, path)
            )
        diagnostics = tuple(_diagnostic(item, len(source.text)) for item in entry["diagnostics"])
        warnings, noqa_codes = tuple(entry["warnings"]), tuple(entry["noqa_codes"])
        _check_texts(warnings)
        if not rule_names().keys() >= {*noqa_codes}:
            raise ValueError("not a rule's code")
    except (OSError, UnicodeError, LookupError, TypeError, ValueError):
        return None
    result = Result(source, diagnostics, warnings=warnings, noqa_codes=noqa_codes)
    return result if stamp_of(path) == stamp else None


def _diagnostic(item: dict[str, Any], size: int) -> Diagnostic:
    """Raises ValueError, TypeError or KeyError for what this module never writes."""
    fix = item["fix"]
    if fix is not None:
        edits = tuple(Edit(edit["start"], edit["end"], edit["content"]) for edit in fix["edits"])
        fix = Fix(fix["title"], edits, Applicability(fix["applicability"]))
        _check_texts((fix.title, *(edit.content for edit in edits)))
        _check_places([place for edit in edits for place in (edit.start, edit.end)], size)
    made = Diagnostic(**item | {"fix": fix, "severity": Severity(item["severity"])})
    _check_texts((made.message,))
    _check_places([made.start, made.end], size)
    if made.name != (made.code if made.code == INVALID_SYNTAX else rule_names()[made.code]):
        raise ValueError("another rule's name")
    if made.noqa_row is not None and not (type(made.noqa_row) is int and made.noqa_row >= 1):
        raise ValueError("not a row")
    return made


def _check_texts(texts: Iterable[Any]) -> None:
    """Raises TypeError for what is not a text, ValueError for a text that no file can contain."""
    for text in texts:
        str.encode(text)


def _check_places(places: list[Any], size: int) -> None:
    """Raises ValueError if starts and ends are not those of spans in a text of that size, or the spans overlap."""
    if not places or any(type(place) is not int for place in places):
        raise ValueError("not offsets")
    if sorted((0, *places, size)) != [0, *places, size]:
        raise ValueError("offsets outside of the file, or out of order")
