"""The command. One verb a file; each is thin and calls the library."""

from pulmo.cli.app import main

__all__ = ["main"]
