"""Copying the runtime into a project, and comparing a copy with it."""

from __future__ import annotations

import hashlib
import keyword
import os
import re
from pathlib import Path
from typing import NamedTuple

from panicguard.files import links
from panicguard.files.reading import SETTINGS, read

RUNTIMES = {"python": Path(__file__).parents[1] / "mruntime", "go": Path(__file__).parents[1] / "mruntime_go"}
"""The runtime in each language."""
MANIFEST = "MANIFEST"
"""The file of the runtime that names its version and its files with their SHA-256."""
_TITLES = {"python": "mruntime", "go": "mruntime-go"}
_VERSIONS = {"python": ("__init__.py", "__version__ = "), "go": ("doc.go", "const Version = ")}
_NOT_COPIED = (MANIFEST, ".pyc", ".pyo", "_test.go", "go.mod")
_GO_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_]*")
_NO_GO_NAMES = frozenset(
    "break case chan const continue default defer else fallthrough for func go goto if import interface map package "
    "range return select struct switch type var main internal vendor testdata".split()
)
"""Keywords, and names of directories that Go does not treat as packages that others may import."""
_GO_PACKAGE = re.compile(rb"(?<=^package )mruntime\b|(?<=^// Package )mruntime\b|\bmruntime(?=\.[A-Z])", re.MULTILINE)
_GO_MODULE = re.compile(r"^[ \t]*module\s*\(?\s*[\"`]?([^\s\"`()]+)", re.MULTILINE)


class VendorError(Exception):
    """The copy cannot be made; the message says why and what to do."""


class Comparison(NamedTuple):
    """How a copy compares with the runtime of this installation; the fields hold names of files."""

    version: str
    """The version of the copy; "" if its manifest is missing."""
    edited: tuple[str, ...]
    """Files that differ from what was copied."""
    outdated: tuple[str, ...]
    """Unedited files that differ from the runtime's of today, or are no longer part of it."""
    missing: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.edited or self.outdated or self.missing)


def manifest(package: Path, language: str = "python") -> str:
    """What the manifest of the runtime in `package` has to be."""
    files = {p.name: p.read_bytes() for p in package.iterdir() if p.is_file() and not p.name.endswith(_NOT_COPIED)}
    return _manifest(files, language)


def vendor(destination: Path, name: str = "mruntime", language: str = "python", *, force: bool = False) -> Path:
    """Copy the runtime to `destination/name`, with its licence; the package's directory.

    The copy is the same byte for byte, except for the name in a renamed Go package. An older copy is brought up
    to date. Raises VendorError when files in it were edited, unless `force` is set, when something else is there,
    when it is outside of `destination`, or when the name is not a valid package name.
    """
    target = _target(destination, name, language)
    if target.exists():
        edited = compare(destination, name, language).edited
        if edited and not force:
            raise VendorError(f"`{target}` was edited ({', '.join(edited[:5])}); `--force` overwrites it")
    target.mkdir(parents=True, exist_ok=True)
    _, before = _read_manifest(target, language)
    now = _contents(name, language)
    for file, data in now.items():
        _write(target / file, data)
    for file in before.keys() - now.keys():
        (target / file).unlink(missing_ok=True)
    return target


def compare(destination: Path, name: str = "mruntime", language: str = "python") -> Comparison:
    """How the copy in `destination/name` compares with the runtime. Line endings are ignored: git may change them.

    Raises VendorError when there is no copy.
    """
    target = _target(destination, name, language)
    if not target.is_dir():
        raise VendorError(f"there is no copy of the runtime in `{target}`")
    version, before = _read_manifest(target, language)
    now = {file: _digest(data) for file, data in _contents(name, language).items() if file != MANIFEST}
    edited: list[str] = []
    outdated: list[str] = []
    missing: list[str] = []
    for file in sorted(before.keys() | now.keys()):
        path = target / file
        if not path.exists():
            if file in now:
                missing.append(file)
            continue
        digest = _digest(read(str(path)))
        if digest == now.get(file):
            continue
        (outdated if digest == before.get(file) else edited).append(file)
    if not version and not missing:
        missing.append(MANIFEST)
    return Comparison(version, tuple(edited), tuple(outdated), tuple(missing))


def import_path(package: Path) -> str | None:
    """What Go imports a package's directory by; None if no go.mod in it or above it names a module."""
    package = package.resolve()
    for directory in (package, *package.parents):
        try:
            text = read(str(directory / "go.mod"), SETTINGS).decode()
        except (OSError, UnicodeDecodeError):
            continue
        declaration = _GO_MODULE.search(text)
        return "/".join((declaration[1], *package.relative_to(directory).parts)) if declaration else None
    return None


def _target(destination: Path, name: str, language: str) -> Path:
    if language == "go":
        fits = _GO_NAME.fullmatch(name) and name not in _NO_GO_NAMES and not name.endswith("_test")
    else:
        fits = name.isidentifier() and not keyword.iskeyword(name)
    if not fits:
        raise VendorError(f"`{name}` is not a valid package name")
    target = destination / name
    if target.exists() and not target.is_dir():
        raise VendorError(f"`{target}` is not a directory")
    if links.leads_out(str(target), str(destination)):
        raise VendorError(f"`{target}` is outside of `{destination}`")
    for other in _TITLES.keys() - {language}:
        if _read_manifest(target, other)[0]:
            raise VendorError(f"`{target}` is the runtime for {other.title()}; choose another name with `--as`")
    return target


def _contents(name: str, language: str) -> dict[str, bytes]:
    """What each file of a copy called `name` has to be, its manifest included."""
    runtime = RUNTIMES[language]
    files = {file: (runtime / file).read_bytes() for file in _read_manifest(runtime, language)[1]}
    if language == "go":
        files = {file: _GO_PACKAGE.sub(name.encode(), data) for file, data in files.items()}
    return {**files, MANIFEST: _manifest(files, language).encode()}


def _write(path: Path, data: bytes) -> None:
    """Put a whole file in place of whatever is there: a link itself, not its target."""
    temporary = path.with_name(f".panicguard-{os.urandom(8).hex()}")
    try:
        temporary.write_bytes(data)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _digest(data: bytes) -> str:
    return hashlib.sha256(data.replace(b"\r\n", b"\n")).hexdigest()


def _manifest(files: dict[str, bytes], language: str) -> str:
    lines = [f"{_digest(files[file])}  {file}\n" for file in sorted(files)]
    return f"{_TITLES[language]} {_version(files, language)}\n" + "".join(lines)


def _version(files: dict[str, bytes], language: str) -> str:
    file, start = _VERSIONS[language]
    for line in files[file].decode().splitlines():
        if line.startswith(start):
            return line.split('"')[1]
    raise AssertionError("the runtime has no version")


def _read_manifest(package: Path, language: str) -> tuple[str, dict[str, str]]:
    """The version and the digest of each file; empty if it is missing or is not a manifest."""
    try:
        first, *lines = read(str(package / MANIFEST), SETTINGS).decode().splitlines()
        files = {name: digest for digest, name in (line.split("  ") for line in lines)}
        word, version = first.split()
    except (OSError, ValueError):
        return "", {}
    if word != _TITLES[language] or any(Path(name).name != name for name in files):
        return "", {}
    return version, files
