"""What becomes of work of each kind where it runs: in a program of its own, and under each server that is installed.

`tests/try_servers.py` does the same with all of the servers.
"""

from __future__ import annotations

import functools
import sys
import tempfile
from pathlib import Path

import pytest
from runtime_programs import pythons
from server_programs import PROGRAMS
from server_runs import Ended, available, cut_off, ended_by_the_second, named_before, run, told_and_joined

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there a signal ends the process")

HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"
# On each Python where nothing needs to be installed; there one stands for all.
RUNS = [(HERE, name) for name in PROGRAMS] + [(version, "asyncio.run") for version in pythons() if version != HERE]
each = pytest.mark.parametrize(("version", "name"), RUNS, ids=lambda value: value)


@functools.cache
def outcome(version: str, name: str, way: str) -> Ended:
    """How it ended."""
    asked, python = PROGRAMS[name], pythons()[version]
    if not available(python, asked.needs):
        pytest.skip(f"needs {asked.needs}")
    if way in asked.untried:
        pytest.skip(f"it hangs after a {way}, with or without this runtime")
    with tempfile.TemporaryDirectory() as folder:
        return run(asked, python, Path(folder), way)


@each
@pytest.mark.parametrize("way", ["SIGTERM", "SIGINT", "cut"])
def test_invariant_42_work_of_each_kind_is_told_and_joined_or_named_as_cut(version, name, way):
    ended = outcome(version, name, way)
    check = cut_off if way == "cut" else told_and_joined
    assert not check(PROGRAMS[name], way, ended), ended.text


@each
def test_invariant_44_the_second_sigterm_ends_the_process(version, name):
    ended = outcome(version, name, "twice")
    assert not ended_by_the_second(PROGRAMS[name], "twice", ended), ended.text


@each
def test_invariant_45_what_is_cut_off_is_named_before(version, name):
    ended = outcome(version, name, "cut")
    assert not named_before(PROGRAMS[name], "cut", ended), ended.text
