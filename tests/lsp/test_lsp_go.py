"""Go in the editor: everything that there is for Python, and both languages in one session."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from client import ABILITIES, Client, Message, edited

from panicguard.cli.vendor import vendor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PYTHON = "import asyncio\n\n\nasync def main(f):\n    asyncio.create_task(f())\n"
GO = """\
package app

func work(s string) {}

func run(s string) {
\tgo work(s)
}
"""
TWO = GO + "\nfunc more() {\n\tgo run(`é`)\n}\n"
WATCHING: Message = {**ABILITIES, "workspace": {"didChangeWatchedFiles": {"dynamicRegistration": True}}}
PULL: Message = {**ABILITIES, "textDocument": {**ABILITIES["textDocument"], "diagnostic": {}}}


def make_module(root: Path) -> None:
    """A Go module with a copy of the runtime."""
    (root / "go.mod").write_text("module example.test/app\n\ngo 1.22\n")
    vendor(root / "internal", "mruntime", "go")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A server in a module without any configuration."""
    root = tmp_path_factory.mktemp("app")
    make_module(root)
    with Client(root) as client:
        client.initialize()
        yield client
        assert client.quit() == 0


@pytest.fixture
def pulling(tmp_path: Path) -> Iterator[Client]:
    """A server, in a module of the test's own, whose client asks for diagnostics."""
    make_module(tmp_path)
    with Client(tmp_path) as client:
        client.initialize(PULL)
        yield client


def go(client: Client, text: str, name: str = "app.go") -> tuple[str, list[Message]]:
    """The URI of a Go text that is opened, and what is pushed for it."""
    uri = client.open(name, text, language="go")
    return uri, client.published(uri, 1)


def codes(diagnostics: list[Message]) -> list[str]:
    return [diagnostic["code"] for diagnostic in diagnostics]


def at(line: int, start: int, end: int) -> Message:
    return {"start": {"line": line, "character": start}, "end": {"line": line, "character": end}}


def run(root: Path, *command: str, text: str | None = None) -> str:
    """What panicguard prints."""
    done = subprocess.run(
        [sys.executable, "-m", "panicguard", *command],
        cwd=root,
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


def fixed(root: Path, text: str) -> str:
    return run(root, "fix", "--stdin-filename", "app.go", "-", text=text)


def test_diagnostics_while_it_is_typed(client: Client) -> None:
    uri, found = go(client, TWO)
    assert [(d["code"], d["range"]) for d in found] == [("PNC120", at(5, 1, 8)), ("PNC120", at(9, 1, 7))]
    assert found[0]["message"].startswith("bare go keyword forbidden - use mruntime.SafeGoWithContextAndComponent")
    client.change(uri, 2, {"range": at(9, 0, 1), "text": "\t/* é😀 */ "})
    assert client.published(uri, 2)[1]["range"] == at(9, 11, 17)
    client.change(uri, 3, {"range": at(5, 1, 4), "text": ""}, {"range": at(9, 11, 14), "text": ""})
    assert client.published(uri, 3) == []
    client.change(uri, 4, {"text": GO + "\nfunc broken( {\n"})
    assert codes(client.published(uri, 4)) == ["PNC120"]


def test_each_fix_is_that_of_the_command_line(client: Client) -> None:
    uri, found = go(client, TWO)
    actions = {action["title"]: action for action in client.actions(uri, found[:1])}
    assert [*actions] == [
        "panicguard (PNC120): Spawn with `mruntime.SafeGoWithContextAndComponent`",
        "panicguard (PNC120): Fix all in this file",
        "panicguard (PNC120): Disable for this line",
        "panicguard (PNC120): Show documentation",
        "panicguard: Fix all auto-fixable problems",
    ]
    quick, all_of_rule, _, _, all_of_file = actions.values()
    assert quick["isPreferred"]
    text = edited(TWO, quick["edit"]["documentChanges"][0]["edits"])
    assert text == fixed(client.root, GO) + TWO[len(GO) :]
    for action in (all_of_rule, all_of_file):
        (change,) = client.request("codeAction/resolve", action)["edit"]["documentChanges"]
        assert edited(TWO, change["edits"]) == fixed(client.root, TWO)
    client.request("workspace/executeCommand", {"command": "panicguard.applyAutofix", "arguments": [{"uri": uri}]})
    (change,) = client.wait("workspace/applyEdit")["params"]["edit"]["documentChanges"]
    assert edited(TWO, change["edits"]) == fixed(client.root, TWO)


def test_no_fix_is_offered_that_the_package_has_no_name_for(pulling: Client) -> None:
    uri = pulling.open("app.go", TWO, language="go")
    found = pulling.request("textDocument/diagnostic", {"textDocument": {"uri": uri}})["items"]

    def offered() -> tuple[list[str], str]:
        """What is offered for the first finding, and the text after the fix of everything."""
        *actions, fix_all = pulling.actions(uri, found[:1])
        edit = pulling.request("codeAction/resolve", fix_all)["edit"]
        edits = [edit for change in edit["documentChanges"] for edit in change["edits"]]
        return [action["title"] for action in actions], edited(TWO, edits)

    spawn = "panicguard (PNC120): Spawn with `mruntime.SafeGoWithContextAndComponent`"
    all_of_rule = "panicguard (PNC120): Fix all in this file"
    silence = ["panicguard (PNC120): Disable for this line", "panicguard (PNC120): Show documentation"]
    assert offered() == ([spawn, all_of_rule, *silence], fixed(pulling.root, TWO))
    other = pulling.root / "b.go"
    other.write_text("package app\n\nfunc mruntime() {}\n\ntype context struct{}\n")
    assert offered() == (silence, TWO)
    assert fixed(pulling.root, TWO) == TWO
    other.write_text("package app\n\nfunc mruntime2() {}\n")
    pulling.change(uri, 2, {"text": TWO})
    assert offered() == ([spawn, all_of_rule, *silence], fixed(pulling.root, TWO))


def test_an_unsafe_fix_is_offered_and_not_preferred(client: Client) -> None:
    text = GO.replace("go work(s)", "done := make(chan int)\n\tgo func() { done <- 1 }()\n\t<-done")
    uri, found = go(client, text)
    action, *_, fix_all = client.actions(uri, found)
    assert action["isPreferred"] is False
    result = edited(text, action["edit"]["documentChanges"][0]["edits"])
    assert result == run(client.root, "fix", "--unsafe-fixes", "--stdin-filename", "app.go", "-", text=text)
    assert client.request("codeAction/resolve", fix_all)["edit"] == {"documentChanges": []}


def test_a_line_is_silenced(client: Client) -> None:
    uri, found = go(client, TWO)
    (action,) = (a for a in client.actions(uri, found[1:]) if a["title"].endswith("Disable for this line"))
    client.change(uri, 2, {"text": edited(TWO, action["edit"]["documentChanges"][0]["edits"])})
    assert client.published(uri, 2) == found[:1]
    client.change(uri, 3, {"text": GO.replace("(s)\n}", "(s) //nolint:panicguard // it cannot panic\n}")})
    assert client.published(uri, 3) == []
    client.change(uri, 4, {"text": GO.replace("go work(s)", "work(s) // panicguard: ignore[PNC120]")})
    (unused,) = client.published(uri, 4)
    assert (unused["code"], unused["tags"]) == ("PNC900", [1])


SITES = [
    ("go work(s)", 0, ["- API: `go`", "- Target: `work` (line 10)", "- Component of a fix: `run`"]),
    ("go work(s)", 5, ["- Policy of a fix: `KeepRunning`", "a panic ends the process", "Reported as PNC120 (bare-go)"]),
    ("go func() { work(s) }()", 6, ["**Spawn** `go func()`", "- Target: `func() { work(s) }`", "Reported as PNC120"]),
    ("go work(s) //nolint:panicguard // why", 3, ["Not reported: a comment suppresses PNC120."]),
    ("var g sync.WaitGroup; g.Go(other)", 22, ["- API: `sync.WaitGroup.Go`", "- Owner: `g`", "Reported as PNC121"]),
    ("time.AfterFunc(1, guarded)", 5, ["- API: `time.AfterFunc`", "Not reported: its function begins with a `defer`"]),
    (
        'mruntime.SafeGo("mail", mruntime.KeepRunning, other)',
        9,
        ['- Component: `"mail"`', "- Policy: `mruntime.KeepRunning`", "Reported as PNC201 (deprecated-safego)"],
    ),
    (
        'mruntime.SafeGoWithContextAndComponent(ctx, "mail", mruntime.CrashProcess, func(context.Context) {})',
        30,
        ['- Component: `"mail"`', "- Policy: `mruntime.CrashProcess`", "- Owner: none", "the runtime guards it."],
    ),
    (
        "mruntime.SafeGoWithContext(ctx, mruntime.CrashProcess, nil)",
        9,
        ["- Component: `none`", "- Policy: `mruntime.CrashProcess`"],
    ),
]


@pytest.mark.parametrize(("line", "column", "said"), SITES, ids=[line for line, _, _ in SITES])
def test_a_hover_on_a_spawn(client: Client, line: str, column: int, said: list[str]) -> None:
    text = f"""\
package app

import (
	"context"
	"sync"
	"time"

	"example.test/app/internal/mruntime"
)
func work(s string) {{}}

func other() {{}}

func guarded() {{
	defer mruntime.RecoverAndLog("guarded")
}}

func run(ctx context.Context, s string) {{
	{line}
}}
"""
    uri, _ = go(client, text)
    where = {"textDocument": {"uri": uri}, "position": {"line": 18, "character": 1 + column}}
    markdown = client.request("textDocument/hover", where)["contents"]["value"]
    assert [one for one in said if one not in markdown] == []
    for place in ({"line": 18, "character": 0}, {"line": 9, "character": 2}):
        assert client.request("textDocument/hover", where | {"position": place}) is None


def test_a_hover_on_a_rule_and_in_files_that_are_left_alone(client: Client) -> None:
    uri, _ = go(client, GO.replace("(s)\n}", "(s) // panicguard: ignore[PNC120]\n}"))
    where = {"textDocument": {"uri": uri}, "position": {"line": 5, "character": 38}}
    assert client.request("textDocument/hover", where)["contents"]["value"].startswith("# bare-go (PNC120)")
    for name, text, said in (
        ("half.go", "go work()\n", "- Component of a fix: `main`"),
        ("app_test.go", GO, "(`spawn-exempt`)"),
        ("made.go", f"// Code generated by hand. DO NOT EDIT.\n{GO}", "this file is generated"),
    ):
        uri, _ = go(client, text, name)
        row = text[: text.index("go work")].count("\n")
        where = {"textDocument": {"uri": uri}, "position": {"line": row, "character": 2}}
        assert said in client.request("textDocument/hover", where)["contents"]["value"]


def test_a_pull(pulling: Client) -> None:
    client = pulling
    uri = client.open("app.go", GO, language="go")
    pull = {"textDocument": {"uri": uri}}
    first = client.request("textDocument/diagnostic", pull)
    assert codes(first["items"]) == ["PNC120"]
    pull["previousResultId"] = first["resultId"]
    assert client.request("textDocument/diagnostic", pull)["kind"] == "unchanged"
    client.change(uri, 2, {"text": TWO})
    assert codes(client.request("textDocument/diagnostic", pull)["items"]) == ["PNC120"] * 2
    assert "textDocument/publishDiagnostics" not in {note["method"] for note in client.notes}


def test_what_the_module_says_is_seen_when_it_changes(tmp_path: Path) -> None:
    text = "package app\n\nfunc f(all []int) {\n\tfor _, one := range all {\n\t\tgo func() { print(one) }()\n\t}\n}\n"
    (tmp_path / "go.mod").write_text("module example.test/app\n\ngo 1.22\n")
    with Client(tmp_path) as client:
        client.initialize(WATCHING)
        watchers = client.wait("client/registerCapability")["params"]["registrations"][0]["registerOptions"]["watchers"]
        assert {"**/go.mod", "**/MANIFEST", "**/panicguard.toml"} <= {watcher["globPattern"] for watcher in watchers}
        uri, found = go(client, text)
        assert (codes(found), found[0]["data"]["edits"]) == (["PNC120"], [])  # no runtime that a fix could import

        def changed(name: str) -> list[Message]:
            client.notify("workspace/didChangeWatchedFiles", {"changes": [{"uri": client.uri(name), "type": 2}]})
            return client.published(uri)

        (tmp_path / "go.mod").write_text("module example.test/app\n\ngo 1.21\n")
        assert codes(changed("go.mod")) == ["PNC120", "PNC501"]
        vendor(tmp_path / "internal", "mruntime", "go")
        assert changed("internal/mruntime/MANIFEST")[0]["data"]["edits"]


def test_the_language_is_the_editors_to_say(client: Client) -> None:
    assert codes(go(client, GO, "Untitled-1")[1]) == ["PNC120"]
    uri = client.open("app.go", PYTHON)
    assert codes(client.published(uri)) == ["PNC101"]
    client.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    assert client.published(uri) == []
    assert codes(go(client, "// # coding: nonsense é\n" + GO)[1]) == ["PNC120"]


def test_both_languages_in_one_session(pulling: Client) -> None:
    client, tmp_path = pulling, pulling.root
    (tmp_path / "panicguard.toml").write_text(
        "exclude = ['left', '**/vendor/**/*.go']\nignore = ['PNC103']\nseverity = { PNC120 = 'warning' }\n"
        "runtime-module = 'web.mruntime'\n"
    )
    written = {
        "web/app.py": PYTHON + "    threading.Thread(target=f).start()\n",
        "web/clean.py": "x = 1\n",
        "web/broken.py": "import asyncio\nasyncio.create_task(\n",
        "left/app.py": PYTHON,
        "left/app.go": GO,
        "cmd/app.go": TWO,
        "cmd/clean.go": "package app\n",
        "cmd/app_test.go": GO,
        "cmd/made.go": f"// Code generated by hand. DO NOT EDIT.\n{GO}",
        "cmd/broken.go": GO + "\nfunc broken( {\n",
        "vendor/example.test/other/other.go": GO,
    }
    for name, text in written.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    report = client.request("workspace/diagnostic", {"previousResultIds": []})["items"]
    seen = {
        (
            item["uri"].removeprefix(f"{tmp_path.as_uri()}/"),
            found["code"],
            found["range"]["start"]["line"] + 1,
            "error" if found["severity"] == 1 else "warning",
        )
        for item in report
        for found in item["items"]
    }
    printed = {
        (d["filename"].removeprefix(f"{tmp_path}/"), d["code"], d["location"]["row"], d["severity"])
        for d in json.loads(run(tmp_path, "check", "--no-cache", "--output-format", "json"))
    }
    assert seen == printed
    assert {name for name, *_ in seen} == {"web/app.py", "web/broken.py", "cmd/app.go", "cmd/broken.go"}

    # What is open counts as the editor has it, and each is fixed as its language is.
    python, other = client.open("web/app.py", PYTHON), client.open("cmd/app.go", GO, language="go")
    again = client.request("workspace/diagnostic", {"previousResultIds": []})["items"]
    assert {item["uri"]: codes(item["items"]) for item in again if item["uri"] in (python, other)} == {
        python: ["PNC101"],
        other: ["PNC120"],
    }
    for uri, text, said in ((python, PYTHON, "from web import mruntime"), (other, GO, "/internal/mruntime")):
        (action,) = client.actions(uri, [], ["source.fixAll"])
        (change,) = client.request("codeAction/resolve", action)["edit"]["documentChanges"]
        assert said in edited(text, change["edits"])
