"""The process that checks: libcst can crash the interpreter and holds the GIL while it parses, and the server must not
notice. Reads jobs from standard input and writes what they came to, each a pickle with its length before it."""

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
    """A value as it goes through a pipe."""
    data = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    return LENGTH.pack(len(data)) + data


def main() -> None:
    """Do jobs until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # meant for the server, which ends this process
    jobs_in, answers_out = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)  # what a library may print is no answer
    from . import jobs

    jobs.warm()
    gc.collect()
    gc.freeze()
    gc.disable()  # a syntax tree has no cycles, and to look for them takes longer than to read it
    _serve(jobs_in, answers_out, jobs.JOBS)


def _serve(jobs_in: BinaryIO, answers_out: BinaryIO, jobs: Mapping[str, Callable[..., Any]]) -> None:
    while len(length := jobs_in.read(LENGTH.size)) == LENGTH.size:
        name, arguments = pickle.loads(jobs_in.read(*LENGTH.unpack(length)))
        try:
            answer = (True, jobs[name](*arguments))
        except Exception as error:
            said = str(error).partition("\n")[0][:200]
            answer = (False, f"{type(error).__name__}: {said}" if said else type(error).__name__)
        answers_out.write(framed(answer))
        answers_out.flush()
        del name, arguments, answer
        gc.collect()
    sys.exit(0)
