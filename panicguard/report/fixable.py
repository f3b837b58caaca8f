"""Which fixes count as available under which flags."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.diagnostic import Applicability

if TYPE_CHECKING:
    from panicguard.diagnostic import Fix


def applies(fix: Fix | None, unsafe: bool | None) -> bool:
    """Whether `--fix` would apply the fix; `unsafe` is `--unsafe-fixes`, None if it is not given."""
    if fix is None:
        return False
    return fix.applicability is Applicability.SAFE or (unsafe is True and fix.applicability is Applicability.UNSAFE)


def hidden(fix: Fix | None, unsafe: bool | None) -> bool:
    """Whether `--unsafe-fixes` would add the fix."""
    return fix is not None and unsafe is not True and fix.applicability is Applicability.UNSAFE
