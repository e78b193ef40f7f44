"""A synthesized CDK application: `cdk.out`, as `cdk synth` leaves it. Nothing of the application is run.

The stacks are CloudFormation, so what can be resolved in a template can be resolved here; an object that CDK uploads is the folder
or file that it is uploaded from, and what one stack exports another one may use. A function is called after its construct, and a
finding about it points at the line of the application that made it, where CDK says which.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

from shipsafe.adapters.files import MEBIBYTE
from shipsafe.adapters.json_file import read_json
from shipsafe.errors import ConfigError
from shipsafe.model.policy import Policy
from shipsafe.model.project import CodeKind, Function, Layer, Project
from shipsafe.model.reader import Reader
from shipsafe.readers.assembly.assets import read_assets
from shipsafe.readers.assembly.constructs import Construct, Constructs
from shipsafe.readers.assembly.manifest import NAME, StackArtifact, read_assembly
from shipsafe.readers.assembly.naming import Named, names
from shipsafe.readers.assembly.sources import Sources
from shipsafe.readers.bundling import as_shipped, hint, listed
from shipsafe.readers.template.budget import Budget
from shipsafe.readers.template.intrinsics import evaluate
from shipsafe.readers.template.nesting import Nesting
from shipsafe.readers.template.node import Node
from shipsafe.readers.template.parameters import PSEUDO, Given, Parameter, bind, choose, declared, given_text
from shipsafe.readers.template.stack import Resource, Stack, read_resources
from shipsafe.readers.template.text import plain
from shipsafe.readers.template.values import Text
from shipsafe.readers.template.walk import Found, Walk

_APP = "cdk.json"
_OUTPUT = "cdk.out"
_LIMIT = MEBIBYTE
_MARK = b'"artifacts"'
_MARK_WITHIN = 64 * MEBIBYTE

SubjectT = TypeVar("SubjectT", Function, Layer)


def claims(path: Path, _policy: Policy) -> str | None:
    """A folder with the manifest of a cloud assembly, a CDK application's folder that has been synthesized, or that manifest.

    Raises:
        ConfigError: `cdk.json` is not JSON.
    """
    found = _assembly(path)
    return f"{found.name}/{NAME}" if found else None


def read(path: Path, policy: Policy, overrides: Mapping[str, str]) -> Project:
    """The project that a synthesized application describes.

    Parameters are given as in SAM, for every stack that has one of that name, or for one stack alone as `OrdersStack:Stage=prod`.

    Raises:
        ConfigError: a manifest or a template is broken or hostile, or a parameter is given that no stack has.
    """
    assembly = _assembly(path)
    if assembly is None:
        raise ConfigError("No synthesized CDK application lies here.", remedy="Run `cdk synth`.", path=str(path))
    root = assembly.parent if (assembly.parent / _APP).is_file() else assembly
    folder = "" if root == assembly else assembly.name
    manifest = f"{folder}/{NAME}".lstrip("/")
    artifacts = read_assembly(root, folder)
    nesting = Nesting(root, budget := Budget(manifest))
    stacks = _stacks(artifacts, root, nesting, budget, policy, overrides)
    functions: list[_Made[Function]] = []
    layers: list[_Made[Layer]] = []
    walks: list[Walk] = []
    for artifact, stack in stacks:
        walks.append(walk := Walk(nesting))
        walk.stack(stack)
        constructs = Constructs(root, artifact.metadata)
        functions += [_Made(found=found, artifact=artifact, construct=constructs.of(found.resource)) for found in walk.functions]
        layers += [_Made(found=found, artifact=artifact, construct=constructs.of(found.resource)) for found in walk.layers]
    called = names([*(made.named for made in functions), *(made.named for made in layers)])
    finish = _Finish(root=root, policy=policy, called=called, sources=Sources(root, assembly.resolve()))
    built = [finish.function(made) for made in functions]
    built_layers = [finish.layer(made) for made in layers]
    helpers = [called[made.found.subject.name] for made in functions if made.construct and made.construct.helper]
    hints = [text for walk in walks for text in walk.hints]
    hints += hint(finish.installs, tool="CDK", command="cdk deploy")
    if helpers:
        hints.append(f"CDK added these itself; a newer aws-cdk-lib is how they change: {listed(helpers)}.")
    return Project(
        root=root,
        template=manifest,
        templates=nesting.templates,
        functions=tuple(built),
        layers=tuple(built_layers),
        hints=tuple(hints),
        unresolved=tuple(entry for walk in walks for entry in walk.unresolved),
    )


def before(path: Path) -> str | None:
    """What makes an application's folder readable."""
    return "Run `cdk synth` first, or name the folder that it writes to." if (path / _APP).is_file() else None


def _assembly(path: Path) -> Path | None:
    """The folder of the cloud assembly that is meant, or None."""
    if path.is_file():
        return path.parent if path.name == NAME and _is_manifest(path) else None
    if _is_manifest(path / NAME):
        return path
    if not (path / _APP).is_file():
        return None
    config: Any = read_json(path / _APP, limit=_LIMIT, shown=_APP)
    output = config.get("output") if isinstance(config, dict) else None
    name = output if isinstance(output, str) and output and "/" not in output.rstrip("/") else _OUTPUT
    folder = path / name
    return folder if _is_manifest(folder / NAME) else None


def _is_manifest(path: Path) -> bool:
    """Whether that file looks like an assembly's manifest; other tools have files of this name, too."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return _MARK in file.read(_MARK_WITHIN)


def _stacks(
    artifacts: Iterable[StackArtifact], root: Path, nesting: Nesting, budget: Budget, policy: Policy, overrides: Mapping[str, str]
) -> list[tuple[StackArtifact, Stack]]:
    """Every stack with its parameters filled in; they share what they export."""
    opened = [(artifact, body, declared(body)) for artifact in artifacts for body in (nesting.document(artifact.template),)]
    _check_overrides(overrides, opened)
    exports: dict[str, tuple[Stack, Node]] = {}
    stacks: list[tuple[StackArtifact, Stack]] = []
    for artifact, body, parameters in opened:
        own = {name: value for name, value in artifact.parameters.items() if name in parameters}
        place = {"AWS::Region": artifact.region, "AWS::AccountId": artifact.account, "AWS::StackName": artifact.stack_name}
        sources = (
            Given(values=_meant(overrides, artifact), source="--parameter-overrides", must_exist=False),
            Given(values=policy.parameters, source="The policy's [parameters]", path=policy.path, must_exist=False),
            Given(values=own, source=artifact.manifest, must_exist=False),
            Given(values={name: value for name, value in place.items() if value}, source=artifact.manifest),
        )
        chosen = choose(parameters, sources)
        stack = Stack(
            root=root,
            path=artifact.template,
            prefix=f"{artifact.id}.",
            body=body,
            resources=read_resources(body),
            parameters=bind(parameters, given_text(chosen)),
            pseudo={name: chosen[name] for name in PSEUDO if name in chosen},
            budget=budget,
            open_child=nesting.open,
            assets=read_assets(root, artifact.assets),
            exports=exports,
        )
        stacks.append((artifact, stack))
    for _, stack in stacks:
        exports |= _exports(stack)
    return stacks


def _meant(overrides: Mapping[str, str], artifact: StackArtifact) -> dict[str, str]:
    """The overrides for one stack: those that name it win over those that name none."""
    general = {name: value for name, value in overrides.items() if ":" not in name.replace("::", "")}
    names = (artifact.id, artifact.display, artifact.stack_name)
    own = {name.removeprefix(f"{stack}:"): value for stack in names for name, value in overrides.items() if name.startswith(f"{stack}:")}
    return {**general, **own}


def _check_overrides(overrides: Mapping[str, str], opened: Iterable[tuple[StackArtifact, Node, Mapping[str, Parameter]]]) -> None:
    known: dict[str, Parameter] = {}
    for artifact, _, parameters in opened:
        known |= parameters
        known |= {
            f"{stack}:{name}": one for stack in (artifact.id, artifact.display, artifact.stack_name) for name, one in parameters.items()
        }
    # For its error alone: it names the nearest parameter that there is.
    choose(known, (Given(values=overrides, source="--parameter-overrides"),))


def _exports(stack: Stack) -> dict[str, tuple[Stack, Node]]:
    found: dict[str, tuple[Stack, Node]] = {}
    for output in stack.section("Outputs").values():
        export, value = output.fields.get("Export"), output.fields.get("Value")
        node = export.fields.get("Name") if export else None
        name = plain(evaluate(node, stack)) if node else None
        if isinstance(name, Text) and value:
            found[name.text] = (stack, value)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made(Generic[SubjectT]):
    """A function or layer as the template has it, and what CDK says of it besides."""

    found: Found[SubjectT]
    artifact: StackArtifact
    construct: Construct | None

    @property
    def named(self) -> Named:
        """What decides its name."""
        return Named(name=self.found.subject.name, artifact=self.artifact, construct=self.construct)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Finish:
    """Turns what was read into what people know: names, the lines of the application, the folders that they edit.

    `installs` collects the names of those for which shipsafe installs dependencies that CDK would leave out.
    """

    root: Path
    policy: Policy
    called: Mapping[str, str]
    sources: Sources
    installs: list[str] = field(default_factory=list)

    def function(self, made: _Made[Function]) -> Function:
        subject = self._subject(made)
        layers = tuple(replace(ref, local=self.called[ref.local]) if ref.local else ref for ref in subject.layers)
        return replace(subject, layers=layers)

    def layer(self, made: _Made[Layer]) -> Layer:
        return self._subject(made)

    def _subject(self, made: _Made[SubjectT]) -> SubjectT:
        subject = replace(made.found.subject, name=self.called[made.found.subject.name])
        if made.construct and made.construct.location:
            subject = replace(subject, location=made.construct.location)
        bundled = _is_bundled(made.found.resource)
        if not bundled and subject.code.kind is CodeKind.FOLDER and subject.code.path is not None:
            original = self.sources.original(self.root / subject.code.path)
            subject = replace(subject, code=replace(subject.code, path=original or subject.code.path))
        subject, installs = as_shipped(subject, self.root, self.policy, bundled=bundled)
        if installs:
            self.installs.append(subject.name)
        return subject


def _is_bundled(resource: Resource) -> bool:
    metadata = resource.body.fields.get("Metadata")
    node = metadata.fields.get("aws:asset:is-bundled") if metadata else None
    return node is not None and node.value == "true"


READER = Reader(id="cdk", summary="a synthesized CDK application (cdk.out)", claims=claims, read=read, before=before)
