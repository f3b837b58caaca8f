"""How each component fares, and whether the process is to get more to do."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from ._state import STATE


class LastPanic(NamedTuple):
    """The latest panic of a component."""

    type: str
    """The class, with its module unless that is `builtins`."""
    value: str
    """What it says, secrets taken out; "" in production mode."""
    place: str
    """Where it was raised, `module.function:line`; "" for what is no exception."""
    time: float
    """Seconds since the epoch."""


class ComponentHealth(NamedTuple):
    """What is counted for a component, since the process began."""

    component: str
    started: int = 0
    active: int = 0
    """How many run now."""
    cancelled: int = 0
    panics: int = 0
    restarts: int = 0
    last_panic: LastPanic | None = None


class Health(NamedTuple):
    """A snapshot of it."""

    ready: bool
    """False once the process is about to end: `root()` is done, `shutdown` or a crash has begun."""
    components: tuple[ComponentHealth, ...]

    def component(self, name: str) -> ComponentHealth:
        """That one; all zero if nothing of it was ever started."""
        return next((one for one in self.components if one.component == name), ComponentHealth(name))

    def as_dict(self) -> dict[str, Any]:
        """`ready`, and by their names the `components`, each a dict."""
        components: dict[str, Any] = {}
        for one in self.components:
            fields = one._asdict()
            fields["last_panic"] = None if one.last_panic is None else one.last_panic._asdict()
            components[fields.pop("component")] = fields
        return {"ready": self.ready, "components": components}

    def json(self) -> str:
        """That dict as JSON."""
        return json.dumps(self.as_dict())


def health() -> Health:
    """How each component fares, and whether the process is to get more to do: for the probes of an orchestrator."""
    with STATE.lock:
        root = STATE.root
        components = tuple(
            ComponentHealth(c.label, c.started, c.active, c.cancelled, c.panics, c.restarts, _last(c.last_panic))
            for c in STATE.counts.values()
        )
    ending = STATE.closed or STATE.crash_owner != 0 or (root is not None and root.ctx.err() is not None)
    return Health(not ending, components)


def _last(found: tuple[str, str, str, float] | None) -> LastPanic | None:
    if found is None:
        return None
    last = LastPanic(*found)
    return last._replace(value="") if STATE.production else last
