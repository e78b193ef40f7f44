"""`[attest]`: whose statements count, read from a policy that anybody may have written."""

import hashlib
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from shipsafe.errors import ConfigError
from shipsafe.model.attestation import Role
from shipsafe.model.pipeline import PIPELINE
from shipsafe.model.policy import Policy
from shipsafe.policy import load

_ARN = "arn:aws:signer:eu-central-1:464622532012:/signing-profiles/Vendor/AbCdE12345"


def _public(key: Any) -> str:
    text: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return text.decode()


def _entry(pem: str, *, name: str = "ci", roles: str = '["builder"]', more: str = "") -> str:
    return f"[[attest.key]]\nname = \"{name}\"\nfor = {roles}\n{more}public = '''\n{pem}'''\n"


def _never(url: str) -> bytes:
    pytest.fail(f"{url} was fetched")


def _load(folder: Path, text: str) -> Policy:
    (folder / "shipsafe.toml").write_text(text)
    return load(folder, offline=True, cache=folder / "cache", fetch=_never, today=date(2026, 11, 21))


def test_a_key_is_known_by_the_digest_of_its_der_form(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP384R1())
    trusted = _load(tmp_path, _entry(_public(key), more="from = 2026-01-01\nuntil = 2027-01-01\n")).attest
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    (one,) = trusted.keys
    assert (one.spki, one.begins, one.ends) == (hashlib.sha256(der).hexdigest(), date(2026, 1, 1), date(2027, 1, 1))
    assert trusted.trusts_anybody(Role.BUILDER)
    assert not trusted.trusts_anybody(Role.SIGNER)


def test_without_a_table_unsigned_evidence_is_taken_and_strict_refuses_it(tmp_path: Path) -> None:
    assert _load(tmp_path, "").attest.unsigned_allowed
    assert not _load(tmp_path, 'extends = "strict"\n').attest.unsigned_allowed


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (_entry("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"), "cannot be used"),
        (_entry(_public(rsa.generate_private_key(public_exponent=65537, key_size=2048))), "cannot be used"),
        (_entry(_public(ec.generate_private_key(ec.SECP256K1()))), "cannot be used"),
        (_entry("x", roles="[]"), "has no `for`"),
        (_entry("x", roles='["boss"]'), "made of builder, signer, deployer, verifier"),
        (_entry(_public(ed25519.Ed25519PrivateKey.generate()), more="from = 2027-01-01\nuntil = 2026-01-01\n"), "ends before it begins"),
        ("[attest]\nbuilders = 0\n", "a whole number from 1"),
        ("[attest]\nbuilders = true\n", "a whole number from 1"),
        ("[attest]\nbuilders = 2\n", "2 keys must sign as builder, and the policy trusts 0"),
        ('[sign]\npublishers = ["arn:aws:signer:eu-central-1:464622532012:/signing-profiles/Vendor"]\n', "is not the ARN"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError) as refused:
        _load(tmp_path, text)
    assert says in str(refused.value)
    assert str(refused.value).startswith("shipsafe.toml:")


def test_one_key_under_two_names_does_not_make_two(tmp_path: Path) -> None:
    """Else one person could meet a threshold of two."""
    pem = _public(ec.generate_private_key(ec.SECP384R1()))
    with pytest.raises(ConfigError, match="are the same key"):
        _load(tmp_path, "[attest]\nbuilders = 2\n" + _entry(pem) + _entry(pem.replace("\n", "\r\n"), name="other"))


@pytest.mark.parametrize(("name", "identity"), [("release", "https://other"), ("ci", "https://other"), ("other", "https://workflow")])
def test_one_identity_under_two_names_does_not_make_two(tmp_path: Path, name: str, identity: str) -> None:
    def entry(name: str, identity: str) -> str:
        return f'[[attest.identity]]\nname = "{name}"\nfor = ["builder"]\nidentity = "{identity}"\nissuer = "https://issuer"\n'

    key = _entry(_public(ec.generate_private_key(ec.SECP384R1())))
    assert len(_load(tmp_path, key + entry("release", "https://workflow") + entry("two", "https://two")).attest.identities) == 2
    with pytest.raises(ConfigError, match="there already"):
        _load(tmp_path, key + entry("release", "https://workflow") + entry(name, identity))


def test_a_workflow_that_others_may_call_needs_the_repository_whose_runs_count(tmp_path: Path) -> None:
    def entry(workflow: str, more: str = "") -> str:
        identity = f'identity = "https://github.com/{workflow}@{"0" * 40}"\nissuer = "https://issuer"\n'
        return f'[[attest.identity]]\nname = "a"\nfor = ["builder"]\n{identity}{more}'

    ours, other, own = PIPELINE, "tools/ship/.github/workflows/w.yml", "acme/orders/.github/workflows/w.yml"
    project = '[pipeline]\nrepository = "acme/orders"\n'
    for text in (entry(ours), project + entry(ours), project + entry(other)):
        with pytest.raises(ConfigError, match="is a reusable workflow"):
            _load(tmp_path, text)
    whose = 'repository = "https://github.com/acme/orders"\n'
    for text in (project + entry(own), entry(own), project + entry(ours, whose), entry(other), entry(ours, whose)):
        assert _load(tmp_path, text).attest.identities
    with pytest.raises(ConfigError, match="there already"):  # once by its own repository, once by the same that is named
        _load(tmp_path, entry(own) + entry(own, whose).replace('"a"', '"b"'))


def test_whoever_extends_a_policy_that_fixes_trust_cannot_widen_it(tmp_path: Path) -> None:
    ours, theirs = (_public(ec.generate_private_key(ec.SECP384R1())) for _ in range(2))
    base = f'fixed = ["attest", "sign"]\n[sign]\npublishers = []\n[attest]\nunsigned = "refuse"\nbuilders = 1\n{_entry(ours)}'
    (tmp_path / "base.toml").write_text(base)
    extends = f'extends = {{ path = "base.toml", sha256 = "{hashlib.sha256(base.encode()).hexdigest()}" }}\n'
    assert _load(tmp_path, extends).attest.keys[0].name == "ci"
    assert _load(tmp_path, extends + _entry(ours)).attest.keys[0].name == "ci"
    target = '[[sign.target]]\nname = "x"\nprofile = "mallory"\nbucket = "mallory-bucket"\n'
    for wider in (_entry(theirs), target, _entry(ours) + _entry(theirs, name="mallory"), '[attest]\nunsigned = "allow"\n',
                  f'[sign]\npublishers = ["{_ARN}"]\n'):  # fmt: skip
        with pytest.raises(ConfigError, match="fixed"):
            _load(tmp_path, extends + wider)


def test_profile_versions_of_others_are_trusted_by_their_whole_arn(tmp_path: Path) -> None:
    (publisher,) = _load(tmp_path, f'[sign]\npublishers = ["{_ARN}"]\n').sign.publishers
    assert (publisher.account, publisher.name, publisher.version) == ("464622532012", "Vendor", "AbCdE12345")
