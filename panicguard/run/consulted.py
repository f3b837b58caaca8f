"""Whether the other files that a result depends on say what they said when they were consulted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.files.stamp import MODULES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from panicguard.files.stamp import Stamp


def are_as_before(consulted: Mapping[str, Stamp | None], stamp_now: Callable[[str], Stamp | None]) -> bool:
    """Whether all have the stamps that they had, or are groups of modules that set the same hooks."""
    return all(
        (now := stamp_now(path)) == stamp or _sets_hooks_as_before(path, stamp, now)
        for path, stamp in consulted.items()
    )


def _sets_hooks_as_before(group: str, consulted: object, now: Stamp | None) -> bool:
    """Whether a group, which has a stamp now, sets the hooks that it did: behind its stamp stands what they come to."""
    if now is None or not group.endswith(MODULES) or not isinstance(consulted, list) or not consulted:
        return False
    if now == consulted[:-1]:
        return True
    from panicguard.run import hooks  # few groups change

    return bool(hooks.digest_of(group, tuple(now)) == consulted[-1])
