"""A manifest that is read back: nothing in it is believed, and signatures are added to it whole or not at all."""

import errno
import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shipsafe.errors import ConfigError, IncompleteError, IntegrityError, NothingError, ShipsafeError
from shipsafe.model.deployment import CodeDeployGroup, Rollout, Strategy
from shipsafe.model.preference import Preference
from shipsafe.model.signing import S3Object, SignedArtifact
from shipsafe.packing.manifest import Source
from shipsafe.packing.output import Output, output_lock
from shipsafe.packing.publish import publish, repair
from shipsafe.packing.release import read_release, record_signatures
from tests.packing.releases import OLD, STATED, bundle, items, laid, record, record_evidence

ASKED = {"date": "2026-11-21", "policy": f"sha256:{'b' * 64}", "decision": "PASS", "builder": "unattested", "claims": [], "gates": {}}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    out = tmp_path / "dist"
    with output_lock(out, on_wait=lambda: None):
        publish(Output(out), items(tmp_path / "1", OLD), record(OLD), Source(commit="c" * 40, policy="../shipsafe.toml"))
    return out


def _signed(target: str, version: str = "v1") -> SignedArtifact:
    return SignedArtifact(
        artifact="Pay", target=target, account="111122223333", region="eu-central-1", unsigned_sha256="a" * 64,
        source=S3Object(bucket="bucket", key="unsigned/a.zip", version="u1"),
        object=S3Object(bucket="bucket", key="signed/a.zip", version=version), size=900, sha256="e" * 64, code_sha256=f"{'A' * 43}=",
        job="arn:aws:signer:eu-central-1:111122223333:/signing-jobs/11111111-2222-3333-4444-555555555555",
        profile_version="arn:aws:signer:eu-central-1:111122223333:/signing-profiles/orders/AbCdE12345",
        signed_at=datetime(2026, 11, 21, 12, tzinfo=UTC), expires=datetime(2038, 2, 21, tzinfo=UTC),
        root="f" * 64, trust="local")  # fmt: skip


def _edited(out: Path, edit: dict[str, Any] | None = None, **artifact: object) -> None:
    path = out / "shipsafe.json"
    document = json.loads(path.read_text()) | (edit or {})
    document["artifacts"][0] |= artifact
    path.write_text(json.dumps(document))


def test_what_was_published_is_read_back(out: Path) -> None:
    release = read_release(out)
    pay, published = release.artifacts[0], items(out.parent / "again", OLD)[0]
    assert (pay.name, pay.subject, pay.path) == ("Pay", published.archive.subject, out / "Pay.zip")
    assert (pay.sha256, pay.content_digest) == (published.archive.sha256, published.archive.content_digest)
    assert replace(pay.told, layers=()) == replace(published.told, layers=())
    assert [(ref.text, ref.local) for ref in pay.told.layers] == [("!Ref Common", "Common")]
    assert release.policy == out / "../shipsafe.toml"
    assert release.document["source"] == {"commit": "c" * 40}
    assert (pay.evidence, pay.evidence_signed) == (out / "Pay.intoto.jsonl", False)
    assert pay.evidence_sha256 == hashlib.sha256((out / "Pay.intoto.jsonl").read_bytes()).hexdigest()


def test_a_release_of_an_older_build_has_no_evidence(out: Path) -> None:
    document = json.loads((out / "shipsafe.json").read_text())
    del document["artifacts"][0]["evidence"]
    (out / "shipsafe.json").write_text(json.dumps(document))
    pay = read_release(out).artifacts[0]
    assert (pay.evidence, pay.evidence_sha256, pay.evidence_signed) == (None, "", False)


def test_what_the_template_says_of_going_live_is_read_back_and_an_older_build_says_nothing(out: Path) -> None:
    path = out / "shipsafe.json"
    document = json.loads(path.read_text())
    group = CodeDeployGroup(application="a", group="g")
    preference = Preference(strategy=Strategy(rollout=Rollout.CANARY, percent=20), alarms=("slow",), before_hook="check", codedeploy=group)
    live = {"function_name": "pay-prod", "alias": "live", "preference": preference.as_json(), "unclear": ["alarms: one is open"]}
    _edited(out, deployment=live)
    told = read_release(out).artifacts[0].told
    assert (told.function_name, told.alias, told.preference, told.unclear) == ("pay-prod", "live", preference, ("alarms: one is open",))
    for wrong in ({"function_name": "../x"}, {"alias": "a b"}, {"preference": {**preference.as_json(), "percent": 100}}):
        _edited(out, deployment=live | wrong)
        with pytest.raises(IntegrityError, match="It is not a release manifest: at artifacts/0/deployment"):
            read_release(out)
    del document["artifacts"][0]["deployment"]
    path.write_text(json.dumps(document))
    told = read_release(out).artifacts[0].told
    assert (told.function_name, told.alias, told.preference, told.unclear) == (None, None, None, ())


def test_what_is_stated_takes_the_place_of_what_was_and_of_nothing_else(out: Path) -> None:
    before = read_release(out)
    release = record_evidence(Output(out), before, STATED)
    assert [one.evidence_signed for one in release.artifacts] == [True, False, True]
    assert (out / "Pay.intoto.jsonl").read_bytes() == STATED["Pay"]
    assert release.artifacts[1] == before.artifacts[1]
    assert (out / "Stock.intoto.jsonl").read_bytes() == (out.parent / "1" / "Stock.intoto.jsonl").read_bytes()


def test_a_bundle_of_which_one_envelope_is_unsigned_is_not_called_signed(out: Path) -> None:
    both = bundle("Pay", 1, signed=True) + bundle("Pay", 2)
    assert not record_evidence(Output(out), read_release(out), {"Pay": both}).artifacts[0].evidence_signed


def test_signatures_and_evidence_come_together_or_not_at_all(out: Path) -> None:
    def full(step: str) -> None:
        if step.startswith("draft shipsafe.json"):
            raise OSError(errno.ENOSPC, "No space left on device")

    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    output = Output(out, full)
    stated = laid(output, STATED)
    with pytest.raises(IncompleteError, match="No space left"):
        record_signatures(output, read_release(out), [_signed("prod")], ASKED, stated)
    repair(Output(out))
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


def test_signatures_of_several_targets_stand_beside_each_other_and_a_new_one_takes_the_place_of_the_old(out: Path) -> None:
    output = Output(out)
    release = record_signatures(output, read_release(out), [_signed("prod"), _signed("dev")], ASKED)
    release = record_signatures(output, release, [_signed("prod", "v2")], None)
    entry = release.document["artifacts"][0]
    assert [(one["target"], one["object"]["version"]) for one in entry["signatures"]] == [("dev", "v1"), ("prod", "v2")]
    assert "signatures" not in release.document["artifacts"][1]
    assert release.document["signing"] == ASKED


def test_a_manifest_that_changed_while_it_was_signed_is_left_as_it_is(out: Path) -> None:
    release = read_release(out)
    _edited(out, {"project": "another"})
    before = (out / "shipsafe.json").read_bytes()
    with pytest.raises(IntegrityError, match="changed while"):
        record_signatures(Output(out), release, [_signed("dev")], ASKED)
    assert (out / "shipsafe.json").read_bytes() == before


@pytest.mark.parametrize(
    ("edit", "artifact", "kind", "says"),
    [
        ({"schema_version": "2.0"}, {}, IncompleteError, "of another version"),
        ({"artifacts": [{}]}, {}, IntegrityError, "at artifacts/0"),
        ({"verdict": {"decision": "FAIL"}}, {}, IntegrityError, "at verdict/decision"),
        ({}, {"path": "../Pay.zip"}, IntegrityError, "at artifacts/0/path"),
        ({}, {"path": "sub/Pay.zip"}, IntegrityError, "at artifacts/0/path"),
        ({}, {"name": "../Pay"}, IntegrityError, "at artifacts/0/name"),
        ({}, {"name": "stock"}, IntegrityError, "the name stock"),
        ({}, {"subject": "function:Stock"}, IntegrityError, "the subject function:stock"),
        ({}, {"size": -1}, IntegrityError, "at artifacts/0/size"),
        ({}, {"sbom": {"path": "../../x.cdx.json", "sha256": "a" * 64}}, IntegrityError, "at artifacts/0/sbom"),
        ({}, {"evidence": {"path": "../x.intoto.jsonl", "sha256": "a" * 64, "signed": True}}, IntegrityError, "at artifacts/0/evidence"),
        ({}, {"evidence": {"path": "x.zip", "sha256": "a" * 64, "signed": True}}, IntegrityError, "at artifacts/0/evidence"),
        ({}, {"evidence": None}, IntegrityError, "at artifacts/0/evidence"),
    ],
)
def test_a_manifest_that_is_not_one_is_refused(
    out: Path, edit: dict[str, Any], artifact: dict[str, Any], kind: type[ShipsafeError], says: str
) -> None:
    _edited(out, edit, **artifact)
    with pytest.raises(kind, match=says):
        read_release(out)


def test_a_folder_without_a_release_is_said(out: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such folder"):
        read_release(tmp_path / "nowhere")
    with pytest.raises(NothingError, match="this is no release"):
        read_release(tmp_path)
    (out / "shipsafe.json").write_text("[" * 9)
    with pytest.raises(ConfigError, match="Not JSON"):
        read_release(out)
    (out / "shipsafe.json").write_text("{}")
    with pytest.raises(IncompleteError):
        read_release(out)


def test_an_object_has_a_version_or_is_none() -> None:
    for version in ("", "null"):
        with pytest.raises(IncompleteError, match="Versioning is off on bucket b"):
            S3Object(bucket="b", key="k", version=version)
