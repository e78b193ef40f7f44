"""What a template may do only where its caller says so: make rights (IAM). Source: CreateChangeSet in the API reference.

CAPABILITY_AUTO_EXPAND is for stacks that are changed without a change set; here it is taken and has no effect, as on AWS.
"""

from collections.abc import Mapping, Sequence
from typing import Any

IAM, NAMED_IAM = "CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"
_NAMES = {
    "AWS::IAM::Group": "GroupName",
    "AWS::IAM::InstanceProfile": "InstanceProfileName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::User": "UserName",
    "AWS::IAM::AccessKey": "",
    "AWS::IAM::Policy": "",
    "AWS::IAM::UserToGroupAddition": "",
}


def needed(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Capability and type of resource, for each type that needs one."""
    found = []
    for one in document["Resources"].values():
        if one["Type"] in _NAMES:
            named = bool((one.get("Properties") or {}).get(_NAMES[one["Type"]]))
            found.append((NAMED_IAM if named else IAM, str(one["Type"])))
    return sorted(set(found))


def lacking(document: Mapping[str, Any], given: Sequence[str]) -> str:
    """The capability that a template needs and nobody gave; "" for none. The named one counts for the other, too."""
    wanted = {capability for capability, _ in needed(document)}
    if NAMED_IAM in given:
        return ""
    return NAMED_IAM if NAMED_IAM in wanted else IAM if IAM in wanted and IAM not in given else ""
