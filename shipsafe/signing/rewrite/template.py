"""The functions and layers of one template, turned to the objects that were signed.

CodeUri: src/orders/            becomes     CodeUri: {Bucket: ..., Key: ..., Version: ...}

Only a bucket, key and version that stand there as such are the code that was signed. So code that depends on a condition or a macro is
refused, with its line; a parameter that named the code decides nothing any more, and the remarks say so.

Metadata for `sam build` stays: SAM leaves out what is already in a bucket. Metadata in which CDK says where an asset came from goes: SAM
would put the unsigned folder back in place of the signed object.
"""

from collections.abc import Mapping

from shipsafe.errors import ConfigError
from shipsafe.signing.rewrite.deployable import Deployable
from shipsafe.signing.rewrite.edits import Edits, Path
from shipsafe.signing.rewrite.style import Opaque
from shipsafe.signing.rewrite.written import Part

_SAM_FUNCTION, _FUNCTION = "AWS::Serverless::Function", "AWS::Lambda::Function"
FUNCTIONS = (_SAM_FUNCTION, _FUNCTION)
NEVER_SIGNED = ("AWS::Serverless::WebFunction",)  # a function that no reader reads
_SAM_FIELDS, _FIELDS = ("Bucket", "Key", "Version"), ("S3Bucket", "S3Key", "S3ObjectVersion")
# Type of the resource -> the property that says where its code is, and what that property holds of an object.
CODED = {
    _SAM_FUNCTION: ("CodeUri", _SAM_FIELDS),
    "AWS::Serverless::LayerVersion": ("ContentUri", _SAM_FIELDS),
    _FUNCTION: ("Code", _FIELDS),
    "AWS::Lambda::LayerVersion": ("Content", _FIELDS),
}
_CONFIG = "CodeSigningConfigArn"
# https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-function.html: the digest that decides,
# where it is given, whether an alias moves to a new version. An old one would keep the alias on unsigned code.
_PUBLISHED = "AutoPublishCodeSha256"
_ASSET = "aws:asset:"
_NAMED = 20  # resources in one remark


def sign_resources(edits: Edits, name: str, signed: Mapping[str, Deployable]) -> list[str]:
    """Turn the resources of those logical ids to what was signed, and say what else is to be known of the template.

    Args:
        edits: of the template.
        name: of the template, for remarks.
        signed: logical id -> what it is to take.

    Raises:
        ConfigError: a resource is not there, or its code cannot be replaced faithfully.
    """
    resources = edits.root.get("Resources")
    bodies = resources.fields() if resources else {}
    remarks: list[str] = []
    for logical_id, one in signed.items():
        if logical_id not in bodies:
            edits.refuse(resources, f"The template has no resource {logical_id}, which was signed.", "Sign what this template describes.")
        remarks += _sign(edits, name, logical_id, bodies[logical_id], one)
    _tidy_globals(edits, bodies, signed)
    remarks += _published(edits, name, bodies, signed)
    remarks += _unsigned(edits, name, bodies, signed)
    return remarks


def _sign(edits: Edits, name: str, logical_id: str, body: Part, one: Deployable) -> list[str]:
    kind = kind_of(body)
    if kind not in CODED:
        edits.refuse(body, f"{logical_id} was signed, and is neither a function nor a layer here.", "Sign what this template describes.")
    for part in (body, body.get("Properties")):
        if part and any(key.startswith("Fn::") for key in part.fields()):
            edits.refuse(part, f"A macro writes properties of {logical_id}, so that nobody can say what its code will be.",
                         "Write them out, without Fn::Transform or Fn::ForEach.")  # fmt: skip
    package = body.get("Properties", "PackageType")
    if (package and package.text == "Image") or body.get("Properties", "ImageUri") or body.get("Properties", "Code", "ImageUri"):
        edits.refuse(
            body, f"{logical_id} runs a container image here, and a zip was signed.", "Build the release again from this template."
        )
    path: Path = ("Resources", logical_id, "Properties")
    key, fields = CODED[kind]
    remarks: list[str] = []
    for old in (setting(edits.root, body, key), setting(edits.root, body, "InlineCode")):
        if old is not None:
            remarks += _check(edits, name, logical_id, old)
    _put_code(edits, path, kind, dict(zip(fields, (one.bucket, one.key, Opaque(one.version)), strict=True)))
    if kind == _SAM_FUNCTION and setting(edits.root, body, _PUBLISHED):
        edits.put(path, _PUBLISHED, Opaque(one.code_hex), after=key)
    if kind in FUNCTIONS and one.code_signing_config:
        remarks += _put_config(edits, name, logical_id, body, one.code_signing_config, one)
    metadata = body.get("Metadata")
    if metadata and (assets := [entry for entry in metadata.fields() if entry.startswith(_ASSET)]):
        edits.remove(("Resources", logical_id, "Metadata"), assets)
    return remarks


def _check(edits: Edits, name: str, logical_id: str, old: Part) -> list[str]:
    """What stands there now may be replaced, or not."""
    calls = set(old.calls())
    if calls & {"Fn::If", "Fn::Transform"} or any(call.startswith("Fn::ForEach") for call in calls):
        edits.refuse(old, f"The code of {logical_id} depends on a condition or a macro, and one of its values was signed.",
                     "Write it without Fn::If and Fn::Transform: two functions with a Condition each, for example.")  # fmt: skip
    mode = old.get("S3ObjectStorageMode")
    if mode is not None and mode.text != "COPY":
        edits.refuse(mode, f"{logical_id} runs its code from the bucket (S3ObjectStorageMode), and whether Lambda checks a signature there"
                     " is not documented.", "Take S3ObjectStorageMode out.")  # fmt: skip
    declared = edits.root.get("Parameters")
    names = [one for one in (declared.fields() if declared else ()) if any(one == text or f"${{{one}}}" in text for text in old.texts())]
    if not names:
        return []
    return [f"{logical_id} ({name}:{old.line}) takes the signed object; parameter {', '.join(names)} no longer says which code it runs."]


def _put_code(edits: Edits, path: Path, kind: str, new: dict[str, str]) -> None:
    """Replace what says where the code is, entry by entry where it is a mapping already."""
    key = CODED[kind][0]
    properties = edits.root.get(*path)
    inline = properties.own("InlineCode") if properties and kind == _SAM_FUNCTION else None
    if kind == _SAM_FUNCTION and not inline and setting(edits.root, edits.root.get(*path[:2]), "InlineCode"):
        edits.refuse(properties, f"The InlineCode of {path[1]} stands elsewhere, and SAM takes no signed object beside it.",
                     "Write it at the function.")  # fmt: skip
    own = properties.own(key) if properties else None
    if inline and own:
        edits.remove(path, ["InlineCode"])
    elif inline:
        edits.turn(path, "InlineCode", key, new)
        return
    if own is None or own.value.kind != "{" or own.value.call or not own.value.entries:
        edits.put(path, key, new)
        return
    _put_fields(edits, (*path, key), own.value, new)


def _put_fields(edits: Edits, path: Path, old: Part, new: dict[str, str]) -> None:
    """Bucket, key and version of a mapping that may say more of the code (`SourceKMSKeyArn`)."""
    gone = ["ZipFile"] if old.own("ZipFile") else []
    last = next((key for key in reversed(new) if old.own(key)), None)
    missing = {key: value for key, value in new.items() if not old.own(key)}
    for key in new.keys() - missing.keys():
        edits.put(path, key, new[key])
    if gone and missing and last is None:
        first = next(iter(missing))
        edits.turn(path, gone.pop(0), first, missing.pop(first))
        last = first
    for key, value in missing.items():
        edits.put(path, key, value, after=last if last and old.own(last) else None)
    if gone:
        edits.remove(path, gone)


def _put_config(edits: Edits, name: str, logical_id: str, body: Part, arn: str, one: Deployable) -> list[str]:
    if (region := arn.split(":")[3]) != one.region:
        raise ConfigError(f"The code-signing configuration of target {one.target} lies in {region}, and its code in {one.region}.",
                          remedy="Name one of that region.")  # fmt: skip
    old = body.get("Properties", _CONFIG)
    if old is not None and old.kind == "s" and not old.call and old.text == arn:
        return []
    edits.put(("Resources", logical_id, "Properties"), _CONFIG, arn, after=CODED[kind_of(body)][0])
    if old is None:
        return []
    return [f"{logical_id} ({name}:{old.line}) had another code-signing configuration; now it has the one of target {one.target}."]


def _tidy_globals(edits: Edits, bodies: Mapping[str, Part], signed: Mapping[str, Deployable]) -> None:
    """Take the code out of `Globals` where no function takes it any more; an unsigned one added later would."""
    shared = edits.root.own("Globals")
    section = shared.value.own("Function") if shared and shared.value.kind == "{" else None
    if section is None or section.value.kind != "{" or section.value.own("CodeUri") is None:
        return
    for logical_id, body in bodies.items():
        has_own = any(body.get("Properties", key) for key in ("CodeUri", "InlineCode", "ImageUri"))
        if kind_of(body) == _SAM_FUNCTION and logical_id not in signed and not has_own:
            return
    edits.remove(("Globals", "Function"), ["CodeUri"])


def _published(edits: Edits, name: str, bodies: Mapping[str, Part], signed: Mapping[str, Deployable]) -> list[str]:
    """Versions that the template publishes of a signed function: their digest must be the signed one's."""
    remarks: list[str] = []
    for logical_id, body in bodies.items():
        function = _function_of(body) if kind_of(body) == "AWS::Lambda::Version" else None
        if function is None or function not in signed or kind_of(bodies[function]) not in FUNCTIONS:
            continue
        if body.get("Properties", "CodeSha256"):
            edits.put(("Resources", logical_id, "Properties"), "CodeSha256", Opaque(signed[function].code_sha256))
        remarks.append(f"{_place(edits, name, logical_id)} publishes a version of {function}: CloudFormation publishes another one only"
                       " when its logical id changes, so that an alias may stay on unsigned code.")  # fmt: skip
    return remarks


def _function_of(version: Part) -> str | None:
    """The logical id of the function that an `AWS::Lambda::Version` is of, where it names one of the template."""
    target = version.get("Properties", "FunctionName")
    call = target.call if target else None
    if target is None or call not in ("Ref", "Fn::GetAtt"):
        return None
    argument = target if target.tag else target.get(call)
    if argument is None:
        return None
    first = argument.items[0].meant.text if argument.items else argument.text
    return first.partition(".")[0]


def _unsigned(edits: Edits, name: str, bodies: Mapping[str, Part], signed: Mapping[str, Deployable]) -> list[str]:
    left = [logical_id for logical_id, body in bodies.items() if kind_of(body) in (*CODED, *NEVER_SIGNED) and logical_id not in signed]
    plain: list[str] = []
    remarks: list[str] = []
    for logical_id in left:
        body = bodies[logical_id]
        place = _place(edits, name, logical_id)
        if kind_of(body) in (*FUNCTIONS, *NEVER_SIGNED) and setting(edits.root, body, _CONFIG):
            remarks.append(f"{place} was not signed and has a code-signing configuration, with which Lambda refuses unsigned code."
                           f" Sign it, or take {_CONFIG} from it.")  # fmt: skip
        else:
            plain.append(place)
    if plain:
        more = f" and {len(plain) - _NAMED} more" if len(plain) > _NAMED else ""
        remarks.insert(0, f"Not signed, and left as it was: {', '.join(plain[:_NAMED])}{more}.")
    return remarks


def _place(edits: Edits, name: str, logical_id: str) -> str:
    """A resource, and the line where its logical id stands."""
    resources = edits.root.get("Resources")
    entry = resources.own(logical_id) if resources else None
    return f"{logical_id} ({name}:{entry.key.line})" if entry else logical_id


def setting(root: Part, body: Part | None, key: str) -> Part | None:
    """A property of a resource, or what it inherits from `Globals`."""
    own = body.get("Properties", key) if body else None
    if own is None and body and kind_of(body) == _SAM_FUNCTION:
        own = root.get("Globals", "Function", key)
    return None if own is None or own.is_null else own


def kind_of(body: Part) -> str:
    """The type of a resource, "" where it says none."""
    kind = body.get("Type")
    return kind.text if kind and kind.kind == "s" else ""
