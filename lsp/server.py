"""The state of the server, and what its handlers share. Diagnostics come from `panicguard.engine.check`, which runs in
the worker."""

from __future__ import annotations

import asyncio
import functools
import logging
import os
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from panicguard import __version__
from panicguard.diagnostic import INVALID_SYNTAX
from panicguard.run.modules import with_imported

from .configuration import Configuration
from .jobs import EditorFinding, failed
from .preferences import read_preferences
from .process import JobError, ObsoleteError, Worker
from .proto import capabilities, from_proto, to_proto
from .protocol import Protocol

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
    """A check of a document with some settings, finished or under way."""

    document: Document
    settings: Settings
    task: asyncio.Task[tuple[EditorFinding, ...]]

    def holds(self, document: Document, settings: Settings) -> bool:
        """Whether it tells what is in a document now: fixes of a Go file depend on the other files of its package."""
        if self.document is not document or self.settings != settings:
            return False
        if document.source.language != "go" or not self.task.done() or self.task.exception() is not None:
            return True
        return not any(finding.diagnostic.fix for finding in self.task.result())


class Server(LanguageServer):
    """The client, its documents and their checks, the settings, and the workers.

    `home` is the directory that the server was started in; `features` maps each message to its handler.
    """

    protocol: Protocol

    def __init__(self, home: str, features: Mapping[str, Callable[..., Any]]) -> None:
        super().__init__(capabilities.NAME, __version__, protocol_cls=Protocol, converter_factory=from_proto.converter)
        self.client = capabilities.Client()
        self.configuration = Configuration(self.notify_user)
        self.home = home
        self.documents: dict[str, Document] = {}
        self.checks: dict[str, Check] = {}
        self.timers: dict[str, asyncio.TimerHandle] = {}
        """The pushes that wait for a pause in typing, by the URI of the document."""
        self.tasks: set[asyncio.Task[Any]] = set()
        self.cancellable: dict[int | str, asyncio.Task[Any] | None] = {}
        """The requests that the user can cancel, by the token of their progress."""
        self.worker, self.bulk = Worker(), Worker()
        """What the user waits for, and checks of the whole workspace."""
        self.tracing = False
        self.pages: str | None = None
        """The directory of the pages of documentation that were shown."""
        self.exit_code: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.loop = asyncio.get_running_loop()
        self.protocol.fm.builtin_features.clear()
        for method, function in features.items():
            self.feature(method)(functools.partial(function, self))

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Log an error that pygls caught: the client has been answered already."""
        log.error("%s: %s", type(error).__name__, error)

    def notify_user(self, text: str, error: bool = True) -> None:
        """Show an error or a warning to the user. May be called from any thread."""
        self.loop.call_soon_threadsafe(self.window_show_message, to_proto.message(text, error))

    def background(self, work: Coroutine[Any, Any, Any]) -> None:
        """Start some work without waiting for it. An error that it raises is logged."""
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s: %s", type(error).__name__, error)

    def request_exit(self, code: int) -> None:
        """Have the server end with an exit code; the first one requested counts."""
        if not self.exit_code.done():
            self.exit_code.set_result(code)

    # Documents

    def document(self, uri: str) -> Document | None:
        """The open document with this URI, or with a cell that has it."""
        return self.documents.get(uri) or next((d for d in self.documents.values() if uri in d.uris), None)

    def is_pulled(self, document: Document) -> bool:
        """Whether the client pulls the diagnostics of a document. No client pulls those of a notebook's cells."""
        return self.client.pull and not document.is_notebook

    def document_changed(self, document: Document, delay: float = 0.0) -> None:
        """Remember a document, or a new version of one, and push its diagnostics after a delay in seconds."""
        self.documents[document.uri] = document
        if self.is_pulled(document):
            return
        if (timer := self.timers.get(document.uri)) is not None:
            timer.cancel()
        self.timers[document.uri] = self.loop.call_later(delay, lambda: self.background(self._push_all(document.uri)))

    def document_closed(self, uri: str) -> None:
        """Forget a document, and clear its diagnostics."""
        document = self.documents.pop(uri, None)
        self.checks.pop(uri, None)
        if (timer := self.timers.pop(uri, None)) is not None:
            timer.cancel()
        if document is not None and not self.is_pulled(document):
            self.publish(document, ())
            self.background(self._push_others(uri))

    # Diagnostics

    async def findings(
        self, document: Document, *, wanted: Callable[[], bool] = lambda: True
    ) -> tuple[EditorFinding, ...]:
        """The findings in a document. Raises JsonRpcException if they are not `wanted` any more when the worker gets to
        it."""
        path = document.source.path
        settings = self.settings(document)
        if settings is None:
            return ()
        check = self.checks.get(document.uri)
        if check is None or not check.holds(document, settings):
            check = Check(document, settings, asyncio.ensure_future(self._check(document, settings, wanted)))
            self.checks[document.uri] = check
        try:
            findings = await asyncio.shield(check.task)
        except ObsoleteError:
            raise JsonRpcException("the document has changed meanwhile", CONTENT_MODIFIED) from None
        if self.configuration.preferences(path).show_syntax_errors:
            return findings
        return tuple(finding for finding in findings if finding.diagnostic.code != INVALID_SYNTAX)

    async def _check(
        self, document: Document, settings: Settings, wanted: Callable[[], bool]
    ) -> tuple[EditorFinding, ...]:
        started = time.perf_counter()
        source = document.source
        findings: tuple[EditorFinding, ...]
        try:
            findings = await self.worker.run("check", source, settings, size=len(source.text), wanted=wanted)
        except JobError as error:
            findings = (failed(error),)
        self.trace(f"checked {source.path} in {1000 * (time.perf_counter() - started):.0f} ms")
        return findings

    async def push(self, uri: str) -> None:
        """Publish the diagnostics of the current version of a document, unless it changes meanwhile."""
        document = self.documents.get(uri)
        if document is None:
            return
        try:
            findings = await self.findings(document, wanted=lambda: self.documents.get(uri) is document)
        except JsonRpcException:
            return
        if self.documents.get(uri) is document:
            self.publish(document, findings)

    async def _push_all(self, uri: str) -> None:
        await self.push(uri)
        await self._push_others(uri)

    async def _push_others(self, uri: str) -> None:
        """Publish the diagnostics of the documents that import something that has changed with another document."""
        for other in list(self.documents.values()):
            check = self.checks.get(other.uri)
            if other.uri == uri or check is None or self.is_pulled(other):
                continue
            settings = self.settings(other)
            if settings is not None and check.settings != settings:
                await self.push(other.uri)

    def publish(self, document: Document, findings: Iterable[EditorFinding]) -> None:
        """Publish the diagnostics of a document, or of each cell of a notebook."""
        for uri, items in to_proto.diagnostics(document, findings, self.client).items():
            self.text_document_publish_diagnostics(to_proto.published(uri, document.version, items))

    def result_id(self, document: Document) -> str:
        """An identifier of the diagnostics of a document, which changes with all that they depend on."""
        path = document.source.path
        settings, preferences = self.settings(document), self.configuration.preferences(path)
        return f"{hash((document.source, document.parts, settings, preferences)):x}"

    # Settings

    def settings(self, document: Document) -> Settings | None:
        """The settings of a document, with what is known of the names that it imports: other modules are as they are in
        the editor, if they are open there. None if it is not checked."""
        settings = self.configuration.settings(document.source.path)
        others = (other.source for other in self.documents.values() if not other.is_notebook)
        opened = {source.path: source.text for source in others if source.language == "python"}
        return None if settings is None else with_imported(document.source, settings, opened)[0]

    def set_preferences(self, values: object, folder: str = "") -> None:
        """Set the editor's settings from JSON: those of a workspace folder, or else of all others."""
        preferences, faults = read_preferences(values)
        self.configuration.preferences_of[folder] = preferences
        if faults:
            self.notify_user("Invalid settings of the editor: " + "; ".join(faults))
        if not folder:
            log.setLevel(_LEVELS[preferences.log_level])
            self._log_to(preferences.log_file)

    def _log_to(self, path: str | None) -> None:
        try:
            log_to(path and os.path.join(self.home, os.path.expanduser(path)))
        except OSError as error:
            self.notify_user(f"Cannot log to `{path}`: {error.strerror}")

    def reload(self) -> None:
        """Read the settings of all files again, and have what is open checked with them."""
        self.configuration.reload()
        for document in list(self.documents.values()):
            self.document_changed(document)
        if self.client.pull and self.client.refresh and self.protocol.state == "running":
            self.background(self.workspace_diagnostic_refresh_async(None))

    def trace(self, message: str) -> None:
        """Log a message, and send it to a client that asked for a trace."""
        log.debug(message)
        if self.tracing:
            self.log_trace(to_proto.trace(message))


def log_to(path: str | None) -> None:
    """Write the log to a file, or to standard error. Raises OSError."""
    handler = logging.FileHandler(path, encoding="utf-8") if path else logging.StreamHandler(sys.stderr)
    logging.basicConfig(handlers=[handler], format=_LINE, level=logging.WARNING, force=True)
