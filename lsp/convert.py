"""The border: what is the protocol's on one side and ours on the other, and positions in the client's encoding.

The only file that makes values of lsprotocol or knows of code units. Offsets count code points of `Source.text`.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from lsprotocol import types
from lsprotocol.converters import get_converter
from pygls import uris

from panicguard import __version__, gomod
from panicguard.model import Applicability, Severity
from panicguard.settings import discovery
from panicguard.suppress import UNUSED

from .documents import Cell

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from panicguard.model import Edit
    from panicguard.source import Source

    from .actions import Action
    from .documents import Document, Part
    from .hover import Hover
    from .jobs import Found

NAME = "panicguard"
FIX_ALL = f"source.fixAll.{NAME}"
NOTEBOOK_FIX_ALL = f"notebook.{FIX_ALL}"
COMMANDS = tuple(
    f"{NAME}.{name}" for name in ("applyAutofix", "reloadSettings", "printDebugInformation", "openDocumentation")
)
WATCHED = (*dict.fromkeys((*discovery.FILES, *discovery.RUFF_FILES)), "go.mod", gomod.MANIFEST)
"""The names of the files that settings come from; every copy of the runtime has a manifest."""
_ENCODINGS = ("utf-8", "utf-16", "utf-32")
_SEVERITIES = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
    Severity.INFO: types.DiagnosticSeverity.Information,
}
_NEWLINE = re.compile(r"\r\n|\r|\n")
converter = get_converter


@dataclass(frozen=True, slots=True)
class Client:
    """What the client can do."""

    encoding: str = "utf-16"
    pull: bool = False
    related: bool = False
    """Whether it reads what else a diagnostic points to."""
    refresh: bool = False
    resolve: bool = False
    document_changes: bool = False
    apply_edit: bool = False
    watch: bool = False
    configuration: bool = False
    show_document: bool = False


def client(params: types.InitializeParams) -> Client:
    """The client of an `initialize`."""
    can = params.capabilities
    general, workspace, text, window = can.general, can.workspace, can.text_document, can.window
    offered = map(_plain, (general and general.position_encodings) or ())
    action = text.code_action if text else None
    resolve = action.resolve_support if action else None
    return Client(
        encoding=next((encoding for encoding in offered if encoding in _ENCODINGS), "utf-16"),
        pull=bool(text and text.diagnostic),
        related=bool(text and text.publish_diagnostics and text.publish_diagnostics.related_information),
        refresh=bool(workspace and workspace.diagnostics and workspace.diagnostics.refresh_support),
        resolve=bool(action and action.data_support and resolve and "edit" in resolve.properties),
        document_changes=bool(workspace and workspace.workspace_edit and workspace.workspace_edit.document_changes),
        apply_edit=bool(workspace and workspace.apply_edit),
        watch=bool(workspace and (watched := workspace.did_change_watched_files) and watched.dynamic_registration),
        configuration=bool(workspace and workspace.configuration),
        show_document=bool(window and window.show_document and window.show_document.support),
    )


def initialize_result(client: Client) -> types.InitializeResult:
    """What the server can do."""
    return types.InitializeResult(
        capabilities=types.ServerCapabilities(
            position_encoding=types.PositionEncodingKind(client.encoding),
            text_document_sync=types.TextDocumentSyncOptions(
                open_close=True,
                change=types.TextDocumentSyncKind.Incremental,
                will_save=False,
                will_save_wait_until=False,
            ),
            notebook_document_sync=types.NotebookDocumentSyncOptions(
                notebook_selector=[
                    types.NotebookDocumentFilterWithCells(cells=[types.NotebookCellLanguage(language="python")])
                ],
                save=False,
            ),
            code_action_provider=types.CodeActionOptions(
                code_action_kinds=[types.CodeActionKind.QuickFix, FIX_ALL, NOTEBOOK_FIX_ALL],
                resolve_provider=True,
                work_done_progress=True,
            ),
            diagnostic_provider=types.DiagnosticOptions(
                inter_file_dependencies=False, workspace_diagnostics=True, identifier=NAME, work_done_progress=True
            ),
            execute_command_provider=types.ExecuteCommandOptions(commands=COMMANDS, work_done_progress=False),
            hover_provider=True,
            workspace=types.WorkspaceOptions(
                workspace_folders=types.WorkspaceFoldersServerCapabilities(supported=True, change_notifications=True)
            ),
        ),
        server_info=types.ServerInfo(name=NAME, version=__version__),
    )


def watchers() -> types.RegistrationParams:
    """The request to be told when configuration files change."""
    options = types.DidChangeWatchedFilesRegistrationOptions(
        watchers=[types.FileSystemWatcher(glob_pattern=f"**/{name}") for name in WATCHED]
    )
    return types.RegistrationParams(
        [
            types.Registration(
                id=f"{NAME}-watch", method=types.WORKSPACE_DID_CHANGE_WATCHED_FILES, register_options=options
            )
        ]
    )


def folders(params: types.InitializeParams) -> list[str]:
    """The workspace folders of an `initialize`."""
    given = [folder.uri for folder in params.workspace_folders or ()] or [params.root_uri or ""]
    found = [found for one in given if (found := path(one)) is not None]
    if not found and params.root_path:
        found = [os.path.normpath(params.root_path)]
    return [*dict.fromkeys(found)]


def traces(value: types.TraceValue | str | None) -> bool:
    """Whether the client wants to be told what the server does."""
    return _plain(value) in ("messages", "verbose")


def language(item: types.TextDocumentItem) -> str:
    """The language of a document."""
    return _plain(item.language_id)


def kinds(only: Sequence[types.CodeActionKind | str] | None) -> list[str] | None:
    """The kinds of actions that are asked for; None where all are."""
    return None if only is None else [*map(_plain, only)]


def _plain(value: object) -> str:
    """A value as the protocol writes it, whether lsprotocol knows it or not."""
    return str(getattr(value, "value", value))


# Paths


def path(uri: str) -> str | None:
    """The path of a file; None where the URI is no file's."""
    found = uris.to_fs_path(uri) if uri.startswith("file:") else None
    return os.path.normpath(found) if found else None


def uri(path: str) -> str:
    """The URI of a file."""
    return uris.from_fs_path(path) or f"file://{path}"


# Positions


def position(source: Source, offset: int, encoding: str, start: int = 0) -> types.Position:
    """Where an offset is for the client, in the text that starts at `start`."""
    row, column = source.location(offset)
    before = source.text[offset - column + 1 : offset]
    return types.Position(line=row - source.location(start)[0], character=_units(before, encoding))


def offset(text: str, position: types.Position, encoding: str) -> int:
    """The offset in a text of what the client means; what is past the end of a line or of the text is its end."""
    start = _line_start(text, position.line)
    newline = _NEWLINE.search(text, start)
    line = text[start : newline.start() if newline else len(text)]
    if line.isascii() or encoding == "utf-32":
        return start + min(position.character, len(line))
    units = 0
    for column, char in enumerate(line):
        units += _units(char, encoding)
        if units > position.character:
            return start + column
    return start + len(line)


def _line_start(text: str, line: int) -> int:
    if "\r" not in text:
        start = 0
        for _ in range(line):
            start = text.find("\n", start) + 1
            if not start:
                return len(text)
        return start
    starts = [0, *(newline.end() for newline in _NEWLINE.finditer(text))]
    return starts[line] if line < len(starts) else len(text)


def _units(text: str, encoding: str) -> int:
    """The code units of a text."""
    if encoding == "utf-32" or text.isascii():
        return len(text)
    return len(text.encode("utf-8" if encoding == "utf-8" else "utf-16-le", "surrogatepass")) // (
        1 if encoding == "utf-8" else 2
    )


def changed(text: str, changes: Iterable[types.TextDocumentContentChangeEvent], encoding: str) -> str:
    """A text after the changes, one after another."""
    for change in changes:
        if isinstance(change, types.TextDocumentContentChangePartial):
            start, end = (offset(text, place, encoding) for place in (change.range.start, change.range.end))
            text = text[:start] + change.text + text[max(start, end) :]
        else:
            text = change.text
    return text


class CellChanges(NamedTuple):
    """How the cells of a notebook changed: from `start` on so many were removed and these added; then texts changed."""

    start: int
    removed: int
    added: tuple[Cell, ...]
    texts: dict[str, str]


def cells(notebook: types.NotebookDocument, opened: Iterable[types.TextDocumentItem]) -> tuple[Cell, ...]:
    """The cells of a notebook that was opened, in its order."""
    return _cells(notebook.cells, opened, {})


def cell_changes(document: Document, change: types.NotebookDocumentChangeEvent, encoding: str) -> CellChanges:
    """What a change of a notebook does to its cells."""
    known = {cell.uri: cell for cell in document.cells}
    start = removed = 0
    added: tuple[Cell, ...] = ()
    if change.cells is not None and change.cells.structure is not None:
        structure = change.cells.structure
        start, removed = structure.array.start, structure.array.delete_count
        added = _cells(structure.array.cells or (), structure.did_open or (), known)
    known |= {cell.uri: cell for cell in added}
    texts = {
        text.document.uri: changed(known[text.document.uri].text, text.changes, encoding)
        for text in (change.cells and change.cells.text_content) or ()
        if text.document.uri in known
    }
    return CellChanges(start, removed, added, texts)


def _cells(
    cells: Iterable[types.NotebookCell], opened: Iterable[types.TextDocumentItem], known: Mapping[str, Cell]
) -> tuple[Cell, ...]:
    """Cells with their texts: those that were opened, or were there before."""
    texts = {**known, **{item.uri: Cell(item.uri, language(item), item.text) for item in opened}}
    return tuple(texts[cell.document] for cell in cells if cell.document in texts)


def source_offset(document: Document, uri: str, place: types.Position, encoding: str) -> int | None:
    """The offset in a document's source of a place in one of its parts."""
    found = document.text(uri)
    return None if found is None else found[0] + offset(found[1], place, encoding)


def _range(document: Document, part: Part, start: int, end: int, encoding: str) -> types.Range:
    source = document.source
    return types.Range(
        position(source, start, encoding, part.start), position(source, max(start, end), encoding, part.start)
    )


# Diagnostics


def diagnostics(document: Document, found: Iterable[Found], client: Client) -> dict[str, list[types.Diagnostic]]:
    """What was found, by the URI of the part it is in; each part has its list."""
    lists: dict[str, list[types.Diagnostic]] = {uri: [] for uri in document.uris}
    for one in found:
        lists[document.part(one.diagnostic.start).uri].append(_diagnostic(document, one, client))
    return lists


def _diagnostic(document: Document, found: Found, client: Client) -> types.Diagnostic:
    diagnostic, silencing = found
    encoding = client.encoding
    fix = diagnostic.fix
    part = document.part(diagnostic.start)
    data: dict[str, Any] | None = None
    if diagnostic.is_rule:
        data = {
            "code": diagnostic.code,
            "title": diagnostic.name if fix is None else fix.title,
            "edits": [_edit(document, edit, encoding) for edit in fix.edits] if fix else [],
            "noqa_edit": silencing and _edit(document, silencing, encoding),
            "is_preferred": fix is not None and fix.applicability is Applicability.SAFE,
        }
    return types.Diagnostic(
        range=_range(document, part, diagnostic.start, diagnostic.end, encoding),
        message=f"{diagnostic.message}\n\nhelp: {fix.title}" if fix else diagnostic.message,
        severity=_SEVERITIES[diagnostic.severity],
        code=diagnostic.code,
        source=NAME,
        tags=[types.DiagnosticTag.Unnecessary] if diagnostic.code == UNUSED else [],
        related_information=[] if client.related else None,
        data=data,
    )


def asked(
    document: Document, found: Iterable[Found], uri: str, about: Iterable[types.Diagnostic], encoding: str
) -> dict[Found, types.Diagnostic]:
    """What of the found the client asks about, with the client's own diagnostic: none that is no longer to say."""
    known = {}
    for one in found:
        part = document.part(one.diagnostic.start)
        if part.uri == uri:
            place = _range(document, part, one.diagnostic.start, one.diagnostic.end, encoding)
            known[_key(one.diagnostic.code, place)] = one
    keyed = ((_key(diagnostic.code, diagnostic.range), diagnostic) for diagnostic in about)
    return {known[key]: diagnostic for key, diagnostic in keyed if key in known}


def _key(code: int | str | None, place: types.Range) -> tuple[object, ...]:
    return code, place.start.line, place.start.character, place.end.line, place.end.character


def published(uri: str, version: int | None, items: Sequence[types.Diagnostic]) -> types.PublishDiagnosticsParams:
    """The diagnostics of a text to push."""
    return types.PublishDiagnosticsParams(uri=uri, diagnostics=items, version=version)


def report(items: Sequence[types.Diagnostic] | None, result: str) -> types.DocumentDiagnosticReport:
    """The answer to a pull; `items` is None where nothing has changed since."""
    if items is None:
        return types.RelatedUnchangedDocumentDiagnosticReport(result_id=result)
    return types.RelatedFullDocumentDiagnosticReport(items=items, result_id=result)


class Pulled(NamedTuple):
    """The diagnostics of one file of the workspace; `items` is None where nothing has changed since."""

    uri: str
    version: int | None
    result: str
    items: Sequence[types.Diagnostic] | None


def workspace_report(files: Iterable[Pulled]) -> types.WorkspaceDiagnosticReport:
    """The answer to a pull of the workspace."""
    return types.WorkspaceDiagnosticReport(
        [
            types.WorkspaceUnchangedDocumentDiagnosticReport(uri=file.uri, result_id=file.result, version=file.version)
            if file.items is None
            else types.WorkspaceFullDocumentDiagnosticReport(
                uri=file.uri, items=file.items, version=file.version, result_id=file.result
            )
            for file in files
        ]
    )


# Edits and actions


def _edit(document: Document, edit: Edit, encoding: str) -> types.TextEdit:
    part = document.part(edit.start)
    return types.TextEdit(range=_range(document, part, edit.start, edit.end, encoding), new_text=edit.content)


def workspace_edit(edits: Mapping[str, Sequence[types.TextEdit]], client: Client) -> types.WorkspaceEdit:
    """The edits of each text, by URI, as the client takes them."""
    if not client.document_changes:
        return types.WorkspaceEdit(changes=edits)
    changes = [
        types.TextDocumentEdit(text_document=types.OptionalVersionedTextDocumentIdentifier(uri=uri), edits=list(own))
        for uri, own in edits.items()
    ]
    return types.WorkspaceEdit(document_changes=changes)


def by_uri(document: Document, edits: Iterable[Edit], encoding: str) -> dict[str, list[types.TextEdit]]:
    """Edits on a document's source, by the URI of the part that each is in."""
    found: dict[str, list[types.TextEdit]] = {}
    for edit in edits:
        found.setdefault(document.part(edit.start).uri, []).append(_edit(document, edit, encoding))
    return found


def code_action(
    action: Action, document: Document, client: Client, about: Sequence[types.Diagnostic], data: object
) -> types.CodeAction:
    """An action as the client takes it. `about` are the diagnostics it is for, as the client knows them; `data` comes
    back when it wants the edit."""
    edit = None if action.edits is None else workspace_edit(by_uri(document, action.edits, client.encoding), client)
    return types.CodeAction(
        title=action.title,
        kind=action.kind,
        diagnostics=[_without_data(diagnostic) for diagnostic in about] or None,
        is_preferred=action.preferred,
        edit=edit,
        command=types.Command(title=action.title, command=action.command[0], arguments=list(action.command[1:]))
        if action.command
        else None,
        data=data if client.resolve else None,
    )


def _without_data(diagnostic: types.Diagnostic) -> types.Diagnostic:
    return types.Diagnostic(
        range=diagnostic.range,
        message=diagnostic.message,
        severity=diagnostic.severity,
        code=diagnostic.code,
        code_description=diagnostic.code_description,
        source=diagnostic.source,
        tags=diagnostic.tags,
        related_information=diagnostic.related_information,
    )


def apply_edit(label: str, edit: types.WorkspaceEdit) -> types.ApplyWorkspaceEditParams:
    """The request to make an edit."""
    return types.ApplyWorkspaceEditParams(edit=edit, label=label)


def hover(found: Hover, document: Document, encoding: str) -> types.Hover:
    """What is to say about a place."""
    content = types.MarkupContent(kind=types.MarkupKind.Markdown, value=found.markdown)
    return types.Hover(
        contents=content, range=_range(document, document.part(found.start), found.start, found.end, encoding)
    )


# Messages


def message(text: str, error: bool) -> types.ShowMessageParams:
    """An error or a warning that the user is to see."""
    return types.ShowMessageParams(type=types.MessageType.Error if error else types.MessageType.Warning, message=text)


def show_document(uri: str) -> types.ShowDocumentParams:
    """The request to open a file."""
    return types.ShowDocumentParams(uri=uri, take_focus=True)


def configuration_of(folders: Sequence[str]) -> types.ConfigurationParams:
    """The request for our section of the settings, of the editor and of each folder."""
    scoped = [types.ConfigurationItem(scope_uri=uri(folder), section=NAME) for folder in folders]
    return types.ConfigurationParams([types.ConfigurationItem(section=NAME), *scoped])


def progress(token: int | str, kind: str, message: str) -> types.ProgressParams:
    """How far long work is: its `begin`, a `report` or its `end`."""
    value: Any
    if kind == "begin":
        value = types.WorkDoneProgressBegin(title=message, cancellable=True)
    else:
        value = (types.WorkDoneProgressReport if kind == "report" else types.WorkDoneProgressEnd)(message=message)
    return types.ProgressParams(token=token, value=value)


def trace(message: str) -> types.LogTraceParams:
    """A line for whoever traces the server."""
    return types.LogTraceParams(message=message)
