"""Panics for Sentry; needs `sentry-sdk`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sentry_sdk
from sentry_sdk.integrations.logging import ignore_logger

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._context import Context


class SentryReporter:
    """For `set_error_reporter`: each panic becomes an event with the tags `component` and `goroutine_name`.

    Sentry's own integrations see no panic of a thread, which ends there, and know one of a task, which goes on to
    whoever awaits it, as the exception they had last. In production mode that integration would still send
    the exception with its value: leave `AsyncioIntegration` out there.
    """

    def __init__(self) -> None:
        # Or each panic would come a second time, as the log record it is too.
        ignore_logger("mruntime")

    def capture_exception(self, ctx: Context, exc: BaseException, tags: Mapping[str, str], /) -> None:
        """Send `exc` from a scope of its own."""
        with sentry_sdk.new_scope() as scope:
            for name, value in tags.items():
                if name == "stack_trace":
                    scope.set_extra(name, value)
                else:
                    scope.set_tag(name, value)
            sentry_sdk.capture_exception(exc)

    def flush(self) -> None:
        """Send what is queued. A crash calls it."""
        sentry_sdk.flush()
