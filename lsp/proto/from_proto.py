"""What messages of the client say, as plain values. Offsets count code points."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from lsprotocol import types
from lsprotocol.converters import get_converter
from pygls import uris

from ..documents import Cell
from .positions import offset, range_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ..documents import Document
    from ..jobs import EditorFinding

converter = get_converter
"""Makes the converter between JSON and lsprotocol's values."""


def plain(value: object) -> str:
    """A value as it is written in messages, whether lsprotocol has an enumeration for it or not."""
    return str(getattr(value, "value", value))


def path(uri: str) -> str | None:
    """The path of a file; None if the URI is not that of a file."""
    file = uris.to_fs_path(uri) if uri.startswith("file:") else None
    return os.path.normpath(file) if file else None


def folders(params: types.InitializeParams) -> list[str]:
    """The paths of the workspace folders in an `initialize`."""
    named = [folder.uri for folder in params.workspace_folders or ()] or [params.root_uri or ""]
    paths = [folder for uri in named if (folder := path(uri)) is not None]
    if not paths and params.root_path:
        paths = [os.path.normpath(params.root_path)]
    return [*dict.fromkeys(paths)]


def wants_trace(value: types.TraceValue | str | None) -> bool:
    """Whether the client wants to be told what the server does."""
    return plain(value) in ("messages", "verbose")


def language(item: types.TextDocumentItem) -> str:
    """The language of a document."""
    return plain(item.language_id)


def kinds(only: Sequence[types.CodeActionKind | str] | None) -> list[str] | None:
    """The kinds of actions that are asked for; None for all kinds."""
    return None if only is None else [*map(plain, only)]


# Changes


def changed(text: str, changes: Iterable[types.TextDocumentContentChangeEvent], encoding: str) -> str:
    """A text after the changes, one after another."""
    for change in changes:
        if isinstance(change, types.TextDocumentContentChangePartial):
            start, end = (offset(text, position, encoding) for position in (change.range.start, change.range.end))
            text = text[:start] + change.text + text[max(start, end) :]
        else:
            text = change.text
    return text


class CellChanges(NamedTuple):
    """How the cells of a notebook changed: first `removed` cells from index `start` on were replaced by the `added`
    ones, then the cells with the URIs in `texts` got these texts."""

    start: int
    removed: int
    added: tuple[Cell, ...]
    texts: dict[str, str]


def cells(notebook: types.NotebookDocument, opened: Iterable[types.TextDocumentItem]) -> tuple[Cell, ...]:
    """The cells of a notebook that was opened, in its order."""
    return _cells(notebook.cells, opened, {})


def cell_changes(document: Document, change: types.NotebookDocumentChangeEvent, encoding: str) -> CellChanges:
    """The changes to the cells of a notebook."""
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
    """The cells with their texts: of those opened with this message, and of those known before."""
    texts = {**known, **{item.uri: Cell(item.uri, language(item), item.text) for item in opened}}
    return tuple(texts[cell.document] for cell in cells if cell.document in texts)


# Diagnostics that the client sends back


def asked_about(
    document: Document,
    findings: Iterable[EditorFinding],
    uri: str,
    diagnostics: Iterable[types.Diagnostic],
    encoding: str,
) -> dict[EditorFinding, types.Diagnostic]:
    """The findings that the client's diagnostics are about, each with that diagnostic. Diagnostics that are out of date
    are left out."""
    known = {}
    for finding in findings:
        part = document.part(finding.diagnostic.start)
        if part.uri == uri:
            range_ = range_in(document, part, finding.diagnostic.start, finding.diagnostic.end, encoding)
            known[_key(finding.diagnostic.code, range_)] = finding
    keyed = ((_key(diagnostic.code, diagnostic.range), diagnostic) for diagnostic in diagnostics)
    return {known[key]: diagnostic for key, diagnostic in keyed if key in known}


def _key(code: int | str | None, range_: types.Range) -> tuple[object, ...]:
    return code, range_.start.line, range_.start.character, range_.end.line, range_.end.character
