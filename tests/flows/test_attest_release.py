"""What a build without keys stated is signed as it stands, after it was held against everything that can be looked at; or not at all."""

import json
import os
from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import replace
from datetime import date
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sigstore.models import ClientTrustConfig

from shipsafe.errors import ConfigError, IncompleteError, IntegrityError, NothingError
from shipsafe.evidence.envelope import read_bundle, statement_of, written
from shipsafe.evidence.file_signer import FileSigner
from shipsafe.evidence.keyless import KeylessSigner
from shipsafe.evidence.provenance import LOCAL
from shipsafe.flows.attest_release import AttestedRelease, attest_release
from shipsafe.model.attestation import Envelope, Predicate, Resource, Role, Statement
from shipsafe.packing.output import Output
from shipsafe.packing.release import read_release
from tests.end_to_end.program import shipsafe
from tests.evidence.speakers import key
from tests.flows.attested import Change, edited, signer, trusting, without
from tests.flows.shop import asked, policy
from tests.packing.releases import record_evidence
from tests.verifiers import sigstore

STRICT = '\n[sign]\nbuilder = "attested"\n\n[attest]\nunsigned = "refuse"\n'
CI = trusting("ci", Role.BUILDER)
WORKFLOW = "tools/shipsafe/.github/workflows/pipeline.yml@0123"
COMMIT = "c" * 40
JOB = {"GITHUB_ACTIONS": "true", "GITHUB_SHA": COMMIT, "SHIPSAFE_WORKFLOW_REF": WORKFLOW, "GITHUB_WORKFLOW_REF": "acme/orders/x.yml@main"}


def attest(dist: Path, *names: str, digest: str | None = None, **environment: str) -> AttestedRelease:
    return attest_release(
        dist, [signer(name) for name in names or ("ci",)], environment=environment, today=date(2026, 11, 21), digest=digest
    )


def content(dist: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(dist.iterdir()) if path.is_file()}


def payloads(dist: Path) -> dict[str, list[bytes]]:
    return {path.name: [one.payload for one in read_bundle(path.read_bytes(), shown="b")] for path in sorted(dist.glob("*.intoto.jsonl"))}


def rewritten(dist: Path, change: Change, *, only: str | None = None, more: Statement | None = None) -> None:
    """The bundles, where statements that `change` gives as they were stay byte for byte; with one statement more."""
    release = read_release(dist)
    bundles = {}
    for artifact in release.artifacts:
        if only in (None, artifact.name):
            assert artifact.evidence is not None
            lines = []
            for envelope in read_bundle(artifact.evidence.read_bytes(), shown="b"):
                before = statement_of(envelope, shown="b")
                after = change(before)
                if after is not None:
                    lines.append(envelope.line if after == before else written(after, []))
            bundles[artifact.name] = b"".join(line + b"\n" for line in (*lines, *([written(more, [])] if more else ())))
    record_evidence(Output(dist), release, bundles)


def by(builder: str, commit: str | None = COMMIT) -> Change:
    """Provenance by another builder, of that commit."""

    def change(statement: Statement) -> Statement:
        if statement.kind != Predicate.PROVENANCE:
            return statement
        predicate: Any = deepcopy(dict(statement.predicate))
        predicate["runDetails"]["builder"]["id"] = builder
        [source] = [one for one in predicate["buildDefinition"]["resolvedDependencies"] if "dirty" in one.get("annotations", {})]
        source.pop("digest", None)
        source |= {"digest": {"gitCommit": commit}} if commit else {}
        return replace(statement, predicate=predicate)

    return change


def test_what_is_stated_is_signed_as_it_stands_and_counts(shop: Path, dist: Path) -> None:
    before, manifest = payloads(dist), sha256((dist / "shipsafe.json").read_bytes()).hexdigest()
    under = policy(shop, (shop / "shipsafe.toml").read_text() + STRICT + CI)
    with pytest.raises(IntegrityError, match="Nobody signed it"):
        asked(shop, under, dist=dist)
    done = attest(dist, digest=f"sha256:{manifest}")
    assert (done.builder, done.signed) == (LOCAL, {"Pay": 3, "Stock": 3, "Node": 2, "Inline": 3, "Common": 3})
    assert payloads(dist) == before
    assert all(one["evidence"]["signed"] for one in json.loads((dist / "shipsafe.json").read_text())["artifacts"])
    assert asked(shop, under, dist=dist).builder == "attested by ci"


def test_a_second_run_changes_nothing_and_what_another_signed_stays(dist: Path) -> None:
    attest(dist)
    once = content(dist)
    for name in ("ci", "stranger"):
        assert set(attest(dist, name).signed.values()) == {0}
        assert content(dist) == once


def test_several_keys_sign_each_statement(dist: Path) -> None:
    attest(dist, "ci", "two")
    lines = [json.loads(line) for path in dist.glob("*.intoto.jsonl") for line in path.read_bytes().splitlines()]
    assert {len(line["signatures"]) for line in lines} == {2}


@pytest.mark.parametrize("kind", [Predicate.PROVENANCE, Predicate.SBOM, Predicate.GATES])
def test_what_is_not_stated_is_not_made_up(dist: Path, kind: Predicate) -> None:
    rewritten(dist, without(kind), only="Stock")
    refused(dist, f"The {kind.name.lower()} of Stock is stated nowhere")


def _append(dist: Path) -> None:
    with (dist / "Pay.zip").open("ab") as file:
        file.write(b"x")


def _unlink(dist: Path) -> None:
    (dist / "Pay.zip").unlink()
    for path in (dist / ".shipsafe").glob("sha256-*.zip"):
        path.unlink()


def _other_sbom(dist: Path) -> None:
    """With its digest in the manifest, so that only the builder's statement knows better."""
    for path in (dist / ".shipsafe").glob("*"):
        if path.is_file():
            path.unlink()
    document = json.loads((dist / "Pay.cdx.json").read_text())
    document["metadata"]["component"]["description"] = "other"
    data = json.dumps(document).encode()
    (dist / "Pay.cdx.json").unlink()
    (dist / "Pay.cdx.json").write_bytes(data)
    edited(dist, "Pay", lambda entry: entry["sbom"].update(sha256=sha256(data).hexdigest()))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_append, "not the file of the release"),
        (_unlink, "not there, or not the zip"),
        (_other_sbom, "Its sbom statement is not about Pay.zip alone, as it lies there"),
        (lambda dist: edited(dist, "Pay", lambda entry: entry.update(handler="other.handler")), "says of it, as its handler"),
        (lambda dist: edited(dist, "Pay", lambda entry: entry["evidence"].update(sha256="0" * 64)), "not the"),
    ],
)
def test_a_release_that_was_changed_is_not_vouched_for(dist: Path, change: Callable[[Path], None], says: str) -> None:
    change(dist)
    refused(dist, says)


def _about(*shas: str) -> Callable[[Statement], Statement]:
    return lambda one: replace(one, subjects=tuple(Resource(name="Pay.zip", digests={"sha256": sha}) for sha in shas))


def _restore(dist: Path, envelopes: Iterable[Envelope]) -> None:
    record_evidence(Output(dist), read_release(dist), {"Pay": b"".join(one.line + b"\n" for one in envelopes)})


def test_nothing_else_is_vouched_for_with_it(dist: Path) -> None:
    """Whoever builds writes the bundle: what it holds beside the three statements of this zip would be signed as well."""
    zipped = read_release(dist).artifacts[0]
    envelopes = read_bundle((dist / "Pay.intoto.jsonl").read_bytes(), shown="b")
    provenance, _, gates = (statement_of(one, shown="b") for one in envelopes)
    evil = "e" * 64
    more = [
        (replace(provenance, kind="https://example.com/approved/v1"), "which no builder states of it"),
        (replace(provenance, predicate={}), "is stated twice"),
        (_about(evil)(provenance), "is stated twice"),
        (_about(zipped.sha256, evil)(gates), "is stated twice"),
    ]
    for statement, says in more:
        rewritten(dist, lambda one: one, only="Pay", more=statement)
        refused(dist, says)
        _restore(dist, envelopes)
    changes: list[tuple[Change, str]] = [
        (lambda one: _about(zipped.sha256, evil)(one) if one.kind == Predicate.GATES else one, "not about Pay.zip alone"),
        (lambda one: replace(one, predicate={**one.predicate, "subject": "function:Stock"}) if one.kind == Predicate.GATES else one,
         "what the gates said of function:Stock"),
    ]  # fmt: skip
    for change, says in changes:
        rewritten(dist, change, only="Pay")
        refused(dist, says)
        _restore(dist, envelopes)
    assert attest(dist).signed["Pay"] == 3


def test_another_release_than_was_handed_over_is_refused(dist: Path) -> None:
    refused(dist, "another one than was handed over", digest=f"sha256:{'0' * 64}")


def test_a_builder_is_vouched_for_only_by_itself_and_of_the_commit_of_its_run(dist: Path) -> None:
    refused(dist, f"says that {LOCAL} built it, and this is https://github.com/{WORKFLOW}", **JOB)
    rewritten(dist, by(f"https://github.com/{WORKFLOW}", "d" * 40))
    refused(dist, "says of it, as its commit", **JOB)
    for commit in (None, "d" * 40):
        rewritten(dist, by(f"https://github.com/{WORKFLOW}", commit))
        edited_commit(dist, commit)
        refused(dist, f"names commit {commit}, and this run is of {COMMIT}", **JOB)
    rewritten(dist, by(f"https://github.com/{WORKFLOW}"))
    edited_commit(dist, COMMIT)
    assert attest(dist, **JOB).builder == f"https://github.com/{WORKFLOW}"


def edited_commit(dist: Path, commit: str | None) -> None:
    document = json.loads((dist / "shipsafe.json").read_text())
    document["source"]["commit"] = commit
    (dist / "shipsafe.json").write_text(json.dumps(document))


class _Refusing(FileSigner):
    """A key that signs twice and then no more."""

    def __init__(self, name: str) -> None:
        super().__init__(key(name))
        self.asked = count()

    def sign(self, payload: bytes) -> Any:
        if next(self.asked) >= 2:
            raise IncompleteError("The key does not answer.", remedy="Run this again.")
        return super().sign(payload)


def test_a_key_that_fails_leaves_the_release_as_it_was(dist: Path) -> None:
    before = content(dist)
    with pytest.raises(IncompleteError, match="does not answer"):
        attest_release(dist, [_Refusing("ci")], environment={}, today=date(2026, 11, 21))
    assert content(dist) == before
    assert set(attest(dist).signed.values()) == {2, 3}


@pytest.mark.registry
def test_keyless_the_pipeline_vouches_for_the_repository_that_calls_it(
    shop: Path, dist: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the same workflow that another repository calls, the policy takes nothing."""
    rewritten(dist, by(f"https://github.com/{WORKFLOW}"))
    edited_commit(dist, COMMIT)
    own = tmp_path_factory.getbasetemp()
    folder = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    identity, issuer = f"https://github.com/{WORKFLOW}", "https://token.actions.githubusercontent.com"
    with sigstore(identity, issuer, repository="acme/orders", folder=folder) as (url, trust):
        for name, value in (JOB | {"ACTIONS_ID_TOKEN_REQUEST_URL": f"{url}/token?api=2", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "t"}).items():
            monkeypatch.setenv(name, value)
        config = ClientTrustConfig.from_json(trust)
        pipeline = KeylessSigner(identity, repository="https://github.com/acme/orders", trust=lambda: config)
        done = attest_release(dist, [pipeline], environment=JOB, today=date(2026, 11, 21))
    assert (done.builder, set(done.signed.values())) == (identity, {2, 3})
    monkeypatch.setattr("shipsafe.evidence.keyless_proof.embedded_root", lambda: config.trusted_root)
    trusting_it = f'\n[[attest.identity]]\nname = "pipeline"\nfor = ["builder"]\nidentity = "{identity}"\nissuer = "{issuer}"\n'
    text = (shop / "shipsafe.toml").read_text() + STRICT + trusting_it
    under = policy(shop, f'{text}repository = "https://github.com/acme/orders"\n')
    assert asked(shop, under, dist=dist).builder == "attested by pipeline"
    for repository in ("", 'repository = "https://github.com/mallory/orders"\n'):
        with pytest.raises(IntegrityError, match="No key that the policy trusts as builder signed it"):
            asked(shop, policy(shop, text + repository), dist=dist)


def test_without_a_key_a_folder_or_a_release_there_is_nothing_to_do(dist: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Nothing is attested without a key"):
        attest_release(dist, [], environment={}, today=date(2026, 11, 21))
    with pytest.raises(ConfigError, match="no such folder"):
        attest(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(NothingError):
        attest(tmp_path / "empty")
    assert not list((tmp_path / "empty").iterdir())


def test_from_the_command_line(dist: Path, tmp_path: Path) -> None:
    made = shipsafe("keys", "new", "ci.pem", "--unsafe-no-password", cwd=tmp_path)
    assert made.code == 0, made.err
    outputs = tmp_path / "outputs"
    words = ("report", "attest", "--key", f"unsafe-unencrypted:{tmp_path / 'ci.pem'}", dist)
    done = shipsafe(*words, cwd=tmp_path, env={"GITHUB_OUTPUT": str(outputs)})
    assert done.code == 0, done.err
    assert done.out.splitlines()[0] == f"builder: {LOCAL}"
    assert "Pay: 3 statements signed by sha256:" in done.out
    assert f"sha256:{sha256((dist / 'shipsafe.json').read_bytes()).hexdigest()}" in outputs.read_text()
    again = shipsafe(*words, "--manifest-digest", "latest", cwd=tmp_path)
    assert (again.code, "not of the form sha256:HEX" in again.err) == (2, True)


def refused(dist: Path, match: str, *, digest: str | None = None, **environment: str) -> None:
    """Nothing is signed, and nothing of the release is changed."""
    before = {name: data for name, data in content(dist).items() if name.endswith((".jsonl", ".json"))}
    with pytest.raises(IntegrityError, match=match):
        attest(dist, digest=digest, **environment)
    assert {name: data for name, data in content(dist).items() if name in before} == before
