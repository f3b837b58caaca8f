"""Kill `panicguard fix` again and again, write to its files meanwhile, run two at once, and prove that nothing is lost.

    python tests/prove_kills.py [DIRECTORY] [--kills 200] [--foreign 40] [--pairs 20] [--files 300] [--seed 0]

Works on a copy of `--files` files of DIRECTORY in which something can be fixed, again and again in turn; of the inputs
in `fixtures` by default.

- Kills: SIGKILL, SIGTERM or SIGINT at moments spread over the time that a run takes. Each file is then what it was or
  what it has to become, its mode is what it was, and nothing else is there but the cache.
- A foreign writer: another process that saves files while they are fixed, by a temporary file and a rename as editors
  do, or in place. What it saved last is in the file, fixed or not.
- Pairs: two runs at once. Each file is what it has to become.

Prints the counts, and exits with 1 if something was torn, lost or left over.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

FIX = (sys.executable, "-m", "panicguard", "fix", "--silent", "--isolated", "--config", "spawn-exempt=[]")
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
MODES = (0o644, 0o600, 0o755, 0o640)
LARGEST = 1_000
"""Bytes: larger files are left out, so that a run takes a second."""
MARK = "\n# saved by hand, number "


class Tree(NamedTuple):
    """A directory, and what each of its files was and has to become."""

    root: Path
    before: dict[str, bytes]
    after: dict[str, bytes]

    def restore(self) -> None:
        """The tree as it was before the first run. The mode depends on the name."""
        shutil.rmtree(self.root, ignore_errors=True)
        self.root.mkdir()
        for name, data in self.before.items():
            (self.root / name).write_bytes(data)
            (self.root / name).chmod(mode_of(name))

    def fix(self) -> subprocess.Popen[bytes]:
        """A run in a session of its own, which can be killed with its workers."""
        silent = subprocess.DEVNULL
        return subprocess.Popen([*FIX, "."], cwd=self.root, stdout=silent, stderr=silent, start_new_session=True)

    def left_over(self) -> list[str]:
        known = {*self.before, ".panicguard_cache"}
        temporary = list(self.root.glob(".panicguard_cache/*/*"))
        return [path.name for path in self.root.iterdir() if path.name not in known] + [
            f"cache/{path.name}" for path in temporary if path.suffix != ".json"
        ]

    def damaged(self, *, must_be_fixed: bool = False) -> list[str]:
        """The files that are neither what they were nor what they become, and those with another mode."""
        wrong = []
        for name in self.before:
            path = self.root / name
            allowed = (self.after[name],) if must_be_fixed else (self.before[name], self.after[name])
            if not path.is_file() or path.read_bytes() not in allowed:
                wrong.append(name)
            elif stat.S_IMODE(path.stat().st_mode) != mode_of(name):
                wrong.append(f"{name} (mode)")
        return wrong


def mode_of(name: str) -> int:
    return MODES[sum(name.encode()) % len(MODES)]


def fixable(directory: Path, count: int, scratch: Path) -> dict[str, bytes]:
    """So many files in which something is fixed, from those of a directory, in turn under other names."""
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    sources = [path for path in sorted(directory.rglob("*.py")) if path.is_file() and path.stat().st_size < LARGEST]
    copies = {f"{number:05}.py": path.read_bytes() for number, path in enumerate(sources)}
    for name, data in copies.items():
        (scratch / name).write_bytes(data)
    subprocess.run([*FIX, "."], cwd=scratch, capture_output=True, check=False)
    changed = [data for name, data in copies.items() if (scratch / name).read_bytes() != data]
    if not changed:
        raise SystemExit(f"nothing to fix in {directory}")
    return {f"file{number:03}.py": changed[number % len(changed)] for number in range(count)}


def kills(tree: Tree, runs: int, seconds: float, chance: random.Random) -> int:
    counts: Counter[str] = Counter()
    left: Counter[str] = Counter()
    wrong = number = 0
    while number < runs:
        tree.restore()
        process = tree.fix()
        time.sleep(seconds * (number + chance.random()) / runs)
        which = SIGNALS[number % len(SIGNALS)]
        if process.poll() is None:
            if which is signal.SIGKILL:  # to the process alone: its workers must end by themselves
                process.kill()
            else:
                os.killpg(process.pid, which)
            counts[which.name] += 1
            number += 1
        else:
            counts["too late, and not counted"] += 1
            seconds *= 0.95  # the machine has less to do than when it was measured
        process.wait(60)
        wait_for_workers(process.pid)
        damaged = tree.damaged()
        wrong += len(damaged)
        fixed = sum((tree.root / name).read_bytes() != data for name, data in tree.before.items())
        counts["half done"] += 0 < fixed < len(tree.before)
        for name in tree.left_over():
            left[f"{which.name}: {name.rpartition('/')[0]}{name[:12]}"] += 1
        if damaged:
            print(f"  kill {number} ({which.name}): {', '.join(damaged[:5])}", flush=True)
    what_came = ", ".join(f"{what} {count}" for what, count in sorted(counts.items()))
    print(f"kills: {runs} ({what_came}); damaged: {wrong}; left over: {sum(left.values())}")
    by_signal = Counter(what.partition(":")[0] for what in left.elements())
    for what, count in sorted(by_signal.items()):
        print(f"  left over after {what}: {count}, as {next(name for name in left if name.startswith(what))}…")
    return wrong + sum(left.values())


def wait_for_workers(group: int) -> None:
    """Until no process of the group is left; those that stay longer than they may are ended."""
    for _ in range(500):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.02)
    print(f"  workers of {group} stay alive")
    os.killpg(group, signal.SIGKILL)


def write_foreign(root: str, in_place: bool, seed: int, journal: str) -> None:
    """Save files at random until SIGTERM, and note each save once it is done: a line `name number`."""
    ends: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: ends.append(number))
    chance = random.Random(seed)
    names = sorted(path.name for path in Path(root).glob("*.py"))
    with open(journal, "w") as saved:
        number = 0
        while not ends:
            path = Path(root) / chance.choice(names)
            text = body_of(path.read_bytes()) + f"{MARK}{number}\n".encode()
            if in_place:
                path.write_bytes(text)
            else:
                temporary = path.with_name(f".{path.name}.swp")
                temporary.write_bytes(text)
                temporary.chmod(mode_of(path.name))
                temporary.replace(path)
            saved.write(f"{path.name} {number}\n")
            saved.flush()
            number += 1
            time.sleep(chance.random() * 0.004)


def body_of(data: bytes) -> bytes:
    """A file's content without the mark of who saved it."""
    return data.partition(MARK.encode())[0]


def foreign(tree: Tree, runs: int, seed: int) -> int:
    lost = saves = wrong = 0
    for number in range(runs):
        tree.restore()
        journal = tree.root.parent / "journal"
        in_place = number % 2 == 1
        arguments = [str(tree.root), str(int(in_place)), str(seed + number), str(journal)]
        writer = subprocess.Popen([sys.executable, __file__, "--write", *arguments])
        process = tree.fix()
        process.wait(300)
        writer.terminate()
        writer.wait(10)
        noted = [line.split() for line in journal.read_text().splitlines()]
        last = dict(noted)
        saves += len(noted)
        for name, save in last.items():
            data = (tree.root / name).read_bytes()
            is_lost = not data.endswith(f"{MARK}{save}\n".encode())
            lost += is_lost
            if is_lost:
                how = "in place" if in_place else "by a rename"
                print(f"  run {number}: save {save} of {name}, {how}, is lost: it ends with {data[-40:]!r}", flush=True)
        for name in tree.before:
            if body_of((tree.root / name).read_bytes()) not in (tree.before[name], tree.after[name]):
                wrong += 1
                print(f"  run {number}: {name} is torn", flush=True)
        wrong += len(tree.left_over())
    print(f"foreign writer: {runs} runs, {saves} saves; lost: {lost}; torn or left over: {wrong}")
    return lost + wrong


def pairs(tree: Tree, runs: int) -> int:
    wrong = left = 0
    for _ in range(runs):
        tree.restore()
        both = [tree.fix(), tree.fix()]
        for process in both:
            process.wait(300)
        damaged = tree.damaged(must_be_fixed=True)
        wrong += len(damaged)
        left += len(tree.left_over())
    print(f"two at once: {runs} runs; damaged or not fixed: {wrong}; left over: {left}")
    return wrong + left


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", nargs="?", type=Path, default=Path(__file__).parent.parent / "fixtures")
    for name, default in (("kills", 200), ("foreign", 40), ("pairs", 20), ("files", 300), ("seed", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        base = Path(directory)
        before = fixable(options.directory, options.files, base / "scratch")
        tree = Tree(base / "tree", before, {})
        tree.restore()
        started = time.monotonic()
        tree.fix().wait()
        seconds = time.monotonic() - started
        tree = tree._replace(after={name: (tree.root / name).read_bytes() for name in before})
        fixed = sum(tree.after[name] != data for name, data in before.items())
        print(f"{len(before)} files, {fixed} of them fixed in {seconds:.1f} s", flush=True)
        wrong = kills(tree, options.kills, seconds, random.Random(options.seed))
        wrong += foreign(tree, options.foreign, options.seed)
        wrong += pairs(tree, options.pairs)
    return 1 if wrong else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--write"]:
        write_foreign(sys.argv[2], sys.argv[3] == "1", int(sys.argv[4]), sys.argv[5])
    else:
        sys.exit(main())
