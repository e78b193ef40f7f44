"""A release that is not what its manifest and its SBOMs say ends with 5, whatever was changed; what is not there ends with 4."""

import base64
import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shipsafe.errors import IntegrityError
from shipsafe.flows.reask import Asked
from shipsafe.model.verdict import Decision
from shipsafe.packing.release import read_release
from tests.flows.shop import asked, content, copied, replaced, silenced

Edit = Callable[[Any], object]
_DELTA = {"type": "library", "bom-ref": "x", "name": "delta", "version": "1", "properties": [{"name": "shipsafe:source", "value": "index"}]}


@pytest.fixture
def dist(shop: Path, tmp_path: Path) -> Path:
    return silenced(copied(shop, tmp_path))


def refused(shop: Path, dist: Path) -> str:
    """What the error says, without places."""
    with pytest.raises(IntegrityError) as caught:
        asked(shop, dist=dist)
    assert caught.value.exit_code == 5
    assert caught.value.remedy
    return caught.value.what


def edited(path: Path, edit: Edit) -> None:
    document = json.loads(path.read_text())
    edit(document)
    path.write_text(json.dumps(document))


def artifact(document: Any, name: str) -> Any:
    return next(one for one in document["artifacts"] if one["name"] == name)


def sbom(dist: Path, name: str, edit: Edit) -> None:
    """Change an SBOM, and the manifest to fit."""
    path = dist / f"{name}.cdx.json"
    edited(path, edit)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    edited(dist / "shipsafe.json", lambda told: artifact(told, name)["sbom"].update(sha256=digest))


def component(document: Any, name: str) -> Any:
    return next(one for one in document["components"] if one["name"] == name)


def told(one: Any, name: str, value: str) -> None:
    next(entry for entry in one["properties"] if entry["name"] == name)["value"] = value


def test_one_changed_byte_of_a_zip_is_enough(shop: Path, dist: Path) -> None:
    data = bytearray((dist / "Pay.zip").read_bytes())
    data[len(data) // 2] ^= 1
    (dist / "Pay.zip").write_bytes(data)
    assert refused(shop, dist).startswith("It is not the zip of the release: its sha256 is ")


def test_two_zips_that_changed_places_are_not_the_release(shop: Path, dist: Path) -> None:
    (dist / "Pay.zip").rename(dist / "x")
    (dist / "Stock.zip").rename(dist / "Pay.zip")
    (dist / "x").rename(dist / "Stock.zip")
    assert "is not the zip of the release" in refused(shop, dist)


def test_a_link_in_the_place_of_a_zip_is_not_followed(shop: Path, dist: Path, tmp_path: Path) -> None:
    (dist / "Pay.zip").rename(tmp_path / "elsewhere.zip")
    (dist / "Pay.zip").symlink_to(tmp_path / "elsewhere.zip")
    assert refused(shop, dist) == "Not a regular file."


@pytest.mark.parametrize(
    ("edit", "what"),
    [
        (lambda one: one["digests"].update(sha512="0" * 128), "sha512"),
        (lambda one: one["digests"].update(code_sha256=f"{'A' * 43}="), "code sha256"),
        (
            lambda one: one["digests"].update(content_digest=f"sha256:{'0' * 64}"),
            "What lies in the zip is not what the release manifest says.",
        ),
        (lambda one: one.update(size=one["size"] + 1), "size"),
        (lambda one: one.update(entries=one["entries"] + 1), "What lies in the zip is not what the release manifest says."),
        (lambda one: one.update(subject="function:Stock2"), "calls one artifact Pay and function:Stock2"),
        (lambda one: one.update(runtimes=["nodejs22.x"]), "Its runtime is python3.13, and the zip's is nodejs22.x."),
        (lambda one: one.update(architectures=["x86_64"]), "Its architecture is arm64, and the zip's is x86_64."),
        (lambda one: one["sbom"].update(sha256="0" * 64), "It is not the SBOM of the release"),
    ],
)
def test_a_manifest_that_says_something_else_is_refused(shop: Path, dist: Path, edit: Edit, what: str) -> None:
    edited(dist / "shipsafe.json", lambda document: edit(artifact(document, "Pay")))
    assert what in refused(shop, dist)


@pytest.mark.parametrize(
    ("edit", "what"),
    [
        (lambda one: one["components"].remove(component(one, "app.py")), "The zip has app.py, which it does not list."),
        (lambda one: component(one, "app.py").update({"name": "b.py", "bom-ref": "file:b.py"}), "It lists 'b.py', which the zip has not."),
        (lambda one: one["components"].append({"type": "file", "bom-ref": "f", "name": "app.py"}), "It lists 'app.py' 2 times."),
        (lambda one: component(one, "app.py")["hashes"][0].update(content="0" * 64), "app.py has another SHA-256 in the zip."),
        (lambda one: component(one, "app.py")["hashes"].append({"alg": "MD5", "content": "0" * 32}), "app.py has another SHA-256"),
        (lambda one: component(one, "bin/alpha")["properties"].clear(), "has the mode 100755 in the zip, and 100644 in the SBOM."),
        (lambda one: component(one, "gamma").update(version="3.1"), "gamma 3.0 is 3.1 in it by its version."),
        (lambda one: component(one, "gamma").update(name="delta"), "gamma 3.0 is delta in it by its name."),
        (lambda one: component(one, "gamma").update(purl="pkg:pypi/gamma@3.1"), "gamma 3.0 is pkg:pypi/gamma@3.1 in it by its purl."),
        (lambda one: told(component(one, "gamma"), "shipsafe:metadata", "x.dist-info"), "The zip has gamma 3.0 in gamma-3.0.dist-info"),
        (lambda one: told(component(one, "gamma"), "shipsafe:source", "the moon"), "It does not say where 'gamma' came from."),
        (lambda one: one["components"].append(_DELTA), "It lists delta 1, which the zip has not."),
        (lambda one: one["components"].append({"type": "device", "bom-ref": "d", "name": "d"}), "'d', which is neither a file nor a"),
        (lambda one: component(one, "gamma").update(components=[{"type": "library", "bom-ref": "i", "name": "inner"}]),
         "It lists something inside 'gamma'."),
        (lambda one: told(component(one, "gamma.py"), "shipsafe:distribution", component(one, "alpha")["bom-ref"]), "to pkg:pypi/alpha"),
        (lambda one: one["metadata"]["component"].update({"bom-ref": "function:Stock"}), "Its subject is function:Stock"),
        (lambda one: one["metadata"]["component"]["hashes"][0].update(content="0" * 64), "Its SHA-256 is 0000"),
        (lambda one: one["metadata"]["component"].update(version=f"sha256:{'0' * 64}"), "Its version is sha256:0000"),
        (lambda one: told(one["metadata"]["component"], "shipsafe:code-sha256", "AAAA"), "Its CodeSha256 is AAAA"),
        (lambda one: one.update(components="none"), "Not valid CycloneDX 1.6"),
        (lambda one: one.update(specVersion="1.4"), "Not a document of CycloneDX 1.6"),
    ],
)  # fmt: skip
def test_an_sbom_that_does_not_describe_its_zip_is_refused(shop: Path, dist: Path, edit: Edit, what: str) -> None:
    def change(document: Any) -> None:
        edit(document)
        refs = {"function:Stock"} & {document["metadata"]["component"]["bom-ref"]}
        for one in document["dependencies"]:
            if refs and one["ref"] == "function:Pay":
                one["ref"] = "function:Stock"

    sbom(dist, "Pay", change)
    assert what in refused(shop, dist)


@pytest.mark.parametrize("text", [b"", b"{", b'{"a": 1, "a": 2}', b"[" * 100_000, b"\xff", b"null", b"[]"])
def test_what_is_no_sbom_is_refused(shop: Path, dist: Path, text: bytes) -> None:
    (dist / "Pay.cdx.json").write_bytes(text)
    edited(dist / "shipsafe.json", lambda one: artifact(one, "Pay")["sbom"].update(sha256=hashlib.sha256(text).hexdigest()))
    assert refused(shop, dist).startswith(("Not JSON that has one meaning", "Not a document of CycloneDX 1.6"))


def test_a_zip_and_a_manifest_that_were_replaced_without_the_sbom_are_refused(shop: Path, dist: Path) -> None:
    before = (dist / "Pay.cdx.json").read_bytes()
    replaced(dist, "Pay", lambda zipped: zipped.update({"more.py": b"one = 1\n"}))
    (dist / "Pay.cdx.json").write_bytes(before)
    digest = hashlib.sha256(before).hexdigest()
    edited(dist / "shipsafe.json", lambda one: artifact(one, "Pay")["sbom"].update(sha256=digest))
    assert "Its version is sha256:" in refused(shop, dist)


def unanswered(now: Asked) -> dict[str, str]:
    assert now.record.verdict.decision is Decision.INCOMPLETE
    assert now.record.artifacts == ()
    return {f"{one.gate} {one.subject}": one.reason for one in now.record.verdict.unanswered}


def test_what_was_not_brought_along_is_unanswered_and_the_others_are_asked(shop: Path, dist: Path) -> None:
    (dist / "Pay.zip").unlink()
    (dist / "Stock.cdx.json").unlink()
    found = unanswered(asked(shop, dist=dist))
    assert {name.partition(" ")[2] for name in found} == {"function:Pay", "function:Stock"}, found
    assert found["lint function:Pay"].endswith("Pay.zip: The zip is not there. Bring along what was built, whole.")
    assert "The SBOM is not there." in found["sbom function:Stock"]


def test_a_function_without_a_runtime_is_not_taken_for_one_of_another_language(shop: Path, dist: Path) -> None:
    edited(dist / "shipsafe.json", lambda one: artifact(one, "Pay").update(runtimes=[], sbom=None))
    found = unanswered(asked(shop, dist=dist))
    assert (
        found["package function:Pay"] == "The runtime of Pay is not known: the release manifest does not say it. Build the release again."
    )


def test_a_layer_whose_sbom_is_gone_is_unanswered(shop: Path, dist: Path) -> None:
    (dist / "Common.cdx.json").unlink()
    found = unanswered(asked(shop, dist=dist))
    assert set(found) == {"package layer:Common"}
    assert "The SBOM is not there." in found["package layer:Common"]


def test_a_release_without_an_sbom_cannot_be_compared_and_is_asked_all_the_same(shop: Path, dist: Path) -> None:
    replaced(dist, "Pay", lambda zipped: zipped.update({"more.py": b"import subprocess\nsubprocess.run(input(), shell=True)\n"}))
    edited(dist / "shipsafe.json", lambda one: artifact(one, "Pay").update(sbom=None))
    now = asked(shop, dist=dist)
    assert unanswered(now)["sbom function:Pay"].startswith("The release has no SBOM of Pay")
    assert "lint/B602" in {one.rule for one in now.record.verdict.blocking}, "and what is in it is looked at"


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "The zip is empty."),
        (b"no zip", "Not a usable zip: File is not a zip file."),
        (b"PK\x05\x06" + bytes(18), "There is no file in the zip."),
    ],
)
def test_what_is_no_zip_is_unanswered(shop: Path, dist: Path, data: bytes, what: str) -> None:
    (dist / "Node.zip").write_bytes(data)
    edited(dist / "shipsafe.json", lambda one: artifact(one, "Node").update(_of(data)))
    if not data:
        assert "not a release manifest" in refused_to_read(dist)
        return
    assert what in unanswered(asked(shop, dist=dist))["package function:Node"]


def refused_to_read(dist: Path) -> str:
    with pytest.raises(IntegrityError) as caught:
        read_release(dist)
    return caught.value.what


def _of(data: bytes) -> dict[str, Any]:
    short = hashlib.sha256(data)
    digests = {
        "sha256": short.hexdigest(),
        "sha512": hashlib.sha512(data).hexdigest(),
        "code_sha256": base64.b64encode(short.digest()).decode(),
        "content_digest": f"sha256:{'0' * 64}",
    }
    return {"digests": digests, "size": len(data)}


def test_a_zip_that_is_signed_already_is_not_signed_again(shop: Path, dist: Path) -> None:
    replaced(dist, "Node", lambda zipped: zipped.update({"META_INF/aws_signer_signature_v1.0.SF": b"-----BEGIN PKCS7-----"}))
    assert "Already signed" in unanswered(asked(shop, dist=dist))["package function:Node"]


def test_bytes_that_belong_to_no_file_are_refused(shop: Path, dist: Path) -> None:
    data = (dist / "Node.zip").read_bytes() + b"hidden"
    (dist / "Node.zip").write_bytes(data)
    digest = artifact(json.loads((dist / "shipsafe.json").read_text()), "Node")["digests"]["content_digest"]
    edited(dist / "shipsafe.json", lambda one: artifact(one, "Node").update(_of(data)))
    edited(dist / "shipsafe.json", lambda one: artifact(one, "Node")["digests"].update(content_digest=digest))
    assert "6 bytes behind its directory belong to nothing" in unanswered(asked(shop, dist=dist))["package function:Node"]


def test_nothing_is_written_to_the_release(shop: Path, dist: Path) -> None:
    before = {path.name: path.read_bytes() for path in dist.iterdir() if path.is_file()}
    zips = {path.name: content(path) for path in dist.glob("*.zip")}
    asked(shop, dist=dist)
    assert {path.name: path.read_bytes() for path in dist.iterdir() if path.is_file()} == before
    assert len(zips) == 5
    assert all(zipfile.is_zipfile(path) for path in dist.glob("*.zip"))
