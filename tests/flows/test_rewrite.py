"""From `--rewrite` to files: what our own readers read of the result is what was signed, and nothing is written before all is known."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from shipsafe.errors import ConfigError, IncompleteError
from shipsafe.flows.rewrite import Rewritten, read_words, rewrite
from shipsafe.model.project import CodeKind, Project
from shipsafe.readers import read_project
from tests.readers.writing import policy, write
from tests.signing.rewrite.making import CONFIG, changes, deployable

_EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
_TEMPLATE = (
    "Parameters:\n  Stage: {Type: String, Default: dev}\n"
    "Conditions:\n  IsProd: !Equals [!Ref Stage, prod]\n"
    "Resources:\n"
    "  F:\n    Type: AWS::Serverless::Function\n    Properties: {CodeUri: src, Runtime: python3.13, Handler: a.b}\n"
    "  Prod:\n    Type: AWS::Serverless::Function\n    Condition: IsProd\n"
    "    Properties: {CodeUri: src, Runtime: python3.13, Handler: a.b}\n"
    "  Child:\n    Type: AWS::Serverless::Application\n    Properties: {Location: services/child.yaml}\n"
)
_CHILD = "Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties: {CodeUri: src, Runtime: python3.13, Handler: a.b}\n"


def _project(folder: Path) -> Path:
    write(folder, {"template.yaml": _TEMPLATE, "services/child.yaml": _CHILD})
    return folder / "template.yaml"


def _read(path: Path, overrides: Mapping[str, str] | None = None) -> Project:
    return read_project(path, policy=policy(), overrides=overrides or {})


def _rewrite(words: list[str], *subjects: str, overrides: Mapping[str, str] | None = None, config: str | None = None) -> Rewritten:
    return rewrite(words, [deployable(one, config=config) for one in subjects], policy=policy(), overrides=overrides)


def _is_signed(path: Path, *subjects: str, overrides: Mapping[str, str] | None = None) -> bool:
    """Whether those, and no others, take the very object that was signed for them."""
    found = {one.subject: (one.code.kind, one.code.uri) for one in _read(path, overrides).subjects if one.code.kind is not CodeKind.FOLDER}
    return found == {one: (CodeKind.S3, f"s3://signed/shipsafe/{one.partition(':')[2]}.zip?versionId=v1") for one in subjects}


def test_the_example_has_new_code_and_otherwise_stays_as_it_is(tmp_path: Path) -> None:
    source, out = _EXAMPLES / "orders" / "template.yaml", tmp_path / "out.yaml"
    subjects = [one.subject for one in _read(source).subjects]
    made = _rewrite([f"{source}={out}"], *subjects)
    assert not out.exists()
    made.write()
    assert made.paths == (out,)
    assert _is_signed(out, *subjects)
    lines = changes(source.read_text(encoding="utf-8"), out.read_text(encoding="utf-8")).splitlines()
    assert [line for line in lines if line.startswith("-")] == [
        "-      ContentUri: layers/shared/",
        "-      CodeUri: src/create_order/",
        "-      CodeUri: src/export_report/",
        "-      CodeUri: src/notify/",
    ]
    assert len(lines) == 4 + 4 * 4


def test_the_assembly_of_the_example_is_copied_with_new_code(tmp_path: Path) -> None:
    source = tmp_path / "cdk.out"
    shutil.copytree(_EXAMPLES / "orders-cdk" / "cdk.out", source)
    (source / "synth.lock").write_text("1", encoding="utf-8")
    before = {path: path.read_bytes() for path in source.rglob("*") if path.is_file()}
    subjects = [one.subject for one in _read(source).subjects]
    _rewrite([str(source)], *subjects).write()
    made = _rewrite([str(source)], *subjects)  # the copy is there already
    made.write()
    assert made.paths == (tmp_path / "cdk.out.signed",)
    assert _is_signed(made.paths[0], *subjects)
    assert {path: path.read_bytes() for path in source.rglob("*") if path.is_file()} == before
    copied = {path.relative_to(made.paths[0]) for path in made.paths[0].rglob("*") if path.is_file()}
    assert copied == {path.relative_to(source) for path in before if path.name != "synth.lock"}
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_nested_stacks_are_written_beside_the_result_and_read_from_there(tmp_path: Path) -> None:
    source, out = _project(tmp_path), tmp_path / "build" / "out.yaml"
    made = _rewrite([f"{source}={out}"], "function:F", "function:Child.F")
    made.write()
    assert set(made.paths) == {out, out.with_name("out.Child.yaml")}
    assert _is_signed(out, "function:F", "function:Child.F")


def test_a_result_in_another_folder_still_finds_unsigned_code(tmp_path: Path) -> None:
    source, out = _project(tmp_path), tmp_path / "build" / "out.yaml"
    (tmp_path / "src").mkdir()
    made = _rewrite([f"{source}={out}"], "function:Child.F")
    made.write()
    assert _is_signed(out, "function:Child.F")
    assert "CodeUri: ../src" in out.read_text(encoding="utf-8")
    assert any(remark.startswith("Not signed, and left as it was: F (template.yaml:6), Prod") for remark in made.remarks)


def test_a_name_that_is_too_long_for_a_disk_is_no_path(tmp_path: Path) -> None:
    write(tmp_path, {"template.yaml": f"{_CHILD}  Api:\n    Type: AWS::Serverless::Api\n    Properties: {{DefinitionUri: {'x' * 5000}}}\n"})
    made = _rewrite([f"{tmp_path / 'template.yaml'}={tmp_path / 'build' / 'out.yaml'}"], "function:F")
    assert b"x" * 5000 in made.files[tmp_path / "build" / "out.yaml"]


def test_what_stays_in_a_nested_stack_is_said(tmp_path: Path) -> None:
    source = _project(tmp_path)
    made = _rewrite([f"{source}={tmp_path / 'out.yaml'}"], "function:F")
    assert "Not signed, in a nested stack that stays as it is: Child.F (services/child.yaml:2)." in made.remarks


def test_a_condition_decides_as_at_the_build(tmp_path: Path) -> None:
    source, out = _project(tmp_path), tmp_path / "out.yaml"
    prod = {"Stage": "prod"}
    _rewrite([f"{source}={out}"], "function:Prod", "function:F", overrides=prod).write()
    assert _is_signed(out, "function:F", "function:Prod", overrides=prod)
    with pytest.raises(ConfigError, match="function:Prod was signed, and no --rewrite describes it"):
        _rewrite([f"{source}={out}"], "function:Prod", "function:F")


def test_layers_of_others_are_named_where_a_code_signing_configuration_will_ask_for_them(tmp_path: Path) -> None:
    source = _EXAMPLES / "orders" / "template.yaml"
    made = _rewrite([f"{source}={tmp_path / 'out.yaml'}"], "function:CreateOrder", "layer:Shared", config=CONFIG)
    (said,) = [remark for remark in made.remarks if "layers that were not signed" in remark]
    assert said.startswith('CreateOrder has layers that were not signed here: !Sub "arn:aws:lambda:')
    assert "Shared" not in said


def test_macros_are_said(tmp_path: Path) -> None:
    write(tmp_path, {"template.yaml": f"Transform: Mine\n{_CHILD}"})
    made = _rewrite([f"{tmp_path / 'template.yaml'}={tmp_path / 'out.yaml'}"], "function:F")
    assert made.remarks == ("Transform (template.yaml:1): Mine may add or change functions; functions that come of it are not rewritten.",)


def test_variables_and_settings_are_written_together_with_the_template(tmp_path: Path) -> None:
    source, out = _project(tmp_path), tmp_path / "build" / "out.yaml"
    variables = tmp_path / "shipsafe.auto.tfvars.json"
    made = rewrite([f"{source}={out}"], [deployable()], policy=policy(), tfvars=variables, samconfig=tmp_path)
    made.write()
    assert made.paths == (out, variables, tmp_path / "samconfig.toml")
    assert 'template_file = "build/out.yaml"' in (tmp_path / "samconfig.toml").read_text(encoding="utf-8")
    again = rewrite([f"{source}={out}"], [deployable()], policy=policy(), tfvars=variables, samconfig=tmp_path / "samconfig.toml")
    assert dict(again.files) == dict(made.files)


def test_environments_of_settings_that_do_not_take_the_template_are_said(tmp_path: Path) -> None:
    """`sam deploy --config-env prod` would deploy the unsigned code, and look like the same command."""
    source, settings = _project(tmp_path), tmp_path / "samconfig.toml"
    settings.write_text('version = 0.1\n[prod.deploy.parameters]\nstack_name = "orders"\n[test.build.parameters]\ncached = true\n')
    made = rewrite([f"{source}={tmp_path / 'out.yaml'}"], [deployable()], policy=policy(), samconfig=settings)
    (said,) = [remark for remark in made.remarks if "--config-env" in remark]
    assert said == f"{settings} takes out.yaml for [default] alone: `sam deploy --config-env` with prod deploys what it did."


def test_variables_need_no_template(tmp_path: Path) -> None:
    made = rewrite([], [deployable("function:anything")], policy=policy(), tfvars=tmp_path / "x.tfvars.json")
    assert made.paths == (tmp_path / "x.tfvars.json",)


def test_settings_need_one_template(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="one rewritten template"):
        rewrite([], [deployable()], policy=policy(), samconfig=tmp_path)
    _project(tmp_path)
    with pytest.raises(ConfigError, match="Only settings in TOML"):
        rewrite(
            [f"{tmp_path / 'template.yaml'}={tmp_path / 'o.yaml'}"], [deployable()], policy=policy(), samconfig=tmp_path / "samconfig.yaml"
        )


@pytest.mark.parametrize(
    ("word", "what"),
    [
        ("", "does not name a file"),
        ("=out.yaml", "does not name a file"),
        ("{folder}/template.yaml=", "does not name a file"),
        ("{folder}/nowhere.yaml=out.yaml", "no such file"),
        ("{folder}/template.yaml", "where the result goes"),
        ("{folder}/template.yaml={folder}/services/../template.yaml", "on its source"),
        ("{folder}/template.yaml={folder}/services", "this is a folder"),
        ("{folder}/template.yaml={folder}/app.py", "cannot have this name"),
        ("{folder}/template.yaml={folder}/out.json", "cannot have this name"),
        ("{folder}/services=out", "takes a template"),
        ("{folder}/cdk.out={folder}/cdk.out", "on its source"),
        ("{folder}/cdk.out={folder}/cdk.out/signed", "cannot lie in it"),
        ("{folder}/cdk.out={folder}", "cannot lie in it"),
    ],
)
def test_a_word_that_cannot_be_meant_is_refused(tmp_path: Path, word: str, what: str) -> None:
    _project(tmp_path)
    write(tmp_path, {"cdk.out/manifest.json": '{"version": "1", "artifacts": {}}'})
    with pytest.raises(ConfigError, match=what):
        read_words([word.format(folder=tmp_path)])


def test_two_results_in_one_place_are_refused(tmp_path: Path) -> None:
    source, out = _project(tmp_path), tmp_path / "out.yaml"
    with pytest.raises(ConfigError, match="Two results"):
        read_words([f"{source}={out}", f"{source}={tmp_path / 'services' / '..' / 'out.yaml'}"])
    with pytest.raises(ConfigError, match="Two results"):
        _rewrite([f"{source}={out}", f"{source}={tmp_path / 'out.Child.yaml'}"], "function:F", "function:Child.F")


def test_a_plan_of_terraform_is_no_template(tmp_path: Path) -> None:
    plan = _EXAMPLES / "orders-terraform" / "plan.json"
    with pytest.raises(ConfigError, match="takes a SAM or CloudFormation template"):
        _rewrite([f"{plan}={tmp_path / 'out.json'}"], "function:create_order")


def test_what_was_signed_for_several_targets_fits_no_template(tmp_path: Path) -> None:
    source = _project(tmp_path)
    with pytest.raises(ConfigError, match="This was signed for other, prod, and"):
        rewrite([f"{source}={tmp_path / 'out.yaml'}"], [deployable(), deployable(target="other")], policy=policy())


def test_a_template_of_which_nothing_was_signed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Nothing that was signed"):
        _rewrite([f"{_project(tmp_path)}={tmp_path / 'out.yaml'}"], "function:Else")


def test_a_copy_replaces_nothing_but_an_assembly(tmp_path: Path) -> None:
    source = tmp_path / "cdk.out"
    shutil.copytree(_EXAMPLES / "orders-cdk" / "cdk.out", source)
    write(tmp_path, {"notes/mine.txt": "x"})
    (tmp_path / "link").symlink_to(source)
    for out in ("notes", "notes/mine.txt", "link2"):
        if out == "link2":
            (tmp_path / out).symlink_to(tmp_path / "nowhere")
        with pytest.raises(ConfigError, match="no cloud assembly"):
            _rewrite([f"{source}={tmp_path / out}"], "function:Notify")
    (tmp_path / "empty").mkdir()
    _rewrite([f"{source}={tmp_path / 'empty'}"], "function:Notify").write()
    assert (tmp_path / "empty" / "manifest.json").is_file()


def test_a_disk_that_refuses_is_said(tmp_path: Path) -> None:
    made = _rewrite([f"{_project(tmp_path)}={tmp_path / 'file' / 'out.yaml'}"], "function:F")
    (tmp_path / "file").write_text("", encoding="utf-8")  # where a folder is needed
    with pytest.raises(IncompleteError):
        made.write()


def test_a_file_that_cannot_be_copied_is_said_and_the_copy_leaves_nothing_behind(tmp_path: Path) -> None:
    source = tmp_path / "cdk.out"
    shutil.copytree(_EXAMPLES / "orders-cdk" / "cdk.out", source)
    os.mkfifo(source / "pipe")  # which nobody can copy
    made = _rewrite([str(source)], "function:Notify")
    with pytest.raises(IncompleteError):
        made.write()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cdk.out"]


def test_a_link_in_the_checkout_does_not_lead_the_result_elsewhere(tmp_path: Path) -> None:
    source, out, theirs = _project(tmp_path / "p"), tmp_path / "p" / "out.yaml", tmp_path / ".profile"
    theirs.write_text("precious")
    out.symlink_to(theirs)
    with pytest.raises(ConfigError, match="The result is a link"):
        _rewrite([f"{source}={out}"], "function:F")
    assert theirs.read_text() == "precious"
