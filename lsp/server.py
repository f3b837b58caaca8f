"""The server: what each message leads to. What it tells the client comes from `panicguard.engine.check`, run in the
worker; `convert` is the border to the protocol."""

from __future__ import annotations

import asyncio
import functools
import logging
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer

from panicguard import __version__
from panicguard.model import INTERNAL_ERROR, INVALID_SYNTAX, Diagnostic, Edit

from . import actions, convert, documents, preferences
from .configuration import Configuration
from .documents import Document
from .jobs import Found
from .process import JobError, ObsoleteError, Worker
from .protocol import Protocol, Writer, read

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence

    from lsprotocol import types

    from panicguard.settings import Settings

DEBOUNCE = 0.06
"""Seconds without a keystroke before a check."""
PARENT = 0.4
"""Seconds between two looks whether the client still lives."""
CONTENT_MODIFIED = -32801
_LEVELS = {"trace": 5, "debug": 10, "info": 20, "warn": 30, "error": 40}

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
        self.folders: list[str] = []
        self.preferences: dict[str, preferences.Preferences] = {}
        self.documents: dict[str, Document] = {}
        self.checks: dict[str, Check] = {}
        self.timers: dict[str, asyncio.TimerHandle] = {}
        self.tasks: set[asyncio.Task[Any]] = set()
        self.long: dict[int | str, asyncio.Task[Any] | None] = {}
        self.worker, self.bulk = Worker(), Worker()
        self.tracing = False
        self.docs: str | None = None
        self.exit_code: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.loop = asyncio.get_running_loop()
        self.protocol.fm.builtin_features.clear()
        for method, function in FEATURES.items():
            self.feature(method)(functools.partial(function, self))

    def report_server_error(self, error: Exception, source: Any) -> None:
        """What went wrong is for the log; the client has had its answer."""
        log.error("%s: %s", type(error).__name__, error)

    def complain(self, fault: str) -> None:
        """Show an error to the user."""
        self.loop.call_soon_threadsafe(self.window_show_message, convert.error_message(fault))

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

    def opened(self, document: Document, delay: float = 0.0) -> None:
        """Take a document, or a new version of one, and tell what is in it after a delay."""
        self.documents[document.uri] = document
        if self.client.pull:
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
        if document is not None and not self.client.pull:
            self.publish(document, ())

    # Diagnostics

    async def found(self, document: Document, *, wanted: Callable[[], bool] = lambda: True) -> tuple[Found, ...]:
        """What is to say about a document. Raises ObsoleteError where it was no longer `wanted`."""
        path = document.source.path
        settings = self.configuration.settings(path)
        if settings is None:
            return ()
        known = self.checks.get(document.uri)
        if known is None or known.document is not document or known.settings != settings:
            known = Check(document, settings, asyncio.ensure_future(self._check(document, settings, wanted)))
            self.checks[document.uri] = known
        found = await asyncio.shield(known.task)
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
        except ObsoleteError:
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
        return f"{hash((document.source.text, its, self.configuration.preferences(path))):x}"

    # Settings

    def reload(self, settings: object = None) -> None:
        """Read the settings of all files anew, with other ones of the editor if they are given."""
        if settings is not None:
            its, faults = preferences.read(settings)
            self.preferences = {**self.preferences, "": its}
            if faults:
                self.complain("Invalid settings of the editor: " + "; ".join(faults))
            log.setLevel(_LEVELS[its.log_level])
        self.configuration.reload(self.folders, self.preferences)
        for document in list(self.documents.values()):
            self.opened(document)
        if self.client.pull and self.client.refresh and self.protocol.state == "running":
            self.background(self.workspace_diagnostic_refresh_async(None))

    def trace(self, message: str) -> None:
        """Tell whoever traces the server."""
        log.debug(message)
        if self.tracing:
            self.log_trace(convert.trace(message))


# The life of the server


def initialize(ls: Server, params: types.InitializeParams) -> types.InitializeResult:
    ls.client = convert.client(params)
    ls.tracing = convert.traces(params.trace)
    ls.folders = convert.folders(params)
    given = params.initialization_options
    given = given if isinstance(given, dict) else {}
    everywhere, here = given.get("globalSettings"), given.get("settings", given)
    if isinstance(here, list):  # of each folder its own
        for own in here:
            folder = convert.path(str(own.get("workspace") or own.get("cwd"))) if isinstance(own, dict) else None
            if folder is not None:
                ls.preferences[folder], _ = preferences.read(own)
        here = everywhere
    ls.reload(here if here is not None else everywhere or {})
    ls.protocol.state = "running"
    if params.process_id is not None:
        ls.background(_watch(ls, params.process_id))
    return convert.initialize_result(ls.client)


async def initialized(ls: Server, params: types.InitializedParams) -> None:
    ls.background(ls.worker.start())
    if ls.client.watch:
        await ls.client_register_capability_async(convert.watchers())


def shutdown(ls: Server, params: None) -> None:
    ls.protocol.state = "down"


def leave(ls: Server, params: None) -> None:
    ls.leave(0 if ls.protocol.state == "down" else 1)


def set_trace(ls: Server, params: types.SetTraceParams) -> None:
    ls.tracing = convert.traces(params.value)


async def _watch(ls: Server, process: int) -> None:
    """End the server when its client has gone without a word."""
    if sys.platform == "win32" or not _lives(process):
        return
    while _lives(process):  # noqa: ASYNC110 (nothing tells of the end of a process that is not a child)
        await asyncio.sleep(PARENT)
    ls.leave(1)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True


# Documents


def did_open(ls: Server, params: types.DidOpenTextDocumentParams) -> None:
    item = params.text_document
    if convert.language(item) == "python":
        ls.opened(documents.document(item.uri, _path(ls, item.uri), item.version, item.text))


def did_change(ls: Server, params: types.DidChangeTextDocumentParams) -> None:
    uri, version = params.text_document.uri, params.text_document.version
    document = ls.documents.get(uri)
    if document is None or document.is_notebook:
        return
    text = convert.changed(document.source.text, params.content_changes, ls.client.encoding)
    ls.opened(documents.document(uri, document.source.path, version, text), DEBOUNCE)


def did_close(ls: Server, params: types.DidCloseTextDocumentParams) -> None:
    ls.closed(params.text_document.uri)


def did_save(ls: Server, params: object) -> None:
    """What is in the file was in the buffer before."""


def did_open_notebook(ls: Server, params: types.DidOpenNotebookDocumentParams) -> None:
    notebook = params.notebook_document
    cells = convert.cells(notebook, params.cell_text_documents)
    ls.opened(documents.notebook(notebook.uri, _path(ls, notebook.uri), notebook.version, cells))


def did_change_notebook(ls: Server, params: types.DidChangeNotebookDocumentParams) -> None:
    document = ls.documents.get(params.notebook_document.uri)
    if document is None or not document.is_notebook:
        return
    changes = convert.cell_changes(document, params.change, ls.client.encoding)
    after = documents.with_cells(document, params.notebook_document.version, *changes)
    for uri in {*document.uris} - {*after.uris}:
        if not ls.client.pull:
            ls.text_document_publish_diagnostics(convert.published(uri, None, ()))
    ls.opened(after, DEBOUNCE)


def did_close_notebook(ls: Server, params: types.DidCloseNotebookDocumentParams) -> None:
    ls.closed(params.notebook_document.uri)


def _path(ls: Server, uri: str) -> str:
    """The path of a document; of one that is no file, one that it could have."""
    name = uri.rpartition("/")[2].rpartition(":")[2] or "untitled"
    return convert.path(uri) or os.path.join(ls.folders[0] if ls.folders else ls.home, name)


# Diagnostics


async def diagnostic(ls: Server, params: types.DocumentDiagnosticParams) -> types.DocumentDiagnosticReport:
    uri = params.text_document.uri
    document = ls.document(uri)
    if document is None:
        return convert.report([], "")
    result = ls.result(document)
    if params.previous_result_id == result:
        return convert.report(None, result)
    try:
        found = await ls.found(document)
    except ObsoleteError:
        raise JsonRpcException("the document has changed meanwhile", CONTENT_MODIFIED) from None
    return convert.report(convert.diagnostics(document, found, ls.client).get(uri, []), result)


async def workspace_diagnostic(ls: Server, params: types.WorkspaceDiagnosticParams) -> types.WorkspaceDiagnosticReport:
    token = params.work_done_token
    tell = functools.partial(_progress, ls, token)
    previous = {known.uri: known.value for known in params.previous_result_ids}
    if token is not None:
        ls.long[token] = asyncio.current_task()
    pulled: list[convert.Pulled] = []
    tell("begin", "Checking the workspace")
    try:
        for folder in ls.folders:
            for path, settings in await asyncio.to_thread(list, ls.configuration.files(folder)):
                pulled += await _pull(ls, path, settings, previous)
                if len(pulled) % 50 == 0:
                    tell("report", f"{len(pulled)} files")
    finally:
        tell("end", f"{len(pulled)} files")
        if token is not None:
            ls.long.pop(token, None)
    return convert.workspace_report(pulled)


async def _pull(ls: Server, path: str, settings: Settings, previous: Mapping[str, str]) -> list[convert.Pulled]:
    """The report on a file of the workspace, or none if it is gone; what is in an open document counts."""
    uri = convert.uri(path)
    document = ls.documents.get(uri)
    if document is not None:
        result = ls.result(document)
    else:
        try:
            status = os.stat(path)
        except OSError:
            return []
        its = ls.configuration.preferences(path)
        result = f"{hash((status.st_mtime_ns, status.st_size, status.st_ino, settings, its)):x}"
    if previous.get(uri) == result:
        return [convert.Pulled(uri, document.version if document else None, result, None)]
    if document is not None:
        found = await ls.found(document)
    else:
        document, found = await _of_file(ls, path, settings)
    lists = convert.diagnostics(document, found, ls.client)
    return [convert.Pulled(part, document.version, result, items) for part, items in lists.items()]


async def _of_file(ls: Server, path: str, settings: Settings) -> tuple[Document, tuple[Found, ...]]:
    try:
        source, found = await ls.bulk.run("check_file", path, settings)
    except JobError as error:
        source = documents.source(path, "")
        found = (Found(Diagnostic(INTERNAL_ERROR, INTERNAL_ERROR, str(error), 0, 0), None),)
    uri = convert.uri(path)
    return Document(uri, None, source, (documents.Part(uri, 0),)), found


def _progress(ls: Server, token: int | str | None, kind: str, message: str) -> None:
    if token is not None:
        ls.progress(convert.progress(token, kind, message))


def cancel_progress(ls: Server, params: types.WorkDoneProgressCancelParams) -> None:
    if (task := ls.long.get(params.token)) is not None:
        task.cancel()


# Actions


async def code_action(ls: Server, params: types.CodeActionParams) -> list[types.CodeAction]:
    uri, only = params.text_document.uri, convert.kinds(params.context.only)
    document = ls.document(uri)
    settings = None if document is None else ls.configuration.settings(document.source.path)
    if document is None or settings is None:
        return []
    its = ls.configuration.preferences(document.source.path)
    offered: list[tuple[actions.Action, list[types.Diagnostic]]] = []
    if actions.is_wanted(actions.QUICK_FIX, only) and params.context.diagnostics:
        found = await ls.found(document)
        asked = convert.asked(document, found, uri, params.context.diagnostics, ls.client)
        known = dict(asked)
        for action, one in actions.of_diagnostics([*known], found, its, bool(settings.unsafe_fixes)):
            offered.append((action, [known[one]]))
    kind = convert.NOTEBOOK_FIX_ALL if document.is_notebook else convert.FIX_ALL
    if its.fix_all and actions.is_wanted(kind, only):
        offered.append((actions.fix_all(kind), []))
    return [await _offered(ls, document, settings, uri, action, about) for action, about in offered]


async def _offered(
    ls: Server,
    document: Document,
    settings: Settings,
    uri: str,
    action: actions.Action,
    about: Sequence[types.Diagnostic],
) -> types.CodeAction:
    """An action, with its edit unless the client asks for that when it wants it."""
    data: object = uri if action.rule is None else {"uri": uri, "rule": action.rule}
    offered = convert.code_action(action, document, ls.client, about, data)
    if action.edits is None and not action.command and not ls.client.resolve:
        offered.edit = await _edit(ls, document, settings, action.rule)
    return offered


async def resolve(ls: Server, params: types.CodeAction) -> types.CodeAction:
    if params.edit is not None or params.command is not None:
        return params
    data = params.data
    uri, rule = (data.get("uri"), data.get("rule")) if isinstance(data, dict) else (data, None)
    document = ls.document(uri) if isinstance(uri, str) else None
    settings = None if document is None else ls.configuration.settings(document.source.path)
    if document is None or settings is None or not isinstance(rule, (str, type(None))):
        raise JsonRpcInvalidParams("this action is for no document that is open")
    params.edit = await _edit(ls, document, settings, rule)
    return params


async def _edit(ls: Server, document: Document, settings: Settings, rule: str | None) -> types.WorkspaceEdit:
    """The edit that fixes a document, or what one rule finds in it."""
    before = document.source
    try:
        after = await ls.worker.run("fixed", before, settings, bool(settings.unsafe_fixes), rule, size=len(before.text))
    except JobError as error:
        ls.complain(f"Not fixed: {error}")
        after = None
    edits = [] if after is None else [Edit(s, e, text) for _, s, e, text in documents.replaced(before, after, document)]
    return convert.workspace_edit(convert.by_uri(document, edits, ls.client.encoding), ls.client)


async def hover(ls: Server, params: types.HoverParams) -> types.Hover | None:
    uri = params.text_document.uri
    document = ls.document(uri)
    settings = None if document is None else ls.configuration.settings(document.source.path)
    if document is None or settings is None:
        return None
    offset = convert.source_offset(document, uri, params.position, ls.client.encoding)
    if offset is None:
        return None
    try:
        found = await ls.worker.run("hover", document.source, settings, offset, size=len(document.source.text))
    except JobError:
        return None
    return None if found is None else convert.hover(found, document, ls.client.encoding)


# Commands


async def execute_command(ls: Server, params: types.ExecuteCommandParams) -> str | None:
    arguments = params.arguments or []
    match params.command.removeprefix(f"{convert.NAME}."):
        case _ if params.command not in convert.COMMANDS:
            raise JsonRpcInvalidParams(f"Invalid command `{params.command}`")
        case "applyAutofix":
            await _apply(ls, arguments)
            return None
        case "reloadSettings":
            ls.reload()
            return None
        case "openDocumentation":
            return _documentation(ls, arguments[0] if arguments else None)
    return _debug_information(ls)


async def _apply(ls: Server, arguments: Sequence[Any]) -> None:
    """Fix the documents that are named, those of them that are still of the version named."""
    for argument in arguments:
        uri = argument.get("uri") if isinstance(argument, dict) else argument
        document = ls.document(uri) if isinstance(uri, str) else None
        if document is None:
            raise JsonRpcInvalidParams("expected the `uri` of an open document")
        settings = ls.configuration.settings(document.source.path)
        version = argument.get("version") if isinstance(argument, dict) else None
        if settings is None or version not in (None, document.version):
            continue
        edit = await _edit(ls, document, settings, None)
        if ls.client.apply_edit and (edit.changes or edit.document_changes):
            ls.background(ls.workspace_apply_edit_async(convert.apply_edit(actions.FIX_ALL_TITLE, edit)))


def _documentation(ls: Server, code: object) -> str:
    """The page of a rule, and shown if the client can show files."""
    from panicguard.report.rules import to_markdown
    from panicguard.rule import all_rules

    rule = next((rule for rule in all_rules() if code in (rule.code, rule.name)), None)
    if rule is None:
        raise JsonRpcInvalidParams("expected the code of a rule")
    page = to_markdown(rule)
    if ls.client.show_document:
        ls.docs = ls.docs or tempfile.mkdtemp(prefix="panicguard-")
        path = os.path.join(ls.docs, f"{rule.code}.md")
        with open(path, "w", encoding="utf-8") as file:
            file.write(page)
        ls.background(ls.window_show_document_async(convert.show_document(convert.uri(path))))
    return page


def _debug_information(ls: Server) -> str:
    open_ones = [
        f"    {document.source.path} (version {document.version}): "
        f"settings from {ls.configuration.in_force(document.source.path) or 'nowhere'}"
        for document in ls.documents.values()
    ]
    return "\n".join(
        (
            f"version = {__version__}",
            f"interpreter = {sys.executable} ({sys.version.split()[0]})",
            f"position_encoding = {ls.client.encoding}",
            f"workspace_folders = {ls.folders}",
            f"client = {ls.client}",
            f"preferences = {ls.preferences.get('')}",
            "open_documents:",
            *open_ones,
            "",
        )
    )


# Settings


async def did_change_configuration(ls: Server, params: types.DidChangeConfigurationParams) -> None:
    given = params.settings
    if not given and ls.client.configuration:
        own, *of_folders = await ls.workspace_configuration_async(convert.configuration_of(ls.folders))
        for folder, its in zip(ls.folders, of_folders, strict=False):
            ls.preferences[folder], _ = preferences.read(its)
        given = own
    given = given if isinstance(given, dict) else {}
    its = given.get(convert.NAME, given)
    ls.reload(its.get("settings", its) if isinstance(its, dict) else its)


def did_change_watched_files(ls: Server, params: types.DidChangeWatchedFilesParams) -> None:
    ls.reload()


def did_change_workspace_folders(ls: Server, params: types.DidChangeWorkspaceFoldersParams) -> None:
    gone = {convert.path(folder.uri) for folder in params.event.removed}
    come = [path for folder in params.event.added if (path := convert.path(folder.uri)) is not None]
    ls.folders = [*dict.fromkeys((*(f for f in ls.folders if f not in gone), *come))]
    ls.reload()


FEATURES: Mapping[str, Callable[..., Any]] = {
    "initialize": initialize,
    "initialized": initialized,
    "shutdown": shutdown,
    "exit": leave,
    "$/setTrace": set_trace,
    "textDocument/didOpen": did_open,
    "textDocument/didChange": did_change,
    "textDocument/didClose": did_close,
    "textDocument/didSave": did_save,
    "notebookDocument/didOpen": did_open_notebook,
    "notebookDocument/didChange": did_change_notebook,
    "notebookDocument/didSave": did_save,
    "notebookDocument/didClose": did_close_notebook,
    "textDocument/diagnostic": diagnostic,
    "textDocument/codeAction": code_action,
    "codeAction/resolve": resolve,
    "textDocument/hover": hover,
    "workspace/diagnostic": workspace_diagnostic,
    "workspace/executeCommand": execute_command,
    "workspace/didChangeConfiguration": did_change_configuration,
    "workspace/didChangeWatchedFiles": did_change_watched_files,
    "workspace/didChangeWorkspaceFolders": did_change_workspace_folders,
    "window/workDoneProgress/cancel": cancel_progress,
}


def serve() -> int:
    """Serve on standard input and output; the exit code."""
    try:
        home = os.getcwd()
    except OSError:
        home = os.sep
    sys.path[:] = map(os.path.abspath, sys.path)
    os.chdir(os.sep)  # it may be removed, and is nobody's to hold
    logging.basicConfig(stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s", level=logging.WARNING)
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
    if server.docs is not None:
        import shutil

        shutil.rmtree(server.docs, ignore_errors=True)
    return code
