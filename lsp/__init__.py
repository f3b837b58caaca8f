"""The language server, `panicguard server`: the findings of the command line in an editor.

main           which handler each message has; standard input and output
protocol       messages in and out, and how malformed ones are rejected
server         the state of the server, and what the handlers share
handlers/      from a message to its effect or answer, one function each
proto/         the border to the protocol's types and positions; only it creates values of lsprotocol
documents      the open documents and notebooks
configuration  the settings of a file, overridden by those of the editor
preferences    the editor's settings
actions        the code actions on findings
process        the server's side of the worker
worker         the process that does `jobs`, one after another
jobs           checking, fixing, explaining: pure functions
hover          the text about a spawn or a rule
"""

from __future__ import annotations
