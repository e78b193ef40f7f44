"""What is left to do for one function, and why. Making a plan changes nothing; made after it was carried out it is empty.

    plan = plan_of(wanted, live, layers)
    for step in plan.steps: ...

The plan says what the steps rest on (`RevisionId`); whoever carries it out (`apply`) looks again before each.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shipsafe.adapters.aws.functions import Running
from shipsafe.adapters.aws.session import Aws
from shipsafe.deploy.codedeploy import ByCodeDeploy
from shipsafe.deploy.look import Live, same_as
from shipsafe.deploy.marks import NAMES, Marks, of_tags
from shipsafe.deploy.resume import Resumption, believed, resumption
from shipsafe.deploy.wanted import Wanted
from shipsafe.errors import ConfigError, IncompleteError
from shipsafe.model.deployment import Deployment, Ending, Step, span_text
from shipsafe.model.signing import S3Object

NEW = "(the new version)"  # of a layer or function that is not published yet
_MOST_LAYERS = 5  # "Lambda quotas"


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionPlan:
    """What is left to do.

    Attributes:
        wanted: what it is to be.
        live: as it is; None where it is to be created.
        layers: ARNs that it is to have, in their order; one that is not published yet ends in `NEW`.
        changes: members of its configuration that are to be others.
        code: whether it gets other code.
        version: the published version that already is what is wanted, "" where one is to be published.
        shift: whether the alias is to lead elsewhere.
        role: that a new function gets.
        configuration: the ARN of its code-signing configuration, or that a new one gets; "" where none is known.
        earlier: what its tags say of a deployment that was begun and not ended, or None; `resumption` what is to be made of that.
        by: how CodeDeploy moves the alias, None where we do.
        former: the signed object that `$LATEST` has now, where evidence says which; without an alias it is the way back.
        remarks: what whoever is asked should know.
    """

    wanted: Wanted
    live: Live | None
    layers: tuple[str, ...] = ()
    changes: Mapping[str, Any] = field(default_factory=dict)
    code: bool = False
    version: str = ""
    shift: bool = False
    role: str = ""
    configuration: str = ""
    earlier: Marks | None = None
    resumption: Resumption = Resumption.FRESH
    by: ByCodeDeploy | None = None
    former: S3Object | None = None
    remarks: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Of the function."""
        return self.wanted.name

    @property
    def empty(self) -> bool:
        """Whether nothing is left to do."""
        return self.live is not None and not (self.changes or self.code or self.shift or self.earlier) and bool(self.version)

    @property
    def arrived(self) -> bool:
        """Whether an earlier run has done all of it but say so: the tags are left, and a look at what runs."""
        left = self.changes or self.code or self.shift or not self.version
        return self.live is not None and self.resumption is Resumption.FINISH and not left

    @property
    def before(self) -> str:
        """The version that the alias leads to, or led to before a deployment that this one goes on with; "" where there is none."""
        if self.resumption is Resumption.FINISH and self.earlier is not None:
            return self.earlier.before.version
        alias = self.live.alias(self.wanted.alias) if self.live else None
        return alias.version if alias else ""

    @property
    def revision(self) -> str:
        """RevisionId of `$LATEST` that the plan rests on, "" for a function that is to be created."""
        return self.live.latest.revision if self.live else ""

    def deployment(self, aws: Aws, ending: Ending) -> Deployment:
        """How it ended in this account and Region, as far as the plan says it."""
        wanted, signed = self.wanted, self.wanted.signed
        return Deployment(
            artifact=wanted.artifact.name, function=self.name, account=aws.account, region=aws.region, ending=ending, before=self.before,
            alias=wanted.alias, unsigned_sha256=wanted.artifact.sha256, sha256=signed.sha256, code_sha256=signed.code_sha256,
            job=signed.job, profile_version=signed.profile_version, configuration=self.configuration, revision=self.revision,
            strategy=wanted.how.strategy,
        )  # fmt: skip

    @property
    def steps(self) -> tuple[Step, ...]:
        """Every change, in its order, with its reason."""
        return tuple(_steps(self))


def plan_of(wanted: Wanted, live: Live, layers: Sequence[str]) -> FunctionPlan:
    """What is left to do for a function that is there.

    Args:
        wanted: what it is to be.
        live: as it is.
        layers: as `FunctionPlan.layers`.

    Raises:
        IntegrityError: its tags say of a deployment what shipsafe never writes.
    """
    changes, code = changes_of(wanted, live.latest, layers), code_changes(wanted, live.latest)
    same = None if changes or code else same_as(live.latest, live.versions)
    version = same.version if same else ""
    alias = live.alias(wanted.alias)
    shift = bool(wanted.alias) and (alias is None or bool(alias.weights) or alias.version != version or not version)
    earlier = believed(of_tags(live.latest.function, live.whole.tags), live.aliases)
    left = resumption(earlier, release=wanted.artifact.sha256, alias=wanted.alias, aliases=live.aliases)
    return FunctionPlan(
        wanted=wanted, live=live, layers=tuple(layers), changes=changes, code=code, version=version, shift=shift,
        earlier=earlier, resumption=left,
    )  # fmt: skip


def code_changes(wanted: Wanted, latest: Running) -> bool:
    """Whether `$LATEST` has other code than is wanted, or runs it on another architecture."""
    told = wanted.artifact.told.architectures
    return latest.code_sha256 != wanted.signed.code_sha256 or latest.job != wanted.signed.job or bool(told and latest.architectures != told)


def changes_of(wanted: Wanted, latest: Running, layers: Sequence[str]) -> dict[str, Any]:
    """Members of the configuration that are not as the release says: Runtime, Handler, Layers. All else is left as it is."""
    told, changes = wanted.artifact.told, dict[str, Any]()
    if told.runtimes and latest.runtime != told.runtimes[0]:
        changes["Runtime"] = told.runtimes[0]
    if told.handler and latest.handler != told.handler:
        changes["Handler"] = told.handler
    if tuple(one.arn for one in latest.layers) != tuple(layers):
        changes["Layers"] = list(layers)
    return changes


def layers_of(wanted: Wanted, published: Mapping[str, str], places: Mapping[str, str]) -> tuple[str, ...]:
    """The ARNs of the layers that a function is to have.

    Args:
        wanted: says which.
        published: ARNs of the project's own, by their names; one that is missing is still to be published.
        places: what stands for AWS's pseudo parameters: `{"${AWS::Region}": "eu-west-1", ...}`.

    Raises:
        ConfigError: they are more than Lambda attaches, or one is not pinned to a version.
        IncompleteError: nobody says which one is meant.
    """
    found = []
    for ref in wanted.artifact.told.layers:
        arn = published.get(ref.local, f"layer:{ref.local} {NEW}") if ref.local else ref.arn
        if arn is None:
            what = f"Nobody said which layer {ref.text[:200]!r} of {wanted.artifact.name} is to be: {ref.unresolved or 'it has no ARN'}."
            raise IncompleteError(what, remedy="Give the template's parameter a value, then build and sign again.")
        for parameter, value in places.items():
            arn = arn.replace(parameter, value)
        if not ref.local and ref.version is None:
            what = f"Layer {arn} of {wanted.artifact.name} is pinned to no version: it may be another tomorrow."
            raise ConfigError(what, remedy="Name its version in the template, then build and sign again.")
        found.append(arn)
    if len(found) > _MOST_LAYERS:
        what = f"{wanted.artifact.name} has {len(found)} layers, and Lambda attaches {_MOST_LAYERS}."
        raise ConfigError(what, remedy="Join some of them.")
    return tuple(found)


def _steps(plan: FunctionPlan) -> Iterator[Step]:
    wanted, live, name = plan.wanted, plan.live, plan.name
    signed = wanted.signed
    place = {"S3Bucket": signed.object.bucket, "S3Key": signed.object.key, "S3ObjectVersion": signed.object.version}
    if live is not None and not plan.empty:
        why = "So that any later run, on any machine, finishes this or takes it back."
        if plan.earlier is not None:
            began = f"{plan.earlier.began:%Y-%m-%d %H:%M} UTC"
            then = "its part of the calls is taken back first" if plan.resumption is Resumption.TAKE_BACK else "this one takes its place"
            then = "this one goes on with it" if plan.resumption is Resumption.FINISH else then
            why = f"A deployment of {began} was not ended ({plan.earlier.phase}): {then}."
        yield Step(api="lambda:TagResource", parameters={"Resource": live.latest.function, "Tags": list(NAMES)}, why=why)
    if live is None:
        told = wanted.artifact.told
        words = {"FunctionName": name, "Role": plan.role, "CodeSigningConfigArn": plan.configuration, "Runtime": told.runtimes[0],
                 "Handler": told.handler, "Layers": list(plan.layers), **place}  # fmt: skip
        yield Step(api="lambda:CreateFunction", parameters=words, why=f"There is no function {name}, and --create was given.")
    elif plan.changes:
        why = f"Not as the release says: {', '.join(plan.changes)}."
        yield Step(api="lambda:UpdateFunctionConfiguration", parameters={"FunctionName": name, **plan.changes}, why=why)
    if live is not None and plan.code:
        why = f"It has other code: CodeSha256 {live.latest.code_sha256}, and {signed.code_sha256} is wanted."
        yield Step(api="lambda:UpdateFunctionCode", parameters={"FunctionName": name, **place, "RevisionId": plan.revision}, why=why)
    if not plan.version:
        words = {"FunctionName": name, "CodeSha256": signed.code_sha256, "Description": wanted.description}
        why = "A published version never changes, so that what was verified is what runs."
        yield Step(api="lambda:PublishVersion", parameters=words, why=why)
    if wanted.how.smoke and not plan.empty:
        words = {"FunctionName": name, "Qualifier": plan.version or NEW, "Payload": wanted.how.smoke.payload}
        yield Step(api="lambda:Invoke", parameters=words, why="The smoke test: before any caller sees it.")
    if plan.shift or plan.earlier:
        yield from _shifting(plan)


def _shifting(plan: FunctionPlan) -> Iterator[Step]:
    if not plan.wanted.alias:
        return
    alias, version = plan.wanted.alias, plan.version or NEW
    there = plan.live.alias(alias) if plan.live else None
    words: dict[str, Any] = {"FunctionName": plan.name, "Name": alias}
    if there is None:
        yield Step(api="lambda:CreateAlias", parameters={**words, "FunctionVersion": version}, why=f"It has no alias {alias} yet.")
        return
    if plan.by is not None:
        group = plan.by.group
        words |= {"applicationName": group.application, "deploymentGroupName": group.group, "FunctionVersion": version}
        yield Step(
            api="codedeploy:CreateDeployment", parameters=words, why="CodeDeploy moves the alias, as the policy or the template says."
        )
        return
    shares = plan.wanted.how.strategy.shares
    for share in shares[:-1]:
        part = {**words, "FunctionVersion": there.version, "RoutingConfig": {"AdditionalVersionWeights": {version: share / 100}}}
        why = f"{share} % of the calls, watched for {span_text(plan.wanted.how.strategy.every)}."
        yield Step(api="lambda:UpdateAlias", parameters=part, why=why)
    why = f"All calls, which version {there.version} has now."
    yield Step(api="lambda:UpdateAlias", parameters={**words, "FunctionVersion": version}, why=why)
