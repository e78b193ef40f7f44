"""`shipsafe local`: an AWS endpoint on this machine, to sign and deploy against without an account."""

import os
import re
import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from shipsafe.errors import ConfigError
from shipsafe.flows import local as flow
from shipsafe.local.identity import DEFAULT_ACCOUNT

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)
_ACCOUNT = re.compile(r"\d{12}")

Port = Annotated[int, typer.Option("--port", metavar="PORT", min=0, max=65535, help="Where to listen on 127.0.0.1; 0 takes a free port.")]
State = Annotated[
    Path | None, typer.Option("--state", metavar="DIR", help="Keep buckets, objects, jobs and functions in this folder, for the next time.")
]
Throttle = Annotated[bool, typer.Option("--throttle", help="Refuse what comes faster than AWS lets it: Lambda 15 requests a second.")]
Delay = Annotated[float, typer.Option("--delay", metavar="SECONDS", min=0, max=86_400, help="How long a signing job takes.")]
Account = Annotated[str, typer.Option("--account", metavar="ACCOUNT", help="The account of the dummy credentials.")]


@app.callback()
def _local() -> None:
    """An AWS endpoint on this machine for boto3, the AWS CLI and the SAM CLI: S3, IAM, STS, KMS, Signer, Lambda and more.

    It needs `pip install 'shipsafe[local]'`. Signer, Lambda, CodeDeploy and CloudFormation are reproduced by shipsafe, code signing
    included; no code is run.
    """


@app.command()
def up(
    *,
    port: Port = flow.DEFAULT_PORT,
    state: State = None,
    throttle: Throttle = False,
    delay: Delay = 1.0,
    account: Account = DEFAULT_ACCOUNT,
) -> None:
    """Start the endpoint and keep it until Ctrl-C.

    It prints what to unset and to export in the terminals that are to see it, and then that it is ready. SIGTERM ends it, too.
    """
    wanted = _wanted(port, state, throttle, delay, account)
    flow.up(wanted, environment=os.environ, say=_say)


@app.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
def run(
    command: Annotated[list[str], typer.Argument(metavar="-- COMMAND...", help="What to run, with its arguments.")],
    *,
    port: Port = 0,
    state: State = None,
    throttle: Throttle = False,
    delay: Delay = 1.0,
    account: Account = DEFAULT_ACCOUNT,
) -> int:
    """Start the endpoint for one command.

    The command sees it and none of your AWS credentials; when it ends, the endpoint does. The exit code is the command's.
    """
    return flow.run(command, _wanted(port, state, throttle, delay, account), environment=os.environ)


def _wanted(port: int, state: Path | None, throttle: bool, delay: float, account: str) -> flow.Wanted:  # noqa: FBT001 - as typer has it
    if not _ACCOUNT.fullmatch(account):
        raise ConfigError(f"{account!r} is no AWS account.", remedy="Give --account twelve digits.")
    return flow.Wanted(port=port, state=state, throttle=throttle, delay=timedelta(seconds=delay), account=account)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
