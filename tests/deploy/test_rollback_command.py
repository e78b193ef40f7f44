"""`shipsafe deploy --rollback` as a person runs it, and the record of it where evidence is kept."""

from pathlib import Path

import pytest

from shipsafe.evidence.deployment_record import read_deployment
from shipsafe.evidence.envelope import statement_of
from shipsafe.evidence.store import open_store
from shipsafe.model.attestation import Predicate
from shipsafe.model.deployment import Ending
from tests.deploy.scene import Scene
from tests.end_to_end.program import Ended
from tests.tampering.world import shipsafe


@pytest.fixture
def deployed(scene: Scene) -> Scene:
    """Version 2 is of a release that verifies; version 1 is of something that nobody knows."""
    scene.function()
    scene.add('[deploy]\nalias = "live"')
    assert scene.deploy().exit_code == 0
    return scene


def _run(scene: Scene, *words: str) -> Ended:
    return shipsafe("deploy", scene.desk.dist, "--policy", scene.policy, "--local", "--offline-advisories", *words, cwd=scene.desk.project)


def test_a_version_that_does_not_verify_is_explained_and_nothing_moves(deployed: Scene) -> None:
    ended = _run(deployed, "--rollback", "Pay:live", "--yes")
    assert ended.code == 5
    assert "Alias live of function Pay does not go to version 1, whose chain does not hold today:" in ended.err
    assert "no signing record" in ended.out
    assert "its evidence is missing here: name the folder of that release" in ended.err, "dist holds that of another one"
    assert deployed.alias() == ("2", {})


def test_back_and_forth_and_written_down(deployed: Scene, tmp_path: Path) -> None:
    """Somebody has led the alias to the old version by hand; it is led back to the one that verifies."""
    deployed.lambda_.update_alias(FunctionName="Pay", Name="live", FunctionVersion="1")
    store = tmp_path / "evidence"
    store.mkdir()
    words = ("--rollback", "Pay", "--to", "2", "--evidence", str(store))

    asked = _run(deployed, *words)
    assert asked.code == 2
    assert "there is no terminal to ask on" in asked.err
    planned = _run(deployed, *words, "--dry-run")
    assert (planned.code, deployed.alias()) == (0, ("1", {}))
    lines = planned.out.splitlines()
    assert "LOCAL function Pay:live: leads to version 1" in lines
    assert any(line.startswith("LOCAL   UpdateAlias  Name=live FunctionVersion=2") for line in lines), lines
    assert lines[-1] == "LOCAL Nothing was changed: --dry-run stops after the plan."

    done = _run(deployed, *words, "--yes")

    assert done.code == 0, done.out + done.err
    assert deployed.alias() == ("2", {})
    assert deployed.tags()["shipsafe:step"] == "done 2"
    [(_, envelope)] = open_store(str(store), home=tmp_path).everything({Predicate.DEPLOYMENT})
    said = read_deployment(statement_of(envelope, shown="store"), shown="store")
    assert (said.function, said.alias, said.version, said.before, said.ending) == ("Pay", "live", "2", "1", Ending.DEPLOYED)
    assert (said.artifact, said.sha256) == ("Pay", deployed.signed.sha256)

    again = _run(deployed, *words, "--yes")
    assert again.code == 0
    assert "nothing of the alias is to be changed" in again.out


def test_it_goes_where_the_only_target_is(deployed: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `deploy` did, wherever AWS's configuration would look."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "us-east-1")
    planned = _run(deployed, "--rollback", "Pay", "--to", "2", "--dry-run")
    assert planned.code == 0, planned.err
    assert "LOCAL account 123456789012, eu-west-1, as " in planned.out


def test_without_a_key_at_hand_it_goes_back_all_the_same(deployed: Scene, tmp_path: Path) -> None:
    """A policy that takes no unsigned evidence does not keep a bad release where it is; that no record was written is said."""
    deployed.add('[attest]\nunsigned = "refuse"')
    deployed.lambda_.update_alias(FunctionName="Pay", Name="live", FunctionVersion="1")
    done = _run(deployed, "--rollback", "Pay", "--to", "2", "--evidence", str(tmp_path), "--yes")
    assert deployed.alias() == ("2", {}), done.out + done.err
    assert "deployment record: none. The policy" in done.out
    assert "No record of it was written: The policy" in done.out


def test_what_cannot_be_meant_is_said(scene: Scene) -> None:
    scene.function()
    for words, said in (
        (("--to", "1"), "--to and --region belong to --rollback"),
        (("--rollback", "Pay:live", "--function", "Pay"), "--rollback takes one function, at one place"),
        (("--rollback", "Pay:7"), "Pay:7 is a version, and an alias is what goes back"),
        (("--rollback", "no such name"), "'no such name' cannot be the name of a function"),
        (("--rollback", "Pay:live", "--target", "nowhere"), "The policy has no [[sign.target]] 'nowhere'"),
        (("--rollback", "Pay:live", "--stage", "nowhere"), "The policy has no [[deploy.stage]] 'nowhere'"),
    ):
        ended = _run(scene, *words)
        assert (ended.code, said in ended.err) == (2, True), ended.err
