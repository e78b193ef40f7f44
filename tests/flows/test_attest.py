"""What is stated is what is published: no SBOM that was changed on its way, and a key is called as people know it."""

from pathlib import Path

import pytest

from shipsafe.errors import IntegrityError
from shipsafe.evidence.envelope import read_bundle, statement_of
from shipsafe.evidence.file_signer import FileSigner
from shipsafe.evidence.gate_statement import read_gates
from shipsafe.evidence.provenance import SourceTree
from shipsafe.evidence.trust import vouched
from shipsafe.flows.attest import attested, names_of
from shipsafe.model.attestation import Predicate
from shipsafe.model.policy import Policy
from shipsafe.packing.output import Output
from tests.evidence.speakers import DAY, key, trusted_key, trusts
from tests.packing.releases import OLD, items, record

POLICY = Policy(path=None, digest=f"sha256:{'a' * 64}")


def test_every_artifact_has_three_statements_that_the_policys_key_vouches_for(tmp_path: Path) -> None:
    trusted = trusts(trusted_key(key("ci")), unsigned=False)
    (tmp_path / "dist/.shipsafe").mkdir(parents=True)
    published, done = attested(
        Output(tmp_path / "dist"), items(tmp_path / "1", OLD), record(OLD), POLICY, SourceTree(), [FileSigner(key("ci"))]
    )
    for item in published:
        assert item.evidence is not None
        envelopes = read_bundle(item.evidence.path.read_bytes(), shown="b")
        said = [vouched(one, trusted, at=DAY, shown="b") for one in envelopes]
        assert [one.by for one in said] == [("ci",)] * 3
        assert [one.statement.kind for one in said] == [Predicate.PROVENANCE, Predicate.SBOM, Predicate.GATES]
        assert {subject.digests["sha256"] for one in said for subject in one.statement.subjects} == {item.archive.sha256}
        assert read_gates(said[2].statement, shown="b").subject == item.archive.subject
        assert statement_of(envelopes[1], shown="b").predicate["bomFormat"] == "CycloneDX"
    assert done.hints == ()


def test_an_sbom_that_was_changed_on_its_way_is_not_stated(tmp_path: Path) -> None:
    (tmp_path / "dist/.shipsafe").mkdir(parents=True)
    made = items(tmp_path / "1", OLD)
    assert made[1].sbom is not None
    made[1].sbom.write_bytes(b'{"components": []}')
    with pytest.raises(IntegrityError, match="The SBOM of Stock was changed before it was stated"):
        attested(Output(tmp_path / "dist"), made, record(OLD), POLICY, SourceTree(), ())


def test_a_key_is_called_as_the_policy_calls_it_else_by_its_digest() -> None:
    one, two = FileSigner(key("one")), FileSigner(key("two"))
    trusted = trusts(trusted_key(key("one"), "ci"))
    assert list(names_of([one, two], trusted)) == ["ci", f"sha256:{two.public_key.keyid}"]
