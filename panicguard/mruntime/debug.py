"""A page that shows what runs, for a WSGI or ASGI server: mount it where only operators can reach it.

It reads and never changes anything; `?json` gives JSON instead of text, `?health` the JSON of `health()`. Stacks are in
the list, values are not.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ._health import health
from ._registry import running

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

_ALLOWED = ("GET", "HEAD")


def page(*, as_json: bool = False) -> tuple[str, bytes]:
    """The content type and the page: of text a paragraph for each, of JSON a list of objects with the same fields."""
    found = running()
    if as_json:
        return "application/json", json.dumps([one._asdict() for one in found], indent=1).encode()
    text = "\n\n".join(map(str, found)) or "nothing runs"
    return "text/plain; charset=utf-8", f"{text}\n".encode("utf-8", "backslashreplace")


def _answer(method: str, query: str) -> tuple[int, list[tuple[str, str]], bytes]:
    if method not in _ALLOWED:
        return 405, [("Allow", ", ".join(_ALLOWED)), ("Content-Type", "text/plain"), ("Content-Length", "0")], b""
    words = query.split("&")
    kind, body = ("application/json", health().json().encode()) if "health" in words else page(as_json="json" in words)
    headers = [("Content-Type", kind), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")]
    return 200, headers, b"" if method == "HEAD" else body


def wsgi(environ: Mapping[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    """The page as a WSGI application."""
    status, headers, body = _answer(environ.get("REQUEST_METHOD", "GET"), environ.get("QUERY_STRING", ""))
    start_response("200 OK" if status == 200 else "405 Method Not Allowed", headers)
    return [body]


async def asgi(
    scope: Mapping[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
) -> None:
    """The page as an ASGI application. ValueError for what is not HTTP."""
    if scope["type"] != "http":
        raise ValueError(f"the page of mruntime is for http, not for {scope['type']}")
    status, headers, body = _answer(scope["method"], scope.get("query_string", b"").decode("latin-1"))
    raw = [(name.lower().encode(), value.encode()) for name, value in headers]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
