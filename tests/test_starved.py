"""Closed, full and broken streams, and a system that refuses: findings first, else a sentence and exit code 2.

One table of environments, each a small shell script. Run as a program, it prints the outcome of each, with Ruff's
beside it.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="bash, limits of the system, /dev/full and /proc")

BARE = "import asyncio\nimport os\n\n\nasync def f(x):\n    asyncio.create_task(g(x))\n"
"""A finding with a fix for either linter."""
FIXED = (
    BARE.replace("os\n", "os\n\nfrom panicguard import mruntime\n")
    .replace("asyncio.create_task(g(x))", 'mruntime.SafeGo("g", mruntime.KeepRunning, g(x))')
    .removeprefix("import asyncio\n")
)
MANY = 1000
PROGRAMS = {"ours": f"{sys.executable} -m panicguard", "ruff": f"{sys.executable} -m ruff"}
SECONDS = 60
AS_NOBODY = "setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all --bounding-set=-all "
WITH_MOUNTS = "unshare -m bash -c "


@dataclass(frozen=True)
class Row:
    """A script, in which `$LINT` is the linter, `$MANY` a directory of many files and `$BROKEN` a pipe nobody reads."""

    script: str
    code: int
    out: str = ".*"
    err: str = ""
    """What must be found in standard output and standard error; the empty pattern: nothing is printed."""
    ruff: bool = True
    """Whether Ruff has such a command."""
    needs: str = "true"
    """A command that fails where the environment cannot be made."""


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str
    source: str
    original: str
    """What a.py holds after the run, and what it held before."""


COMMANDS = {
    "check a.py": (1, "PNC101", ""),
    "check -": (1, "PNC101", ""),
    "fix a.py": (0, "1 fixed", ""),
    "fix -": (0, "SafeGo", "1 fixed"),
    "check --diff a.py": (1, "SafeGo.*Would fix", ""),
    "rule PNC101": (0, "bare-asyncio-task", ""),
    "config": (0, "baseline", ""),
    "version": (0, "panicguard", ""),
    "--version": (0, "panicguard", ""),
    "--help": (0, "Usage", ""),
    "clean": (0, "", ""),
    "vendor copied": (0, "runtime-module", ""),
    "server": (1, "", ""),  # what comes in is not a message, and ends
}
"""Exit code, standard output and standard error of each command with nothing closed; what comes in is a.py."""
READING = ("check -", "fix -", "server")
NO_INPUT = "Cause: standard input: it is closed"


def closed_rows() -> list[Row]:
    """Each command with each of the streams closed, alone and together."""
    rows = []
    closings = [c for n in (1, 2, 3) for c in itertools.combinations(("<&-", ">&-", "2>&-"), n)]
    for (command, (code, out, err)), closed in itertools.product(COMMANDS.items(), closings):
        redirections = " ".join(closed if "<&-" in closed else ("<in.py", *closed))
        if "<&-" in closed and command in READING:
            code, out, err = 2, "", NO_INPUT
        known_to_ruff = not command.startswith("vendor")
        script = f"$LINT {command} {redirections}"
        rows.append(Row(script, code, "" if ">&-" in closed else out, "" if "2>&-" in closed else err, known_to_ruff))
    return rows


FULL = r"Cause: No space left on device \(os error 28\)"
GONE = r"Cause: The current directory does not exist any more\n"
LARGE = r"File too large \(os error 27\)"
MEMORY = "Cause: There is not enough memory|cannot be loaded"
FINDING = "PNC101.*Found 1 error"
REMOVED = "mkdir g; cd g; rmdir ../g; "
BUSY = "until read -r -n1 < /proc/$!/task/$!/children; do sleep .01; done; "
"""Until the linter in the background has workers."""
ENDED = "wait $! 2>/dev/null; code=$?; while kill -0 -- -$! 2>/dev/null; do sleep .01; done; exit $code"
"""Until it and all its workers have ended."""
STREAMS = [
    *(Row(f"$LINT {command} <in.py >/dev/full", 2, "", FULL) for command in (*COMMANDS,)[:4] if command != "fix -"),
    Row("$LINT fix - <in.py >/dev/full", 2, "", FULL),
    Row("$LINT check --diff a.py >/dev/full", 2, "", FULL),
    *(
        Row(f"$LINT {command} >/dev/full", 2, "", FULL)
        for command in ("rule --all", "config", "version", "--version", "--help")
    ),
    Row("$LINT vendor copied >/dev/full", 2, "", FULL, ruff=False),
    Row("$LINT check a.py 2>/dev/full", 1, FINDING),
    Row("$LINT check nothing 2>/dev/full", 1, "io-error|E902"),
    Row("$LINT check --select NOTHING a.py 2>/dev/full", 2, ""),
    Row("$LINT check a.py >/dev/full 2>&1", 2, ""),
    Row("$LINT check a.py >&$BROKEN", 141, ""),
    Row("$LINT check --diff a.py >&$BROKEN", 141, ""),
    Row("$LINT fix - <in.py >&$BROKEN", 141, ""),
    Row("$LINT rule --all >&$BROKEN", 141, ""),
    Row("$LINT version >&$BROKEN", 141, ""),
    Row("$LINT check a.py 2>&$BROKEN", 1, FINDING),
    Row("$LINT check --diff a.py 2>&$BROKEN", 1, "create_task"),
    Row("$LINT check a.py >&$BROKEN 2>&$BROKEN", 141, ""),
    Row("trap '' PIPE; $LINT check a.py >&$BROKEN", 141, ""),
    Row("trap - PIPE; $LINT check a.py >&$BROKEN", 141, ""),
    Row("$LINT check a.py 1<a.py", 2, "", r"Cause: Bad file descriptor \(os error 9\)"),
    Row("$LINT check - 0>/dev/null", 2, "", r"Cause: (Bad file descriptor|not readable)"),
    Row("$LINT check a.py --output-file /dev/full", 2, "", r"Cause: /dev/full: No space left on device"),
]
DIRECTORIES = [
    *(
        Row(f"{REMOVED}$LINT {command} </dev/null", 2, "", GONE)
        for command in ("check .", "check -", "check ../a.py", "fix .", "check --diff .", "clean")
    ),
    Row(f"{REMOVED}$LINT vendor copied", 2, "", GONE, ruff=False),
    *(
        Row(f"{REMOVED}$LINT {command} </dev/null", code, out)
        for command, (code, out, _) in COMMANDS.items()
        if command in ("rule PNC101", "config", "version", "--help", "server")
    ),
    Row(f"chmod 755 .; mkdir g; chmod 700 g; cd g; cp ../a.py .; {AS_NOBODY}$LINT check .", 0, "All checks passed",
        "Failed to read", needs=f"{AS_NOBODY}$LINT version"),
    Row(f"chmod 755 .; {AS_NOBODY}$LINT check a.py; code=$?; ls -A; exit $code", 1, FINDING,
        needs=f"{AS_NOBODY}$LINT version"),
    Row(f"chmod 755 .; {AS_NOBODY}$LINT fix a.py; code=$?; cmp a.py in.py && exit $code", 1, "io-error|Permission",
        ".*", needs=f"{AS_NOBODY}$LINT version"),
    Row(WITH_MOUNTS + "'mkdir m; mount -t tmpfs -o size=64k none m; cp a.py m; dd if=/dev/zero of=m/z bs=4k "
        "2>/dev/null; $LINT check m/a.py --cache-dir m/c'", 1, FINDING,
        needs=WITH_MOUNTS + "'mount -t tmpfs none /mnt'"),
    Row(WITH_MOUNTS + "'mkdir m; cp a.py m; mount --bind m m; mount -o remount,ro,bind m; cd m; $LINT check a.py'", 1,
        FINDING, needs=WITH_MOUNTS + "'mount -t tmpfs none /mnt'"),
    Row(WITH_MOUNTS + "'mkdir m; cp a.py m; mount --bind m m; mount -o remount,ro,bind m; cd m; $LINT fix a.py'", 1,
        "io-error|Read-only", ".*", needs=WITH_MOUNTS + "'mount -t tmpfs none /mnt'"),
]  # fmt: skip
LIMITS = [
    *(Row(f"ulimit -n {n}; $LINT check --no-cache $MANY", 1, FINDING) for n in (6, 7, 8, 9, 10, 12, 15, 20, 30)),
    Row("ulimit -n 6; cp $MANY/0.py b.py; $LINT fix b.py", 0, "1 fixed"),
    Row("ulimit -n 10; $LINT fix --no-cache --diff $MANY", 1, "SafeGo.*Would fix 1 error"),
    Row("ulimit -u 1; $LINT check --no-cache $MANY", 1, FINDING),
    Row(f"chmod 755 .; ulimit -u 1; exec {AS_NOBODY}$LINT check --no-cache $MANY", 1, FINDING,
        needs=f"{AS_NOBODY}$LINT version"),
    Row(WITH_MOUNTS + "'mount -t tmpfs -o ro none /dev/shm; $LINT check --no-cache $MANY'", 1, FINDING,
        needs=WITH_MOUNTS + "'mount -t tmpfs none /mnt'"),
    Row("ulimit -f 0; $LINT check --no-cache $MANY", 1, FINDING),
    Row("ulimit -f 0; $LINT check a.py", 1, FINDING),
    Row("(ulimit -f 0; $LINT fix a.py); code=$?; cmp a.py in.py && exit $code", 1, LARGE),
    Row("(ulimit -f 0; $LINT check a.py --output-file report)", 2, "", f"Cause: report: {LARGE}"),
    Row("(ulimit -f 0; $LINT check a.py >report)", 2, "", f"Cause: {LARGE}"),
    Row("(ulimit -f 0; $LINT check a.py 2>report)", 1, FINDING),
    Row("for i in {1..30}; do echo '# line'; done >b; cat b in.py b b b b b b >a.py; cp a.py in.py; (ulimit -f 1; "
        "$LINT fix a.py --output-file report); code=$?; cmp a.py in.py && cat report && exit $code", 1, LARGE),
    Row("ulimit -v 1000000; $LINT check --no-cache $MANY", 1, FINDING),
    Row("ulimit -v 1000000; $LINT check a.py --baseline /dev/zero", 2, "", "Cause: ", ruff=False),
    Row("ulimit -s 256; $LINT check --no-cache $MANY", 1, FINDING),
    Row("ulimit -t 100; $LINT check a.py", 1, FINDING),
]  # fmt: skip
SURROUNDINGS = [
    Row("env -u HOME $LINT check a.py", 1, FINDING),
    Row("HOME=/dev/null $LINT check a.py", 1, FINDING),
    Row("HOME=nowhere/at/all $LINT check a.py", 1, FINDING),
    Row("mkdir h; chmod 700 h; chmod 755 .; HOME=$PWD/h " + AS_NOBODY + "$LINT check a.py", 1, FINDING,
        needs=f"{AS_NOBODY}$LINT version"),
    Row("TMPDIR=/nowhere $LINT check --no-cache $MANY", 1, FINDING),
    Row("env -u TERM $LINT check a.py", 1, FINDING),
    Row("env -i $LINT check a.py", 1, FINDING),
    Row("LC_ALL=C LANG=C $LINT check ä.py", 1, "PNC101.*ä"),
    Row("PYTHONIOENCODING=ascii $LINT check ä.py", 1, "PNC101.*e4"),
    Row("LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0 $LINT check ä.py", 1, "PNC101"),
    Row("LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0 $LINT check ä.py --output-format json", 1, "PNC101"),
    Row("LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0 $LINT fix - < ä.py | grep ü", 0, "ü", "1 fixed"),
]  # fmt: skip
SIGNALS = [
    Row(f"set -m; $LINT check --no-cache $SLOW & {BUSY}kill -{name} $!; {ENDED}", code, "", r"\s*", ruff=False)
    for name, code in (("INT", 130), ("TERM", 143), ("HUP", 129))
]
TABLES = {
    "Closed streams": closed_rows(),
    "Full and broken streams": STREAMS,
    "Directories": DIRECTORIES,
    "Limits": LIMITS,
    "Surroundings": SURROUNDINGS,
    "Signals": SIGNALS,
}


def make_many(folder: Path) -> dict[str, str]:
    """A directory of many files, one of them with a finding, and one that takes long; the variables that name them."""
    many, slow = folder / "many", folder / "slow"
    slow.mkdir()
    for number in range(MANY):
        path = many / f"{number % 10}" / f"{number}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"x = {number}\n")
    (many / "0.py").write_text(BARE)
    for number in range(260):
        (slow / f"{number}.py").write_text(BARE * 100)
    folder.chmod(0o755)
    return {"MANY": str(many), "SLOW": str(slow)}


def run(row: Row, folder: Path, variables: dict[str, str], program: str = "ours") -> Ran:
    """The outcome of a row in an empty directory."""
    for name in ("a.py", "in.py"):
        (folder / name).write_text(BARE)
    (folder / "ä.py").write_text(BARE.replace("f(x)", "ü(x)").replace("g(x)", 'g("ä")'))
    reader, broken = os.pipe()
    os.close(reader)
    script = row.script
    if program == "ruff":
        script = script.replace("$LINT fix", "$LINT check --fix").replace("PNC101", "F401").replace("baseline", "lint")
    env = {key: value for key, value in os.environ.items() if key not in ("FORCE_COLOR", "NO_COLOR")}
    try:
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=folder,
            env={**env, **variables, "LINT": PROGRAMS[program], "BROKEN": str(broken)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            pass_fds=(broken,) if "$BROKEN" in script else (),
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
            check=False,
        )
    finally:
        os.close(broken)
    out, err = (stream.decode(errors="replace") for stream in (done.stdout, done.stderr))
    return Ran(done.returncode, out, err, (folder / "a.py").read_text(), (folder / "in.py").read_text())


def can(row: Row, folder: Path) -> bool:
    """Whether the environment of a row can be made on this system, by this user."""
    if row.needs == "true":
        return True
    env = {**os.environ, "LINT": PROGRAMS["ours"]}
    done = subprocess.run(["bash", "-c", row.needs], cwd=folder, env=env, capture_output=True, check=False)
    return done.returncode == 0


@pytest.fixture(scope="module")
def outcomes(request: pytest.FixtureRequest) -> Iterator[dict[Row, Future[Ran | None]]]:
    """The outcome of each row, as many at once as there are processors; None if its environment cannot be made."""
    rows = [item.callspec.params["row"] for item in request.session.items if item.name.startswith("test_starved[")]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as executor:
        variables = make_many(Path(folder))

        def outcome(row: Row) -> Ran | None:
            own = Path(tempfile.mkdtemp(dir=folder))
            return run(row, own, variables) if can(row, own) else None

        yield {row: executor.submit(outcome, row) for row in dict.fromkeys(rows)}
        executor.shutdown(cancel_futures=True)


@pytest.mark.parametrize("row", [row for rows in TABLES.values() for row in rows], ids=lambda row: row.script)
def test_starved(row: Row, outcomes: dict[Row, Future[Ran | None]]) -> None:
    ran = outcomes[row].result()
    if ran is None:
        pytest.skip(f"cannot be made here: {row.needs}")
    assert ran.code == row.code, ran
    for printed, pattern in ((ran.out, row.out), (ran.err, row.err)):
        assert "bug" not in printed
        assert "Traceback" not in printed
        assert re.search(pattern, printed, re.DOTALL) if pattern else not printed, ran
    assert ran.source == ran.original or (ran.source == FIXED and "fix a.py" in row.script)


def print_tables() -> None:
    with tempfile.TemporaryDirectory() as folder:
        variables = make_many(Path(folder))
        for title, rows in TABLES.items():
            print(f"\n### {title}\n\n| command | exit code | printed | Ruff | printed |\n|---|---|---|---|---|")
            for row in rows:
                cells = [f"`{row.script}`".replace("|", "\\|")]
                for program in PROGRAMS:
                    own = Path(tempfile.mkdtemp(dir=folder))
                    if not can(row, own):
                        cells += ["", "(not here)"]
                    elif program == "ruff" and not row.ruff:
                        cells += ["", ""]
                    else:
                        ran = run(row, own, variables, program)
                        cells += [str(ran.code), _shown(ran)]
                    shutil.rmtree(own)
                print("|", " | ".join(cells), "|", flush=True)


def _shown(ran: Ran) -> str:
    """The first words of each stream."""
    parts = []
    for name, text in (("out", ran.out), ("err", ran.err)):
        if text.strip():
            words = " ".join(text.replace("|", "").split())
            parts.append(f"{name}: {words[:90]}{'...' if words[90:] else ''}".replace("`", "'"))
    return "; ".join(parts) or "nothing"


if __name__ == "__main__":
    print_tables()
