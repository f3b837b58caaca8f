"""The spawns of a file in plain words, the same for both languages."""

from __future__ import annotations

import dataclasses

import pytest

from panicguard.config import default
from panicguard.inventory import site_at
from panicguard.inventory.site import SpawnSite, short
from panicguard.source import Source

PYTHON = """\
import asyncio
import mruntime

async def work():
    await asyncio.sleep(1)

async def main():
    asyncio.create_task(work())
    async with asyncio.TaskGroup() as group:
        group.create_task(work())
    mruntime.SafeGo("mailer", mruntime.KeepRunning, work)
    mruntime.Supervise("link", work)
    mruntime.Supervise("link", work, policy=mruntime.CrashProcess)
"""
GO = """\
package app

import "golang.org/x/sync/errgroup"

func work() error { return nil }

func run() {
	go work()
	var group errgroup.Group
	group.Go(work)
	go func(n int) {
		print(n)
	}(1)
}
"""
RUNTIME = """\
package app

import (
	"context"

	"example.test/app/mruntime"
)

func work(context.Context) error { return nil }

func run(ctx context.Context, given *mruntime.Group) {
	mruntime.Supervise(ctx, "link", mruntime.CrashProcess, work)
	group := mruntime.NewResultGroup[int](ctx, "sums", mruntime.KeepRunning)
	group.Go(work)
	given.Go(work)
}
"""


def at(text: str, place: str, language: str = "python") -> SpawnSite | None:
    """The spawn at the start of a place in a text."""
    return site_at(Source("app.go" if language == "go" else "app.py", text, language), default("/"), text.index(place))


def test_a_spawn_in_python() -> None:
    assert at(PYTHON, "asyncio.create_task") == SpawnSite(
        start=PYTHON.index("asyncio.create_task"),
        end=PYTHON.index("(work())"),
        api="asyncio.create_task",
        target="work()",
        target_line=4,
        component="app",
        policy="KeepRunning",
        is_proposed=True,
        owner=None,
        handle="dropped: nobody reads the error",
        safe_because=None,
    )


def test_a_spawn_in_go() -> None:
    assert at(GO, "go work", "go") == SpawnSite(
        start=GO.index("go work"),
        end=GO.index("()\n\tvar"),
        api="go",
        target="work",
        target_line=5,
        component="run",
        policy="KeepRunning",
        is_proposed=True,
        owner=None,
        handle="none: a panic ends the process",
        safe_because=None,
    )


@pytest.mark.parametrize(
    ("text", "place", "facts"),
    [
        (PYTHON, "group.create_task", {"owner": "group", "handle": "awaited by its owner, which raises the error"}),
        (PYTHON, "mruntime.SafeGo", {"component": '"mailer"', "policy": "mruntime.KeepRunning", "is_proposed": False}),
        (PYTHON, "mruntime.Supervise", {"component": '"link"', "policy": "KeepRunning", "target": "work"}),
        (PYTHON, 'mruntime.Supervise("link", work, p', {"policy": "mruntime.CrashProcess", "target": "work"}),
        (RUNTIME, "mruntime.Supervise", {"component": '"link"', "policy": "mruntime.CrashProcess", "target": "work"}),
        (RUNTIME, "group.Go", {"component": '"sums"', "policy": "mruntime.KeepRunning", "owner": "group"}),
        (RUNTIME, "given.Go", {"component": "none", "handle": "the group, which returns a panic as an error"}),
        (GO, "group.Go", {"api": "golang.org/x/sync/errgroup.Group.Go", "owner": "group", "target_line": 5}),
        (GO, "go func", {"target": "func(n int) {...", "target_line": None, "end": GO.index(" {\n\t\tprint")}),
    ],
)
def test_what_is_known_about_a_spawn(text: str, place: str, facts: dict[str, object]) -> None:
    site = at(text, place, "python" if text is PYTHON else "go")
    assert site is not None
    assert {name: getattr(site, name) for name in facts} == facts


@pytest.mark.parametrize(("text", "language"), [(PYTHON, "python"), (GO, "go")])
def test_where_nothing_is_spawned_there_is_no_site(text: str, language: str) -> None:
    assert at(text, "work", language) is None


def test_a_file_that_does_not_parse_has_no_sites() -> None:
    assert at(f"{PYTHON}def broken(\n", "asyncio.create_task") is None


def test_a_site_cannot_be_changed() -> None:
    site = at(PYTHON, "asyncio.create_task")
    assert site is not None
    with pytest.raises(dataclasses.FrozenInstanceError):
        site.api = "other"  # type: ignore[misc]


@pytest.mark.parametrize(("text", "line"), [("work()", "work()"), ("a\nb", "a..."), ("x" * 61, "x" * 57 + "...")])
def test_long_texts_are_shortened_to_one_line(text: str, line: str) -> None:
    assert short(text) == line
