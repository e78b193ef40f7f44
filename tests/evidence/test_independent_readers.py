"""Our envelopes, opened by readers that share nothing with ours: OpenSSL, Sigstore for JavaScript, the in-toto project's library."""

import base64
import json
import os
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from shipsafe.evidence.envelope import written
from shipsafe.evidence.key_file import make
from shipsafe.evidence.keys import open_signers
from shipsafe.evidence.public_key import described
from tests.evidence.speakers import SUBJECT, key, pae, signed, statement
from tests.verifiers import node_verify, python_of_in_toto


@pytest.fixture
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of this run share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


def _openssl(folder: Path, public: Path, signature: bytes, data: bytes) -> bool:
    (folder / "sig").write_bytes(signature)
    (folder / "pae").write_bytes(data)
    run = ("openssl", "dgst", "-sha384", "-verify", public, "-signature", "sig", "pae")
    done = subprocess.run(run, cwd=folder, check=False, capture_output=True, text=True)
    assert done.stdout.strip() in ("Verified OK", "Verification failure"), done.stderr
    return done.returncode == 0


def test_openssl_takes_our_signature_over_an_encoding_that_the_test_builds(tmp_path: Path) -> None:
    make(tmp_path / "ci.pem", password=b"correct horse battery")
    signers = open_signers([str(tmp_path / "ci.pem")], environment={"SHIPSAFE_KEY_PASSWORD": "correct horse battery"})
    document = json.loads(written(statement(), signers))
    payload, signature = (base64.b64decode(text) for text in (document["payload"], document["signatures"][0]["sig"]))
    public = tmp_path / "ci.pem.pub"
    assert _openssl(tmp_path, public, signature, pae(payload))
    assert not _openssl(tmp_path, public, signature, pae(payload + b" "))
    assert not _openssl(tmp_path, public, signature, pae(payload, "application/json"))


@pytest.mark.registry
@pytest.mark.parametrize(("curve", "digest"), [(ec.SECP384R1, "sha384"), (ec.SECP256R1, "sha256")])
def test_sigstore_for_javascript_reads_and_verifies_it(curve: type[ec.EllipticCurve], digest: str, tmp_path: Path, tools: Path) -> None:
    ours = key("ci", curve)
    public = tmp_path / "ci.pub"
    public.write_text(described(ours.public_key()).pem + "\n")
    line = signed(ours, predicate={"name": "Grüße \N{SNOWMAN}", "large": 2**40})
    told = node_verify(line, public=public, digest=digest, folder=tools)
    assert told == {"verified": True, "statement": json.loads(base64.b64decode(json.loads(line)["payload"]))}
    other = json.loads(line) | {"payload": json.loads(signed(ours))["payload"]}
    for wrong in (json.dumps(other).encode(), signed(key("mallory", curve)), signed()):
        assert not node_verify(wrong, public=public, digest=digest, folder=tools)["verified"]


@pytest.mark.registry
def test_the_in_toto_library_takes_our_statement_for_one(tools: Path) -> None:
    """Its protobuf parser refuses fields that the specification does not have, and its `validate` what lacks."""
    asked = """
import sys
from google.protobuf.json_format import Parse
import in_toto_attestation.v1.statement_pb2 as pb
from in_toto_attestation.v1.statement import Statement
statement = Statement.copy_from_pb(Parse(sys.stdin.buffer.read(), pb.Statement()))
statement.validate()
print(statement.pb.predicate_type, statement.pb.subject[0].name, statement.pb.subject[0].digest["sha256"])
"""
    payload = base64.b64decode(json.loads(signed())["payload"])
    run = [str(python_of_in_toto(tools)), "-c", asked]
    told = subprocess.run(run, check=False, capture_output=True, input=payload)
    assert told.stdout.decode().split() == ["https://slsa.dev/provenance/v1", "Orders.zip", SUBJECT], told.stderr.decode()
