"""Work with a time limit: a context with a timeout, which the work looks at."""

from __future__ import annotations

from panicguard import mruntime


def search(ctx: mruntime.Context) -> None:
    shelf = 0
    while not ctx.done().wait(0.01):
        shelf += 1
    print("the search has ended:", ctx.err())


def main() -> None:
    with mruntime.with_timeout(mruntime.background(), 0.1) as ctx:
        worker = mruntime.SafeGoWithContextAndComponent(ctx, "search", mruntime.KeepRunning, search)
        worker.join()
    print("panics:", mruntime.metrics()["goroutine_panics_total"])


if __name__ == "__main__":
    main()

# Prints:
# the search has ended: context deadline exceeded
# panics: {}
