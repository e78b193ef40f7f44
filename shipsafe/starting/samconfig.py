"""What SAM's settings say of the stack: `samconfig.toml` beside the template, as `sam deploy --guided` writes it.

[default.deploy.parameters]
stack_name = "shop"
region = "eu-central-1"
role_arn = "arn:aws:iam::111122223333:role/shop-cloudformation"

It is a proposal: what several environments say differently is not chosen from, and what cannot be read is said, since a person can name
the stack all the same. Source: AWS SAM Developer Guide, "AWS SAM CLI configuration file".
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shipsafe.adapters import toml
from shipsafe.adapters.files import read_bounded
from shipsafe.adapters.shown import shown
from shipsafe.errors import ConfigError
from shipsafe.policy.deploying import SHAPES

SAMCONFIG = "samconfig.toml"
_OTHERS = ("samconfig.yaml", "samconfig.yml")
_LIMIT = 256 * 1024
_MOST = 20  # environments
_KEYS = {"stack_name": "stack", "region": "region", "role_arn": "stack-role"}  # of SAM, and of the policy


@dataclass(frozen=True, slots=True, kw_only=True)
class SamSettings:
    """What one environment says, None where it says nothing, or several environments do and differ; `remark` says what was not taken."""

    stack: str | None = None
    region: str | None = None
    role: str | None = None
    remark: str = ""


def sam_settings(folder: Path) -> SamSettings:
    """The settings beside a template; none where there is no file."""
    if not (folder / SAMCONFIG).is_file():
        other = next((name for name in _OTHERS if (folder / name).is_file()), None)
        return SamSettings(remark=f"{other} is not read: name the stack with --stack." if other else "")
    try:
        document: Any = toml.loads(read_bounded(folder / SAMCONFIG, limit=_LIMIT).decode())
    except (ConfigError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError):
        return SamSettings(remark=f"{SAMCONFIG} cannot be read: name the stack with --stack.")
    told = {name: one for name, parameters in _environments(document) if (one := _taken(parameters)).get("stack_name")}
    if len({one["stack_name"] for one in told.values()}) > 1:
        listed = ", ".join(f"{one['stack_name']} ({shown(name, 40)})" for name, one in told.items())
        return SamSettings(remark=f"{SAMCONFIG} names several stacks: {listed}. Say which with --stack.")
    return SamSettings(
        stack=_alike(told.values(), "stack_name"), region=_alike(told.values(), "region"), role=_alike(told.values(), "role_arn")
    )


def _alike(told: Iterable[Mapping[str, str]], key: str) -> str | None:
    """What all that say anything of it say."""
    several = {one[key] for one in told if key in one}
    return several.pop() if len(several) == 1 else None


def _environments(document: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each environment with the parameters of `deploy`; those of `global` hold where it has none of its own."""
    for name, commands in [*document.items()][:_MOST]:
        if isinstance(commands, dict):
            several = [commands.get(key) for key in ("global", "deploy")]
            parameters = [one.get("parameters") for one in several if isinstance(one, dict)]
            yield name, {key: value for one in parameters if isinstance(one, dict) for key, value in one.items()}


def _taken(parameters: Mapping[str, Any]) -> dict[str, str]:
    """Those that can be what they are to be."""
    found = {key: parameters.get(key) for key in _KEYS}
    return {key: one for key, one in found.items() if isinstance(one, str) and re.fullmatch(SHAPES[_KEYS[key]][0], one, re.ASCII)}
