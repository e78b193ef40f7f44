"""The job `plan` of the pipeline: a step of it with the words that its script gives the program, in a folder with a checkout.

told = plan({"EVENT": "pull_request"}, {"deploy": ""})     # on GitHub this is said, and the policy has no such part
assert told.outputs["sign"] == "false"
"""

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from shipsafe.cli.app import run
from tests.injection.runner import outputs
from tests.workflows import jobs, step

BRANCH, FACTS = "Ask the default branch which one is protected", "Ask its policy for the facts of the pipeline, and which jobs this run has"
SHA, WORKFLOW = "1" * 40, "acme/shipsafe/.github/workflows/p.yml@"
# The protected branch's policy, part by part.
POLICY = {
    "approvals": '[approvals]\nwaivers = "required"\n',
    "source": "",
    "pipeline": f'[pipeline]\nrepository = "acme/orders"\nroles = "shipsafe-orders"\nworkflow = "{WORKFLOW}{SHA}"\n',
    "key": 'key = "sigstore:"\n',
    "target": '[[sign.target]]\nname = "prod"\naccount = "111122223333"\nregion = "eu-central-1"\nprofile = "orders"\nbucket = "orders"\n',
    "deploy": '[deploy]\nrollout = "canary"\n',
}
# What GitHub says of a run, what the step before has found (BRANCH), and what the caller gives.
_RUN = {"EVENT": "push", "REF": "refs/heads/main", "COMMIT": "HEAD", "FORK": "false", "PRIVATE": "false", "RUNNING": "",
        "BRANCH": "main", "RELEASE": "auto", "PROJECT_PATH": ".", "POLICY_PATH": "", "STAGE": "", "ATTESTATIONS": "auto",
        "CODE_SCANNING": "auto"}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the step left: its outputs, its summary, what it printed, and how it ended."""

    outputs: dict[str, str]
    summary: str
    printed: str
    code: int

    @property
    def on(self) -> set[str]:
        """The outputs that are `true`."""
        return {name for name, value in self.outputs.items() if value == "true"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The job in `folder`, with the protected branch in `protected`, whose HEAD is `commit`; beside it are `HEAD~1` and `beside`."""

    folder: Path
    commit: str
    capsys: pytest.CaptureFixture[str]
    patch: pytest.MonkeyPatch

    def __call__(self, *said: Mapping[str, str], called: str = FACTS) -> Told:
        """Run a step; `said` takes the place of parts of the policy and of what is said elsewhere."""
        all_of: dict[str, str] = {**_RUN, **POLICY}
        for one in said:
            assert one.keys() <= all_of.keys()
            all_of |= one
        (self.folder / "protected/shipsafe.toml").write_text("".join(all_of[part] for part in POLICY))
        output, summary, event = (self.folder / name for name in ("output", "summary", "event.json"))
        output.write_text("")
        summary.write_text("")
        event.write_text(json.dumps(_event(all_of)))
        commit = all_of["COMMIT"]
        for name, value in {
            "EVENT_NAME": all_of["EVENT"], "REF": all_of["REF"], "REPOSITORY": "acme/orders", "EVENT_PATH": str(event),
            "SHA": commit if commit == "0" * 40 else git(self.folder, "-C", "protected", "rev-parse", commit),
            "OUTPUT": str(output), "STEP_SUMMARY": str(summary),
        }.items():  # fmt: skip
            self.patch.setenv(f"GITHUB_{name}", value)
        self.patch.setenv("SHIPSAFE_WORKFLOW_REF", all_of["RUNNING"])
        self.patch.chdir(self.folder)
        code = run(self._words(called, all_of))
        return Told(outputs=outputs(output.read_text()), summary=summary.read_text(), printed=self.capsys.readouterr().out, code=code)

    def _words(self, called: str, said: Mapping[str, str]) -> list[str]:
        """What a step of the job gives the program, asked of its script."""
        script, variables = _script(called)
        program = self.folder / "program"
        program.write_text("#!/bin/sh\nprintf '%s\\0' \"$@\"\n")
        program.chmod(0o755)
        given = {name: said[name] for name in variables & said.keys()}
        environment = {"PATH": os.environ["PATH"], "SHIPSAFE": str(program), **given}
        bash = ["bash", "--noprofile", "--norc", "-euo", "pipefail", "-c", script]
        return subprocess.run(bash, env=environment, capture_output=True, text=True, check=True).stdout.split("\0")[:-1]


@cache
def _script(called: str) -> tuple[str, set[str]]:
    """Of a step, with the names of its variables."""
    found = step("pipeline.yml", "plan", called)
    return found["run"], {*jobs("pipeline.yml")["plan"]["env"], *found["env"]}


def planned(folder: Path, capsys: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch) -> Plan:
    """The job in an empty folder."""
    for name in ("GITHUB_REPOSITORY_OWNER_ID", "GITHUB_REPOSITORY_ID"):
        patch.delenv(name, raising=False)
    patch.setenv("SHIPSAFE_CACHE_DIR", str(folder / "cache"))
    commit = ["-C", "protected", "commit", "-q", "--allow-empty", "-m"]
    git(folder, "init", "-q", "protected")
    git(folder, *commit, "one")
    git(folder, *commit, "beside")
    git(folder, "-C", "protected", "tag", "beside")
    git(folder, "-C", "protected", "reset", "-q", "--hard", "HEAD~1")
    git(folder, *commit, "two")
    return Plan(folder=folder, commit=git(folder, "-C", "protected", "rev-parse", "HEAD"), capsys=capsys, patch=patch)


def git(folder: Path, *words: str) -> str:
    """Run git; what it prints."""
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    environment = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    done = subprocess.run(["git", *who, *words], cwd=folder, check=True, env=environment, capture_output=True, text=True)
    return done.stdout.strip()


def _event(said: Mapping[str, str]) -> dict[str, Any]:
    """The file of `GITHUB_EVENT_PATH`."""
    about: dict[str, Any] = {"full_name": "acme/orders", "default_branch": "main"}
    if said["PRIVATE"]:
        about["private"] = said["PRIVATE"] == "true"
    heads = {"true": {"full_name": "stranger/orders"}, "false": {"full_name": "acme/orders"}, "gone": None}
    pull = {"pull_request": {"head": {"repo": heads[said["FORK"]]}}} if said["EVENT"] == "pull_request" else {}
    return {"repository": about, **pull}
