"""A server with a worker: SIGTERM or Ctrl-C lets both finish what they are doing, then the process ends."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from panicguard import mruntime


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello\n")


class Server(ThreadingHTTPServer):
    def process_request(self, request: Any, client_address: Any) -> None:
        # Threads of its own would be unknown to the runtime, which would not wait for them.
        mruntime.SafeGo("http", mruntime.KeepRunning, self.process_request_thread, args=(request, client_address))


def saver(ctx: mruntime.Context) -> None:
    while not ctx.done().wait(60):
        print("saved, once a minute")
    print("saved for the last time")


def main() -> None:
    mruntime.install_signal_handlers()  # a signal cancels root()
    server = Server(("127.0.0.1", 0), Handler)
    mruntime.SafeGo("http", mruntime.CrashProcess, server.serve_forever)
    mruntime.SafeGoWithContextAndComponent(mruntime.root(), "saver", mruntime.KeepRunning, saver)
    print("serving", flush=True)
    mruntime.root().done().wait()
    server.shutdown()
    server.server_close()
    report = mruntime.shutdown(timeout=10)
    print("all ended in time" if report.clean else report)


if __name__ == "__main__":
    main()

# Prints:
# serving
# (SIGTERM)
# saved for the last time
# all ended in time
