"""What a keystroke costs: from the change that a client sends to the diagnostics that it gets, over the real pipes.

    python tests/bench_lsp.py [keystrokes]

The debounce of the server is taken off; it is on purpose.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "lsp"))

from client import Client
from panicguard_lsp.sync import DEBOUNCE

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


def program(lines: int, spawns: int) -> str:
    """A module of so many lines, with its spawns spread over it."""
    others = (lines - 4 - 8 * spawns) // 20
    blocks = [OTHER.format(n=n) for n in range(others)]
    for n in range(spawns):
        blocks.insert((n + 1) * len(blocks) // (spawns + 1), SPAWN.format(n=n))
    text = "import asyncio\n\n\n" + "\n\n".join(blocks)
    return text + "#\n" * (lines - text.count("\n"))


def measure(lines: int, spawns: int, keystrokes: int) -> list[float]:
    """The seconds of each keystroke beyond the debounce, in ascending order."""
    seconds = []
    with tempfile.TemporaryDirectory() as directory, Client(Path(directory)) as client:
        client.initialize()
        uri = client.open("big.py", program(lines, spawns))
        assert len(client.published(uri)) == spawns
        for n in range(keystrokes):
            where = {"line": lines // 2, "character": 0}
            started = time.perf_counter()
            client.change(uri, n + 2, {"range": {"start": where, "end": where}, "text": "#x\n" if n % 2 else "#"})
            note = client.wait("textDocument/publishDiagnostics")
            assert len(note["params"]["diagnostics"]) == spawns
            seconds.append(note["at"] - started - DEBOUNCE)
        client.quit()
    return sorted(seconds)


def main() -> None:
    keystrokes = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    print(f"debounce {1000 * DEBOUNCE:.0f} ms, {keystrokes} keystrokes; milliseconds beyond the debounce")
    print(f"{'lines':>6} {'spawns':>6} {'p50':>6} {'p95':>6} {'p99':>6}")
    for lines, spawns in ((300, 3), (5_000, 20)):
        seconds = measure(lines, spawns, keystrokes)
        shares = (1000 * seconds[min(len(seconds) - 1, int(share * len(seconds)))] for share in (0.5, 0.95, 0.99))
        print(f"{lines:>6} {spawns:>6}", *(f"{ms:>6.1f}" for ms in shares))


if __name__ == "__main__":
    main()
