"""The server survives what clients, files and its own worker do to it."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from client import PANICGUARD, Client, Message
from panicguard_lsp.process import JobError, Worker

from panicguard.config import default
from panicguard.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SPAWN = "import asyncio\n\n\nasync def main(f):\n    asyncio.create_task(f())\n"
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
SOAK = os.environ.get("PANICGUARD_SOAK", "")
"""A seed, and long runs, if it is set."""
EDITS, MALFORMED = (10_000, 1_000) if SOAK else (500, 100)
BAD: Sequence[tuple[Any, int | None]] = (
    # What is sent, and the code of the error that answers it, if there is an answer.
    (b"", -32700),
    (b"{", -32700),
    (b"\xff\xfe", -32700),
    (b"[" * 100_000, -32700),
    ([], -32600),
    (None, -32600),
    ("text", -32600),
    ({}, -32600),
    ({"jsonrpc": "1.0", "id": 1, "method": "shutdown"}, -32600),
    ({"jsonrpc": "2.0", "id": {}, "method": "shutdown"}, -32600),
    ({"jsonrpc": "2.0", "id": "x"}, -32600),
    ({"jsonrpc": "2.0", "id": "x", "method": 5}, -32600),
    ({"jsonrpc": "2.0", "id": "x", "method": "initialize", "params": {"capabilities": {}}}, -32600),
    ({"jsonrpc": "2.0", "id": "x", "method": "textDocument/unknown"}, -32601),
    ({"jsonrpc": "2.0", "id": "x", "method": "textDocument/completion", "params": {}}, -32601),
    ({"jsonrpc": "2.0", "id": "x", "method": "textDocument/hover"}, -32602),
    ({"jsonrpc": "2.0", "id": "x", "method": "textDocument/hover", "params": "text"}, -32602),
    ({"jsonrpc": "2.0", "id": "x", "method": "textDocument/hover", "params": {"textDocument": 5}}, -32602),
    ({"jsonrpc": "2.0", "id": "x", "method": "textDocument/codeAction", "params": {"range": None}}, -32602),
    ({"jsonrpc": "2.0", "id": "x", "method": "codeAction/resolve", "params": {"title": "t", "data": 5}}, -32602),
    ({"jsonrpc": "2.0", "id": "x", "method": "workspace/executeCommand", "params": {"command": "rm"}}, -32602),
    (
        {
            "jsonrpc": "2.0",
            "id": "x",
            "method": "workspace/executeCommand",
            "params": {"command": "panicguard.applyAutofix", "arguments": [5]},
        },
        -32602,
    ),
    ({"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": {}}, None),
    ({"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": {"textDocument": {"uri": 5}}}, None),
    ({"jsonrpc": "2.0", "method": "textDocument/didChange", "params": []}, None),
    (
        {
            "jsonrpc": "2.0",
            "method": "textDocument/didChange",
            "params": {"textDocument": {"uri": "file:///nowhere.py", "version": 1}, "contentChanges": [{"text": ""}]},
        },
        None,
    ),
    (
        {"jsonrpc": "2.0", "method": "textDocument/didClose", "params": {"textDocument": {"uri": "file:///nowhere"}}},
        None,
    ),
    ({"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": "never sent"}}, None),
    ({"jsonrpc": "2.0", "method": "$/unknown"}, None),
    ({"jsonrpc": "2.0", "method": "workspace/didChangeConfiguration", "params": {"settings": 5}}, None),
    ({"jsonrpc": "2.0", "id": "never asked", "result": None}, None),
    ({"jsonrpc": "2.0", "id": "never asked", "error": {"code": 1, "message": ""}}, None),
)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with Client(tmp_path) as client:
        client.initialize()
        yield client


def send(client: Client, bad: Any) -> None:
    client.body(bad if isinstance(bad, bytes) else json.dumps(bad).encode())


def test_bad_messages_are_answered_or_forgotten(client: Client) -> None:
    for bad, code in BAD:
        send(client, bad)
        if code is not None:
            asked = bad.get("id") if isinstance(bad, dict) and not isinstance(bad.get("id"), dict) else None
            assert client.answer(asked)["error"]["code"] == code, bad
    assert client.published(client.open("a.py", SPAWN))
    assert client.quit() == 0


def test_noise_between_messages(client: Client) -> None:
    client.raw(
        b"noise\r\n\r\nContent-Length: x\r\n\r\nContent-Length: 99999999999\r\n\r\n\n\n" + b"x" * 200_000 + b"\n"
    )
    client.raw(b"Content-Length: 2\r\n\r\n{}and more than it said")
    assert client.answer(None)["error"]["code"] == -32600
    body = b'{"jsonrpc":"2.0","id":"low","method":"x"}'
    client.raw(b"content-type: x\r\ncontent-length:%d\r\n\r\n%b" % (len(body), body))
    assert client.answer("low")["error"]["code"] == -32601
    assert client.published(client.open("a.py", SPAWN))


def test_before_and_after(tmp_path: Path) -> None:
    with Client(tmp_path) as client:
        client.open("a.py", SPAWN)
        assert client.error("textDocument/hover", {}) == -32002
        assert client.error("shutdown") == -32002
        client.initialize()
        assert client.error("initialize", {"capabilities": {}, "processId": None, "rootUri": None}) == -32600
        client.request("shutdown")
        assert client.error("textDocument/hover", {}) == -32600
        client.notify("exit")
        assert client.process.wait(5) == 0
    with Client(tmp_path) as client:
        client.notify("exit")
        assert client.process.wait(5) == 1


def test_versions_need_not_make_sense(client: Client) -> None:
    uri = client.open("a.py", "x = 1\n", version=9)
    client.published(uri)
    for version in (3, 3, -1, 2_000_000_000, 0):
        client.change(uri, version, {"text": SPAWN})
        assert len(client.published(uri, version)) == 1
    client.open("a.py", "x = 1\n", version=0)
    assert client.published(uri, 0) == []


def test_a_file_that_goes_away(tmp_path: Path) -> None:
    root = tmp_path / "gone"
    root.mkdir()
    (root / "a.py").write_text(SPAWN)
    with Client(root) as client:
        client.initialize()
        uri = client.open("a.py", SPAWN)
        client.published(uri)
        (root / "a.py").unlink()
        root.rmdir()
        client.change(uri, 2, {"text": "\n" + SPAWN})
        assert client.published(uri, 2)[0]["range"]["start"]["line"] == 5
        assert client.request("workspace/diagnostic", {"previousResultIds": []})["items"] == []


@pytest.mark.parametrize(
    "text", ["x = '\ud800'\n", "\0", "\ufeff", "(" * 3000, "asyncio.create_task(" * 900, "# coding: x\n"]
)
def test_texts_that_are_none(client: Client, text: str) -> None:
    uri = client.open("a.py", text + SPAWN)
    for diagnostic in client.published(uri):
        assert diagnostic["code"] in ("PNC101", "invalid-syntax", "internal-error", "io-error")
    client.actions(uri, [])
    client.request("textDocument/hover", {"textDocument": {"uri": uri}, "position": {"line": 0, "character": 0}})
    client.change(uri, 2, {"text": SPAWN})
    assert len(client.published(uri, 2)) == 1


# The worker


def children(process: int) -> list[int]:
    listed = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [int(child) for child in listed]


def is_gone(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@LINUX
def test_a_worker_that_dies_costs_one_answer(client: Client) -> None:
    uri = client.open("a.py", SPAWN)
    client.published(uri)
    (worker,) = children(client.process.pid)
    os.kill(worker, signal.SIGSTOP)
    client.change(uri, 2, {"text": SPAWN})
    client.settle()
    time.sleep(0.2)  # the job is on its way to a worker that does not move
    os.kill(worker, signal.SIGSEGV)
    os.kill(worker, signal.SIGCONT)
    found = client.published(uri, 2)
    assert [d["message"] for d in found] == ["the linter crashed on this file (Segmentation fault)"]
    assert found[0]["code"] == "internal-error"
    client.change(uri, 3, {"text": SPAWN})
    assert [d["code"] for d in client.published(uri, 3)] == ["PNC101"]
    (other,) = children(client.process.pid)
    os.kill(other, signal.SIGKILL)
    client.change(uri, 4, {"text": SPAWN})
    assert [d["code"] for d in client.published(uri, 4)] == ["PNC101"]


@LINUX
def test_a_job_that_takes_too_long_is_stopped() -> None:
    async def run() -> None:
        worker = Worker(seconds=0.2)
        await worker.start()
        job = ("check", Source("a.py", SPAWN), default("/"))
        assert await worker.run(*job, size=10_000_000)
        stopped = children(os.getpid())[-1]
        os.kill(stopped, signal.SIGSTOP)
        with pytest.raises(JobError, match="took too long"):
            await worker.run(*job)
        assert is_gone(stopped)
        assert await worker.run(*job, size=10_000_000)
        with pytest.raises(JobError, match="KeyError"):
            await worker.run("no job")
        await worker.stop()

    asyncio.run(run())


@LINUX
@pytest.mark.parametrize("busy", [False, True])
def test_it_ends_with_its_client(tmp_path: Path, busy: bool) -> None:
    with Client(tmp_path) as client:
        client.initialize()
        uri = client.open("a.py", SPAWN)
        client.published(uri)
        (worker,) = children(client.process.pid)
        if busy:
            os.kill(worker, signal.SIGSTOP)
            client.change(uri, 2, {"text": SPAWN})
        assert client.process.stdin is not None
        client.process.stdin.close()
        client.process.wait(1)
        assert is_gone(worker)


@LINUX
def test_its_worker_ends_with_it(client: Client) -> None:
    client.published(client.open("a.py", SPAWN))
    (worker,) = children(client.process.pid)
    client.process.kill()
    client.process.wait()
    end = time.monotonic() + 5
    while not is_gone(worker):
        assert time.monotonic() < end
        time.sleep(0.02)


@LINUX
def test_it_ends_with_the_process_that_it_is_told_of(tmp_path: Path) -> None:
    editor = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with Client(tmp_path) as client:
        client.initialize(processId=editor.pid)
        client.settle()
        editor.kill()
        editor.wait()
        client.process.wait(1)


@pytest.mark.parametrize("command", [PANICGUARD, (str(Path(sys.executable).parent / "panicguard"), "server")])
def test_nothing_of_the_workspace_is_imported(tmp_path: Path, command: Sequence[str]) -> None:
    for name in "click libcst pygls lsprotocol attrs json pickle signal struct asyncio ahocorasick_rs".split():
        (tmp_path / f"{name}.py").write_text("open('imported', 'w').close()\n" + SPAWN)
    with Client(tmp_path, command) as client:
        client.initialize()
        assert len(client.published(client.open("a.py", SPAWN))) == 1
        assert len(client.request("workspace/diagnostic", {"previousResultIds": []})["items"]) == 11
        assert client.quit() == 0
    assert not (tmp_path / "imported").exists()


# All at once

LINES = (
    "import asyncio\n", "import threading\n", "async def f():\n", "def g():\n", "class C:\n", "    pass\n", "\n",
    "    asyncio.create_task(f())\n", "    t = asyncio.create_task(f())\n", "    await t\n", "asyncio.run(f())\n",
    "    threading.Thread(target=g).start()\n", "    x = 'é😀\u2028'\n", "\r\n",
    "    asyncio.create_task(f())  # noqa: PNC101\n",
    "    with open('a') as file:\n", "        asyncio.create_task(f())  # 😀\n", "# panicguard: ignore[PNC101]\n",
)  # fmt: skip
DAMAGE = ("(", ")", '"', "'", '"""', "\\\n", "😀", "\t", "#", "\f", "async", "=", " ", "")


def place(text: str, offset: int) -> Message:
    """The position of an offset in UTF-16."""
    before = text[:offset].replace("\r\n", "\n").replace("\r", "\n")
    column = before.rpartition("\n")[2]
    return {"line": before.count("\n"), "character": len(column.encode("utf-16-le")) // 2}


def change(text: str, chance: random.Random) -> tuple[str, Message]:
    """A text after a random edit, and the edit: a whole line mostly, sometimes something in the middle of one."""
    if chance.random() < 0.02:
        text = "".join(chance.choices(LINES, k=40))
        return text, {"text": text}
    if chance.random() < 0.8:
        starts = [0, *(i + 1 for i, char in enumerate(text) if char == "\n")]
        start = chance.choice(starts)
        end = chance.choice([start, text.find("\n", start) + 1 or start])
        new = chance.choice(LINES)
    else:
        start = chance.randrange(len(text) + 1)
        end = min(len(text), start + chance.randrange(3))
        new = chance.choice(DAMAGE)
        if "\r" in text[max(0, start - 1) : end + 1]:
            return text, {"range": {"start": place(text, start), "end": place(text, start)}, "text": ""}
    edit = {"range": {"start": place(text, start), "end": place(text, end)}, "text": new}
    return text[:start] + new + text[end:], edit


def checked(root: Path, text: str) -> list[tuple[Any, ...]]:
    """What `panicguard check` finds in a text, as `seen` has it."""
    command = (*PANICGUARD[:-1], "check", "-n", "--output-format", "json", "--stdin-filename", "a.py", "-")
    done = subprocess.run(command, cwd=root, input=text.encode(), capture_output=True, check=False)
    return [
        (
            d["code"],
            d["location"]["row"],
            d["location"]["column"],
            d["end_location"]["row"],
            d["end_location"]["column"],
        )
        for d in json.loads(done.stdout)
    ]


def seen(text: str, diagnostics: Sequence[Message]) -> list[tuple[Any, ...]]:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")

    def at(position: Message) -> tuple[int, int]:
        units = lines[position["line"]].encode("utf-16-le")[: 2 * position["character"]]
        return position["line"] + 1, len(units.decode("utf-16-le")) + 1

    return [(d["code"], *at(d["range"]["start"]), *at(d["range"]["end"])) for d in diagnostics]


def test_random_edits_and_bad_messages(client: Client) -> None:
    chance = random.Random(SOAK)
    text = "".join(chance.choices(LINES, k=40))
    uri = client.open("a.py", text)
    total = 0
    for version in range(2, EDITS + 2):
        edits = []
        for _ in range(chance.choice((1, 1, 1, 3))):
            text, edit = change(text, chance)
            edits.append(edit)
        client.change(uri, version, *edits)
        if chance.random() < MALFORMED / EDITS:
            send(client, chance.choice([bad for bad, _ in BAD if "didChangeConfiguration" not in str(bad)]))
        if version % 25 == 0:
            client.ask("textDocument/codeAction", {"textDocument": {"uri": uri}, "range": {}, "context": {}})
        if version % (EDITS // (40 if SOAK else 10)) == 0 or version == EDITS + 1:
            found = seen(text, client.published(uri, version))
            assert found == checked(client.root, text)
            total += len(found)
    assert total > 10
    assert client.quit() == 0
