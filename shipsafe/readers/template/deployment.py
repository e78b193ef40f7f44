"""What a template says of how a function goes live: its name, the alias that callers use, and how that moves.

    AutoPublishAlias: live                       SAM
    DeploymentPreference: {Type: Canary10Percent5Minutes, Alarms: [!Ref Errors]}

    Live: {Type: AWS::Lambda::Alias, Properties: {Name: live, FunctionName: !Ref Orders},       CloudFormation and CDK
           UpdatePolicy: {CodeDeployLambdaAliasUpdate: {ApplicationName: !Ref App, DeploymentGroupName: !Ref Group}}}

Nothing is noted as unresolved, because a build needs none of it; what is written and not certain is `unclear`, for who deploys.
"""

import re
from collections.abc import Mapping

from shipsafe.adapters.shown import shown
from shipsafe.model.deployment import CodeDeployGroup, Strategy
from shipsafe.model.preference import ALIAS_NAME, FUNCTION_NAME, Preference, strategy_of
from shipsafe.readers.template.fields import Reading
from shipsafe.readers.template.intrinsics import evaluate, truth
from shipsafe.readers.template.node import Node
from shipsafe.readers.template.stack import FUNCTION_TYPES, Resource, Stack
from shipsafe.readers.template.text import plain
from shipsafe.readers.template.values import WITHHELD, Absent, Fields, Items, Pointer, Text, Unknown, Value

ALIAS = "AWS::Lambda::Alias"
_ALARM, _APPLICATION, _GROUP = "AWS::CloudWatch::Alarm", "AWS::CodeDeploy::Application", "AWS::CodeDeploy::DeploymentGroup"
_NAMED_BY = {_ALARM: "AlarmName", _APPLICATION: "ApplicationName", _GROUP: "DeploymentGroupName"} | dict.fromkeys(
    FUNCTION_TYPES, "FunctionName"
)
_ANY = re.compile(r"[^\x00-\x1f]{1,100}")  # names of CodeDeploy
_ALARM_NAME = re.compile(r"[^\x00-\x1f]{1,255}")
_MOST = 20  # remarks about one function
_MOST_ALARMS = 100


class GoingLive:
    """What a function's template says of it; `unclear` grows while it is read."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._stack = reading.stack
        self._unclear: list[str] = []
        written = reading.properties.get("FunctionName")
        self.function_name: str | None = None
        self.alias: str | None = None
        self.preference: Preference | None = None
        if reading.opaque:
            self._note("name, alias", reading.opaque)
            return
        self.function_name = self._text("name", written, FUNCTION_NAME) if written else None
        published = reading.properties.get("AutoPublishAlias")
        if published is not None and not isinstance(evaluate(published, self._stack), Absent):
            self.alias = self._text("alias", published, ALIAS_NAME)
            self.preference = self._sam()
        else:
            self._of_resource()

    @property
    def unclear(self) -> tuple[str, ...]:
        """What is written and not certain, and why."""
        return tuple(dict.fromkeys(self._unclear))[:_MOST]

    def _note(self, what: str, reason: str) -> None:
        self._unclear.append(f"{what}: {reason}"[:500])

    def _text(self, what: str, node: Node, shape: re.Pattern[str]) -> str | None:
        return self._name(what, evaluate(node, self._stack), shape)

    def _name(self, what: str, value: Value, shape: re.Pattern[str]) -> str | None:
        """The text of a value, that of a resource being the name that is written in it; None, and noted, where nobody can know."""
        if isinstance(value, Absent):
            return None
        if isinstance(value, Pointer) and value.type in _NAMED_BY:
            value = self._named(value)
        text = plain(value)
        if isinstance(text, Text) and text.secret:
            text = Unknown(reason=WITHHELD)
        if isinstance(text, Unknown):
            self._note(what, text.reason)
            return None
        if not shape.fullmatch(text.text):
            self._note(what, f"{shown(text.text, 120)} cannot be one")
            return None
        return text.text

    def _named(self, pointer: Pointer) -> Value:
        """The name that is written in the resource that a reference leads to."""
        own = pointer.name.removeprefix(self._stack.prefix)
        resource = self._stack.resources.get(own) if pointer.name.startswith(self._stack.prefix) else None
        if resource is None:
            return Unknown(reason=f"{shown(pointer.name)} is in another stack")
        node = resource.properties.fields.get(_NAMED_BY[pointer.type]) if resource.properties else None
        return evaluate(node, self._stack) if node else Unknown(reason=f"CloudFormation makes up the name of {shown(pointer.name)}")

    def _sam(self) -> Preference | None:
        """`DeploymentPreference` of SAM, None where there is none or it is switched off."""
        node = self._reading.properties.get("DeploymentPreference")
        value = evaluate(node, self._stack) if node else None
        if value is None or isinstance(value, Absent):
            return None
        if not isinstance(value, Fields):
            self._note("preference", value.reason if isinstance(value, Unknown | Pointer) else "it is not a mapping")
            return None
        enabled = plain(value.fields["Enabled"]) if "Enabled" in value.fields else Text(text="true")
        if isinstance(enabled, Unknown):
            self._note("preference", enabled.reason)
        elif enabled.text.lower() in ("false", "no", "off"):
            return None
        hooks = value.fields.get("Hooks")
        before, after = (self._hook(hooks, key) for key in ("PreTraffic", "PostTraffic"))
        return Preference(
            strategy=self._strategy(value.fields.get("Type")),
            alarms=self._alarms(value.fields.get("Alarms")),
            before_hook=before,
            after_hook=after,
        )

    def _strategy(self, value: Value | None) -> Strategy:
        if value is None:
            self._note("preference", "it has no type")
            return Strategy()
        name = self._name("preference", value, _ANY)
        found = strategy_of(name) if name else None
        if name and not found:
            self._note("preference", f"{shown(name, 120)} is a deployment configuration of your own, which the template does not describe")
        return found or Strategy()

    def _alarms(self, value: Value | None) -> tuple[str, ...]:
        if value is None or isinstance(value, Absent):
            return ()
        if not isinstance(value, Items):
            self._note("alarms", value.reason if isinstance(value, Unknown | Pointer) else "they are not a list")
            return ()
        found = (self._name("alarms", item, _ALARM_NAME) for item in value.items[:_MOST_ALARMS])
        return tuple(dict.fromkeys(name for name in found if name is not None))

    def _hook(self, hooks: Value | None, key: str) -> str | None:
        value = hooks.fields.get(key) if isinstance(hooks, Fields) else None
        return self._name(f"hook {key}", value, FUNCTION_NAME) if value is not None else None

    def _of_resource(self) -> None:
        """The alias that a resource of the template makes, and how CodeDeploy moves it."""
        if not (found := aliases(self._stack).get(self._reading.name, [])):
            return
        if len(found) > 1:
            self._note("alias", f"it has {len(found)}: {', '.join(shown(one.name, 60) for one in found[:5])}")
            return
        resource = found[0]
        name = resource.properties.fields.get("Name") if resource.properties else None
        self.alias = self._text("alias", name, ALIAS_NAME) if name else None
        if not self.alias and not name:
            self._note("alias", f"{shown(resource.name)} has no Name")
        if updated := _below(resource.body, "UpdatePolicy", "CodeDeployLambdaAliasUpdate"):
            self.preference = self._codedeploy(updated.fields)

    def _codedeploy(self, written: Mapping[str, Node]) -> Preference:
        values = {key: evaluate(node, self._stack) for key, node in written.items()}
        application, group = (
            self._name(what, values[key], _ANY) if key in values else None
            for what, key in (("CodeDeploy's application", "ApplicationName"), ("CodeDeploy's group", "DeploymentGroupName"))
        )
        strategy, alarms = self._group(values.get("DeploymentGroupName"))
        return Preference(
            strategy=strategy,
            alarms=alarms,
            before_hook=self._name("hook BeforeAllowTrafficHook", values.get("BeforeAllowTrafficHook", Absent()), FUNCTION_NAME),
            after_hook=self._name("hook AfterAllowTrafficHook", values.get("AfterAllowTrafficHook", Absent()), FUNCTION_NAME),
            codedeploy=CodeDeployGroup(application=application, group=group) if application and group else None,
        )

    def _group(self, value: Value | None) -> tuple[Strategy, tuple[str, ...]]:
        """What the deployment group says, where it is a resource of this template."""
        resource = None
        if isinstance(value, Pointer) and value.type == _GROUP:
            resource = self._stack.resources.get(value.name.removeprefix(self._stack.prefix))
        if resource is None or resource.properties is None:
            self._note("preference", "the deployment group is not in the template")
            return Strategy(), ()
        named = resource.properties.fields.get("DeploymentConfigName")
        alarms = _below(resource.properties, "AlarmConfiguration", "Alarms")
        listed = evaluate(alarms, self._stack) if alarms else None
        if isinstance(listed, Items):  # each is `{Name: ...}`
            listed = Items(items=tuple(one.fields.get("Name", one) if isinstance(one, Fields) else one for one in listed.items))
        return self._strategy(evaluate(named, self._stack) if named else None), self._alarms(listed)


def aliases(stack: Stack) -> dict[str, list[Resource]]:
    """The aliases that resources of a stack make, by the function as the project knows it. Worked out once."""
    if stack.aliases is None:
        stack.aliases = {}
        for resource in stack.resources.values():
            node = resource.properties.fields.get("FunctionName") if resource.type == ALIAS and resource.properties else None
            if node is None or (resource.condition is not None and truth(resource.condition, stack) is False):
                continue
            value = evaluate(node, stack)
            if isinstance(value, Pointer):
                stack.aliases.setdefault(value.name, []).append(resource)
            elif isinstance(value, Text):
                for name in _called(value.text, stack):
                    stack.aliases.setdefault(name, []).append(resource)
    return stack.aliases


def _called(name: str, stack: Stack) -> list[str]:
    """The functions of a stack in which that name is written."""
    found: list[str] = []
    for resource in stack.resources.values():
        node = resource.properties.fields.get("FunctionName") if resource.type in FUNCTION_TYPES and resource.properties else None
        value = evaluate(node, stack) if node else None
        if isinstance(value, Text) and value.text == name:
            found.append(stack.prefix + resource.name)
    return found


def _below(node: Node, *keys: str) -> Node | None:
    found: Node | None = node
    for key in keys:
        found = found.fields.get(key) if found else None
    return found
