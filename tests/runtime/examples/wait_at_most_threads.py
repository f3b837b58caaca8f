"""A result, or a timeout: whoever asks waits for the reply no longer than it wants to."""

from __future__ import annotations

from panicguard import mruntime

Replies = mruntime.Channel[str]


def ask(ctx: mruntime.Context, server: str, replies: Replies) -> None:
    if server == "far" and ctx.done().wait(60):
        return  # nobody waits for it any more
    replies.send(f"the {server} server replied")


def main() -> None:
    for server, seconds in (("near", 30), ("far", 0.05)):
        replies = Replies(capacity=1)  # room for the reply, so that a late one does not block its sender forever
        with mruntime.with_timeout(mruntime.background(), seconds) as ctx:
            mruntime.SafeGoWithContextAndComponent(ctx, "ask", mruntime.KeepRunning, ask, args=(server, replies))
            try:
                print(replies.receive(ctx=ctx))
            except mruntime.DeadlineExceeded:
                print(f"the {server} server did not reply in time")


if __name__ == "__main__":
    main()

# Prints:
# the near server replied
# the far server did not reply in time
