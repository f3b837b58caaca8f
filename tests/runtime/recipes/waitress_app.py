"""A server that knows no SIGTERM: the block ends as by a Ctrl-C.

python waitress_app.py
"""

from __future__ import annotations

from typing import Any

import waitress

from panicguard import mruntime


def saver(ctx: mruntime.Context) -> None:
    print("working", flush=True)
    ctx.done().wait()
    print("saved", flush=True)


def app(environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello\n"]


if __name__ == "__main__":
    with mruntime.lifespan():
        mruntime.SafeGoWithContextAndComponent(mruntime.root(), "saver", mruntime.KeepRunning, saver)
        waitress.serve(app, listen="127.0.0.1:0")
