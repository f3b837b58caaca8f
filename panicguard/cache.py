"""What earlier runs found, so that a file that is as it was need not be read again.

A file is known by what the system says of it: times, size and number. To know it by its content would mean to read
it all, which takes longer than all the rest of a run with nothing to do. One cache file holds what was found with one
set of settings, as JSON behind a checksum: it may come with a project that nobody trusts, and nothing in it is run.
Whatever is wrong with it, the files are simply read.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import os
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from panicguard import __version__
from panicguard.model import INVALID_SYNTAX, Applicability, Diagnostic, Edit, Fix, Result, Severity
from panicguard.rule import rule_names
from panicguard.settings import front_end, language
from panicguard.source import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from panicguard.settings import Settings

    File = tuple[str, Settings]
    Stamp = list[int]
    """What tells that a file has changed: its times in nanoseconds, its size in bytes and its inode."""

SETTLED = 2.0
"""Seconds: a file that was changed so shortly before may change again within one tick of its file system's clock."""
TAG = "Signature: 8a477f597d28d172789f06886806bc55\n"
"""What makes a directory one that backups leave out (the Cache Directory Tagging Specification)."""
_NO_MATTER = frozenset(
    "exclude include respect_gitignore force_exclude fix fix_only unsafe_fixes "
    "show_fixes output_format fail_level baseline cache_dir warnings".split()
)
"""The settings that say which files to check and what to do with what is found, not what is found."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of the files under one set of settings: stamp and what was found, by path."""

    file: str
    files: dict[str, list[Any]]


def run(
    files: Iterable[File], lint: Callable[[Iterable[File]], Iterator[Result]], *, fixing: bool = False
) -> Iterator[Result]:
    """The results of `lint` for the files that are new or have changed, and those that are remembered for the rest.

    In no order; a file that is remembered as clean has none. With `fixing`, only clean files are remembered.
    """
    stores: dict[Settings, _Known] = {}
    changed: dict[str, _Known] = {}
    remembered: list[Result] = []
    asked: dict[str, tuple[_Known, Stamp]] = {}
    seen: set[str] = set()

    def unknown() -> Iterator[File]:
        settings, known = None, None
        for path, its in files:
            if its is not settings or known is None:
                settings = its
                known = stores.get(its) or stores.setdefault(its, _load(_file_for(its)))
            seen.add(path)
            stamp = _stamp(path)
            entry = known.files.get(path)
            if entry is not None and entry[0] == stamp:
                if entry[1] is None:
                    continue
                if not fixing and (result := _remembered(path, its, stamp, entry[1])) is not None:
                    remembered.append(result)
                    continue
            if stamp is not None and _is_settled(stamp):
                asked[path] = known, stamp
            yield path, its

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


def clean(directory: str) -> list[str]:
    """Remove the caches in a directory and below it; their paths. Raises OSError."""
    import shutil

    found = []
    for folder, names, _ in os.walk(directory):
        for name in tuple(names):
            path = os.path.join(folder, name)
            if name == ".git" or os.path.islink(path):
                names.remove(name)
            elif _is_cache(path):
                names.remove(name)
                shutil.rmtree(path)
                found.append(path)
    return found


def _is_cache(directory: str) -> bool:
    try:
        with open(os.path.join(directory, "CACHEDIR.TAG"), encoding="utf-8", errors="replace") as file:
            return file.read() == f"{TAG}# Made by panicguard\n"
    except OSError:
        return False


# What identifies a file and a set of settings


def _stamp(path: str) -> Stamp | None:
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return [status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino]


def _is_settled(stamp: Stamp) -> bool:
    return max(stamp[0], stamp[1]) < (time.time() - SETTLED) * 1e9


def _file_for(settings: Settings) -> str:
    """The path of the cache file for these settings."""
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
    """What names this very panicguard and what it stands on: a changed file of either makes another one."""
    import importlib.util

    spec = importlib.util.find_spec("libcst")
    times = [os.stat(spec.origin).st_mtime_ns if spec is not None and spec.origin is not None else 0]
    for folder, names, files in os.walk(os.path.dirname(__file__)):
        names[:] = [name for name in names if name not in ("mruntime", "__pycache__")]
        times += (os.stat(os.path.join(folder, name)).st_mtime_ns for name in sorted(files) if name.endswith(".py"))
    digest = hashlib.blake2b(repr((sys.version, times)).encode(), digest_size=8).hexdigest()
    return f"{__version__}-{digest}"


# Reading and writing


def _load(file: str) -> _Known:
    """What a cache file holds; nothing where it does not hold what was written."""
    try:
        with open(file, "rb") as stream:
            checksum, _, text = stream.read().partition(b"\n")
        if checksum == _checksum(text):
            files = json.loads(text)
            if isinstance(files, dict) and all(isinstance(entry, list) and len(entry) == 2 for entry in files.values()):
                return _Known(file, files)
    except (OSError, ValueError, RecursionError, MemoryError):
        pass
    return _Known(file, {})


def _save(known: _Known, seen: set[str]) -> None:
    """Write what is known, but of files that are gone. A cache that cannot be written is none."""
    files = {path: entry for path, entry in known.files.items() if path in seen or os.path.lexists(path)}
    text = json.dumps(files, separators=(",", ":")).encode("utf-8", "surrogatepass")
    folder = os.path.dirname(known.file)
    temporary = os.path.join(folder, os.urandom(8).hex())
    try:
        _make(folder)
        with open(temporary, "xb") as stream:
            stream.write(_checksum(text) + b"\n" + text)
        os.replace(temporary, known.file)
    except OSError:
        pass


def _make(folder: str) -> None:
    if os.path.isdir(folder):
        return
    os.makedirs(folder)
    cache = os.path.dirname(folder)
    for name, text in ((".gitignore", "*\n"), ("CACHEDIR.TAG", f"{TAG}# Made by panicguard\n")):
        with open(os.path.join(cache, name), "w", encoding="utf-8") as stream:
            stream.write(text)


def _checksum(text: bytes) -> bytes:
    return hashlib.blake2b(text, digest_size=16).hexdigest().encode()


def _remember(known: _Known, result: Result, stamp: Stamp) -> None:
    path = result.source.path
    known.files.pop(path, None)
    lasting = all(diagnostic.is_rule or diagnostic.code == INVALID_SYNTAX for diagnostic in result.diagnostics)
    if result.original is None and lasting:
        says_something = result.diagnostics or result.warnings or result.noqa_codes
        known.files[path] = [stamp, _to_json(result) if says_something else None]


def _to_json(result: Result) -> dict[str, Any]:
    diagnostics = [dataclasses.asdict(diagnostic) for diagnostic in result.diagnostics]
    for diagnostic in diagnostics:
        diagnostic["severity"] = diagnostic["severity"].value
        if diagnostic["fix"] is not None:
            diagnostic["fix"]["applicability"] = diagnostic["fix"]["applicability"].value
    return {"diagnostics": diagnostics, "warnings": result.warnings, "noqa_codes": result.noqa_codes}


def _remembered(path: str, settings: Settings, stamp: Stamp | None, found: Any) -> Result | None:
    """The result for a file in which something was found; None where the file is another by now."""
    source = Source(path, "")
    try:
        if not all(isinstance(found[key], list) for key in ("diagnostics", "warnings", "noqa_codes")):
            raise TypeError("no lists")
        if found["diagnostics"]:
            with open(path, "rb") as stream:
                source = Source.decode(
                    path,
                    stream.read(),
                    notebook=language(settings, path) == "ipynb",
                    language=front_end(settings, path),
                )
        diagnostics = tuple(_diagnostic(one, len(source.text)) for one in found["diagnostics"])
        warnings, noqa_codes = tuple(found["warnings"]), tuple(found["noqa_codes"])
        _check_texts(warnings)
        if not rule_names().keys() >= {*noqa_codes}:
            raise ValueError("a code of no rule")
    except (OSError, UnicodeError, LookupError, TypeError, ValueError):
        return None
    result = Result(source, diagnostics, warnings=warnings, noqa_codes=noqa_codes)
    return result if _stamp(path) == stamp else None


def _diagnostic(one: dict[str, Any], size: int) -> Diagnostic:
    """Raises ValueError, TypeError or KeyError for what was never written here."""
    fix = one["fix"]
    if fix is not None:
        edits = tuple(Edit(edit["start"], edit["end"], edit["content"]) for edit in fix["edits"])
        fix = Fix(fix["title"], edits, Applicability(fix["applicability"]))
        _check_texts((fix.title, *(edit.content for edit in edits)))
        _check_places([place for edit in edits for place in (edit.start, edit.end)], size)
    made = Diagnostic(**one | {"fix": fix, "severity": Severity(one["severity"])})
    _check_texts((made.message,))
    _check_places([made.start, made.end], size)
    if made.name != (made.code if made.code == INVALID_SYNTAX else rule_names()[made.code]):
        raise ValueError("another rule's name")
    if made.noqa_row is not None and not (type(made.noqa_row) is int and made.noqa_row >= 1):
        raise ValueError("no row")
    return made


def _check_texts(texts: Iterable[Any]) -> None:
    """Raises TypeError for what is no text, ValueError for a text that no file holds."""
    for text in texts:
        str.encode(text)


def _check_places(places: list[Any], size: int) -> None:
    """Raises ValueError where the starts and ends of spans in a text of that size are none, or the spans overlap."""
    if not places or any(type(place) is not int for place in places):
        raise ValueError("no places")
    if sorted((0, *places, size)) != [0, *places, size]:
        raise ValueError("places outside of the file, or out of order")
