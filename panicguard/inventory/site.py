"""A spawn in plain words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SpawnSite:
    """One place that starts concurrent work, in any language. Pieces of source are shortened to one line.

    `text[start:end]` (code points) is what starts it: the function that is called, or a `go` statement up to the body
    of its function.
    """

    start: int
    end: int
    api: str
    """The qualified name of the function that is called, or the keyword."""
    target: str | None
    """What runs, as it is written; None if that is unknown."""
    target_line: int | None
    """The line (from 1) of the function that runs, if it is defined elsewhere in the file."""
    component: str
    policy: str
    is_proposed: bool
    """Whether component and policy are those that a fix would write, not those of the call itself."""
    owner: str | None
    """The loop, executor or group that it is started on."""
    handle: str
    """What happens to the handle, and with it to an error."""
    safe_because: str | None
    """Why an error cannot get lost here; None if that is not known."""


def short(text: str) -> str:
    """The first 60 characters or so of a text, in one line."""
    return text if len(text) <= 60 and "\n" not in text else f"{text.splitlines()[0][:57]}..."
