"""What is told beside the results, on standard error."""

from __future__ import annotations

import click

from panicguard.report.width import harmless, one_line


def tell(text: str) -> None:
    """Print a line, or several: whoever puts a name or a foreign text into them makes it `one_line`."""
    click.echo(harmless(text), err=True)


def warn(message: str) -> None:
    """Print a warning of one line, whatever stands in it."""
    tell(f"warning: {one_line(message)}")
