"""`deploy --via`: what was signed is handed over to the tool that functions belong to, which then deploys it; nothing is run here.

    handing = hand_over(case, ViaRequest(via=Via.SAM))     # works everything out, and writes nothing
    handing.rewritten.write()                              # template.signed.yaml
    handing.commands                                       # sam deploy --template-file template.signed.yaml ...

The template is read again, by the same readers as at the build, and has to say of each function what the release says. `flows/landed.py`
looks whether it has landed, and verifies what runs then.
"""

import os
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from shipsafe.adapters.shown import shown
from shipsafe.adapters.template_text import read_text
from shipsafe.deploy.managed import Via
from shipsafe.errors import ConfigError
from shipsafe.flows.agreed import agrees_with_template
from shipsafe.flows.deploy_case import Deploying
from shipsafe.flows.rewrite import Rewritten, rewrite
from shipsafe.model.project import Project
from shipsafe.packing.publish import MANIFEST
from shipsafe.packing.release import Release
from shipsafe.packing.signatures import signatures_of
from shipsafe.readers import read_project
from shipsafe.signing.rewrite.deployable import Deployable

_ASSEMBLY = "manifest.json"
_TFVARS = "shipsafe.auto.tfvars.json"
_SAM = "AWS::Serverless"
_STACK = "STACK"  # of a stack whose name nobody knows
_NAME_IT = "Name it: --template FILE."


@dataclass(frozen=True, slots=True, kw_only=True)
class ViaRequest:
    """What somebody asked for.

    Attributes:
        via: the tool; None for the one that the template is of.
        template: what it deploys, or the project's folder; None for the template that the release was built from.
        written: where the result goes; None for a file or folder beside the template.
        stack: the name of the CloudFormation stack; None for the one that its functions say they are of.
        overrides: template parameters, as at the build.
        look: write nothing: what has not landed is an error.
    """

    via: Via | None = None
    template: Path | None = None
    written: Path | None = None
    stack: str | None = None
    overrides: Mapping[str, str] = field(default_factory=dict)
    look: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Handing:
    """What is handed over. Nothing is written yet.

    Attributes:
        via: to whom. source: the template, assembly or plan. written: where the result goes.
        project: as `source` says it; its functions are those that will run.
        rewritten: what is to be written.
    """

    via: Via
    source: Path
    written: Path
    project: Project
    rewritten: Rewritten

    def commands(self, *, region: str, stack: str | None) -> tuple[str, ...]:
        """What deploys it, one command after the other; from the current folder.

        Args:
            region: where to.
            stack: the name of the stack, None where nobody knows it.
        """
        return tuple(" ".join(shlex.quote(word) for word in words) for words in self._commands(region, stack))

    def _commands(self, region: str, stack: str | None) -> Iterator[list[str]]:
        out = _here(self.written)
        # What was audited was audited with these values: left to the stack, they may be others.
        known = {name: value for name, value in self.project.parameters.items() if value is not None and "::" not in name}
        given = ["--parameter-overrides", *(f"{name}={value}" for name, value in known.items())] if known else []
        match self.via:
            case Via.SAM:
                # Settings beside the template name the stack and its capabilities; what is said here wins over them.
                settings = (self.source.parent / "samconfig.toml").is_file()
                named = ["--stack-name", stack or _STACK] if stack or not settings else []
                rights = [] if settings else ["--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
                yield ["sam", "deploy", "--template-file", out, *named, "--region", region, *rights, *map(_for_sam, given)]
            case Via.CLOUDFORMATION:
                rights = ["CAPABILITY_IAM", *(["CAPABILITY_AUTO_EXPAND"] if _is_sam(self.source) else [])]
                yield ["aws", "cloudformation", "deploy", "--template-file", out, "--stack-name", stack or _STACK, "--region", region,
                       "--capabilities", *rights, *given]  # fmt: skip
            case Via.CDK:
                yield ["cdk", "deploy", "--app", out, "--all", *(word for one in given[1:] for word in ("--parameters", one))]
            case Via.TERRAFORM:
                folder = _here(self.source.parent)
                there = [] if folder == "." else [f"-chdir={folder}"]
                # Terraform loads `*.auto.tfvars.json` by itself from the folder that it runs in.
                loaded = self.written.name.endswith(".auto.tfvars.json") and self.written.parent.resolve() == self.source.parent.resolve()
                yield ["terraform", *there, "plan", "-out=tfplan", *([] if loaded else [f"-var-file={self.written.resolve()}"])]
                yield ["terraform", *there, "apply", "tfplan"]


def hand_over(case: Deploying, asked: ViaRequest) -> Handing:
    """Work out what is to be written, and write nothing.

    Args:
        case: a release, held and verified, and where it goes.
        asked: how.

    Raises:
        ConfigError: the template is not there or is of another tool, or something cannot be rewritten faithfully.
        IntegrityError: the template says something else of a function than the release.
    """
    source = source_of(case.release, asked.template)
    project = read_project(source, policy=case.policy, overrides=asked.overrides)
    via = asked.via or tool_of(source, project)
    _check_tool(via, source, project)
    written = asked.written or _beside(source, via)
    told = {one.subject: one.told for one in case.release.artifacts}
    agrees_with_template(told, project.subjects)
    deployables = _deployables(case)
    if via is Via.TERRAFORM:
        rewritten = rewrite((), deployables, policy=case.policy, tfvars=written)
    else:
        rewritten = rewrite((f"{source}={written}",), deployables, policy=case.policy, overrides=asked.overrides, told=told)
    return Handing(via=via, source=source, written=written, project=project, rewritten=rewritten)


def source_of(release: Release, given: Path | None = None) -> Path:
    """The template that a release was built from, where it lies here.

    Args:
        release: says which it was.
        given: what somebody names instead, or the folder of the project that it lies in; None to look beside the policy, and here.

    Raises:
        ConfigError: there was none, or it is not here.
    """
    if given is not None and not (given.is_dir() and not (given / _ASSEMBLY).is_file()):
        return given
    named = release.document["template"]
    if named is None:
        what = "The release was built from no template, so that no other tool can deploy it."
        raise ConfigError(
            what, remedy="Name what deploys it with --template, or deploy it without --via.", path=str(release.out / MANIFEST)
        )
    path = PurePosixPath(named)
    if path.is_absolute() or ".." in path.parts or "\0" in named:
        raise ConfigError(f"The template of the release, {shown(named, 200)}, is not in its project.", remedy=_NAME_IT)
    folders = [given] if given else dict.fromkeys([*([release.policy.parent] if release.policy else []), Path()])
    for folder in folders:
        if (found := folder / path).is_file():
            there = found.parent if path.name == _ASSEMBLY else found
            return Path(os.path.relpath(there.resolve())) if folder != Path() else there
    raise ConfigError(f"The template of the release, {shown(named, 200)}, is not here.", remedy=_NAME_IT)


def tool_of(source: Path, project: Project) -> Via:
    """The tool that a template, an assembly or a plan is of."""
    if source.is_dir() or source.name == _ASSEMBLY:
        return Via.CDK
    if not any(one.trail for one in project.subjects):
        return Via.TERRAFORM
    return Via.SAM if _is_sam(source) else Via.CLOUDFORMATION


def _check_tool(via: Via, source: Path, project: Project) -> None:
    found = tool_of(source, project)
    templates = (Via.SAM, Via.CLOUDFORMATION)
    if via is not found and not {via, found} <= set(templates):
        raise ConfigError(
            f"This is for {found}, and not for {via}.", remedy=f"Write --via {found}, or name another --template.", path=str(source)
        )


def _deployables(case: Deploying) -> list[Deployable]:
    """What was signed for the targets, of functions and layers."""
    found: list[Deployable] = []
    signatures = signatures_of(case.release)
    for target in case.targets:
        missing = [one for one in case.release.artifacts if target.name not in signatures[one.name]]
        if missing:
            remedy = f"Run `shipsafe sign {case.request.out} --target {target.name}`."
            raise ConfigError(f"{missing[0].subject} was not signed for target {target.name}.", remedy=remedy)
        found += [Deployable.of(signatures[one.name][target.name], one.subject, target) for one in case.release.artifacts]
    return found


def _beside(source: Path, via: Via) -> Path:
    """Where a result goes that nobody named a place for: relative paths in it keep their meaning there."""
    match via:
        case Via.TERRAFORM:
            return source.parent / _TFVARS
        case Via.CDK:
            folder = source if source.is_dir() else source.parent
            return folder.with_name(f"{folder.resolve().name}.signed")
        case _:
            return source.with_name(f"{source.stem}.signed{source.suffix}")


def _is_sam(source: Path) -> bool:
    return source.is_file() and _SAM in read_text(source, name=str(source))


def _for_sam(word: str) -> str:
    """A `NAME=VALUE` as SAM takes it, which reads a value up to the next blank unless it stands in quotes."""
    name, equals, value = word.partition("=")
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{name}="{quoted}"' if equals and re.search(r"[\s\"]", value) else word


def _here(path: Path) -> str:
    """A path as somebody in the current folder writes it."""
    return os.path.relpath(path)
