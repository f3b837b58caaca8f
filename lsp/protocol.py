"""JSON-RPC messages: how they are read and written, and how malformed messages are rejected.

A message that is not JSON, that comes too early or too late or has the wrong shape is answered with an error if it is
a request, and ignored otherwise. It never ends the server.
"""

from __future__ import annotations

import json
import logging
import os
import re
import threading
from typing import TYPE_CHECKING, Any, BinaryIO

from pygls.protocol import LanguageServerProtocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
NOT_INITIALIZED = -32002
_LONGEST_HEADER = 1 << 16
_LONGEST = 1 << 30
_HEADER = re.compile(rb"content-length:[ \t]*(\d{1,11})[ \t]*\r?\Z", re.IGNORECASE)
"""Found also at the end of a line: what is before it may be the rest of a body that was longer than announced."""

log = logging.getLogger(__name__)


class Protocol(LanguageServerProtocol):
    """The protocol of pygls, except that every request is answered."""

    state = "new"
    """new (before `initialize`), running, or down (after `shutdown`)."""

    def receive(self, body: bytes) -> None:
        """Handle the body of a message."""
        try:
            message = json.loads(body)
        except (ValueError, RecursionError) as error:
            self.refuse(None, PARSE_ERROR, f"this is not JSON: {error}")
            return
        if not isinstance(message, dict):
            self.refuse(None, INVALID_REQUEST, "expected an object")
            return
        try:
            self._dispatch(message)
        except Exception:
            log.exception("A message could not be handled")

    def _dispatch(self, message: dict[str, Any]) -> None:
        request_id, method = message.get("id"), message.get("method")
        is_request = "id" in message and "method" in message
        if message.get("jsonrpc") != self.VERSION or not isinstance(request_id, (int, str, type(None))):
            known = request_id if isinstance(request_id, (int, str)) else None
            self.refuse(known, INVALID_REQUEST, "expected a message of JSON-RPC 2.0")
        elif "method" in message:
            refusal = self._refusal(method, message.get("params"))
            if refusal is None:
                self._handle(message, is_request=is_request)
            elif is_request:
                self.refuse(request_id, *refusal)
        elif "result" in message or "error" in message:
            self.handle_message(self.structure_message(message))
        elif "id" in message:
            self.refuse(request_id, INVALID_REQUEST, "expected a method")

    def _refusal(self, method: object, params: object) -> tuple[int, str] | None:
        """The code and message of the error if a request or notification cannot be handled now."""
        if not isinstance(method, str):
            return INVALID_REQUEST, "expected a string in `method`"
        if self.state == "new" and method not in ("initialize", "exit"):
            return NOT_INITIALIZED, "the server is not initialized"
        if self.state != "new" and method == "initialize":
            return INVALID_REQUEST, "the server is initialized already"
        if self.state == "down" and method != "exit":
            return INVALID_REQUEST, "the server is shut down"
        if method not in self.fm.features and method != "$/cancelRequest":
            return METHOD_NOT_FOUND, f"unknown method `{method}`"
        if params is not None and not isinstance(params, (dict, list)):
            return INVALID_PARAMS, "expected an object in `params`"
        return None

    def _handle(self, message: dict[str, Any], *, is_request: bool) -> None:
        try:
            structured = self.structure_message(message)
        except Exception:
            if is_request:
                self.refuse(message["id"], INVALID_PARAMS, f"the parameters do not fit `{message['method']}`")
            return
        self.handle_message(structured)

    def refuse(self, request_id: int | str | None, code: int, message: str) -> None:
        """Answer a request with an error."""
        self._send_data({"jsonrpc": self.VERSION, "id": request_id, "error": {"code": code, "message": message}})


def read(stream: int, loop: asyncio.AbstractEventLoop, receive: Callable[[bytes | None], None]) -> None:
    """Read messages from a file descriptor in a new thread. The event loop calls `receive` with the body of each, and
    with None at the end."""

    def reading() -> None:
        try:
            bodies = _Bodies(stream)
            while (body := bodies.next()) is not None:
                loop.call_soon_threadsafe(receive, body)
            loop.call_soon_threadsafe(receive, None)
        except Exception as error:
            log.debug("No more messages: %s", error)  # the event loop is closed

    threading.Thread(target=reading, name="reader", daemon=True).start()


class _Bodies:
    """The bodies of the messages in a stream."""

    def __init__(self, stream: int) -> None:
        self._stream = stream
        self._read = b""

    def next(self) -> bytes | None:
        """The body of the next message; None at the end. Lines that are not a header are skipped."""
        length = None
        while (line := self._line()) is not None:
            if not line.strip() and length is not None:
                return self._exactly(length)
            header = _HEADER.search(line)
            if header and int(header[1]) <= _LONGEST:
                length = int(header[1])
        return None

    def _line(self) -> bytes | None:
        while b"\n" not in self._read:
            if len(self._read) > _LONGEST_HEADER:
                self._read = b""
            if not self._more():
                return None
        line, _, self._read = self._read.partition(b"\n")
        return line

    def _exactly(self, length: int) -> bytes | None:
        pieces, missing = [self._read], length - len(self._read)
        while missing > 0:
            self._read = b""
            if not self._more():
                return None
            pieces.append(self._read)
            missing -= len(self._read)
        whole = b"".join(pieces)
        self._read = whole[length:]
        return whole[:length]

    def _more(self) -> bool:
        # A buffered file would not do: a thread that waits in one keeps the interpreter from exiting.
        data = os.read(self._stream, 1 << 16)
        self._read += data
        return bool(data)


class Writer:
    """The output of the protocol; each message is flushed."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, data: bytes) -> None:
        self._stream.write(data)
        self._stream.flush()

    def close(self) -> None:
        self._stream.close()
