"""Panics for Sentry; needs `sentry-sdk`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sentry_sdk
from sentry_sdk.integrations.logging import ignore_logger
from sentry_sdk.scope import add_global_event_processor

from ._panic import was_reported

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._context import Context


def _first_of_a_task(event: Any, hint: Mapping[str, Any]) -> Any:
    """None for what the integration of asyncio sends of a panic that was sent: it does for each task on the way."""
    values: Any = (event.get("exception") or {}).get("values") or ({},)
    is_from_task = (values[-1].get("mechanism") or {}).get("type") == "asyncio"
    exc = (hint.get("exc_info") or (None, None))[1]
    return None if is_from_task and was_reported(exc) else event


class SentryReporter:
    """For `set_error_reporter`: each panic becomes an event with the tags `component` and `goroutine_name`.

    Sentry's own integrations see no panic of a thread, which ends there, and know one of a task, which goes on to
    whoever awaits it, as the exception they had last. In production mode that integration would still send
    the exception with its value: leave `AsyncioIntegration` out there.
    """

    def __init__(self) -> None:
        # Or each panic would come a second time, as the log record it is too.
        ignore_logger("mruntime")
        add_global_event_processor(_first_of_a_task)

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
