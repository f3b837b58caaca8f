"""The processes of multiprocessing: those that this one started, and the one that started this one."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from ._registry import Work

if TYPE_CHECKING:
    from collections.abc import Callable

LOOK_AGAIN = 1.0
"""Seconds after which a child looks again whether its parent is the one that it had."""


def children() -> list[Work]:
    """Those that this process started and that live, the workers of process pools among them."""
    processes: Any = sys.modules.get("multiprocessing.process")
    if processes is None:
        return []
    return [
        Work("child", child, "multiprocessing", f"{child.name} (pid {child.pid})", child, 0.0)
        for child in processes.active_children()
    ]


def orphaned() -> Callable[[], None] | None:
    """What waits until the parent is gone, in a child; None in a process that multiprocessing did not start."""
    processes: Any = sys.modules.get("multiprocessing.process")
    parent = None if processes is None else processes.parent_process()
    if parent is None:
        return None
    # Its siblings inherit the pipe by which a forked child hears of its parent's end, and may live on with it.
    direct = hasattr(os, "getppid") and os.getppid() == parent.pid

    def wait() -> None:
        while parent.is_alive() and not (direct and os.getppid() != parent.pid):
            parent.join(LOOK_AGAIN)

    return wait
