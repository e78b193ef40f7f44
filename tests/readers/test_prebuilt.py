"""What another tool built in the place of what the project describes: whose it is, what is missing, and what is built here."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from shipsafe.errors import ConfigError, NothingError
from shipsafe.model.policy import FunctionConfig
from shipsafe.model.project import Built, CodeKind, Project
from shipsafe.readers import read_project
from shipsafe.readers.prebuilt import read_prebuilt
from tests.readers.test_cdk import HASH, app, assets, stack, zipped
from tests.readers.writing import function, policy, write

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Parameters: {Stage: {Type: String, Default: dev}}
Resources:
  Common:
    Type: AWS::Serverless::LayerVersion
    Metadata: {BuildMethod: makefile}
    Properties: {ContentUri: layers/common, CompatibleRuntimes: [python3.13]}
  Pay:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: makefile}
    Properties: {CodeUri: src/pay, Handler: app.handler, Runtime: python3.13, Layers: [!Ref Common]}
  Stock:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: src/stock, Handler: app.handler, Runtime: python3.12}
"""
# As `sam build` 1.170 writes it: paths beside the template, and Metadata.SamResourceId.
SAM = """\
Transform: AWS::Serverless-2016-10-31
Parameters:
  Stage:
    Type: String
    Default: dev
Resources:
  Common:
    Type: AWS::Serverless::LayerVersion
    Metadata:
      BuildMethod: makefile
      SamResourceId: Common
    Properties:
      ContentUri: Common
      CompatibleRuntimes:
      - python3.13
  Pay:
    Type: AWS::Serverless::Function
    Metadata:
      BuildMethod: makefile
      SamResourceId: Pay
    Properties:
      CodeUri: Pay
      Handler: app.handler
      Runtime: python3.13
      Layers:
      - Ref: Common
"""
STOCK = """\
  Stock:
    Type: AWS::Serverless::Function
    Metadata:
      SamResourceId: Stock
    Properties:
      CodeUri: Stock
      Handler: app.handler
      Runtime: python3.12
"""
FILES = {
    "template.yaml": TEMPLATE,
    "src/pay/app.py": "",
    "src/stock/app.py": "",
    "layers/common/common.py": "",
    ".aws-sam/build/template.yaml": SAM + STOCK,
    ".aws-sam/build/Pay/app.py": "",
    ".aws-sam/build/Stock/app.py": "",
    ".aws-sam/build/Common/python/common.py": "",
}


def prebuilt(folder: Path, *built: str | Built, functions: tuple[FunctionConfig, ...] = ()) -> Project:
    """The project with what was built there; paths are below the folder."""
    rules = policy(functions=functions)
    named = [Built(path=folder / one) if isinstance(one, str) else Built(path=folder / one.path, name=one.name) for one in built]
    return read_prebuilt(folder, named, policy=rules, overrides={}, read=lambda: read_project(folder, policy=rules, overrides={}))


def codes(project: Project) -> dict[str, tuple[str | None, bool, str | None]]:
    """Name -> path, whether it is prebuilt, and its source."""
    return {one.name: (one.code.path, one.code.prebuilt, one.code.source) for one in project.subjects}


@pytest.mark.parametrize("named", [".aws-sam/build", ".aws-sam"])
def test_a_build_of_sam_takes_the_place_of_all_code(tmp_path: Path, named: str) -> None:
    project = prebuilt(write(tmp_path, FILES), named)
    assert codes(project) == {
        "Pay": (".aws-sam/build/Pay", True, "src/pay"),
        "Stock": (".aws-sam/build/Stock", True, "src/stock"),
        "Common": (".aws-sam/build/Common", True, "layers/common"),
    }
    hint = f"Another tool has built what lies in {named}; it is asked and packed as it lies."
    assert (project.template, project.hints, project.unresolved) == ("template.yaml", (hint,), ())
    assert project.templates == ("template.yaml", ".aws-sam/build/template.yaml")
    assert project.prebuilt == (named,)
    pay = function(project, "Pay")
    assert str(pay.location).startswith("template.yaml:8"), "where people edit it"
    assert str(pay.layers[0].location).startswith("template.yaml:")
    assert project.code_folder(pay) == tmp_path / "src/pay"


def test_a_function_that_the_build_does_not_have_is_not_there(tmp_path: Path) -> None:
    """It is not built here instead: staging says that its build is missing."""
    project = prebuilt(write(tmp_path, {**FILES, ".aws-sam/build/template.yaml": SAM}), ".aws-sam/build")
    assert codes(project)["Stock"] == (".aws-sam/build/Stock", True, None)
    assert [one.name for one in project.functions] == ["Pay", "Stock"]


def test_a_layer_ref_that_differs_is_the_builds(tmp_path: Path) -> None:
    built = SAM.replace("- Ref: Common", "- arn:aws:lambda:eu-west-1:111122223333:layer:other:3") + STOCK
    project = prebuilt(write(tmp_path, {**FILES, ".aws-sam/build/template.yaml": built}), ".aws-sam/build")
    assert [ref.version for ref in function(project, "Pay").layers] == [3]


def test_one_named_build_replaces_one_function_and_the_others_are_said(tmp_path: Path) -> None:
    project = prebuilt(write(tmp_path, FILES), Built(path=Path(".aws-sam/build/Pay"), name="Pay"))
    assert codes(project) == {
        "Pay": (".aws-sam/build/Pay", True, "src/pay"),
        "Stock": ("src/stock", False, None),
        "Common": ("layers/common", False, None),
    }
    assert project.hints[1:] == ("--prebuilt names nothing for these, which are built here: Stock, Common.",)


def test_what_is_named_alone_wins_over_a_build_of_all(tmp_path: Path) -> None:
    project = prebuilt(write(tmp_path, {**FILES, "other/app.py": ""}), ".aws-sam/build", Built(path=Path("other"), name="Pay"))
    assert codes(project)["Pay"] == ("other", True, "src/pay")
    assert codes(project)["Stock"] == (".aws-sam/build/Stock", True, "src/stock")


def test_a_zip_that_the_template_names_is_known_by_its_path(tmp_path: Path) -> None:
    template = TEMPLATE.replace("src/pay", "out/pay.zip")
    project = prebuilt(write(tmp_path, {**FILES, "template.yaml": template, "out/pay.zip": "PK"}), "out/pay.zip")
    assert codes(project)["Pay"] == ("out/pay.zip", True, None)
    assert function(project, "Pay").code.kind is CodeKind.ZIP


def test_a_folder_is_known_by_its_name_or_as_the_only_function(tmp_path: Path) -> None:
    assert codes(prebuilt(write(tmp_path / "a", {**FILES, "out/Pay/app.py": ""}), "out/Pay"))["Pay"] == ("out/Pay", True, "src/pay")
    job = FunctionConfig(name="job", handler="job.run", runtime="python3.13", code="src")
    project = prebuilt(write(tmp_path / "b", {"src/job.py": "", "out/job.py": ""}), "out", functions=(job,))
    assert codes(project) == {"job": ("out", True, "src")}


SERVERLESS = {
    "Resources": {
        "HelloLambdaFunction": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Code": {"S3Bucket": {"Ref": "ServerlessDeploymentBucket"}, "S3Key": "serverless/shop/dev/1700000000000-x/shop.zip"},
                "Handler": "hello.handler",
                "Runtime": "python3.13",
                "Layers": ["arn:aws:lambda:eu-west-1:111122223333:layer:deps:1"],
            },
        },
        "PythonRequirementsLambdaLayer": {
            "Type": "AWS::Lambda::LayerVersion",
            "Properties": {
                "Content": {"S3Bucket": {"Ref": "ServerlessDeploymentBucket"}, "S3Key": "serverless/shop/dev/1700000000000-x/deps.zip"},
                "CompatibleRuntimes": ["python3.13"],
            },
        },
    }
}


def serverless(folder: Path, *zips: str, template: Mapping[str, object] = SERVERLESS) -> Path:
    files = {".serverless/cloudformation-template-update-stack.json": json.dumps(template), "serverless.yml": "service: shop\n"}
    return write(folder, files | {f".serverless/{name}": "PK" for name in zips})


def test_a_build_of_the_serverless_framework_describes_itself(tmp_path: Path) -> None:
    project = prebuilt(serverless(tmp_path, "shop.zip", "deps.zip"), ".serverless")
    assert codes(project) == {
        "HelloLambdaFunction": (".serverless/shop.zip", True, None),
        "PythonRequirementsLambdaLayer": (".serverless/deps.zip", True, None),
    }
    assert project.root == tmp_path
    assert project.template == ".serverless/cloudformation-template-update-stack.json"


def test_one_zip_for_all_is_made_of_the_whole_project(tmp_path: Path) -> None:
    project = prebuilt(serverless(tmp_path, "shop.zip"), ".serverless")
    assert codes(project)["HelloLambdaFunction"] == (".serverless/shop.zip", True, ".")
    assert function(project, "HelloLambdaFunction").handler == "hello.handler"
    assert next(layer.code.kind for layer in project.layers) is CodeKind.S3, "what is not there is not here"


def test_assets_of_cdk_ship_as_they_lie_whatever_list_is_in_them(tmp_path: Path) -> None:
    resources = {"Resources": {"F1234": zipped()}}
    files = {"S.template.json": resources, "S.assets.json": assets(HASH)}
    folder = app(tmp_path, stack("S"), files)
    write(folder, {f"cdk.out/asset.{HASH}/app.py": "", f"cdk.out/asset.{HASH}/requirements.txt": "six==1.17.0\n", "cdk.out/cdk.out": "{}"})
    before = read_project(folder, policy=policy(), overrides={})
    assert before.functions[0].requirements is not None
    assert any("installs no dependencies" in hint for hint in before.hints)
    project = prebuilt(folder, "cdk.out")
    [found] = project.functions
    assert (found.code.path, found.code.prebuilt, found.requirements) == (f"cdk.out/asset.{HASH}", True, None)
    assert not any("installs no dependencies" in hint for hint in project.hints)


def test_assets_of_another_application_are_refused(tmp_path: Path) -> None:
    write(tmp_path, {**FILES, "cdk.out/cdk.out": "{}", "cdk.out/manifest.json": "{}"})
    with pytest.raises(ConfigError, match="another CDK application"):
        prebuilt(tmp_path, "cdk.out")


@pytest.mark.parametrize(
    ("built", "message"),
    [
        (("gone",), "There is nothing staged"),
        (("src/pay/app.py",), "Neither a folder nor a zip"),
        ((".",), "The project itself"),
        (("src",), "Nothing says which function src is"),
        ((Built(path=Path("src"), name="Pya"),), "no function and no layer 'Pya'"),
        ((Built(path=Path("src"), name="Zzz"),), "There are: Pay, Stock, Common"),
        ((".aws-sam/build", ".aws-sam"), "Two of --prebuilt are Common"),
        ((Built(path=Path("src"), name="Pay"), Built(path=Path("layers"), name="Pay")), "Two of --prebuilt are Pay"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, built: tuple[str | Built, ...], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        prebuilt(write(tmp_path, FILES), *built)
    assert message in str(caught.value)


def test_a_folder_that_nobody_describes_is_nothing(tmp_path: Path) -> None:
    with pytest.raises(NothingError, match="Nothing says which function out is"):
        prebuilt(write(tmp_path, {"out/app.py": ""}), "out")


def test_a_template_without_functions_is_nothing(tmp_path: Path) -> None:
    template = {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}}}
    with pytest.raises(NothingError, match="describes no Lambda function"):
        prebuilt(serverless(tmp_path, template=template), ".serverless")


@pytest.mark.parametrize("name", ["serverless.yml", "serverless.ts"])
def test_a_project_of_the_serverless_framework_says_what_to_do(tmp_path: Path, name: str) -> None:
    with pytest.raises(NothingError) as caught:
        read_project(write(tmp_path, {name: "service: shop"}), policy=policy(), overrides={})
    assert "Run `serverless package`, then `shipsafe build --prebuilt .serverless`." in str(caught.value)
