"""What a repository may put where a file or a directory is expected, to make its reader write, print or wait."""

from __future__ import annotations

import os
import shutil
import socket
import stat
from pathlib import Path

from places import CACHE

KINDS = (
    "link to a file outside", "link to a text outside", "link to a directory outside", "dangling link",
    "link to a file inside", "link to itself", "pipe", "socket", "zero device", "full device", "link to a device",
    "directory", "file", "huge file",
)  # fmt: skip


def put(path: Path, kind: str, project: Path) -> None:
    """Something of a kind at a path, in place of what was there."""
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    path.parent.mkdir(exist_ok=True)
    outside = project.parent / "outside"
    same = outside / ("baseline.json" if path.name == "baseline.json" else f"precious{path.suffix}")
    inside = project / "keep" / ("precious.py" if path.suffix == ".py" else "notes.txt")
    targets = {
        "link to a file outside": same if same.exists() else outside / "settings.toml",
        "link to a text outside": outside / "notes.txt",
        "link to a directory outside": outside / ("cache" if CACHE in path.parts else "directory"),
        "dangling link": outside / "new",
        "link to a file inside": inside,
        "link to itself": path,
        "link to a device": Path("/dev/zero"),
    }
    if kind in targets:
        path.symlink_to(os.path.relpath(targets[kind], path.parent) if targets[kind] != path else path.name)
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(str(project.parent / "s"))  # the way to the place may be longer than a socket may have
        (project.parent / "s").rename(path)
    elif kind in ("zero device", "full device"):
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 5 if kind == "zero device" else 7))
    elif kind == "directory":
        path.mkdir()
        (path / "keep.txt").write_text("kept\n")
    elif kind == "file":
        path.write_text("no text that is meant\n")
    elif kind == "huge file":
        with path.open("wb") as file:
            file.truncate(1 << 40)
