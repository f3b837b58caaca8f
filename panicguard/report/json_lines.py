"""`--output-format json-lines`: the objects of `json`, one a line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from panicguard.report.json import objects

if TYPE_CHECKING:
    from collections.abc import Sequence

    from panicguard.diagnostic import Result


def render(results: Sequence[Result]) -> str:
    """One object for each diagnostic, without spaces, each with a newline at its end."""
    return "".join(f"{_compact(diagnostic)}\n" for diagnostic in objects(results))


def _compact(diagnostic: dict[str, Any]) -> str:
    return json.dumps(diagnostic, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
