"""The harness itself: a small workflow under it sees what GitHub would give it, and no more."""

import base64
import json
import os
from pathlib import Path

import pytest

from shipsafe.model.pipeline import HOME, PIPELINE
from tests.pipeline.consumer import NAME, SHA, Consumer
from tests.pipeline.staging import StartupFailureError

CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1"
UPLOAD = "actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f"
DOWNLOAD = "actions/download-artifact@3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c"
CALLED = f"""\
on:
  workflow_call:
    inputs:
      shards: {{type: string, default: '["1/2", "2/2"]'}}
permissions: {{}}
jobs:
  build:
    runs-on: ubuntu-24.04
    permissions: {{contents: read}}
    strategy: {{matrix: {{shard: "${{{{ fromJSON(inputs.shards) }}}}"}}}}
    outputs: {{said: "${{{{ steps.say.outputs.said }}}}"}}
    steps:
      - uses: {CHECKOUT}
        with: {{path: source, persist-credentials: false}}
      - id: say
        uses: $/actions/say
      - shell: bash
        run: |
          mkdir -p out/.hidden; echo "$SHARD" > out/share; echo x > out/.hidden/x; chmod 755 out/share
          env | grep -c ACTIONS_ID_TOKEN >> out/share || true
        env: {{SHARD: "${{{{ matrix.shard }}}}"}}
      - uses: {UPLOAD}
        with: {{name: "share-${{{{ strategy.job-index }}}}", path: out}}
  sign:
    needs: build
    runs-on: ubuntu-24.04
    permissions: {{id-token: write}}
    environment: release
    steps:
      - uses: {DOWNLOAD}
        with: {{pattern: share-*, path: shares}}
      - shell: bash
        run: |
          find shares -type f -printf '%P %m\\n' | sort
          curl -sS -H "Authorization: Bearer $ACTIONS_ID_TOKEN_REQUEST_TOKEN" "$ACTIONS_ID_TOKEN_REQUEST_URL&audience=sts.amazonaws.com"
          echo "sha $SHA"
          curl -sS -o /dev/null -w 'status %{{http_code}}\\n' -H "Authorization: Bearer $TOKEN" "$COMMENTS"
          echo "## signed" >> "$GITHUB_STEP_SUMMARY"
        env:
          COMMENTS: ${{{{ github.api_url }}}}/repos/{NAME}/issues/7/comments
          SHA: ${{{{ job.workflow_sha }}}}
          TOKEN: ${{{{ github.token }}}}
  never:
    needs: build
    if: ${{{{ github.event_name == 'pull_request' }}}}
    runs-on: ubuntu-24.04
    steps:
      - run: 'false'
"""
SAY = """\
name: say
description: Says something.
outputs: {said: {value: "${{ steps.say.outputs.said }}"}}
runs:
  using: composite
  steps:
    - id: say
      shell: bash
      run: |
        echo "said=$(cat source/README)" >> "$GITHUB_OUTPUT"
        echo "- said" >> "$GITHUB_STEP_SUMMARY"
        [ -f "$GITHUB_ACTION_PATH/../setup/install" ]
"""
CALLER = """\
on: [push, pull_request]
jobs:
  ship:
    permissions: {%s}
    uses: %s@%s
"""


@pytest.fixture
def product(tmp_path: Path) -> Path:
    """A product of one workflow and one action."""
    for name, text in ((".github/workflows/pipeline.yml", CALLED), ("actions/say/action.yml", SAY), ("actions/setup/install", "")):
        path = tmp_path / "product" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "product"


def consumer(tmp_path: Path, product: Path, permissions: str = "contents: read, id-token: write") -> Consumer:
    """A repository that calls it."""
    made = Consumer(folder=tmp_path / "world", product=product)
    made.commit({".github/workflows/ship.yml": CALLER % (permissions, PIPELINE, SHA), "README": "orders"})
    return made


def test_a_run_has_the_jobs_the_rights_and_the_artifacts_that_github_would_give_it(tmp_path: Path, product: Path) -> None:
    """A matrix, an action of ours, hidden files and modes that are lost, a token for the job that may have one, a job that is skipped."""
    made = consumer(tmp_path, product)
    ran = made.push()
    assert ran.code == 0, ran.told()
    assert ran.results == {"build": ("success", "success"), "sign": ("success",), "never": ("skipped",)}
    assert ran.outputs("build")["said"] == "orders"
    assert ran.summaries == {"build": "- said\n" * 2, "sign": "## signed\n"}
    text = ran.text("sign")
    assert "share-0/share 644\nshare-1/share 644\n" in text
    assert ".hidden" not in text
    assert f"sha {SHA}" in text
    assert "status 403" in text
    assert [(made.kept / f"artifacts/share-{number}/share").read_text() for number in (0, 1)] == ["1/2\n0\n", "2/2\n0\n"]
    claims = _claims(next(line for line in text.splitlines() if line.startswith('{"value"')))
    assert claims["sub"] == f"repo:{NAME}:environment:release"
    assert claims["job_workflow_ref"] == f"{PIPELINE}@{SHA}"
    assert made.github.tokens == [("ship/sign", "sts.amazonaws.com")]


def test_one_artifact_that_a_pattern_matches_lands_in_the_path_itself(tmp_path: Path, product: Path) -> None:
    """As download-artifact has it, which breaks a matrix of one."""
    workflow = product / ".github/workflows/pipeline.yml"
    workflow.write_text(workflow.read_text().replace('["1/2", "2/2"]', '["1/1"]'))
    text = consumer(tmp_path, product).push().text("sign")
    assert "\nshare 644\n" in f"\n{text}"


def test_a_called_job_that_asks_for_more_than_its_caller_has_ends_the_run_before_it_starts(tmp_path: Path, product: Path) -> None:
    """In GitHub's words."""
    with pytest.raises(StartupFailureError, match="'sign' of 'ship' is requesting 'id-token: write', but is only allowed 'id-token: none'"):
        consumer(tmp_path, product, "contents: read").push()


def test_the_jobs_of_a_fork_only_read_and_have_no_token_of_openid_connect(tmp_path: Path, product: Path) -> None:
    """Whatever the workflow grants."""
    made = consumer(tmp_path, product)
    made.push()
    ran = made.pull_request({"README": "stolen"}, fork=True)
    assert ran.results["build"] == ("success", "success")
    assert ran.outputs("build")["said"] == "stolen"
    assert ran.results["sign"] == ("failure",)
    assert "ACTIONS_ID_TOKEN_REQUEST_URL" not in ran.text("sign")
    assert made.github.tokens == [("ship/sign", "sts.amazonaws.com")]


def test_an_action_that_nothing_stands_for_and_one_that_is_not_pinned_are_refused(tmp_path: Path, product: Path) -> None:
    """So that no run reaches for the network."""
    workflow = product / ".github/workflows/pipeline.yml"
    whole = workflow.read_text()
    for text, words in (
        (whole.replace(CHECKOUT, "acme/checkout@" + "1" * 40), "no stub"),
        (whole.replace(CHECKOUT, "actions/checkout@v7"), "pinned"),
    ):
        workflow.write_text(text)
        with pytest.raises(AssertionError, match=words):
            consumer(tmp_path / words, product).push()


def test_a_job_whose_label_no_runner_has_is_not_left_out_without_a_word(tmp_path: Path, product: Path) -> None:
    """As act would, which ends with 0 then."""
    workflow = product / ".github/workflows/pipeline.yml"
    workflow.write_text(
        workflow.read_text().replace("    needs: build\n    runs-on: ubuntu-24.04", "    needs: build\n    runs-on: windows-2025", 1)
    )
    with pytest.raises(AssertionError, match="left out"):
        consumer(tmp_path, product).push()


def test_the_last_words_of_a_step_that_fails_are_told_however_fast_it_ends(tmp_path: Path, product: Path) -> None:
    """On one processor act alone loses those of every third."""
    made = consumer(tmp_path, product)
    script = 'echo said $NUMBER; echo "::error title=x::last $NUMBER"; exit 3'
    step = "{{continue-on-error: true, shell: bash, env: {{NUMBER: {number}}}, run: '{script}'}}"
    steps = "".join(f"      - {step.format(number=number, script=script)}\n" for number in range(40))
    made.commit({made.workflow: f"on: push\njobs:\n  build:\n    runs-on: ubuntu-24.04\n    steps:\n{steps}"})
    processors = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(processors)})
    try:
        ran = made.push()
    finally:
        os.sched_setaffinity(0, processors)
    assert ran.code == 0, ran.told()
    assert ran.text("build") == "".join(f"said {number}\n" for number in range(40))
    assert [one["arg"] for one in ran.annotations("error")] == [f"last {number}" for number in range(40)]


def _claims(line: str) -> dict[str, str]:
    payload = json.JSONDecoder().raw_decode(line)[0]["value"].split(".")[1]
    found: dict[str, str] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return found


def test_the_owner_is_a_constant_that_workflows_name_alike() -> None:
    """The harness rewrites what names it."""
    assert PIPELINE.startswith(f"{HOME}/")
