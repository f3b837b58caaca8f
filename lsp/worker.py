"""The process that checks. It is apart from the server because libcst holds the GIL while it parses, and can crash the
interpreter. Reads jobs from standard input and writes their results, each a pickle after its length."""

from __future__ import annotations

import gc
import os
import pickle
import signal
import struct
import sys
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LENGTH = struct.Struct(">Q")


def framed(value: object) -> bytes:
    """A value as it is sent through a pipe: its length, then its pickle."""
    data = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    return LENGTH.pack(len(data)) + data


def main() -> None:
    """Do jobs until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which ends this process
    jobs_in, results_out = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)  # what a library prints must not mix with the results
    from . import jobs

    jobs.warm()
    gc.collect()
    gc.freeze()
    gc.disable()  # syntax trees have no cycles, and looking for some takes longer than parsing
    _serve(jobs_in, results_out, jobs.JOBS)


def _serve(jobs_in: BinaryIO, results_out: BinaryIO, jobs: Mapping[str, Callable[..., Any]]) -> None:
    while len(length := jobs_in.read(LENGTH.size)) == LENGTH.size:
        name, arguments = pickle.loads(jobs_in.read(*LENGTH.unpack(length)))
        try:
            result = (True, jobs[name](*arguments))
        except Exception as error:
            message = str(error).partition("\n")[0][:200]
            result = (False, f"{type(error).__name__}: {message}" if message else type(error).__name__)
        results_out.write(framed(result))
        results_out.flush()
        del name, arguments, result
        gc.collect()
    sys.exit(0)
