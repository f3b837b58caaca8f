"""Calls that do not raise in practice, and what others raise: by the last name of what is called."""

from __future__ import annotations

import builtins
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Set

LOGGING = frozenset("debug info warning warn error exception critical fatal log msg".split())
"""Methods of loggers: they do not raise, whatever they are given."""
WAITING = frozenset("wait sleep join acquire run_forever serve_forever".split())
"""Methods that only wait; an event loop that runs for ever tells its own handler of errors, and a server handles those
of each request."""
QUEUED = frozenset("get put get_nowait put_nowait".split())
"""Methods of queues, which raise only where they are told not to wait for long."""
TAKING = frozenset(("pop", "popleft", "popitem"))
"""Methods that take something out of a container, and raise where it is empty."""
RUNNING = frozenset(("run_until_complete", "run"))
"""Functions that run a coroutine to its end."""
SPAWNING_METHODS = frozenset("spawn start_soon create_task".split())
"""Methods of task groups and nurseries that start a task in them."""
HANDING = frozenset(("create_task", "ensure_future", "run_coroutine_threadsafe"))
"""Functions that hand a coroutine on to an event loop: what that raises is another matter."""
PASSING = frozenset("gather wait_for shield timeout".split())
"""Functions that raise what they wait for raises."""
ENDING = frozenset(
    "close aclose wait_closed server_close terminate kill shutdown stop cancel detach unregister disconnect".split()
)
"""Methods that end something: of an error in them little is left to say."""
STARTING = "start"
HARMLESS = (
    LOGGING
    | WAITING
    | frozenset(
        "is_set is_alive set clear release notify notify_all task_done monotonic time perf_counter time_ns "
        "current_thread get_ident get_native_id getpid getppid new_event_loop set_event_loop suppress app_context "
        "append appendleft add discard print_exc format_exc print_exception "
        "call_soon_threadsafe callFromThread seed empty full qsize partial "
        "set_result set_exception "
        "get_running_loop get_event_loop current_task all_tasks default_timer getLogger get_logger copy_context "
        "_exit uuid4 uniform randint randrange".split()
    )
)
"""Calls that do not raise in practice: waiting, flags, containers and logging."""
HARMLESS_BUILTINS = frozenset(
    "len str repr bool isinstance getattr hasattr range list dict set tuple id type super print max min sum any all "
    "sorted reversed enumerate zip iter callable issubclass abs round vars "
    "Event Lock RLock Condition Semaphore Queue SimpleQueue deque defaultdict OrderedDict Counter Future Thread".split()
)
HARMLESS_FUNCTIONS = HARMLESS | HARMLESS_BUILTINS
_METHODS = frozenset(
    "items keys values extend setdefault strip lstrip rstrip lower upper startswith endswith format split rsplit "
    "splitlines partition rpartition title is_running is_closed is_closing is_connected done cancelled cancelling "
    "uncancel call_soon call_later call_at add_callback add_done_callback create_future total_seconds timestamp "
    "isoformat strftime now utcnow bit_length hex random is_file is_dir exists poll "
    "Event Lock RLock Condition Semaphore Queue SimpleQueue deque defaultdict OrderedDict Counter Future Thread".split()
)
"""Methods of values, flags and loops: a function that is called by one of these names alone is anything."""
_STARTED = re.compile(r"loop|thread|timer", re.IGNORECASE)
"""What the name of an object has in it that starts in the background, or is a loop that tells of errors."""
_SUPPRESSING = re.compile(
    r"suppress|swallow|(?:capture|catch|ignor|log|report|handl)\w*_(?:\w+_)?(?:errors?|exceptions?)$", re.IGNORECASE
)
_GROUP = re.compile(r"group|nursery|^_?tg$", re.IGNORECASE)
_CALLBACK = re.compile(r"^_?on_|(?:^|_)(?:callback|cb)$")
WRITING = frozenset("write writelines send send_bytes flush".split())
"""Methods of streams and sockets that are not awaited: others of these names may raise anything."""
_STREAM = ("OSError", "ConnectionError", "BrokenPipeError", "ConnectionResetError", "EOFError", "ValueError")
_TAKEN = ("KeyError", "IndexError")
_PATH = ("OSError", "FileNotFoundError", "FileExistsError", "PermissionError")
_PROCESS = ("OSError", "ProcessLookupError", "ChildProcessError", "PermissionError")
RAISES: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys("get get_nowait".split(), ("Empty", "QueueEmpty", "TimeoutError", "ShutDown", "QueueShutDown")),
    **dict.fromkeys("put put_nowait".split(), ("Full", "QueueFull", "TimeoutError", "ShutDown", "QueueShutDown")),
    **dict.fromkeys(TAKING, _TAKEN),
    **dict.fromkeys("remove index".split(), ("ValueError", *_TAKEN, *_PATH)),
    **dict.fromkeys(
        "read read1 readline readlines readinto readexactly readuntil recv recv_bytes recvfrom recv_into sendall "
        "sendto drain accept select sock_recv sock_sendall sock_accept fileno read_eager".split(),
        (*_STREAM, "IncompleteReadError", "LimitOverrunError", "SSLError", "BlockingIOError"),
    ),
    **dict.fromkeys("connect bind listen getaddrinfo create_connection open_connection".split(), _STREAM[:4]),
    **dict.fromkeys("wait_for timeout".split(), ("TimeoutError",)),
    **dict.fromkeys("kill killpg terminate waitpid getpgid send_signal".split(), _PROCESS),
    **dict.fromkeys("unlink rmdir mkdir makedirs rename stat listdir rmtree open scandir".split(), _PATH),
    **dict.fromkeys("int float to_bytes from_bytes".split(), ("ValueError", "OverflowError")),
    **dict.fromkeys(
        "encode decode".split(), ("UnicodeError", "UnicodeDecodeError", "UnicodeEncodeError", "ValueError")
    ),
    "loads": ("JSONDecodeError", "ValueError"),
    "next": ("StopIteration",),
    "anext": ("StopAsyncIteration",),
    "shutdown": ("OSError",),
}
"""What calls raise: a handler for one of these is for all that is to be expected."""
_ALIASES = {"error": "OSError", "IOError": "OSError", "EnvironmentError": "OSError", "timeout": "TimeoutError"}
"""Other names of errors, as in `socket.error`."""


def may_be_harmless(name: str) -> bool:
    """Whether a call by this name, with a dot in front where it is a method, may be one that does not raise: a No is
    certain where nothing of the name is defined in the module."""
    last = name.lstrip(".")
    if last in HARMLESS or last in PASSING or last in HANDING or _SUPPRESSING.search(last):
        return True
    if name == last:
        return name in HARMLESS_BUILTINS or name in RUNNING
    return (
        last in QUEUED
        or last in TAKING
        or last in RUNNING
        or last in SPAWNING_METHODS
        or last in ENDING
        or last in _METHODS
        or last == STARTING
        or is_callback(last)
    )


def is_harmless_method(name: str, owner: str) -> bool:
    """Whether a method of something of this name does not raise in practice."""
    if name == STARTING:
        return _STARTED.search(owner) is not None
    return name in HARMLESS or name in _METHODS or (name in ENDING and owner != "os")


def is_suppressing(name: str) -> bool:
    """Whether a context manager is called as one that lets no error out."""
    return _SUPPRESSING.search(name) is not None


def is_group(name: str) -> bool:
    """Whether a variable is named like what awaits the tasks that are started in it."""
    return _GROUP.search(name) is not None


def is_callback(name: str) -> bool:
    """Whether an attribute is named like one that holds what a caller wants to be told by."""
    return _CALLBACK.search(name) is not None


def by_one_name(error: str) -> str:
    """The name that an error has of its many."""
    return _ALIASES.get(error, error)


def is_caught(raised: Iterable[str], caught: Set[str]) -> bool:
    """Whether one of the errors that a call raises is of a class that is caught."""
    return any(not caught.isdisjoint(_with_bases(name)) for name in raised)


def _with_bases(error: str) -> Iterable[str]:
    found = getattr(builtins, error, None)
    return [error] if found is None else [base.__name__ for base in found.__mro__]
