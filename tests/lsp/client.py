"""A language client for tests: raw messages over the pipes of a real server, each checked against the protocol."""

from __future__ import annotations

import collections
import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from lsprotocol.converters import get_converter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Message = dict[str, Any]
CONVERTER = get_converter()
PANICGUARD = (sys.executable, "-m", "panicguard", "server")
RUFF = (str(Path(sys.executable).parent / "ruff"), "server")
SECONDS = 30.0
"""Seconds after which a message is taken not to come."""
ABILITIES: Message = {
    "general": {"positionEncodings": ["utf-16"]},
    "workspace": {"workspaceEdit": {"documentChanges": True}, "applyEdit": True},
    "textDocument": {"codeAction": {"dataSupport": True, "resolveSupport": {"properties": ["edit"]}}},
    "window": {"workDoneProgress": True},
}


class Client:
    """A server and the messages to and from it. Requests of the server are answered with null, or from `replies`."""

    def __init__(self, root: Path, command: Sequence[str] = PANICGUARD, **environment: str) -> None:
        self.root = root
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=root, env={**os.environ, **environment}
        )
        self.notes: list[Message] = []
        """Notifications and requests of the server, as they came."""
        self.replies: dict[str, Any] = {}
        self.asked = 0
        self._methods: dict[Any, str] = {}
        self.answered: dict[Any, Message] = {}
        self._incoming: queue.Queue[Message | None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        stream = self.process.stdout
        assert stream is not None
        while header := stream.readline():
            length = int(header.split(b":")[1])
            while stream.readline().strip():
                pass
            message = json.loads(stream.read(length))
            message["at"] = time.perf_counter()
            self._incoming.put(message)
        self._incoming.put(None)

    # Out

    def raw(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def body(self, body: bytes) -> None:
        self.raw(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))

    def send(self, **message: Any) -> None:
        self.body(json.dumps({"jsonrpc": "2.0", **message}).encode())

    def notify(self, method: str, params: Any = None) -> None:
        self.send(method=method, params=params)

    def ask(self, method: str, params: Any = None) -> int:
        """The id of a request that is sent."""
        self.asked += 1
        self._methods[self.asked] = method
        self.send(id=self.asked, method=method, params=params)
        return self.asked

    # In

    def take(self, seconds: float = SECONDS) -> bool:
        """Take the next message in; whether there is one."""
        try:
            message = self._incoming.get(timeout=seconds)
        except queue.Empty:
            return False
        if message is None:
            raise EOFError(f"the server is gone: {self.process.wait()}")
        method = message.get("method") or self._methods.get(message["id"])
        # lsprotocol cannot read the notebook selector of an `initialize`.
        if "error" not in message and method in types.METHOD_TO_TYPES and method != "initialize":
            CONVERTER.structure(message, types.METHOD_TO_TYPES[method]["method" not in message])
        if "method" in message:
            self.notes.append(message)
            if "id" in message:
                self.send(id=message["id"], result=self.replies.get(message["method"]))
        else:
            self.answered[message["id"]] = message
        return True

    def answer(self, asked: Any, seconds: float = SECONDS) -> Message:
        """The answer to a request, an error included."""
        end = time.monotonic() + seconds
        while asked not in self.answered:
            if not self.take(max(0.0, end - time.monotonic())):
                raise TimeoutError(f"no answer to {asked}")
        return self.answered.pop(asked)

    def request(self, method: str, params: Any = None, seconds: float = SECONDS) -> Any:
        """The result of a request."""
        answer = self.answer(self.ask(method, params), seconds)
        assert "error" not in answer, answer
        return answer["result"]

    def error(self, method: str, params: Any = None) -> int:
        """The code of the error that a request results in."""
        code = self.answer(self.ask(method, params))["error"]["code"]
        assert isinstance(code, int)
        return code

    def wait(
        self, method: str, wanted: Callable[[Message], bool] = lambda _: True, seconds: float = SECONDS
    ) -> Message:
        """The first notification or request of a method that is wanted; it and all before it are forgotten."""
        end = time.monotonic() + seconds
        at = 0
        while True:
            for index in range(at, len(self.notes)):
                note = self.notes[index]
                if note["method"] == method and wanted(note.get("params")):
                    del self.notes[: index + 1]
                    return note
            at = len(self.notes)
            if not self.take(max(0.0, end - time.monotonic())):
                raise TimeoutError(f"no {method}; there were {collections.Counter(n['method'] for n in self.notes)}")

    def settle(self, method: str = "x/unknown") -> None:
        """Return when the server has read all that was sent."""
        self.answer(self.ask(method))

    # What every session does

    def uri(self, name: str) -> str:
        return (self.root / name).as_uri()

    def initialize(self, abilities: Message | None = None, **params: Any) -> Any:
        folders = [{"uri": self.root.as_uri(), "name": self.root.name}]
        result = self.request(
            "initialize",
            {"processId": None, "rootUri": self.root.as_uri(), "workspaceFolders": folders}
            | {"capabilities": ABILITIES if abilities is None else abilities}
            | params,
        )
        self.notify("initialized", {})
        return result

    def open(self, name: str, text: str, version: int = 1, language: str = "python") -> str:
        uri = self.uri(name)
        item = {"uri": uri, "languageId": language, "version": version, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": item})
        return uri

    def change(self, uri: str, version: int, *changes: Message) -> None:
        document = {"uri": uri, "version": version}
        self.notify("textDocument/didChange", {"textDocument": document, "contentChanges": list(changes)})

    def published(self, uri: str, version: int | None = None) -> list[Message]:
        """The next diagnostics that are pushed for a text, of a version if one is named."""
        note = self.wait(
            "textDocument/publishDiagnostics",
            lambda params: params["uri"] == uri and version in (None, params.get("version")),
        )
        found: list[Message] = note["params"]["diagnostics"]
        return found

    def actions(self, uri: str, diagnostics: Sequence[Message], only: Sequence[str] | None = None) -> list[Message]:
        whole = {"start": {"line": 0, "character": 0}, "end": {"line": 10_000, "character": 0}}
        context = {"diagnostics": diagnostics} | ({} if only is None else {"only": only})
        params = {"textDocument": {"uri": uri}, "range": whole, "context": context}
        found: list[Message] = self.request("textDocument/codeAction", params)
        return found

    def quit(self) -> int:
        """Shut the server down; its exit code."""
        assert self.request("shutdown") is None
        self.notify("exit")
        return self.process.wait(SECONDS)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            with contextlib.suppress(OSError):
                stream.close()


def edited(text: str, edits: Sequence[Message]) -> str:
    """A text without characters beyond the BMP after the protocol's edits."""
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)

    def offset(place: Message) -> int:
        return min(int(starts[min(place["line"], len(lines))]) + int(place["character"]), len(text))

    for edit in sorted(edits, key=lambda edit: offset(edit["range"]["start"]), reverse=True):
        text = text[: offset(edit["range"]["start"])] + edit["newText"] + text[offset(edit["range"]["end"]) :]
    return text
