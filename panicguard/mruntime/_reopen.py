"""The way back from a shutdown."""

from __future__ import annotations

from ._state import STATE


def reopen() -> None:
    """Allow spawns again after `shutdown`, in a notebook or a worker, say: `root()` is a new context.

    What outlived the shutdown stays as it is, its context done. Nothing happens if nothing was shut down. RuntimeError
    while a shutdown still runs: it would wait for what is started now.
    """
    with STATE.lock:
        if STATE.shutdowns:
            raise RuntimeError("reopen(): a shutdown runs; wait for its report")
        if STATE.closed:
            start_over()


def start_over() -> None:
    """As `reopen`, whatever runs: the next test is another process, so to speak."""
    with STATE.lock:
        STATE.closed = False
        STATE.root = None
