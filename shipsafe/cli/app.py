"""The command tree: which commands there are, in which panel, and where each is; loaded only when it is called.

`--help` names every command without importing one, so that a start costs nothing that the command does not need.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer._click import Command, Context
from typer._click.exceptions import ClickException, UsageError
from typer._click.formatting import HelpFormatter
from typer.core import TyperGroup
from typer.main import get_command

from shipsafe import __version__
from shipsafe.errors import ConfigError, ExitCode


@dataclass(frozen=True, slots=True)
class _Entry:
    """A command of the tree: its panel, its line in `--help`, and the module of `shipsafe.cli` that holds its `app`."""

    panel: str
    summary: str
    module: str


COMMANDS = {
    "init": _Entry("Start", "Set a repository up: policy, workflow, schedules and updates.", "init"),
    "bootstrap": _Entry("Start", "Make what signing needs on the AWS side.", "bootstrap"),
    "doctor": _Entry("Start", "Look at the AWS side: what is missing, and who is trusted.", "doctor"),
    "check": _Entry("Ship", "Ask every gate about a project, without packing.", "check"),
    "build": _Entry("Ship", "Audit, lint, inventory, check, pack and judge a project.", "build"),
    "sign": _Entry("Ship", "Ask again, sign with AWS Signer, and pin what came of it.", "sign"),
    "verify": _Entry("Ship", "Walk the chain from what was audited to what runs, link by link.", "verify"),
    "deploy": _Entry("Ship", "Let a signed release go live, step by step, and verify what runs.", "deploy"),
    "ship": _Entry("Ship", "Build, sign, deploy and verify, up to the first that does not pass.", "ship"),
    "enforce": _Entry("Guard", "Let Lambda refuse what nobody signed, without an outage.", "enforce"),
    "revoke": _Entry("Guard", "Take a signature back, and stop what runs it.", "revoke"),
    "layers": _Entry("Repair", "Say who signed the layers in use, and make a signed copy of one.", "layers"),
    "explain": _Entry("More", "What a rule means, why it matters and how to fix it.", "explain"),
    "inspect": _Entry("More", "What a signed zip says about itself, and whether it holds.", "inspect"),
    "report": _Entry("More", "What evidence says of releases, and reports rendered again.", "report"),
    "policy": _Entry("More", "Show, start and describe the policy.", "policy"),
    "transport": _Entry("More", "Hand a folder to another job, without GitHub's artifacts.", "transport"),
    "cache": _Entry("More", "Say what is cached, and remove it.", "cache"),
    "advisories": _Entry("More", "Pull and look into the advisory snapshot.", "advisories"),
    "keys": _Entry("More", "Make a key for evidence, and show what trusts it.", "keys"),
    "local": _Entry("More", "An AWS endpoint on this machine, for use without an account.", "local"),
}


class _Tree(TyperGroup):
    """The root: commands by name, imported when one is called."""

    def list_commands(self, ctx: Context) -> list[str]:  # noqa: ARG002 - the signature is the framework's
        return list(COMMANDS)

    def get_command(self, ctx: Context, cmd_name: str) -> Command | None:  # noqa: ARG002 - likewise
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command = get_command(import_module(f"shipsafe.cli.{entry.module}").app)
        command.name = cmd_name
        return command

    def format_help(self, ctx: Context, formatter: HelpFormatter) -> None:  # noqa: ARG002 - likewise
        formatter.write("Usage: shipsafe COMMAND [OPTIONS]\n\n")
        formatter.write("What you audited is what you signed, and what you signed is what runs.\n")
        for panel in dict.fromkeys(entry.panel for entry in COMMANDS.values()):
            with formatter.section(panel):
                formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items() if entry.panel == panel])
        with formatter.section("Options"):
            formatter.write_dl([("--version", "Print the version."), ("--help", "Print this; also after any command.")])
        formatter.write("\nExit codes: 0 pass, 1 findings, 2 usage, 3 nothing to examine, 4 incomplete,\n5 integrity, 6 rolled back.\n")


def _root(
    *,
    version: bool = typer.Option(False, "--version", help="Print the version.", is_eager=True),  # noqa: FBT003 - typer's form
) -> None:
    if version:
        typer.echo(f"shipsafe {__version__}")
        raise typer.Exit


def command_tree() -> Any:
    """The whole tree as a click command, for running it and for writing the documentation from it."""
    app = typer.Typer(cls=_Tree, add_completion=True, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.callback(invoke_without_command=False, no_args_is_help=True)(_root)
    return get_command(app)


def run(argv: Sequence[str]) -> int:
    """Run one command line; gives its exit code.

    Raises:
        ConfigError: the command line cannot be understood.
        ShipsafeError: whatever the command could not do.
        BrokenPipeError: whoever read the output has gone (`| head`).
    """
    try:
        result = command_tree().main(args=list(argv), prog_name="shipsafe", standalone_mode=False)
    except SystemExit as stop:  # typer's own answer to a broken pipe is 1, which means findings
        raise BrokenPipeError from stop
    except UsageError as error:
        if error.__class__.__name__ == "NoArgsIsHelpError":
            sys.stderr.write(error.format_message() + "\n")
            return ConfigError.exit_code
        command = error.ctx.command_path if error.ctx else "shipsafe"
        raise ConfigError(_sentence(error.format_message()), remedy=f"`{command} --help` lists what there is.") from error
    except ClickException as error:
        raise ConfigError(_sentence(error.format_message())) from error
    if result == ExitCode.INTERRUPTED and not isinstance(result, ExitCode):  # typer has swallowed it, and would say nothing
        raise KeyboardInterrupt
    return result if isinstance(result, int) else 0


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."
