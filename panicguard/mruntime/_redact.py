"""What must not leave the process in a log, a span or an error report."""

from __future__ import annotations

import re

from ._state import STATE

REDACTED = "panic recovered (details redacted)"
"""Says it instead of the value in production mode."""

MAX_READ = 65536
"""Characters of a text that are looked into; the rest never leaves."""

_GONE = r"\1[REDACTED]"
_WORDS = ("passw", "passphrase", "pwd", "token", "secret", "credential", "bearer", "authorization", "cookie")
_KEYS = tuple(
    f"{whose}{joint}key" for whose in ("api", "access", "account", "private") for joint in ("", " ", "_", "-")
)
# A quoted value may be cut off before its end. Of a cookie, all of the line is the value.
_NAMED = re.compile(
    r"""((?:passw|passphrase|pwd|token|secret|credential|authorization|(?:api|access|account|private)[ _-]?key)
        \w{0,40}["']?\s{0,9}[=:]\s{0,9}
        (?:(?:bearer|basic|token)\s{1,9})?)
    (?:"(?:[^"\\]|\\.)*(?:"|\\?\Z)|'(?:[^'\\]|\\.)*(?:'|\\?\Z)|[^\s,;&)}\]]+)
    |(cookie["']?\s{0,9}[=:]\s{0,9})[^\r\n]+
    |(bearer\s{1,9})[\w.~+/=-]{8,}""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
# Each by a text that all of its kind have. The forms are as their issuers document them.
_SHAPED = tuple(
    (mark, re.compile(shape, re.DOTALL))
    for mark, shape in (
        # The password of a URL, which is no port.
        ("://", r"""(://[^\s/?\#:@"']{0,200}:)(?:[^\s/"']{1,400}(?=@)|(?!\d+\Z)[^\s/@"']{1,400}\Z)"""),
        ("PRIVATE KEY-----", r"(PRIVATE KEY-----)[^-]+"),
        ("eyJ", r"eyJ(?<!\weyJ)()[\w-]{8,400}\.eyJ[\w.-]*"),  # a JSON web token
        ("AKIA", r"AKIA(?<!\wAKIA)()[A-Z0-9]{16}\b"),
        ("ASIA", r"ASIA(?<!\wASIA)()[A-Z0-9]{16}\b"),
        ("AIza", r"AIza(?<!\wAIza)()[\w-]{30,}"),
        ("ghp_", r"ghp_()\w{20,}"),
        ("gho_", r"gho_()\w{20,}"),
        ("ghs_", r"ghs_()\w{20,}"),
        ("github_pat_", r"github_pat_()\w{20,}"),
        ("glpat-", r"glpat-()[\w-]{20,}"),
        ("xox", r"xox(?<!\wxox)()[a-z]-[\w-]{10,}"),  # Slack
        ("k_live_", r"k_live_()\w{10,}"),  # Stripe
        ("k_test_", r"k_test_()\w{10,}"),
        ("sk-", r"sk-(?<!\wsk-)()[\w-]{20,}"),  # OpenAI, Anthropic
    )
)


def set_production_mode(on: bool) -> None:
    """In production no value and no stack of a panic goes into log records, spans and error reports.

    Otherwise only what looks like a secret is taken out: `password=...`, `token: ...`, the password of a URL, cookies,
    and keys whose form is known.
    """
    STATE.production = bool(on)


def redact(text: str) -> str:
    """The text without what looks like a secret; at most `MAX_READ` characters are to be given.

    It is cut to what is shown afterwards: nothing knows half a secret.
    """
    # The expressions would cost more than all the rest of a report, and hardly any text needs them.
    low = text.lower()
    if any(word in low for word in _WORDS) or ("key" in low and any(key in low for key in _KEYS)):
        text = _NAMED.sub(lambda found: f"{found[1] or found[2] or found[3]}[REDACTED]", text)
    for mark, shape in _SHAPED:
        if mark in text:
            text = shape.sub(_GONE, text)
    return text
