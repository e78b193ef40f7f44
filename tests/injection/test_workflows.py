"""Actions and pipeline under a hostile change: a branch, a folder, files and inputs that a shell, the runner or Markdown would obey."""

import json
import re
from pathlib import Path

import pytest

from shipsafe.model.pipeline import HOME, PIPELINE
from tests.injection.hostile import BRANCH, EVIL, FILES
from tests.injection.runner import hidden, live
from tests.pipeline.conftest import Opened, four_lines, installed, opened, runner
from tests.pipeline.consumer import SHA
from tests.pipeline.project import FILES as PROJECT

__all__ = ["four_lines", "installed", "opened", "runner"]  # fixtures

CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1"
FOLDER = "odd $(touch pwned) `touch pwned` '\" & %0A ##[error]v1 [a](https:evil) ;#"
CODE = "import subprocess\n\n\ndef handler(event, context):\n    return subprocess.run(event['x'], shell=True)\n"
HOSTILE = {
    "setup": {"extras": EVIL},
    "check": {"path": EVIL, "policy": EVIL},
    "build": {"path": EVIL, "out": EVIL},
    "sign": {"path": EVIL, "policy": EVIL, "manifest-digest": EVIL, "key": EVIL},
    "deploy": {"path": EVIL, "policy": EVIL, "manifest-digest": EVIL},
    "verify": {"path": EVIL, "function": EVIL, "policy": EVIL},
}
SHOWN = EVIL.replace("\x1b", "").replace("\x07", "")  # no file of YAML may hold them


def caller() -> str:
    """A workflow that calls the pipeline for the folder, and each action with inputs of that kind."""
    steps = [f"      - uses: {CHECKOUT}\n"]
    for name, given in HOSTILE.items():
        inputs = dict.fromkeys(given, SHOWN) | ({"arguments": f"{SHOWN}\n--version$(touch pwned)"} if "path" in given else {})
        steps.append(f"      - continue-on-error: true\n        uses: {HOME}/actions/{name}@{SHA}\n        with: {json.dumps(inputs)}\n")
    look = 'if [ -n "$(find . -name pwned)" ]; then exit 1; fi'
    steps.append(f"      - shell: bash\n        run: {json.dumps(look)}\n")
    return f"""\
on: [push, pull_request]
jobs:
  actions:
    runs-on: ubuntu-24.04
    permissions: {{contents: read}}
    steps:
{"".join(steps)}
  ship:
    needs: actions
    permissions: {{actions: read, attestations: write, contents: read, id-token: write, pull-requests: write, security-events: write}}
    uses: {PIPELINE}@{SHA}
    with: {{path: {json.dumps(FOLDER)}}}
"""


@pytest.mark.registry
def test_a_hostile_change_goes_through_every_job_and_action_without_effect(opened: Opened) -> None:
    consumer = opened({f"{FOLDER}/{name}": text for name, text in PROJECT.items()}, caller=caller())
    consumer.git("push", "-q", str(consumer.origin), "main:main")
    ran = consumer.pull_request({f"{FOLDER}/stock/{name}": CODE for name in ("app.py", *FILES)}, branch=BRANCH)

    assert ran.results["actions"] == ("success",), ran.told()
    assert ran.results["code-scanning"] == ran.results["comment"] == ("success",), ran.told()
    assert ran.results["collect"] == ("failure",), ran.told()
    assert not list(consumer.folder.rglob("pwned"))
    ended = [one["msg"] for one in ran.records if one.get("jobID") == "actions" and str(one["msg"]).startswith("exit status")]
    assert ended == ["exit status 2"] * len(HOSTILE), ran.text("actions")

    (comment,) = consumer.github.comments[7]
    assert "stock/" in comment["body"]
    for text in (comment["body"], *ran.summaries.values()):
        told = [one for one in live(text) if "/actions/runs/" not in one]
        assert (told, hidden(text)) == ([], set())
    for kind in ("error", "warning", "notice"):
        for one in ran.annotations(kind):
            assert set(one.get("kvPairs", {})) <= {"file", "line", "col", "title"}, one
            assert one.get("kvPairs"), one  # ours have a title
    obeyed = {one["command"] for one in ran.records if "command" in one}
    assert obeyed <= {"error", "warning", "notice", "summary", "set-output", "group", "endgroup", "debug"}, obeyed
    printed = re.sub(r"\x1b\[[0-9;]*m|\r", "", ran.text())  # our own colours: act gives each step a terminal
    assert not [line for line in printed.split("\n") if hidden(line)]
    assert not [one for one in ran.text().splitlines() if "##[" in one and "error]v1" in one]
    assert Path(consumer.kept / "code-scanning").exists()
