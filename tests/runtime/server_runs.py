"""Runs the services of `server_programs.py`, and says what became of their work."""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import subprocess
import time
from typing import TYPE_CHECKING, NamedTuple

from runtime_programs import IMPORT, PACKAGE
from server_programs import WORK, Program

if TYPE_CHECKING:
    from pathlib import Path


class Ended(NamedTuple):
    """What became of it."""

    status: int | str
    said: list[str]
    """The lines of the work."""
    text: str
    """All that it wrote, in order."""


def run(program: Program, python: str, folder: Path, way: str, seconds: float = 20) -> Ended:
    """Start it, send it signals once its work runs, and wait for its end.

    `way`: SIGTERM or SIGINT, which all work heeds; `cut`: a SIGTERM that no work heeds; `twice`: the same, and again
    while the work is waited for.
    """
    for file, text in (("work.py", WORK), ("app.py", program.app), ("gunicorn.conf.py", program.config)):
        (folder / file).write_text(IMPORT.sub(rf"\1 {PACKAGE.name}", text), "utf-8")
    env = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((str(PACKAGE.parent), str(folder))),
        "PYTHONDONTWRITEBYTECODE": "1",
        "MODE": "heedful" if way.startswith("SIG") else "stubborn",
        "TIMEOUT": "0.2" if way == "cut" else "30",
    }
    command = program.command
    if way == "cut":
        command = command.replace("--graceful-timeout 30", "--graceful-timeout 3")
    if program.socket:
        env["SOCKET"] = str(folder / "s.sock")
    process = subprocess.Popen(
        command.replace("python", python, 1).split(),
        cwd=folder,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert process.stdout is not None
    until = time.monotonic() + seconds
    text = ""
    status: int | str = "hangs"
    worker = 0
    sent = 0.0
    try:
        while time.monotonic() < until:
            if select.select([process.stdout], [], [], 0.1)[0]:
                got = os.read(process.stdout.fileno(), 65536).decode("utf-8", "replace")
                if not got:
                    status = process.wait(max(until - time.monotonic(), 0.1))
                    break
                text += got
            ready = re.search(r"^ready (\d+)$", text, re.MULTILINE)
            if ready and not sent:
                sent, worker = time.monotonic(), int(ready[1])
                process.send_signal(signal.SIGINT if way == "SIGINT" else signal.SIGTERM)
            # Within a second it is the same request. Then again and again, as who waits for it does.
            if way == "twice" and sent and time.monotonic() > sent + 1.2 and re.search(r"^told$", text, re.MULTILINE):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(worker if program.to_worker else process.pid, signal.SIGTERM)
    except subprocess.TimeoutExpired:
        pass
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
    kinds = r"^((?:task|thread|job) (?:told|finally)|queued (?:ran|cancelled))$"
    return Ended(status, re.findall(kinds, text, re.MULTILINE), text)


def told_and_joined(program: Program, way: str, ended: Ended) -> list[str]:
    """Work that ends when it is told to has ended, and the exit status is the one of a good end."""
    tasks = ["task finally", "task told"] if program.task else []
    status = program.interrupted if way == "SIGINT" else program.status
    return _said(ended, ["job told", "queued ran", *tasks, "thread told"]) + _exited(ended, status)


def cut_off(program: Program, way: str, ended: Ended) -> list[str]:
    """Work that does not end is cut off if that is possible; the last line says so, and the exit status."""
    found = _said(ended, ["job told", "queued cancelled", *(["task finally"] if program.task else [])])
    last = ended.text.rpartition("shutdown: ")[2].partition("\n")[0]
    if "1 still running (work/thread)" not in last or "work/queued" not in last:
        found.append("the last line does not say what was cut")
    return found + _exited(ended, program.cut)


def named_before(program: Program, way: str, ended: Ended) -> list[str]:
    """What is cut off was named before that, with its place."""
    before, _, after = ended.text.partition("shutdown: unfinished after ")
    line = after.partition("\n")[0]
    at = " at work.py" if program.places else ""
    named = [f"thread work/thread{at}", f"job work/job{at}", "job work/queued, not begun"]
    named += ["task work/task at work.py"] if program.task else []
    found = [f"not named: {what}" for what in named if what not in line]
    return found + [
        f"cut off before it is named: {end}" for end in ("queued cancelled", "task finally") if end in before
    ]


def ended_by_the_second(program: Program, way: str, ended: Ended) -> list[str]:
    """The second signal is the end, with a status of its own, and says what is not waited for."""
    line = ended.text.rpartition("SIGTERM again: no longer waited for: ")[2].partition("\n")[0]
    found = []
    if f"job work/job{' at work.py' if program.places else ''}" not in line or not line.endswith("; exit status 143"):
        found.append("the second signal does not say what is cut")
    # That of the process that works: its server has one of its own.
    if program.to_worker:
        return found + (["it hangs"] if ended.status == "hangs" else [])
    return found + _exited(ended, 143)


def _said(ended: Ended, expected: list[str]) -> list[str]:
    return [] if sorted(ended.said) == expected else [f"the work said {ended.said}, not {expected}"]


def _exited(ended: Ended, status: int) -> list[str]:
    return [] if ended.status == status else [f"exit status {ended.status}, not {status}"]


CHECKS = {
    "SIGTERM": (told_and_joined,),
    "SIGINT": (told_and_joined,),
    "cut": (cut_off, named_before),
    "twice": (ended_by_the_second,),
}


def available(python: str, needs: str) -> bool:
    """Whether `python` has all of these modules."""
    code = f"import importlib.util, sys; sys.exit(not all(map(importlib.util.find_spec, {needs.split()!r})))"
    return subprocess.run([python, "-c", code], check=False).returncode == 0
