"""A project with every kind of file that panicguard reads or writes, and a tree beside it that must not be touched.

What `prove_trace.py` sees opened must be a place of this table, and `prove_places.py` puts something hostile in each.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
from pathlib import Path
from typing import NamedTuple

SECRET = "the-secret-of-the-outside"
"""Stands in every text outside that is not a source: it must never be printed."""
PYTHON = "import asyncio\n\n\nasync def main():\n    asyncio.create_task(main())\n"
GO = 'package app\n\nimport "example.com/p/internal/mruntime"\n\nfunc Run(work func()) {\n\tgo work()\n}\n'
NOTEBOOK = json.dumps(
    {
        "cells": [{"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": PYTHON}],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 4,
    }
)
BASELINE = '[\n{"version": 1}\n]\n'
TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# Made by panicguard\n"
CACHE = ".panicguard_cache"

FILES = {
    "pyproject.toml": '[project]\nname = "p"\n\n[tool.panicguard]\nextend = "shared.toml"\nbaseline = "baseline.json"\n'
    'extend-exclude = ["vendored"]\n',
    "shared.toml": 'select = ["ALL"]\n',
    "ruff.toml": 'extend = "ruff-shared.toml"\ntarget-version = "py312"\n',
    "ruff-shared.toml": 'extend-exclude = ["none"]\n',
    "baseline.json": BASELINE,
    "arguments.txt": "--output-format\nconcise\napp\n",
    ".gitignore": "ignored.py\n",
    ".ignore": "passed_over.py\n",
    ".git/HEAD": "ref: refs/heads/main\n",
    ".git/info/exclude": "left_out.py\n",
    ".git/worktrees/linked/commondir": "../..\n",
    "linked/.git": "gitdir: ../.git/worktrees/linked\n",
    "linked/tree.py": PYTHON,
    "dotted/.panicguard.toml": 'select = ["ALL"]\n',
    "dotted/.ruff.toml": 'target-version = "py312"\n',
    "dotted/module.py": PYTHON,
    "plain/panicguard.toml": 'select = ["ALL"]\n',
    "plain/module.py": PYTHON,
    "app/__init__.py": "",
    "app/place.py": PYTHON,
    "app/other.py": PYTHON,
    "app/book.ipynb": NOTEBOOK,
    "app/mruntime/__init__.py": '__mruntime__ = "runtime"\n',
    "app/mruntime/_panic.py": "",
    "go.mod": "module example.com/p\n\ngo 1.22\n",
    "gomain/place.go": GO,
    "gomain/other.go": GO.replace("Run", "Go"),
    "internal/mruntime/MANIFEST": "mruntime-go 1.0\n",
    "internal/mruntime/doc.go": "package mruntime\n",
    "keep/precious.py": PYTHON,
    "keep/notes.txt": "notes\n",
    "vendored/README": "what else is there\n",
    "out/report.txt": "an older report\n",
}
OUTSIDE = {
    "precious.py": PYTHON,
    "precious.go": GO,
    "precious.ipynb": NOTEBOOK,
    "notes.txt": f"{SECRET}\n",
    "settings.toml": f"{SECRET} = {SECRET}\n",
    "baseline.json": BASELINE,
    "cache/CACHEDIR.TAG": TAG,
    "cache/.gitignore": "mine\n",
    "cache/0.1.0-0123456789abcdef/notes.txt": f"{SECRET}\n",
    "directory/mruntime/__init__.py": f'__mruntime__ = "{SECRET}"\n',
    "directory/mruntime/MANIFEST": "mruntime 1.0\n",
    "directory/notes.txt": f"{SECRET}\n",
}


class Place(NamedTuple):
    """A kind of place in the project: a pattern for its path, and what stands there."""

    role: str
    pattern: str
    samples: tuple[str, ...]
    """The paths at which something hostile is put; `{version}` and `{entry}` are of the cache."""


PLACES = (
    Place("pyproject.toml", r"(.+/)?pyproject\.toml", ("pyproject.toml",)),
    Place("our settings", r"(.+/)?\.?panicguard\.toml", ("dotted/.panicguard.toml", "plain/panicguard.toml")),
    Place("extended settings", r"(ruff-)?shared\.toml", ("shared.toml", "ruff-shared.toml")),
    Place("Ruff's settings", r"(.+/)?\.?ruff\.toml", ("ruff.toml", "dotted/.ruff.toml")),
    Place("baseline", r"baseline\.json", ("baseline.json",)),
    Place("arguments", r"arguments\.txt", ("arguments.txt",)),
    Place("ignore file", r"(.+/)?\.(git)?ignore", (".gitignore", ".ignore")),
    Place("info/exclude", r"\.git/info/exclude", (".git/info/exclude", ".git/info")),
    Place("repository", r"(.+/)?\.git", (".git", "linked/.git")),
    Place("commondir", r"\.git/worktrees/linked/commondir", (".git/worktrees/linked/commondir",)),
    Place("go.mod", r"(.+/)?go\.mod", ("go.mod",)),
    Place("manifest", r"(.+/)?MANIFEST", ("internal/mruntime/MANIFEST",)),
    Place(
        "runtime copy",
        r"app/mruntime/(__init__|_panic)\.py",
        ("app/mruntime/__init__.py", "app/mruntime/_panic.py", "app/mruntime"),
    ),
    Place(
        "vendored runtime",
        r"vendored/(golang|mruntime)(/[^/]+)?",
        ("vendored", *(f"vendored/mruntime{file}" for file in ("", "/MANIFEST", "/__init__.py", "/_panic.py"))),
    ),
    Place("Python source", r".+\.pyi?", ("app/place.py", "app/__init__.py")),
    Place("Go source", r".+\.go", ("gomain/place.go",)),
    Place("notebook", r".+\.ipynb", ("app/book.ipynb",)),
    Place("report", r"out/report\.txt", ("out/report.txt", "out")),
    Place("cache directory", rf"(.+/)?{re.escape(CACHE)}", (CACHE,)),
    Place(
        "cache's own files",
        rf"(.+/)?{re.escape(CACHE)}/(\.gitignore|CACHEDIR\.TAG)",
        (f"{CACHE}/.gitignore", f"{CACHE}/CACHEDIR.TAG"),
    ),
    Place(
        "cache entry",
        rf"(.+/)?{re.escape(CACHE)}/[\w.]+-[0-9a-f]{{16}}(/[0-9a-f.json]+)?",
        (f"{CACHE}/{{version}}", f"{CACHE}/{{version}}/{{entry}}"),
    ),
)


def role_of(path: str) -> str | None:
    """What a file of the project is, by its path in it."""
    return next((place.role for place in PLACES if re.fullmatch(place.pattern, path)), None)


def write(directory: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
        path.chmod(0o640)


def make(base: Path) -> Path:
    """The project, beside `outside` and `home`; anything that was there is removed first."""
    shutil.rmtree(base, ignore_errors=True)
    write(base / "outside", OUTSIDE)
    write(base / "home", {".gitconfig": "[core]\n\texcludesFile = ~/.ignored\n", ".ignored": "*.orig\n"})
    (base / "temporary").mkdir()
    write(base / "project", FILES)
    return base / "project"


def environment(base: Path) -> dict[str, str]:
    """What the commands run with: a home of their own, and no setting of whoever runs the proof."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PANICGUARD", "XDG_", "_PANIC"))}
    return {**kept, "HOME": str(base / "home"), "TMPDIR": str(base / "temporary"), "NO_COLOR": "1"}


Snapshot = dict[str, tuple[object, ...]]


def snapshot(directory: Path) -> Snapshot:
    """Every path in a directory with its kind, mode and content; a link with where it leads."""
    found: Snapshot = {}
    for folder, names, files in os.walk(directory):
        for name in (*names, *files):
            path = os.path.join(folder, name)
            status = os.lstat(path)
            content: object = None
            if stat.S_ISLNK(status.st_mode):
                content = os.readlink(path)
            elif stat.S_ISREG(status.st_mode):
                content = status.st_size if status.st_size > 1_000_000 else Path(path).read_bytes()
            found[os.path.relpath(path, directory)] = (stat.S_IFMT(status.st_mode), status.st_mode & 0o7777, content)
    return found


def differences(before: Snapshot, after: Snapshot) -> list[str]:
    """The paths that came, went, or are something else than before."""
    return sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))


def surroundings(base: Path) -> Snapshot:
    """What the command must not touch: everything beside the project."""
    return {path: entry for path, entry in snapshot(base).items() if path.split("/")[0] not in ("project", "said")}


def fresh(base: Path, template: Path) -> None:
    """Make a directory equal to another one. What is equal is left alone, because that takes a tenth of the time."""
    done: list[str] = []
    for path in differences(snapshot(template), snapshot(base)):  # a directory before what is in it
        if path.startswith(tuple(f"{directory}/" for directory in done)):
            continue
        done.append(path)
        there, wanted = base / path, template / path
        if there.is_dir() and not there.is_symlink():
            shutil.rmtree(there)
        else:
            there.unlink(missing_ok=True)
        if wanted.is_dir():
            shutil.copytree(wanted, there)
        elif wanted.exists():
            shutil.copy2(wanted, there)
