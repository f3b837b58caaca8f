"""What must not leave the process in a log, a span or an error report."""

from __future__ import annotations

import re

from ._state import STATE

REDACTED = "panic recovered (details redacted)"
"""Says it instead of the value in production mode."""

_WORDS = ("passw", "pwd", "token", "secret", "api", "credential", "bearer", "authorization")
_SECRET = re.compile(
    r"""\b(?P<key>\w*(?:passw(?:or)?d|pwd|token|secret|api[ _-]?key|credential|authorization|bearer)\w*["']?\s*[=:]\s*)
    (?:(?:bearer|basic|token)\s+)?
    (?:"[^"]*"|'[^']*'|[^\s,;&)}\]]+)
    |\b(?P<scheme>bearer\s+)[\w.~+/=-]{8,}""",
    re.IGNORECASE | re.VERBOSE,
)


def set_production_mode(on: bool) -> None:
    """In production no value and no stack of a panic goes into log records, spans and error reports.

    Otherwise only what looks like a secret is taken out: `password=...`, `token: ...` and the like.
    """
    STATE.production = bool(on)


def redact(text: str) -> str:
    """The text without what looks like a secret."""
    # The expression would cost more than all the rest of a report, and hardly any text needs it.
    low = text.lower()
    if not any(word in low for word in _WORDS):
        return text
    return _SECRET.sub(lambda found: (found["key"] or found["scheme"]) + "[REDACTED]", text)
