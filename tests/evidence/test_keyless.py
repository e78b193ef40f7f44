"""Keyless signatures: made by the real client of Sigstore against a Fulcio and a Rekor on this machine, and looked at offline."""

import hashlib
import json
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sigstore._internal.fulcio.client import ExpiredCertificate
from sigstore.models import ClientTrustConfig, TrustedRoot

from shipsafe.errors import ConfigError, IncompleteError, IntegrityError
from shipsafe.evidence.appending import trust_in
from shipsafe.evidence.envelope import written
from shipsafe.evidence.file_signer import FileSigner
from shipsafe.evidence.keyless import KeylessSigner
from shipsafe.evidence.keyless_proof import embedded_root, holds
from shipsafe.evidence.keys import open_signers
from shipsafe.evidence.trust import vouched
from shipsafe.model.attestation import AttestPolicy, Role, TrustedIdentity
from tests.evidence.speakers import BUILDER, DAY, envelope, key, pae, statement, trusted_key
from tests.verifiers import sigstore

_ISSUER = "https://token.actions.githubusercontent.com"
_WORKFLOW = "https://github.com/acme/orders/.github/workflows/release.yml@refs/heads/main"
_RELEASE = TrustedIdentity(name="release", roles=BUILDER, identity=_WORKFLOW, issuer=_ISSUER)
_JOB = {"ACTIONS_ID_TOKEN_REQUEST_URL": "https://nowhere.invalid/token", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "t"}


@dataclass(frozen=True)
class _World:
    signer: KeylessSigner
    root: TrustedRoot
    line: bytes  # an envelope that the release workflow signed
    elsewhere: bytes  # the same workflow, called by another repository
    nowhere: bytes  # and where the certificate names no repository
    both: bytes  # and one that a key signed, too


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_World]:
    own = tmp_path_factory.getbasetemp()
    folder = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    with pytest.MonkeyPatch.context() as patch, sigstore(_WORKFLOW, _ISSUER, repository="acme/orders", folder=folder) as (url, trust):
        patch.setenv("GITHUB_ACTIONS", "true")
        patch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", f"{url}/token?api=2")
        patch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "secret-of-the-job")
        config = ClientTrustConfig.from_json(trust)
        signer = KeylessSigner(_WORKFLOW, trust=lambda: config)
        line = written(statement(), [signer])
        both = written(statement(), [FileSigner(key("ci")), signer])
        others: list[bytes] = []
        for repository in ("mallory/orders", "-"):
            patch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", f"{url}/token?repository={repository}")
            others.append(written(statement(), [KeylessSigner(_WORKFLOW, trust=lambda: config)]))
        patch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", f"{url}/token?api=2")
        yield _World(signer, config.trusted_root, line, others[0], others[1], both)


def _bundle(line: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(line)["signatures"][0]["bundle"]
    return found


def _policy(*identities: TrustedIdentity, builders: int = 1) -> AttestPolicy:
    return AttestPolicy(unsigned_allowed=False, identities=identities, thresholds={Role.BUILDER: builders})


def _refused(line: bytes, policy: AttestPolicy, root: TrustedRoot | None) -> None:
    with pytest.raises(IntegrityError, match="No key that the policy trusts as builder signed it"):
        vouched(envelope(line), policy, at=DAY, shown="b", root=root)


@pytest.mark.registry
def test_a_workflow_vouches_for_what_it_signed(world: _World) -> None:
    assert vouched(envelope(world.line), _policy(_RELEASE), at=DAY, shown="b", root=world.root).by == ("release",)
    assert b"secret-of-the-job" not in world.line


@pytest.mark.registry
@pytest.mark.parametrize(
    "other",
    [
        {"identity": _WORKFLOW.replace("main", "mine")},
        {"identity": _WORKFLOW.upper()},
        {"identity": _WORKFLOW + "x"},
        {"identity": _WORKFLOW[:-1]},
        {"identity": ""},
        {"issuer": "https://gitlab.com"},
        {"issuer": _ISSUER + "/"},
        {"repository": "https://github.com/acme/other"},
        {"repository": "acme/orders"},
    ],
)
def test_identity_and_issuer_are_compared_exactly(world: _World, other: dict[str, Any]) -> None:
    _refused(world.line, _policy(replace(_RELEASE, **other)), world.root)


@pytest.mark.registry
def test_a_workflow_that_another_repository_calls_is_another_signer(world: _World) -> None:
    """A reusable workflow is one identity in all repositories, and anybody may call it."""
    theirs = replace(_RELEASE, repository="https://github.com/mallory/orders")
    _refused(world.elsewhere, _policy(_RELEASE), world.root)
    _refused(world.elsewhere, _policy(replace(_RELEASE, repository="https://github.com/acme/orders")), world.root)
    assert vouched(envelope(world.elsewhere), _policy(theirs), at=DAY, shown="b", root=world.root).by == ("release",)
    _refused(world.line, _policy(theirs), world.root)
    _refused(world.nowhere, _policy(_RELEASE), world.root)


@pytest.mark.registry
def test_a_foreign_root_is_not_believed(world: _World) -> None:
    """Anybody can run a Fulcio that certifies anybody: the one that counts is Sigstore's own."""
    _refused(world.line, _policy(_RELEASE), None)


@pytest.mark.registry
def test_a_bundle_of_another_statement_is_refused(world: _World) -> None:
    moved = json.loads(written(statement(predicate={"a": 2}), [])) | {"signatures": json.loads(world.line)["signatures"]}
    _refused(json.dumps(moved).encode(), _policy(_RELEASE), world.root)


@pytest.mark.registry
@pytest.mark.parametrize(
    "path",
    [
        ("messageSignature", "signature"),
        ("messageSignature", "messageDigest", "digest"),
        ("verificationMaterial", "certificate", "rawBytes"),
        ("verificationMaterial", "tlogEntries", 0, "inclusionProof", "checkpoint", "envelope"),
        ("verificationMaterial", "tlogEntries", 0, "inclusionProof", "rootHash"),
        ("verificationMaterial", "tlogEntries", 0, "inclusionPromise", "signedEntryTimestamp"),
        ("verificationMaterial", "tlogEntries", 0, "integratedTime"),
        ("verificationMaterial", "tlogEntries", 0, "canonicalizedBody"),
        ("verificationMaterial", "tlogEntries", 0),
        ("verificationMaterial", "tlogEntries"),
        ("verificationMaterial",),
        ("messageSignature",),
        ("mediaType",),
    ],
)
def test_nothing_in_a_bundle_can_be_changed_or_left_out(world: _World, path: tuple[str | int, ...]) -> None:
    digest = hashlib.sha256(_pae(world.line)).digest()
    assert holds(_bundle(world.line), digest, _RELEASE, root=world.root)
    values: tuple[Any, ...] = (None, "", 0, [], {}, "AAAA", "1700000000", "\x00", [[]] * 3)
    for value in values:
        changed = _bundle(world.line)
        inner: Any = changed
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = value
        assert not holds(changed, digest, _RELEASE, root=world.root), value


@pytest.mark.registry
@pytest.mark.parametrize("nothing", [None, [], "x", 7, {}, {"mediaType": "x"}, [{}] * 100_000])
def test_what_is_no_bundle_at_all_does_not_hold(world: _World, nothing: object) -> None:
    assert not holds(nothing, hashlib.sha256(_pae(world.line)).digest(), _RELEASE, root=world.root)


def _pae(line: bytes) -> bytes:
    return pae(envelope(line).payload)


@pytest.mark.registry
def test_a_key_and_a_workflow_are_two(world: _World) -> None:
    ci = trusted_key(key("ci"))
    two = replace(_policy(_RELEASE, builders=2), keys=(ci,))
    assert vouched(envelope(world.both), two, at=DAY, shown="b", root=world.root).by == ("ci", "release")
    with pytest.raises(IntegrityError, match="1 of 2 keys signed it that must sign what a builder states: release"):
        vouched(envelope(world.line), two, at=DAY, shown="b", root=world.root)


class _Expired:
    def sign_artifact(self, _payload: bytes) -> None:
        raise ExpiredCertificate


@pytest.mark.registry
def test_a_certificate_that_has_expired_is_asked_for_again(world: _World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It lasts ten minutes, and a build may take longer."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    first = world.signer.sign(b"x").keyid
    assert world.signer.sign(b"y").keyid == first
    world.signer._opened = _Expired()
    signature = world.signer.sign(b"z")
    assert signature.keyid != first
    assert holds(signature.unrecognized_fields["bundle"], hashlib.sha256(b"z").digest(), _RELEASE, root=world.root)


def test_threads_that_sign_at_once_ask_for_one_certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four sign what a build states. Each for itself they would refresh the roots of trust at once, in one folder."""
    asked: list[str] = []

    def credential() -> str:
        asked.append("token")
        time.sleep(0.2)  # as an issuer takes: the others come meanwhile
        return "token"

    class Context:
        @contextmanager
        def signer(self, _token: str) -> Iterator[object]:
            yield object()

    monkeypatch.setattr("sigstore.oidc.detect_credential", credential)
    monkeypatch.setattr("sigstore.oidc.IdentityToken", str)
    signer = KeylessSigner(_WORKFLOW)
    signer._context = Context()

    def at_once(expired: object) -> set[object]:
        with ThreadPoolExecutor(4) as pool:
            return set(pool.map(lambda _: signer._signer(expired=expired), range(4)))

    [first] = at_once(None)
    assert len(asked) == 1
    assert at_once(None) == {first}
    [second] = at_once(first)
    assert second is not first
    assert len(asked) == 2


@pytest.mark.registry
def test_without_the_extra_a_keyless_signature_is_unanswered_and_not_refused(world: _World, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "sigstore"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sigstore", None)
    with pytest.raises(IncompleteError, match="without the extra `sigstore`") as unanswered:
        vouched(envelope(world.line), _policy(_RELEASE), at=DAY, shown="b")
    assert "pip install" in unanswered.value.remedy
    ours = replace(_policy(_RELEASE), keys=(trusted_key(key("ci")),))
    assert vouched(envelope(world.both), ours, at=DAY, shown="b").by == ("ci",)
    with pytest.raises(ConfigError, match="need the extra `sigstore`"):
        open_signers(["sigstore:"], environment=_JOB)


@pytest.mark.parametrize("lacking", list(_JOB))
def test_outside_of_a_job_that_may_ask_who_it_is_it_ends_before_anything_is_done(lacking: str) -> None:
    with pytest.raises(ConfigError, match=f"{lacking} is not set") as refused:
        open_signers(["sigstore:"], environment={name: value for name, value in _JOB.items() if name != lacking})
    assert "id-token: write" in refused.value.remedy


def test_opening_opens_no_socket_and_signing_without_a_token_is_incomplete(monkeypatch: pytest.MonkeyPatch) -> None:
    (signer,) = open_signers(
        ["sigstore:"], environment=_JOB | {"GITHUB_WORKFLOW_REF": "acme/orders/.github/workflows/r.yml@refs/heads/main"}
    )
    assert signer.public_key.keyval["identity"] == "https://github.com/acme/orders/.github/workflows/r.yml@refs/heads/main"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    for name, value in (_JOB | {"ACTIONS_ID_TOKEN_REQUEST_URL": "http://127.0.0.1:9/token"}).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(IncompleteError, match="Sigstore did not sign"):
        signer.sign(b"x")


def test_a_reusable_workflow_expects_to_be_itself_in_the_repository_that_calls_it() -> None:
    caller = {"GITHUB_WORKFLOW_REF": "acme/orders/.github/workflows/r.yml@refs/heads/main", "GITHUB_REPOSITORY": "acme/orders"}
    [signer] = open_signers(
        ["sigstore:"], environment={**_JOB, **caller, "SHIPSAFE_WORKFLOW_REF": "tools/shipsafe/.github/workflows/pipeline.yml@0123"}
    )
    [own] = trust_in([signer], Role.BUILDER).identities
    pipeline = "https://github.com/tools/shipsafe/.github/workflows/pipeline.yml@0123"
    assert own.who == (pipeline, _ISSUER, "https://github.com/acme/orders")


def test_the_root_is_that_of_the_package_and_not_of_a_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sigstore's client takes what lies in its cache when it is offline, whoever put it there."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    forged = tmp_path / "cache" / "sigstore-python" / "tuf" / "https%3A%2F%2Ftuf-repo-cdn.sigstore.dev"
    forged.mkdir(parents=True)
    (forged / "trusted_root.json").write_text("{}")
    assert embedded_root().get_fulcio_certs()
