"""Terraform plans, written here as https://developer.hashicorp.com/terraform/internals/json-format describes them."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from shipsafe.errors import ConfigError, NothingError
from shipsafe.model.location import Location
from shipsafe.model.project import CodeKind, Function, LayerRef, Project
from shipsafe.readers import read_project
from tests.readers.writing import policy, write

BASIC = {"runtime": "python3.13", "handler": "app.handler", "filename": "src.zip", "package_type": "Zip"}
SENSITIVE = "it is marked as sensitive, and its value is not used"
AFTER = "it is known only after apply"


def resource(address: str, values: Mapping[str, Any], *, index: str | int | None = None, unknown: Mapping[str, Any] | None = None,
             sensitive: Mapping[str, Any] | None = None) -> dict[str, Any]:  # fmt: skip
    """A resource or data source; `unknown` moves into the changes when a plan is made of it."""
    parts = re.sub(r"\[[^]]*\]", "", address).split(".")
    data = parts[-3:-2] == ["data"]
    found = {"address": address, "mode": "data" if data else "managed", "type": parts[-2], "name": parts[-1], "values": dict(values),
             "sensitive_values": dict(sensitive or {}), "unknown": dict(unknown or {})}  # fmt: skip
    return found | ({} if index is None else {"index": index})


def lambda_function(address: str = "aws_lambda_function.f", *, index: str | int | None = None, unknown: Mapping[str, Any] | None = None,
                    sensitive: Mapping[str, Any] | None = None, **values: Any) -> dict[str, Any]:  # fmt: skip
    return resource(address, BASIC | values, index=index, unknown=unknown, sensitive=sensitive)


def layer(address: str = "aws_lambda_layer_version.shared", *, index: str | None = None, **values: Any) -> dict[str, Any]:
    basic = {"filename": "layer.zip", "compatible_runtimes": ["python3.13"]}
    return resource(address, basic | values, index=index, unknown={} if "arn" in values else {"arn": True})


def archive(address: str = "data.archive_file.code", *, output: str = "src.zip", **values: Any) -> dict[str, Any]:
    return resource(address, {"type": "zip", "output_path": output, "source_dir": None, "source_file": None, "excludes": None} | values)


def configured(address: str, **references: Sequence[str]) -> dict[str, Any]:
    """A resource as it is written, by what its arguments refer to."""
    parts = address.split(".")
    data = parts[0] == "data"
    return {"address": address, "mode": "data" if data else "managed", "type": parts[-2], "name": parts[-1],
            "expressions": {name: {"references": list(names)} for name, names in references.items()}}  # fmt: skip


def document(resources: Sequence[Mapping[str, Any]], *, before: Sequence[Mapping[str, Any]] = (), written: Sequence[Mapping[str, Any]] = (),
             modules: Mapping[str, Sequence[Mapping[str, Any]]] | None = None, **more: Any) -> dict[str, Any]:  # fmt: skip
    """A plan with those resources in the root module and in modules by address."""
    listed = [*resources, *(one for inner in (modules or {}).values() for one in inner)]
    changes = [{"address": one["address"], "change": {"actions": ["create"], "after_unknown": one["unknown"]}} for one in listed]
    children = [{"address": address, "resources": list(inner)} for address, inner in (modules or {}).items()]
    return {
        "format_version": "1.2",
        "terraform_version": "1.13.4",
        "planned_values": {"root_module": {"resources": list(resources), "child_modules": children}},
        "resource_changes": changes,
        "prior_state": {"format_version": "1.0", "values": {"root_module": {"resources": list(before)}}},
        "configuration": {"root_module": {"resources": list(written)}},
    } | more


def read(folder: Path, plan: Mapping[str, Any], files: Mapping[str, str] | None = None) -> Project:
    write(folder, {"plan.json": json.dumps(plan), **(files or {})})
    return read_project(folder, policy=policy(), overrides={})


def one(folder: Path, *resources: Mapping[str, Any], **how: Any) -> Function:
    """The only function of a plan."""
    (found,) = read(folder, document(resources, **how)).functions
    return found


def test_a_plan_is_read_from_its_folder_or_by_its_name(tmp_path: Path) -> None:
    project = read(tmp_path, document([lambda_function()]))
    (tmp_path / "plan.json").rename(tmp_path / "any.name")
    again = read_project(tmp_path / "any.name", policy=policy(), overrides={})
    assert (project.root, project.template) == (tmp_path.resolve(), "plan.json")
    assert [found.name for found in project.functions] == [found.name for found in again.functions] == ["f"]
    assert project.functions[0].location == Location(path="plan.json")


def test_everything_that_is_known_is_taken(tmp_path: Path) -> None:
    found = one(tmp_path, lambda_function(architectures=["arm64"], environment=[{"variables": {"STAGE": "dev"}}]))
    assert (found.runtime, found.handler, found.architectures, found.environment) == (
        "python3.13",
        "app.handler",
        ("arm64",),
        {"STAGE": "dev"},
    )
    assert found.unresolved == ()


def test_what_is_known_only_after_apply_is_unresolved_and_never_guessed(tmp_path: Path) -> None:
    """Terraform leaves unknown values out of `planned_values`, so that they look as if nobody had written them."""
    function = resource("aws_lambda_function.f", {"filename": "src.zip"}, unknown={"runtime": True, "handler": True, "architectures": True})
    found = one(tmp_path, function, written=[configured("aws_lambda_function.f", architectures=["var.machine"])])
    assert {(entry.field, entry.reason) for entry in found.unresolved} == {
        (name, AFTER) for name in ("runtime", "handler", "architectures")
    }
    assert (found.runtime, found.handler) == (None, None)
    assert all("--parameter-overrides" not in entry.remedy and entry.remedy for entry in found.unresolved)


def test_an_argument_that_nobody_wrote_is_lambdas_default(tmp_path: Path) -> None:
    """The provider leaves `architectures` open in every plan of a new function."""
    found = one(tmp_path, lambda_function(unknown={"architectures": True}), written=[configured("aws_lambda_function.f")])
    assert (found.architectures, found.unresolved) == (("x86_64",), ())


def test_a_missing_argument_is_not_one_of_after_apply(tmp_path: Path) -> None:
    found = one(tmp_path, lambda_function(runtime=None))
    assert [(entry.field, entry.reason) for entry in found.unresolved] == [("runtime", "runtime is not set")]


def test_sensitive_values_are_never_taken(tmp_path: Path) -> None:
    """`terraform show -json` prints them."""
    secret = lambda_function(handler="hidden.handler", environment=[{"variables": {"TOKEN": "hunter2", "STAGE": "dev"}}],
                             sensitive={"handler": True, "environment": [{"variables": {"TOKEN": True}}]})  # fmt: skip
    found = one(tmp_path, secret)
    assert found.environment == {"TOKEN": None, "STAGE": "dev"}
    assert {(entry.field, entry.reason) for entry in found.unresolved} == {("handler", SENSITIVE), ("environment.TOKEN", SENSITIVE)}
    assert "hunter2" not in repr(found)
    whole = lambda_function(environment=[{"variables": {"TOKEN": "hunter2"}}], sensitive={"environment": [{"variables": True}]})
    assert "hunter2" not in repr(one(tmp_path, whole))


def test_variables_of_the_environment_that_are_not_known_are_named(tmp_path: Path) -> None:
    found = one(
        tmp_path, lambda_function(environment=[{"variables": {"A": "1"}}], unknown={"environment": [{"variables": {"TABLE": True}}]})
    )
    assert found.environment == {"A": "1", "TABLE": None}
    assert [entry.field for entry in found.unresolved] == ["environment.TABLE"]


@pytest.mark.parametrize(
    ("output", "filename"), [("./src.zip", "src.zip"), ("/ROOT/build/x.zip", "build/x.zip"), ("a/../x.zip", "./x.zip")]
)
def test_the_code_of_an_archive_is_the_folder_that_it_is_made_of(tmp_path: Path, output: str, filename: str) -> None:
    (tmp_path / "src").mkdir()
    made = archive(output=output.replace("/ROOT", str(tmp_path.resolve())), source_dir="./src")
    found = one(tmp_path, lambda_function(filename=filename), before=[made])
    assert (found.code.kind, found.code.path, found.skip_build) == (CodeKind.FOLDER, "src", True)


def test_the_code_of_an_archive_of_one_file_is_the_file(tmp_path: Path) -> None:
    write(tmp_path, {"app.py": ""})
    found = one(tmp_path, lambda_function(), before=[archive(source_file="app.py")])
    assert (found.code.kind, found.code.path, found.skip_build) == (CodeKind.FILE, "app.py", True)


def test_a_file_that_no_archive_makes_is_the_zip_itself(tmp_path: Path) -> None:
    found = one(tmp_path, lambda_function(filename="build/lambda.zip"))
    assert (found.code.kind, found.code.path) == (CodeKind.ZIP, "build/lambda.zip")


def test_an_archive_that_is_read_during_apply_is_found_by_reference(tmp_path: Path) -> None:
    """Where it depends on something else, `filename` is not known, and the archive stands in the planned values."""
    (tmp_path / "src").mkdir()
    made = resource("data.archive_file.code", {"source_dir": "src"}, unknown={"output_path": True})
    function = resource("aws_lambda_function.f", {"runtime": "python3.13", "handler": "a.b"}, unknown={"filename": True})
    written = [configured("aws_lambda_function.f", filename=["data.archive_file.code.output_path", "data.archive_file.code"])]
    assert one(tmp_path, function, made, written=written).code.path == "src"


def test_an_archive_whose_folder_is_not_known_is_unresolved(tmp_path: Path) -> None:
    made = resource("data.archive_file.code", {"output_path": "src.zip"}, unknown={"source_dir": True})
    found = one(tmp_path, lambda_function(), made)
    assert found.code.kind is CodeKind.UNKNOWN
    assert found.unresolved[0].reason == "source_dir of data.archive_file.code is known only after apply"


def test_a_file_name_that_leads_nowhere_is_unresolved(tmp_path: Path) -> None:
    function = resource("aws_lambda_function.f", {"runtime": "python3.13", "handler": "a.b"}, unknown={"filename": True})
    found = one(tmp_path, function, written=[configured("aws_lambda_function.f", filename=["local.zip"])])
    assert (found.code.kind, found.unresolved[0].field) == (CodeKind.UNKNOWN, "code")


def test_an_object_that_the_plan_uploads_is_the_folder_it_is_made_of(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    uploaded = resource("aws_s3_object.code", {"key": "f.zip", "source": "src.zip"}, unknown={"bucket": True})
    function = lambda_function(filename=None, s3_key="f.zip", unknown={"s3_bucket": True})
    assert one(tmp_path, function, uploaded, before=[archive(source_dir="src")]).code.path == "src"


def test_an_object_that_somebody_else_uploads_lies_in_the_bucket(tmp_path: Path) -> None:
    found = one(tmp_path, lambda_function(filename=None, s3_bucket="b", s3_key="f.zip", s3_object_version="7"))
    assert (found.code.kind, found.code.uri) == (CodeKind.S3, "s3://b/f.zip?versionId=7")


def test_an_object_in_another_bucket_is_another_one(tmp_path: Path) -> None:
    uploaded = resource("aws_s3_object.code", {"bucket": "mine", "key": "f.zip", "source": "src.zip"})
    assert one(tmp_path, lambda_function(filename=None, s3_bucket="theirs", s3_key="f.zip"), uploaded).code.kind is CodeKind.S3


def test_an_image_is_an_image_even_where_its_address_is_not_known(tmp_path: Path) -> None:
    values: dict[str, Any] = {"package_type": "Image", "filename": None, "handler": None, "runtime": None}
    found = one(tmp_path, lambda_function(**values, unknown={"image_uri": True}))
    assert (found.code.kind, found.code.uri, found.unresolved) == (CodeKind.IMAGE, None, ())


def test_sources_that_the_lambda_module_names_are_taken(tmp_path: Path) -> None:
    """terraform-aws-modules/lambda makes its archive during apply, and says for SAM what it makes it of."""
    (tmp_path / "src").mkdir()
    triggers = {
        "built_output_path": "builds/abc.zip",
        "original_source_code": "src",
        "resource_name": "f",
        "resource_type": "ZIP_LAMBDA_FUNCTION",
    }
    note = resource("null_resource.sam_metadata_aws_lambda_function", {"triggers": triggers})
    assert one(tmp_path, lambda_function(filename="builds/abc.zip"), note).code.path == "src"


def test_for_each_count_and_modules_are_all_there(tmp_path: Path) -> None:
    plan = document(
        [lambda_function('aws_lambda_function.f["eu"]', index="eu"), lambda_function("aws_lambda_function.g[0]", index=0)],
        modules={'module.api["a.b"]': [lambda_function('module.api["a.b"].aws_lambda_function.h')]},
    )
    inner = {"address": "module.api[0].module.deep", "resources": [lambda_function("module.api[0].module.deep.aws_lambda_function.i")]}
    plan["planned_values"]["root_module"]["child_modules"].append({"address": "module.api[0]", "child_modules": [inner]})
    assert [found.name for found in read(tmp_path, plan).functions] == ["f.eu", "g.0", "api.a-b.h", "api.0.deep.i"]


def test_names_that_cannot_be_told_apart_say_more(tmp_path: Path) -> None:
    orders = [lambda_function("aws_lambda_function.orders"), layer("aws_lambda_layer_version.orders")]
    keys = [lambda_function(f'aws_lambda_function.f["{key}"]', index=key) for key in ("a b", "a/b")]
    plan = document([*orders, *keys])
    project = read(tmp_path, plan)
    names = [found.name for found in project.subjects]
    assert names[0] == "aws_lambda_function.orders"
    assert names[3] == "aws_lambda_layer_version.orders"
    assert all(name.startswith("aws_lambda_function.f.a-b-") for name in names[1:3])
    assert len(set(names)) == 4


@pytest.mark.parametrize("key", ["../../evil", "\x00", "é", "x" * 500, "", " "])
def test_every_name_can_be_a_file_name(tmp_path: Path, key: str) -> None:
    found = one(tmp_path, lambda_function(f'aws_lambda_function.f["{key}"]', index=key))
    assert found.name
    assert len(found.name) <= 140
    assert set(found.name) <= set("abcdefghijklmnopqrstuvwxyz0123456789_.-")
    assert ".." not in found.name


def layers_of(folder: Path, values: object, unknown: object, references: Sequence[str], *more: Mapping[str, Any],
              **how: Any) -> tuple[LayerRef, ...]:  # fmt: skip
    """The layers of a function whose `layers` have those values and refer to that."""
    function = lambda_function(layers=values, unknown={"layers": unknown})
    written = [configured("aws_lambda_function.f", layers=references)]
    return one(folder, function, *more, written=written, **how).layers


ARN = "arn:aws:lambda:eu-west-1:111122223333:layer:theirs:4"
SHARED = ["aws_lambda_layer_version.shared.arn", "aws_lambda_layer_version.shared"]


def test_a_layer_that_this_plan_makes_is_found_by_what_the_expression_names(tmp_path: Path) -> None:
    made, theirs = layers_of(
        tmp_path, [None, ARN], [True, False], [*SHARED, "var.region"], layer(), variables={"region": {"value": "eu-west-1"}}
    )
    assert (made.local, theirs.arn, theirs.version) == ("shared", ARN, 4)


def test_a_layer_that_is_there_already_is_the_projects_own_by_its_arn(tmp_path: Path) -> None:
    (ref,) = layers_of(tmp_path, [ARN], {}, SHARED, layer(arn=ARN))
    assert ref.local == "shared"


def test_which_of_two_layers_is_meant_is_not_guessed(tmp_path: Path) -> None:
    references = ["aws_lambda_layer_version.a.arn", "aws_lambda_layer_version.b.arn", "var.beta"]
    found = layers_of(tmp_path, [None], [True], references, layer("aws_lambda_layer_version.a"), layer("aws_lambda_layer_version.b"))
    assert [(ref.local, ref.unresolved) for ref in found] == [(None, "which one it is, is known only after apply")]


def test_a_list_whose_length_is_not_known_is_never_complete(tmp_path: Path) -> None:
    everything = True
    known, more = layers_of(tmp_path, None, everything, SHARED, layer())
    assert known.local == "shared"
    assert more.unresolved == "how many there are is known only after apply"


LAYERED = """\
locals {
  common = [aws_lambda_layer_version.shared.arn] # ours
  theirs = "arn:aws:lambda:${var.region}:111122223333:layer:theirs"
}

resource "aws_lambda_function" "f" {
  layers = LAYERS
}
"""


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (f'[aws_lambda_layer_version.shared.arn, "{ARN}"]', ["shared", ARN]),
        (f'[ # first\n    aws_lambda_layer_version.shared.arn, // ours\n    /* no, */ "{ARN}",\n  ]', ["shared", ARN]),
        ('concat(local.common, ["${local.theirs}:4"], [])', ["shared", ARN]),
        ("[local.theirs]", [ARN.removesuffix(":4")]),
        ("compact([var.extra])", [ARN]),
        ("var.extra", [ARN]),
        ("[]", []),
        ("null", []),
        ("[aws_lambda_layer_version.nowhere.arn]", ["aws_lambda_layer_version.nowhere.arn is not in the plan"]),
        ("var.x ? [] : local.common", ["shared", "how many there are is known only after apply"]),
        ("[for one in local.common : one]", ["shared", "how many there are is known only after apply"]),
        ('["arn:aws:lambda:${var.gone}:1:layer:x:1"]', ['"arn:aws:lambda:${var.gone}:1:layer:x:1" is known only after apply']),
        ("local.circle", ["local.circle is not in the plan"]),
        ("[data.aws_x.y.arn]", ["data.aws_x.y.arn is not in the plan"]),
        ('["arn:aws:lambda:${data.aws_region.here.name}:111122223333:layer:theirs:4"]', [ARN]),
        (
            '["arn:aws:lambda:${data.aws_region.here.gone}:1:layer:x:1"]',
            ['"arn:aws:lambda:${data.aws_region.here.gone}:1:layer:x:1" is known only after apply'],
        ),
    ],
)
def test_a_list_that_is_wholly_unknown_is_read_where_it_is_written(tmp_path: Path, written: str, expected: Sequence[str]) -> None:
    """The provider says so of every list with a layer that is new; layers of other people must not be lost in it."""
    function = lambda_function(unknown={"layers": True})
    values = {"region": {"value": "eu-west-1"}, "extra": {"value": ARN}}
    names = SHARED if "shared" in written or "common" in written else ["var.extra"]
    region = resource("data.aws_region.here", {"name": "eu-west-1"})
    plan = document([function, layer()], before=[region], written=[configured("aws_lambda_function.f", layers=names)], variables=values)
    (found,) = read(tmp_path, plan, {"main.tf": LAYERED.replace("LAYERS", written)}).functions
    assert [ref.local or ref.arn or ref.unresolved for ref in found.layers] == expected


@pytest.mark.parametrize(
    "written", ["[", "[}", '["', "<<EOT", "[" * 300, "[\n" * 300, '["${"]', "/*", "local.a\n}\nlocals {\n  a = local.b\n  b = local.a"]
)
def test_text_that_is_no_list_is_unresolved(tmp_path: Path, written: str) -> None:
    function = lambda_function(unknown={"layers": True})
    plan = document([function], written=[configured("aws_lambda_function.f", layers=["local.x"])])
    (found,) = read(tmp_path, plan, {"main.tf": LAYERED.replace("LAYERS", written)}).functions
    assert found.layers
    assert all(ref.unresolved for ref in found.layers)


def test_a_file_that_has_changed_since_the_plan_was_made_is_not_believed(tmp_path: Path) -> None:
    plan = document([lambda_function(unknown={"layers": True}), layer()], written=[configured("aws_lambda_function.f", layers=SHARED)])
    known, more = read(tmp_path, plan, {"main.tf": LAYERED.replace("LAYERS", f'["{ARN}"]')}).functions[0].layers
    assert known.local == "shared"
    assert more.unresolved == "how many there are is known only after apply"


def test_lists_are_followed_to_where_a_module_is_called(tmp_path: Path) -> None:
    """What the call hands in is written in the file of the caller."""
    call = {"source": "./api", "expressions": {"layers": {"references": SHARED}}, "module": {
        "resources": [configured("aws_lambda_function.f", layers=["var.layers"])], "variables": {"layers": {}}}}  # fmt: skip
    plan = document(
        [layer()],
        modules={"module.api": [lambda_function("module.api.aws_lambda_function.f", unknown={"layers": True})]},
        configuration={"root_module": {"module_calls": {"api": call}}},
    )
    outer = f'module "api" {{\n  source = "./api"\n  layers = [aws_lambda_layer_version.shared.arn, "{ARN}"]\n}}\n'
    (found,) = read(tmp_path, plan, {"main.tf": outer, "api/main.tf": LAYERED.replace("LAYERS", "var.layers")}).functions
    assert [ref.local or ref.arn for ref in found.layers] == ["shared", ARN]


def test_the_layer_of_the_same_key_is_meant(tmp_path: Path) -> None:
    functions = [
        lambda_function(f'aws_lambda_function.f["{key}"]', index=key, layers=[None], unknown={"layers": [True]}) for key in ("a", "b")
    ]
    there = [layer(f'aws_lambda_layer_version.shared["{key}"]', index=key) for key in ("a", "b")]
    written = [configured("aws_lambda_function.f", layers=["aws_lambda_layer_version.shared", "each.key"])]
    project = read(tmp_path, document([*functions, *there], written=written))
    assert [found.layers[0].local for found in project.functions] == ["shared.a", "shared.b"]


def test_the_layer_of_a_key_that_is_written_is_meant(tmp_path: Path) -> None:
    there = [layer(f'aws_lambda_layer_version.shared["{key}"]', index=key) for key in ("a", "b")]
    (ref,) = layers_of(
        tmp_path, [None], [True], ['aws_lambda_layer_version.shared["b"].arn', 'aws_lambda_layer_version.shared["b"]'], *there
    )
    assert ref.local == "shared.b"


def _with_modules(inner: str) -> dict[str, Any]:
    """Calls of a module that makes a layer and of one that uses what it is given."""
    return {"root_module": {"resources": [], "module_calls": {
        "layers": {"source": "./layers", "module": {
            "resources": [configured("aws_lambda_layer_version.shared")],
            "outputs": {"arn": {"expression": {"references": SHARED}}}}},
        "api": {"source": "./api", "expressions": {"layers": {"references": [inner, "module.layers"]}}, "module": {
            "resources": [configured("aws_lambda_function.f", layers=["var.layers"])], "variables": {"layers": {}}}},
    }}}  # fmt: skip


def test_layers_are_followed_through_variables_and_outputs_of_modules(tmp_path: Path) -> None:
    modules = {"module.layers": [layer("module.layers.aws_lambda_layer_version.shared")],
               "module.api": [lambda_function("module.api.aws_lambda_function.f", layers=[None], unknown={"layers": [True]})]}  # fmt: skip
    project = read(tmp_path, document([], modules=modules, configuration=_with_modules("module.layers.arn")))
    assert project.functions[0].layers[0].local == "layers.shared"


@pytest.mark.parametrize("inner", ["module.layers.none", "module.nowhere.arn", "local.layers", "each.value", "data.aws_x.y.arn", "...", ""])
def test_a_name_that_leads_nowhere_is_unresolved(tmp_path: Path, inner: str) -> None:
    modules = {"module.api": [lambda_function("module.api.aws_lambda_function.f", layers=[None], unknown={"layers": [True]})]}
    project = read(tmp_path, document([], modules=modules, configuration=_with_modules(inner)))
    assert project.functions[0].layers[0].unresolved


def test_names_that_lead_in_a_circle_end(tmp_path: Path) -> None:
    circle = _with_modules("module.layers.arn")
    calls = circle["root_module"]["module_calls"]
    calls["layers"]["expressions"] = {"x": {"references": ["module.layers.arn"]}}
    calls["layers"]["module"] = {"outputs": {"arn": {"expression": {"references": ["var.x", "var.x[0]", "var.x[1]", "var.x[2]"]}}}}
    modules = {"module.api": [lambda_function("module.api.aws_lambda_function.f", layers=[None], unknown={"layers": [True]})]}
    assert read(tmp_path, document([], modules=modules, configuration=circle)).functions[0].layers[0].unresolved


TF = """\
# resource "aws_lambda_function" "f" {
resource "aws_lambda_function" "f" {
  function_name = "orders"
  runtime       = "python3.13"
  environment {
    variables = { runtime = 1 }
  }
  layers = [
    "x",
  ]
}

resource "aws_lambda_function" "g" {
  runtime = "python3.12"
}
"""


def test_a_function_points_at_its_lines_where_the_configuration_lies_beside_the_plan(tmp_path: Path) -> None:
    project = read(tmp_path, document([lambda_function(), lambda_function("aws_lambda_function.g")]), {"main.tf": TF})
    first, second = project.functions
    assert first.location == Location(path="main.tf", line=2)
    assert {name: place.line for name, place in first.places.items()} == {"runtime": 4, "environment": 5, "layers": 8}
    assert (second.location.line, second.places["runtime"].line) == (13, 14)


def test_modules_point_at_their_own_files(tmp_path: Path) -> None:
    calls = {"local": {"source": "./modules/a", "module": {}}, "far": {"source": "acme/far/aws", "module": {}}, "gone": {"source": "x/y"}}
    modules = {f"module.{name}": [lambda_function(f"module.{name}.aws_lambda_function.f")] for name in calls}
    listed = json.dumps({"Modules": [{"Key": "", "Dir": "."}, {"Key": "far", "Dir": ".terraform/modules/far"}, {"Key": 5}]})
    files = {"modules/a/main.tf": TF, ".terraform/modules/far/f.tf": TF, ".terraform/modules/modules.json": listed}
    plan = document([], modules=modules, configuration={"root_module": {"module_calls": calls}})
    found = {function.name: str(function.location) for function in read(tmp_path, plan, files).functions}
    assert found == {"local.f": "modules/a/main.tf:2", "far.f": ".terraform/modules/far/f.tf:2", "gone.f": "plan.json"}


@pytest.mark.parametrize("source", ["../../../../../../../../../../etc", "./" + "x" * 5000, "./a\x00b"])
def test_a_module_outside_of_the_repository_is_not_looked_at(tmp_path: Path, source: str) -> None:
    calls = {"out": {"source": source, "module": {}}}
    plan = document([], modules={"module.out": [lambda_function("module.out.aws_lambda_function.f")]},
                    configuration={"root_module": {"module_calls": calls}})  # fmt: skip
    assert read(tmp_path, plan).functions[0].location == Location(path="plan.json")


def test_requirements_beside_the_code_are_installed_and_a_hint_says_that_terraform_would_not(tmp_path: Path) -> None:
    plan = document(
        [lambda_function(), layer()],
        before=[archive(source_dir="src"), archive("data.archive_file.l", output="layer.zip", source_dir="lib")],
    )
    project = read(tmp_path, plan, {"src/requirements.txt": "", "lib/requirements.txt": ""})
    assert project.functions[0].requirements == "src/requirements.txt"
    assert (project.layers[0].requirements, project.layers[0].build_method) == ("lib/requirements.txt", "python3.13")
    (said,) = project.hints
    assert said.startswith("Terraform installs no dependencies for f, shared; shipsafe does.")


def test_dependencies_inside_the_folder_make_it_prebuilt(tmp_path: Path) -> None:
    project = read(tmp_path, document([lambda_function()], before=[archive(source_dir="src")]), {"src/idna-3.10.dist-info/METADATA": ""})
    assert project.functions[0].code.prebuilt


def test_excludes_of_an_archive_are_mentioned(tmp_path: Path) -> None:
    (hint,) = read(tmp_path, document([lambda_function()], before=[archive(source_dir="src", excludes=["tests"])])).hints
    assert hint == "`excludes` of data.archive_file.code is not read; what must not ship belongs into .shipsafeignore beside the code."


@pytest.mark.parametrize(("more", "reason"), [({"errored": True}, "planning ended in an error"), ({"complete": False}, "-target")])
def test_a_plan_that_is_not_whole_is_never_a_pass(tmp_path: Path, more: Mapping[str, Any], reason: str) -> None:
    (gap,) = read(tmp_path, document([lambda_function()], **more)).unresolved
    assert reason in gap.reason


def test_functions_that_are_put_off_are_named(tmp_path: Path) -> None:
    put_off = [{"reason": "instance_count_unknown", "resource_change": {"address": "aws_lambda_function.g[*]"}}]
    (gap,) = read(tmp_path, document([lambda_function()], deferred_changes=put_off)).unresolved
    assert gap.reason == "aws_lambda_function.g[*] was put off: how many there will be is not known yet"


def test_what_may_hold_functions_and_is_not_read_is_never_a_pass(tmp_path: Path) -> None:
    """A stack whose template speaks of no function is none of ours; one whose template is elsewhere may."""
    stacks = [
        resource("aws_cloudformation_stack.mail", {"template_body": "Resources: {T: {Type: AWS::SNS::Topic}}"}),
        resource("aws_cloudformation_stack.inside", {"template_body": "Resources: {F: {Type: AWS::Lambda::Function}}"}),
        resource("aws_cloudformation_stack.remote", {"template_url": "https://example.com/t.json"}),
        resource("awscc_lambda_function.f", {"runtime": "python3.13"}),
    ]
    project = read(tmp_path, document(stacks))
    assert [entry.field for entry in project.unresolved] == [f"aws_cloudformation_stack.{name}" for name in ("inside", "remote")] + [
        "awscc_lambda_function.f"
    ]


def test_a_plan_without_functions_is_nothing(tmp_path: Path) -> None:
    with pytest.raises(NothingError, match="describes no Lambda function and no layer"):
        read(tmp_path, document([]))


def test_a_configuration_without_a_plan_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NothingError, match="terraform show -json tfplan > plan"):
        read_project(write(tmp_path, {"main.tf": TF}), policy=policy(), overrides={})


def test_a_plan_as_powershell_writes_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text(json.dumps(document([lambda_function()])), encoding="utf-16")
    assert read_project(tmp_path, policy=policy(), overrides={}).functions[0].name == "f"


def test_two_plans_and_a_plan_beside_a_template_must_be_chosen_from(tmp_path: Path) -> None:
    write(tmp_path, {"tfplan.json": json.dumps(document([lambda_function()]))})
    with pytest.raises(ConfigError, match=r"2 plans lie side by side: plan\.json, tfplan\.json"):
        read(tmp_path, document([lambda_function()]))
    (tmp_path / "tfplan.json").unlink()
    write(tmp_path, {"template.yaml": "Resources: {}"})
    with pytest.raises(ConfigError, match=r"template\.yaml and plan\.json"):
        read(tmp_path, document([lambda_function()]))


def test_parameters_have_no_place_in_a_plan(tmp_path: Path) -> None:
    write(tmp_path, {"plan.json": json.dumps(document([lambda_function()]))})
    with pytest.raises(ConfigError, match="variables of a plan are fixed"):
        read_project(tmp_path, policy=policy(), overrides={"Stage": "prod"})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format_version": "2.0"}, r"Format 2\.0 of Terraform plans is not known"),
        ({"format_version": 1}, "not a Terraform plan"),
        ({"planned_values": None, "format_version": "1.2"}, "describes no Lambda"),
    ],
)
def test_other_formats_are_refused(tmp_path: Path, change: Mapping[str, Any], message: str) -> None:
    with pytest.raises((ConfigError, NothingError), match=message):
        read(tmp_path, {**document([lambda_function()]), **change})


def test_a_state_and_a_binary_plan_say_what_to_do(tmp_path: Path) -> None:
    state = {"format_version": "1.0", "terraform_version": "1.9.0", "values": {}}
    write(tmp_path, {"plan.json": json.dumps(state)})
    with pytest.raises(ConfigError, match=r"a state, not a plan.*terraform show -json"):
        read_project(tmp_path, policy=policy(), overrides={})
    (tmp_path / "tfplan").write_bytes(b"PK\x03\x04" + b"\0" * 26 + b"tfplan")
    with pytest.raises(ConfigError, match="terraform show -json"):
        read_project(tmp_path / "tfplan", policy=policy(), overrides={})


@pytest.mark.parametrize(
    "odd", [5, "text", None, [], [5], {"a": 5}, [[]], [{}], [{"address": 5}], {"root_module": []}, {"root_module": {"resources": 5}}]
)
@pytest.mark.parametrize("key", ["planned_values", "resource_changes", "prior_state", "configuration", "variables", "deferred_changes"])
def test_an_odd_plan_is_read_as_far_as_it_goes_or_refused(tmp_path: Path, key: str, odd: object) -> None:
    """Never a traceback: the file comes from a pipeline, and may come from an attacker."""
    try:
        project = read(tmp_path, document([lambda_function(unknown={"runtime": True})]) | {key: odd})
    except (ConfigError, NothingError):
        return
    assert all(isinstance(found, Function) for found in project.functions)


@pytest.mark.parametrize("odd", [5, "x", [5], [None], [[]], {"a": 1}, [{"variables": 5}], [{"variables": {"A": 5}}], True, 1e400])
@pytest.mark.parametrize(
    "name", ["runtime", "handler", "layers", "architectures", "environment", "filename", "s3_key", "image_uri", "package_type"]
)
def test_odd_values_of_a_function_are_noted_or_left_out(tmp_path: Path, name: str, odd: Any) -> None:
    found = one(tmp_path, lambda_function(**{name: odd}), written=[configured("aws_lambda_function.f", **{name: ["var.x"]})])
    assert all(isinstance(value, str | None) for value in found.environment.values())
    assert found.runtime is None or isinstance(found.runtime, str)


def test_modules_too_deep_and_json_too_deep_are_refused(tmp_path: Path) -> None:
    module: dict[str, Any] = {"address": "module.x", "resources": [lambda_function()]}
    for _ in range(40):
        module = {"address": "module.x", "child_modules": [module]}
    with pytest.raises(ConfigError, match="modules inside each other"):
        read(tmp_path, document([]) | {"planned_values": {"root_module": module}})
    write(tmp_path, {"plan.json": '{"format_version": "1.2", "terraform_version": "1", "planned_values": ' + "[" * 200_000})
    with pytest.raises(ConfigError, match="too deep"):
        read_project(tmp_path, policy=policy(), overrides={})
