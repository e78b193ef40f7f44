"""Two functions of a SAM template whose names CloudFormation makes up, and the stack that runs something older."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from shipsafe.flows.landed import HandedOver
from shipsafe.flows.stack_plan import StackPlan, stack_plan
from shipsafe.flows.stack_update import updated
from shipsafe.flows.stages import stage_of
from shipsafe.flows.via import ViaRequest, hand_over
from shipsafe.model.deployment import Deployment
from tests.deploy.scene import Scene

STACK = "shop"
STAGE = f"""
[[deploy.stage]]
name = "prod"
target = "prod"
stack = "{STACK}"
"""
TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Parameters:
  Stage: {Type: String, Default: dev}
  Handler: {Type: String, Default: app.handler}
  Password: {Type: String, NoEcho: true, Default: none}
Resources:
  Pay:
    Type: AWS::Serverless::Function
    Properties:
      {Runtime: python3.13, Handler: app.handler, CodeUri: pay/, AutoPublishAlias: live, Environment: {Variables: {STAGE: !Ref Stage}}}
  Stock:
    Type: AWS::Serverless::Function
    Properties:
      {Runtime: python3.13, Handler: !Ref Handler, CodeUri: stock/, AutoPublishAlias: live, Environment: {Variables: {KEY: !Ref Password}}}
"""


@dataclass
class StackScene:
    """A scene whose policy names the stack."""

    shop: Scene

    @property
    def cloudformation(self) -> Any:
        return self.shop.site.client("cloudformation")

    @contextmanager
    def plan(self, *, dry_run: bool = False, **words: Any) -> Iterator[StackPlan]:
        """As the command makes it; `words` are those of `ViaRequest`."""
        with self.shop.case(stage="prod") as case:
            stage = stage_of(case.policy, "prod")
            with stack_plan(case, ViaRequest(**words), stage, self.shop.lines.append, dry_run=dry_run) as plan:
                yield plan

    def deploy(self, *, between: Callable[[], object] = lambda: None, **words: Any) -> HandedOver:
        """As the command does, without asking; `between` the plan and the update somebody else may be at work."""
        with self.plan(**words) as plan:
            assert plan.verification.exit_code == 0, plan.verification.complaints
            between()
            return updated(plan, self.shop.lines.append)

    def older(self, **parameters: str) -> None:
        """The stack as an earlier release left it, whose code is another's."""
        older = self.shop.older.object
        with self.shop.case(stage="prod") as case:
            [text] = [data.decode() for data in hand_over(case, ViaRequest()).rewritten.files.values()]
        for one in self.shop.all_signed.values():
            text = text.replace(one.object.key, older.key).replace(one.object.version, older.version)
        self.change(text, "CREATE", parameters=parameters)

    def change(self, text: str, kind: str = "UPDATE", parameters: Mapping[str, str] | None = None) -> None:
        """As somebody else, without us."""
        name = f"{kind.lower()}-of-theirs"
        self.propose(text, kind, name=name, parameters=parameters)
        self.cloudformation.execute_change_set(StackName=STACK, ChangeSetName=name)

    def propose(self, text: str, kind: str = "UPDATE", *, name: str, parameters: Mapping[str, str] | None = None,
                tags: Mapping[str, str] | None = None) -> None:  # fmt: skip
        """Somebody else's change set, which nobody has carried out."""
        given = [{"ParameterKey": key, "ParameterValue": value} for key, value in (parameters or {}).items()]
        self.cloudformation.create_change_set(
            StackName=STACK, ChangeSetName=name, ChangeSetType=kind, TemplateBody=text, Parameters=given,
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
            Tags=[{"Key": key, "Value": value} for key, value in (tags or {}).items()],
        )  # fmt: skip
        made = self.cloudformation.get_waiter("change_set_create_complete")
        made.wait(StackName=STACK, ChangeSetName=name, WaiterConfig={"Delay": 0.05, "MaxAttempts": 100})

    @property
    def status(self) -> str:
        [one] = self.cloudformation.describe_stacks(StackName=STACK)["Stacks"]
        return str(one["StackStatus"])

    @property
    def carried_out(self) -> str:
        """ARN of the last change set."""
        [one] = self.cloudformation.describe_stacks(StackName=STACK)["Stacks"]
        return str(one["ChangeSetId"])

    @property
    def proposed(self) -> list[str]:
        """Names of change sets that could be carried out."""
        told = self.cloudformation.list_change_sets(StackName=STACK)["Summaries"]
        return [str(one["ChangeSetName"]) for one in told if one["ExecutionStatus"] != "EXECUTE_COMPLETE"]

    def physical(self, logical_id: str) -> str:
        told = self.cloudformation.describe_stack_resources(StackName=STACK, LogicalResourceId=logical_id)["StackResources"]
        return str(told[0]["PhysicalResourceId"])

    def code(self, logical_id: str) -> str:
        """The digest of what its callers reach."""
        told = self.shop.lambda_.get_function_configuration(FunctionName=self.physical(logical_id), Qualifier="live")
        return str(told["CodeSha256"])

    def asked(self, operation: str) -> int:
        """How often CloudFormation has done it for anybody."""
        return sum(1 for one in self.shop.endpoint.trail.events(operation=operation) if not one["errorCode"])


def of(done: HandedOver, artifact: str) -> Deployment:
    [found] = [one for one in done.deployments if one.artifact == artifact]
    return found
