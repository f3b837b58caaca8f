"""The work of a WSGI application under gunicorn, whose hook is in `gunicorn.conf.py`.

python -m gunicorn --bind 127.0.0.1:0 wsgi_app:app
python -m gunicorn --bind 127.0.0.1:0 -k gthread wsgi_app:app
"""

from __future__ import annotations

from typing import Any

from panicguard import mruntime


def saver(ctx: mruntime.Context) -> None:
    print("working", flush=True)
    ctx.done().wait()
    print("saved", flush=True)


def app(environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello\n"]


# In each worker, which imports this; with --preload it would be in the process that starts them.
mruntime.SafeGoWithContextAndComponent(mruntime.root(), "saver", mruntime.KeepRunning, saver)
