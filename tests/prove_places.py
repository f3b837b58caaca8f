"""Put something hostile in every place that is read or written, and prove that the commands do no harm and end.

    python tests/prove_places.py [--limit SECONDS] [--only TEXT]

For every sample of `places.py` and every kind below, each of some commands is run in a fresh project beside a tree that
must not be touched. Then

- nothing outside has changed, and of the project only what the command may write: what was put there is still there;
- the command has ended, within the limit and a bounded memory, with an exit code of 0, 1 or 2;
- it has printed no traceback, no `internal-error`, and nothing from a text outside that is not a source;
- what is found in the other files is reported, unless it ended with 2 and said why.

After that, what a project's own settings may not do, and what the user may: `OWN`. Prints every failure and the counts,
and exits with 1 if there is one. A command is run in a fork of this process, so that thousands take minutes.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import io
import os
import re
import resource
import shutil
import signal
import stat
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hostile import KINDS, put
from places import CACHE, PLACES, SECRET, TAG, Snapshot, differences, environment, fresh, make, snapshot, surroundings

from panicguard.__main__ import main as panicguard
from panicguard.cli import commands
from panicguard.run import cache

if TYPE_CHECKING:
    from collections.abc import Iterator

SLOTS = 3
MEMORY = 2 * 1024**3
"""Bytes of address space for each command: reading /dev/zero must not exhaust the machine."""
SETTINGS = {"pyproject.toml", "our settings", "extended settings", "Ruff's settings", "baseline", "arguments", "report"}
"""The roles of files whose faults are reported with exit code 2."""
EVERY = ("check --output-format concise .", "fix .", "clean")
MORE = {
    "extended settings": ("check --update-baseline .",),
    "baseline": ("check --update-baseline .", "check --baseline baseline.json .", "fix --diff ."),
    "arguments": ("check @arguments.txt",),
    "report": ("check --output-file out/report.txt .",),
    "vendored runtime": ("vendor vendored", "vendor --check vendored", "vendor --force vendored"),
    "Python source": ("fix app", "check --add-noqa .", "check app/place.py app/other.py --output-format concise"),
    "Go source": ("fix gomain", "check --add-noqa ."),
    "notebook": ("fix app",),
    "cache directory": ("check --output-format concise app",),
}


class Case(NamedTuple):
    role: str
    place: str
    kind: str
    command: str

    @property
    def title(self) -> str:
        return " | ".join(self)

    def prepare(self, project: Path) -> None:
        path = project / self.place.format(**cache_names(project))
        if self.role == "cache's own files":
            for version in (project / CACHE).glob("*-*"):  # they are made with the first version only
                shutil.rmtree(version)
        put(path, self.kind, project)

    def complaints(self, run: Run, before: list[Snapshot]) -> Iterator[str]:
        project = run.base / "project"
        outside = differences(before[0], surroundings(run.base))
        if outside:
            yield f"changed outside: {', '.join(outside)}"
        yield from losses(self, before[1], project)
        yield from run.complaints(SECRET if self.role not in ("Python source", "Go source", "arguments") else None)
        if run.code == 2 and self.role not in SETTINGS | {"vendored runtime"}:
            yield f"exit code 2: {run.said.splitlines()[:1]}"
        other = project / "app" / "other.py"
        if run.code not in (0, 1):
            return
        if self.command.startswith("check ") and "concise" in self.command and "app/other.py:5" not in run.said:
            yield "the findings of app/other.py are not reported"
        if self.command in ("fix .", "fix app") and b"SafeGo" not in other.read_bytes():
            yield "app/other.py is not fixed"


class Own(NamedTuple):
    """What a project's own settings may not do, and the user may."""

    what: str
    command: str
    settings: str = ""
    links: tuple[tuple[str, str], ...] = ()
    files: tuple[tuple[str, str], ...] = ()
    writes: str = ""
    """What must have changed outside; nothing else may."""
    says: str = ""
    directory: str = "."

    @property
    def title(self) -> str:
        return " | ".join(filter(None, (self.what, self.settings, self.command)))

    def prepare(self, project: Path) -> None:
        with (project / "pyproject.toml").open("a") as file:
            file.write(self.settings.replace("{base}", str(project.parent)) + "\n")
        for name, text in self.files:
            (project / name).parent.mkdir(parents=True, exist_ok=True)
            (project / name).write_text(text)
        for name, target in self.links:
            (project / name).unlink(missing_ok=True)
            (project / name).symlink_to(target)

    def complaints(self, run: Run, before: list[Snapshot]) -> Iterator[str]:
        project = run.base / "project"
        changed = differences(before[0], surroundings(run.base))
        wrong = [path for path in changed if not (self.writes and re.fullmatch(rf"outside/{self.writes}", path))]
        if wrong:
            yield f"changed outside: {', '.join(wrong)}"
        if self.writes and not changed:
            yield "did not write what the user named"
        yield from losses(self, before[1], project)
        yield from run.complaints(SECRET)
        if self.says and self.says not in run.said:
            yield f"does not say {self.says!r}: {run.said[:200]!r}"


CHECK = "check --output-format concise ."
OWN = (
    Own("cache-dir outside", CHECK, 'cache-dir = "../outside/fresh"', says="cache-dir"),
    Own("cache-dir that is there outside", CHECK, 'cache-dir = "../outside/cache"', says="cache-dir"),
    Own("cache-dir by an absolute path", CHECK, 'cache-dir = "{base}/outside/fresh"', says="cache-dir"),
    Own("cache-dir that is the project", CHECK, 'cache-dir = "."'),
    Own("cache-dir through a link", CHECK, 'cache-dir = "way/fresh"', (("way", "../outside"),), says="cache-dir"),
    Own("baseline outside", "check --update-baseline .", 'baseline = "../outside/baseline.json"', says="baseline"),
    Own("new baseline outside", "check --update-baseline .", 'baseline = "../outside/new.json"', says="baseline"),
    Own("baseline through a link", "check --update-baseline .", 'baseline = "way/new.json"', (("way", "../outside"),)),
    Own("extend outside", CHECK, 'extend = "../outside/settings.toml"'),
    Own("extend of a text outside", CHECK, 'extend = "../outside/notes.txt"'),
    Own("a tag in a directory of sources", "clean", files=(("app/CACHEDIR.TAG", TAG),)),
    Own("a tag in the project", "clean", files=(("CACHEDIR.TAG", TAG),)),
    Own("a project whose cache is itself", "clean", 'cache-dir = "."', files=(("CACHEDIR.TAG", TAG),), directory=".."),
    Own("foreign files in the cache", "clean", files=((f"{CACHE}/keep.txt", ""), (f"{CACHE}/sub/keep.txt", ""))),
    Own("--cache-dir outside", f"{CHECK} --cache-dir ../outside/fresh", writes="fresh.*"),
    Own("--baseline outside", f"{CHECK} --baseline ../outside/new.json --update-baseline", writes=r"new\.json"),
    Own("--output-file outside", f"{CHECK} --output-file ../outside/new.txt", writes=r"new\.txt"),
    Own("a link in what is fixed", "fix app", links=(("app/place.py", "../../outside/precious.py"),)),
    Own("a link that is named", "fix app/place.py", links=(("app/place.py", "../../outside/precious.py"),),
        says="link"),
    Own("a link to what is fixed, too", "fix app ../outside", links=(("app/place.py", "../../outside/precious.py"),),
        writes=r"precious\..*"),
    Own("a vendored runtime outside", "vendor ../outside/fresh", writes="fresh.*"),
    Own("a vendored runtime through a link", "vendor way", links=(("way", "../outside"),), says="link"),
    Own("a report through a link", f"{CHECK} --output-file way/new.txt", links=(("way", "../outside"),), says="link"),
    Own("a baseline through a link", f"{CHECK} --baseline way/new.json --update-baseline",
        links=(("way", "../outside"),), says="link"),
)  # fmt: skip


def cache_names(project: Path) -> dict[str, str]:
    entry = next((project / CACHE).glob("*-*/*.json"))
    return {"version": entry.parent.name, "entry": entry.name}


def losses(case: Case | Own, before: Snapshot, project: Path) -> Iterator[str]:
    """What changed in the project that the command must not change."""
    changed = differences(before, snapshot(project))
    wrong = [path for path in changed if not may_change(case, path, before.get(path), project)]
    if wrong:
        yield f"changed in the project: {', '.join(wrong[:4])}{f' and {len(wrong) - 4} more' * (len(wrong) > 4)}"


def may_change(case: Case | Own, path: str, before: tuple[object, ...] | None, project: Path) -> bool:
    """Whether the command may have made, replaced or removed a path of the project; `before` is what was there."""
    verb, *arguments = case.command.split()
    was_file = before is None or before[0] == stat.S_IFREG
    after = project / path
    is_file = after.is_file() and not after.is_symlink()
    cache_at = rf"(.+/)?{re.escape(CACHE)}(/|$)"
    if isinstance(case, Own) and 'cache-dir = "."' in case.settings:
        cache_at = f"({cache_at})?"
    if re.fullmatch(cache_at + r"[\w.]+-[0-9a-f]{16}(/[0-9a-f]{32}\.json)?", path):
        return True
    if re.fullmatch(cache_at + r"(\.gitignore|CACHEDIR\.TAG)?", path):
        return before is None or (verb == "clean" and CACHE in path and (was_file or before[0] == stat.S_IFDIR))
    if verb == "fix" or "--add-noqa" in arguments:
        same_mode = before is not None and is_file and (after.stat().st_mode & 0o7777) == before[1]
        in_reach = all(not given.startswith("app") or path.startswith("app/") for given in arguments if given[0] != "-")
        named_link = isinstance(case, Own) and path == "app/place.py"
        return was_file and same_mode and in_reach and path.endswith((".py", ".ipynb", ".go")) and not named_link
    if verb == "vendor" and "--check" not in arguments:
        return path.startswith("vendored/") and (before is None or before[0] != stat.S_IFDIR)
    if "--update-baseline" in arguments:
        return path == "baseline.json" and was_file
    within = path.startswith("out") or (case[2] == "link to a file inside" and path == "keep/notes.txt")
    return "--output-file" in arguments and within and was_file


class Run:
    """A command in a fork of this process."""

    def __init__(self, case: Case | Own, base: Path, limit: float) -> None:
        self.case, self.base = case, base
        self.code: int | None = None
        self.said = ""
        self.end = time.monotonic() + limit
        sys.stdout.flush()
        self.process = os.fork()
        if self.process == 0:
            os._exit(self._command())

    def _command(self) -> int:
        os.setsid()
        for limit, most in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CORE, 0)):
            resource.setrlimit(limit, (most, most))
        os.environ.clear()
        os.environ.update(environment(self.base))
        os.chdir(self.base / "project" / getattr(self.case, "directory", "."))
        out = os.open(self.base / "said", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for stream in (1, 2):
            os.dup2(out, stream)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        try:
            sys.argv[1:] = self.case.command.split()
            code = panicguard()
            sys.stdout.flush()
        except BaseException as error:
            os.write(2, f"Traceback: {error!r}".encode())
            return 1
        return code

    def is_over(self) -> bool:
        process, status = os.waitpid(self.process, os.WNOHANG)
        if process == 0 and time.monotonic() < self.end:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process, signal.SIGKILL)
        if process == 0:
            os.waitpid(self.process, 0)
        else:
            self.code = os.waitstatus_to_exitcode(status)
        with contextlib.suppress(FileNotFoundError):
            self.said = (self.base / "said").read_bytes()[:1_000_000].decode(errors="replace")
        return True

    def complaints(self, secret: str | None) -> Iterator[str]:
        if self.code is None:
            yield "does not end"
        elif self.code not in (0, 1, 2):
            yield f"exit code {self.code}"
        for word in ("Traceback", "bug in panicguard", "internal-error", "MemoryError", "not enough memory", secret):
            if word is not None and word in self.said:
                line = next(line for line in self.said.splitlines() if word in line)
                yield f"prints {word!r}: {line[:160]!r}"
        if self.code == 2 and not self.said.strip():
            yield "exit code 2 without a word"


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--limit", type=float, default=20.0, help="seconds that a command may take")
    parser.add_argument("--only", default="", help="only the cases whose description has this text")
    options = parser.parse_args()
    cache.SETTLED = -3600.0  # files count as rested: the cache takes no other, and no run has the time to wait
    cases: list[Case | Own] = [
        Case(place.role, sample, kind, command)
        for place in PLACES
        for sample in place.samples
        for kind in KINDS
        for command in (*EVERY, *MORE.get(place.role, ()))
    ]
    cases = [case for case in (*OWN, *cases) if options.only in case.title]
    counts: Counter[str] = Counter()
    failures = 0
    with tempfile.TemporaryDirectory() as directory:
        warm(Path(directory) / "warm")
        free = [template(Path(directory).resolve() / str(number)) for number in range(SLOTS)]
        runs: list[tuple[Run, list[Snapshot]]] = []
        waiting = iter(cases)
        while True:
            while free and (case := next(waiting, None)) is not None:
                runs.append(started(case, free.pop(), options.limit))
            if not runs:
                break
            for run, before in [entry for entry in runs if entry[0].is_over()]:
                runs.remove((run, before))
                complaints = list(run.case.complaints(run, before))
                failures += bool(complaints)
                counts.update([type(run.case).__name__, f"exit code {run.code}"])
                for complaint in complaints:
                    print(f"{run.case.title}: {complaint}", flush=True)
                free.append(run.base)
            time.sleep(0.005)
    samples = sum(len(place.samples) for place in PLACES)
    print(f"{samples} places x {len(KINDS)} kinds: {counts['Case']} runs; {counts['Own']} of settings and of the user")
    print(", ".join(f"{code}: {count}" for code, count in sorted(counts.items()) if code.startswith("exit")))
    print(f"failures: {failures}")
    return 1 if failures else 0


def warm(base: Path) -> None:
    """Load, in a world that is then forgotten, all that the commands load: each fork would take a second to."""
    project = make(base)
    nowhere, here = io.StringIO(), Path.cwd()
    os.chdir(project)
    with contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
        for command in ("check app gomain", "fix app", "vendor vendored", "clean"):
            commands.run(command.split())
    os.chdir(here)
    gc.collect()
    gc.freeze()


def template(slot: Path) -> Path:
    """A world with a cache and a vendored runtime, kept beside the one that the commands run in: always at one path,
    which the names of the cache's entries depend on."""
    world = slot / "world"
    make(world)
    for command in ("check .", "vendor vendored"):
        run = Run(Own("", command), world, 60)
        while not run.is_over():
            time.sleep(0.01)
    shutil.copytree(world, slot / "template", symlinks=True)
    return world


def started(case: Case | Own, base: Path, limit: float) -> tuple[Run, list[Snapshot]]:
    fresh(base, base.parent / "template")
    project = base / "project"
    case.prepare(project)
    before = [surroundings(base), snapshot(project)]
    return Run(case, base, limit), before


if __name__ == "__main__":
    sys.exit(main())
