"""What the names of functions, flags and classes say of an end: that they bring it, ask for it, or are it.

All guesses by name about cancellation and clean-up are in these tables.
"""

from __future__ import annotations

import re

_VERBS = (
    "a?close|a?exit|clean|cleanup|shut|shutdown|stop|cancel|disconnect|terminate|kill|release|teardown|tear|finalize|"
    "unregister|unsubscribe|flush|drain|logout|quit|destroy|dispose|detach|join|abort|deinit|unload|dismiss"
)
_BEFORE = "async|do|on|handle|force|safe|safely|graceful|gracefully|maybe|try|will|before|after"
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")

_ENDING = re.compile(rf"(?:^|_)(?:{_VERBS}|closed|stopped|cancelled|disconnected)(?:_|\d|$)", re.IGNORECASE)
_IS_END = re.compile(
    rf"_*(?:(?:{_BEFORE})_)*(?:{_VERBS})(?:_|\d|$)(?!.*(?:loop|forever|task|worker|watch))", re.IGNORECASE
)
_CLEANUP = re.compile(
    r"_*(?:force_?)?(?:clean_?up|tear_?down|a?close|wait_closed|shutdown|disconnect|terminate|kill|cancel|stop|unlink|remove|rmtree|"
    r"release|join|flush|unsubscribe|unregister|logout|quit|destroy|dispose|detach|reset|send_eof|write_eof|a?exit)(?:_|$)"
)
_WHETHER_TO_END = re.compile(
    r"stop|clos|shut|cancel|exit|quit|terminat|abort|kill|disconnect|done|running|alive|active|is_set"
)
_OWN_CANCELLATION = re.compile(r"Cancel|Abort|Interrupt|Stop|Shut|Exit|Quit|Terminat|Kill|Disconnect")
_ENTRY = re.compile(
    r"(?:^|_)(?:a?main|run|runner|serve|server|start|loop|forever|worker|task|watch|watcher|monitor|poll|poller|"
    r"heartbeat\w*|interact)(?:_|$)"
)


def is_ending(name: str) -> bool:
    """Whether something is called as what ends, or has ended, something: `aclose`, `_stop_all`, `on_closed`."""
    return _ENDING.search(_HUMP.sub("_", name)) is not None


def is_end(function: str) -> bool:
    """Whether a function is called as one of which the purpose is to end something: `disconnect`, `on_shutdown`."""
    return _IS_END.match(_HUMP.sub("_", function)) is not None


def is_cleanup(function: str) -> bool:
    """Whether a function of this name only tidies up, and nobody needs to know if it fails: `close`, `unlink`."""
    return _CLEANUP.match(function) is not None


def asks_whether_to_end(flag: str) -> bool:
    """Whether a flag or method of this name tells whether to end: `stopping`, `is_running`."""
    return _WHETHER_TO_END.search(flag) is not None


def is_cancellation(error: str) -> bool:
    """Whether an error of this name is a project's own cancellation: `Aborted`, `ShutdownError`."""
    return _OWN_CANCELLATION.search(error) is not None


def is_entry(function: str) -> bool:
    """Whether a function is called as one that runs as a task of its own: `serve`, `_poll_loop`."""
    return _ENTRY.search(function) is not None
