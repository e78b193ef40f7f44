"""A zip that another tool built is asked like any other package, becomes a release only when it passes, and nothing about it is guessed."""

import json
import zipfile
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from shipsafe.adapters.http import fetch
from shipsafe.adapters.timeline import Timeline
from shipsafe.errors import ConfigError
from shipsafe.evidence.envelope import read_bundle, statement_of
from shipsafe.evidence.schema import validate
from shipsafe.flows.bare import bare_release
from shipsafe.flows.bare_said import Bare
from shipsafe.flows.reask import Asked, reask
from shipsafe.flows.zips import Terms
from shipsafe.model.attestation import Predicate
from shipsafe.model.verdict import Decision
from shipsafe.packing.output import Output
from shipsafe.packing.release import Release
from shipsafe.policy import load
from shipsafe.reports.live import silent_progress
from tests.packing import elf
from tests.packing.builds import installed
from tests.packing.staging import write

TODAY = date(2026, 11, 21)
APP = b"def handler(event, context):\n    return 1\n"
POLICY = '[advisories]\nsource = { path = "advisories", date = 2026-11-01 }\nmax-age = "off"\n'
TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Pay:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: app.handler
      CodeUri: build/
      Architectures: [arm64]
      Layers: ["arn:aws:lambda:eu-west-1:999988887777:layer:tools:7"]
  Stock:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.13, Handler: app.handler, CodeUri: build/}
  Boxed:
    Type: AWS::Serverless::Function
    Properties: {PackageType: Image, ImageUri: "111122223333.dkr.ecr.eu-west-1.amazonaws.com/boxed:1"}
"""
ALL: dict[str, Any] = {"runtimes": ("python3.13",), "architectures": ("arm64",), "handler": "app.handler"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    record = {"id": "PYSEC-2026-7", "modified": "2026-01-01T00:00:00Z", "aliases": ["CVE-2026-7"],
              "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
              "affected": [{"package": {"ecosystem": "PyPI", "name": "bad"}, "versions": ["1.0"]}]}  # fmt: skip
    return write(tmp_path / "project", {"shipsafe.toml": POLICY, "advisories/PYSEC-2026-7.json": json.dumps(record)})


def zipped(path: Path, files: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in files.items():
            made.writestr(name, data)
    return path


def terms(root: Path, text: str = "") -> Terms:
    (root / "shipsafe.toml").write_text(text + POLICY)
    policy = load(root, offline=True, cache=root / "none", fetch=fetch, today=TODAY)
    return Terms(policy=policy, today=TODAY, home=root, offline=True, jobs=2, progress=silent_progress(), timeline=Timeline())


def asked(root: Path, *zips: Path, text: str = "", **said: Any) -> tuple[Release | None, Asked]:
    (root / "dist" / ".shipsafe").mkdir(parents=True, exist_ok=True)
    bare = Bare(zips=zips, policy_file=root / "shipsafe.toml", **said)
    return bare_release(bare, Output(root / "dist"), terms(root, text))


def unanswered(found: Asked) -> dict[str, str]:
    assert found.record.verdict.decision is Decision.INCOMPLETE, found.record.verdict
    return {one.gate: one.reason for one in found.record.verdict.unanswered}


def left(root: Path) -> set[str]:
    return {path.name for path in (root / "dist").iterdir() if not path.name.startswith(".")}


def test_a_zip_becomes_a_release_with_the_bytes_that_it_had(root: Path) -> None:
    path = zipped(root / "pay.zip", {"app.py": APP, **installed("lib")})
    release, found = asked(root, path, **ALL)
    assert release is not None
    assert found.record.verdict.decision is Decision.PASS
    assert found.builder == "unattested"
    [artifact] = release.artifacts
    assert (artifact.name, artifact.subject, artifact.prebuilt) == ("pay", "function:pay", True)
    assert artifact.path.read_bytes() == path.read_bytes()
    assert (artifact.told.runtimes, artifact.told.handler, artifact.told.architectures) == (("python3.13",), "app.handler", ("arm64",))
    assert release.policy is not None
    assert release.policy.resolve() == root / "shipsafe.toml"
    assert artifact.sbom is not None
    assert validate(artifact.sbom.read_bytes()) == ()
    assert left(root) == {"pay.zip", "pay.cdx.json", "pay.intoto.jsonl", "shipsafe.json"}
    assert {one.rule for outcome in found.record.outcomes for one in outcome.findings} == {"dependencies/unproven", "sbom/ntia"}


def test_what_is_stated_of_it_names_no_builder_and_no_source(root: Path) -> None:
    """shipsafe has not built it: all that it can say is what is in it, and what the gates said."""
    release, _ = asked(root, zipped(root / "pay.zip", {"app.py": APP, **installed("lib")}), **ALL)
    assert release is not None
    bundle = release.artifacts[0].evidence
    assert bundle is not None
    said = [statement_of(one, shown="b") for one in read_bundle(bundle.read_bytes(), shown="b")]
    assert [one.kind for one in said] == [Predicate.PROVENANCE, Predicate.SBOM, Predicate.GATES]
    details, definition = said[0].predicate["runDetails"], said[0].predicate["buildDefinition"]
    assert details["builder"]["id"] == "urn:shipsafe:builder:unknown"
    assert definition["externalParameters"]["artifact"]["prebuilt"] is True
    source = definition["resolvedDependencies"][0]
    assert (source["uri"], source["annotations"]["dirty"], "digest" in source) == ("file:.", None, False)


def test_what_was_asked_so_is_asked_again_like_any_release(root: Path) -> None:
    release, first = asked(root, zipped(root / "pay.zip", {"app.py": APP, **installed("lib")}), **ALL)
    assert release is not None
    one = terms(root)
    again = reask(release, one.policy, today=TODAY, offline=True, jobs=2, progress=one.progress, timeline=one.timeline)
    identities = [{one.identity for outcome in asked.record.outcomes for one in outcome.findings} for asked in (first, again)]
    assert identities[0] == identities[1] != set()
    assert again.record.verdict.decision is Decision.PASS


def test_who_said_what_is_told(root: Path) -> None:
    _, found = asked(root, zipped(root / "pay.zip", {"app.py": APP}), **ALL)
    assert [(claim.name, claim.value, claim.vouched_by) for claim in found.claims] == [
        ("built-by", "another tool", "nobody"),
        ("runtime", "python3.13", "the command line"),
        ("handler", "app.handler", "the command line"),
        ("architecture", "arm64", "the command line"),
    ]


def test_without_a_runtime_nothing_that_needs_one_is_answered(root: Path) -> None:
    release, found = asked(root, zipped(root / "pay.zip", {"app.py": APP}), architectures=("arm64",), handler="app.handler")
    assert release is None
    reasons = unanswered(found)
    assert reasons.keys() == {"dependencies", "lint", "sbom", "package"}
    assert all("Give --runtime, such as python3.13" in reason for reason in reasons.values())
    assert left(root) == set()


def test_without_a_handler_only_that_is_unanswered(root: Path) -> None:
    _, found = asked(root, zipped(root / "pay.zip", {"app.py": APP}), runtimes=("python3.13",), architectures=("arm64",))
    assert unanswered(found) == {
        "package": "The handler of pay is not known: nothing says it. Give --handler, such as app.handler, or --template and --function."
    }


def test_an_architecture_matters_where_there_is_native_code(root: Path) -> None:
    said: dict[str, Any] = {"runtimes": ("python3.13",), "handler": "app.handler"}
    release, _ = asked(root, zipped(root / "pay.zip", {"app.py": APP}), **said)
    assert release is not None
    native = zipped(root / "pay.zip", {"app.py": APP, "fast.so": elf.elf()})
    _, found = asked(root, native, **said)
    assert unanswered(found)["package"].startswith("The architecture of pay is not known: nothing says it. Give --architecture")
    _, found = asked(root, native, **said, architectures=("arm64",))
    assert {one.rule for one in found.record.verdict.blocking} == {"package/wrong-platform"}


def test_a_template_says_it_all_and_the_layers_too(root: Path) -> None:
    write(root, {"template.yaml": TEMPLATE})
    path = zipped(root / "anything.zip", {"app.py": APP})
    release, found = asked(root, path, template=root / "template.yaml", function="Pay")
    assert release is None
    assert {one.rule for one in found.record.verdict.blocking} == {"layers/untrusted-publisher"}
    release, found = asked(root, path, template=root / "template.yaml", function="Pay", text='accounts = ["999988887777"]\n')
    assert release is not None
    assert [one.name for one in release.artifacts] == ["Pay"]
    assert release.artifacts[0].told.layers[0].arn == "arn:aws:lambda:eu-west-1:999988887777:layer:tools:7"
    assert {claim.vouched_by for claim in found.claims} == {"nobody", "template.yaml"}


def test_the_name_of_the_file_may_say_which_function_it_is(root: Path) -> None:
    write(root, {"template.yaml": TEMPLATE})
    release, _ = asked(root, zipped(root / "Stock.zip", {"app.py": APP}), template=root / "template.yaml")
    assert release is not None
    assert release.artifacts[0].subject == "function:Stock"


def test_layers_are_not_asked_where_nothing_says_which(root: Path) -> None:
    _, found = asked(root, zipped(root / "pay.zip", {"app.py": APP}), **ALL)
    [outcome] = [one for one in found.record.outcomes if one.gate == "layers"]
    assert (str(outcome.state), "--template FILE --function ID" in outcome.reason) == ("not-asked", True)


def test_a_zip_may_be_a_layer(root: Path) -> None:
    path = zipped(root / "common.zip", {"python/common.py": APP, **installed("lib", base="python/")})
    release, found = asked(root, path, layer=True, runtimes=("python3.12", "python3.13"))
    assert release is not None, found.record.verdict
    assert (release.artifacts[0].subject, release.artifacts[0].told.runtimes) == ("layer:common", ("python3.12", "python3.13"))
    _, found = asked(root, path, layer=True)
    assert "--runtime, once for each that it is compatible with" in unanswered(found)["lint"]


def test_several_zips_become_one_release(root: Path) -> None:
    release, _ = asked(root, zipped(root / "one.zip", {"app.py": APP}), zipped(root / "two.zip", {"app.py": APP + b"\n"}), **ALL)
    assert release is not None
    assert [one.name for one in release.artifacts] == ["one", "two"]


def test_other_languages_are_asked_what_applies_to_them(root: Path) -> None:
    path = zipped(root / "node.zip", {"app.js": b"exports.handler = async () => ({})\n"})
    release, _ = asked(root, path, runtimes=("nodejs22.x",), architectures=("arm64",), handler="app.handler")
    assert release is not None
    assert release.artifacts[0].sbom is None


@pytest.mark.parametrize(
    ("files", "rule"),
    [
        ({"app.py": b"import subprocess\n\n\ndef handler(e, c):\n    subprocess.run(e['x'], shell=True)\n"}, "lint/B602"),
        ({"app.py": APP, ".env": b"TOKEN=abc\n"}, "package/secret-file"),
        ({"app.py": APP, ".git/HEAD": b"ref: refs/heads/main\n"}, "package/secret-file"),
        ({"app.py": APP, "__pycache__/app.cpython-313.pyc": b"x"}, "package/compiled-python"),
        ({"app.py": APP, **installed("bad")}, "dependencies/vulnerable"),
        ({"app.py": APP, **installed("lib", changed={"lib.py": b"import os\n"})}, "package/modified-dependency"),
        ({"other.py": APP}, "package/handler-missing"),
    ],
)
def test_what_does_not_pass_leaves_nothing(root: Path, files: dict[str, bytes], rule: str) -> None:
    release, found = asked(root, zipped(root / "pay.zip", files), **ALL)
    assert release is None
    assert {one.rule for one in found.record.verdict.blocking} == {rule}
    assert left(root) == set()
    assert list((root / "dist" / ".shipsafe").glob("**/*.zip")) == []


def test_a_policy_that_refuses_what_others_built_refuses_it(root: Path) -> None:
    path = zipped(root / "pay.zip", {"app.py": APP})
    for word in ("refuse", "prove"):
        _, found = asked(root, path, text=f'prebuilt = "{word}"\n', **ALL)
        assert {one.rule for one in found.record.verdict.blocking} == {"package/prebuilt"}


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "The zip is empty."),
        (b"PK\x05\x06" + bytes(18), "There is no file in the zip."),
        (b"anything", "Not a usable zip: File is not a zip file."),
    ],
)
def test_what_is_no_zip_is_unanswered(root: Path, data: bytes, what: str) -> None:
    (root / "pay.zip").write_bytes(data)
    _, found = asked(root, root / "pay.zip", **ALL)
    assert what in unanswered(found)["package"]


def test_a_signed_zip_and_one_with_hidden_bytes_are_unanswered(root: Path) -> None:
    signed = zipped(root / "pay.zip", {"app.py": APP, "META_INF/aws_signer_signature_v1.0.SF": b"x"})
    assert "Already signed" in unanswered(asked(root, signed, **ALL)[1])["package"]
    hidden = zipped(root / "pay.zip", {"app.py": APP})
    hidden.write_bytes(b"#!/bin/sh\nexit 1\n" + hidden.read_bytes())
    assert "17 bytes before 'app.py' belong to no file" in unanswered(asked(root, hidden, **ALL)[1])["package"]


def test_the_same_zip_again_leaves_the_release_and_its_signatures(root: Path) -> None:
    path = zipped(root / "pay.zip", {"app.py": APP})
    asked(root, path, **ALL)
    manifest = root / "dist" / "shipsafe.json"
    document = json.loads(manifest.read_text())
    manifest.write_text(json.dumps(document, indent=4))
    before = manifest.read_bytes()
    asked(root, path, **ALL)
    assert manifest.read_bytes() == before
    asked(root, zipped(root / "pay.zip", {"app.py": APP + b"\n"}), **ALL)
    assert manifest.read_bytes() != before


def test_a_folder_that_holds_another_release_is_not_written_to(root: Path) -> None:
    one = zipped(root / "one.zip", {"app.py": APP})
    asked(root, one, **ALL)
    with pytest.raises(ConfigError, match="The folder holds another release: one"):
        asked(root, zipped(root / "two.zip", {"app.py": APP}), **ALL)
    with pytest.raises(ConfigError, match="part of the release beside it"):
        asked(root, root / "dist" / "one.zip", **ALL)
    assert left(root) == {"one.zip", "one.cdx.json", "one.intoto.jsonl", "shipsafe.json"}


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ({"zips": ()}, "No zip is named."),
        ({"function": "Pay"}, "--function names a function of a template."),
        ({"template": Path("template.yaml"), "handler": "a.b"}, "The template says what a function runs on."),
        ({"template": Path("template.yaml"), "zips": 2}, "One function of a template has one zip."),
        ({"layer": True, "handler": "a.b"}, "A layer has no handler."),
        ({"runtimes": ("python3.13", "python3.12")}, "A function has one runtime and one architecture."),
        ({"architectures": ("sparc",)}, "'sparc' is not an architecture of Lambda."),
        ({"architectures": ("",)}, "'' is not an architecture of Lambda."),
        ({"runtimes": ("",)}, "'' is not a runtime of Lambda."),  # `--runtime "$RUNTIME"` where nothing sets it
        ({"runtimes": ("Python3.13",)}, "'Python3.13' is not a runtime of Lambda."),
        ({"runtimes": ("python-3.13",)}, "'python-3.13' is not a runtime of Lambda."),
        ({"runtimes": ("python3.13", " nodejs22.x"), "layer": True}, "' nodejs22.x' is not a runtime of Lambda."),
        ({"zips": "no.zip"}, "no.zip is no file."),
        ({"zips": "twice"}, "would be one file"),
        ({"zips": "my app.zip"}, "cannot be the name of a file in the output folder."),
        ({"template": Path("template.yaml"), "function": "Nobody"}, "There is no function and no layer 'Nobody' in it."),
        ({"template": Path("template.yaml")}, "It does not say which function the zip is."),
        ({"template": Path("template.yaml"), "function": "Boxed"}, "Boxed is a container image, which has no zip."),
    ],
)
def test_options_that_make_no_sense_together_are_refused(
    root: Path, monkeypatch: pytest.MonkeyPatch, said: dict[str, Any], what: str
) -> None:  # fmt: skip
    write(root, {"template.yaml": TEMPLATE})
    (root / "again").mkdir()
    monkeypatch.chdir(root)
    named = said.pop("zips", 1)
    zips = [zipped(root / "pay.zip", {"app.py": APP}), zipped(root / "again" / "PAY.zip", {"app.py": APP})]
    zipped(root / "my app.zip", {"app.py": APP})
    chosen = {1: zips[:1], 2: zips, "twice": zips, (): []}.get(named, [Path(str(named))])
    with pytest.raises(ConfigError) as caught:
        asked(root, *chosen, **said)
    assert what in caught.value.what
    assert caught.value.remedy
    assert left(root) == set()
