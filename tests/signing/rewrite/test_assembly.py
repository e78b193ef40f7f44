"""A cloud assembly: CDK deploys the signed objects, uploads no unsigned code, and takes no template that it uploaded before."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from shipsafe.errors import ConfigError
from shipsafe.signing.rewrite.assembly import rewrite_assembly
from tests.readers.writing import write
from tests.signing.rewrite.making import changes, deployable

_EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "orders-cdk" / "cdk.out"
_IDS = {
    "CreateOrder18B1EE4A": "function:CreateOrder",
    "ExportReport42FF8123": "function:ExportReport",
    "Notify29C25B1B": "function:Notify",
    "SharedDACC02AA": "layer:Shared",
}
_ORDERS = {("Orders.template.json", logical_id): subject for logical_id, subject in _IDS.items()}


def _json(data: bytes) -> Any:
    return json.loads(data)


def _code(data: bytes, logical_id: str) -> Any:
    properties = _json(data)["Resources"][logical_id]["Properties"]
    return properties.get("Code", properties.get("Content"))


def test_the_example_takes_signed_code_and_uploads_nothing_but_its_template() -> None:
    changed, remarks = rewrite_assembly(_EXAMPLE, _ORDERS, [deployable(subject) for subject in _IDS.values()])
    assert set(changed) == {"Orders.template.json", "Orders.assets.json", "manifest.json"}
    assert remarks == []
    digest = hashlib.sha256(changed["Orders.template.json"]).hexdigest()
    ((identity, entry),) = _json(changed["Orders.assets.json"])["files"].items()
    assert identity == digest
    assert [place["objectKey"] for place in entry["destinations"].values()] == [f"{digest}.json"]
    url = _json(changed["manifest.json"])["artifacts"]["Orders"]["properties"]["stackTemplateAssetObjectUrl"]
    assert url.endswith(f"/{digest}.json")
    for logical_id, subject in _IDS.items():
        name = subject.partition(":")[2]
        expected = {"S3Bucket": "signed", "S3Key": f"shipsafe/{name}.zip", "S3ObjectVersion": "v1"}
        assert _code(changed["Orders.template.json"], logical_id) == expected


def test_the_manifest_changes_in_one_line() -> None:
    changed, _ = rewrite_assembly(_EXAMPLE, _ORDERS, [deployable(subject) for subject in _IDS.values()])
    before = (_EXAMPLE / "manifest.json").read_text(encoding="utf-8")
    assert len(changes(before, changed["manifest.json"].decode()).splitlines()) == 2


def test_code_that_somebody_still_uses_is_still_uploaded() -> None:
    """Only one of the functions was signed; its asset goes, the others stay."""
    changed, remarks = rewrite_assembly(_EXAMPLE, _ORDERS, [deployable("function:Notify")])
    assert [entry["displayName"] for entry in _json(changed["Orders.assets.json"])["files"].values()] == [
        "Shared/Code",
        "CreateOrder/Code",
        "ExportReport/Code",
        "Orders Template",
    ]
    assert "CreateOrder18B1EE4A" in remarks[0]


def test_an_asset_that_two_functions_share_stays_until_both_are_signed(tmp_path: Path) -> None:
    folder = _assembly(tmp_path)
    changed, _ = rewrite_assembly(folder, _SUBJECTS, [deployable("function:Own")])
    assert "code" in _json(changed["S.assets.json"])["files"]
    changed, _ = rewrite_assembly(folder, _SUBJECTS, [deployable("function:Own"), deployable("function:N.F")])
    assert "code" not in _json(changed["S.assets.json"])["files"]


def _entry(path: str, key: str, packaging: str) -> dict[str, Any]:
    return {"source": {"path": path, "packaging": packaging}, "destinations": {"here": {"bucketName": "b", "objectKey": key}}}


_SUBJECTS = {("S.template.json", "Own"): "function:Own", ("N.nested.template.json", "F"): "function:N.F"}


def _assembly(folder: Path, *, environment: str = "aws://unknown-account/eu-west-1", nested: Mapping[str, Any] | None = None) -> Path:
    """One stack with a function and a nested stack, whose functions share their code."""

    def function() -> dict[str, Any]:
        return {
            "Type": "AWS::Lambda::Function",
            "Properties": {"Code": {"S3Bucket": {"Fn::Sub": "b"}, "S3Key": "code.zip"}},
            "Metadata": {"aws:asset:path": "asset.code", "aws:asset:property": "Code", "aws:cdk:path": "S/F"},
        }

    url = {"Fn::Join": ["", ["https://s3.", {"Ref": "AWS::URLSuffix"}, "/", {"Fn::Sub": "b"}, "/p/old.json"]]}
    stack = {
        "Type": "AWS::CloudFormation::Stack",
        "Properties": {"TemplateURL": url},
        "Metadata": {"aws:asset:path": "N.nested.template.json", "aws:asset:property": "TemplateURL"},
    }
    files = {
        "code": _entry("asset.code", "code.zip", "zip"),
        "old": _entry("N.nested.template.json", "p/old.json", "file"),
        "top": _entry("S.template.json", "p/top.json", "file"),
    }
    artifacts = {
        "S.assets": {"type": "cdk:asset-manifest", "properties": {"file": "S.assets.json"}},
        "S": {
            "type": "aws:cloudformation:stack",
            "environment": environment,
            "properties": {"templateFile": "S.template.json", "stackTemplateAssetObjectUrl": "s3://b/p/top.json"},
            "dependencies": ["S.assets"],
        },
    }
    documents = {
        "manifest.json": {"version": "55.0.0", "artifacts": artifacts},
        "S.assets.json": {"version": "55.0.0", "files": files},
        "S.template.json": {"Resources": {"Own": function(), "Stack": stack}},
        "N.nested.template.json": nested or {"Resources": {"F": function()}},
    }
    return write(folder.resolve(), {name: json.dumps(document, indent=1) for name, document in documents.items()})


def test_a_nested_template_has_a_new_key_and_its_parent_points_at_it(tmp_path: Path) -> None:
    changed, _ = rewrite_assembly(_assembly(tmp_path), _SUBJECTS, [deployable("function:N.F")])
    nested, top = (hashlib.sha256(changed[name]).hexdigest() for name in ("N.nested.template.json", "S.template.json"))
    assert set(_json(changed["S.assets.json"])["files"]) == {"code", nested, top}
    stack = _json(changed["S.template.json"])["Resources"]["Stack"]
    assert stack["Properties"]["TemplateURL"]["Fn::Join"][1][-1] == f"/p/{nested}.json"
    assert stack["Metadata"]["aws:asset:path"] == "N.nested.template.json"
    properties = _json(changed["manifest.json"])["artifacts"]["S"]["properties"]
    assert properties["stackTemplateAssetObjectUrl"] == f"s3://b/p/{top}.json"


def test_a_nested_template_that_two_stacks_use_has_its_new_key_in_both(tmp_path: Path) -> None:
    folder = _assembly(tmp_path)
    path = folder / "S.template.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    document["Resources"]["Again"] = document["Resources"]["Stack"]
    path.write_text(json.dumps(document), encoding="utf-8")
    changed, _ = rewrite_assembly(folder, _SUBJECTS, [deployable("function:N.F")])
    resources = _json(changed["S.template.json"])["Resources"]
    assert resources["Again"] == resources["Stack"]
    assert "old.json" not in changed["S.template.json"].decode()


def test_a_stack_takes_what_was_signed_for_its_region(tmp_path: Path) -> None:
    both = [deployable("function:Own", region=region, target=region, bucket=region) for region in ("eu-west-1", "us-east-1")]
    changed, _ = rewrite_assembly(_assembly(tmp_path), _SUBJECTS, both)
    assert _code(changed["S.template.json"], "Own")["S3Bucket"] == "eu-west-1"


def test_a_stack_of_a_region_for_which_nothing_was_signed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="What was signed lies in us-east-1, and stack S goes to eu-west-1"):
        rewrite_assembly(_assembly(tmp_path), _SUBJECTS, [deployable("function:Own", region="us-east-1")])


def test_a_stack_without_a_region_takes_one_target_alone(tmp_path: Path) -> None:
    both = [deployable("function:Own", region=region, target=region) for region in ("eu-west-1", "us-east-1")]
    with pytest.raises(ConfigError, match="one target"):
        rewrite_assembly(_assembly(tmp_path, environment="aws://unknown-account/unknown-region"), _SUBJECTS, both)


def test_an_assembly_of_which_nothing_was_signed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Nothing that was signed"):
        rewrite_assembly(_assembly(tmp_path), _SUBJECTS, [deployable("function:Else")])


@pytest.mark.parametrize(
    ("name", "old", "new", "what"),
    [
        ("manifest.json", "S.template.json", "../../etc/passwd", "leads out"),
        ("manifest.json", "S.assets.json", "/etc/passwd", "leads out"),
        ("S.template.json", "N.nested.template.json", "../x.json", "leads out"),
        ("S.template.json", "N.nested.template.json", "a\\u0000b", "leads out"),
        ("S.template.json", "N.nested.template.json", "x" * 5000, "Cannot be read: File name too long"),
        ("S.template.json", "N.nested.template.json", "S.template.json", "contains itself"),
        ("manifest.json", '"artifacts": {', '"artifacts": [{', "Not JSON"),
    ],
)
def test_a_hostile_assembly_is_refused(tmp_path: Path, name: str, old: str, new: str, what: str) -> None:
    folder = _assembly(tmp_path)
    path = folder / name
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(ConfigError, match=what):
        rewrite_assembly(folder, _SUBJECTS, [deployable("function:Own")])


def test_an_assembly_that_holds_itself_is_refused(tmp_path: Path) -> None:
    stage = {"type": "cdk:cloud-assembly", "properties": {"directoryName": "."}}
    folder = write(tmp_path.resolve(), {"manifest.json": json.dumps({"version": "1", "artifacts": {"Prod": stage}})})
    with pytest.raises(ConfigError, match="nested too deep"):
        rewrite_assembly(folder, _SUBJECTS, [deployable("function:Own")])
