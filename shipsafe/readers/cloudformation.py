"""SAM and CloudFormation templates, with the stacks nested in them."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from shipsafe.adapters.shown import shown
from shipsafe.errors import ConfigError
from shipsafe.model.policy import Policy
from shipsafe.model.project import Project
from shipsafe.model.reader import Reader
from shipsafe.readers.template.budget import Budget
from shipsafe.readers.template.find import root_template, templates_below
from shipsafe.readers.template.nesting import Nesting
from shipsafe.readers.template.parameters import PSEUDO, Given, bind, choose, declared, given_text
from shipsafe.readers.template.samconfig import read_samconfig
from shipsafe.readers.template.stack import Stack, read_resources
from shipsafe.readers.template.walk import Walk

_OUTPUT = frozenset((".aws-sam",))


def claims(path: Path, _policy: Policy) -> str | None:
    """A file is taken for a template; a folder has one when `template.yaml`, `.yml` or `.json` lies at its root.

    Raises:
        ConfigError: several templates lie at the root.
    """
    template = path if path.is_file() else root_template(path)
    return template.name if template else None


def read(path: Path, policy: Policy, overrides: Mapping[str, str]) -> Project:
    """The project that a template describes.

    Raises:
        ConfigError: a template is broken or hostile, or a parameter is given that it has not or does not allow.
    """
    template = path if path.is_file() else root_template(path)
    if template is None:
        raise ConfigError("No template lies at the root.", remedy="Name a template file.", path=str(path))
    if "cdk.out" in template.parts:
        raise ConfigError(
            "What lies in cdk.out is made by another tool, and one template of it does not say where all code lies.",
            remedy="Name the folder cdk.out instead.",
            path=str(template),
        )
    if made := _OUTPUT.intersection(template.parts):
        raise ConfigError(
            f"What lies in {next(iter(made))} is made by another tool, and is never read.",
            remedy="Name the template that it was made from; ask about what lies there with --prebuilt.",
            path=str(template),
        )
    root = template.parent
    project = read_template(root, template.name, policy, overrides)
    others = [name for name in templates_below(root) if name not in project.templates]
    hint = f"Other templates lie below and were not read: {', '.join(map(shown, others))}."
    return replace(project, hints=(*project.hints, hint)) if others else project


def read_template(
    root: Path, path: str, policy: Policy, overrides: Mapping[str, str], *, assets: Mapping[str, str] | None = None
) -> Project:  # fmt: skip
    """The project that one template describes, with its paths and places relative to a root that it need not stand in.

    Args:
        root: the project's root, absolute; its `samconfig.toml` is read.
        path: the template, POSIX, relative to the root.
        policy: for parameters.
        overrides: for parameters.
        assets: see `Stack`.

    Raises:
        ConfigError: as `read`.
    """
    nesting = Nesting(root, budget := Budget(path))
    body = nesting.document(path)
    parameters = declared(body)
    sources = (
        Given(values=overrides, source="--parameter-overrides"),
        Given(values=policy.parameters, source="The policy's [parameters]", path=policy.path),
        read_samconfig(root),
    )
    chosen = choose(parameters, sources)
    hidden = {one.name for one in parameters.values() if one.no_echo}
    stack = Stack(
        root=root,
        path=path,
        prefix="",
        body=body,
        resources=read_resources(body),
        parameters=bind(parameters, given_text(chosen)),
        pseudo={name: chosen[name] for name in PSEUDO if name in chosen},
        budget=budget,
        open_child=nesting.open,
        assets=assets or {},
    )
    walk = Walk(nesting)
    walk.stack(stack)
    for name in ("samconfig.yaml", "samconfig.yml"):
        if (root / name).is_file():
            walk.hints.append(f"{name} is not read; write parameters into samconfig.toml or the policy.")
    return Project(
        root=root,
        template=path,
        templates=nesting.templates,
        functions=tuple(found.subject for found in walk.functions),
        layers=tuple(found.subject for found in walk.layers),
        hints=tuple(walk.hints),
        unresolved=tuple(walk.unresolved),
        parameters={name: None if name in hidden else text for name, text in chosen.items()},
    )


READER = Reader(id="cloudformation", summary="a SAM or CloudFormation template", claims=claims, read=read, gives_way=True)
