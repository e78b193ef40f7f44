"""Whose policy decides what is signed: that of whoever signs, and never one that came with the release."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from shipsafe.adapters.http import fetch
from shipsafe.adapters.timeline import Timeline
from shipsafe.errors import ConfigError, IntegrityError
from shipsafe.evidence.keyless import KeylessSigner
from shipsafe.flows.sign import asking
from shipsafe.flows.sign_policy import load_policy, remarks_on
from shipsafe.flows.sign_request import SignRequest
from shipsafe.flows.zips import Asked
from shipsafe.model.attestation import Role
from shipsafe.model.record import RunRecord
from shipsafe.model.verdict import Decision, Verdict
from shipsafe.packing.publish import MANIFEST
from shipsafe.packing.release import read_release
from shipsafe.policy import load
from shipsafe.reports.live import silent_progress
from tests.flows.attested import signer, trusting
from tests.packing.staging import write

TODAY = date(2026, 11, 21)
SHA = "0" * 64
ARTIFACT = {
    "name": "Pay", "subject": "function:Pay", "source": "built", "path": "Pay.zip", "size": 1, "unzipped": 1, "entries": 1,
    "digests": {"sha256": SHA, "sha512": SHA * 2, "code_sha256": f"{'A' * 43}=", "content_digest": f"sha256:{SHA}"},
    "compressor": "any", "sbom": None, "runtimes": ["python3.13"], "handler": "app.handler", "architectures": ["arm64"], "locks": [],
    "layers": [], "gates": {}, "location": {"path": "t.yaml", "line": 1},
}  # fmt: skip


def released(root: Path, location: str) -> Path:
    """An output folder whose manifest names a policy."""
    document = {
        "schema_version": "1.0", "project": "shop", "template": None, "source": {"commit": None}, "verdict": {"decision": "PASS"},
        "policy": {"path": "shipsafe.toml", "digest": f"sha256:{SHA}", "location": location}, "advisories": None, "vex": [],
        "baseline": None, "tools": {"shipsafe": "1"}, "artifacts": [ARTIFACT],
    }  # fmt: skip
    write(root, {f"dist/{MANIFEST}": json.dumps(document), "dist/shipsafe.toml": "", "shipsafe.toml": ""})
    return root / "dist"


def ask(out: Path) -> None:
    with asking(SignRequest(out=out, today=TODAY, offline=True), silent_progress(), Timeline()):
        raise AssertionError  # it must not come to this


@pytest.mark.parametrize("location", ["shipsafe.toml", "../dist/shipsafe.toml"])
def test_a_policy_that_lies_in_the_release_is_not_taken(tmp_path: Path, location: str) -> None:
    with pytest.raises(ConfigError, match="lies in the release") as caught:
        ask(released(tmp_path, location))
    assert "--policy" in caught.value.remedy


def test_a_policy_that_a_link_leads_to_from_outside_lies_in_the_release_too(tmp_path: Path) -> None:
    out = released(tmp_path, "../linked.toml")
    (tmp_path / "linked.toml").symlink_to(out / "shipsafe.toml")
    with pytest.raises(ConfigError, match="lies in the release"):
        ask(out)


@pytest.mark.parametrize(("text", "said"), [('prebuilt = "refuse"', 1), ('prebuilt = "prove"', 1), ("", 0)])
def test_that_shipsafe_built_it_is_the_builder_s_word_and_the_output_says_so(tmp_path: Path, text: str, said: int) -> None:
    out = released(tmp_path, "../shipsafe.toml")
    (tmp_path / "shipsafe.toml").write_text(f"{text}\n")
    policy = load(tmp_path, offline=True, cache=tmp_path / "none", fetch=fetch, today=TODAY)
    request, asked = (
        SignRequest(out=out, today=TODAY),
        Asked(record=RunRecord(command="sign", project="shop", verdict=Verdict(decision=Decision.PASS))),
    )
    remarks = " ".join(remarks_on(request, read_release(out), policy, asked))
    assert ("that shipsafe built Pay is the builder's word alone" in remarks) == bool(said)
    assert "which the release itself names; --policy names a protected one." in remarks


def test_a_manifest_of_millions_of_values_is_not_even_parsed(tmp_path: Path) -> None:
    out = released(tmp_path, "../shipsafe.toml")
    text = (out / MANIFEST).read_text()
    (out / MANIFEST).write_text(text.replace('"vex": []', f'"vex": [{",".join(["[]"] * 600_000)}]'))
    with pytest.raises(IntegrityError, match="more than 1,000,000 values"):
        ask(out)


def test_a_place_that_no_file_can_have_is_no_manifest(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="not a release manifest: at policy/location"):
        ask(released(tmp_path, "a\0b"))


REFUSES = '[attest]\nunsigned = "refuse"\n'
RELEASE = trusting("release", Role.SIGNER)


def takes(root: Path, text: str, *signers: Any) -> None:
    (root / "shipsafe.toml").write_text(text)
    load_policy(SignRequest(out=root, today=TODAY, signers=signers), root, root / "shipsafe.toml")


@pytest.mark.parametrize(
    ("text", "signers"),
    [
        ("", ()),
        ("", (signer("anybody"),)),
        (RELEASE, (signer("release"),)),
        (RELEASE, (signer("stranger"), signer("release"))),
        (REFUSES + RELEASE + "from = 2026-11-21\nuntil = 2026-11-21\n", (signer("release"),)),
        ("[attest]\nsigners = 2\n" + RELEASE + trusting("other", Role.SIGNER), (signer("release"), signer("other"))),
        (trusting("ci", Role.BUILDER), ()),
    ],
)  # fmt: skip
def test_keys_whose_evidence_will_be_taken_are_taken(tmp_path: Path, text: str, signers: tuple[Any, ...]) -> None:
    takes(tmp_path, text, *signers)


@pytest.mark.parametrize(
    ("text", "signers", "said"),
    [
        (REFUSES, (), "takes no evidence that nobody signed"),
        (REFUSES, (signer("release"),), "trusts no key of a signer"),
        (RELEASE, (), "takes no evidence of signing without it"),
        (RELEASE, (signer("stranger"),), "0 of the keys given may speak"),
        (trusting("release", Role.BUILDER) + trusting("other", Role.SIGNER), (signer("release"),), "0 of the keys given may speak"),
        (RELEASE + "until = 2026-11-20\n", (signer("release"),), "0 of the keys given may speak"),
        (RELEASE + "from = 2026-11-22\n", (signer("release"),), "0 of the keys given may speak"),
        ("[attest]\nsigners = 2\n" + RELEASE + trusting("other", Role.SIGNER), (signer("other"),), "1 of the keys given may speak"),
    ],
)
def test_evidence_that_would_be_refused_is_not_written(tmp_path: Path, text: str, signers: tuple[Any, ...], said: str) -> None:
    """It is a matter of the command line: said before anything is asked."""
    with pytest.raises(ConfigError, match=said):
        takes(tmp_path, text, *signers)


def test_a_workflow_is_known_by_its_identity(tmp_path: Path) -> None:
    who = "https://github.com/acme/shop/.github/workflows/release.yml@refs/heads/main"
    text = f'[[attest.identity]]\nname = "release"\nfor = ["signer"]\nidentity = "{who}"\n'
    text += 'issuer = "https://token.actions.githubusercontent.com"\n'
    takes(tmp_path, text, KeylessSigner(who))
    with pytest.raises(ConfigError, match="0 of the keys given may speak"):
        takes(tmp_path, text, KeylessSigner(who.replace("main", "other")))
