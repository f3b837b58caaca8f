"""List what the commands open, and prove that each writes only what it may.

    python tests/prove_trace.py

Runs the commands under strace, which sees native code and workers too, in a project that has every kind of file they
read. Prints for each command the roles of what was read and every path that was written, made, renamed or removed, and
exits with 1 if the command must not write one of these, if something outside of the project was read that is not the
user's own, or if a file was read that `places.py` does not list: `prove_places.py` relies on that table.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent / "lsp"))

from client import Client
from places import CACHE, environment, make, role_of

PANICGUARD = (sys.executable, "-m", "panicguard")
PACKAGES = Path(__file__).parent.parent
CALLS = (
    "open,openat,creat,rename,renameat,renameat2,unlink,unlinkat,rmdir,mkdir,mkdirat,symlink,symlinkat,link,linkat,"
    "truncate,chmod,fchmodat,chown,lchown,fchownat,mknod,mknodat,utimensat,setxattr,lsetxattr,removexattr,chdir"
)
LINE = re.compile(r"(\d+) +(\w+)\((.*)\) = (-?\d+)")
ARGUMENT = re.compile(r'(?:AT_FDCWD|\d+)(?:<([^>]*)>)?|"((?:[^"\\]|\\.)*)"')
INSTALLATION = tuple(
    {
        "/usr", "/lib", "/lib64", "/etc", "/proc", "/sys", "/dev/urandom", str(PACKAGES / "panicguard"),
        str(PACKAGES / "lsp"), str(PACKAGES / "panicguard.egg-info"),
        sys.prefix, sys.base_prefix, os.path.realpath(sys.prefix), sysconfig.get_paths()["stdlib"],
    }
)  # fmt: skip
"""Where Python, the libraries and panicguard itself are."""


class Command(NamedTuple):
    arguments: str
    writes: str = ""
    """A pattern for what it may write below the project, beside the cache."""
    cached: bool = True
    standard_input: str | None = None
    directory: str = "."


SOURCES = r"(.+/)?(\.panicguard-[0-9a-f]+|[^/]+\.(py|ipynb|go))"
"""The sources that are fixed, and temporary files beside them."""
VERSION = r"[\w.]+-[0-9a-f]+(/[0-9a-f.json]+)?"
ENTRIES = rf"(.+/)?{re.escape(CACHE)}(/(\.gitignore|CACHEDIR\.TAG|\.panicguard-[0-9a-f]+|{VERSION}))?"
"""The cache, its own files, its versions and their entries."""
REPORT = r"out(/(report\.txt|\.panicguard-[0-9a-f]+))?"
BASELINE = r"baseline\.json|\.panicguard-[0-9a-f]+"
COMMANDS = (
    Command("check ."),
    Command("check ."),
    Command("check --no-cache .", cached=False),
    Command("check app gomain linked dotted plain"),
    Command("check @arguments.txt"),
    Command("check --select ALL --low-confidence --output-format sarif ."),
    Command("check --diff --unsafe-fixes ."),
    Command("check --statistics --isolated ."),
    Command("check --config shared.toml --config line-length=100 ."),
    Command("check --show-settings app/place.py", cached=False),
    Command("check --show-files .", cached=False),
    Command("check --output-file out/report.txt .", REPORT),
    Command("check --output-file out/new/report.txt .", r"out/new(/report\.txt)?"),
    Command("check -", cached=False, standard_input="app/place.py"),
    Command("fix --stdin-filename app/place.py -", cached=False, standard_input="app/place.py"),
    Command("check --baseline new.json --update-baseline .", r"new\.json|\.panicguard-[0-9a-f]+"),
    Command("check --baseline baseline.json --update-baseline .", BASELINE),
    Command("check --baseline baseline.json ."),
    Command("check .", directory="linked"),
    Command("check --add-noqa=why app/other.py", SOURCES),
    Command("check --add-ignore=why plain", SOURCES),
    Command("fix app/place.py", r"app/(place\.py|\.panicguard-[0-9a-f]+)"),
    Command("fix .", SOURCES),
    Command("fix --unsafe-fixes --select ALL .", SOURCES),
    Command("check many"),
    Command("fix many", r"many/(\.panicguard-[0-9a-f]+|[^/]+\.py)"),
    Command("check --cache-dir elsewhere .", r"elsewhere(/.*)?", cached=False),
    Command("vendor vendored", r"vendored(/mruntime(/[^/]+)?)?", cached=False),
    Command("vendor --check vendored", cached=False),
    Command("vendor --force vendored", r"vendored(/mruntime(/[^/]+)?)?", cached=False),
    Command("vendor --language go --as golang vendored", r"vendored(/golang(/[^/]+)?)?", cached=False),
    Command("vendor --language go --as golang --check vendored", cached=False),
    Command("rule PNC101", cached=False),
    Command("rule --all --output-format json", cached=False),
    Command("config select", cached=False),
    Command("linter", cached=False),
    Command("version", cached=False),
    Command("help check", cached=False),
    Command("generate-shell-completion bash", cached=False),
    Command("check --watch app"),
    Command("server", r"$.", cached=False),
    Command("clean", r"elsewhere(/.*)?"),
)


class Access(NamedTuple):
    path: str
    writes: bool


def accesses(log: str, directory: str) -> set[Access]:
    """What a log of strace says was opened or changed, by absolute path, links in directories not resolved."""
    found: set[Access] = set()
    at: dict[str, str] = {}
    for line in log.splitlines():
        match = LINE.match(line)
        if match is None or match[4].startswith("-"):
            continue
        process, call, arguments = match[1], match[2], match[3]
        base, paths = at.get(process, directory), []
        for handle, path in ARGUMENT.findall(arguments):
            if handle:
                base = handle
            elif path:
                paths.append(os.path.normpath(os.path.join(base, path)))
        if call == "chdir":
            at[process] = paths[0]
        elif call.startswith(("symlink", "link")):  # what it leads to, or gets another name, is not changed
            found.add(Access(paths[-1], True))
        else:
            writes = not call.startswith("open") or bool(re.search(r"O_(WRONLY|RDWR|CREAT|TRUNC|APPEND)", arguments))
            if "O_DIRECTORY" not in arguments and not (call.startswith("open") and os.path.isdir(paths[0])):
                found.update(Access(path, writes) for path in paths)
    return found


def watched(command: list[str], project: Path) -> None:
    """Until the first round of `--watch` is over."""
    with subprocess.Popen(
        command, cwd=project, env=environment(project.parent), stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if b"Watching for file changes" in line:
                break
        time.sleep(0.5)  # one more look at the files
        os.killpg(process.pid, signal.SIGINT)
        process.stdout.read()


def served(command: list[str], project: Path) -> None:
    """A session: open, look, change, save, act, ask for the page of a rule, shut down."""
    with Client(project, command, **environment(project.parent)) as client:
        client.replies |= {"workspace/applyEdit": {"applied": True}, "window/showDocument": {"success": True}}
        shows = {"window": {"showDocument": {"support": True}}, "workspace": {"applyEdit": True}}
        client.initialize(shows)
        text = (project / "dotted" / "fresh.py").read_text()
        uri = client.open("dotted/fresh.py", text)
        diagnostics = client.published(uri)
        client.change(uri, 2, {"text": f"{text}\n\nx = 1\n"})
        client.published(uri)
        client.notify("textDocument/didSave", {"textDocument": {"uri": uri}})
        client.request("textDocument/diagnostic", {"textDocument": {"uri": uri}})
        client.request("workspace/diagnostic", {"previousResultIds": []})
        client.actions(uri, diagnostics)
        client.request("textDocument/hover", {"textDocument": {"uri": uri}, "position": {"line": 4, "character": 14}})
        for name, arguments in (("applyAutofix", [{"uri": uri, "version": 2}]), ("openDocumentation", ["PNC101"])):
            client.request("workspace/executeCommand", {"command": f"panicguard.{name}", "arguments": arguments})
        client.open("gomain/other.go", (project / "gomain" / "other.go").read_text(), language="go")
        client.quit()


def run(command: Command, project: Path) -> set[Access]:
    log = project.parent / "trace.log"
    directory = project / command.directory
    words = command.arguments.split()
    traced = ["strace", "-f", "-y", "-s", "4096", "--seccomp-bpf", "-e", f"trace={CALLS}", "-e", "signal=none"]
    traced += ["-o", str(log), *PANICGUARD, *words]
    if "--watch" in words:
        watched(traced, project)
    elif words[0] == "server":
        served(traced, project)
    else:
        data = (project / command.standard_input).read_bytes() if command.standard_input else b""
        home = environment(project.parent)
        subprocess.run(traced, cwd=directory, env=home, input=data, capture_output=True, timeout=120, check=False)
    text = log.read_text(errors="replace")
    log.unlink()
    return accesses(text, str(directory))


def verdict(access: Access, command: Command, project: Path) -> tuple[str, bool]:
    """What a path is to a command, and whether that is allowed."""
    path, writes = access
    below = os.path.relpath(path, project) if path.startswith(f"{project}/") else None
    if below is not None and writes:
        if command.cached and re.fullmatch(ENTRIES, below):
            return "the cache", True
        if command.writes and re.fullmatch(command.writes, below):
            return "what it was asked to write", True
        return "NOT ITS OWN", False
    if below is not None:
        role = role_of(below) or ("what is named" if re.match(r"new\.json|elsewhere(/|$)", below) else None)
        return (role or "NO PLACE OF places.py"), role is not None
    if path == os.devnull:
        return "the null device", True
    if writes and path.startswith("/dev/shm/"):
        return "a semaphore of the workers", True
    if command.arguments == "server" and path.startswith(f"{project.parent}/temporary/"):
        return "the server's temporary directory", True
    if not writes and path.startswith(f"{project.parent}/home/"):
        return "the user's own", True
    if not writes and any(path == place or path.startswith(f"{place}/") for place in INSTALLATION):
        return "", True
    if not writes and os.path.dirname(path) in map(str, (*project.parents, PACKAGES)):
        return "above the project", True
    return ("WRITTEN OUTSIDE" if writes else "READ OUTSIDE"), False


def shape(path: str, project: Path) -> str:
    """A path without what is random in it."""
    text = os.path.relpath(path, project) if path.startswith(f"{project}/") else path
    text = re.sub(r"\.panicguard-[0-9a-f]{16}", ".panicguard-*", text)
    text = re.sub(r"/[0-9a-f]{16}$", "/*", re.sub(r"[0-9a-f]{32}", "*", text))
    text = re.sub(r"(\d[\w.]*)-[0-9a-f]{16}", r"\1-*", text)
    text = re.sub(r"^/dev/shm/.*", "/dev/shm/*", re.sub(r"module\d+", "module*", text))
    return re.sub(r"/temporary/[^/]+", "/temporary/*", text)


def main() -> int:
    if shutil.which("strace") is None:
        print("strace is needed", file=sys.stderr)
        return 2
    outside = 0
    roles: set[str] = set()
    written: set[str] = set()
    with tempfile.TemporaryDirectory() as base:
        project = make(Path(base).resolve() / "world")
        text = (project / "app" / "place.py").read_text()
        (project / "many").mkdir()
        for number in range(260):  # so many need workers
            (project / "many" / f"module{number}.py").write_text(text)
        (project / "dotted" / "fresh.py").write_text(text)
        time.sleep(2.1)  # only files that rest are remembered
        for command in COMMANDS:
            print(f"\n{command.arguments}")
            lines: dict[str, set[str]] = {}
            for access in run(command, project):
                what, allowed = verdict(access, command, project)
                outside += not allowed
                if not what:
                    continue
                shaped = shape(access.path, project)
                written |= {shaped} if access.writes else set()
                roles |= set() if access.writes else {what}
                shown = lines.setdefault(f"{'writes' if access.writes else 'reads'} {what}", set())
                if access.writes or not allowed or what == "above the project":
                    shown.add(shaped)
            for what, paths in sorted(lines.items()):
                print(f"  {what}{': ' * bool(paths)}{', '.join(sorted(paths))}")
    print(f"\n{len(COMMANDS)} commands; read: {len(roles)} roles ({', '.join(sorted(roles))});")
    print(f"written: {len(written)} kinds of paths; outside of what they may: {outside}")
    return 1 if outside else 0


if __name__ == "__main__":
    sys.exit(main())
