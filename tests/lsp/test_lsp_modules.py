"""What a document imports from other modules of the project, which are as the editor has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from client import ABILITIES, Client, Message

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

POOLS = "from concurrent.futures import ThreadPoolExecutor\n\nPOOL = ThreadPoolExecutor()\n"
USE = "from .pools import POOL\n\n\ndef f(): ...\n\n\ndef main():\n    POOL.submit(f)\n"
PULL: Message = {**ABILITIES, "textDocument": {**ABILITIES["textDocument"], "diagnostic": {}}}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "__init__.py").write_text("")
    (tmp_path / "pools.py").write_text(POOLS)
    (tmp_path / "use.py").write_text(USE)
    return tmp_path


@pytest.fixture
def client(root: Path) -> Iterator[Client]:
    with Client(root) as client:
        client.initialize()
        yield client


@pytest.fixture
def pulling(root: Path) -> Iterator[Client]:
    with Client(root) as client:
        client.initialize(PULL)
        yield client


def codes(diagnostics: list[Message]) -> list[str]:
    return [diagnostic["code"] for diagnostic in diagnostics]


def test_a_document_is_checked_anew_when_a_module_that_it_imports_changes_in_the_editor(client: Client) -> None:
    uri = client.open("use.py", USE)
    assert codes(client.published(uri, 1)) == ["PNC107"]
    pools = client.open("pools.py", POOLS)
    client.notes.clear()
    client.change(pools, 2, {"text": "POOL = []\n"})
    assert codes(client.published(uri, 1)) == []
    client.notes.clear()
    client.notify("textDocument/didClose", {"textDocument": {"uri": pools}})
    assert codes(client.published(uri, 1)) == ["PNC107"]


def test_a_client_that_pulls_gets_other_diagnostics_when_a_module_has_changed(pulling: Client) -> None:
    uri = pulling.open("use.py", USE)

    def pull(known: str = "") -> Message:
        asked = {"textDocument": {"uri": uri}, **({"previousResultId": known} if known else {})}
        report: Message = pulling.request("textDocument/diagnostic", asked)
        return report

    first = pull()
    assert codes(first["items"]) == ["PNC107"]
    assert pull(first["resultId"])["kind"] == "unchanged"
    (pulling.root / "pools.py").write_text("POOL = []\n")
    assert codes(pull(first["resultId"])["items"]) == []
    pulling.open("pools.py", POOLS)
    assert codes(pull()["items"]) == ["PNC107"]


def test_the_fix_is_that_of_the_command_line(client: Client) -> None:
    uri = client.open("use.py", USE)
    (found,) = client.published(uri, 1)
    action, *_ = client.actions(uri, [found])
    assert "executor=POOL" in str(action["edit"])


def test_a_hook_that_another_module_sets_holds_for_a_document(root: Path, client: Client) -> None:
    starts = "import threading\nfrom urllib.request import urlopen\n\nthreading.Thread(target=urlopen).start()\n"
    uri = client.open("starts.py", starts)
    assert codes(client.published(uri, 1)) == ["PNC103"]
    (root / "main.py").write_text("import threading\n\nthreading.excepthook = print\n")
    client.notes.clear()
    client.change(uri, 2, {"text": f"{starts}\n"})
    assert codes(client.published(uri, 2)) == []
