"""One zip by its path, most of them signed: where its evidence is found, and what its AWS signature must be."""

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from shipsafe.errors import ConfigError, IncompleteError
from shipsafe.evidence.envelope import read_envelope, statement_of
from shipsafe.evidence.store import Store, open_store
from shipsafe.local.pki import open_root
from shipsafe.model.attestation import Envelope, Predicate, Statement
from shipsafe.model.chain import Hold
from shipsafe.verify import verify_zip, verify_zips
from shipsafe.verify.links import ORDER
from tests.evidence.speakers import key, signed
from tests.tampering.zips import Change, added, changed, mode_changed, recompressed, with_comment
from tests.verify.desk import ACCOUNT, BUILDER, PROFILE, TARGET, Desk, link, only, put, wrong

THEIRS = "999999999999"


def test_a_signed_zip_holds_from_its_bytes_to_the_signature_of_aws(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    path = desk.sign()
    monkeypatch.chdir(desk.project)
    found = desk.verify(path)
    assert (int(found.exit_code), wrong(found)) == (0, {})
    assert [one.hold for one in only(found).links] == [Hold.HELD] * len(ORDER)
    assert PROFILE in link(found, "aws-signature").sentence
    assert any("LOCAL" in note for note in link(found, "aws-signature").notes)
    assert [one.kind for one in only(found).attestations][-1] == Predicate.SIGNING


def test_evidence_is_found_in_the_folder_that_the_zip_lies_in_or_where_it_is_named(desk: Desk, tmp_path: Path) -> None:
    path = desk.sign()
    inside = Path(shutil.copy(path, desk.dist / "signed.zip"))
    assert wrong(desk.verify(inside)) == {}
    assert wrong(desk.verify(path, release=desk.dist)) == {}
    alone = Path(shutil.copy(path, tmp_path / "alone.zip"))
    bundle = Path(shutil.copy(desk.dist / "Pay.intoto.jsonl", tmp_path / "evidence.jsonl"))
    found = desk.verify(alone, bundles=[bundle])
    assert wrong(found) == {}
    assert link(found, "signed-contents").hold is Hold.NOT_ASKED
    assert desk.verify(alone).first_broken


def test_evidence_is_found_in_a_store_by_the_digest_of_the_signed_zip_alone(desk: Desk, tmp_path: Path) -> None:
    path = desk.sign()
    store = open_store("kept", home=tmp_path)
    for line in desk.lines:
        envelope = read_envelope(line, shown="")
        store.keep(envelope, statement_of(envelope, shown=""))
    alone = Path(shutil.copy(path, tmp_path / "alone.zip"))
    found = desk.verify(alone, evidence=str(tmp_path / "kept"))
    assert wrong(found) == {}
    assert isinstance(store, Store)


def _of_another_policy(said: Statement) -> Statement:
    definition = said.predicate["buildDefinition"]
    outer = {**definition["externalParameters"], "policy": {"path": "shipsafe.toml", "digest": f"sha256:{'0' * 64}"}}
    return replace(said, predicate={**said.predicate, "buildDefinition": {**definition, "externalParameters": outer}})


def test_what_is_kept_of_an_older_build_of_the_same_bytes_does_not_count_before_that_of_the_release(desk: Desk, tmp_path: Path) -> None:
    path, bundle, manifest = desk.sign(), desk.dist / "Pay.intoto.jsonl", desk.dist / "shipsafe.json"
    right = bundle.read_bytes(), manifest.read_bytes()
    store = open_store("kept", home=tmp_path)
    for _ in range(2):  # that of the release, and that of a build under another policy
        for line in desk.lines:
            envelope = read_envelope(line, shown="")
            store.keep(envelope, statement_of(envelope, shown=""))
        desk.restate(Predicate.PROVENANCE, _of_another_policy)
    assert "provenance" in wrong(desk.verify(path, release=desk.dist))
    put(bundle, right[0])
    put(manifest, right[1])
    assert wrong(desk.verify(path, release=desk.dist, evidence=str(tmp_path / "kept"))) == {}


class _Unreadable:
    def about(self, sha256: str) -> Sequence[Envelope]:
        raise IncompleteError(f"The store could not be asked about {sha256[:4]}.")


def test_a_store_that_cannot_be_read_is_told_and_is_no_pass(desk: Desk, tmp_path: Path) -> None:
    alone = Path(shutil.copy(desk.sign(), tmp_path / "alone.zip"))
    found = verify_zip(alone, desk.request(store=_Unreadable()))
    assert link(found, "bundle").hold is Hold.UNANSWERED
    assert int(found.exit_code) == 5  # and nothing proves it


def test_an_unsigned_zip_by_its_path_is_verified_as_in_its_release(desk: Desk) -> None:
    found = desk.verify(desk.dist / "Pay.zip")
    assert wrong(found) == {}
    assert link(found, "aws-signature").hold is Hold.NOT_ASKED


def test_a_zip_that_nothing_is_known_of_is_broken(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "other.zip"
    path.write_bytes(changed((desk.dist / "Pay.zip").read_bytes(), lambda parts: parts[:-1]))
    for found in (desk.verify(path), desk.verify(path, release=desk.dist)):
        assert found.first_broken
        assert (found.first_broken[1].id, int(found.exit_code)) == ("zip", 5)


@pytest.mark.parametrize("change", [added, mode_changed, recompressed, with_comment])
def test_a_signed_zip_that_was_changed_is_known_by_its_job_and_both_digests_are_said(desk: Desk, change: Change) -> None:
    path = desk.sign()
    data = change(path.read_bytes())
    meant = hashlib.sha256(path.read_bytes()).hexdigest()
    path.write_bytes(data)
    found = desk.verify(path, release=desk.dist)
    told = link(found, "zip")
    assert (told.hold, told.expected, told.found) == (
        Hold.BROKEN, f"SHA-256 {meant}", f"SHA-256 {hashlib.sha256(data).hexdigest()}",
    )  # fmt: skip


def test_a_signature_without_a_record_of_it_proves_nothing(desk: Desk) -> None:
    path = desk.sign(record=False)
    found = desk.verify(path, bundles=[desk.dist / "Pay.intoto.jsonl"])
    assert int(found.exit_code) == 5
    assert link(found, "signing-record").hold is Hold.BROKEN


def test_a_record_that_a_stranger_signed_is_none(desk: Desk) -> None:
    path = desk.sign(by=BUILDER)
    found = desk.verify(path, release=desk.dist)
    assert link(found, "signing-record").hold is Hold.BROKEN
    assert "trusts as builder" in link(found, "signing-record").sentence


def test_a_profile_of_another_account_is_not_trusted_under_the_name_of_ours(desk: Desk) -> None:
    path = desk.sign(profile=PROFILE.replace(ACCOUNT, THEIRS))
    found = desk.verify(path, release=desk.dist)
    assert wrong(found) == {"aws-signature": Hold.BROKEN}
    assert THEIRS in link(found, "aws-signature").found


def test_a_target_without_account_means_the_accounts_of_the_policy(desk: Desk) -> None:
    desk.edit_policy(TARGET, TARGET.replace(f'account = "{ACCOUNT}"\n', ""))
    assert wrong(desk.verify(desk.sign(), release=desk.dist)) == {}
    desk.edit_policy(f'accounts = ["{ACCOUNT}"]', f'accounts = ["{THEIRS}"]')
    assert wrong(desk.verify(desk.project / "signed.zip", release=desk.dist)) == {}  # the record, which the signer vouches for, names it


def test_a_target_without_account_is_not_filled_in_by_a_record_that_nobody_vouches_for(desk: Desk) -> None:
    desk.edit_policy(TARGET, TARGET.replace(f'account = "{ACCOUNT}"\n', ""))
    desk.edit_policy(f'accounts = ["{ACCOUNT}"]\n', "")
    path = desk.sign(profile=PROFILE.replace(ACCOUNT, THEIRS))
    text = (desk.project / "shipsafe.toml").read_text()
    open_policy = desk.project / "open.toml"
    open_policy.write_text(text[: text.index("[[attest.key]]")])
    found = desk.verify(path, release=desk.dist, policy=open_policy)
    assert wrong(found) == {"aws-signature": Hold.BROKEN}
    assert "Set `account`" in link(found, "aws-signature").remedy


@pytest.mark.parametrize(("line", "holds"), [('profile-version = "Ab1cD2ef3G"', True), ('profile-version = "Zz1cD2ef3G"', False)])
def test_a_pinned_profile_version_is_the_only_one(desk: Desk, line: str, holds: bool) -> None:  # noqa: FBT001 - a parameter of the test
    desk.edit_policy('profile = "pay_2026"', f'profile = "pay_2026"\n{line}')
    assert (wrong(desk.verify(desk.sign(), release=desk.dist)) == {}) is holds


def test_a_publisher_is_trusted_by_its_whole_arn(desk: Desk) -> None:
    other = PROFILE.replace("pay_2026", "theirs").replace(ACCOUNT, THEIRS)
    path = desk.sign(profile=other)
    assert wrong(desk.verify(path, release=desk.dist)) == {"aws-signature": Hold.BROKEN}
    desk.edit_policy("[[sign.target]]", f'[sign]\npublishers = ["{other}"]\n\n[[sign.target]]')
    assert wrong(desk.verify(path, release=desk.dist)) == {}


def test_a_signature_that_expired_is_broken(desk: Desk) -> None:
    path = desk.sign(until=desk.now - timedelta(minutes=1))
    found = desk.verify(path, release=desk.dist)
    assert wrong(found) == {"aws-signature": Hold.BROKEN}
    assert "expired" in link(found, "aws-signature").sentence


def test_a_signature_of_the_future_is_noted_by_a_day_and_unanswered_by_a_year(desk: Desk) -> None:
    path = desk.sign(at=desk.now)
    assert wrong(desk.verify(path, release=desk.dist, now=desk.now - timedelta(days=1))) == {}
    late = desk.verify(path, release=desk.dist, now=desk.now - timedelta(days=365))
    assert link(late, "aws-signature").hold is Hold.UNANSWERED


def test_a_root_that_nobody_vouches_for_is_broken(desk: Desk, tmp_path: Path) -> None:
    path = desk.sign(root=open_root(tmp_path / "foreign"))
    assert wrong(desk.verify(path, release=desk.dist)) == {"aws-signature": Hold.BROKEN}


def test_the_local_root_counts_only_where_it_is_honoured(desk: Desk) -> None:
    path = desk.sign()
    found = verify_zip(path, desk.request(local_root=None, release=desk.dist))
    assert wrong(found) == {"aws-signature": Hold.BROKEN}


def test_keys_must_have_been_valid_on_the_day_of_the_signature(desk: Desk) -> None:
    before = desk.now.date() - timedelta(days=30)
    desk.edit_policy('for = ["builder"]', f'for = ["builder"]\nuntil = {before}')
    path = desk.sign(at=desk.now - timedelta(days=40))
    assert wrong(desk.verify(path, release=desk.dist)) == {}
    assert wrong(desk.verify()) != {}  # the unsigned zip: today


def test_the_unsigned_zip_beside_a_signed_one_must_be_the_one_that_was_signed(desk: Desk) -> None:
    path = desk.sign()
    put(desk.dist / "Pay.zip", recompressed((desk.dist / "Pay.zip").read_bytes()))
    found = desk.verify(path, release=desk.dist)
    assert wrong(found) == {"signed-contents": Hold.BROKEN}


def test_a_signed_zip_that_the_manifest_does_not_name_is_broken_though_evidence_speaks_of_it(desk: Desk) -> None:
    path = desk.sign()
    desk.edit_manifest(lambda pay: pay.pop("signatures"))
    shutil.copy(path, desk.dist / "Stray.zip")
    found = desk.verify(desk.dist / "Stray.zip", bundles=[desk.dist / "Pay.intoto.jsonl"])
    assert wrong(found) == {}  # no release is taken for it, and the bundle proves it
    put(desk.dist / "Pay.zip", path.read_bytes())
    assert link(desk.verify(desk.dist / "Pay.zip"), "zip").hold is Hold.BROKEN


def test_what_is_no_zip_is_said(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "text.zip").write_text("no zip at all")
    found = desk.verify(tmp_path / "text.zip")
    assert link(found, "contents").hold is Hold.BROKEN
    with pytest.raises(ConfigError):
        desk.verify(tmp_path / "nowhere.zip")
    with pytest.raises(ConfigError):
        desk.verify(tmp_path)


def test_a_link_to_a_zip_that_somebody_names_is_followed(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "latest.zip").symlink_to(desk.dist / "Pay.zip")
    assert wrong(desk.verify(tmp_path / "latest.zip")) == {}


def test_several_zips_have_a_chain_each_in_their_order(desk: Desk) -> None:
    path = desk.sign()
    found = verify_zips([path, desk.dist / "Pay.zip"], desk.request(release=desk.dist))
    assert [chain.subject for chain in found.chains] == ["signed.zip", "Pay.zip"]
    assert int(found.exit_code) == 0


def test_a_bundle_of_a_whole_release_may_be_given_for_one_zip(desk: Desk, tmp_path: Path) -> None:
    path = desk.sign()
    strange = signed(key("desk-ci"))  # about another zip
    bundle = tmp_path / "all.jsonl"
    bundle.write_bytes(b"".join(line + b"\n" for line in (strange, *desk.lines)))
    assert wrong(desk.verify(Path(shutil.copy(path, tmp_path / "alone.zip")), bundles=[bundle])) == {}
