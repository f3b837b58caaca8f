"""What a keystroke costs: from the change that a client sends to the diagnostics that it gets, over the real pipes.

    python tests/bench_lsp.py [KEYSTROKES] [--workspace DIRECTORY]

The debounce of the server is subtracted, because it is deliberate. With a directory, also how long the server takes to
answer while it checks all that is in it. Memory is that of the server and its workers together (Linux).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent / "lsp"))

from client import Client
from panicguard_lsp.handlers.sync import DEBOUNCE

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


def measure(language: str, lines: int, spawns: int, keystrokes: int) -> tuple[list[float], list[int]]:
    """The seconds of each keystroke beyond the debounce, in ascending order; memory in MB at both ends."""
    seconds, its = [], LANGUAGES[language]
    with tempfile.TemporaryDirectory() as directory, Client(Path(directory)) as client:
        (Path(directory) / "panicguard.toml").write_text('go-runtime = "example.test/app/mruntime"\n')
        client.initialize()
        uri = client.open(f"big{its.suffix}", program(language, lines, spawns), language=language)
        assert len(client.published(uri)) == spawns
        used = [memory(client)]
        for n in range(keystrokes):
            where = {"line": lines // 2, "character": len(its.comment) if n % 2 else 0}
            change = {"range": {"start": where, "end": where}, "text": "x" if n % 2 else f"{its.comment}\n"}
            started = time.perf_counter()
            client.change(uri, n + 2, change)
            note = client.wait("textDocument/publishDiagnostics")
            assert len(note["params"]["diagnostics"]) == spawns
            seconds.append(note["at"] - started - DEBOUNCE)
        used.append(memory(client))
        client.quit()
    return sorted(seconds), used


def memory(client: Client) -> int:
    """What the server and the processes below it hold, in MB; 0 if the system does not tell."""
    pids, kilobytes = [client.process.pid], 0
    for pid in pids:
        try:
            pids += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
            status = Path(f"/proc/{pid}/status").read_text()
        except OSError:
            continue
        kilobytes += sum(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
    return kilobytes // 1024


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


def shares(seconds: list[float]) -> str:
    """Percentiles in milliseconds."""
    found = (1000 * seconds[min(len(seconds) - 1, int(share * len(seconds)))] for share in (0.5, 0.95, 0.99))
    return " ".join(f"{ms:>6.1f}" for ms in found)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("keystrokes", type=int, nargs="?", default=100)
    parser.add_argument("--workspace", type=Path)
    its = parser.parse_args()
    print(f"debounce {1000 * DEBOUNCE:.0f} ms, {its.keystrokes} keystrokes; milliseconds beyond the debounce")
    print(f"{'':<6} {'lines':>6} {'spawns':>6} {'p50':>6} {'p95':>6} {'p99':>6}  memory before and after")
    for language in LANGUAGES:
        for lines, spawns in ((300, 3), (5_000, 20)):
            seconds, (before, after) = measure(language, lines, spawns, its.keystrokes)
            print(f"{language:<6} {lines:>6} {spawns:>6} {shares(seconds)}  {before} MB, {after} MB")
    if its.workspace is not None:
        seconds, files, took = answers(its.workspace.absolute())
        print(f"{files} files checked in {took:.1f} s; {len(seconds)} answers meanwhile: {shares(seconds)} ms")


if __name__ == "__main__":
    main()
