"""A TOML document, and errors that point at a place in it, which the TOML library does not give."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from panicguard.config.errors import ConfigError
from panicguard.files import links, reading
from panicguard.report.width import one_line

if TYPE_CHECKING:
    Where = tuple[str | int, ...]
    """The path of a value in a document: keys, and indices in arrays."""


class Document(NamedTuple):
    """A TOML text: `path` is None for an argument of the command line.

    `outside` is the directory in which it should lie for its content to be shown, if it lies elsewhere: a project's
    settings may lead to any file of the user's.
    """

    path: str | None
    text: str
    table: dict[str, Any]
    outside: str | None = None

    @property
    def origin(self) -> str:
        return f"`{one_line(self.path)}`" if self.path else "the CLI"

    @property
    def is_pyproject(self) -> bool:
        return self.path is not None and os.path.basename(self.path) == "pyproject.toml"

    def tool(self, name: str) -> object:
        """The table of a tool in a pyproject.toml; None if there is none."""
        tools = self.table.get("tool")
        return tools.get(name) if isinstance(tools, dict) else None

    def row(self, where: Where) -> int:
        """The 1-based line on which a value stands."""
        return self.text.count("\n", 0, _positions(self.text).get(where, (0, 1))[0]) + 1

    def error(self, where: Where, message: str) -> ConfigError:
        """The error that points at a value; at a key where the last part of `where` is empty."""
        return self.failure(*_positions(self.text).get(where, (0, 1)), message)

    def failure(self, start: int, end: int, message: str) -> ConfigError:
        """The error that points at these offsets of the text; for a text that must not be shown, it only says where."""
        row = self.text.count("\n", 0, start) + 1
        line_start = self.text.rfind("\n", 0, start) + 1
        line = self.text[line_start:].partition("\n")[0].rstrip("\r")
        column = start - line_start
        gutter = " " * len(str(row))
        # A caret needs as much room as what it is under: a tab stays one.
        blank = "".join("\t" if char == "\t" else " " for char in line[:column])
        frame = (
            f"TOML parse error at line {row}, column {column + 1}\n{gutter} |\n{row} | {line}\n"
            f"{gutter} | {blank}{'^' * max(1, min(end, line_start + len(line)) - start)}\n{one_line(message)}"
        )
        if self.path is None:
            return ConfigError(f"Invalid value '{one_line(self.text)}' for '--config'", frame)
        path = one_line(self.path)
        if self.outside is not None:
            frame = f"At line {row}, column {column + 1}, it is not valid for panicguard. {self._hidden}"
        parsing = f"Failed to parse {path}"
        if self.is_pyproject:
            return ConfigError(parsing, frame)
        return ConfigError(f"Failed to load configuration `{path}`", parsing, frame)

    @property
    def _hidden(self) -> str:
        """Why the content of the document is not shown, and how to see it."""
        import shlex

        command = one_line(f"panicguard check --config {shlex.quote(self.path or '')}")
        return (
            f"Its content is not shown because the file is outside of `{one_line(self.outside or '')}`: "
            f"see it with `{command}`."
        )


def read(path: str, within: str | None = None) -> Document:
    """The document in a file. Raises ConfigError if it cannot be read or is not valid TOML.

    Its content is shown only if the file really lies in the directory `within`; if that is None, as for a file that the
    user named, wherever it lies.
    """
    try:
        text = reading.read(path, reading.SETTINGS).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = (error.strerror or str(error)) if isinstance(error, OSError) else "it is not UTF-8"
        name = one_line(path)
        raise ConfigError(f"Failed to load configuration `{name}`", f"Failed to read {name}", reason) from None
    return parse(Document(path, text, {}, None if within is None or not links.leads_out(path, within) else within))


def parse(document: Document) -> Document:
    """The document with its table. Raises ConfigError at the place that is not valid TOML."""
    import sys

    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        return document._replace(table=tomllib.loads(document.text))
    except RecursionError:
        raise document.failure(0, 1, "nested too deeply") from None
    except ValueError as error:
        message, _, place = str(error).partition(" (at ")
        position = re.match(r"line (\d+), column (\d+)", place)
        at = len(document.text.rstrip("\r\n"))
        if position:
            lines = document.text.split("\n")[: int(position[1]) - 1]
            at = sum(len(line) + 1 for line in lines) + int(position[2]) - 1
        raise document.failure(at, at + 1, message[:1].lower() + message[1:]) from None


_TOKEN = r"""(?xs)
    [ \t\r]+ | \#[^\n]*
  | (?P<token> \"{3}(?:\\.|[^\\])*?\"{3,5} | '{3}.*?'{3,5} | "(?:\\.|[^"\\\n])*" | '[^'\n]*'
             | [][{}=,.\n] | [^][{}=,.\s\#"']+ )
"""


def _positions(text: str) -> dict[Where, tuple[int, int]]:
    """Where the values of a TOML text stand; the key of each, under its path with an empty part appended.

    The TOML library does not give that. The text is one that it could read.
    """
    positions: dict[Where, tuple[int, int]] = {}
    tokens = [m.span("token") for m in re.finditer(_TOKEN, text) if m["token"]]
    words = [text[start:end] for start, end in tokens]

    def keys(at: int, base: Where, end: str) -> tuple[Where, int]:
        while words[at] != end:
            if words[at] != ".":
                base = (*base, words[at].strip("\"'"))
                positions.setdefault((*base, ""), tokens[at])
            at += 1
        return base, at + 1

    def value(at: int, where: Where) -> int:
        start, is_array = at, words[at] == "["
        if words[at] in ("[", "{"):
            at, index = at + 1, 0
            while words[at] not in ("]", "}"):
                if words[at] in (",", "\n"):
                    at += 1
                elif is_array:
                    at, index = value(at, (*where, index)), index + 1
                else:
                    name, at = keys(at, where, "=")
                    at = value(at, name)
            at += 1
        else:
            while at < len(words) and words[at] not in (",", "]", "}", "\n"):
                at += 1
        positions[where] = (tokens[start][0], tokens[at - 1][1])
        return at

    at = 0
    table: Where = ()
    while at < len(words):
        if words[at] in ("\n", "]"):
            at += 1
        elif words[at] == "[":
            start = tokens[at]
            while words[at] == "[":
                at += 1
            table, at = keys(at, (), "]")
            positions.setdefault(table, start)
        else:
            name, at = keys(at, table, "=")
            at = value(at, name)
    return positions
