"""Print what panicguard costs beside Ruff, and beside itself at the commit that the targets are relative to.

    python tests/bench.py [--beside CHECKOUT] [--runs N] DIRECTORY    the tables, and the targets held and missed
    python tests/bench.py --profile DIRECTORY                         where the time of a run without a cache goes

DIRECTORY is copied, since a changed file is part of it. CHECKOUT is one of that commit; without it one is made. Times
are milliseconds of processor time and, in parentheses, by the clock: medians of runs in turns.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from peak import peak
from turns import ENV, RUNS, Command, Spent, Target, in_turns, show, sides, verdicts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Envs = Mapping[str, Mapping[str, str]]

RUFF = str(Path(sys.executable).parent / "ruff")
ALIKE = "--select RUF006,ASYNC,B023"
"""Those of Ruff's rules that are on the same subjects as panicguard's."""
CLEAN = "import asyncio\n\n\nasync def f():\n    await asyncio.sleep(1)\n"
FOUND = CLEAN + "    asyncio.create_task(f())\n"
LINES = FOUND + "\n\ndef g(x):\n    return x + 1\n" * 75
MANY = 1000
"""Findings in the smaller of two files."""


def python(words: str, env: Mapping[str, str] = ENV) -> Command:
    return Command([sys.executable, *words.split()], env)


def ours(envs: Envs, side: str, arguments: str, prepare: Callable[[], object] = bool) -> Command:
    words = f"-m panicguard check --isolated --exit-zero {arguments}"
    return Command([sys.executable, *words.split()], envs[side], prepare)


def ruff(arguments: str, prepare: Callable[[], object] = bool) -> Command:
    return Command([RUFF, *f"check --isolated --exit-zero {ALIKE} {arguments}".split()], ENV, prepare)


def three(envs: Envs, arguments: str, prepare: Callable[[], object] = bool) -> dict[str, Command]:
    """The three that are compared: the present panicguard, Ruff, panicguard as it was."""
    return {
        "now": ours(envs, "now", arguments, prepare),
        "ruff": ruff(arguments, prepare),
        "then": ours(envs, "then", arguments, prepare),
    }


def targets_of(what: str, times: Mapping[str, Spent], other: str, most: float) -> list[Target]:
    """The ratio of the present times to those of the other, in both kinds of time."""
    now, beside = times["now"], times[other]
    return [
        Target(f"{what}, processor time", now.processor / beside.processor, most),
        Target(f"{what}, by the clock", now.wall / beside.wall, most),
    ]


def whole(folder: Path, envs: Envs, runs: int) -> list[Target]:
    """A code base without a cache, with one, with one file changed; and its half."""
    every = sorted(folder.rglob("*.py"))
    cold = in_turns(folder, three(envs, "-q --no-cache ."), runs)
    show(f"{len(every)} files, no cache", cold)
    found = targets_of("cold / Ruff", cold, "ruff", 1.5) + targets_of("cold / then", cold, "then", 0.5)
    memory = {name: peak_of(folder, command) for name, command in three(envs, "-q --no-cache .").items()}
    print(f"{'peak memory, all processes together':<36} " + ", ".join(f"{k} {v:.0f} MB" for k, v in memory.items()))
    warm = in_turns(folder, three(envs, "-q ."), runs)
    show("nothing changed", warm)
    found += targets_of("warm / Ruff with its cache", warm, "ruff", 1.2)
    found += changed(folder, envs, runs)
    for path in every[1::2]:
        path.unlink()
    half = in_turns(folder, three(envs, "-q --no-cache ."), runs)
    show("every other file, no cache", half)
    found.append(Target("whole / half, processor time", cold["now"].processor / half["now"].processor, 2.1))
    found.append(Target("peak memory / Ruff's", memory["now"] / memory["ruff"], 2.5))
    return found


def peak_of(folder: Path, command: Command) -> float:
    """MB; the median of three runs."""
    return statistics.median(peak(folder, command) for _ in range(3)) / 1024


def changed(folder: Path, envs: Envs, runs: int) -> list[Target]:
    """Nothing changed, and one file with a finding: the same commands in the same minutes."""
    path = folder / "changed_by_bench.py"

    def change() -> None:
        with path.open("a") as file:
            file.write("x = 1\n")

    path.write_text(FOUND)
    times = in_turns(
        folder,
        {
            "now": ours(envs, "now", "-q .", change),
            "unchanged": ours(envs, "now", "-q ."),
            "ruff": ruff("-q .", change),
            "then": ours(envs, "then", "-q .", change),
        },
        runs,
    )
    path.unlink()
    show("one file changed, with a finding", times)
    return targets_of("one file changed / nothing changed", times, "unchanged", 1.2)


def small(folder: Path, envs: Envs, runs: int) -> list[Target]:
    """The costs that do not grow with the code base."""
    version = {side: python("-m panicguard --version", envs[side]) for side in ("now", "then")}
    times = in_turns(folder, {"now": version["now"], "python": python("-c pass"), "then": version["then"]}, runs)
    show("--version", times)
    (folder / "one.py").write_text(LINES)
    single = three(envs, "-q --no-cache one.py") | {"libcst": Command([sys.executable, "-c", "import libcst"])}
    times = in_turns(folder, single, runs)
    show("300 lines, one finding", times)
    found = targets_of("300 lines with a finding / import libcst", times, "libcst", 1.3)
    words = [sys.executable, "-X", "importtime", *single["now"].words[1:]]
    done = subprocess.run(words, cwd=folder, env=single["now"].env, capture_output=True, text=True, check=True)
    found.append(Target("libcst imported where nothing is fixed", float("libcst" in done.stderr), 0, "yes"))
    (folder / "one.py").unlink()
    return found + findings(folder, envs, runs)


def findings(folder: Path, envs: Envs, runs: int) -> list[Target]:
    """What one more of many findings costs, with its report; and many files without any."""
    for name, n in (("some.py", MANY), ("twice.py", 2 * MANY)):
        spawns = "".join(f"\n\nasync def f{i}():\n    asyncio.create_task(g{i}())\n" for i in range(n))
        (folder / name).write_text("import asyncio\n" + spawns)
    names = {f"{side} {name}": ours(envs, side, f"--no-cache {name}.py") for side in envs for name in ("some", "twice")}
    times = in_turns(folder, names, runs)
    for path in (folder / "some.py", folder / "twice.py"):
        path.unlink()
    each = {side: 1000 * (times[f"{side} twice"].processor - times[f"{side} some"].processor) / MANY for side in envs}
    print(f"{'a finding, its report included':<36} " + ", ".join(f"{side} {ms:.2f} ms" for side, ms in each.items()))
    for number in range(161):
        (folder / f"{number}.py").write_text(CLEAN)
    show("161 files, nothing found, no cache", in_turns(folder, three(envs, "-q --no-cache ."), runs))
    return [Target("a finding, processor time", each["now"], 0.7, "ms")]


def profile(folder: Path) -> None:
    """The functions that take the longest, in one process."""
    from panicguard import config
    from panicguard.files import discover
    from panicguard.rule import all_rules
    from panicguard.run.lint import lint_file
    from panicguard.run.task import Task

    all_rules()
    its = config.default(str(folder))
    measured = cProfile.Profile()
    with measured:
        for path, _ in discover.discover((str(folder),), lambda _: its):
            lint_file(path, its, Task())
    pstats.Stats(measured).sort_stats("tottime").print_stats(25)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--beside", type=Path, metavar="CHECKOUT")
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--profile", action="store_true")
    its = parser.parse_args()
    if its.profile:
        profile(its.directory.absolute())
        return
    with sides(its.beside) as both:
        with tempfile.TemporaryDirectory() as folder:
            targets = small(Path(folder), both, its.runs)
        with tempfile.TemporaryDirectory() as folder:
            corpus = shutil.copytree(its.directory, Path(folder) / "corpus", symlinks=True)
            targets = whole(corpus, both, its.runs) + targets
    verdicts(targets)


if __name__ == "__main__":
    main()
