"""The settings of gunicorn."""

from __future__ import annotations

from panicguard.mruntime.servers import worker_exit as worker_exit  # the hook has this name
