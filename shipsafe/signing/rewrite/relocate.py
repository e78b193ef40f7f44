"""Paths of a template that is written to another folder: relative to the old one before, to the new one afterwards.

`sam package` and `aws cloudformation package` take these properties for paths of files here, relative to the template:
https://docs.aws.amazon.com/cli/latest/reference/cloudformation/package.html and `samcli/lib/package` of https://github.com/aws/aws-sam-cli
"""

import os
import posixpath
from collections.abc import Callable

from shipsafe.signing.rewrite.edits import Edits, Path
from shipsafe.signing.rewrite.written import Part

_APPSYNC = (("RequestMappingTemplateS3Location",), ("ResponseMappingTemplateS3Location",), ("CodeS3Location",))
_PROPERTIES: dict[str, tuple[Path, ...]] = {
    "AWS::ApiGateway::RestApi": (("BodyS3Location",),),
    "AWS::ApiGatewayV2::Api": (("BodyS3Location",),),
    "AWS::AppSync::FunctionConfiguration": _APPSYNC,
    "AWS::AppSync::GraphQLSchema": (("DefinitionS3Location",),),
    "AWS::AppSync::Resolver": _APPSYNC,
    "AWS::CloudFormation::ModuleVersion": (("ModulePackage",),),
    "AWS::CloudFormation::ResourceVersion": (("SchemaHandlerPackage",),),
    "AWS::CloudFormation::Stack": (("TemplateURL",),),
    "AWS::CloudFormation::StackSet": (("TemplateURL",),),
    "AWS::CodeCommit::Repository": (("Code", "S3"),),
    "AWS::ElasticBeanstalk::ApplicationVersion": (("SourceBundle",),),
    "AWS::Glue::Job": (("Command", "ScriptLocation"),),
    "AWS::Lambda::Function": (("Code",),),
    "AWS::Lambda::LayerVersion": (("Content",),),
    "AWS::Serverless::Api": (("DefinitionUri",),),
    "AWS::Serverless::Application": (("Location",),),
    "AWS::Serverless::Function": (("CodeUri",), ("ImageUri",)),
    "AWS::Serverless::GraphQLApi": (("SchemaUri",),),
    "AWS::Serverless::HttpApi": (("DefinitionUri",),),
    "AWS::Serverless::LayerVersion": (("ContentUri",),),
    "AWS::Serverless::StateMachine": (("DefinitionUri",),),
    "AWS::Serverless::WebFunction": (("CodeUri",),),
    "AWS::StepFunctions::StateMachine": (("DefinitionS3Location",),),
}
_GRAPHQL = "AWS::Serverless::GraphQLApi"  # its functions and resolvers have code of their own, at any depth
_ELSEWHERE: tuple[Path, ...] = (
    ("Globals", "Function", "CodeUri"),
    ("Metadata", "AWS::ServerlessRepo::Application", "LicenseUrl"),
    ("Metadata", "AWS::ServerlessRepo::Application", "ReadmeUrl"),
)


def relocate(edits: Edits, old: str, new: str, *, exists: Callable[[str], bool], skip: frozenset[str]) -> None:
    """Make every path of a file of the project right for the new folder.

    Args:
        edits: of the template.
        old: folder, POSIX, relative to the project's root.
        new: likewise.
        exists: whether a path relative to the root is one of a file or folder; text that names nothing here is no path.
        skip: resources that are changed otherwise.

    Raises:
        ConfigError: a path stands in an alias, so that it cannot be changed alone.
    """
    if posixpath.normpath(old or ".") == posixpath.normpath(new or "."):
        return
    places = [*_ELSEWHERE, *asset_places(edits.root, skip), *_includes(edits, edits.root, ())]
    for place in places:
        part = edits.root.get(*place)
        if part is None or part.kind != "s" or part.tag or not _is_path(part.text):
            continue
        if edits.gone.intersection(place[:depth] for depth in range(1, len(place) + 1)):
            continue
        path = posixpath.normpath(posixpath.join(old, part.text))
        if exists(path):
            edits.put(place[:-1], place[-1], os.path.relpath(path, new or "."))


def asset_places(root: Part, skip: frozenset[str] = frozenset()) -> list[Path]:
    """Where a template may name files here, for `package` to upload: `("Resources", "Api", "Properties", "DefinitionUri")`.

    Args:
        root: of the template.
        skip: resources that are left out.
    """
    places: list[Path] = []
    resources = root.get("Resources")
    for logical_id, body in resources.fields().items() if resources else ():
        kind = body.get("Type")
        if logical_id not in skip:
            places += [("Resources", logical_id, "Properties", *rest) for rest in _PROPERTIES.get(kind.text if kind else "", ())]
            places.append(("Resources", logical_id, "Metadata", "DockerContext"))
            if kind and kind.text == _GRAPHQL:
                places += _code_uris(body, ("Resources", logical_id))
    return places


def _is_path(text: str) -> bool:
    return bool(text) and not text.startswith("/") and "://" not in text and text.isprintable()


def _code_uris(part: Part, path: Path) -> list[Path]:
    found: list[Path] = []
    for key, value in part.fields().items():
        found += [(*path, key)] if key == "CodeUri" else _code_uris(value, (*path, key))
    return found


def _includes(edits: Edits, part: Part, path: Path) -> list[Path]:
    """Where the location of an `AWS::Include` stands: it may stand anywhere."""
    for item in part.items:
        if _includes(edits, item.meant, path):
            edits.refuse(item.meant, "A file is included in a list, and its path would have to change with the template's folder.",
                         "Write the result into the template's own folder.")  # fmt: skip
    found: list[Path] = []
    for key, value in part.fields().items():
        name = value.get("Name")
        if key in ("Fn::Transform", "Transform") and name and name.text == "AWS::Include":
            found.append((*path, key, "Parameters", "Location"))
        else:
            found += _includes(edits, value, (*path, key))
    return found
