"""Jupyter notebooks, format 4: the Python cells of a document, and the document with other text in some of them.

A document is the JSON text of a notebook. Only the `source` values of changed cells are ever replaced in it, so that
what a fix does not touch stays as it was: indentation, order of keys, escapes, the newline at the end. No cell gets an
`id` that it lacks.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PYTHON_CELLS = frozenset("capture debug ipytest prun pypy python python3 time timeit".split())
"""The cell magics whose cells are Python."""
AUTOMAGICS = frozenset(
    "alias alias_magic autoawait autocall automagic bookmark cd code_wrap colors conda config debug dhist dirs "
    "doctest_mode edit env gui history killbgscripts load load_ext loadpy logoff logon logstart logstate logstop "
    "lsmagic macro magic mamba matplotlib micromamba notebook page pastebin pdb pdef pdoc pfile pinfo pinfo2 pip popd "
    "pprint precision prun psearch psource pushd pwd pycat pylab quickref recall rehashx reload_ext rerun reset "
    "reset_selective run save sc set_env sx system tb time timeit unalias unload_ext who who_ls whos xdel xmode".split()
)
"""The line magics that work without their `%` unless a variable has their name."""

_CELL_MAGIC = re.compile(r"^[^\S\n]*%%(\S*)", re.MULTILINE)
_AUTOMAGIC = re.compile(r"(\w+)(?:[ \t]+(?!\S*=(?:\s|\Z))|[ \t]*(?:\n|\Z))")  # not `time = 3`
_SPACE = re.compile(r"[ \t\r\n]*")
_decode = json.JSONDecoder().raw_decode


def read(document: str) -> list[tuple[int, str]]:
    """The Python cells of a notebook: their numbers, 1-based and over all cells, and their text; none if it is written
    in another language. Raises ValueError if the document is not a notebook."""
    try:
        notebook = json.loads(document)
    except RecursionError:
        raise ValueError("a notebook is JSON, and this is nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"a notebook is JSON, and this is not: {error}") from None
    for fault in _faults(notebook):
        raise ValueError(f"this is not a notebook of format 4: {fault}")
    if not _is_python(notebook["metadata"]):
        return []
    cells = [(number, cell, "".join(cell["source"])) for number, cell in enumerate(notebook["cells"], 1)]
    return [(number, text) for number, cell, text in cells if _is_python_cell(cell, text)]


def write(document: str, texts: Mapping[int, str]) -> str:
    """The document with these texts in the cells of these numbers."""
    pieces: list[str] = []
    done = 0
    cells = _children(document, dict(_children(document, _SPACE.match(document).end()))["cells"][0])  # type: ignore[union-attr]
    for number, (_, (at, _)) in enumerate(cells, 1):
        if number not in texts:
            continue
        start, end = dict(_children(document, at))["source"]
        value = document[start:end]
        if "".join(json.loads(value)) != texts[number]:
            pieces += document[done:start], _source(value, texts[number], spaced=document[start - 1].isspace())
            done = end
    return "".join((*pieces, document[done:]))


def lines(text: str) -> list[str]:
    """The lines of a cell as a notebook keeps them: each with its newline, none in an empty cell."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _faults(notebook: Any) -> Iterator[str]:
    """Why a JSON value is not a notebook that can be read."""
    if not isinstance(notebook, dict):
        yield "expected an object"
        return
    if not isinstance(notebook.get("metadata"), dict):
        yield "expected an object in `metadata`"
    if not isinstance(notebook.get("nbformat"), int) or not isinstance(notebook.get("nbformat_minor"), int):
        yield "expected numbers in `nbformat` and `nbformat_minor`"
    elif notebook["nbformat"] != 4:
        yield f"it has format {notebook['nbformat']}"
    if not isinstance(notebook.get("cells"), list):
        yield "expected a list in `cells`"
        return
    for number, cell in enumerate(notebook["cells"], 1):
        if not isinstance(cell, dict) or cell.get("cell_type") not in ("code", "markdown", "raw"):
            yield f"expected `code`, `markdown` or `raw` in `cell_type` of cell {number}"
            return
        source = cell.get("source")
        if not isinstance(source, (str, list)) or not all(isinstance(item, str) for item in source):
            yield f"expected text, or a list of it, in `source` of cell {number}"
        elif cell["cell_type"] == "code" and re.search("[\ud800-\udfff]", "".join(source)):
            yield f"half a surrogate pair stands in `source` of cell {number}"


def _is_python(metadata: Mapping[str, Any]) -> bool:
    """Whether the kernel runs Python, according to the notebook; assumed if it does not say."""
    info, kernel = metadata.get("language_info"), metadata.get("kernelspec")
    if isinstance(info, dict):
        return bool(info.get("name") == "python")
    if isinstance(kernel, dict):
        return bool(kernel.get("language", str(kernel.get("name")).rstrip("0123456789")) == "python")
    return True


def _is_python_cell(cell: Mapping[str, Any], text: str) -> bool:
    if cell["cell_type"] != "code":
        return False
    metadata = cell.get("metadata")
    editor = metadata.get("vscode") if isinstance(metadata, dict) else None
    if isinstance(editor, dict) and editor.get("languageId", "python") != "python":
        return False
    automagic = _AUTOMAGIC.match(text)
    if automagic and automagic[1] in AUTOMAGICS:
        return False
    return all(magic[1] in PYTHON_CELLS for magic in _CELL_MAGIC.finditer(text))


def _source(value: str, text: str, *, spaced: bool) -> str:
    """The JSON of a cell's source after a change, in the manner of its JSON `value`: a string, or a list of lines of
    which unchanged ones are not rewritten. `spaced`: whether the document has spaces between values."""
    if value.startswith('"'):
        return _json(text, value)
    old: Sequence[str] = json.loads(value)
    new = lines(text)
    if not old or not new:
        return f"[{', '.join(_json(line, value) for line in new)}]"
    spans = [span for _, span in _children(value, 0)]
    first = _common(old, new)
    last = min(_common(old[::-1], new[::-1]), len(old) - first, len(new) - first)
    items = [value[start:end] for start, end in spans]
    items[first : len(items) - last] = [_json(line, value) for line in new[first : len(new) - last]]
    opening, closing = value[1 : spans[0][0]], value[spans[-1][1] : -1]
    separator = value[spans[0][1] : spans[1][0]] if len(spans) > 1 else f",{opening or ' ' * spaced}"
    return f"[{opening}{separator.join(items)}{closing}]"


def _json(text: str, like: str) -> str:
    """A string in JSON, with escapes for what is not ASCII if another JSON text is ASCII only."""
    return json.dumps(text, ensure_ascii=like.isascii())


def _common(left: Sequence[str], right: Sequence[str]) -> int:
    """How many items two lists begin with in common."""
    return next((i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))


def _children(text: str, at: int) -> list[tuple[str, tuple[int, int]]]:
    """The values of the JSON object or array that starts at an offset: their keys (empty in an array), and where they
    stand. The text is one that could be decoded."""
    children: list[tuple[str, tuple[int, int]]] = []
    is_object = text[at] == "{"
    at = _past(text, at)
    while text[at] not in "]}":
        if text[at] == ",":
            at = _past(text, at)
        key = ""
        if is_object:
            key, at = _decode(text, at)
            at = _past(text, _past(text, at, 0))
        end = _decode(text, at)[1]
        children.append((key, (at, end)))
        at = _past(text, end, 0)
    return children


def _past(text: str, at: int, characters: int = 1) -> int:
    """The offset behind so many characters and the space that follows."""
    return _SPACE.match(text, at + characters).end()  # type: ignore[union-attr]
