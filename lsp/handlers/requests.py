"""What the client asks for on behalf of its user: code actions, hovers and commands."""

from __future__ import annotations

import os
import sys
import tempfile
from typing import TYPE_CHECKING, Any

from pygls.exceptions import JsonRpcInvalidParams

from panicguard import __version__
from panicguard.diagnostic import Edit

from .. import actions, documents
from ..process import JobError
from ..proto import capabilities, from_proto, positions, to_proto

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lsprotocol import types

    from panicguard.settings import Settings

    from ..documents import Document
    from ..server import Server


async def code_action(ls: Server, params: types.CodeActionParams) -> list[types.CodeAction]:
    uri, only = params.text_document.uri, from_proto.kinds(params.context.only)
    document = ls.document(uri)
    settings = None if document is None else ls.settings(document)
    if document is None or settings is None:
        return []
    preferences = ls.configuration.preferences(document.source.path)
    offers: list[tuple[actions.Action, list[types.Diagnostic]]] = []
    if actions.is_wanted(actions.QUICK_FIX, only) and params.context.diagnostics:
        findings = await ls.findings(document)
        asked = from_proto.asked_about(document, findings, uri, params.context.diagnostics, ls.client.encoding)
        for action, finding in actions.of_findings([*asked], findings, preferences, bool(settings.unsafe_fixes)):
            offers.append((action, [asked[finding]]))
    kind = capabilities.NOTEBOOK_FIX_ALL if document.is_notebook else capabilities.FIX_ALL
    if preferences.fix_all and actions.is_wanted(kind, only):
        offers.append((actions.fix_all(kind), []))
    return [await _offer(ls, document, settings, uri, action, about) for action, about in offers]


async def _offer(
    ls: Server,
    document: Document,
    settings: Settings,
    uri: str,
    action: actions.Action,
    about: Sequence[types.Diagnostic],
) -> types.CodeAction:
    """An action for the client, with its edit unless the client asks for that only when the user picks the action."""
    data: object = uri if action.rule is None else {"uri": uri, "rule": action.rule}
    offer = to_proto.code_action(action, document, ls.client, about, data)
    if action.edits is None and not action.command and not ls.client.resolve:
        offer.edit = await _edit(ls, document, settings, action.rule)
    return offer


async def resolve(ls: Server, params: types.CodeAction) -> types.CodeAction:
    if params.edit is not None or params.command is not None:
        return params
    data = params.data
    uri, rule = (data.get("uri"), data.get("rule")) if isinstance(data, dict) else (data, None)
    document = ls.document(uri) if isinstance(uri, str) else None
    settings = None if document is None else ls.settings(document)
    if document is None or settings is None or not isinstance(rule, (str, type(None))):
        raise JsonRpcInvalidParams("this action is for no document that is open")
    params.edit = await _edit(ls, document, settings, rule)
    return params


async def _edit(ls: Server, document: Document, settings: Settings, rule: str | None) -> types.WorkspaceEdit:
    """The edit that fixes a document, or only the findings of `rule` in it."""
    before = document.source
    try:
        after = await ls.worker.run("fixed", before, settings, bool(settings.unsafe_fixes), rule, size=len(before.text))
    except JobError as error:
        ls.notify_user(f"Not fixed: {error}")
        after = None
    edits = [] if after is None else [Edit(s, e, text) for _, s, e, text in documents.replaced(before, after, document)]
    return to_proto.workspace_edit(to_proto.by_uri(document, edits, ls.client.encoding), ls.client)


async def hover(ls: Server, params: types.HoverParams) -> types.Hover | None:
    uri = params.text_document.uri
    document = ls.document(uri)
    settings = None if document is None else ls.settings(document)
    if document is None or settings is None:
        return None
    offset = positions.source_offset(document, uri, params.position, ls.client.encoding)
    if offset is None:
        return None
    try:
        text = await ls.worker.run("hover", document.source, settings, offset, size=len(document.source.text))
    except JobError:
        return None
    return None if text is None else to_proto.hover(text, document, ls.client.encoding)


async def execute_command(ls: Server, params: types.ExecuteCommandParams) -> str | None:
    arguments = params.arguments or []
    match params.command.removeprefix(f"{capabilities.NAME}."):
        case "applyAutofix":
            await _apply(ls, arguments)
        case "reloadSettings":
            ls.reload()
        case "openDocumentation":
            return _documentation(ls, arguments[0] if arguments else None)
        case "printDebugInformation":
            return _debug_information(ls)
        case _:
            raise JsonRpcInvalidParams(f"Invalid command `{params.command}`")
    return None


async def _apply(ls: Server, arguments: Sequence[Any]) -> None:
    """Fix the documents that are named, except those that have changed since the version that is named with them."""
    for argument in arguments:
        uri = argument.get("uri") if isinstance(argument, dict) else argument
        document = ls.document(uri) if isinstance(uri, str) else None
        if document is None:
            raise JsonRpcInvalidParams("expected the `uri` of an open document")
        settings = ls.settings(document)
        version = argument.get("version") if isinstance(argument, dict) else None
        if settings is None or version not in (None, document.version):
            continue
        edit = await _edit(ls, document, settings, None)
        if ls.client.apply_edit and (edit.changes or edit.document_changes):
            ls.background(ls.workspace_apply_edit_async(to_proto.apply_edit(actions.FIX_ALL_TITLE, edit)))


def _documentation(ls: Server, code: object) -> str:
    """The documentation of a rule, also opened in the editor if the client can show files."""
    from panicguard.report.rules import to_markdown
    from panicguard.rule import all_rules

    rule = next((rule for rule in all_rules() if code in (rule.code, rule.name)), None)
    if rule is None:
        raise JsonRpcInvalidParams("expected the code of a rule")
    page = to_markdown(rule)
    if ls.client.show_document:
        ls.pages = ls.pages or tempfile.mkdtemp(prefix="panicguard-")
        path = os.path.join(ls.pages, f"{rule.code}.md")
        with open(path, "w", encoding="utf-8") as file:
            file.write(page)
        ls.background(ls.window_show_document_async(to_proto.show_document(to_proto.uri(path))))
    return page


def _debug_information(ls: Server) -> str:
    open_documents = [
        f"    {document.source.path} (version {document.version}): "
        f"settings from {ls.configuration.in_force(document.source.path) or 'nowhere'}"
        for document in ls.documents.values()
    ]
    return "\n".join(
        (
            f"version = {__version__}",
            f"interpreter = {sys.executable} ({sys.version.split()[0]})",
            f"position_encoding = {ls.client.encoding}",
            f"workspace_folders = {ls.configuration.folders}",
            f"client = {ls.client}",
            f"preferences = {ls.configuration.preferences_of.get('')}",
            "open_documents:",
            *open_documents,
            "",
        )
    )
