"""Documents and notebooks that are opened, changed and closed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from panicguard.languages import FRONT_ENDS

from .. import documents
from ..proto import from_proto, to_proto

if TYPE_CHECKING:
    from lsprotocol import types

    from ..server import Server


DEBOUNCE = 0.06
"""Seconds without a keystroke before a check."""


def did_open(ls: Server, params: types.DidOpenTextDocumentParams) -> None:
    item = params.text_document
    language = from_proto.language(item)
    if language in FRONT_ENDS:
        ls.document_changed(documents.document(item.uri, _path(ls, item.uri), item.version, item.text, language))


def did_change(ls: Server, params: types.DidChangeTextDocumentParams) -> None:
    uri, version = params.text_document.uri, params.text_document.version
    document = ls.documents.get(uri)
    if document is None or document.is_notebook:
        return
    before = document.source
    text = from_proto.changed(before.text, params.content_changes, ls.client.encoding)
    ls.document_changed(documents.document(uri, before.path, version, text, before.language), DEBOUNCE)


def did_close(ls: Server, params: types.DidCloseTextDocumentParams) -> None:
    ls.document_closed(params.text_document.uri)


def did_save(ls: Server, params: object) -> None:
    """Nothing to do: the text that was saved is the one that the editor sent before."""


def did_open_notebook(ls: Server, params: types.DidOpenNotebookDocumentParams) -> None:
    notebook = params.notebook_document
    cells = from_proto.cells(notebook, params.cell_text_documents)
    ls.document_changed(documents.notebook(notebook.uri, _path(ls, notebook.uri), notebook.version, cells))


def did_change_notebook(ls: Server, params: types.DidChangeNotebookDocumentParams) -> None:
    document = ls.documents.get(params.notebook_document.uri)
    if document is None or not document.is_notebook:
        return
    changes = from_proto.cell_changes(document, params.change, ls.client.encoding)
    after = documents.with_cells(document, params.notebook_document.version, *changes)
    for uri in {*document.uris} - {*after.uris}:
        ls.text_document_publish_diagnostics(to_proto.published(uri, None, ()))
    ls.document_changed(after, DEBOUNCE)


def did_close_notebook(ls: Server, params: types.DidCloseNotebookDocumentParams) -> None:
    ls.document_closed(params.notebook_document.uri)


def _path(ls: Server, uri: str) -> str:
    """The path of a document. One that is not a file gets the path it could be saved under."""
    name = uri.rpartition("/")[2].rpartition(":")[2] or "untitled"
    return from_proto.path(uri) or os.path.join(next(iter(ls.configuration.folders), ls.home), name)
