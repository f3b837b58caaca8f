"""A background worker: it works until its context is done, and a panic in one job does not end it."""

from __future__ import annotations

import logging

from panicguard import mruntime


def send(mail: str) -> None:
    if "@" not in mail:
        raise ValueError(f"no address in {mail!r}")
    print("sent to", mail)


def mailer(ctx: mruntime.Context, mails: mruntime.Channel[str]) -> None:
    while True:
        mail = mails.receive(ctx=ctx)  # raises Canceled once ctx is done: the worker ends, and that is not a panic
        with mruntime.RecoverAndLog("send", component="mailer"):
            send(mail)


def main() -> None:
    logging.basicConfig(format="%(levelname)s %(message)s")
    mails = mruntime.Channel[str]()
    ctx, stop = mruntime.with_cancel(mruntime.background())
    worker = mruntime.SafeGoWithContextAndComponent(ctx, "mailer", mruntime.KeepRunning, mailer, args=(mails,))
    for mail in ("ann@example.org", "nobody", "bob@example.org"):
        mails.send(mail)
    stop()
    worker.join()
    print("the worker has ended")


if __name__ == "__main__":
    main()

# Prints:
# sent to ann@example.org
# ERROR panic recovered in mailer/send: no address in 'nobody'
# sent to bob@example.org
# the worker has ended
