"""A small service for each server, with work of each kind; `server_runs.py` runs them."""

from __future__ import annotations

from typing import NamedTuple

WORK = '''
"""Work of each kind. `heedful` ends when it is told to; `stubborn` does not."""
import asyncio, concurrent.futures, os, socket, sys, threading, time
from mruntime import *

MODE = os.environ["MODE"]
TIMEOUT = float(os.environ["TIMEOUT"])
pool = concurrent.futures.ThreadPoolExecutor(1)
told = threading.Event()

def say(text):
    os.write(1, f"{text}\\n".encode())

async def task():
    try:
        if MODE == "heedful": await root().done()
        else: await asyncio.sleep(60)
        say("task told")
    finally: say("task finally")

def hear():
    root().done().wait()
    say("told")

def thread():
    if MODE == "heedful": root().done().wait()
    else: time.sleep(60)
    say("thread told")

def job():
    if MODE == "heedful": root().done().wait()
    else: told.wait(60)
    say("job told")

def queued_ended(future):
    say("queued cancelled" if future.cancelled() else "queued ran")
    told.set()

def begin(with_task):
    """Start it, and say so when the server answers."""
    if with_task: SafeGo("work", KeepRunning, task())
    for work in (hear, thread): SafeGo("work", KeepRunning, work, daemon=True)
    SafeGo("work", KeepRunning, job, executor=pool)
    SafeGo("work", KeepRunning, int, executor=pool, name="queued").add_done_callback(queued_ended)
    threading.Thread(target=answered, daemon=True).start()

def answered():
    while "SOCKET" in os.environ:
        with socket.socket(socket.AF_UNIX) as client:
            try:
                client.connect(os.environ["SOCKET"])
                client.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
                if client.recv(1): break
            except OSError: time.sleep(0.01)
    say(f"ready {os.getpid()}")

async def asgi_app(scope, receive, send):
    assert scope["type"] == "http", scope
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})

def wsgi_app(environ, start_response):
    start_response("200 OK", [("Content-Length", "0")])
    return [b""]
'''

ASGI = """
from work import *
from mruntime import servers
async def inner(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        begin(True)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
    else: await asgi_app(scope, receive, send)
app = servers.asgi(inner, timeout=TIMEOUT)
"""
FASTAPI = """
from contextlib import asynccontextmanager
from fastapi import FastAPI
from work import *
@asynccontextmanager
async def life(app):
    async with lifespan(app, timeout=TIMEOUT):
        begin(True)
        yield
app = FastAPI(lifespan=life)
@app.get("/")
async def hello(): return {}
"""
DJANGO = """
import django
from django.conf import settings
from django.http import HttpResponse
from django.urls import path
from work import *
from mruntime import servers
urlpatterns = [path("", lambda request: HttpResponse())]
settings.configure(DEBUG=True, SECRET_KEY="x", ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"])
"""
DJANGO_ASGI = (
    DJANGO
    + """
from django.core.asgi import get_asgi_application
django_app = servers.asgi(get_asgi_application(), timeout=TIMEOUT)
async def app(scope, receive, send):
    if scope["type"] == "lifespan": asyncio.get_running_loop().call_soon(begin, True)
    await django_app(scope, receive, send)
if "daphne" in sys.modules:
    from twisted.internet import reactor
    reactor.callWhenRunning(reactor.callLater, 0, begin, True)
"""
)
DAPHNE = """
from work import *
from mruntime import servers
from twisted.internet import reactor
app = servers.asgi(asgi_app, timeout=TIMEOUT)
reactor.callWhenRunning(reactor.callLater, 0, begin, True)
"""
WSGI = """
from work import *
app = wsgi_app
begin(False)
"""
DJANGO_WSGI = (
    DJANGO
    + """
from django.core.wsgi import get_wsgi_application
app = get_wsgi_application()
begin(False)
"""
)
GUNICORN = """
from mruntime.servers import worker_exit
"""
CELERY = """
import celery
from celery.signals import worker_process_init, worker_ready
from work import *
from mruntime import servers
app = celery.Celery("app", broker="memory://")
app.conf.worker_cancel_long_running_tasks_on_connection_loss = True
servers.celery(timeout=TIMEOUT)
(worker_process_init if "prefork" in sys.argv else worker_ready).connect(lambda **_: begin(False), weak=False)
"""


def _main(body: str) -> str:
    return "from work import *\n" + body


WAITRESS = _main("""
import waitress
with lifespan(timeout=TIMEOUT):
    begin(False)
    waitress.serve(wsgi_app, unix_socket=os.environ["SOCKET"])
""")
CHEROOT = _main("""
from cheroot.wsgi import Server
with lifespan(timeout=TIMEOUT):
    begin(False)
    server = Server(os.environ["SOCKET"], wsgi_app)
    try: server.start()
    finally: server.stop()
""")
AIOHTTP = _main("""
from aiohttp import web
from mruntime import servers
app = web.Application()
async def works(app):
    begin(True)
    yield
async def limited(app):
    async with lifespan(app, timeout=TIMEOUT): yield
app.cleanup_ctx.append(works)
app.cleanup_ctx.append(servers.aiohttp if TIMEOUT > 9 else limited)
async def hello(request): return web.Response()
app.router.add_get("/", hello)
web.run_app(app, path=os.environ["SOCKET"], print=None)
""")
TORNADO = _main("""
import tornado.web, tornado.httpserver, tornado.netutil
class Hello(tornado.web.RequestHandler):
    def get(self): self.write("")
async def main():
    server = tornado.httpserver.HTTPServer(tornado.web.Application([("/", Hello)]))
    server.add_socket(tornado.netutil.bind_unix_socket(os.environ["SOCKET"]))
    async with lifespan(timeout=TIMEOUT):
        begin(True)
        await asyncio.Event().wait()
asyncio.run(main())
""")
UVICORN_RUN = _main("""
import uvicorn
with lifespan(timeout=TIMEOUT):
    begin(False)
    uvicorn.run(asgi_app, uds=os.environ["SOCKET"], lifespan="off", log_level="warning")
""")
APSCHEDULER = _main("""
from apscheduler.schedulers.blocking import BlockingScheduler
with lifespan(timeout=TIMEOUT):
    scheduler = BlockingScheduler()
    scheduler.add_job(begin, args=(False,))
    scheduler.start()
""")
RUN = """
async def main():
    async with lifespan(timeout=TIMEOUT):
        begin(True)
        await asyncio.Event().wait()
"""
ASYNCIO = _main(RUN + "asyncio.run(main())")
ANYIO = _main("import anyio" + RUN + "anyio.run(main)")
AROUND_ASYNCIO = _main("""
async def main():
    begin(False)
    await asyncio.Event().wait()
with lifespan(timeout=TIMEOUT): asyncio.run(main())
""")
TRIO = _main("""
import trio
async def main():
    begin(False)
    async with trio.open_nursery() as nursery: nursery.start_soon(trio.sleep_forever)
with lifespan(timeout=TIMEOUT): trio.run(main)
""")
TRIO_ASYNC = _main("""
import trio
async def main():
    async with lifespan(timeout=TIMEOUT):
        begin(False)
        await trio.sleep_forever()
trio.run(main)
""")
THREADS = _main("""
with lifespan(timeout=TIMEOUT):
    begin(False)
    threading.Event().wait()
""")
HANDLERS = _main("""
import sys
install_signal_handlers()
begin(False)
root().done().wait()
report = shutdown(TIMEOUT)
sys.exit(report.status)
""")
RUNSERVER = (
    DJANGO
    + """
from django.core.management import execute_from_command_line
with lifespan(timeout=TIMEOUT):
    begin(False)
    execute_from_command_line(["manage.py", "runserver", "--noreload", "127.0.0.1:0"])
"""
)


class Program(NamedTuple):
    """A service under one server."""

    needs: str
    """The modules that must be there, "" for the standard library."""
    app: str
    command: str = "python app.py"
    task: bool = True
    """Whether a task is among its work: where there is a loop that the runtime joins."""
    status: int = 0
    """After a SIGTERM, or SIGINT."""
    cut: int = 0
    """The exit status if work was cut off: the server's own, or that of the work."""
    socket: bool = True
    """Whether it listens on a Unix socket."""
    to_worker: bool = False
    """Whether the second signal must go to the process that works, since the server keeps it to itself."""
    config: str = ""
    interrupted: int = 0
    """After a SIGINT."""
    places: bool = True
    """Whether it is known where a thread stands; not of a greenlet."""
    untried: str = ""
    """The signal that this server itself hangs after."""


_GUNICORN = "python -m gunicorn --bind unix:s.sock --graceful-timeout 30 app:app"
_UVICORN = "python -m uvicorn --uds s.sock app:app"
PROGRAMS = {
    "threads": Program("", THREADS, task=False, cut=70, socket=False),
    "install_signal_handlers": Program("", HANDLERS, task=False, cut=70, socket=False),
    "asyncio.run": Program("", ASYNCIO, cut=70, socket=False),
    "around asyncio.run": Program("", AROUND_ASYNCIO, task=False, cut=70, socket=False),
    "anyio": Program("anyio", ANYIO, cut=70, socket=False),
    "trio": Program("trio", TRIO, task=False, cut=70, socket=False),
    "trio, in a coroutine": Program("trio", TRIO_ASYNC, task=False, cut=70, socket=False),
    "uvicorn": Program("uvicorn", ASGI, _UVICORN, status=-15, cut=-15),
    "uvicorn, FastAPI": Program("uvicorn fastapi", FASTAPI, _UVICORN, status=-15, cut=-15),
    "uvicorn, Django": Program("uvicorn django", DJANGO_ASGI, _UVICORN, status=-15, cut=-15),
    "around uvicorn.run": Program("uvicorn", UVICORN_RUN, task=False, cut=70),
    "hypercorn": Program("hypercorn", ASGI, "python -m hypercorn --bind unix:s.sock app:app", to_worker=True),
    "hypercorn trio": Program(
        "hypercorn trio",
        ASGI.replace("begin(True)", "begin(False)"),
        "python -m hypercorn -k trio --bind unix:s.sock app:app",
        task=False,
        to_worker=True,
    ),
    "granian": Program("granian", ASGI, "python -m granian --interface asgi --uds s.sock app:app", to_worker=True),
    "daphne": Program("daphne", DAPHNE, "python -m daphne -u s.sock app:app"),
    "daphne, Django": Program("daphne django", DJANGO_ASGI, "python -m daphne -u s.sock app:app"),
    "gunicorn sync": Program("gunicorn", WSGI, _GUNICORN, task=False, to_worker=True, config=GUNICORN),
    "gunicorn gthread": Program(
        "gunicorn", WSGI, _GUNICORN + " -k gthread", task=False, to_worker=True, config=GUNICORN
    ),
    "gunicorn gevent": Program(
        "gunicorn gevent", WSGI, _GUNICORN + " -k gevent", task=False, to_worker=True, config=GUNICORN, places=False
    ),
    "gunicorn sync, Django": Program(
        "gunicorn django", DJANGO_WSGI, _GUNICORN, task=False, to_worker=True, config=GUNICORN
    ),
    "gunicorn uvicorn": Program(
        "gunicorn uvicorn_worker",
        ASGI,
        _GUNICORN + " -k uvicorn_worker.UvicornWorker",
        to_worker=True,
        config=GUNICORN,
        untried="SIGINT",
    ),
    "celery solo": Program(
        "celery", CELERY, "python -m celery -A app worker -P solo", task=False, socket=False, interrupted=1
    ),
    "celery threads": Program(
        "celery", CELERY, "python -m celery -A app worker -P threads", task=False, socket=False, interrupted=1
    ),
    "celery prefork": Program(
        "celery",
        CELERY,
        "python -m celery -A app worker -P prefork -c 1",
        task=False,
        socket=False,
        to_worker=True,
        interrupted=1,
    ),
    "waitress": Program("waitress", WAITRESS, task=False, cut=70),
    "cheroot": Program("cheroot", CHEROOT, task=False, cut=70),
    "aiohttp": Program("aiohttp", AIOHTTP),
    "tornado": Program("tornado", TORNADO, cut=70),
    "apscheduler": Program("apscheduler", APSCHEDULER, task=False, cut=70, socket=False),
    "Django runserver": Program("django", RUNSERVER, task=False, cut=70, socket=False),
}
