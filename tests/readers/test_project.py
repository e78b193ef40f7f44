"""PATH: a folder or a template; what is missing, doubled or elsewhere is said, not guessed."""

from pathlib import Path

import pytest

from shipsafe.errors import ConfigError, NothingError
from shipsafe.model.policy import FunctionConfig
from shipsafe.readers import all_readers, read_project
from tests.readers.writing import policy, read, write

ONE = "Resources:\n  F:\n    Type: AWS::Lambda::Function\n    Properties: {Runtime: python3.13, Handler: app.f, Code: src}\n"
CONFIG = FunctionConfig(name="job", handler="job.run", runtime="python3.13", code="job")


def test_the_readers_are_these() -> None:
    """A reader that is lost by accident is missed here."""
    assert [reader.id for reader in all_readers()] == ["cdk", "cloudformation", "folder", "terraform"]


@pytest.mark.parametrize("name", ["template.yaml", "template.yml", "template.json"])
def test_a_folder_is_read_by_the_template_at_its_root(tmp_path: Path, name: str) -> None:
    text = '{"Resources": {"F": {"Type": "AWS::Lambda::Function"}}}' if name.endswith("json") else ONE
    project = read_project(write(tmp_path, {name: text}), policy=policy(), overrides={})
    assert (project.root, project.template, project.templates) == (tmp_path.resolve(), name, (name,))
    assert [function.name for function in project.functions] == ["F"]


def test_a_template_file_of_any_name_may_be_given(tmp_path: Path) -> None:
    write(tmp_path, {"infra/stack.template": ONE, "template.yaml": "broken: ["})
    project = read_project(tmp_path / "infra/stack.template", policy=policy(), overrides={})
    assert (project.root, project.template) == (tmp_path.resolve() / "infra", "stack.template")


def test_a_template_that_is_a_link_belongs_to_the_folder_of_the_link(tmp_path: Path) -> None:
    write(tmp_path, {"elsewhere/real.yaml": ONE, "app/src/app.py": ""})
    (tmp_path / "app/template.yaml").symlink_to("../elsewhere/real.yaml")
    project = read_project(tmp_path / "app/template.yaml", policy=policy(), overrides={})
    assert (project.root, project.template) == (tmp_path.resolve() / "app", "template.yaml")


def test_a_missing_path_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such folder or file"):
        read_project(tmp_path / "nowhere", policy=policy(), overrides={})


def test_a_path_that_cannot_be_looked_up_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Cannot be read"):
        read_project(tmp_path / ("x" * 5000), policy=policy(), overrides={})


def test_two_templates_at_the_root_must_be_chosen_from(tmp_path: Path) -> None:
    write(tmp_path, {"template.yaml": ONE, "template.json": "{}"})
    with pytest.raises(ConfigError, match=r"2 templates lie side by side: template\.yaml, template\.json\. Name one"):
        read_project(tmp_path, policy=policy(), overrides={})


def test_an_empty_folder_is_nothing_and_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NothingError, match=r"\[\[functions\]\]"):
        read_project(tmp_path, policy=policy(), overrides={})


def test_templates_below_are_named_where_none_is_at_the_root(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "b/template.yml": ONE,
            "a/deep/template.json": "{}",
            **dict.fromkeys((f"{name}/template.yaml" for name in (".aws-sam/build", "cdk.out", "dist", "node_modules/x", ".git")), ONE),
            "myvenv/pyvenv.cfg": "",
            "myvenv/lib/template.yaml": ONE,
        },
    )
    with pytest.raises(NothingError) as caught:
        read_project(tmp_path, policy=policy(), overrides={})
    assert caught.value.remedy == "Name one of those below: b/template.yml, a/deep/template.json."


def test_templates_below_are_named_beside_the_one_that_is_read(tmp_path: Path) -> None:
    project = read(tmp_path, ONE, files={"other/template.yaml": ONE})
    assert project.hints == ("Other templates lie below and were not read: other/template.yaml.",)


def test_links_to_folders_are_not_followed_in_search_of_templates(tmp_path: Path) -> None:
    read(tmp_path, ONE)
    (tmp_path / "loop").symlink_to(tmp_path)
    assert read_project(tmp_path, policy=policy(), overrides={}).hints == ()


def test_a_template_and_functions_of_the_policy_are_not_mixed(tmp_path: Path) -> None:
    write(tmp_path, {"template.yaml": ONE})
    with pytest.raises(ConfigError, match="Two places describe functions"):
        read_project(tmp_path, policy=policy(functions=(CONFIG,)), overrides={})
    by_name = read_project(tmp_path / "template.yaml", policy=policy(functions=(CONFIG,)), overrides={})
    assert [function.name for function in by_name.functions] == ["F"]


@pytest.mark.parametrize("folder", [".aws-sam/build", "cdk.out"])
def test_what_other_tools_made_is_never_input(tmp_path: Path, folder: str) -> None:
    write(tmp_path, {f"{folder}/template.yaml": ONE})
    with pytest.raises(ConfigError, match="made by another tool"):
        read_project(tmp_path / folder / "template.yaml", policy=policy(), overrides={})


def test_a_template_without_functions_and_layers_is_nothing(tmp_path: Path) -> None:
    with pytest.raises(NothingError, match=r"template\.yaml describes no Lambda function and no layer"):
        read(tmp_path, "Resources:\n  T:\n    Type: AWS::DynamoDB::Table\n")


def test_a_template_without_resources_is_no_template(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="has no `Resources`"):
        read(tmp_path, "kind: Deployment\n")


@pytest.mark.parametrize("body", ["x", "[a]", "{Properties: {}}", "{Type: {Ref: X}}"])
def test_a_resource_without_a_type_is_refused_with_its_line(tmp_path: Path, body: str) -> None:
    with pytest.raises(ConfigError, match=r"^template\.yaml:2:3: Resource F has no `Type`"):
        read(tmp_path, f"Resources:\n  F: {body}\n")


@pytest.mark.parametrize("name", ["../../evil", "a/b", "a b", "-x", ".", "é", "x" * 256])
def test_a_logical_id_that_cannot_be_a_file_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="not made of letters and digits"):
        read(tmp_path, f"Resources:\n  {name}:\n    Type: AWS::Lambda::Function\n")


def test_names_that_differ_only_in_case_are_refused(tmp_path: Path) -> None:
    text = "Resources:\n  Orders: {Type: AWS::Lambda::Function}\n  orders: {Type: AWS::Lambda::LayerVersion}\n"
    with pytest.raises(ConfigError, match=r"Orders \(template\.yaml:2\) and orders have names"):
        read(tmp_path, text)


def test_equal_inputs_give_an_equal_project(tmp_path: Path) -> None:
    assert read(tmp_path, ONE) == read(tmp_path, ONE)


def test_a_plain_folder_has_the_functions_of_the_policy(tmp_path: Path) -> None:
    write(tmp_path, {"job/job.py": "", "made.zip": ""})
    arn = "arn:aws:lambda:eu-west-1:111122223333:layer:shared:4"
    zipped = FunctionConfig(name="made", handler="a.b", runtime="python3.12", code="made.zip", architecture="arm64", layers=(arn,))
    listed = FunctionConfig(name="job", handler="job.run", runtime="python3.13", code="./job/", requirements="./job/req.txt")
    project = read_project(tmp_path, policy=policy(functions=(listed, zipped)), overrides={})
    assert project.template is None
    job, made = project.functions
    assert (job.code.kind.value, job.code.path, job.requirements, job.handler) == ("folder", "job", "job/req.txt", "job.run")
    assert (made.code.kind.value, made.architectures, made.layers[0].version) == ("zip", ("arm64",), 4)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": "../x"}, "cannot be used"),
        ({"name": ""}, "cannot be used"),
        ({"architecture": "mips"}, "Lambda has x86_64 and arm64"),
        ({"code": "a\x00b"}, "control character"),
    ],
)
def test_a_function_of_the_policy_that_cannot_be_is_refused(tmp_path: Path, change: dict[str, str], says: str) -> None:
    values = {"name": "job", "code": ".", "architecture": "arm64"} | change
    config = FunctionConfig(
        name=values["name"], handler="h", runtime="python3.13", code=values["code"], architecture=values["architecture"]
    )
    with pytest.raises(ConfigError, match=says):
        read_project(tmp_path, policy=policy(functions=(config,)), overrides={})


def test_a_plain_folder_takes_no_parameters(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="needs a template"):
        read_project(tmp_path, policy=policy(functions=(CONFIG,)), overrides={"Stage": "prod"})
