"""Messages that accompany the results, on standard error."""

from __future__ import annotations

import click

from panicguard.report.width import harmless, one_line


def tell(text: str) -> None:
    """Print one or several lines. The caller passes names and foreign text through `one_line`."""
    click.echo(harmless(text), err=True)


def warn(message: str) -> None:
    """Print a warning on one line, whatever it contains."""
    tell(f"warning: {one_line(message)}")
