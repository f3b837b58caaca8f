"""Which names that a module imports it may spawn with: asked of the text alone, before any other module is looked at.

What is not asked about here is not known; what is asked about in vain costs the parse of a module, so that this is
narrow: receivers of methods that spawn, bases of classes that have a `run`, and functions called like those that spawn.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from panicguard.python.apis import OWN_SPAWNERS
from panicguard.python.screen import places

if TYPE_CHECKING:
    from collections.abc import Iterator

_METHODS = (
    "create_task",
    "ensure_future",
    "run_coroutine_threadsafe",
    "run_in_executor",
    ".submit",
    "apply_async",
    "map_async",
    "starmap_async",
)
_SUBMIT = ".submit("
"""What has no executor in sight says nothing, unless that is imported."""
RUN = "def run("
"""What a class has that may be one of threads."""
HINTS: tuple[str, ...] = (*OWN_SPAWNERS, RUN, _SUBMIT)
_NOT_IMPORTED = frozenset(("self", "cls", "super"))
_RECEIVER = re.compile(r"(\w+(?:[\s\\()]*\.[\s\\()]*\w+)*)[\s\\()]*\.[\s\\()]*$")
_NEAR = 120
"""Characters before a method that its receiver may have."""
_FAR = 2000
"""Characters from an `import` to a name that it lists."""
_LISTED = re.compile(r"[\s\w,.(\\]*(?:#[^\n]*\n[\s\w,.(\\]*)*")
_BASES = re.compile(r"class\s+\w+\s*(?:\[[^\]]*\]\s*)?\(([^()]*)\)\s*:")
_BEFORE = re.compile(r"\w*$")
_BLANK = re.compile(r"[\s\\()]+")
_COMMENT = re.compile(r"#[^\n]*")
_NAME = re.compile(r"[A-Za-z_][\w.]*")
_FROM = re.compile(r"from\b((?:[ \t\f.\w]|\\\r?\n)+)")
_IMPORTED = re.compile(r"[\s\\]*(?:\(([^)]*)\)|((?:[^\n;#\\]|\\\r?\n)*))")
_ALIAS = re.compile(r"(\*|[\w.]+)(?:\s+as\s+(\w+))?")


def asked(text: str, occurring: frozenset[str]) -> tuple[str, ...]:
    """The qualified names, as the imports of a text give them (`.pools.POOL`), of what may spawn there; `occurring` are
    the words that do."""
    used = set(_used(text, occurring))
    heads = {head for head in {name.partition(".")[0] for name in used} if _may_be_imported(text, head)}
    if not heads:
        return ()
    origins = {local: of for local, of in imports(text) if local in heads}
    names = {
        f"{origins[head]}{dot}{rest}" for head, dot, rest in (name.partition(".") for name in used) if head in origins
    }
    return tuple(sorted(name for name in names if name.partition(".")[0] not in sys.stdlib_module_names))


def _may_be_imported(text: str, name: str) -> bool:
    """Whether an import statement may give a name: nothing but names stands between its keyword and that."""
    for at in places(text, name):
        keyword = text.rfind("import", max(0, at - _FAR), at)
        if keyword >= 0 and _LISTED.fullmatch(text, keyword + len("import"), at):
            return True
    return False


def _used(text: str, standing: frozenset[str]) -> Iterator[str]:
    """The dotted names in a text that may be imported, and spawn."""
    submits = False
    for word in standing.intersection((*_METHODS, *OWN_SPAWNERS)):
        for at in places(text, word):
            receiver = _RECEIVER.search(text, max(0, at - _NEAR), at)
            name = _BLANK.sub("", receiver[1]) if receiver is not None else word.lstrip(".")
            if name.partition(".")[0] not in _NOT_IMPORTED and not (name == "asyncio" and "\nimport asyncio" in text):
                yield name
            submits = submits or word == ".submit"
    if "Thread" in standing and "threading" not in text:
        yield "Thread"
    if submits:
        yield from _pools(text)
    if RUN in standing:
        at = text.find(RUN)
        while at >= 0:
            yield from bases_above(text, at)
            at = text.find(RUN, at + 1)


def _pools(text: str) -> Iterator[str]:
    """The names in a text that classes of executors have."""
    for ending in ("Executor", "Pool"):
        at = text.find(ending)
        while at >= 0:
            if before := _BEFORE.search(text, max(0, at - _NEAR), at):
                yield f"{before[0]}{ending}"
            at = text.find(ending, at + 1)


def bases_above(text: str, at: int) -> list[str]:
    """The bases of the class that is the last one above an offset, as they are written."""
    header = _header(text, at)
    return [] if header is None else _NAME.findall(_COMMENT.sub("", header[1]))


def _header(text: str, at: int) -> re.Match[str] | None:
    """The header, with bases, of the class that is the last one above an offset."""
    start = text.rfind("class ", 0, at)
    return _BASES.match(text, start) if start >= 0 else None


def imports(text: str) -> Iterator[tuple[str, str]]:
    """The names that the imports of a text give, with what they are of."""
    for at in places(text, "import"):
        start = text.rfind("from", max(0, at - _NEAR), at)
        before = _FROM.fullmatch(text, start, at) if start >= 0 else None
        names = _IMPORTED.match(text, at + len("import"))
        listed = _COMMENT.sub("", (names[1] or names[2] or "") if names is not None else "").replace("\\", " ")
        origin = re.sub(r"[\s\\]", "", before[1]) if before is not None else ""
        for name, local in _ALIAS.findall(listed):
            if before is None:
                head = name.partition(".")[0]
                yield local or head, name if local else head
            else:
                yield local or name, f"{origin}{'' if origin.endswith('.') else '.'}{name}"
