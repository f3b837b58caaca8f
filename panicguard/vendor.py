"""Copying the runtime into a project, and telling whether a copy is still the same."""

from __future__ import annotations

import hashlib
import keyword
import os
import secrets
from pathlib import Path
from typing import NamedTuple

RUNTIME = Path(__file__).parent / "mruntime"
MANIFEST = "MANIFEST"
"""The file of the runtime that names its version and its files with their SHA-256."""
_GENERATED = (".pyc", ".pyo")


class VendorError(Exception):
    """The copy cannot be made; the message says why and what to do."""


class Comparison(NamedTuple):
    """A copy beside the runtime of this installation; names of files in it."""

    version: str
    """That of the copy; "" where its manifest is missing."""
    edited: tuple[str, ...]
    """What differs from what was once copied."""
    outdated: tuple[str, ...]
    """What is as it was copied, but differs now, or is no longer part of the runtime."""
    missing: tuple[str, ...]

    @property
    def same(self) -> bool:
        """True if there is nothing to do."""
        return not (self.edited or self.outdated or self.missing)


def manifest(package: Path) -> str:
    """What the manifest of the runtime in `package` has to be."""
    files = sorted(
        path.name
        for path in package.iterdir()
        if path.is_file() and path.name != MANIFEST and path.suffix not in _GENERATED
    )
    lines = [f"{_digest(package / name)}  {name}\n" for name in files]
    return f"mruntime {_version(package)}\n" + "".join(lines)


def vendor(destination: Path, name: str = "mruntime", *, force: bool = False) -> Path:
    """Copy the runtime to `destination/name`, byte for byte, with its licence; the package's directory.

    An older copy is brought up to date. Raises VendorError when files in it were edited, unless `force` is set,
    when something else is there, when it leads out of `destination`, or when the name is no package name.
    """
    target = _target(destination, name)
    if target.exists():
        edited = compare(destination, name).edited
        if edited and not force:
            raise VendorError(f"`{target}` was edited ({', '.join(edited[:5])}); `--force` overwrites it")
    target.mkdir(parents=True, exist_ok=True)
    _, before = _read_manifest(target)
    _, now = _read_manifest(RUNTIME)
    for file in (*now, MANIFEST):
        _write(target / file, (RUNTIME / file).read_bytes())
    for file in before.keys() - now.keys():
        (target / file).unlink(missing_ok=True)
    return target


def compare(destination: Path, name: str = "mruntime") -> Comparison:
    """The copy in `destination/name` beside the runtime. Line ends do not count, for git may change them.

    Raises VendorError when there is no copy.
    """
    target = _target(destination, name)
    if not target.is_dir():
        raise VendorError(f"there is no copy of the runtime in `{target}`")
    version, before = _read_manifest(target)
    _, now = _read_manifest(RUNTIME)
    edited: list[str] = []
    outdated: list[str] = []
    missing: list[str] = []
    for file in sorted(before.keys() | now.keys()):
        path = target / file
        if not path.exists():
            if file in now:
                missing.append(file)
            continue
        digest = _digest(path)
        if digest == now.get(file):
            continue
        (outdated if digest == before.get(file) else edited).append(file)
    if not version and not missing:
        missing.append(MANIFEST)
    return Comparison(version, tuple(edited), tuple(outdated), tuple(missing))


def _target(destination: Path, name: str) -> Path:
    if not name.isidentifier() or keyword.iskeyword(name):
        raise VendorError(f"`{name}` is no name for a package")
    target = destination / name
    if target.exists() and not target.is_dir():
        raise VendorError(f"`{target}` is no directory")
    if not target.resolve().is_relative_to(destination.resolve()):
        raise VendorError(f"`{target}` leads out of `{destination}`")
    return target


def _write(path: Path, data: bytes) -> None:
    """Put a whole file in place of whatever is there: of a link, not of what that leads to."""
    temporary = path.with_name(f".panicguard-{secrets.token_hex(8)}")
    try:
        temporary.write_bytes(data)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).hexdigest()


def _version(package: Path) -> str:
    for line in (package / "__init__.py").read_text("utf-8").splitlines():
        if line.startswith("__version__ = "):
            return line.split('"')[1]
    raise AssertionError("the runtime has no version")


def _read_manifest(package: Path) -> tuple[str, dict[str, str]]:
    """The version and the digest of each file; nothing where it is missing or is no manifest."""
    try:
        first, *lines = (package / MANIFEST).read_text("utf-8").splitlines()
        files = {name: digest for digest, name in (line.split("  ") for line in lines)}
        word, version = first.split()
    except (OSError, ValueError):
        return "", {}
    if word != "mruntime" or any(Path(name).name != name for name in files):
        return "", {}
    return version, files
