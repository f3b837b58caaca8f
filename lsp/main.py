"""The entry of `panicguard server`: which handler each message has, and the server on standard input and output."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from typing import TYPE_CHECKING, Any, BinaryIO

from .handlers import lifecycle, pull, requests, sync
from .protocol import Writer, read
from .server import Server, log_to

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FEATURES: Mapping[str, Callable[..., Any]] = {
    "initialize": lifecycle.initialize,
    "initialized": lifecycle.initialized,
    "shutdown": lifecycle.shutdown,
    "exit": lifecycle.leave,
    "$/setTrace": lifecycle.set_trace,
    "textDocument/didOpen": sync.did_open,
    "textDocument/didChange": sync.did_change,
    "textDocument/didClose": sync.did_close,
    "textDocument/didSave": sync.did_save,
    "notebookDocument/didOpen": sync.did_open_notebook,
    "notebookDocument/didChange": sync.did_change_notebook,
    "notebookDocument/didSave": sync.did_save,
    "notebookDocument/didClose": sync.did_close_notebook,
    "textDocument/diagnostic": pull.diagnostic,
    "textDocument/codeAction": requests.code_action,
    "codeAction/resolve": requests.resolve,
    "textDocument/hover": requests.hover,
    "workspace/diagnostic": pull.workspace_diagnostic,
    "workspace/executeCommand": requests.execute_command,
    "workspace/didChangeConfiguration": lifecycle.did_change_configuration,
    "workspace/didChangeWatchedFiles": lifecycle.did_change_watched_files,
    "workspace/didChangeWorkspaceFolders": lifecycle.did_change_workspace_folders,
    "window/workDoneProgress/cancel": pull.cancel_progress,
}


def serve() -> int:
    """Serve on standard input and output, and return the exit code."""
    try:
        home = os.getcwd()
    except OSError:
        home = os.sep
    sys.path[:] = [os.path.abspath(path) for path in sys.path if path]
    os.chdir(os.sep)  # so that the user can remove the directory the server was started in
    log_to(None)
    messages_in, messages_out = os.dup(0), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)  # what a library prints must not mix with the messages
    try:
        return asyncio.run(_serve(home, messages_in, messages_out))
    except (KeyboardInterrupt, BrokenPipeError):
        return 1
    finally:
        logging.disable()


async def _serve(home: str, messages_in: int, messages_out: BinaryIO) -> int:
    server = Server(home, FEATURES)
    server.protocol.set_writer(Writer(messages_out))

    def receive(body: bytes | None) -> None:
        if body is None:
            server.request_exit(0 if server.protocol.state == "down" else 1)
        else:
            try:
                server.protocol.receive(body)
            except BrokenPipeError:
                server.request_exit(1)

    read(messages_in, server.loop, receive)
    code = await server.exit_code
    await asyncio.gather(server.worker.stop(), server.bulk.stop())
    if server.pages is not None:
        import shutil

        shutil.rmtree(server.pages, ignore_errors=True)
    return code
