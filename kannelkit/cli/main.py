"""`kannelkit COMMAND`: finds the command's module only when it is asked for, so that `--help` stays quick."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

import click

from kannelkit import __version__
from kannelkit.errors import KannelkitError

# command -> one line of help; the module is kannelkit.cli.<command with underscores>, the function `command`
COMMANDS = {
    "generate": "Print or write the kannel.conf that a spec stands for.",
    "lint": "Find what would lose messages, links or passwords, in a spec or a kannel.conf.",
    "import": "Turn an existing kannel.conf into a spec.",
    "plan": "Show what a spec would change in the running gateway, and what each change disturbs.",
    "apply": "Carry out a plan, link by link, and take it back where a link does not return.",
    "up": "Run a Kannel gateway in the foreground and hold its accounts at their limit.",
    "watch": "Do the same for a Kannel that systemd or an init script runs.",
    "status": "Show how a gateway, its boxes and its accounts stand.",
    "top": "Watch a gateway live: accounts, links, rates, refusals, queues, decisions.",
    "health": "Check once how a gateway stands: a plugin for Nagios and Icinga.",
    "healthd": "Answer over HTTP how a gateway stands: for people, Prometheus, load balancers, service managers.",
    "send": "Send messages on any channel, each at most once, and wait for their receipts.",
    "dlr": "Explain delivery receipts, show them as they arrive, or ask the provider for one.",
    "history": "List what happened: decisions and events, oldest first.",
    "trace": "Show each PDU of an account as it passes the relay, decoded.",
    "rate": "Show what an account runs at, or bring it to a rate by hand.",
    "pause": "Leave an account's rate as it is, until resume.",
    "resume": "Adapt an account's rate again.",
    "failover": "Say which host of its provider an account uses, or move it by hand.",
    "doctor": "Try what an operator would try: versions, rights, DNS, TLS, a bind to each host.",
    "systemd": "Print or write what runs a spec as a service: a hardened unit, a user, the rotation of the logs.",
    "reopen-logs": "Have the boxes open their logs anew, as logrotate needs it, without a reload.",
    "make-dummy-cert": "Make a key and a self-signed certificate in one PEM file.",
    "cert": "Show what is in a certificate file, and put a key and a chain into Kannel's form.",
    "schema": "Print the JSON Schema of a spec, for editors.",
    "explain": "Say what a directive, a group or a rule means.",
    "simulate": "Run a pretend SMSC to bind to.",
    "demo": "Show what kannelkit gains: a real Kannel alone, then supervised.",
}

# what `up` starts by itself: run like the others, and not listed
INNER = ("relay",)


class Commands(click.Group):
    """A group whose commands are imported when they are run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS and cmd_name not in INNER:
            return None
        name = "import_" if cmd_name == "import" else cmd_name.replace("-", "_")  # `import` is a word of Python's own
        module = importlib.import_module(f"kannelkit.cli.{name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        if os.environ.get("NO_COLOR"):  # https://no-color.org
            ctx.color = False  # each command's context has it from this one
        try:
            return super().invoke(ctx)
        except KannelkitError as error:
            click.echo(f"{click.style('error:', fg='red', bold=True)} {error}", err=True)
            ctx.exit(error.exit_code)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="kannelkit")
def group() -> None:
    """Run a Kannel SMS gateway from one YAML file, each account just under its provider's speed limit."""


def main() -> None:
    """Run the command that the arguments name and end with its exit code."""
    sys.exit(group(prog_name="kannelkit"))
