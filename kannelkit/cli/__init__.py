"""The command line: arguments in, rooms called, results on stdout, messages on stderr."""

from kannelkit.cli.main import main

__all__ = ["main"]
