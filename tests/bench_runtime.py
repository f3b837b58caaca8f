"""Print what the runtime costs beside the bare thing, and beside what it cost at the commit that the targets name.

    python tests/bench_runtime.py [--beside CHECKOUT] [PYTHON ...]   under these interpreters, else under this one
    python tests/bench_runtime.py --scale [PYTHON ...]               many at once, and a million one after the other

CHECKOUT is one of that commit; without it one is made. Both sides run in turns, and so do the variants of a row. A
figure is the median of the rounds, in microseconds of processor time.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from checkout import ROOT, clone
from turns import ENV, REFERENCE, Target, verdicts

if TYPE_CHECKING:
    from collections.abc import Mapping

COSTS = Path(__file__).parent / "runtime_costs.py"
TURNS = 5
"""Processes of each side."""
NOISE = 1.15
"""How much dearer a row may look without being so."""

Costs = dict[str, float]
"""Row -> microseconds, or bytes."""


def costs(python: str, tree: Path, flag: str = "") -> str:
    """What the program that measures prints for the runtime of this tree."""
    env = {**ENV, "PYTHONPATH": str(tree / "panicguard")}
    words = [python, "-X", "utf8", str(COSTS), *([flag] if flag else [])]
    return subprocess.run(words, env=env, stdout=subprocess.PIPE, text=True, check=True).stdout


def in_turns(python: str, trees: Mapping[str, Path]) -> dict[str, Costs]:
    """The medians of each side."""
    taken: dict[str, list[Costs]] = {side: [] for side in trees}
    for _ in range(TURNS):
        for side, tree in trees.items():
            taken[side].append(json.loads(costs(python, tree)))
    return {side: {row: statistics.median(one[row] for one in all_) for row in all_[0]} for side, all_ in taken.items()}


def targets(now: Costs, then: Costs) -> list[Target]:
    found = [
        Target("a task beyond create_task / then", now["task"] / then["task"], 0.6),
        Target("a task with a context beyond one without", now["context"], 1.5, "us"),
        Target("a panic", now["panic"], 250.0, "us"),
    ]
    same = ("thread", "pool job", "await", "bytes of a live task")
    # Of what is next to nothing, as an await is, the ratio says nothing.
    found += [Target(f"{row} / then", (now[row] + 1) / (then[row] + 1), NOISE) for row in same]
    return found


def compare(python: str, trees: Mapping[str, Path]) -> None:
    print(subprocess.run([python, "--version"], capture_output=True, text=True, check=True).stdout.strip())
    found = in_turns(python, trees)
    print(f"{'beyond the bare thing':<24} {'now':>9} {'then':>9}")
    for row, now in found["now"].items():
        then = found["then"].get(row)
        print(f"{row:<24} {now:>9.2f} {'' if then is None else f'{then:.2f}':>9}")
    verdicts(targets(found["now"], found["then"]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pythons", nargs="*", default=[sys.executable], metavar="PYTHON")
    parser.add_argument("--beside", type=Path, metavar="CHECKOUT")
    parser.add_argument("--scale", action="store_true")
    its = parser.parse_args()
    if its.scale:
        for python in its.pythons:
            print(costs(python, ROOT, "--scale"), end="")
        return
    with tempfile.TemporaryDirectory() as folder:
        then = clone(REFERENCE, Path(folder) / "clone") if its.beside is None else its.beside.absolute()
        for python in its.pythons:
            compare(python, {"now": ROOT, "then": then})


if __name__ == "__main__":
    main()
