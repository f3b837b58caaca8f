"""The server answers and behaves as Ruff's does, in the same shapes: both are run with the same messages."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from client import ABILITIES, PANICGUARD, RUFF, Client, Message, edited

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OURS = "import asyncio\n\n\nasync def main(f):\n    asyncio.create_task(f())\n"
THEIRS = "import os\nimport sys\n"
BROKEN = "import asyncio\nasyncio.create_task(\n"
PLAIN: Message = {"textDocument": {"codeAction": {}}}
PULLING: Message = {**PLAIN, "textDocument": {"diagnostic": {}}}


def shape(value: Any) -> Any:
    """The keys and types of a JSON value; of a list, those of what is in it."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        if not any(isinstance(inner, (dict, list)) for inner in value):
            return "list"
        return [inner for i, inner in enumerate(map(shape, value)) if inner not in list(map(shape, value[:i]))]
    return type(value).__name__


def without(value: Any, *keys: str) -> Any:
    """A JSON value without some keys, at whatever depth."""
    if isinstance(value, dict):
        return {key: without(inner, *keys) for key, inner in value.items() if key not in keys}
    return [without(inner, *keys) for inner in value] if isinstance(value, list) else value


class Both:
    """The two servers, each in a project with one text open that has something to fix."""

    def __init__(self, directory: Path, abilities: Message) -> None:
        self.clients = []
        self.capabilities = []
        for name, command, text in (("ours", PANICGUARD, OURS), ("theirs", RUFF, THEIRS)):
            root = directory / name
            root.mkdir()
            (root / "ruff.toml").write_text('lint.select = ["F401"]\n')
            client = Client(root, command)
            self.clients.append(client)
            self.capabilities.append(client.initialize(abilities)["capabilities"])
            client.open("a.py", text)
        self.texts = [OURS, THEIRS]
        self.uris = [client.uri("a.py") for client in self.clients]

    def each(self, ask: Any) -> tuple[Any, Any]:
        """What each server answers."""
        ours, theirs = (ask(client, uri) for client, uri in zip(self.clients, self.uris, strict=True))
        return ours, theirs

    def close(self) -> None:
        for client in self.clients:
            client.__exit__()


def made(directory: Path, abilities: Message) -> Iterator[Both]:
    both = Both(directory, abilities)
    try:
        yield both
    finally:
        both.close()


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """With clients that can do what VS Code can, and are pushed diagnostics."""
    yield from made(tmp_path_factory.mktemp("full"), ABILITIES)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """With clients that can do next to nothing."""
    yield from made(tmp_path_factory.mktemp("plain"), PLAIN)


@pytest.fixture(scope="module")
def pulling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """With clients that pull diagnostics."""
    yield from made(tmp_path_factory.mktemp("pulling"), PULLING)


@pytest.fixture(scope="module")
def found(full: Both) -> tuple[list[Message], list[Message]]:
    return full.each(lambda client, uri: client.published(uri))


def test_what_it_can_do(full: Both, pulling: Both) -> None:
    for both in (full, pulling):
        ours, theirs = both.capabilities
        assert shape(ours) == shape(without(theirs, "documentFormattingProvider", "documentRangeFormattingProvider"))
        assert ours["textDocumentSync"] == theirs["textDocumentSync"]
        assert ours["notebookDocumentSync"] == theirs["notebookDocumentSync"]
        kinds = {kind.replace("ruff", "panicguard") for kind in theirs["codeActionProvider"]["codeActionKinds"]}
        assert {*ours["codeActionProvider"]["codeActionKinds"]} == {k for k in kinds if "organizeImports" not in k}


def test_diagnostics_that_are_pushed(found: tuple[list[Message], list[Message]]) -> None:
    ours, theirs = found
    assert shape(ours) == shape(without(theirs, "codeDescription"))  # there is no page to link to yet
    assert ours[0]["code"] == "PNC101"
    assert ours[0]["message"].endswith(f"\n\nhelp: {ours[0]['data']['title']}")


def test_quick_fixes(full: Both, found: tuple[list[Message], list[Message]]) -> None:
    ours = full.clients[0].actions(full.uris[0], found[0], ["quickfix"])
    theirs = full.clients[1].actions(full.uris[1], found[1][:1], ["quickfix"])
    assert shape(ours[0]) == shape(without(theirs[0], "codeDescription"))
    assert ours[0]["title"].startswith("panicguard (PNC101): Spawn with ")
    assert ours[0]["isPreferred"] == theirs[0]["isPreferred"]
    disabling = [a for a in ours if a["title"] == "panicguard (PNC101): Disable for this line"]
    assert shape(disabling[0]) == shape(without(theirs[1], "codeDescription"))
    assert theirs[1]["title"] == "Ruff (F401): Disable for this line"
    assert edited(OURS, disabling[0]["edit"]["documentChanges"][0]["edits"]) == OURS[:-1] + "  # noqa: PNC101\n"


def test_fix_all_when_it_is_resolved(full: Both) -> None:
    actions = full.each(lambda client, uri: client.actions(uri, [], ["source.fixAll"])[0])
    assert shape(actions[0]) == shape(actions[1])
    assert "edit" not in actions[0]
    ours, theirs = (c.request("codeAction/resolve", a) for c, a in zip(full.clients, actions, strict=True))
    assert shape(ours) == shape(theirs)
    assert edited(OURS, ours["edit"]["documentChanges"][0]["edits"]) == (
        'from panicguard import mruntime\n\n\nasync def main(f):\n    mruntime.SafeGo("f", mruntime.KeepRunning, f())\n'
    )


def test_fix_all_for_a_client_that_cannot_resolve(plain: Both) -> None:
    ours, theirs = plain.each(lambda client, uri: client.actions(uri, [], ["source.fixAll"])[0])
    assert shape(without(ours, "file")) == shape(theirs) | {
        "edit": {"changes": {plain.uris[0]: shape(theirs["edit"]["changes"][plain.uris[1]])}}
    }


@pytest.mark.parametrize(
    "only",
    [
        None,
        [],
        ["quickfix"],
        ["source"],
        ["source.fixAll"],
        ["source.fixAll.TOOL"],
        ["source.fixAll.TOOL.more"],
        ["source.fix"],
        ["source.unknown"],
        ["refactor"],
        ["quickfix", "source"],
    ],
)
def test_kinds_that_are_asked_for(
    full: Both, found: tuple[list[Message], list[Message]], only: list[str] | None
) -> None:
    kinds = []
    for client, uri, diagnostics, tool in zip(full.clients, full.uris, found, ("panicguard", "ruff"), strict=True):
        asked = None if only is None else [kind.replace("TOOL", tool) for kind in only]
        actions = client.actions(uri, diagnostics, asked)
        kinds.append({a["kind"].replace(tool, "TOOL") for a in actions if "organizeImports" not in a["kind"]})
    assert kinds[0] == kinds[1]


def test_a_diagnostic_that_is_pulled(pulling: Both) -> None:
    ours, theirs = pulling.each(
        lambda client, uri: client.request("textDocument/diagnostic", {"textDocument": {"uri": uri}})
    )
    assert ours["kind"] == theirs["kind"] == "full"
    assert shape(without(ours, "resultId")) == shape(without(theirs, "codeDescription"))


def test_who_pulls_is_pushed_nothing(pulling: Both) -> None:
    pulling.each(lambda client, uri: client.settle())
    for client in pulling.clients:
        assert "textDocument/publishDiagnostics" not in {note["method"] for note in client.notes}


def test_a_syntax_error(full: Both) -> None:
    ours, theirs = full.each(lambda client, _: client.published(client.open("broken.py", BROKEN)))
    assert shape(ours) == shape(theirs)
    assert ours[0]["code"] == theirs[0]["code"] == "invalid-syntax"
    assert ours[0]["severity"] == theirs[0]["severity"] == 1


def test_a_text_that_is_closed(full: Both) -> None:
    def closed(client: Client, _: str) -> Message:
        uri = client.open("gone.py", "x = 1\n")
        client.published(uri)
        client.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
        note: Message = client.wait("textDocument/publishDiagnostics", lambda params: params["uri"] == uri)
        return note["params"]

    ours, theirs = full.each(closed)
    assert ours["diagnostics"] == theirs["diagnostics"] == []
    assert shape(ours) == shape(theirs)


def test_commands(full: Both) -> None:
    for client, uri, tool in zip(full.clients, full.uris, ("panicguard", "ruff"), strict=True):
        arguments = [{"uri": uri, "version": 1}]
        assert (
            client.request("workspace/executeCommand", {"command": f"{tool}.applyAutofix", "arguments": arguments})
            is None
        )
        assert client.error("workspace/executeCommand", {"command": f"{tool}.nope"}) == -32602
        about = client.request("workspace/executeCommand", {"command": f"{tool}.printDebugInformation"})
        assert "version = " in about
    ours, theirs = full.each(lambda client, _: client.wait("workspace/applyEdit")["params"])
    assert shape(ours) == shape(theirs)
    assert ours["label"].removeprefix("panicguard") == theirs["label"].removeprefix("Ruff")


@pytest.mark.parametrize("offered", [None, [], ["utf-8"], ["utf-32"], ["utf-7", "utf-16"], ["utf-7"]])
def test_the_encoding_of_positions(tmp_path: Path, offered: list[str] | None) -> None:
    general = {} if offered is None else {"general": {"positionEncodings": offered}}
    encodings = []
    for command in (PANICGUARD, RUFF):
        with Client(tmp_path, command) as client:
            encodings.append(client.initialize({**PLAIN, **general})["capabilities"]["positionEncoding"])
    assert encodings[0] == encodings[1]


def test_a_hover_on_the_code_of_a_suppression(full: Both) -> None:
    hovers = []
    for client, code in zip(full.clients, ("PNC101", "F401"), strict=True):
        uri = client.open("hover.py", f"x = 1  # noqa: {code}\n")
        where = {"textDocument": {"uri": uri}, "position": {"line": 0, "character": 16}}
        hovers.append(client.request("textDocument/hover", where))
        assert client.request("textDocument/hover", where | {"position": {"line": 0, "character": 2}}) is None
    assert shape(without(hovers[0], "range")) == shape(without(hovers[1], "range"))
    assert hovers[0]["contents"]["value"].startswith("# bare-asyncio-task (PNC101)")


PREFERENCES = ("editorFirst", "filesystemFirst", "editorOnly")
EDITORS: tuple[Message, ...] = (
    {"lint": {"select": ["ONE"]}},
    {"lint": {"ignore": ["ONE"], "extendSelect": ["TWO"]}},
    {"configuration": {"lint": {"select": ["TWO"]}}},
    {"configuration": "ROOT/other.toml"},
    {"configuration": "ROOT/other.toml", "lint": {"ignore": ["TWO"]}},
)
PROJECTS = ("", 'lint.select = ["ONE"]\n', 'lint.select = ["TWO"]\n', 'lint.extend-select = ["ONE"]\n')


def test_whose_settings_count_for_more(tmp_path: Path) -> None:
    """Each preference with each of the editor's settings is a folder, and each project a directory in it."""
    both = Both(tmp_path, ABILITIES)
    names = (("panicguard.toml", "PNC101", "PNC103"), ("ruff.toml", "F401", "E711"))
    texts = (OURS + "\nimport threading\nthreading.Thread(target=work).start()\n", "import os\nx = 1\nx == None\n")
    seen: list[dict[str, set[str]]] = []
    for client, (file, one, two), text in zip(both.clients, names, texts, strict=True):

        def named(said: str, one: str = one, two: str = two, root: Path = client.root) -> str:
            return said.replace("ONE", one).replace("TWO", two).replace("ROOT", str(root))

        client.quit()
        (client.root / file).unlink(missing_ok=True)
        (client.root / "other.toml").write_text(named('lint.select = ["TWO"]\n'))
        folders: list[Message] = []
        for preference in PREFERENCES:
            for its in EDITORS:
                folder = client.root / f"folder{len(folders)}"
                folders.append({"workspace": folder.as_uri(), "configurationPreference": preference} | its)
                for n, project in enumerate(PROJECTS):
                    (folder / f"{n}").mkdir(parents=True)
                    if project:
                        (folder / f"{n}" / file).write_text(named(project))
        with Client(client.root, client.process.args) as again:
            again.initialize(
                workspaceFolders=[{"uri": one["workspace"], "name": one["workspace"]} for one in folders],
                initializationOptions={
                    "globalSettings": {},
                    "settings": [json.loads(named(json.dumps(one))) for one in folders],
                },
            )
            found = {}
            for number, given in enumerate(folders):
                for n, project in enumerate(PROJECTS):
                    codes = {d["code"] for d in again.published(again.open(f"folder{number}/{n}/a.py", text))}
                    what = f"{json.dumps(given)} {project}".replace(given["workspace"], "")
                    found[what] = {{one: "ONE", two: "TWO"}[code] for code in codes & {one, two}}
            seen.append(found)
    both.close()
    different = {what: (mine, seen[1][what]) for what, mine in seen[0].items() if mine != seen[1][what]}
    assert not different, "\n".join(f"{k} {v}" for k, v in different.items())
