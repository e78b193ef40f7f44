"""Promotion: only what the stage before has run, the same bytes, for long enough, as records say that count."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shipsafe.errors import ConfigError, ExitCode
from shipsafe.evidence.deployment_record import deployment_statement
from shipsafe.evidence.envelope import read_envelope, written
from shipsafe.evidence.file_signer import FileSigner
from shipsafe.evidence.store import Store, open_store
from shipsafe.flows.stages import promotions, stage_of, target_at
from shipsafe.model.attestation import AttestPolicy, Resource, Role
from shipsafe.model.chain import Link
from shipsafe.model.deployment import Deployment, DeployPolicy, Ending, Stage
from shipsafe.model.policy import Policy
from shipsafe.model.signing import SignPolicy, SignTarget
from shipsafe.packing.manifest import Source
from shipsafe.packing.output import Output, output_lock
from shipsafe.packing.publish import publish
from shipsafe.packing.release import Release, laid_bundle, read_release, record_signatures
from tests.evidence.speakers import key, trusted_key
from tests.packing.releases import items, record

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = timedelta(days=1)
DEV = Stage(name="dev", target="dev")
PROD = Stage(name="prod", target="prod", account="222233334444", region="eu-central-1", after="dev", soak=DAY)
TARGETS = tuple(SignTarget(name=name, profile="orders", bucket="b", account="111122223333", role="arn:aws:iam::111122223333:role/signs",
                           external_id="x") for name in ("dev", "prod"))  # fmt: skip
TRUSTED = AttestPolicy(keys=(trusted_key(key("deployer"), "deployer", roles=frozenset({Role.DEPLOYER})),))


def policy(attest: AttestPolicy = TRUSTED) -> Policy:
    return Policy(path="shipsafe.toml", digest="sha256:0", attest=attest, sign=SignPolicy(targets=TARGETS),
                  deploy=DeployPolicy(stages=(DEV, PROD)))  # fmt: skip


@dataclass
class Line:
    """A release of two functions, whose bundles say nothing yet, and a store of evidence."""

    out: Path
    store: Store

    @property
    def release(self) -> Release:
        return read_release(self.out)

    def said(
        self, ago: timedelta, *, artifact: str = "Pay", sha256: str = "", stage: str = "dev", by: str = "deployer", where: str = "store",
        ending: Ending = Ending.DEPLOYED, function: str = "", account: str = "111122223333", region: str = "eu-central-1",
    ) -> None:  # fmt: skip
        """Somebody deployed it so long ago."""
        sha256 = sha256 or next(one.sha256 for one in self.release.artifacts if one.name == artifact)
        one = Deployment(artifact=artifact, function=function or artifact, account=account, region=region, ending=ending,
                         reason="" if ending is Ending.DEPLOYED else "An alarm went off.", version="7", before="6", alias="live",
                         unsigned_sha256=sha256, sha256="b" * 64, code_sha256="u7s=", began=NOW - ago, ended=NOW - ago)  # fmt: skip
        zips = (Resource(name="a.zip", digests={"sha256": sha256}), Resource(name="b.zip", digests={"sha256": "b" * 64}))
        statement = deployment_statement(one, unsigned=zips[0], signed=zips[1], run=f"r-{ago}", stage=stage)
        line = written(statement, [FileSigner(key(by))])
        if where == "store":
            self.store.keep(read_envelope(line, shown="x"), statement)
            return
        with output_lock(self.out, on_wait=lambda: None):
            output = Output(self.out)
            record_signatures(output, self.release, (), None, {artifact: laid_bundle(output, artifact, line + b"\n")})

    def ask(self, stage: Stage = PROD, attest: AttestPolicy = TRUSTED, *, stored: bool = True) -> Link:
        """About Pay."""
        (chain,) = promotions(self.release, policy(attest), stage, store=self.store if stored else None, now=NOW, only=("Pay",))
        (link,) = chain.links
        assert chain.subject == "function:Pay"
        return link


@pytest.fixture
def line(tmp_path: Path) -> Line:
    sources = {"Pay": b"print(1)\n", "Stock": b"print(2)\n"}
    made = [replace(one, evidence=None) for one in items(tmp_path / "made", sources)]
    with output_lock(tmp_path / "dist", on_wait=lambda: None):
        publish(Output(tmp_path / "dist"), made, record(sources), Source())
    (tmp_path / "evidence").mkdir()
    return Line(tmp_path / "dist", open_store(str(tmp_path / "evidence"), home=tmp_path))


def test_the_first_stage_waits_for_none(line: Line) -> None:
    assert promotions(line.release, policy(), DEV, store=line.store, now=NOW) == ()


@pytest.mark.parametrize("where", ["store", "bundle"])
def test_what_has_run_for_long_enough_is_promoted(line: Line, where: str) -> None:
    line.said(timedelta(hours=25), where=where)
    link = line.ask()
    assert (link.hold, link.notes) == ("held", ())
    assert link.sentence == "Stage dev has run this very Pay for 1 day 1 hour, from 2026-11-20 11:00 UTC."


def test_every_function_is_asked_about(line: Line) -> None:
    line.said(2 * DAY)
    found = {chain.subject: chain.exit_code for chain in promotions(line.release, policy(), PROD, store=line.store, now=NOW)}
    assert found == {"function:Pay": ExitCode.PASS, "function:Stock": ExitCode.INCOMPLETE}


def test_what_nobody_ran_is_not(line: Line) -> None:
    line.said(2 * DAY, stage="test")
    line.said(2 * DAY, artifact="Stock")
    line.said(2 * DAY, sha256="c" * 64)
    line.said(-DAY)  # from the future
    link = line.ask()
    assert link.hold == "unanswered"
    assert "No record that counts says that stage dev has run this Pay" in link.sentence
    assert "shipsafe deploy --stage dev" in link.remedy


def test_what_has_not_run_long_enough_says_when_it_will_have(line: Line) -> None:
    line.said(timedelta(hours=3, minutes=30))
    link = line.ask()
    assert link.hold == "unanswered"
    assert "since 2026-11-21 08:30 UTC, 3 hours 30 minutes, and it has to for 1 day." in link.sentence
    assert link.remedy == "Run this again after 2026-11-22 08:30 UTC."
    assert line.ask(replace(PROD, soak=timedelta())).hold == "held"


def test_what_was_replaced_after_an_hour_has_run_for_an_hour(line: Line) -> None:
    """Although its record is a week old."""
    line.said(7 * DAY)
    line.said(7 * DAY - timedelta(hours=1), sha256="c" * 64)
    link = line.ask()
    assert link.hold == "unanswered"
    assert "for 1 hour only" in link.sentence
    assert line.ask(replace(PROD, soak=timedelta(hours=1))).hold == "held"


@pytest.mark.parametrize("stage", ["", "test"])
def test_what_another_hand_has_led_away_runs_no_more(line: Line, stage: str) -> None:
    """`deploy --rollback Pay:live` names no stage, and leads the alias away from what the stage has run."""
    line.said(7 * DAY)
    line.said(6 * DAY, sha256="c" * 64, stage=stage)
    link = line.ask(replace(PROD, soak=5 * DAY))
    assert (link.hold, "for 1 day only" in link.sentence) == ("unanswered", True)


def test_what_ran_elsewhere_has_not_run_in_the_stage(line: Line) -> None:
    """Whoever has a deployer's key, and an account of their own or the local endpoint, could run it there under the stage's name."""
    line.said(7 * DAY, account="123456789012")
    assert line.ask().hold == "unanswered"
    (chain,) = promotions(line.release, elsewhere("us-east-1"), PROD, store=line.store, now=NOW, only=("Pay",))
    assert chain.links[0].hold == "unanswered"
    line.said(7 * DAY)
    assert line.ask().hold == "held"
    (chain,) = promotions(line.release, elsewhere("us-east-1"), PROD, store=line.store, now=NOW, only=("Pay",))
    assert chain.links[0].hold == "unanswered"


def test_where_a_target_names_no_account_those_of_the_policy_are_meant(line: Line) -> None:
    line.said(7 * DAY)
    open_targets = SignPolicy(targets=tuple(replace(one, account=None) for one in TARGETS))
    for accounts, hold in ((("111122223333",), "held"), (("222233334444",), "unanswered"), ((), "held")):
        meant = replace(policy(), sign=open_targets, accounts=accounts)
        (chain,) = promotions(line.release, meant, PROD, store=line.store, now=NOW, only=("Pay",))
        assert chain.links[0].hold == hold


def elsewhere(region: str) -> Policy:
    """The policy, with the first stage in another Region."""
    return replace(policy(), deploy=DeployPolicy(stages=(replace(DEV, region=region), PROD)))


def test_where_the_policy_trusts_others_and_no_deployer_no_record_counts(line: Line) -> None:
    line.said(7 * DAY)
    builder = AttestPolicy(keys=(trusted_key(key("ci"), "ci", roles=frozenset({Role.BUILDER})),))
    link = line.ask(attest=builder)
    assert (link.hold, "trusts nobody to say what stage dev has run" in link.sentence) == ("unanswered", True)
    assert "--for deployer" in link.remedy


@pytest.mark.parametrize("other", [{"function": "pay-2"}, {"ending": Ending.ROLLED_BACK}, {"by": "stranger"}])
def test_what_did_not_replace_it_changes_nothing(line: Line, other: dict[str, str]) -> None:
    line.said(7 * DAY)
    line.said(6 * DAY, sha256="c" * 64, **other)  # type: ignore[arg-type]
    assert line.ask(replace(PROD, soak=5 * DAY)).hold == "held"
    assert line.ask(replace(PROD, soak=8 * DAY)).hold == "unanswered"


@pytest.mark.parametrize("ending", [Ending.ROLLED_BACK, Ending.UNFINISHED])
def test_what_went_back_last_is_not_promoted(line: Line, ending: Ending) -> None:
    line.said(7 * DAY)
    line.said(2 * DAY, ending=ending)
    link = line.ask()
    assert link.hold == "unanswered"
    assert link.sentence == f"Stage dev did not keep this Pay: {ending}, 2026-11-19 12:00 UTC. An alarm went off."


def test_a_strangers_record_is_none_and_one_that_anybody_could_write_says_so(line: Line) -> None:
    line.said(7 * DAY, by="stranger")
    assert line.ask().hold == "unanswered"
    link = line.ask(attest=AttestPolicy())
    assert link.hold == "held"
    assert "does not say whose deployment records count" in link.notes[0]


def test_without_a_store_the_bundle_counts_and_it_says_what_nobody_saw(line: Line) -> None:
    line.said(7 * DAY, where="bundle")
    link = line.ask(stored=False)
    assert link.hold == "held"
    assert "No store of evidence is named" in link.notes[0]


def test_a_bundle_that_was_changed_is_broken(line: Line) -> None:
    line.said(7 * DAY, where="bundle")
    (line.out / "Pay.intoto.jsonl").write_bytes(b"{}\n")
    chains = promotions(line.release, policy(), PROD, store=line.store, now=NOW, only=("Pay",))
    assert [chain.exit_code for chain in chains] == [ExitCode.INTEGRITY]


def test_a_store_that_cannot_be_looked_at_is_no_empty_one(line: Line) -> None:
    line.said(7 * DAY, where="bundle")
    (line.out.parent / "evidence").rmdir()
    assert (line.ask().hold, line.ask().sentence) == ("unanswered", "There is no folder of that name.")


def test_a_stage_is_its_target_at_its_own_place() -> None:
    found = target_at(policy(), stage_of(policy(), "prod"))
    assert (found.name, found.account, found.region, found.external_id) == ("prod", "222233334444", "eu-central-1", "x")
    elsewhere = replace(PROD, role="arn:aws:iam::222233334444:role/deploys")
    found = target_at(policy(), elsewhere)
    assert (found.role, found.external_id) == (elsewhere.role, None), "what one role's trust policy asks for is not told to another"
    with pytest.raises(ConfigError, match="There are: dev, prod"):
        stage_of(policy(), "nowhere")
    signs = replace(policy(), sign=SignPolicy(targets=tuple(replace(one, region="eu-west-1") for one in TARGETS)))
    with pytest.raises(ConfigError, match="is in eu-central-1, and its target prod signs in eu-west-1"):
        target_at(signs, PROD)
