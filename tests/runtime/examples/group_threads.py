"""Work that ends together: a group tells what its members returned, and what failed."""

from __future__ import annotations

import time

from panicguard import mruntime
from panicguard.mruntime import KeepRunning


def square(number: int) -> int:
    time.sleep(0.01 * (5 - number))
    return number * number


def follow() -> None:
    ctx = mruntime.current_context()
    while not ctx.done().wait(0.01):
        pass
    print("stopped:", ctx.err())


def main() -> None:
    with mruntime.Group(limit=2) as group:  # two at once; `go` waits for room
        for number in (1, 2, 3, 4):
            group.go("square", KeepRunning, square, args=(number,))
    print(group.results)
    try:
        with mruntime.Group() as group:
            group.go("follow", KeepRunning, follow)
            group.go("parse", KeepRunning, int, args=("five",))  # its error cancels the rest
    except mruntime.ExceptionGroup as errors:
        print(errors.exceptions)


if __name__ == "__main__":
    main()

# Prints:
# [1, 4, 9, 16]
# panic recovered in parse/int: invalid literal for int() with base 10: 'five'
# stopped: context canceled
# (ValueError("invalid literal for int() with base 10: 'five'"),)
