"""AWS::Lambda::Function: a function of the local Lambda, under its code-signing configuration.

What order CloudFormation changes configuration, code signing and code in is documented nowhere; ours looks at new code under the new
configuration.
"""

import io
import zipfile
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from shipsafe.local.call import ApiError
from shipsafe.local.stacks.kinds.kind import INVALID, Acting, Condition, Kind, Properties, Todo, if_there
from shipsafe.local.stacks.kinds.properties import fitted, tags_of

_LONGEST = 64
_CODE = frozenset(("Code", "Architectures"))
# Properties that calls of their own set.
_BESIDE = frozenset(
    ("ReservedConcurrentExecutions", "RuntimeManagementConfig", "RecursiveLoop", "Tags", "KmsKeyArn", "FunctionName", "Code")
)
# What a function has again when its property is taken out of the template.
_DEFAULTS: Mapping[str, Any] = {
    "Description": "",
    "Timeout": 3,
    "MemorySize": 128,
    "Environment": {"Variables": {}},
    "Layers": [],
    "VpcConfig": {"SubnetIds": [], "SecurityGroupIds": []},
    "DeadLetterConfig": {"TargetArn": ""},
    "TracingConfig": {"Mode": "PassThrough"},
    "FileSystemConfigs": [],
    "EphemeralStorage": {"Size": 512},
    "SnapStart": {"ApplyOn": "None"},
    "ImageConfig": {},
}
_INLINE = {"python": "index.py", "nodejs": "index.js"}
_DATE = (1980, 1, 1, 0, 0, 0)


def _create(acting: Acting, properties: Properties) -> str:
    name = str(properties.get("FunctionName") or acting.name(_LONGEST))
    given = fitted("CreateFunction", _members(properties))
    given |= {"FunctionName": name, "Code": _code(properties), "Tags": tags_of(acting, properties)}
    acting.ask("CreateFunction", **given)
    acting.world.tag_function(acting.call.account, acting.call.region, name, acting.own_tags)
    return name


def _members(properties: Properties) -> dict[str, Any]:
    """What CreateFunction takes as it is."""
    members = {name: value for name, value in properties.items() if name not in _BESIDE}
    return members | ({"KMSKeyArn": properties["KmsKeyArn"]} if properties.get("KmsKeyArn") else {})


def _code(properties: Properties) -> dict[str, Any]:
    """`Code` as Lambda takes it.

    Raises:
        ApiError: INVALID: it is not there, or is no place that CloudFormation knows.
    """
    code = properties.get("Code")
    if not isinstance(code, dict):
        raise ApiError(INVALID, "#: required key [Code] not found")
    if "ZipFile" in code:
        return {**code, "ZipFile": _zipped(str(code["ZipFile"]), str(properties.get("Runtime", "")))}
    return dict(fitted("CreateFunction", {"Code": code})["Code"])


def _zipped(text: str, runtime: str) -> bytes:
    """Code that stands in the template itself, as CloudFormation packs it: one file `index`."""
    name = next((name for prefix, name in _INLINE.items() if runtime.startswith(prefix)), None)
    if name is None:
        raise ApiError(INVALID, f"#/Code/ZipFile: is not for the runtime {runtime[:100]}")
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(name, _DATE), text)
    return stream.getvalue()


def _finish(acting: Acting, physical: str, properties: Properties) -> Sequence[Todo]:
    return _beside(acting, physical, {}, properties)


def _update(acting: Acting, physical: str, old: Properties, new: Properties) -> Sequence[Todo]:
    todo: list[Todo] = []
    ask = partial(acting.ask, FunctionName=physical)
    without = frozenset(("CodeSigningConfigArn", "PackageType", "Architectures"))
    before, after = ({name: value for name, value in _members(one).items() if name not in without} for one in (old, new))
    if before != after:
        back = {name: value for name, value in _DEFAULTS.items() if name in before and name not in after}
        todo.append(partial(ask, "UpdateFunctionConfiguration", **back, **fitted("UpdateFunctionConfiguration", after)))
    signing = new.get("CodeSigningConfigArn")
    if signing != old.get("CodeSigningConfigArn"):
        todo.append(
            partial(ask, "PutFunctionCodeSigningConfig", CodeSigningConfigArn=signing)
            if signing
            else partial(ask, "DeleteFunctionCodeSigningConfig")
        )
    if any(old.get(name) != new.get(name) for name in _CODE):
        chosen = {"Architectures": new["Architectures"]} if new.get("Architectures") else {}
        todo.append(partial(ask, "UpdateFunctionCode", **_code(new), **chosen))
    return [*todo, *_beside(acting, physical, old, new), partial(_tag, acting, physical, new)]


def _beside(acting: Acting, physical: str, old: Properties, new: Properties) -> list[Todo]:
    """What is set by calls of its own."""
    ask, todo = partial(acting.ask, FunctionName=physical), list[Todo]()
    changed = {name for name in _BESIDE if old.get(name) != new.get(name)}
    if "ReservedConcurrentExecutions" in changed:
        reserved = new.get("ReservedConcurrentExecutions")
        known = fitted("PutFunctionConcurrency", {"ReservedConcurrentExecutions": reserved})
        todo.append(partial(ask, "PutFunctionConcurrency", **known) if reserved is not None else partial(ask, "DeleteFunctionConcurrency"))
    if "RuntimeManagementConfig" in changed:
        runtime = new.get("RuntimeManagementConfig") or {"UpdateRuntimeOn": "Auto"}
        todo.append(partial(ask, "PutRuntimeManagementConfig", **fitted("PutRuntimeManagementConfig", runtime)))
    if "RecursiveLoop" in changed:
        todo.append(partial(ask, "PutFunctionRecursionConfig", RecursiveLoop=new.get("RecursiveLoop") or "Terminate"))
    return todo


def _tag(acting: Acting, physical: str, properties: Properties) -> None:
    arn, tags = acting.arn("lambda", f"function:{physical}"), tags_of(acting, properties)
    have = acting.ask("ListTags", Resource=arn)["Tags"]
    if gone := [key for key in have if key not in tags and not key.startswith("aws:")]:
        acting.ask("UntagResource", Resource=arn, TagKeys=gone)
    if fresh := {key: value for key, value in tags.items() if have.get(key) != value}:
        acting.ask("TagResource", Resource=arn, Tags=fresh)


def condition(acting: Acting, physical: str) -> Condition:
    """How a function, or a version of one, is."""
    told = acting.ask("GetFunctionConfiguration", FunctionName=physical)
    state, last = told.get("State"), told.get("LastUpdateStatus")
    if state == "Failed":
        return Condition(trouble=str(told.get("StateReason") or "Failed"))
    return Condition(
        busy=state == "Pending" or last == "InProgress",
        trouble=str(told.get("LastUpdateStatusReason") or "Failed") if last == "Failed" else "",
    )


def _attributes(acting: Acting, physical: str, _properties: Properties) -> Mapping[str, Any]:
    return {"Arn": acting.arn("lambda", f"function:{physical}")}


def _delete(acting: Acting, physical: str, _properties: Properties) -> None:
    if_there(partial(acting.ask, "DeleteFunction", FunctionName=physical))


FUNCTION = Kind(
    create=_create,
    delete=_delete,
    replaced_by=frozenset(("FunctionName", "PackageType")),
    finish=_finish,
    update=_update,
    attributes=_attributes,
    condition=condition,
    tagged=True,
)
