"""What every stub is given: its inputs, its rights, and where it writes what it says.

The harness sets `STUB_RIGHTS` for each job to what GitHub would let the job's token do.
"""

import json
import os
import re
import secrets
import sys
from pathlib import Path
from typing import NoReturn


def inputs() -> dict[str, str]:
    """The inputs of the step, as text; those that nobody gave have their defaults."""
    given = json.loads(os.environ["STUB_INPUTS"]).items()
    return {name: re.sub(r"job-index\((\d+)/\d+\)", _index, "" if value is None else str(value)) for name, value in given}


def _index(match: re.Match[str]) -> str:
    """`strategy.job-index`, as the harness writes it: from 0."""
    return str(int(match[1]) - 1)


def place(name: str) -> Path:
    """A folder of this run that outlives its jobs."""
    folder = Path(os.environ["STUB_PLACE"], name)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def need(right: str) -> None:
    """End the step unless the job has a right such as `security-events: write`."""
    name, _, level = right.partition(": ")
    if json.loads(os.environ.get("STUB_RIGHTS", "{}")).get(name) not in {level, "write"}:
        fail(f"Resource not accessible by integration: the job has no `{right}`")


def say(**outputs: str) -> None:
    """Set outputs of the step; underscores stand for hyphens."""
    _append("GITHUB_OUTPUT", {name.replace("_", "-"): value for name, value in outputs.items()})


def export(values: dict[str, str]) -> None:
    """Set variables for the steps that follow."""
    _append("GITHUB_ENV", values)


def fail(message: str) -> NoReturn:
    """End the step with an error."""
    sys.stdout.write(f"::error::{message}\n")
    raise SystemExit(1)


def _append(variable: str, values: dict[str, str]) -> None:
    with Path(os.environ[variable]).open("a", encoding="utf-8") as file:
        for name, value in values.items():
            end = secrets.token_hex(8)
            file.write(f"{name}<<{end}\n{value}\n{end}\n")
