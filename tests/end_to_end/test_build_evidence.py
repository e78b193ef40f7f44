"""What `build` states about what it built: opened with openssl and by hand, and the same for the same input."""

import base64
import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it has no types, and tests alone use it
import pytest

from shipsafe.evidence.predicates import check
from tests.adapters.test_git_tree import commit, git
from tests.end_to_end.program import Ended, shipsafe
from tests.evidence.shapes import closed
from tests.packing.staging import write

PASSWORD = "correct horse battery"
_FUNCTION = "    Type: AWS::Serverless::Function\n    Properties: {{Runtime: {}, Handler: app.handler, CodeUri: src/{}/}}\n"
FILES = {
    "template.yaml": "Transform: AWS::Serverless-2016-10-31\nParameters:\n  Stage: {Type: String}\n  Token: {Type: String, NoEcho: true}\n"
    "Resources:\n  Pay:\n" + _FUNCTION.format("python3.13", "pay") + "  Node:\n" + _FUNCTION.format("nodejs22.x", "node"),
    "shipsafe.toml": '[advisories]\nsource = { path = "advisories", date = 2026-11-01 }\nmax-age = "off"\n[parameters]\nStage = "prod"\n'
    '[[waivers]]\nrule = "lint/B602"\nsubject = "Pay"\nreason = "it is a tool"\nowner = "ops"\nexpires = 2999-01-01\n',
    "advisories/X-1.json": '{"id": "X-1", "modified": "2026-01-01T00:00:00Z", "affected": []}',
    "src/pay/app.py": "import subprocess\n\n\ndef handler(event, context):\n    subprocess.run(event['x'], shell=True)\n",
    "src/node/app.js": "exports.handler = async () => ({})\n",
}


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key file, with its public half beside it."""
    folder = tmp_path_factory.mktemp("keys")
    done = shipsafe("keys", "new", "ci.pem", cwd=folder, env={"SHIPSAFE_KEY_PASSWORD": PASSWORD})
    assert done.code == 0, done.err
    return folder / "ci.pem"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = write(tmp_path / "shop", FILES)
    git(root, "init", "-q", "-b", "main")
    git(root, "remote", "add", "origin", "https://me:ghs_hidden@github.com/acme/shop.git")
    commit(root)
    return root


def build(project: Path, *words: str | Path, **env: str) -> Ended:
    ours = {"SHIPSAFE_CACHE_DIR": str(project.parent / "cache"), "SHIPSAFE_KEY_PASSWORD": PASSWORD}
    return shipsafe("build", "--parameter-overrides", "Token=t0psecret", *words, cwd=project, env=ours | env)


def left(dist: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(dist.iterdir()) if path.is_file()}


def statements(bundle: Path) -> list[Any]:
    return [json.loads(base64.b64decode(json.loads(line)["payload"])) for line in bundle.read_bytes().splitlines()]


def predicate(bundle: Path, kind: str) -> Any:
    (found,) = [one["predicate"] for one in statements(bundle) if one["predicateType"] == kind]
    return found


def test_openssl_opens_what_a_key_has_signed(project: Path, key: Path, tmp_path: Path) -> None:
    done = build(project, "--key", key)
    assert done.code == 0, done.err
    public = Path(f"{key}.pub")
    der = subprocess.run(["openssl", "pkey", "-pubin", "-in", public, "-outform", "DER"], capture_output=True, check=True).stdout
    spki = hashlib.sha256(der).hexdigest()
    assert f"evidence: signed by sha256:{spki}" in done.out.splitlines()
    opened = 0
    for line in b"".join(path.read_bytes() for path in (project / "dist").glob("*.jsonl")).splitlines():
        envelope = json.loads(line)
        assert json.dumps(envelope, sort_keys=True, separators=(",", ":")).encode() == line
        (signature,) = envelope["signatures"]
        content, kind = base64.b64decode(envelope["payload"]), envelope["payloadType"].encode()
        (tmp_path / "signed").write_bytes(b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(content), content))
        (tmp_path / "sig").write_bytes(base64.b64decode(signature["sig"]))
        words: list[str | Path] = ["openssl", "dgst", "-sha384", "-verify", public, "-signature", tmp_path / "sig", tmp_path / "signed"]
        subprocess.run(words, check=True, capture_output=True)
        opened += 1
    assert opened == 5, "three about the function, two about the one of which no SBOM is made"


def test_the_same_input_and_key_give_the_same_bytes_and_another_key_other_signatures(project: Path, key: Path) -> None:
    assert build(project, "--key", key).code == 0
    first = left(project / "dist")
    assert build(project, "--key", key).code == 0
    assert left(project / "dist") == first, "warm"
    shutil.rmtree(project / "dist")
    assert build(project, "--key", key, SHIPSAFE_CACHE_DIR=str(project.parent / "other")).code == 0
    assert left(project / "dist") == first, "cold"
    assert build(project).code == 0
    unsigned = left(project / "dist")
    assert {name for name in first if first[name] != unsigned[name]} == {"Pay.intoto.jsonl", "Node.intoto.jsonl", "shipsafe.json"}


def test_without_a_key_it_is_stated_all_the_same_and_said_that_nobody_signed(project: Path) -> None:
    done = build(project, "--report", "json=report.json")
    assert done.code == 0, done.err
    assert "evidence: unsigned" in done.out.splitlines()
    manifest = json.loads((project / "dist/shipsafe.json").read_text())
    for artifact in manifest["artifacts"]:
        path = project / "dist" / artifact["evidence"]["path"]
        assert artifact["evidence"] == {"path": f"{artifact['name']}.intoto.jsonl", "signed": False,
                                        "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}  # fmt: skip
        assert all(json.loads(line)["signatures"] == [] for line in path.read_bytes().splitlines())
    report = json.loads((project / "report.json").read_text())
    assert report["attested_by"] == []
    assert [one["evidence"] for one in report["artifacts"]] == ["Pay.intoto.jsonl", "Node.intoto.jsonl"]
    assert shipsafe("report", "show", "report.json", cwd=project).out == done.out


def test_every_statement_is_about_the_zip_and_of_its_published_shape(project: Path, key: Path) -> None:
    assert build(project, "--key", key).code == 0
    manifest = json.loads((project / "dist/shipsafe.json").read_text())
    assert [one["evidence"]["signed"] for one in manifest["artifacts"]] == [True, True]
    schemas = {"https://slsa.dev/provenance/v1": "build-v1", "urn:shipsafe:gates:v1": "gates-v1"}
    for artifact in manifest["artifacts"]:
        data = (project / "dist" / artifact["path"]).read_bytes()
        for one in statements(project / "dist" / artifact["evidence"]["path"]):
            digests = {"sha256": hashlib.sha256(data).hexdigest(), "sha512": hashlib.sha512(data).hexdigest()}
            assert one["_type"] == "https://in-toto.io/Statement/v1"
            assert one["subject"] == [{"name": artifact["path"], "digest": digests}]
            if one["predicateType"] in schemas:
                closed(schemas[one["predicateType"]]).validate(one["predicate"])
                check(one["predicateType"], one["predicate"], shown="b")


def test_the_sbom_stands_in_it_byte_for_byte_and_its_digest_beside_it(project: Path) -> None:
    assert build(project).code == 0
    bundle, sbom = project / "dist/Pay.intoto.jsonl", (project / "dist/Pay.cdx.json").read_bytes()
    assert predicate(bundle, "https://cyclonedx.org/bom") == json.loads(sbom)
    assert any(sbom.rstrip(b"\n") in base64.b64decode(json.loads(line)["payload"]) for line in bundle.read_bytes().splitlines())
    byproducts = predicate(bundle, "https://slsa.dev/provenance/v1")["runDetails"]["byproducts"]
    assert byproducts == [{"name": "Pay.cdx.json", "digest": {"sha256": hashlib.sha256(sbom).hexdigest()}}]
    kinds = [one["predicateType"] for one in statements(project / "dist/Node.intoto.jsonl")]
    assert kinds == ["https://slsa.dev/provenance/v1", "urn:shipsafe:gates:v1"], "no SBOM is made of other languages"


def test_provenance_says_what_was_built_and_hides_what_is_secret(project: Path) -> None:
    assert build(project, GITHUB_ACTIONS="true", GITHUB_WORKFLOW_REF="acme/shop/.github/workflows/x.yml@refs/heads/main").code == 0
    said = predicate(project / "dist/Pay.intoto.jsonl", "https://slsa.dev/provenance/v1")
    told = said["buildDefinition"]["externalParameters"]
    assert (told["project"], told["template"], told["parameters"]) == ("shop", "template.yaml", {"Stage": "prod", "Token": None})
    assert told["artifact"]["runtimes"] == ["python3.13"]
    source = said["buildDefinition"]["resolvedDependencies"][0]
    head = git(project, "rev-parse", "HEAD")
    assert source["uri"] == f"git+https://github.com/acme/shop.git@{head}"
    assert (source["digest"], source["annotations"]["dirty"]) == ({"gitCommit": head}, False), "what is built is no part of the source"
    assert said["runDetails"]["builder"]["id"] == "https://github.com/acme/shop/.github/workflows/x.yml@refs/heads/main"
    said_there = [json.dumps(one).encode() for path in (project / "dist").glob("*.jsonl") for one in statements(path)]
    everything = b"".join((*left(project / "dist").values(), *said_there))
    for secret in (b"t0psecret", b"ghs_hidden", PASSWORD.encode(), str(project.parent).encode()):
        assert secret not in everything


def test_a_change_that_is_not_committed_is_told(project: Path) -> None:
    write(project, {"src/node/more.js": "exports.x = 1\n"})
    assert build(project).code == 0
    said = predicate(project / "dist/Pay.intoto.jsonl", "https://slsa.dev/provenance/v1")
    assert said["buildDefinition"]["resolvedDependencies"][0]["annotations"]["dirty"] is True


def test_without_a_repository_nothing_is_made_up(tmp_path: Path) -> None:
    root = write(tmp_path / "shop", FILES)
    assert build(root).code == 0
    said = predicate(root / "dist/Pay.intoto.jsonl", "https://slsa.dev/provenance/v1")
    assert said["buildDefinition"]["resolvedDependencies"][0] == {
        "name": "source", "uri": "file:.", "annotations": {"dirty": None, "folder": "."}}  # fmt: skip
    assert said["runDetails"]["builder"]["id"] == "urn:shipsafe:builder:local"


def test_what_the_gates_said_names_findings_and_who_allowed_them(project: Path) -> None:
    assert build(project).code == 0
    said = predicate(project / "dist/Pay.intoto.jsonl", "urn:shipsafe:gates:v1")
    assert (said["askedBy"], said["subject"], said["decision"]) == ("builder", "function:Pay", "PASS")
    (shell,) = [one for outcome in said["outcomes"] for one in outcome["findings"] if one["rule"] == "lint/B602"]
    assert (shell["decision"], shell["waiver"]["owner"], shell["waiver"]["reason"]) == ("waived", "ops", "it is a tool")
    assert shell["waiver"]["expires"] == "2999-01-01"
    manifest = json.loads((project / "dist/shipsafe.json").read_text())
    assert said["policy"]["digest"] == manifest["policy"]["digest"]
    assert said["advisories"] == manifest["advisories"]


@pytest.mark.parametrize(
    ("words", "env", "said"),
    [
        (("--key", "missing.pem"), {}, r"missing\.pem"),
        (("--key", "KEY"), {"SHIPSAFE_KEY_PASSWORD": "not-the-pass"}, "password"),
        (("--key", "KEY", "--key", "KEY"), {}, "given before"),
        (("--key", "gcpkms:x"), {}, "names no key"),
    ],
)
def test_a_key_that_cannot_be_used_costs_nothing(
    project: Path, key: Path, words: tuple[str, ...], env: dict[str, str], said: str
) -> None:  # fmt: skip
    done = build(project, *(str(key) if word == "KEY" else word for word in words), **env)
    assert done.code == 2
    assert re.search(said, done.err)
    assert "not-the-pass" not in done.err + done.out
    assert not (project / "dist").exists()
    assert not (project.parent / "cache").exists(), "nothing was looked at"


def test_a_key_that_the_policy_knows_is_called_by_its_name_and_strict_wants_one(project: Path, key: Path) -> None:
    table = shipsafe("keys", "show", key, "--name", "ci", "--for", "builder", cwd=project, env={"SHIPSAFE_KEY_PASSWORD": PASSWORD})
    assert table.code == 0, table.err
    with (project / "shipsafe.toml").open("a") as file:
        file.write(f'\n[attest]\nunsigned = "refuse"\n{table.out}')
    assert "evidence: signed by ci" in build(project, "--key", key).out.splitlines()
    unsigned = build(project)
    assert unsigned.code == 0
    assert "hint: The evidence is unsigned, and the policy takes none that nobody signed. Build with --key." in unsigned.out.splitlines()


def test_the_published_schemas_are_those_that_readers_hold() -> None:
    folder = Path(__file__).parents[2] / "docs" / "predicates"
    for name in ("build-v1", "gates-v1", "signing-v1"):
        schema = json.loads((folder / f"{name}.json").read_text())
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema["$id"] == f"urn:shipsafe:{name.replace('-', ':')}"
