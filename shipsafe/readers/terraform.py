"""A Terraform plan in JSON (`terraform show -json tfplan`), OpenTofu's likewise. Terraform is not run, nor is a provider.

What will be is in the plan, modules and `for_each` expanded; what refers to what is in the configuration that comes with it. The plan
has no lines: findings point at the block in the `.tf` files that lie beside it. Paths in a plan are relative to the folder that
Terraform ran in, so that is where the plan should be written.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from shipsafe.adapters.shown import shown
from shipsafe.errors import ConfigError
from shipsafe.model.location import Location
from shipsafe.model.policy import Policy
from shipsafe.model.project import Function, Layer, Project, Unresolved
from shipsafe.model.reader import Reader
from shipsafe.readers.bundling import as_shipped, hint, listed
from shipsafe.readers.plan.aliases import aliases
from shipsafe.readers.plan.archives import Archives, Source
from shipsafe.readers.plan.document import LIMIT, Plan, Planned, is_binary, read_plan
from shipsafe.readers.plan.functions import FUNCTION, LAYER, Reading, read_function, read_layer
from shipsafe.readers.plan.naming import names
from shipsafe.readers.plan.places import Block, Places
from shipsafe.readers.plan.references import References
from shipsafe.readers.plan.written import Written

_NAMES = ("plan.json", "tfplan.json", "terraform-plan.json")
_MARKS = (b'"format_version"', b'"terraform_version"')
_STACK = "it is a stack of CloudFormation, whose functions are not in the plan"
_CLOUD_CONTROL = "functions and layers of this provider are not read"
_UNREAD = {
    "aws_cloudformation_stack": _STACK,
    "aws_cloudformation_stack_set": _STACK,
    "aws_serverlessapplicationrepository_cloudformation_stack": _STACK,
    "awscc_cloudformation_stack": _STACK,
    "awscc_lambda_function": _CLOUD_CONTROL,
    "awscc_lambda_layer_version": _CLOUD_CONTROL,
}
_IN_TEMPLATES = ("AWS::Lambda::", "AWS::Serverless::", "AWS::CloudFormation::", "Transform")
_COMMAND = "terraform plan -out=tfplan && terraform show -json tfplan > plan.json"


def claims(path: Path, _policy: Policy) -> str | None:
    """A plan in JSON of any name, or a folder with one called `plan.json`, `tfplan.json` or `terraform-plan.json`.

    Raises:
        ConfigError: several plans lie side by side.
    """
    found = _plan_file(path)
    return found.name if found else None


def read(path: Path, policy: Policy, overrides: Mapping[str, str]) -> Project:
    """The project that a plan describes.

    Raises:
        ConfigError: it is not a plan, it is broken or hostile, or parameters are given, which it has no place for.
    """
    file = _plan_file(path)
    if file is None:
        raise ConfigError("No plan lies here.", remedy=f"Run `{_COMMAND}`.", path=str(path))
    if overrides:
        what = "--parameter-overrides needs a template; the variables of a plan are fixed."
        raise ConfigError(what, remedy="Leave it out, and plan with other variables.", path=file.name)
    root = file.parent
    plan = read_plan(file, name=file.name)
    functions, layers = ([one for one in plan.of_type(kind) if not one.data] for kind in (FUNCTION, LAYER))
    called = names([*functions, *layers])
    references, places = References(plan), Places(root, plan.configuration)
    reading = Reading(
        root=root,
        plan=plan,
        references=references,
        written=Written(places, references),
        archives=Archives(plan, references, root),
        names=called,
        arns={arn: called[one.address] for one in layers if isinstance(arn := one.values.get("arn"), str)},
        aliases=aliases(plan, references),
    )
    found = [read_function(one, _block(one, places), reading) for one in functions]
    found_layers = [read_layer(one, _block(one, places), reading) for one in layers]
    shipped = [as_shipped(function, root, policy) for function, _ in found]
    shipped_layers = [as_shipped(layer, root, policy) for layer, _ in found_layers]
    installs = [one.name for one, ours in shipped if ours] + [one.name for one, ours in shipped_layers if ours]
    return Project(
        root=root,
        template=file.name,
        templates=(file.name,),
        functions=tuple(function for function, _ in shipped),
        layers=tuple(layer for layer, _ in shipped_layers),
        hints=(*hint(installs, tool="Terraform", command="terraform apply"), *_left_out([*found, *found_layers])),
        unresolved=(
            *(Unresolved(field="plan", reason=gap, location=Location(path=file.name)) for gap in plan.gaps),
            *_elsewhere(plan, places),
        ),
    )


def _elsewhere(plan: Plan, places: Places) -> list[Unresolved]:
    """Resources that are, or may hold, functions that are not read."""
    found: list[Unresolved] = []
    for one in plan.of_type(*_UNREAD):
        template = one.values.get("template_body")
        if isinstance(template, str) and not any(mark in template for mark in _IN_TEMPLATES):
            continue
        block = _block(one, places)
        place = block.location if block else Location(path=plan.path)
        found.append(Unresolved(field=shown(one.address), reason=_UNREAD[one.type], location=place))
    return found


def before(path: Path) -> str | None:
    """What makes a folder with a configuration readable."""
    return f"Run `{_COMMAND}` first." if path.is_dir() and next(path.glob("*.tf"), None) else None


def _plan_file(path: Path) -> Path | None:
    """The plan that is meant, or None."""
    if path.is_file():
        return path if is_binary(path) or _is_ours(path) else None
    found = [path / name for name in _NAMES if (path / name).is_file() and _is_ours(path / name)]
    if len(found) > 1:
        lying = ", ".join(one.name for one in found)
        raise ConfigError(f"{len(found)} plans lie side by side: {lying}.", remedy="Name one of them.", path=str(path))
    return found[0] if found else None


def _is_ours(path: Path) -> bool:
    """Whether Terraform wrote that file, a plan or a state; PowerShell's `>` makes UTF-16 of it."""
    with path.open("rb") as file:
        data = file.read(LIMIT)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        data = data.replace(b"\0", b"")
    return all(mark in data for mark in _MARKS)


def _block(one: Planned, places: Places) -> Block | None:
    return places.block(one.modules, one.type, one.name)


def _left_out(found: Sequence[tuple[Function | Layer, Source | None]]) -> list[str]:
    """What a person must know where an archive leaves out files of a folder that shipsafe packs."""
    archives = {source.archive: subject.code.path for subject, source in found if source and source.excludes}
    if not archives:
        return []
    return [f"`excludes` of {listed(sorted(archives))} is not read; what must not ship belongs into .shipsafeignore beside the code."]


READER = Reader(id="terraform", summary="a Terraform plan in JSON", claims=claims, read=read, before=before)
