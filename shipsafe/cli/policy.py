"""`shipsafe policy`: what holds, where it comes from, and how to start."""

import json
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer

from shipsafe.adapters.files import write_atomic
from shipsafe.adapters.http import fetch
from shipsafe.adapters.places import cache_dir
from shipsafe.cli import options
from shipsafe.errors import ConfigError
from shipsafe.gates import all_gates
from shipsafe.model.policy import Policy
from shipsafe.policy import init_text, load, policy_schema, show, waivers_table

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)


@app.callback()
def _policy() -> None:
    """What the policy allows, and where each value comes from."""


def _load(path: Path, file: Path | None, *, offline: bool) -> Policy:
    if not path.exists():
        raise ConfigError("There is no such file or folder.", remedy="Name the project's folder.", path=str(path))
    root = path if path.is_dir() else path.parent
    return load(root.resolve(), explicit=file, offline=offline, cache=cache_dir(), fetch=fetch, today=_today())


def _today() -> date:
    return datetime.now(UTC).date()


@app.command("show")
def show_policy(
    path: options.ProjectPath = Path(),
    *,
    policy: options.PolicyFile = None,
    origin: Annotated[bool, typer.Option("--origin", help="Say of every value where it comes from.")] = False,
    offline: options.Offline = False,
) -> None:
    """Print the policy that holds for a project: presets, the organisation's base and its own file, merged."""
    sys.stdout.write(show(_load(path, policy, offline=offline), origin=origin))


@app.command()
def schema() -> None:
    """Print the JSON schema of shipsafe.toml, for editors."""
    sys.stdout.write(json.dumps(policy_schema(), indent=2) + "\n")


@app.command()
def init(
    path: Annotated[Path, typer.Argument(metavar="[FOLDER]", help="Where to put shipsafe.toml.", show_default=False)] = Path(),
) -> None:
    """Write a commented shipsafe.toml to start from. It never overwrites one."""
    file = path / "shipsafe.toml"
    if file.exists():
        raise ConfigError("Already exists, and is left as it is.", remedy="Edit it, or name another folder.", path=str(file))
    if not path.is_dir():
        raise ConfigError("There is no such folder.", remedy="Name the project's folder.", path=str(path))
    write_atomic(file.absolute(), init_text().encode())
    sys.stdout.write(f"{file} written. `shipsafe policy show --origin` prints what holds.\n")


@app.command()
def gates(path: options.ProjectPath = Path(), *, policy: options.PolicyFile = None, offline: options.Offline = False) -> None:
    """List the gates: what each asks, its mode today, and from which severity on it blocks."""
    loaded = _load(path, policy, offline=offline)
    today = _today()
    sys.stdout.write(f"{'gate':14} {'required':9} {'mode':9} {'fail-on':17} asks\n")
    for gate in all_gates():
        mine = loaded.gate(gate.id)
        required = "yes" if gate.id in loaded.required else "no"
        sys.stdout.write(f"{gate.id:14} {required:9} {mine.mode_on(today):9} {mine.fail_on!s:17} {gate.title}\n")


@app.command()
def waivers(path: options.ProjectPath = Path(), *, policy: options.PolicyFile = None, offline: options.Offline = False) -> None:
    """List the waivers: what each allows, until when, and who answers for it."""
    sys.stdout.write(waivers_table(_load(path, policy, offline=offline), _today()))
