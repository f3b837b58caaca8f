"""What the server tells an editor: diagnostics, actions, hovers, commands; of files, notebooks and a workspace."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from client import ABILITIES, Client, Message, edited

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SPAWN = "import asyncio\n\n\nasync def main(f):\n    asyncio.create_task(f())\n"
TWO = SPAWN + "    asyncio.create_task(f())\n"
PULL: Message = {"textDocument": {"diagnostic": {}}}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A server without any configuration."""
    with Client(tmp_path_factory.mktemp("workspace")) as client:
        client.initialize()
        yield client
        assert client.quit() == 0


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Client]]:
    """What starts a server in a directory of the test's own."""
    clients: list[Client] = []

    def starting(abilities: Message | None = None, **params: Any) -> Client:
        clients.append(Client(tmp_path))
        clients[-1].initialize(abilities, **params)
        return clients[-1]

    yield starting
    for client in clients:
        client.__exit__()


def at(line: int, character: int, end_line: int | None = None, end: int | None = None) -> Message:
    """A range, or an empty one."""
    last = {"line": line if end_line is None else end_line, "character": character if end is None else end}
    return {"start": {"line": line, "character": character}, "end": last}


def codes(diagnostics: list[Message]) -> list[str]:
    return [diagnostic["code"] for diagnostic in diagnostics]


# Texts


def test_text_in_the_editor_counts_and_not_the_file(client: Client) -> None:
    (client.root / "saved.py").write_text("x = 1\n")
    assert codes(client.published(client.open("saved.py", SPAWN))) == ["PNC101"]


def test_changes_of_ranges_one_after_another(client: Client) -> None:
    uri = client.open("changes.py", SPAWN)
    client.published(uri)
    client.change(
        uri,
        2,
        {"range": at(4, 12, 4, 23), "text": "run"},
        {"range": at(4, 4, 4, 11), "text": "await asyncio"},
        {"range": at(4, 18, 4, 21), "text": "create_task"},
        {"range": at(4, 4, 4, 10), "text": ""},
        {"range": at(0, 0), "text": "# first\r\n"},
    )
    found = client.published(uri, 2)
    assert codes(found) == ["PNC101"]
    assert found[0]["range"] == at(5, 4, 5, 23)
    client.change(uri, 3, {"text": "x = 1\n"})
    assert client.published(uri, 3) == []


@pytest.mark.parametrize(("offered", "columns"), [("utf-8", 6), ("utf-16", 3), ("utf-32", 2)])
def test_positions_in_each_encoding(start: Callable[..., Client], offered: str, columns: int) -> None:
    client = start({"general": {"positionEncodings": ["utf-7", offered, "utf-8"]}})
    uri = client.open("a.py", SPAWN.replace("    asyncio", "    'é😀'; asyncio"))
    found = client.published(uri)
    assert found[0]["range"] == at(4, 8 + columns, 4, 27 + columns)
    hover = {"textDocument": {"uri": uri}, "position": {"line": 4, "character": 8 + columns}}
    assert client.request("textDocument/hover", hover)["range"] == found[0]["range"]
    client.change(uri, 2, {"range": at(4, 5, 4, 5 + columns), "text": "é"})
    assert client.published(uri, 2)[0]["range"]["start"]["character"] == 9 + (offered == "utf-8")


def test_newlines_are_those_of_the_protocol(client: Client) -> None:
    uri = client.open("lines.py", SPAWN.replace("\n", "\r\n").replace("main(f):", "main(f):  # \u2028\x0c\x85"))
    assert client.published(uri)[0]["range"] == at(4, 4, 4, 23)
    client.change(uri, 2, {"range": at(4, 0), "text": "\f"})
    assert client.published(uri, 2)[0]["range"] == at(4, 5, 4, 24)


def test_a_change_outside_of_the_text_is_at_its_end(client: Client) -> None:
    uri = client.open("outside.py", "x = 1")
    client.published(uri)
    client.change(uri, 2, {"range": at(7, 7, 9, 9), "text": "\n" + SPAWN})
    assert client.published(uri, 2)[0]["range"] == at(5, 4, 5, 23)
    client.change(uri, 3, {"range": at(5, 9999, 5, 99999), "text": "  # noqa"}, {"range": at(5, 4, 1, 0), "text": ""})
    assert client.published(uri, 3) == []


def test_other_languages_are_passed_over(client: Client) -> None:
    uri = client.open("main.rs", SPAWN, language="rust")
    client.change(uri, 2, {"text": SPAWN})
    assert client.actions(uri, []) == []
    assert client.request("textDocument/diagnostic", {"textDocument": {"uri": uri}})["items"] == []
    assert all(note["params"].get("uri") != uri for note in client.notes)


def test_a_path_that_a_uri_writes_in_its_own_way(start: Callable[..., Client], tmp_path: Path) -> None:
    (tmp_path / "a+é b.py").write_text("x = 1\n")
    (tmp_path / "panicguard.toml").write_text('per-file-ignores = { "a+é b.py" = ["PNC103"] }\n')
    client = start(PULL)
    text = f"import threading\n{SPAWN}    threading.Thread(target=f).start()\n"
    uri = f"{tmp_path.as_uri()}/a%2B%C3%A9%20b.py"
    item = {"uri": uri, "languageId": "python", "version": 1, "text": text}
    client.notify("textDocument/didOpen", {"textDocument": item})
    (report,) = client.request("workspace/diagnostic", {"previousResultIds": []})["items"]
    assert (report["uri"], codes(report["items"])) == (uri, ["PNC101"])


def test_a_text_that_is_in_no_file(client: Client) -> None:
    item = {"uri": "untitled:Untitled-1", "languageId": "python", "version": 1, "text": SPAWN}
    client.notify("textDocument/didOpen", {"textDocument": item})
    assert codes(client.published("untitled:Untitled-1")) == ["PNC101"]


def test_only_the_last_of_many_keystrokes_is_published(client: Client) -> None:
    uri = client.open("typing.py", SPAWN)
    client.published(uri)
    for version in range(2, 30):
        client.change(uri, version, {"range": at(0, 0), "text": "#"})
    client.published(uri, 29)
    client.settle()
    assert all(note["params"].get("uri") != uri for note in client.notes)


# Actions


def test_all_of_one_rule_are_fixed(client: Client) -> None:
    text = TWO + "    threading.Thread(target=f).start()\n"
    uri = client.open("rule.py", "import threading\n" + text)
    found = client.published(uri)
    assert codes(found) == ["PNC101", "PNC101", "PNC103"]
    actions = client.actions(uri, found[1:], ["quickfix"])
    (action,) = (action for action in actions if action["title"] == "panicguard (PNC101): Fix all in this file")
    edit = client.request("codeAction/resolve", action)["edit"]["documentChanges"][0]
    fixed = edited("import threading\n" + text, edit["edits"])
    assert fixed.count("mruntime.SafeGo(") == 2
    assert "threading.Thread(target=f).start()" in fixed


def test_an_unsafe_fix_is_offered_and_not_preferred(start: Callable[..., Client], tmp_path: Path) -> None:
    (tmp_path / "panicguard.toml").write_text('default-policy = "CrashProcess"\n')
    client = start()
    uri = client.open("a.py", TWO)
    found = client.published(uri)
    actions = client.actions(uri, found[:1])
    assert [action["isPreferred"] for action in actions if "isPreferred" in action] == [False]
    fix_all = client.request("codeAction/resolve", actions[-1])
    assert fix_all["edit"] == {"documentChanges": []}
    client.notify("workspace/didChangeConfiguration", {"settings": {"panicguard": {"unsafeFixes": True}}})
    client.published(uri)
    assert client.request("codeAction/resolve", actions[-1])["edit"]["documentChanges"][0]["edits"]


def test_no_action_comes_from_what_is_no_longer_there(client: Client) -> None:
    uri = client.open("stale.py", SPAWN)
    found = client.published(uri)
    client.change(uri, 2, {"range": at(0, 0), "text": "# a\n"})
    assert client.actions(uri, found, ["quickfix"]) == []
    assert client.actions(uri, client.published(uri, 2), ["quickfix"])


def test_the_documentation_of_a_rule(start: Callable[..., Client]) -> None:
    client = start({**ABILITIES, "window": {"showDocument": {"support": True}}})
    uri = client.open("a.py", SPAWN)
    actions = client.actions(uri, client.published(uri))
    (command,) = (action["command"] for action in actions if action["title"].endswith("Show documentation"))
    page = client.request("workspace/executeCommand", {k: command[k] for k in ("command", "arguments")})
    assert page.startswith("# bare-asyncio-task (PNC101)")
    shown = client.wait("window/showDocument")["params"]["uri"].removeprefix("file://")
    with open(shown, encoding="utf-8") as file:
        assert file.read() == page
    client.quit()
    assert not os.path.exists(shown)


def test_fixing_by_command_spares_another_version(client: Client) -> None:
    uri = client.open("command.py", SPAWN, version=4)
    client.published(uri)
    for version in (3, 4):
        fix = {"command": "panicguard.applyAutofix", "arguments": [{"uri": uri, "version": version}]}
        assert client.request("workspace/executeCommand", fix) is None
    client.settle()
    (note,) = (note for note in client.notes if note["method"] == "workspace/applyEdit")
    assert "SafeGo" in edited(SPAWN, note["params"]["edit"]["documentChanges"][0]["edits"])


# Hover


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("asyncio.create_task(f())", "Reported as PNC101 (bare-asyncio-task)"),
        ("asyncio.create_task(f())  # noqa: PNC101", "Not reported: a comment suppresses PNC101."),
        (
            "async with asyncio.TaskGroup() as group: group.create_task(f())",
            "- Owner: `group`\n- Handle: awaited by its",
        ),
        ("await asyncio.gather(f(), f())", "- Handle: awaited by its owner"),
        ("await asyncio.get_running_loop().run_in_executor(None, f)", "- Handle: awaited by its owner"),
        ("t = asyncio.create_task(f()); await t", "Not reported: its owner learns of an error."),
        ('mruntime.SafeGo("mail", mruntime.KeepRunning, f)', '- Component: `"mail"`\n- Policy: `mruntime.KeepRunning`'),
    ],
)
def test_a_hover_on_a_spawn(client: Client, line: str, said: str) -> None:
    start = SPAWN.partition("    ")[0].replace("import asyncio\n", "import asyncio\nfrom panicguard import mruntime\n")
    uri = client.open("hover.py", f"{start}    {line}\n")
    column = 4 + next(
        line.index(callee) for callee in ("group.c", "asyncio.c", "asyncio.g", "mruntime") if callee in line
    )
    found = client.request(
        "textDocument/hover", {"textDocument": {"uri": uri}, "position": {"line": 5, "character": column + 9}}
    )
    assert said in found["contents"]["value"]
    assert found["range"]["start"] == {"line": 5, "character": column}


def test_a_hover_on_nothing(client: Client) -> None:
    uri = client.open("hover.py", SPAWN)
    for line, character in ((0, 0), (4, 0), (99, 99)):
        where = {"textDocument": {"uri": uri}, "position": {"line": line, "character": character}}
        assert client.request("textDocument/hover", where) is None


# Pulls


def test_a_pull_says_when_nothing_has_changed(start: Callable[..., Client]) -> None:
    client = start(PULL)
    uri = client.open("a.py", SPAWN)
    pull = {"textDocument": {"uri": uri}}
    first = client.request("textDocument/diagnostic", pull)
    assert codes(first["items"]) == ["PNC101"]
    again = client.request("textDocument/diagnostic", pull | {"previousResultId": first["resultId"]})
    assert again == {"kind": "unchanged", "resultId": first["resultId"]}
    client.change(uri, 2, {"range": at(0, 0), "text": "\n"})
    third = client.request("textDocument/diagnostic", pull | {"previousResultId": first["resultId"]})
    assert third["kind"] == "full"
    assert third["items"][0]["range"]["start"]["line"] == 5


def test_a_pull_of_the_workspace(start: Callable[..., Client], tmp_path: Path) -> None:
    kept = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": SPAWN}
    kernel = {"cells": [kept], "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
    (tmp_path / "closed.ipynb").write_text(json.dumps(kernel))
    for name in ("a.py", "b.py", "sub/c.py", "venv/d.py", "clean.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x = 1\n" if name == "clean.py" else SPAWN)
    client = start(PULL)
    client.open("b.py", TWO)
    asked = client.ask("workspace/diagnostic", {"previousResultIds": [], "workDoneToken": "w"})
    items = client.answer(asked)["result"]["items"]
    found = {item["uri"].rpartition("/")[2]: codes(item["items"]) for item in items}
    assert found == {"a.py": ["PNC101"], "b.py": ["PNC101"] * 2, "c.py": ["PNC101"], "clean.py": []}
    kinds = [note["params"]["value"]["kind"] for note in client.notes if note["method"] == "$/progress"]
    assert kinds == ["begin", "end"]
    (tmp_path / "a.py").write_text("x = 2  # now clean\n")
    (tmp_path / "clean.py").unlink()
    previous = [{"uri": item["uri"], "value": item["resultId"]} for item in items]
    again = client.request("workspace/diagnostic", {"previousResultIds": previous})["items"]
    assert {item["uri"].rpartition("/")[2]: item["kind"] for item in again} == {
        "a.py": "full",
        "b.py": "unchanged",
        "c.py": "unchanged",
    }


@pytest.mark.parametrize("by", ["$/cancelRequest", "window/workDoneProgress/cancel"])
def test_long_work_can_be_cancelled(start: Callable[..., Client], tmp_path: Path, by: str) -> None:
    for n in range(400):
        (tmp_path / f"m{n}.py").write_text(SPAWN)
    client = start(PULL)
    asked = client.ask("workspace/diagnostic", {"previousResultIds": [], "workDoneToken": 7})
    client.wait("$/progress")
    client.notify(by, {"id": asked} if by == "$/cancelRequest" else {"token": 7})
    assert client.answer(asked)["error"]["code"] == -32800
    assert client.wait("$/progress", lambda params: params["value"]["kind"] == "end")
    client.settle()


def test_an_editor_that_can_do_much(start: Callable[..., Client], tmp_path: Path) -> None:
    """Everything that editors send, and how they work: they pull, are asked to pull again, and resolve."""
    can = json.loads((Path(__file__).parent / "editor.json").read_text())
    client = start(
        can,
        processId=os.getpid(),
        clientInfo={"name": "editor", "version": "1"},
        locale="en",
        rootPath=str(tmp_path),
        trace="off",
        workDoneToken="1",
        initializationOptions=None,
    )
    uri = client.open("a.py", SPAWN)
    (found,) = client.request("textDocument/diagnostic", {"identifier": "panicguard", "textDocument": {"uri": uri}})[
        "items"
    ]
    client.notify("textDocument/didSave", {"textDocument": {"uri": uri}})
    context = {"diagnostics": [found], "only": ["quickfix"], "triggerKind": 1}
    asked = {"textDocument": {"uri": uri}, "range": found["range"], "context": context}
    action = client.request("textDocument/codeAction", asked)[0]
    assert client.request("codeAction/resolve", action) == action
    (tmp_path / "panicguard.toml").write_text("select = []\n")
    client.notify("workspace/didChangeWatchedFiles", {"changes": [{"uri": client.uri("panicguard.toml"), "type": 1}]})
    client.wait("workspace/diagnostic/refresh")
    assert client.request("textDocument/diagnostic", {"textDocument": {"uri": uri}})["items"] == []
    assert client.quit() == 0


# Settings


def test_the_closest_configuration_holds(start: Callable[..., Client], tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "panicguard.toml").write_text('ignore = ["PNC101"]\nexclude = ["left.py"]\n')
    (tmp_path / "sub" / "panicguard.toml").write_text("")
    client = start()
    assert client.published(client.open("a.py", SPAWN)) == []
    assert codes(client.published(client.open("sub/a.py", SPAWN))) == ["PNC101"]
    uri = client.open("left.py", SPAWN)
    assert client.published(uri) == []
    assert client.actions(uri, []) == []


def test_a_change_of_the_configuration_is_seen(start: Callable[..., Client], tmp_path: Path) -> None:
    watching = {**ABILITIES, "workspace": {"didChangeWatchedFiles": {"dynamicRegistration": True}}}
    client = start(watching)
    registered = client.wait("client/registerCapability")["params"]["registrations"][0]
    globs = {watcher["globPattern"] for watcher in registered["registerOptions"]["watchers"]}
    assert {"**/panicguard.toml", "**/.panicguard.toml", "**/pyproject.toml", "**/ruff.toml"} <= globs
    uri = client.open("a.py", SPAWN)
    assert codes(client.published(uri)) == ["PNC101"]

    def configure(text: str) -> list[Message]:
        (tmp_path / "panicguard.toml").write_text(text)
        event = {"uri": client.uri("panicguard.toml"), "type": 2}
        client.notify("workspace/didChangeWatchedFiles", {"changes": [event]})
        return client.published(uri)

    assert configure('ignore = ["PNC101"]\n') == []
    # A broken configuration is reported, and the previous one stays in effect.
    (tmp_path / "panicguard.toml").write_text('ignroe = ["PNC101"]\n')
    client.notify("workspace/didChangeWatchedFiles", {"changes": []})
    said = client.wait("window/showMessage")["params"]
    assert said["type"] == 1
    assert str(tmp_path / "panicguard.toml") in said["message"]
    assert "ignroe" in said["message"]
    client.change(uri, 2, {"text": TWO})
    assert client.published(uri, 2) == []
    assert codes(configure("")) == ["PNC101"] * 2
    about = client.request("workspace/executeCommand", {"command": "panicguard.printDebugInformation"})
    assert f"a.py (version 2): settings from {tmp_path / 'panicguard.toml'}" in about
    assert sys.executable in about
    (tmp_path / "panicguard.toml").write_text("select = []\n")
    client.request("workspace/executeCommand", {"command": "panicguard.reloadSettings"})
    assert client.published(uri) == []


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, ["PNC101", "PNC103"]),
        ({"lint": {"select": ["PNC103"]}}, ["PNC103"]),
        ({"ignore": ["bare-thread"]}, ["PNC101"]),
        ({"lint": {"select": [], "extendSelect": ["PNC101"]}}, ["PNC101"]),
        ({"lint": {"enable": False}}, []),
        ({"exclude": ["a.py"]}, []),
        ({"configuration": "other.toml"}, ["PNC101"]),
        ({"configuration": {"lint": {"ignore": ["PNC101"]}}}, ["PNC103"]),
        ({"configuration": {"per-file-ignores": {"a.py": ["PNC103"]}}}, ["PNC101"]),
        ({"unknownKey": 1, "lint": {"preview": True}}, ["PNC101", "PNC103"]),
    ],
)
def test_settings_of_the_editor(
    start: Callable[..., Client], tmp_path: Path, settings: Message, expected: list[str]
) -> None:
    (tmp_path / "other.toml").write_text('select = ["PNC101"]\n')
    client = start(initializationOptions={"settings": settings})
    text = f"import threading\n{SPAWN}    threading.Thread(target=f).start()\n"
    assert codes(client.published(client.open("a.py", text))) == expected


def test_settings_that_hide_something(start: Callable[..., Client]) -> None:
    client = start(
        initializationOptions={
            "settings": {
                "fixAll": False,
                "showSyntaxErrors": False,
                "codeAction": {"disableRuleComment": {"enable": False}, "fixViolation": {"enable": False}},
            }
        }
    )
    uri = client.open("a.py", SPAWN)
    titles = [action["title"] for action in client.actions(uri, client.published(uri))]
    assert titles == ["panicguard (PNC101): Show documentation"]
    client.change(uri, 2, {"text": "import asyncio\nasyncio.create_task(\n"})
    assert client.published(uri, 2) == []


def test_settings_of_the_wrong_type_are_told_of_and_left_out(start: Callable[..., Client]) -> None:
    wrong = {"select": "PNC101", "configurationPreference": "nobodyFirst"}
    client = start(initializationOptions={"settings": {**wrong, "lint": {"ignore": ["PNC101"]}}})
    said = client.wait("window/showMessage")["params"]["message"]
    assert '`configurationPreference`: expected one of editorFirst, filesystemFirst, editorOnly, not "nobod' in said
    assert '`select`: expected a list of strings, not "PNC101"' in said
    assert client.published(client.open("a.py", SPAWN)) == []
    client.notify("workspace/didChangeConfiguration", {"settings": {"panicguard": {"lint": {"select": ["NO1"]}}}})
    assert "NO1" in client.wait("window/showMessage")["params"]["message"]


def test_folders_have_their_own_settings(start: Callable[..., Client], tmp_path: Path) -> None:
    for name, text in (("one", 'ignore = ["PNC101"]\n'), ("two", "")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "panicguard.toml").write_text(text)
    folders = [{"uri": (tmp_path / name).as_uri(), "name": name} for name in ("one", "two")]
    client = start(workspaceFolders=folders[:1])
    assert client.published(client.open("one/a.py", SPAWN)) == []
    client.notify("workspace/didChangeWorkspaceFolders", {"event": {"added": folders[1:], "removed": folders[:1]}})
    assert codes(client.published(client.open("two/a.py", SPAWN))) == ["PNC101"]
    about = client.request("workspace/executeCommand", {"command": "panicguard.printDebugInformation"})
    assert f"workspace_folders = [{str(tmp_path / 'two')!r}]" in about


def test_a_warning_about_the_configuration_is_shown_once(start: Callable[..., Client], tmp_path: Path) -> None:
    (tmp_path / "panicguard.toml").write_text('ignore = ["PNC999"]\n')
    client = start()
    uri = client.open("a.py", SPAWN)
    said = client.wait("window/showMessage")["params"]
    assert said["type"] == 2
    assert "PNC999" in said["message"]
    assert codes(client.published(uri)) == ["PNC101"]
    client.change(uri, 2, {"text": TWO})
    assert codes(client.published(uri, 2)) == ["PNC101"] * 2
    client.settle()
    assert "window/showMessage" not in {note["method"] for note in client.notes}


def test_folders_have_their_own_settings_in_the_editor(start: Callable[..., Client], tmp_path: Path) -> None:
    folders = [{"uri": (tmp_path / name).as_uri(), "name": name} for name in ("one", "two")]
    options = {"globalSettings": {"select": []}, "settings": [{"workspace": folders[0]["uri"], "select": ["PNC101"]}]}
    asking = {**ABILITIES, "workspace": {"configuration": True}}
    client = start(asking, workspaceFolders=folders, initializationOptions=options)
    one, two = (client.open(f"{name}/a.py", SPAWN) for name in ("one", "two"))
    assert codes(client.published(one)) == ["PNC101"]
    assert client.published(two) == []
    client.replies["workspace/configuration"] = [{}, {"select": []}, None]
    client.notify("workspace/didChangeConfiguration", {"settings": None})
    asked = client.wait("workspace/configuration")["params"]["items"]
    assert [item.get("scopeUri") for item in asked] == [None, *(folder["uri"] for folder in folders)]
    assert client.published(one) == []
    assert codes(client.published(two)) == ["PNC101"]


def test_a_folder_within_another(start: Callable[..., Client], tmp_path: Path) -> None:
    folders = [{"uri": path.as_uri(), "name": path.name} for path in (tmp_path, tmp_path / "inner")]
    for folder in (tmp_path, tmp_path / "inner"):
        folder.mkdir(exist_ok=True)
        (folder / "a.py").write_text(SPAWN)
    options = {"globalSettings": {}, "settings": [{"workspace": folders[1]["uri"], "select": []}]}
    client = start(PULL, workspaceFolders=folders, initializationOptions=options)
    report = client.request("workspace/diagnostic", {"previousResultIds": []})["items"]
    assert [(item["uri"], codes(item["items"])) for item in report] == [
        (client.uri("a.py"), ["PNC101"]),
        (client.uri("inner/a.py"), []),
    ]


def test_the_log_goes_to_a_file(start: Callable[..., Client], tmp_path: Path) -> None:
    client = start(initializationOptions={"settings": {"logFile": "server.log", "logLevel": "debug"}})
    client.published(client.open("a.py", SPAWN))
    assert "DEBUG panicguard_lsp: checked" in (tmp_path / "server.log").read_text()
    settings = {"panicguard": {"logFile": "no/such/directory.log"}}
    client.notify("workspace/didChangeConfiguration", {"settings": settings})
    said = client.wait("window/showMessage")["params"]["message"]
    assert said == "Cannot log to `no/such/directory.log`: No such file or directory"


def test_what_a_tracer_sees(start: Callable[..., Client]) -> None:
    client = start(trace="messages")
    client.open("a.py", SPAWN)
    assert "checked" in client.wait("$/logTrace")["params"]["message"]
    client.notify("$/setTrace", {"value": "off"})
    client.published(client.open("b.py", SPAWN))
    client.settle()
    assert "$/logTrace" not in {note["method"] for note in client.notes}


# Notebooks


def notebook(client: Client, *cells: str) -> list[str]:
    """The URIs of the cells of a notebook that is opened."""
    uris = [f"vscode-notebook-cell:{client.root}/n.ipynb#c{n}" for n in range(len(cells))]
    document = {
        "uri": client.uri("n.ipynb"),
        "notebookType": "jupyter-notebook",
        "version": 1,
        "cells": [{"kind": 2, "document": uri} for uri in uris],
    }
    texts = [
        {"uri": uri, "languageId": "python", "version": 1, "text": text} for uri, text in zip(uris, cells, strict=True)
    ]
    client.notify("notebookDocument/didOpen", {"notebookDocument": document, "cellTextDocuments": texts})
    return uris


CELLS = ("import asyncio\n", "%time x = 1\nasync def main(f):\n    asyncio.create_task(f())", "%%bash\nls\n")


def test_a_notebook(client: Client) -> None:
    first, second, third = notebook(client, *CELLS)
    assert client.published(first) == []
    found = client.published(second)
    assert codes(found) == ["PNC101"]
    assert found[0]["range"] == at(2, 4, 2, 23)
    assert client.published(third) == []
    actions = client.actions(second, found)
    assert [action["kind"] for action in actions[-1:]] == ["notebook.source.fixAll.panicguard"]
    changes = {c["textDocument"]["uri"]: c["edits"] for c in actions[0]["edit"]["documentChanges"]}
    assert edited(CELLS[0], changes[first]) == "import asyncio\n\nfrom panicguard import mruntime\n"
    assert edited(CELLS[1], changes[second]).endswith('    mruntime.SafeGo("f", mruntime.KeepRunning, f())')
    whole = client.request("codeAction/resolve", actions[-1])["edit"]["documentChanges"]
    assert {change["textDocument"]["uri"] for change in whole} == {first, second}
    for change in whole:
        text = CELLS[0] if change["textDocument"]["uri"] == first else CELLS[1]
        assert edited(text, change["edits"]) == edited(text, changes[change["textDocument"]["uri"]])
    where = {"textDocument": {"uri": second}, "position": {"line": 2, "character": 12}}
    assert client.request("textDocument/hover", where)["range"] == found[0]["range"]
    assert codes(client.request("textDocument/diagnostic", {"textDocument": {"uri": second}})["items"]) == ["PNC101"]


def test_a_notebook_that_changes(client: Client) -> None:
    first, second, _ = notebook(client, *CELLS)
    client.published(second)
    added = f"vscode-notebook-cell:{client.root}/n.ipynb#c9"
    identifier = {"uri": client.uri("n.ipynb"), "version": 2}
    item = {"uri": added, "languageId": "python", "version": 1, "text": "x = 1\n"}
    structure = {
        "array": {"start": 1, "deleteCount": 2, "cells": [{"kind": 2, "document": added}]},
        "didOpen": [item],
        "didClose": [{"uri": second}],
    }
    client.notify(
        "notebookDocument/didChange", {"notebookDocument": identifier, "change": {"cells": {"structure": structure}}}
    )
    assert client.published(second) == []
    assert client.published(added) == []
    text = {
        "document": {"uri": added, "version": 2},
        "changes": [{"text": "async def main(f):\n    asyncio.create_task(f())\n"}],
    }
    identifier["version"] = 3
    client.notify(
        "notebookDocument/didChange", {"notebookDocument": identifier, "change": {"cells": {"textContent": [text]}}}
    )
    assert codes(client.published(added)) == ["PNC101"]
    closed = {"notebookDocument": {"uri": client.uri("n.ipynb")}, "cellTextDocuments": [{"uri": first}, {"uri": added}]}
    client.notify("notebookDocument/didClose", closed)
    assert client.published(added) == []


def test_a_notebook_is_pushed_to_those_who_pull(start: Callable[..., Client], tmp_path: Path) -> None:
    client = start(PULL)
    cell = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": SPAWN}
    (tmp_path / "n.ipynb").write_text(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 4}))
    [only] = notebook(client, SPAWN)
    assert codes(client.published(only)) == ["PNC101"]
    assert client.request("workspace/diagnostic", {"previousResultIds": []})["items"] == []
    client.notify(
        "notebookDocument/didClose", {"notebookDocument": {"uri": client.uri("n.ipynb")}, "cellTextDocuments": []}
    )
    assert client.published(only) == []
    assert client.request("workspace/diagnostic", {"previousResultIds": []})["items"] == []


# The command


def test_checking_does_not_import_the_server() -> None:
    program = (
        "import sys; from panicguard.cli.commands import run; run(['check', '-n', '--isolated', sys.argv[1]]); "
        "print([m for m in sys.modules if m.partition('.')[0] in ('pygls', 'lsprotocol', 'cattrs', 'panicguard_lsp')])"
    )
    done = subprocess.run([sys.executable, "-c", program, __file__], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == []
