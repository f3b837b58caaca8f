"""Count the `go` statements of a tree beside go/parser, and print how long both take.

    python tests/bench_go.py [DIRECTORY]

DIRECTORY is the source of the Go toolchain, if none is given. Times are medians of runs in turns, of processor time and
by the clock, of a thousand files and of all of them. Nothing is cached between runs.
Exits with 1 if a count differs from go/parser's.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import turns
from toolchain import ENV, GO, sources
from turns import Command, in_turns, show

from panicguard import config
from panicguard.diagnostic import IO_ERROR
from panicguard.go.screen import is_generated
from panicguard.go.tree import faults, parsed
from panicguard.run.lint import lint_bytes
from panicguard.run.task import Task

PROGRAM = Path(__file__).parent / "count_go.go"
EVERYWHERE = dataclasses.replace(config.default(""), enabled=frozenset(("PNC120",)), spawn_exempt=(), ignore_noqa=True)
SOME = 1000


def build(folder: Path) -> Path:
    """The program that counts with go/parser, compiled."""
    made = folder / "count_go"
    subprocess.run([GO, "build", "-o", made, PROGRAM], env=ENV, check=True)
    return made


def counted(program: Path, paths: list[Path]) -> list[int | None]:
    """How many `go` statements each file has by go/parser; None if it rejects the file."""
    said = "".join(f"{path}\n" for path in paths)
    done = subprocess.run([program], input=said, capture_output=True, text=True, check=True)
    numbers = [int(line.partition(" ")[0]) for line in done.stdout.splitlines()]
    return [None if number < 0 else number for number in numbers]


def found(path: Path) -> int | None:
    """How many panicguard reports, or for a generated file, would report; None for a file that is not UTF-8."""
    data = path.read_bytes()
    result = lint_bytes(str(path), data, EVERYWHERE, Task())
    if any(diagnostic.code == IO_ERROR for diagnostic in result.diagnostics):
        return None
    if is_generated(text := data.decode()):
        return len(parsed(text).all("go_statement"))
    return len(result.diagnostics)


def compare(program: Path, paths: list[Path]) -> int:
    theirs, ours = counted(program, paths), [found(path) for path in paths]
    broken = [path for path, count in zip(paths, theirs, strict=True) if count is None]
    print(f"{len(paths)} files, of which go/parser reads {len(paths) - len(broken)}")
    print(f"go statements: go/parser {sum(count or 0 for count in theirs)}, panicguard", end=" ")
    print(sum(count or 0 for count, its in zip(ours, theirs, strict=True) if its is not None))
    other = 0
    for path, count, its in zip(paths, ours, theirs, strict=True):
        if its is not None and count != its:
            other += 1
            print(f"  {path}: go/parser {its}, panicguard {count}")
    faulty = {path: count for path in paths if (count := _faults(path))}
    print(f"files that the grammar does not understand everywhere: {len(faulty)}, {len(broken)} of all are no Go")
    for path, count in faulty.items():
        print(f"  {path}: {count}{'' if path not in broken else ', no Go'}")
    return other


def _faults(path: Path) -> int:
    try:
        return faults(path.read_bytes().decode())
    except UnicodeDecodeError:
        return 0


def race(program: Path, folder: Path) -> None:
    """Both on the files of a folder: panicguard as it is, and with every rule for every file, tests too."""
    paths = [path for path in folder.rglob("*.go") if path.is_file()]
    listed = folder / "files"
    listed.write_text("".join(f"{path}\n" for path in paths))
    ours = [sys.executable, "-m", "panicguard", "check", "--isolated", "--exit-zero", "--silent", "--no-cache", "."]
    counting = ["sh", "-c", f"{program} < {listed}"]
    commands = {
        "panicguard": Command(ours),
        "all rules for all files": Command([*ours, "--select", "ALL", *("--config", "spawn-exempt=[]")]),
        "go/parser": Command(counting),
        "in one thread": Command(counting, {**turns.ENV, "GOMAXPROCS": "1"}),
    }
    size = sum(path.stat().st_size for path in paths) / 1e6
    show(f"{len(paths)} files, {size:.1f} MB", in_turns(folder, commands))


def copied(tree: Path, paths: list[Path], folder: Path) -> Path:
    for path in paths:
        to = folder / path.relative_to(tree)
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, to)
    return folder


def main() -> int:
    if len(sys.argv) > 2 or not GO.exists():
        print(__doc__)
        return 2
    paths = sorted(Path(sys.argv[1]).resolve().rglob("*.go")) if sys.argv[1:] else sources()
    tree = Path(os.path.commonpath(paths))
    with tempfile.TemporaryDirectory() as folder:
        program = build(Path(folder))
        other = compare(program, paths)
        race(program, copied(tree, paths[:: max(len(paths) // SOME, 1)][:SOME], Path(folder) / "some"))
        race(program, copied(tree, paths, Path(folder) / "all"))
    return 1 if other else 0


if __name__ == "__main__":
    sys.exit(main())
