"""What a file imports from other modules of the project: found, remembered, and looked up again when they change."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from panicguard.run import cache
from panicguard.settings import Imported, Settings

if TYPE_CHECKING:
    from pathlib import Path

from panicguard.run.modules import with_imported
from panicguard.source import Source

POOLS = "from concurrent.futures import ThreadPoolExecutor\n\nPOOL = ThreadPoolExecutor()\n"
USE = "from .pools import POOL\n\n\ndef f(): ...\n\n\ndef main():\n    POOL.submit(f)\n"
EXECUTOR = "concurrent.futures.ThreadPoolExecutor"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A package of two modules, of which one uses what the other one has."""
    write(tmp_path, {"panicguard.toml": "", "app/__init__.py": "", "app/pools.py": POOLS, "app/use.py": USE})
    return tmp_path


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def known(root: Path, name: str = "app/use.py") -> tuple[Imported, ...]:
    path = root / name
    return with_imported(Source(str(path), path.read_text()), settings(root))[0].imported


def settings(root: Path) -> Settings:
    return Settings(root=str(root), enabled=frozenset(("PNC101", "PNC104", "PNC107")))


def run(root: Path, *arguments: str, text: str | None = None) -> list[str]:
    """The places and codes of what a run finds."""
    command = [sys.executable, "-m", "panicguard", "check", "--output-format", "concise", *arguments]
    done = subprocess.run(command, cwd=root, input=text, capture_output=True, text=True, check=False)
    assert not done.stderr, done.stderr
    return [" ".join(line.split(" ")[:2]) for line in done.stdout.splitlines() if "PNC" in line]


FOUND = ["app/use.py:8:5: PNC107"]


def settle() -> None:
    time.sleep(cache.SETTLED + 0.2)


def test_a_file_alone_is_found_the_same_as_in_a_run_of_all(project: Path) -> None:
    assert run(project, ".") == run(project, "app/use.py") == run(project, "app/use.py", "--no-cache") == FOUND
    assert run(project / "app", "use.py") == ["use.py:8:5: PNC107"]


def test_standard_input_imports_as_the_file_of_its_name(project: Path) -> None:
    assert run(project, "-", "--stdin-filename", "app/use.py", text=USE) == FOUND
    assert run(project, "-", "--stdin-filename", "app/new.py", text=USE) == ["app/new.py:8:5: PNC107"]
    assert run(project, "-", text=USE) == []


def test_what_is_remembered_holds_as_long_as_the_other_module_does(project: Path) -> None:
    settle()
    assert run(project, ".") == run(project, ".") == FOUND
    (project / "app/pools.py").write_text("POOL = []\n")
    assert run(project, ".") == []
    settle()
    assert run(project, ".") == run(project, ".") == []
    (project / "app/pools.py").write_text(POOLS)
    assert run(project, ".") == FOUND


def test_what_is_remembered_is_forgotten_when_the_other_module_is_gone_or_comes_back(project: Path) -> None:
    settle()
    assert run(project, ".") == FOUND
    (project / "app/pools.py").rename(project / "elsewhere.py")
    assert run(project, ".") == []
    settle()
    assert run(project, ".") == []
    write(project, {"app/pools/__init__.py": POOLS})
    assert run(project, ".") == FOUND


def test_modules_are_found_from_the_root_of_the_package_and_below_src(tmp_path: Path) -> None:
    user = USE.replace(".pools", "app.pools")
    write(tmp_path, {"src/app/__init__.py": "", "src/app/pools.py": POOLS, "src/app/inner/__init__.py": ""})
    write(
        tmp_path,
        {"src/app/inner/use.py": user, "scripts/use.py": user, "src/app/inner/up.py": USE.replace(".", "..", 1)},
    )
    expected = (Imported("app.pools.POOL", "object", EXECUTOR),)
    assert known(tmp_path, "src/app/inner/use.py") == known(tmp_path, "scripts/use.py") == expected
    assert known(tmp_path, "src/app/inner/up.py") == (Imported("..pools.POOL", "object", EXECUTOR),)


@pytest.mark.parametrize("init", ["app/__init__.py", "app/inner/__init__.py", "app/inner/deep/__init__.py"])
@pytest.mark.parametrize("module", ["app.inner.pools", "app.inner.deep.pools", "..pools", ".pools"])
def test_packages_need_no_file_of_their_own(tmp_path: Path, init: str, module: str) -> None:
    pools = {"app/inner/pools.py": POOLS, "app/inner/deep/pools.py": POOLS}
    write(tmp_path, {init: "", **pools, "app/inner/deep/use.py": USE.replace(".pools", module)})
    without_root = Settings(enabled=settings(tmp_path).enabled)
    path = tmp_path / "app/inner/deep/use.py"
    imported = with_imported(Source(str(path), path.read_text()), without_root)[0].imported
    assert imported == (Imported(f"{module}.POOL", "object", EXECUTOR),)


@pytest.mark.parametrize(
    "pools",
    [
        "POOL = ThreadPoolExecutor(\n",
        "from .use import POOL\n",
        "from .pools import POOL\n",
        "from .missing import *\n",
        "from .pools import *\n",
        "",
        "\0",
        "POOL: int\n",
        "POOL = None\n",
        "def POOL(): ...\n",
        f"if True:\n    {POOLS.splitlines()[0]}\nPOOL = ThreadPoolExecutor()\nPOOL = 3\n",
        "class A:\n    POOL = ThreadPoolExecutor()\n",
    ],
)
def test_a_module_that_does_not_say_it_is_no_news(project: Path, pools: str) -> None:
    (project / "app/pools.py").write_text(pools)
    assert known(project) == ()


@pytest.mark.parametrize(
    "pools",
    [
        POOLS.replace("\n", "\r\n"),
        "# coding: latin-1\n# \xe9\n" + POOLS,
        POOLS + "\n\ndef start(:\n",
        "POOL = None\n" + POOLS,
        "import concurrent.futures as cf\n\nPOOL: cf.Executor = cf.ThreadPoolExecutor(\n    max_workers=3,\n)\n",
        "from concurrent import futures\n\ntry:\n    POOL = futures.ThreadPoolExecutor()\nfinally:\n    pass\n",
        POOLS.replace("POOL", "OTHER") + "POOL = OTHER\n",
    ],
)
def test_the_same_in_other_words(project: Path, pools: str) -> None:
    (project / "app/pools.py").write_bytes(pools.encode("latin-1"))
    assert known(project) == (Imported(".pools.POOL", "object", EXECUTOR),)


def test_a_link_to_a_module_and_a_pipe_in_the_place_of_one(project: Path) -> None:
    (project / "app/pools.py").rename(project / "real.py")
    (project / "app/pools.py").symlink_to(project / "real.py")
    assert known(project) == (Imported(".pools.POOL", "object", EXECUTOR),)
    (project / "app/pools.py").unlink()
    os.mkfifo(project / "app/pools.py")
    assert known(project) == ()
    (project / "app/pools.py").unlink()
    (project / "app/pools.py").symlink_to("pools.py")
    assert known(project) == ()


def test_what_is_open_in_an_editor_stands_for_the_file(project: Path) -> None:
    source = Source(str(project / "app/use.py"), USE)
    opened = {str(project / "app/pools.py"): "POOL = 3\n"}
    assert with_imported(source, settings(project), opened)[0].imported == ()
    opened = {str(project / "app/other.py"): POOLS}
    source = Source(str(project / "app/use.py"), USE.replace(".pools", ".other"))
    assert with_imported(source, settings(project), opened)[0].imported == (
        Imported(".other.POOL", "object", EXECUTOR),
    )
    assert with_imported(source, settings(project))[0].imported == ()


def test_the_root_of_a_project_may_be_a_package_itself(tmp_path: Path) -> None:
    write(tmp_path, {"__init__.py": "", "pools.py": POOLS, "use.py": USE})
    assert known(tmp_path, "use.py") == (Imported(".pools.POOL", "object", EXECUTOR),)


def test_a_file_that_imports_nothing_it_spawns_with_looks_at_no_other(project: Path) -> None:
    text = (
        "import asyncio\nfrom .pools import POOL\n\n\nasync def f():\n    asyncio.create_task(f())\n    print(POOL)\n"
    )
    its = settings(project)
    assert with_imported(Source(str(project / "app/use.py"), text), its) == (its, ())


@pytest.mark.parametrize("line", ["from .below import *\n", "from .below import other\nfrom .other import below\n"])
def test_a_directory_without_an_init_is_no_way_back_to_the_package(tmp_path: Path, line: str) -> None:
    write(tmp_path, {"app/__init__.py": line, "app/below/pools.py": POOLS, "app/use.py": USE.replace(".pools", "app")})
    assert known(tmp_path) == ()


LOGS = "def f():\n    try:\n        g()\n    except Exception as e:\n        log.error(e)\n"
STARTS = "import threading\nfrom .jobs import f\n\n\ndef main():\n    threading.Thread(target=f).start()\n"


def test_what_handles_its_errors_in_another_module_is_asked_for_again_when_that_changes(tmp_path: Path) -> None:
    write(tmp_path, {"panicguard.toml": "", "app/__init__.py": "", "app/jobs.py": LOGS, "app/use.py": STARTS})
    assert known(tmp_path) == (Imported("f", "keeps", "TOLD"),)
    settle()
    assert run(tmp_path, ".") == run(tmp_path, ".") == []
    write(tmp_path, {"app/jobs.py": "def f():\n    g()\n"})
    assert known(tmp_path) == ()
    assert run(tmp_path, ".") == ["app/use.py:6:5: PNC103"]


@pytest.mark.parametrize("gap", [" ", "  # a remark\n", "\n\n", "  # noqa: RUF006 - on purpose\n  "])
def test_what_is_handed_on_may_stand_behind_blanks_and_comments(tmp_path: Path, gap: str) -> None:
    asks = f"async def f():\n    if flag():\n        return\n{LOGS.partition(':')[2][1:]}"
    use = f"import asyncio\nfrom .jobs import f\n\n\nasync def main():\n    asyncio.create_task({gap}f())\n"
    write(tmp_path, {"panicguard.toml": "", "app/__init__.py": "", "app/jobs.py": asks, "app/use.py": use})
    assert known(tmp_path) == (Imported("f", "keeps", "TOLD"),)


FAILS = (
    "import threading\nfrom urllib.request import urlopen\n\nthreading.Thread(target=urlopen, args=(URL,)).start()\n"
)
HOOK = "import threading\n\nthreading.excepthook = print\n"
TOLD = ["app/work/use.py:4:1: PNC103"]


@pytest.fixture
def hooked(tmp_path: Path) -> Path:
    """A package whose main module sets the hook of threads, which another one starts."""
    packages = {"panicguard.toml": "", "app/__init__.py": "", "app/work/__init__.py": ""}
    write(tmp_path, {**packages, "app/main.py": HOOK, "app/work/use.py": FAILS})
    return tmp_path


def test_a_hook_holds_for_the_whole_project_whatever_of_it_is_checked(hooked: Path) -> None:
    use = "app/work/use.py"
    assert (
        run(hooked, ".")
        == run(hooked, use, "--no-cache")
        == run(hooked, "-", "--stdin-filename", use, text=FAILS)
        == []
    )
    assert run(hooked, ".", "--config", "error-hooks = false") == TOLD
    write(hooked, {"app/main.py": "", "app/tests/conftest.py": HOOK})
    assert run(hooked, ".", "--no-cache") == TOLD
    assert run(hooked, ".", "--config", "error-hooks = true") == []


def test_a_finding_is_remembered_until_a_hook_comes_or_goes(hooked: Path) -> None:
    settle()
    assert run(hooked, ".") == run(hooked, ".") == []
    write(hooked, {"app/main.py": HOOK.replace("print", "threading.__excepthook__")})
    assert run(hooked, ".") == run(hooked, ".") == TOLD
    write(hooked, {"app/work/other.py": HOOK})
    assert run(hooked, ".") == run(hooked, ".") == []


@pytest.mark.parametrize(("text", "found"), [(HOOK, ["use.py:4:1: PNC103"]), (f"import use\n{HOOK}", [])])
def test_beside_a_file_of_no_package_who_imports_it_sets_its_hooks(tmp_path: Path, text: str, found: list[str]) -> None:
    write(tmp_path, {"panicguard.toml": "", "main.py": text, "use.py": FAILS})
    assert run(tmp_path, ".", "--no-cache") == found


def test_settings_and_a_verbose_run_say_where_a_hook_is_set(hooked: Path) -> None:
    said = f"threading.excepthook is set in {hooked / 'app' / 'main.py'}:3"
    command = [sys.executable, "-m", "panicguard", "check"]
    for arguments in (["--show-settings", "app/work/use.py"], ["-v", "."], ["-v", "app/work/use.py"]):
        done = subprocess.run([*command, *arguments], cwd=hooked, capture_output=True, text=True, check=True)
        assert said in (done.stdout + done.stderr)
