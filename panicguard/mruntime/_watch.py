"""Work that runs for longer than it should, told once."""

from __future__ import annotations

import logging
import sys
import threading
from time import perf_counter
from typing import TYPE_CHECKING

from ._log import note
from ._registry import stack_of, working

if TYPE_CHECKING:
    from collections.abc import Callable, Collection


def watch(longer_than: float, *, components: Collection[str] | None = None) -> Callable[[], None]:
    """From now on, log what runs for more than so many seconds, once, with its stack; returns what ends that.

    A WARNING of the logger `mruntime`, from a daemon thread that looks four times in `longer_than`. `components`: only
    these; without it, work that is to go on for ever is told as well. ValueError if `longer_than` is not positive.
    """
    if longer_than <= 0:
        raise ValueError(f"longer_than must be positive, not {longer_than!r}")
    stopped = threading.Event()

    def look() -> None:
        told: set[object] = set()
        while not stopped.wait(longer_than / 4):
            now, works = perf_counter(), working()
            told &= {work.key for work in works}
            for work in works:
                seconds = now - work.began
                known = (
                    not work.began or work.key in told or (components is not None and work.component not in components)
                )
                if seconds <= longer_than or known:
                    continue
                told.add(work.key)
                where = stack_of(work, sys._current_frames())
                note(logging.WARNING, f"{work.kind} {work.component}/{work.name} runs for {seconds:.1f} s:\n{where}")

    threading.Thread(target=look, name="mruntime-watch", daemon=True).start()
    return stopped.set
