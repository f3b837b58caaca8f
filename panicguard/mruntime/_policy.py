"""What a panic does to the process."""

from __future__ import annotations

import enum
from typing import Final


class PanicPolicy(enum.Enum):
    """`KeepRunning`: report and go on. `CrashProcess`: report and end the process."""

    KeepRunning = "KeepRunning"
    CrashProcess = "CrashProcess"


PanicRecoveryPolicy = PanicPolicy
KeepRunning: Final = PanicPolicy.KeepRunning
CrashProcess: Final = PanicPolicy.CrashProcess


def refuse_text(policy: object, where: str) -> None:
    """TypeError for text, which is a component in the wrong place, or comes from a configuration file."""
    if isinstance(policy, str):
        way = f"; PanicPolicy[{policy!r}] is one" if policy in PanicPolicy.__members__ else ""
        raise TypeError(f"{where}: the policy is KeepRunning or CrashProcess, not the text {policy!r}{way}")


def crashes(policy: object) -> bool:
    """True for `CrashProcess` of any copy of the runtime; whatever is unknown keeps the process running."""
    if policy is CrashProcess:
        return True
    # Another vendored copy has an enum of its own, so identity alone would turn its crash into a log line.
    return type(policy).__name__ == "PanicPolicy" and getattr(policy, "name", "") == "CrashProcess"
