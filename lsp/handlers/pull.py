"""Diagnostics that the client pulls: those of a document, or of the whole workspace."""

from __future__ import annotations

import asyncio
import functools
import os
from typing import TYPE_CHECKING

from panicguard.settings import language
from panicguard.source import Source

from ..documents import Document, Part
from ..jobs import EditorFinding, failed
from ..process import JobError
from ..proto import to_proto

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lsprotocol import types

    from panicguard.settings import Settings

    from ..server import Server


async def diagnostic(ls: Server, params: types.DocumentDiagnosticParams) -> types.DocumentDiagnosticReport:
    uri = params.text_document.uri
    document = ls.document(uri)
    if document is None:
        return to_proto.report([], "")
    result_id = ls.result_id(document)
    if params.previous_result_id == result_id:
        return to_proto.report(None, result_id)
    findings = await ls.findings(document)
    return to_proto.report(to_proto.diagnostics(document, findings, ls.client).get(uri, []), result_id)


async def workspace_diagnostic(ls: Server, params: types.WorkspaceDiagnosticParams) -> types.WorkspaceDiagnosticReport:
    token = params.work_done_token
    progress = functools.partial(_progress, ls, token)
    previous = {known.uri: known.value for known in params.previous_result_ids}
    if token is not None:
        ls.cancellable[token] = asyncio.current_task()
    opened = {document.source.path: document for document in ls.documents.values()}
    reports: list[to_proto.FileReport] = []
    progress("begin", "Checking the workspace")
    try:
        for folder in ls.configuration.folders:
            for path, settings in await asyncio.to_thread(list, ls.configuration.files(folder)):
                if ls.configuration.folder(path) != folder:
                    continue  # it belongs to another workspace folder, inside this one
                if (report := await _report(ls, path, opened.get(path), settings, previous)) is not None:
                    reports.append(report)
                if len(reports) % 50 == 0:
                    progress("report", f"{len(reports)} files")
                    await asyncio.sleep(0)  # let other messages be handled
    finally:
        progress("end", f"{len(reports)} files")
        if token is not None:
            ls.cancellable.pop(token, None)
    return to_proto.workspace_report(reports)


async def _report(
    ls: Server, path: str, document: Document | None, settings: Settings, previous: Mapping[str, str]
) -> to_proto.FileReport | None:
    """The report on a file of the workspace, or on its text in the editor if it is open; None if it cannot have one."""
    if document.is_notebook if document is not None else language(settings, path) == "ipynb":
        return None  # its cells have no URIs until it is open, and then its diagnostics are pushed
    if document is not None:
        uri, version, result_id = document.uri, document.version, ls.result_id(document)
    else:
        try:
            status = os.stat(path)
        except OSError:
            return None
        uri, version, preferences = to_proto.uri(path), None, ls.configuration.preferences(path)
        result_id = f"{hash((status.st_mtime_ns, status.st_size, status.st_ino, settings, preferences)):x}"
    if previous.get(uri) == result_id:
        return to_proto.FileReport(uri, version, result_id, None)
    if document is not None:
        findings = await ls.findings(document)
    else:
        document, findings = await _check_file(ls, path, settings)
    return to_proto.FileReport(uri, version, result_id, to_proto.diagnostics(document, findings, ls.client)[uri])


async def _check_file(ls: Server, path: str, settings: Settings) -> tuple[Document, tuple[EditorFinding, ...]]:
    try:
        source, findings = await ls.bulk.run("check_file", path, settings)
    except JobError as error:
        source, findings = Source(path, ""), (failed(error),)
    uri = to_proto.uri(path)
    return Document(uri, None, source, (Part(uri, 0),)), findings


def _progress(ls: Server, token: int | str | None, kind: str, message: str) -> None:
    if token is not None:
        ls.progress(to_proto.progress(token, kind, message))


def cancel_progress(ls: Server, params: types.WorkDoneProgressCancelParams) -> None:
    if (task := ls.cancellable.get(params.token)) is not None:
        task.cancel()
