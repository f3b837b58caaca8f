"""What a keystroke costs: from the change that a client sends to the diagnostics that it gets, over the real pipes.

    python tests/bench_lsp.py [KEYSTROKES] [--beside CHECKOUT] [--workspace DIRECTORY]

The debounce of the server is subtracted, because it is deliberate. Beside the present server runs, in turns, that of
the commit that the targets are relative to: CHECKOUT, or one that is made. With a directory, also how long the present
one takes to answer while it checks all that is in it. Memory is that of the server and its workers together (Linux).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

sys.path.insert(0, str(Path(__file__).parent / "lsp"))

from client import Client
from peak import below, pss
from turns import Target, sides, verdicts

if TYPE_CHECKING:
    from collections.abc import Mapping

SESSIONS = 3
"""Of each side; the keystrokes are shared out among them."""
MOST = {"python": 20.0, "go": 15.0}
"""Milliseconds of the 95th percentile in the long file."""
TELL = """
try:
    from panicguard_lsp.handlers import sync
except ImportError:
    from panicguard_lsp import sync
print(sync.DEBOUNCE)
"""
"""The module stood elsewhere at that commit."""

HEAD = "import asyncio\n\n\n"
SPAWN = """\
async def handle_{n}(queue, limit={n}):
    \"\"\"Serve what comes.\"\"\"
    async for item in queue:
        if item is None or item.size > limit:
            continue
        asyncio.create_task(deliver(item))
"""
OTHER = """\
def parse_{n}(text, *, strict=False):
    \"\"\"The fields of a line.\"\"\"
    fields = {{}}
    for part in text.split(";"):
        name, _, value = part.partition("=")
        if strict and not name.isidentifier():
            raise ValueError(f"not a name: {{name!r}}")
        fields[name.strip()] = value.strip() or None
    return fields


class Record{n}:
    def __init__(self, fields):
        self.fields = dict(fields)

    def get(self, name, default=None):
        return self.fields.get(name, default)
"""
GO_HEAD = """\
package main

import (
	"fmt"
	"strings"
)


"""
GO_SPAWN = """\
// Handle{n} serves what comes.
func Handle{n}(queue chan Item, limit int) {{
	for item := range queue {{
		if item.Size > limit {{
			continue
		}}
		go deliver(item, limit)
	}}
}}
"""
GO_OTHER = """\
// Parse{n} returns the fields of a line.
func Parse{n}(text string, strict bool) (map[string]string, error) {{
	fields := make(map[string]string)
	for _, part := range strings.Split(text, ";") {{
		name, value, found := strings.Cut(part, "=")
		if strict && !found {{
			return nil, fmt.Errorf("not a field: %q", part)
		}}
		fields[strings.TrimSpace(name)] = strings.TrimSpace(value)
	}}
	return fields, nil
}}


type Record{n} struct {{
	fields map[string]string
}}

func (r *Record{n}) Get(name string) string {{ return r.fields[name] }}
"""


class Language(NamedTuple):
    """What a program is made of: its head, a block with a spawn and one without, and a line of comment."""

    suffix: str
    head: str
    spawn: str
    other: str
    comment: str


LANGUAGES = {
    "python": Language(".py", HEAD, SPAWN, OTHER, "#"),
    "go": Language(".go", GO_HEAD, GO_SPAWN, GO_OTHER, "//"),
}


def program(language: str, lines: int, spawns: int) -> str:
    """A file of so many lines, with its spawns spread over it."""
    its = LANGUAGES[language]
    block, rest = its.other.count("\n") + 2, its.spawn.count("\n") + 2
    blocks = [its.other.format(n=n) for n in range((lines - its.head.count("\n") - rest * spawns) // block)]
    for n in range(spawns):
        blocks.insert((n + 1) * len(blocks) // (spawns + 1), its.spawn.format(n=n))
    text = its.head + "\n\n".join(blocks)
    return text + f"{its.comment}\n" * (lines - text.count("\n"))


class Session(NamedTuple):
    """What was measured at one server."""

    seconds: list[float]
    """Of each keystroke, beyond the debounce."""
    processor: float
    """Seconds that the server and its workers computed for a keystroke."""
    megabytes: tuple[int, int]
    """Before the first keystroke and after the last."""


def debounce(env: Mapping[str, str]) -> float:
    """The seconds that this server waits for more to be typed."""
    return float(subprocess.run([sys.executable, "-c", TELL], env=env, stdout=subprocess.PIPE, check=True).stdout)


def measure(language: str, lines: int, spawns: int, keystrokes: int, env: Mapping[str, str]) -> Session:
    """Type into one file, in one session."""
    seconds, its, waits = [], LANGUAGES[language], debounce(env)
    with tempfile.TemporaryDirectory() as directory, Client(Path(directory), **env) as client:
        (Path(directory) / "panicguard.toml").write_text('go-runtime = "example.test/app/mruntime"\n')
        client.initialize()
        uri = client.open(f"big{its.suffix}", program(language, lines, spawns), language=language)
        assert len(client.published(uri)) == spawns
        server = client.process.pid
        memory, computed = pss(server), processor(server)
        for n in range(keystrokes):
            where = {"line": lines // 2, "character": len(its.comment) if n % 2 else 0}
            change = {"range": {"start": where, "end": where}, "text": "x" if n % 2 else f"{its.comment}\n"}
            started = time.perf_counter()
            client.change(uri, n + 2, change)
            note = client.wait("textDocument/publishDiagnostics")
            assert len(note["params"]["diagnostics"]) == spawns
            seconds.append(note["at"] - started - waits)
        computed = (processor(server) - computed) / keystrokes
        memories = (memory // 1024, pss(server) // 1024)
        client.quit()
    return Session(seconds, computed, memories)


def processor(pid: int) -> float:
    """The seconds that a process and all below it have computed; 0 if the system does not tell."""
    ticks = 0
    for one in below(pid):
        try:
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def typing(language: str, lines: int, spawns: int, keystrokes: int, envs: Mapping[str, Mapping[str, str]]) -> float:
    """Print a row for each side; the 95th percentile of the present one in milliseconds."""
    sessions: dict[str, list[Session]] = {side: [] for side in envs}
    for _ in range(SESSIONS):
        for side, env in envs.items():
            sessions[side].append(measure(language, lines, spawns, max(keystrokes // SESSIONS, 1), env))
    for side, its in sessions.items():
        computed = 1000 * sum(one.processor for one in its) / SESSIONS
        before, after = (max(column) for column in zip(*(one.megabytes for one in its), strict=True))
        where = f"{side:<5} {language:<6} {lines:>6} {spawns:>6}"
        print(f"{where} {shares(pooled(its))} {computed:>9.1f}  {before} MB, {after} MB", flush=True)
    return 1000 * share(pooled(sessions["now"]), 0.95)


def pooled(sessions: list[Session]) -> list[float]:
    return sorted(seconds for one in sessions for seconds in one.seconds)


def answers(directory: Path) -> tuple[list[float], int, float]:
    """The seconds of each hover while a workspace is checked, the files of that, and how long it took."""
    seconds = []
    with Client(directory) as client:
        client.initialize()
        uri = client.open("bench_lsp_open.py", program("python", 300, 3))
        client.published(uri)
        where = {"textDocument": {"uri": uri}, "position": {"line": 3, "character": 9}}
        started = time.perf_counter()
        whole = client.ask("workspace/diagnostic", {"previousResultIds": []})
        while whole not in client.answered:
            asked = time.perf_counter()
            client.request("textDocument/hover", where)
            seconds.append(time.perf_counter() - asked)
        took = time.perf_counter() - started
        files = len(client.answer(whole)["result"]["items"])
        client.quit()
    return sorted(seconds), files, took


def share(seconds: list[float], of: float) -> float:
    return seconds[min(len(seconds) - 1, int(of * len(seconds)))]


def shares(seconds: list[float]) -> str:
    """Percentiles in milliseconds."""
    return " ".join(f"{1000 * share(seconds, of):>6.1f}" for of in (0.5, 0.95, 0.99))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("keystrokes", type=int, nargs="?", default=100)
    parser.add_argument("--beside", type=Path, metavar="CHECKOUT")
    parser.add_argument("--workspace", type=Path)
    its = parser.parse_args()
    targets = []
    with sides(its.beside) as envs:
        print(f"{its.keystrokes} keystrokes; milliseconds beyond the debounce, and of processor time for each")
        print(f"{'':<12} {'lines':>6} {'spawns':>6} {'p50':>6} {'p95':>6} {'p99':>6} {'processor':>9}  memory")
        for language in LANGUAGES:
            typing(language, 300, 3, its.keystrokes, envs)
            p95 = typing(language, 5_000, 20, its.keystrokes, envs)
            targets.append(Target(f"a keystroke in 5,000 lines of {language}, p95", p95, MOST[language], "ms"))
    if its.workspace is not None:
        seconds, files, took = answers(its.workspace.absolute())
        print(f"{files} files checked in {took:.1f} s; {len(seconds)} answers meanwhile: {shares(seconds)} ms")
    verdicts(targets)


if __name__ == "__main__":
    main()
