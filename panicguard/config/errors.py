"""The errors of the configuration."""

from __future__ import annotations


class ConfigError(Exception):
    """The user's mistake in the configuration: the causes, the outermost first, of one line or more each."""

    def __init__(self, *causes: str) -> None:
        super().__init__("\n".join(causes))
        self.causes = causes

    @property
    def report(self) -> str:
        """The message for the user."""
        return "\n".join(("panicguard failed", *(f"  Cause: {cause}" for cause in self.causes)))


class FlagError(ConfigError):
    """A flag's value that no configuration can be made of: one cause, in the words of the command line."""
