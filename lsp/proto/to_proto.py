"""Findings, edits and texts as values of the protocol, with positions in the client's encoding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from lsprotocol import types
from pygls import uris

from panicguard.diagnostic import Applicability, Severity
from panicguard.suppression.match import UNUSED

from .capabilities import NAME
from .positions import range_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from panicguard.diagnostic import Edit

    from ..actions import Action
    from ..documents import Document
    from ..hover import Hover
    from ..jobs import EditorFinding
    from .capabilities import Client

_SEVERITIES = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
    Severity.INFO: types.DiagnosticSeverity.Information,
}


def uri(path: str) -> str:
    """The URI of a file."""
    return uris.from_fs_path(path) or f"file://{path}"


# Diagnostics


def diagnostics(
    document: Document, findings: Iterable[EditorFinding], client: Client
) -> dict[str, list[types.Diagnostic]]:
    """The diagnostics of a document, by the URI of the part they are in. A part without any has an empty list."""
    lists: dict[str, list[types.Diagnostic]] = {uri: [] for uri in document.uris}
    for finding in findings:
        lists[document.part(finding.diagnostic.start).uri].append(_diagnostic(document, finding, client))
    return lists


def _diagnostic(document: Document, finding: EditorFinding, client: Client) -> types.Diagnostic:
    diagnostic, silencing = finding
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
        range=range_in(document, part, diagnostic.start, diagnostic.end, encoding),
        message=f"{diagnostic.message}\n\nhelp: {fix.title}" if fix else diagnostic.message,
        severity=_SEVERITIES[diagnostic.severity],
        code=diagnostic.code,
        source=NAME,
        tags=[types.DiagnosticTag.Unnecessary] if diagnostic.code == UNUSED else [],
        related_information=[] if client.related else None,
        data=data,
    )


def published(uri: str, version: int | None, items: Sequence[types.Diagnostic]) -> types.PublishDiagnosticsParams:
    """The notification that pushes the diagnostics of a text."""
    return types.PublishDiagnosticsParams(uri=uri, diagnostics=items, version=version)


def report(items: Sequence[types.Diagnostic] | None, result_id: str) -> types.DocumentDiagnosticReport:
    """The answer to a pull. `items` is None if nothing has changed since the client's last pull."""
    if items is None:
        return types.RelatedUnchangedDocumentDiagnosticReport(result_id=result_id)
    return types.RelatedFullDocumentDiagnosticReport(items=items, result_id=result_id)


class FileReport(NamedTuple):
    """The diagnostics of one file of the workspace. `items` is None if nothing has changed since the client's last
    pull; `result_id` is what the client sends with the next one."""

    uri: str
    version: int | None
    result_id: str
    items: Sequence[types.Diagnostic] | None


def workspace_report(files: Iterable[FileReport]) -> types.WorkspaceDiagnosticReport:
    """The answer to a pull of the workspace."""
    return types.WorkspaceDiagnosticReport(
        [
            types.WorkspaceUnchangedDocumentDiagnosticReport(
                uri=file.uri, result_id=file.result_id, version=file.version
            )
            if file.items is None
            else types.WorkspaceFullDocumentDiagnosticReport(
                uri=file.uri, items=file.items, version=file.version, result_id=file.result_id
            )
            for file in files
        ]
    )


# Edits and actions


def _edit(document: Document, edit: Edit, encoding: str) -> types.TextEdit:
    part = document.part(edit.start)
    return types.TextEdit(range=range_in(document, part, edit.start, edit.end, encoding), new_text=edit.content)


def workspace_edit(edits: Mapping[str, Sequence[types.TextEdit]], client: Client) -> types.WorkspaceEdit:
    """The edits of each text, by URI, in the form that the client supports."""
    if not client.document_changes:
        return types.WorkspaceEdit(changes=edits)
    changes = [
        types.TextDocumentEdit(
            text_document=types.OptionalVersionedTextDocumentIdentifier(uri=uri), edits=list(text_edits)
        )
        for uri, text_edits in edits.items()
    ]
    return types.WorkspaceEdit(document_changes=changes)


def by_uri(document: Document, edits: Iterable[Edit], encoding: str) -> dict[str, list[types.TextEdit]]:
    """Edits of a document's source, by the URI of the part that each is in."""
    lists: dict[str, list[types.TextEdit]] = {}
    for edit in edits:
        lists.setdefault(document.part(edit.start).uri, []).append(_edit(document, edit, encoding))
    return lists


def code_action(
    action: Action, document: Document, client: Client, about: Sequence[types.Diagnostic], data: object
) -> types.CodeAction:
    """An action for the client. `about` are the diagnostics it is for, as the client sent them; the client sends `data`
    back when it asks for the edit."""
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
    """The request to apply an edit."""
    return types.ApplyWorkspaceEditParams(edit=edit, label=label)


def hover(text: Hover, document: Document, encoding: str) -> types.Hover:
    """The answer to a hover."""
    content = types.MarkupContent(kind=types.MarkupKind.Markdown, value=text.markdown)
    part = document.part(text.start)
    return types.Hover(contents=content, range=range_in(document, part, text.start, text.end, encoding))


# Messages


def message(text: str, error: bool) -> types.ShowMessageParams:
    """The notification that shows an error or a warning to the user."""
    return types.ShowMessageParams(type=types.MessageType.Error if error else types.MessageType.Warning, message=text)


def show_document(uri: str) -> types.ShowDocumentParams:
    """The request to open a file."""
    return types.ShowDocumentParams(uri=uri, take_focus=True)


def configuration_of(folders: Sequence[str]) -> types.ConfigurationParams:
    """The request for the settings of panicguard: those of the editor, then those of each folder."""
    scoped = [types.ConfigurationItem(scope_uri=uri(folder), section=NAME) for folder in folders]
    return types.ConfigurationParams([types.ConfigurationItem(section=NAME), *scoped])


def progress(token: int | str, kind: str, message: str) -> types.ProgressParams:
    """The progress of a long task; `kind` is `begin`, `report` or `end`."""
    value: Any
    if kind == "begin":
        value = types.WorkDoneProgressBegin(title=message, cancellable=True)
    else:
        value = (types.WorkDoneProgressReport if kind == "report" else types.WorkDoneProgressEnd)(message=message)
    return types.ProgressParams(token=token, value=value)


def trace(message: str) -> types.LogTraceParams:
    """A line of the trace that the client asked for."""
    return types.LogTraceParams(message=message)
