"""The server's side of the worker: a process that is started when it is needed, and replaced when it fails."""

from __future__ import annotations

import asyncio
import pickle
import signal
import sys
from typing import TYPE_CHECKING, Any

from .worker import LENGTH, framed

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Callable

SECONDS = 10.0
SECONDS_PER_MEGABYTE = 15.0
"""The time after which a job is taken to hang: so many seconds, and more for larger files."""
_LIMIT = 1 << 26
# The worker has the search path of the server. It must not import from the current directory: that is the workspace.
_MAIN = "import sys; sys.path[:] = {path!r}; from panicguard_lsp.worker import main; main()"


class JobError(Exception):
    """A job that failed, with the reason."""


class ObsoleteError(Exception):
    """A job whose result was no longer wanted when its turn came."""


class Worker:
    """A process that does one job at a time, in the order of the calls of `run`."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._process: Process | None = None
        self._turn = asyncio.Lock()

    async def run(self, job: str, *arguments: Any, size: int = 0, wanted: Callable[[], bool] = lambda: True) -> Any:
        """The result of a job. `size` is the number of characters it works on; `wanted` is called before it starts.

        Raises JobError if the job fails or hangs, and ObsoleteError if it is not `wanted` any more. A job whose caller
        is cancelled while it runs is not interrupted.
        """
        await self._turn.acquire()
        if not wanted():
            self._turn.release()
            raise ObsoleteError
        exchange = asyncio.ensure_future(self._exchange(framed((job, arguments)), size))
        exchange.add_done_callback(self._next)
        return await asyncio.shield(exchange)

    async def start(self) -> None:
        """Start the process before the first job needs it."""
        async with self._turn:
            await self._started()

    async def stop(self) -> None:
        """Kill the process, even in the middle of a job."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    def _next(self, exchange: asyncio.Future[Any]) -> None:
        self._turn.release()
        if not exchange.cancelled():
            exchange.exception()  # mark it as seen: the caller may have been cancelled

    async def _exchange(self, job: bytes, size: int) -> Any:
        process = await self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(job)
            limit = self._seconds + SECONDS_PER_MEGABYTE * size / 1e6
            done, result = pickle.loads(await asyncio.wait_for(_receive(process.stdout), limit))
        except (TimeoutError, asyncio.TimeoutError):
            await self.stop()
            raise JobError("the linter took too long and was stopped") from None
        except (asyncio.IncompleteReadError, ConnectionError):
            raise JobError(f"the linter crashed on this file ({_ending(await process.wait())})") from None
        if not done:
            raise JobError(result)
        return result

    async def _started(self) -> Process:
        if self._process is None or self._process.returncode is not None:
            pipe = asyncio.subprocess.PIPE
            main = _MAIN.format(path=sys.path)
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", main, stdin=pipe, stdout=pipe, limit=_LIMIT
            )
        return self._process


async def _receive(stdout: asyncio.StreamReader) -> bytes:
    return await stdout.readexactly(*LENGTH.unpack(await stdout.readexactly(LENGTH.size)))


def _ending(code: int) -> str:
    return (signal.strsignal(-code) or f"signal {-code}") if code < 0 else f"exit code {code}"
