"""A synthesized CDK application: stacks, stages, nested stacks, assets, names, places; what is broken or hostile is said."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from shipsafe.errors import ConfigError, NothingError
from shipsafe.model.location import Location
from shipsafe.model.project import CodeKind, Function, Project
from shipsafe.readers import read_project
from tests.readers.writing import function, policy, write

HASH = "a" * 64
LAYER_HASH = "b" * 64


def zipped(asset: str = HASH, *, path: str | None = None, kind: str = "Function", **properties: Any) -> dict[str, Any]:
    """A function or layer as CDK writes it, whose code is uploaded from the asset of that hash."""
    key = "Code" if kind == "Function" else "Content"
    uploaded = {"S3Bucket": {"Fn::Sub": "cdk-assets-${AWS::AccountId}-${AWS::Region}"}, "S3Key": f"{asset}.zip"}
    basic = {"Runtime": "python3.13", "Handler": "app.handler"} if kind == "Function" else {"CompatibleRuntimes": ["python3.13"]}
    metadata: dict[str, Any] = {"aws:asset:path": f"asset.{asset}", "aws:asset:is-bundled": False, "aws:asset:property": key}
    if path:
        metadata["aws:cdk:path"] = path
    return {"Type": f"AWS::Lambda::{kind}" + ("Version" if kind == "Layer" else ""), "Properties": {key: uploaded, **basic, **properties},
            "Metadata": metadata}  # fmt: skip


def layer(asset: str = LAYER_HASH, *, path: str | None = None) -> dict[str, Any]:
    return zipped(asset, path=path, kind="Layer") | {"Type": "AWS::Lambda::LayerVersion"}


def assets(*hashes: str, **paths: str) -> dict[str, Any]:
    """The list of uploads of a stack."""
    sources = {one: f"asset.{one}" for one in hashes} | paths
    return {"version": "55.0.0", "files": {
        key: {"source": {"path": path, "packaging": "zip"}, "destinations": {"here": {"bucketName": "b", "objectKey": f"{key}.zip"}}}
        for key, path in sources.items()}}  # fmt: skip


def stack(name: str, *, display: str | None = None, region: str = "unknown-region", metadata: Mapping[str, Any] | None = None,
          parameters: Mapping[str, str] | None = None) -> dict[str, Any]:  # fmt: skip
    """The two artifacts of a stack in a manifest."""
    properties: dict[str, Any] = {"templateFile": f"{name}.template.json", "parameters": dict(parameters or {})}
    return {
        f"{name}.assets": {"type": "cdk:asset-manifest", "properties": {"file": f"{name}.assets.json"}},
        name: {"type": "aws:cloudformation:stack", "environment": f"aws://unknown-account/{region}", "properties": properties,
               "dependencies": [f"{name}.assets"], "metadata": dict(metadata or {}), "displayName": display or name},
    }  # fmt: skip


def app(folder: Path, artifacts: Mapping[str, Any], files: Mapping[str, Any], *, output: str = "cdk.out") -> Path:
    """An application's folder with what `cdk synth` left in it; JSON for mappings, text for text."""
    texts = {name: value if isinstance(value, str) else json.dumps(value, indent=1) for name, value in files.items()}
    manifest = json.dumps({"version": "55.0.0", "artifacts": dict(artifacts)})
    return write(folder, {"cdk.json": '{"app": "python app.py"}', f"{output}/manifest.json": manifest,
                          **{f"{output}/{name}": text for name, text in texts.items()}})  # fmt: skip


def one(folder: Path, resources: Mapping[str, Any], *, name: str = "Orders", files: Mapping[str, Any] | None = None, **how: Any) -> Path:
    """An application of one stack with two assets, `app.py` and `common.py`."""
    template = {"Resources": dict(resources)}
    there = {f"asset.{HASH}/app.py": "import common\n", f"asset.{LAYER_HASH}/common.py": "A = 1\n"}
    return app(folder, stack(name, **how), {f"{name}.template.json": template, f"{name}.assets.json": assets(HASH, LAYER_HASH), **there,
                                            **(files or {})})  # fmt: skip


def read(folder: Path, **overrides: str) -> Project:
    return read_project(folder, policy=policy(), overrides=overrides)


def test_an_application_is_read_from_its_folder_its_output_and_its_manifest(tmp_path: Path) -> None:
    """The three name the same project, whose root is the application's folder, so that its files and its policy are found."""
    one(tmp_path, {"CreateOrder18B1": zipped(path="Orders/CreateOrder/Resource")})
    projects = [read(path) for path in (tmp_path, tmp_path / "cdk.out", tmp_path / "cdk.out" / "manifest.json")]
    assert projects[0] == projects[1] == projects[2]
    assert (projects[0].root, projects[0].template) == (tmp_path.resolve(), "cdk.out/manifest.json")
    found = projects[0].functions[0]
    assert (found.name, found.code.kind, found.code.path) == ("CreateOrder", CodeKind.FOLDER, f"cdk.out/asset.{HASH}")
    assert (found.location.path, found.location.line) == ("cdk.out/Orders.template.json", 3)


def test_an_output_of_another_name_is_found_through_cdk_json(tmp_path: Path) -> None:
    one(tmp_path / "made", {"F": zipped()})
    (tmp_path / "made" / "cdk.out").rename(tmp_path / "build.out")
    write(tmp_path, {"cdk.json": '{"output": "build.out"}'})
    assert read(tmp_path).template == "build.out/manifest.json"


def test_an_application_that_was_not_synthesized_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NothingError, match="cdk synth"):
        read(write(tmp_path, {"cdk.json": "{}"}))


def test_a_manifest_of_another_tool_is_none_of_ours(tmp_path: Path) -> None:
    with pytest.raises(NothingError):
        read(write(tmp_path, {"manifest.json": '{"name": "a web page"}'}))


def test_layers_are_found_across_stacks_by_what_is_exported(tmp_path: Path) -> None:
    shared = {"Resources": {"Shared9": layer(path="Base/Shared/Resource")},
              "Outputs": {"Out": {"Value": {"Ref": "Shared9"}, "Export": {"Name": "Base:Shared"}}}}  # fmt: skip
    using = {"Resources": {"F1": zipped(path="Api/Handler/Resource", Layers=[{"Fn::ImportValue": "Base:Shared"}])}}
    app(tmp_path, stack("Base") | stack("Api"),
        {"Base.template.json": shared, "Api.template.json": using, "Base.assets.json": assets(LAYER_HASH), "Api.assets.json": assets(HASH),
         f"asset.{HASH}/app.py": "", f"asset.{LAYER_HASH}/common.py": ""})  # fmt: skip
    project = read(tmp_path)
    assert [subject.name for subject in project.subjects] == ["Api.Handler", "Base.Shared"]
    assert project.functions[0].layers[0].local == "Base.Shared"


def test_stages_and_nested_stacks_are_read_and_named_by_their_constructs(tmp_path: Path) -> None:
    nested = {"Resources": {"Inner7": zipped(path="Prod/Orders/Nest/Inner/Resource")}}
    inside = {
        "Type": "AWS::CloudFormation::Stack",
        "Properties": {"TemplateURL": {"Fn::Sub": f"https://s3.${{AWS::URLSuffix}}/assets/{'c' * 64}.json"}},
        "Metadata": {"aws:asset:path": "Inner.nested.template.json", "aws:asset:property": "TemplateURL"},
    }
    files = {
        "assembly-Prod/manifest.json": {"version": "55.0.0", "artifacts": stack("ProdOrders", display="Prod/Orders")},
        "assembly-Prod/ProdOrders.template.json": {"Resources": {"Nest5": inside, "F1": zipped(path="Prod/Orders/F/Resource")}},
        "assembly-Prod/Inner.nested.template.json": nested,
        "assembly-Prod/ProdOrders.assets.json": assets(**{HASH: f"../asset.{HASH}"}),
        f"asset.{HASH}/app.py": "",
    }
    app(tmp_path, {"assembly-Prod": {"type": "cdk:cloud-assembly", "properties": {"directoryName": "assembly-Prod"}}}, files)
    project = read(tmp_path)
    assert [found.name for found in project.functions] == ["F", "Nest.Inner"]
    assert {found.code.path for found in project.functions} == {f"cdk.out/asset.{HASH}"}
    assert project.functions[1].location.path == "cdk.out/assembly-Prod/Inner.nested.template.json"


def test_constructs_whose_names_cannot_be_told_apart_keep_their_logical_ids(tmp_path: Path) -> None:
    one(tmp_path, {"A1": zipped(path="Orders/a b/Resource"), "A2": zipped(path="Orders/a:b/Resource"), "A3": zipped()})
    assert [found.name for found in read(tmp_path).functions] == ["Orders.A1", "Orders.A2", "A3"]


def test_a_function_points_at_the_line_that_made_it_where_cdk_says_which(tmp_path: Path) -> None:
    trace = ["...new Function2 in aws-cdk-lib...", f"new Orders ({tmp_path.resolve()}/lib/orders.ts:12:5)", "...node internals..."]
    metadata = {"/Orders/F/Resource": [{"type": "aws:cdk:logicalId", "data": "F1"}, {"type": "aws:cdk:creationStack", "data": trace}]}
    one(tmp_path, {"F1": zipped()}, metadata=metadata)
    write(tmp_path, {"lib/orders.ts": ""})
    found = read(tmp_path).functions[0]
    assert (found.name, found.location) == ("F", Location(path="lib/orders.ts", line=12, column=5))


@pytest.mark.parametrize("frame", ["new F (/etc/passwd:1:1)", "x (../../outside.ts:1:1)", "y (/a/node_modules/b.js:3:1)", "z" * 5000])
def test_a_trace_never_points_outside_of_the_project(tmp_path: Path, frame: str) -> None:
    metadata = {"/Orders/F/Resource": [{"type": "aws:cdk:logicalId", "data": "F1"}, {"type": "aws:cdk:creationStack", "data": [frame]}]}
    one(tmp_path, {"F1": zipped()}, metadata=metadata)
    assert read(tmp_path).functions[0].location.path == "cdk.out/Orders.template.json"


def test_code_is_the_folder_that_people_edit_where_it_is_the_same(tmp_path: Path) -> None:
    """Findings then point at files of the repository, and not at a copy that nobody commits."""
    one(tmp_path, {"F": zipped()})
    write(tmp_path, {"src/orders/app.py": "import common\n", "src/other/app.py": "import commun\n"})
    assert read(tmp_path).functions[0].code.path == "src/orders"
    write(tmp_path, {"src/orders/app.py": "import changed\n"})
    assert read(tmp_path).functions[0].code.path == f"cdk.out/asset.{HASH}"


def test_a_folder_with_another_mode_is_not_the_same(tmp_path: Path) -> None:
    one(tmp_path, {"F": zipped()})
    write(tmp_path, {"src/app.py": "import common\n"})
    (tmp_path / "src/app.py").chmod(0o755)
    assert read(tmp_path).functions[0].code.path == f"cdk.out/asset.{HASH}"


def test_a_bundled_asset_was_staged_by_cdk_and_ships_as_it_lies(tmp_path: Path) -> None:
    bundled = zipped()
    bundled["Metadata"]["aws:asset:is-bundled"] = True
    one(tmp_path, {"F": bundled, "G": zipped(LAYER_HASH)}, files={f"asset.{HASH}/requirements.txt": "idna==3.10\n"})
    first, second = read(tmp_path).functions
    assert (first.code.prebuilt, first.skip_build, first.requirements) == (True, True, None)
    assert (second.code.prebuilt, second.skip_build) == (False, True)


def test_dependencies_inside_an_asset_make_it_prebuilt_even_where_cdk_does_not_say_so(tmp_path: Path) -> None:
    one(tmp_path, {"F": zipped()}, files={f"asset.{HASH}/idna-3.10.dist-info/METADATA": "Name: idna\nVersion: 3.10\n"})
    assert read(tmp_path).functions[0].code.prebuilt


def test_a_requirements_file_beside_the_code_is_installed_and_a_hint_says_that_cdk_would_not(tmp_path: Path) -> None:
    one(tmp_path, {"F": zipped(), "L": layer()}, files={f"asset.{HASH}/requirements.txt": "", f"asset.{LAYER_HASH}/requirements.txt": ""})
    project = read(tmp_path)
    assert project.functions[0].requirements == f"cdk.out/asset.{HASH}/requirements.txt"
    assert (project.layers[0].build_method, project.layers[0].requirements) == (
        "python3.13",
        f"cdk.out/asset.{LAYER_HASH}/requirements.txt",
    )
    assert project.hints == (
        "CDK installs no dependencies for F, L; shipsafe does. Deploy its archives: `cdk deploy` alone would ship them without.",
    )


def test_a_lock_above_the_asset_is_the_applications_own(tmp_path: Path) -> None:
    one(tmp_path, {"F": zipped()})
    write(tmp_path, {"requirements.txt": "aws-cdk-lib==2.1.0\n"})
    found = read(tmp_path).functions[0]
    assert (found.requirements, found.skip_build) == (None, True)


def test_an_asset_that_is_not_there_is_named_and_never_guessed(tmp_path: Path) -> None:
    """Staging then says that the code is not there: the function is unanswered, and no other one suffers."""
    one(tmp_path, {"F": zipped("d" * 64)})
    found = read(tmp_path).functions[0]
    assert (found.code.kind, found.code.path) == (CodeKind.FOLDER, f"cdk.out/asset.{'d' * 64}")


def test_what_is_neither_listed_nor_named_lies_in_a_bucket(tmp_path: Path) -> None:
    elsewhere = zipped("e" * 64)
    del elsewhere["Metadata"]
    one(tmp_path, {"F": elsewhere})
    assert read(tmp_path).functions[0].code.kind is CodeKind.S3


def test_an_image_is_an_image(tmp_path: Path) -> None:
    uri = {"Fn::Sub": "${AWS::AccountId}.dkr.ecr.${AWS::Region}.${AWS::URLSuffix}/cdk-assets:abc"}
    one(tmp_path, {"F": {"Type": "AWS::Lambda::Function", "Properties": {"Code": {"ImageUri": uri}, "PackageType": "Image"}}})
    found = read(tmp_path).functions[0]
    assert (found.code.kind, found.runtime) == (CodeKind.IMAGE, None)


def test_what_is_known_only_at_deployment_is_unresolved(tmp_path: Path) -> None:
    one(tmp_path, {"F": zipped(Runtime={"Fn::GetAtt": ["Table", "Runtime"]}, Layers=[{"Fn::ImportValue": "Other:Layer"}])})
    found = read(tmp_path).functions[0]
    assert [entry.field for entry in found.unresolved] == ["runtime"]
    assert found.layers[0].local is None
    assert found.layers[0].unresolved


def test_region_and_parameters_come_from_the_manifest_and_overrides_win(tmp_path: Path) -> None:
    handler = {"Fn::Sub": "${Stage}.${AWS::Region}"}
    template = {"Parameters": {"Stage": {"Type": "String"}}, "Resources": {"F": zipped(Handler=handler)}}
    app(tmp_path, stack("Orders", region="eu-west-1", parameters={"Stage": "dev"}),
        {"Orders.template.json": template, "Orders.assets.json": assets(HASH)})  # fmt: skip
    assert function(read(tmp_path)).handler == "dev.eu-west-1"
    assert function(read(tmp_path, Stage="prod")).handler == "prod.eu-west-1"
    overridden = read_project(tmp_path, policy=policy(), overrides={"Stage": "no", "Orders:Stage": "yes"})
    assert function(overridden).handler == "yes.eu-west-1"
    with pytest.raises(ConfigError, match="Stagee"):
        read(tmp_path, Stagee="prod")


def test_helpers_that_cdk_adds_are_asked_and_named_in_a_hint(tmp_path: Path) -> None:
    path = "Orders/Custom::S3AutoDeleteObjectsCustomResourceProvider/Handler"
    one(tmp_path, {"F": zipped(path="Orders/F/Resource"), "H": zipped(path=path)})
    project = read(tmp_path)
    assert [found.name for found in project.functions] == ["F", "Custom-S3AutoDeleteObjectsCustomResourceProvider.Handler"]
    (said,) = project.hints
    assert said == f"CDK added these itself; a newer aws-cdk-lib is how they change: {project.functions[1].name}."


def test_a_single_template_of_an_assembly_is_refused(tmp_path: Path) -> None:
    one(tmp_path, {"F": zipped()})
    with pytest.raises(ConfigError, match=r"Name the folder cdk\.out instead"):
        read(tmp_path / "cdk.out" / "Orders.template.json")


def test_a_template_beside_an_application_must_be_chosen_from(tmp_path: Path) -> None:
    one(tmp_path, {"F": zipped()})
    write(tmp_path, {"template.yaml": "Resources: {}"})
    with pytest.raises(ConfigError, match=r"cdk\.out/manifest\.json and template\.yaml"):
        read(tmp_path)


@pytest.mark.parametrize("outside", ["../../secret.template.json", "/etc/passwd", "a\x00b", "linked/x.json"])
def test_a_manifest_that_leads_out_of_the_assembly_is_refused(tmp_path: Path, outside: str) -> None:
    one(tmp_path, {"F": zipped()})
    (tmp_path / "cdk.out" / "linked").symlink_to("/")
    artifact = {"type": "aws:cloudformation:stack", "properties": {"templateFile": outside}}
    write(tmp_path, {"cdk.out/manifest.json": json.dumps({"version": "1", "artifacts": {"Orders": artifact}})})
    with pytest.raises(ConfigError, match="leads out of the cloud assembly"):
        read(tmp_path)


def test_assemblies_inside_each_other_end(tmp_path: Path) -> None:
    loop = {"type": "cdk:cloud-assembly", "properties": {"directoryName": "."}}
    app(tmp_path, {"again": loop}, {})
    with pytest.raises(ConfigError, match="nested too deep, or in each other"):
        read(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        '{"artifacts"',
        '{"artifacts": []}',
        '{"artifacts": {}, "version": 5}',
        '{"version": "1", "artifacts": {"S": {"type": "aws:cloudformation:stack"}}}',
        '{"version": "1", "artifacts": ' + "[" * 100_000,
        '{"version": "1", "artifacts": {"S": {"type": "aws:cloudformation:stack", "properties": {"templateFile": "none.json"}}}}',
    ],
)
def test_a_broken_manifest_is_an_error_and_never_a_traceback(tmp_path: Path, text: str) -> None:
    app(tmp_path, {}, {})
    write(tmp_path, {"cdk.out/manifest.json": text})
    with pytest.raises(ConfigError):
        read(tmp_path)


@pytest.mark.parametrize("odd", [[], "text", 5, None, {"files": []}, {"files": {"a": 1}}, {"files": {"a": {"source": {"path": 3}}}}])
def test_an_odd_list_of_uploads_leaves_code_where_the_template_says(tmp_path: Path, odd: object) -> None:
    one(tmp_path, {"F": zipped()})
    write(tmp_path, {"cdk.out/Orders.assets.json": json.dumps(odd)})
    assert read(tmp_path).functions[0].code.path == f"cdk.out/asset.{HASH}"


@pytest.mark.parametrize(
    "odd", [{"/Orders/F": 5}, {"/Orders/F": [5, None]}, {"/Orders/F": [{"type": "aws:cdk:creationStack", "data": "x"}]}]
)
def test_odd_metadata_is_passed_over(tmp_path: Path, odd: Mapping[str, Any]) -> None:
    one(tmp_path, {"F": zipped()}, metadata=odd)
    assert isinstance(read(tmp_path).functions[0], Function)


def test_a_folder_of_the_project_that_may_not_be_read_is_passed_over(tmp_path: Path) -> None:
    one(tmp_path, {"F": zipped()})
    write(tmp_path, {"src/app.py": "import common\n"})
    (tmp_path / "broken").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")
    assert read(tmp_path).functions[0].code.path == "src"
