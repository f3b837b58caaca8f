"""The work that tasks of Celery leave behind, in the process in which they run.

python -m celery -A celery_app worker -l info -P prefork -c 1
python -m celery -A celery_app worker -l info -P solo
"""

from __future__ import annotations

from typing import Any

import celery
from celery.signals import worker_process_init, worker_ready

from panicguard import mruntime
from panicguard.mruntime import servers

app = celery.Celery("app", broker="memory://")
servers.celery()


def saver(ctx: mruntime.Context) -> None:
    print("working", flush=True)
    ctx.done().wait()
    print("saved", flush=True)


@worker_ready.connect
def begin(sender: Any, **_: Any) -> None:
    mruntime.SafeGoWithContextAndComponent(mruntime.root(), "saver", mruntime.KeepRunning, saver)


@worker_process_init.connect
def begin_in_a_process(**_: Any) -> None:
    mruntime.SafeGoWithContextAndComponent(mruntime.root(), "saver", mruntime.KeepRunning, saver)
