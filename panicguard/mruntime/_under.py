"""What this process runs under: a table of servers, and which of them it is."""

from __future__ import annotations

import sys
import threading
from typing import NamedTuple

_WITH_TOLD = "when the block ends"


class Server(NamedTuple):
    """What a server does when it is told to stop, as measured, and what is to be written for it."""

    name: str
    modules: tuple[str, ...]
    """All of these run on the main thread."""
    measured: str
    """The versions of its package that this was measured with; "" if it is no package."""
    write: str
    """What a service owner writes."""
    told: str
    """When the work is told to stop."""
    status: str
    """The exit status after a SIGTERM if all work has ended."""
    seconds: float = 20.0
    """How long to wait for the work, if nothing else is said: less than until the server, or who started it, kills."""

    @property
    def own_process(self) -> bool:
        """Whether the process is the program's own, with its signals and its exit status."""
        return self.told == _WITH_TOLD


_ASGI = "`FastAPI(lifespan=mruntime.lifespan)`; for any other app, `app = servers.asgi(app)`"
_ASGI_TOLD = "after the requests in flight"
_WITH = "`with mruntime.lifespan():` around what runs it; in a coroutine `async with`"

CAUTIOUS = Server("anything else", (), "", _WITH, _WITH_TOLD, "0", 8.0)
"""For what is not known: Docker kills ten seconds after the signal."""

SERVERS = (
    Server("gunicorn (UvicornWorker)", ("gunicorn", "uvicorn"), "27.0.1", _ASGI, _ASGI_TOLD, "0"),
    Server(
        "gunicorn (sync, gthread, gevent)",
        ("gunicorn",),
        "27.0.1",
        "in gunicorn.conf.py `from myapp.mruntime.servers import worker_exit`",
        _ASGI_TOLD,
        "0",
    ),
    Server("uvicorn", ("uvicorn",), "0.54.0", _ASGI, _ASGI_TOLD, "-15, its own"),
    Server("hypercorn", ("hypercorn",), "0.18.0", _ASGI, _ASGI_TOLD, "0"),
    Server("granian", ("granian",), "2.8.9", _ASGI, _ASGI_TOLD, "0"),
    Server(
        "daphne",
        ("daphne",),
        "4.2.3",
        "`app = servers.asgi(app)`",
        "as its reactor stops, which cuts requests off",
        "0",
    ),
    Server(
        "aiohttp",
        ("aiohttp.web",),
        "3.14.5",
        "last, `app.cleanup_ctx.append(servers.aiohttp)`",
        _ASGI_TOLD,
        "0",
    ),
    Server("Celery", ("celery",), "5.7.0", "`servers.celery()` beside the app", "after the tasks in flight", "0"),
    Server("waitress", ("waitress",), "3.0.2", _WITH, _WITH_TOLD, "0"),
    Server("cheroot", ("cheroot",), "11.1.2", _WITH, _WITH_TOLD, "0"),
    Server("Django's runserver", ("django.core.management",), "6.1.3", _WITH, _WITH_TOLD, "0"),
    Server("Tornado", ("tornado.ioloop",), "6.6.1", _WITH, _WITH_TOLD, "0"),
    Server("APScheduler", ("apscheduler",), "3.11.3", _WITH, _WITH_TOLD, "0"),
    Server("trio", ("trio",), "0.35.0", _WITH, _WITH_TOLD, "0"),
)
"""The first one that fits holds."""


def server() -> Server:
    """The row of the server that this process runs under: by whose functions run on the main thread."""
    frame = sys._current_frames().get(threading.main_thread().ident or 0)
    running = set()
    while frame is not None:
        running.add(f"{frame.f_globals.get('__name__', '')}.")
        frame = frame.f_back
    for row in SERVERS:
        if all(any(name.startswith(f"{module}.") for name in running) for module in row.modules):
            return row
    return CAUTIOUS
