"""`pipeline-ghes.yml` is made from `pipeline.yml`, is the same pipeline, and hands on through a bucket what GitHub would keep."""

import json
import os
import re
import runpy
import subprocess
import sysconfig
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from shipsafe.flows.transport import put
from shipsafe.flows.transport_places import open_place
from shipsafe.packing.parcel import items_of
from tests.workflows import ROOT, WORKFLOWS, jobs, read, step

ghes: Callable[[str], str] = runpy.run_path(str(ROOT / "docs" / "ghes.py"), run_name="ghes")["ghes"]
SOURCE = (WORKFLOWS / "pipeline.yml").read_text()
PUT_SHARE, GET_SHARES = ("build", "Hand the share on, also one that did not pass"), ("collect", "Get the shares")
SHIPSAFE = Path(sysconfig.get_path("scripts")) / "shipsafe"


def test_it_is_what_the_source_makes_of_it() -> None:
    """`python docs/generate.py` writes it."""
    assert (WORKFLOWS / "pipeline-ghes.yml").read_text() == ghes(SOURCE)


def test_it_has_the_same_jobs_in_the_same_order_on_the_same_conditions() -> None:
    """What it says of a job beside its steps, its rights and where it handed something on is the same."""
    for name, job in jobs("pipeline.yml").items():
        other = jobs("pipeline-ghes.yml")[name]
        assert _about(job) == _about(other)
        assert job.get("outputs", {}).items() <= other.get("outputs", {}).items()
    assert list(jobs("pipeline.yml")) == list(jobs("pipeline-ghes.yml"))


def test_its_inputs_are_the_same_but_for_what_github_attests_and_where_we_are() -> None:
    """A server has runners of its own, no attestations, and our repository under some name."""
    here, there = (read(WORKFLOWS / name)["on"]["workflow_call"] for name in ("pipeline.yml", "pipeline-ghes.yml"))
    assert set(there["inputs"]) == set(here["inputs"]) - {"attestations"} | {"shipsafe-repository", "shipsafe-commit"}
    assert there["inputs"]["runner"]["default"] == "self-hosted"
    at = there["outputs"].pop("release-at")
    assert at["value"].replace("release-at", "release") == here["outputs"]["release"]["value"]
    assert there["outputs"] == here["outputs"]


def test_nothing_is_left_in_it_that_only_github_com_has() -> None:
    """Neither our actions without a path, nor artifacts, nor attestations."""
    text = (WORKFLOWS / "pipeline-ghes.yml").read_text()
    for word in ("uses: $/", "-artifact@", "actions/attest@", "attestations: write", "inputs.attestations"):
        assert word in SOURCE
        assert word not in text


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("\njobs:\n", "\nwork:\n", "no `jobs:`"),
        ("    steps:\n      - name: Install shipsafe\n        id: setup\n", "    steps:\n      - id: setup\n", "begin with their name"),
        ("      attestations:\n", "      attested:\n", "nothing like"),
        ("      release:\n        description: The artifact", "      made:\n        description: The artifact", "no output `release`"),
        ("-advisories\n", "-alerts\n", "nothing says the place of"),
        ("uses: actions/upload-artifact@", 'uses: "actions/upload-artifact@', "left in"),
    ],
)
def test_a_source_that_it_does_not_know_how_to_change_is_an_error(right: str, wrong: str, said: str) -> None:
    """And not half a workflow."""
    assert right in SOURCE
    with pytest.raises(ValueError, match=said):
        ghes(SOURCE.replace(right, wrong))


def handed(folder: Path, where: tuple[str, str], *, code: int = 0, **said: str) -> str:
    """Run the script of a step (its job and its name), such as one that hands something on or gets it; what it said."""
    script = step("pipeline-ghes.yml", *where)["run"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "SHIPSAFE": str(SHIPSAFE), "REGION": "eu-central-1", **said}
    bash = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    done = subprocess.run(bash, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr + done.stdout
    return done.stdout + done.stderr


def share(folder: Path, number: int, attempt: int, text: str) -> str:
    """Hand a share on whose report is `text`; what the job of its machine tells the others of it."""
    made = folder / f"made-{number}-{attempt}-{text}"
    (made / f"share-{number}").mkdir(parents=True)
    (made / f"share-{number}/report.json").write_text(text)
    place = open_place(f"{folder}/bucket/x-share-{number}/{attempt}")
    return f"{attempt} {put(made, items_of(made), place).digest}"


def said_digest(output: Path) -> str:
    """The output `digest` of a step."""
    (digest,) = re.findall(r"^digest<<(\S+)\n(sha256:[0-9a-f]{64})\n\1$", output.read_text(), re.MULTILINE)
    return str(digest[1])


def taken(folder: Path, *, since: int = 1, code: int = 0, **said: str) -> dict[str, str]:
    """The text of each share that `collect` gets where the jobs before it have said that."""
    got = folder / "shares"
    outputs = {f"share-{number}": said.get(f"share_{number}", "") for number in range(1, 33)}
    words = {"FOLDER": str(got), "PLACE": f"{folder}/bucket/x-share-*", "SHARES": json.dumps(outputs, indent=2), "SINCE": str(since)}
    handed(folder, GET_SHARES, code=code, **words)
    return {path.parent.name: path.read_text() for path in got.rglob("report.json")}


def test_shares_of_several_machines_lie_beside_each_other(tmp_path: Path) -> None:
    """Each in its folder, as `report collect` takes them; a machine that made none has said so."""
    first, last, output = share(tmp_path, 1, 1, "one"), share(tmp_path, 13, 1, "thirteen"), tmp_path / "output"
    made, place = tmp_path / "made-13-1-thirteen", f"{tmp_path}/bucket/x-share-13"
    handed(tmp_path, PUT_SHARE, FOLDER=str(made), PLACE=place, ATTEMPT="1", GITHUB_OUTPUT=str(output))  # it lies there already, the same
    assert last == f"1 {said_digest(output)}"
    assert taken(tmp_path, share_1=first, share_2="1 nothing", share_13=last) == {"share-1": "one", "share-13": "thirteen"}


def test_after_failed_jobs_were_run_again_each_share_is_that_of_its_last_run(tmp_path: Path) -> None:
    """What had passed stays as it was handed on, and nobody has to make it again."""
    first = share(tmp_path, 1, 1, "passed")
    share(tmp_path, 2, 1, "failed")
    assert taken(tmp_path, share_1=first, share_2=share(tmp_path, 2, 2, "passed now")) == {"share-1": "passed", "share-2": "passed now"}


def test_a_share_that_another_run_laid_for_a_later_attempt_is_not_taken(tmp_path: Path) -> None:
    """The job that made a share says in which attempt, and which bytes: neither can be had from the bucket."""
    first = share(tmp_path, 1, 1, "ours")
    share(tmp_path, 1, 2, "theirs")
    assert taken(tmp_path, share_1=first, share_2=share(tmp_path, 2, 2, "again")) == {"share-1": "ours", "share-2": "again"}


def test_a_share_that_was_exchanged_ends_the_release(tmp_path: Path) -> None:
    """5, as with every folder that is another one."""
    share(tmp_path, 1, 1, "theirs")
    assert taken(tmp_path, code=5, share_1=f"1 sha256:{'0' * 64}") == {}


def test_a_share_of_before_all_jobs_were_run_again_is_missing(tmp_path: Path) -> None:
    """Its machine was lost this time, and what it said the last time still stands there."""
    old = share(tmp_path, 1, 1, "old")
    assert taken(tmp_path, since=2, share_1=old, share_2=share(tmp_path, 2, 3, "new")) == {"share-2": "new"}


def test_a_machine_says_nothing_of_the_shares_of_others(tmp_path: Path) -> None:
    """What it hands on is one line of JSON under its own name, whatever stands in it."""
    first, others = share(tmp_path, 1, 1, "ours"), share(tmp_path, 1, 2, "theirs")
    assert taken(tmp_path, share_1=first, share_2=f'x", "share-1": "{others}",\n  "share-1": "{others}') == {"share-1": "ours"}


def test_each_machine_has_an_output_of_its_own_and_fills_no_other() -> None:
    """Of several that fill one, GitHub keeps the last; empty ones count for nothing."""
    outputs = jobs("pipeline-ghes.yml")["build"]["outputs"]
    assert list(outputs) == [f"share-{number}" for number in range(1, 33)]
    assert all(f"startsWith(matrix.shard, '{name.removeprefix('share-')}/') && " in text for name, text in outputs.items())
    assert all(text.endswith(" || '' }}") for text in outputs.values())


def test_what_nobody_handed_on_is_an_error_and_so_is_what_was_changed(tmp_path: Path) -> None:
    """3 where there is nothing, 5 where its bytes are others."""
    place = tmp_path / "bucket/x-built"
    get = partial(handed, tmp_path, ("attest", "Get the release"))
    words: dict[str, Any] = {"FOLDER": str(tmp_path / "release"), "PLACE": str(place)}
    assert "Run all jobs again" in get(code=3, AT="", **words)
    (tmp_path / "built").mkdir()
    (tmp_path / "built/Pay.zip").write_text("code")
    output = tmp_path / "output"
    put = partial(handed, tmp_path, ("collect", "Hand the release on"), GITHUB_OUTPUT=str(output))
    put(FOLDER=str(tmp_path / "built"), PLACE=str(place), ATTEMPT="2")
    digest = said_digest(output)
    get(code=3, AT=f"1 {digest}", **words)
    get(code=5, AT=f"2 sha256:{'0' * 64}", **words)
    kept = next(path for path in (place / "2").iterdir() if path.name.startswith("sha256-"))
    kept.write_text("more")
    get(code=5, AT=f"2 {digest}", **words)
    assert not (tmp_path / "release").exists()
    kept.write_text("code")
    get(AT=f"2 {digest}", **words)
    assert (tmp_path / "release/Pay.zip").read_text() == "code"


def test_a_server_that_does_not_say_which_workflow_this_is_must_be_told(tmp_path: Path) -> None:
    """Without both, checkout would take the caller's own repository for ours."""
    know = partial(handed, tmp_path, ("plan", "Know which commit of shipsafe this is"))
    know(REPOSITORY="acme/shipsafe", COMMIT="0123456789" * 4)
    for repository, commit in (("", "0123456789" * 4), ("acme/shipsafe", ""), ("acme/shipsafe", "main"), ("", "")):
        assert "shipsafe-commit" in know(code=2, REPOSITORY=repository, COMMIT=commit)


def test_a_policy_without_a_place_for_artifacts_ends_the_run_before_anything_is_built(tmp_path: Path) -> None:
    """With what is missing."""
    know = partial(handed, tmp_path, ("plan", "Know where artifacts lie between the jobs"))
    assert "[pipeline] transport" in know(code=2, TRANSPORT="", SHARES="1")
    know(TRANSPORT="s3://orders-runs/pipeline", SHARES="32")


def test_the_account_of_the_bucket_is_handed_on_where_the_policy_names_it(tmp_path: Path) -> None:
    """Every step that puts or gets says it; the program refuses it for a folder."""
    (tmp_path / "made").mkdir()
    (tmp_path / "made/report.json").write_text("{}")
    words = {"FOLDER": str(tmp_path / "made"), "PLACE": str(tmp_path / "bucket"), "OWNER": "111122223333"}
    said = {"ATTEMPT": "1", "AT": f"1 sha256:{'0' * 64}", "SHARES": f'"share-1": "1 sha256:{"0" * 64}"', "SINCE": "1"}
    for where, code in ((PUT_SHARE, 1), (("attest", "Hand the release on"), 2), (("attest", "Get the release"), 2), (GET_SHARES, 2)):
        got = {"FOLDER": str(tmp_path / "got")} if where == GET_SHARES else {}
        assert "Leave out --expected-owner" in handed(tmp_path, where, code=code, **{**words, **said, **got})
    for name, job in jobs("pipeline-ghes.yml").items():
        for one in job["steps"]:
            if "transport " in one.get("run", "") and "$PLACE" in one["run"]:
                facts = "steps.facts" if name == "plan" else "needs.plan"
                assert one["env"]["OWNER"] == f"${{{{ {facts}.outputs.transport-owner }}}}"


def test_more_machines_than_it_has_outputs_for_are_refused(tmp_path: Path) -> None:
    """Before one of them builds."""
    know = partial(handed, tmp_path, ("plan", "Know where artifacts lie between the jobs"))
    assert "32 machines at most" in know(code=2, TRANSPORT="s3://orders-runs/pipeline", SHARES="33")


def _about(job: Any) -> dict[str, Any]:
    return {name: value for name, value in job.items() if name not in ("steps", "permissions", "outputs")}


@pytest.mark.parametrize("name", ["pipeline-ghes.yml", "scheduled.yml"])
def test_a_caller_cannot_put_another_program_in_the_place_of_the_one_that_aws_trusts(name: str) -> None:
    """The role is given to the workflow at its commit, so that its actions have to be of that: inputs only say what a server does not."""
    found = [one["with"] for job in jobs(name).values() for one in job["steps"] if one.get("with", {}).get("path") == ".shipsafe"]
    assert len(found) == len(jobs(name))
    assert {one["repository"] for one in found} == {"${{ job.workflow_repository || inputs.shipsafe-repository }}"}
    assert {one["ref"] for one in found} == {"${{ job.workflow_sha || inputs.shipsafe-commit }}"}
