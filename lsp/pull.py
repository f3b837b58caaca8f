"""Diagnostics that the client asks for: of a document, or of the whole workspace."""

from __future__ import annotations

import asyncio
import functools
import os
from typing import TYPE_CHECKING

from panicguard.model import INTERNAL_ERROR, Diagnostic
from panicguard.settings import language
from panicguard.source import Source

from . import convert, documents
from .documents import Document
from .jobs import Found
from .process import JobError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lsprotocol import types

    from panicguard.settings import Settings

    from .server import Server


async def diagnostic(ls: Server, params: types.DocumentDiagnosticParams) -> types.DocumentDiagnosticReport:
    uri = params.text_document.uri
    document = ls.document(uri)
    if document is None:
        return convert.report([], "")
    result = ls.result(document)
    if params.previous_result_id == result:
        return convert.report(None, result)
    found = await ls.found(document)
    return convert.report(convert.diagnostics(document, found, ls.client).get(uri, []), result)


async def workspace_diagnostic(ls: Server, params: types.WorkspaceDiagnosticParams) -> types.WorkspaceDiagnosticReport:
    token = params.work_done_token
    tell = functools.partial(_progress, ls, token)
    previous = {known.uri: known.value for known in params.previous_result_ids}
    if token is not None:
        ls.cancellable[token] = asyncio.current_task()
    opened = {document.source.path: document for document in ls.documents.values()}
    pulled: list[convert.Pulled] = []
    tell("begin", "Checking the workspace")
    try:
        for folder in ls.configuration.folders:
            for path, settings in await asyncio.to_thread(list, ls.configuration.files(folder)):
                if ls.configuration.folder(path) != folder:
                    continue  # it is in another workspace folder, within this one
                if (report := await _pull(ls, path, opened.get(path), settings, previous)) is not None:
                    pulled.append(report)
                if len(pulled) % 50 == 0:
                    tell("report", f"{len(pulled)} files")
                    await asyncio.sleep(0)  # others may have come meanwhile
    finally:
        tell("end", f"{len(pulled)} files")
        if token is not None:
            ls.cancellable.pop(token, None)
    return convert.workspace_report(pulled)


async def _pull(
    ls: Server, path: str, document: Document | None, settings: Settings, previous: Mapping[str, str]
) -> convert.Pulled | None:
    """The report on a file of the workspace; if it is open, on what the editor has. None if there is none."""
    if document.is_notebook if document is not None else language(settings, path) == "ipynb":
        return None  # its cells have no URIs until it is open, and then it is pushed
    if document is not None:
        uri, version, result = document.uri, document.version, ls.result(document)
    else:
        try:
            status = os.stat(path)
        except OSError:
            return None
        uri, version, its = convert.uri(path), None, ls.configuration.preferences(path)
        result = f"{hash((status.st_mtime_ns, status.st_size, status.st_ino, settings, its)):x}"
    if previous.get(uri) == result:
        return convert.Pulled(uri, version, result, None)
    if document is not None:
        found = await ls.found(document)
    else:
        document, found = await _of_file(ls, path, settings)
    return convert.Pulled(uri, version, result, convert.diagnostics(document, found, ls.client)[uri])


async def _of_file(ls: Server, path: str, settings: Settings) -> tuple[Document, tuple[Found, ...]]:
    try:
        source, found = await ls.bulk.run("check_file", path, settings)
    except JobError as error:
        source = Source(path, "")
        found = (Found(Diagnostic(INTERNAL_ERROR, INTERNAL_ERROR, str(error), 0, 0), None),)
    uri = convert.uri(path)
    return Document(uri, None, source, (documents.Part(uri, 0),)), found


def _progress(ls: Server, token: int | str | None, kind: str, message: str) -> None:
    if token is not None:
        ls.progress(convert.progress(token, kind, message))


def cancel_progress(ls: Server, params: types.WorkDoneProgressCancelParams) -> None:
    if (task := ls.cancellable.get(params.token)) is not None:
        task.cancel()
