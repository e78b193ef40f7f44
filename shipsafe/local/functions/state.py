"""All that the local Lambda remembers, as JSON values: a snapshot of it is a copy of it.

Times are seconds since 1970 (`float`) where something is computed with them, and AWS's own text where they are only shown.
"""

from typing import Any, Literal, TypedDict


class Seen(TypedDict):
    """What the signature inside a package says. `broken`: it does not vouch for these bytes, or its root is not accepted."""

    state: Literal["none", "broken", "signed"]
    job: str
    profile: str
    signed_at: str  # ISO 8601, UTC
    expires: str


class Code(TypedDict):
    """A package. `sha256` (hex) names its bytes among the blobs; "" for a container image, whose `code_sha256` is its digest in hex."""

    sha256: str
    code_sha256: str
    size: int
    unzipped: int
    seen: Seen
    image: str
    reference: dict[str, str]  # ResolvedS3Object, where the package stays in S3
    kms_key: str


class AttachedLayer(TypedDict):
    """A layer version as a function took it: it runs on after the version was deleted."""

    arn: str
    size: int
    unzipped: int
    seen: Seen


class Version(TypedDict):
    """`$LATEST` or a published version.

    `members` are those of FunctionConfiguration that a client can set. `becoming` is what happens to the version until the time `until`:
    it is created, or updated; `doom` is how that will end, where a control call has said so.
    """

    number: str
    members: dict[str, Any]
    layers: list[AttachedLayer]
    code: Code
    revision: str
    modified: str
    becoming: Literal["", "created", "updated"]
    until: float
    failed: dict[str, str]  # the members of State or LastUpdateStatus after a failure
    doom: dict[str, str]


class Alias(TypedDict):
    """A name for one version, or two."""

    name: str
    version: str
    description: str
    weights: dict[str, float]
    revision: str


class Policy(TypedDict):
    """The resource policy of a layer version. A function's has no revision of its own."""

    statements: list[dict[str, Any]]
    revision: str


class Function(TypedDict):
    """A function with everything that hangs on it. Mappings by qualifier have "" for the unqualified function."""

    name: str
    latest: Version
    versions: dict[str, Version]
    last_version: int
    aliases: dict[str, Alias]
    tags: dict[str, str]
    code_signing: str  # ARN of its code-signing configuration, or ""
    policies: dict[str, list[dict[str, Any]]]  # statements
    urls: dict[str, dict[str, Any]]
    reserved: int | None
    provisioned: dict[str, dict[str, Any]]
    retries: dict[str, dict[str, Any]]
    runtimes: dict[str, dict[str, Any]]
    recursion: str
    answers: dict[str, dict[str, Any]]  # what Invoke says, by version


class LayerVersion(TypedDict):
    """A version of a layer; it never changes."""

    number: int
    members: dict[str, Any]
    created: str
    code: Code
    policy: Policy


class Layer(TypedDict):
    """A layer. Numbers are never used again."""

    name: str
    last_version: int
    versions: dict[str, LayerVersion]


class CodeSigning(TypedDict):
    """A code-signing configuration."""

    id: str
    arn: str
    description: str
    publishers: list[str]
    policy: str
    modified: str
    tags: dict[str, str]


class Place(TypedDict):
    """What one account has in one region."""

    functions: dict[str, Function]
    layers: dict[str, Layer]
    code_signing: dict[str, CodeSigning]
    mappings: dict[str, dict[str, Any]]


class State(TypedDict):
    """Everything. `format` rises when an older snapshot could not be read any more."""

    format: int
    places: dict[str, Place]  # by ACCOUNT/REGION
    events: list[dict[str, Any]]
    invocations: list[dict[str, Any]]


FORMAT = 1


def nothing() -> State:
    """The state before the first call."""
    return {"format": FORMAT, "places": {}, "events": [], "invocations": []}


def empty_place() -> Place:
    """An account that has nothing in a region."""
    return {"functions": {}, "layers": {}, "code_signing": {}, "mappings": {}}
