"""Links that lead out of the tree that a command was pointed at: nothing is written through them.

A repository may contain links to any file of the user who checks it out. A path outside of the current directory that
the user names is the user's own choice.
"""

from __future__ import annotations

import os


def leads_out(path: str, *trees: str) -> bool:
    """Whether a path lies outside of all these directories, once the links in it and in them are followed."""
    real = os.path.realpath(path)
    return not any(_is_below(real, os.path.realpath(tree)) for tree in trees)


def escapes(path: str) -> bool:
    """Whether a path appears to lie in the current directory, and does not once the links in it are followed."""
    cwd = os.getcwd()
    return _is_below(os.path.normpath(os.path.join(cwd, path)), cwd) and leads_out(path, cwd)


def tree_of(path: str) -> str:
    """The directory in which a run on a path of the command line may write: a directory itself; for a file, the current
    directory if the path lies in that, else the directory of the path."""
    cwd = os.getcwd()
    named = os.path.normpath(os.path.join(cwd, path))
    if os.path.isdir(named):
        return named
    return cwd if _is_below(named, cwd) else os.path.dirname(named)


def _is_below(path: str, directory: str) -> bool:
    """Whether an absolute path is a directory or in it."""
    return path == directory or path.startswith(directory.rstrip(os.sep) + os.sep)
