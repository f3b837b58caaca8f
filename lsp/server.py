"""The server: what it knows and does, and which message leads to what. What it tells the client comes from
`panicguard.engine.check`, run in the worker; `convert` is the border to the protocol."""

from __future__ import annotations

import asyncio
import functools
import logging
import os
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from panicguard import __version__
from panicguard.model import INTERNAL_ERROR, INVALID_SYNTAX, Diagnostic

from . import answers, convert, lifecycle, preferences, pull, sync
from .configuration import Configuration
from .jobs import Found
from .process import JobError, ObsoleteError, Worker
from .protocol import Protocol, Writer, read

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Mapping

    from panicguard.settings import Settings

    from .documents import Document

CONTENT_MODIFIED = -32801
_LEVELS = {"trace": 5, "debug": 10, "info": 20, "warn": 30, "error": 40}
_LINE = "%(levelname)s %(name)s: %(message)s"

log = logging.getLogger("panicguard_lsp")


@dataclass(frozen=True, slots=True)
class Check:
    """A check of a document under some settings, done or on its way."""

    document: Document
    settings: Settings
    task: asyncio.Task[tuple[Found, ...]]


class Server(LanguageServer):
    """What there is to remember: the client, its documents, what was found in them, and the worker."""

    protocol: Protocol

    def __init__(self, home: str) -> None:
        super().__init__(convert.NAME, __version__, protocol_cls=Protocol, converter_factory=convert.converter)
        self.client = convert.Client()
        self.configuration = Configuration(self.complain)
        self.home = home
        self.documents: dict[str, Document] = {}
        self.checks: dict[str, Check] = {}
        self.timers: dict[str, asyncio.TimerHandle] = {}
        self.tasks: set[asyncio.Task[Any]] = set()
        self.cancellable: dict[int | str, asyncio.Task[Any] | None] = {}
        self.worker, self.bulk = Worker(), Worker()
        self.tracing = False
        self.pages: str | None = None
        self.exit_code: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.loop = asyncio.get_running_loop()
        self.protocol.fm.builtin_features.clear()
        for method, function in FEATURES.items():
            self.feature(method)(functools.partial(function, self))

    def report_server_error(self, error: Exception, source: Any) -> None:
        """What went wrong is for the log; the client has had its answer."""
        log.error("%s: %s", type(error).__name__, error)

    def complain(self, fault: str, error: bool = True) -> None:
        """Show an error or a warning to the user."""
        self.loop.call_soon_threadsafe(self.window_show_message, convert.message(fault, error))

    def background(self, work: Coroutine[Any, Any, Any]) -> None:
        """Do something without waiting for it."""
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s: %s", type(error).__name__, error)

    def leave(self, code: int) -> None:
        """Have the server end."""
        if not self.exit_code.done():
            self.exit_code.set_result(code)

    # Documents

    def document(self, uri: str) -> Document | None:
        """The document that a URI is of, or a part of."""
        found = self.documents.get(uri)
        return found or next((d for d in self.documents.values() if uri in d.uris), None)

    def pulled(self, document: Document) -> bool:
        """Whether the client asks for the diagnostics of a document: no client asks for those of a notebook's cells."""
        return self.client.pull and not document.is_notebook

    def opened(self, document: Document, delay: float = 0.0) -> None:
        """Take a document, or a new version of one, and tell what is in it after a delay."""
        self.documents[document.uri] = document
        if self.pulled(document):
            return
        if (timer := self.timers.get(document.uri)) is not None:
            timer.cancel()
        self.timers[document.uri] = self.loop.call_later(delay, lambda: self.background(self.push(document.uri)))

    def closed(self, uri: str) -> None:
        """Forget a document."""
        document = self.documents.pop(uri, None)
        self.checks.pop(uri, None)
        if (timer := self.timers.pop(uri, None)) is not None:
            timer.cancel()
        if document is not None and not self.pulled(document):
            self.publish(document, ())

    # Diagnostics

    async def found(self, document: Document, *, wanted: Callable[[], bool] = lambda: True) -> tuple[Found, ...]:
        """What is to say about a document. Raises JsonRpcException where it was not `wanted` when its turn came."""
        path = document.source.path
        settings = self.configuration.settings(path)
        if settings is None:
            return ()
        known = self.checks.get(document.uri)
        if known is None or known.document is not document or known.settings != settings:
            known = Check(document, settings, asyncio.ensure_future(self._check(document, settings, wanted)))
            self.checks[document.uri] = known
        try:
            found = await asyncio.shield(known.task)
        except ObsoleteError:
            raise JsonRpcException("the document has changed meanwhile", CONTENT_MODIFIED) from None
        if self.configuration.preferences(path).show_syntax_errors:
            return found
        return tuple(one for one in found if one.diagnostic.code != INVALID_SYNTAX)

    async def _check(self, document: Document, its: Settings, wanted: Callable[[], bool]) -> tuple[Found, ...]:
        started = time.perf_counter()
        source = document.source
        try:
            found: tuple[Found, ...] = await self.worker.run("check", source, its, size=len(source.text), wanted=wanted)
        except JobError as error:
            found = (Found(Diagnostic(INTERNAL_ERROR, INTERNAL_ERROR, str(error), 0, 0), None),)
        self.trace(f"checked {source.path} in {1000 * (time.perf_counter() - started):.0f} ms")
        return found

    async def push(self, uri: str) -> None:
        """Publish what is to say about the version of a document that is there now, unless it changes meanwhile."""
        document = self.documents.get(uri)
        if document is None:
            return
        try:
            found = await self.found(document, wanted=lambda: self.documents.get(uri) is document)
        except JsonRpcException:
            return
        if self.documents.get(uri) is document:
            self.publish(document, found)

    def publish(self, document: Document, found: Iterable[Found]) -> None:
        """Publish the diagnostics of a document, of a notebook those of each cell."""
        for uri, items in convert.diagnostics(document, found, self.client).items():
            self.text_document_publish_diagnostics(convert.published(uri, document.version, items))

    def result(self, document: Document) -> str:
        """What stands for the diagnostics of a document: another as soon as they may be others."""
        path = document.source.path
        its = self.configuration.settings(path)
        return f"{hash((document.source, document.parts, its, self.configuration.preferences(path))):x}"

    # Settings

    def prefer(self, given: object, folder: str = "") -> None:
        """Take the editor's settings, of one folder if it is named."""
        its, faults = preferences.read(given)
        self.configuration.given[folder] = its
        if faults:
            self.complain("Invalid settings of the editor: " + "; ".join(faults))
        if not folder:
            log.setLevel(_LEVELS[its.log_level])
            self._log_to(its.log_file)

    def _log_to(self, path: str | None) -> None:
        """Have the log written to a file, or to standard error."""
        try:
            log_to(path and os.path.join(self.home, os.path.expanduser(path)))
        except OSError as error:
            self.complain(f"Cannot log to `{path}`: {error.strerror}")

    def reload(self) -> None:
        """Read the settings of all files anew."""
        self.configuration.reload()
        for document in list(self.documents.values()):
            self.opened(document)
        if self.client.pull and self.client.refresh and self.protocol.state == "running":
            self.background(self.workspace_diagnostic_refresh_async(None))

    def trace(self, message: str) -> None:
        """Tell whoever traces the server."""
        log.debug(message)
        if self.tracing:
            self.log_trace(convert.trace(message))


def log_to(path: str | None) -> None:
    """Have the log written to a file, or to standard error. Raises OSError."""
    handler = logging.FileHandler(path, encoding="utf-8") if path else logging.StreamHandler(sys.stderr)
    logging.basicConfig(handlers=[handler], format=_LINE, level=logging.WARNING, force=True)


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
    "textDocument/codeAction": answers.code_action,
    "codeAction/resolve": answers.resolve,
    "textDocument/hover": answers.hover,
    "workspace/diagnostic": pull.workspace_diagnostic,
    "workspace/executeCommand": answers.execute_command,
    "workspace/didChangeConfiguration": lifecycle.did_change_configuration,
    "workspace/didChangeWatchedFiles": lifecycle.did_change_watched_files,
    "workspace/didChangeWorkspaceFolders": lifecycle.did_change_workspace_folders,
    "window/workDoneProgress/cancel": pull.cancel_progress,
}


def serve() -> int:
    """Serve on standard input and output; the exit code."""
    try:
        home = os.getcwd()
    except OSError:
        home = os.sep
    sys.path[:] = [os.path.abspath(path) for path in sys.path if path]
    os.chdir(os.sep)  # it may be removed, and is nobody's to hold
    log_to(None)
    messages_in, messages_out = os.dup(0), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)  # what a library may print is no message
    try:
        return asyncio.run(_serve(home, messages_in, messages_out))
    except (KeyboardInterrupt, BrokenPipeError):
        return 1
    finally:
        logging.disable()


async def _serve(home: str, messages_in: int, messages_out: BinaryIO) -> int:
    server = Server(home)
    server.protocol.set_writer(Writer(messages_out))

    def act(body: bytes | None) -> None:
        if body is None:
            server.leave(0 if server.protocol.state == "down" else 1)
        else:
            try:
                server.protocol.receive(body)
            except BrokenPipeError:
                server.leave(1)

    read(messages_in, server.loop, act)
    code = await server.exit_code
    await asyncio.gather(server.worker.stop(), server.bulk.stop())
    if server.pages is not None:
        import shutil

        shutil.rmtree(server.pages, ignore_errors=True)
    return code
