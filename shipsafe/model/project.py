"""The project as its template describes it: functions, layers, and what could not be resolved."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from shipsafe.model.location import Location
from shipsafe.model.preference import Preference


@dataclass(frozen=True, slots=True, kw_only=True)
class Unresolved:
    """A field of a function or layer that the reader could not resolve, and why. It is never guessed.

    `remedy` is what to do about it, where that is not to give a parameter a value.
    """

    field: str
    reason: str
    location: Location | None = None
    remedy: str = ""


class CodeKind(StrEnum):
    """What a function's or layer's code is, as far as the template says."""

    FOLDER = "folder"  # path is a folder of the project
    FILE = "file"  # path is a single source file
    ZIP = "zip"  # path is an archive that another tool made (zip or jar)
    INLINE = "inline"  # text stands in the template
    S3 = "s3"  # an object in a bucket: not here
    IMAGE = "image"  # a container image: Lambda cannot code-sign it
    UNKNOWN = "unknown"  # could not be resolved; see `unresolved`


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """Where code comes from.

    `path` is POSIX and relative to the project root, for FOLDER, FILE and ZIP; it need not exist (staging says so).
    `text` is the source of INLINE code; its file is `index.py` for Python. `uri` is what the template says of S3 and IMAGE.
    `prebuilt`: another tool staged this FOLDER or ZIP with its dependencies; it ships as it lies, and every gate is asked about it.
    `source`: the folder of the project that it was built from, relative to the root, where that is known: its lock says what
    should be in it, and its files are the ones that people edit.
    """

    kind: CodeKind
    path: str | None = None
    text: str | None = None
    uri: str | None = None
    location: Location | None = None
    prebuilt: bool = False
    source: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What another tool staged: a folder or zip, and the function or layer that it is, or None where the place itself says so."""

    path: Path
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerRef:
    """A layer that a function uses.

    Exactly one of three: `local` names a layer of the same project; `arn` is a resolved layer-version ARN (which may lack a
    version); `unresolved` says why neither is known. `changeable` may stand beside `arn` or `unresolved`: a parameter without a
    value is both unknown and free to change.

    Attributes:
        text: as the template has it, for people (`!Ref Common`, an ARN).
        arn: the ARN, or None. `version`, `account` and `region` are read from it where they are there.
        changeable: why the value may differ between two deploys of the same template (a parameter without a fixed value, a
            dynamic reference without a version), or "".
    """

    text: str
    arn: str | None = None
    version: int | None = None
    account: str | None = None
    region: str | None = None
    local: str | None = None
    changeable: str = ""
    unresolved: str = ""
    location: Location | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A Lambda function, whichever template or folder described it. Field names are AWS's, in snake case.

    Attributes:
        name: the logical id; `Nested.Function` in a nested stack; the configured name in a plain folder.
        runtime: such as `python3.13`; None where unresolved or an image.
        handler: such as `app.handler`; None where unresolved or an image.
        architectures: `x86_64` or `arm64`, one or more; never empty (Lambda's default is x86_64).
        requirements: the requirements or lock file configured for it in a plain folder, relative to the root.
        environment: names to values; a value that could not be resolved is None.
        places: where each field's value stands; keys are field names, `runtime` for example.
        build_method: SAM's `Metadata.BuildMethod` (`python3.13`, `makefile`, ...), or None.
        skip_build: SAM's `Metadata.SkipBuild`: ship as it lies.
        function_name: what Lambda is to call it, where that is written and certain; None where AWS makes up a name.
        trail: where templates write it, from the outermost one in: the template (POSIX, relative to the root) and the logical id of
            each nested stack on the way, and last its own. Empty where no template does.
        alias: that its callers use, where that is written and certain (SAM's `AutoPublishAlias`, or the one alias of it), or None.
        preference: how that alias moves, or None.
        unclear: what of name, alias and preference is written and not certain, and why: `alias: parameter Live has no value`. Only who
            deploys needs to know.
    """

    name: str
    runtime: str | None
    handler: str | None
    code: Code
    location: Location
    architectures: tuple[str, ...] = ("x86_64",)
    layers: tuple[LayerRef, ...] = ()
    environment: Mapping[str, str | None] = field(default_factory=dict)
    requirements: str | None = None
    build_method: str | None = None
    skip_build: bool = False
    unresolved: tuple[Unresolved, ...] = ()
    places: Mapping[str, Location] = field(default_factory=dict)
    trail: tuple[tuple[str, str], ...] = ()
    function_name: str | None = None
    alias: str | None = None
    preference: Preference | None = None
    unclear: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        """`function:NAME`, as reports and waivers write it."""
        return f"function:{self.name}"

    @property
    def is_image(self) -> bool:
        """Whether it runs a container image, which Lambda cannot code-sign."""
        return self.code.kind is CodeKind.IMAGE

    @property
    def is_python(self) -> bool:
        """Whether its runtime is one of Lambda's Python runtimes."""
        return (self.runtime or "").startswith("python")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A layer that the project itself defines (`AWS::Serverless::LayerVersion`, `AWS::Lambda::LayerVersion`).

    `build_method` is SAM's `Metadata.BuildMethod`; with a Python one, code and dependencies are staged below `python/`, as
    SAM does; without one the content ships as it lies. `trail` is as of a function.
    """

    name: str
    code: Code
    location: Location
    runtimes: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ()
    requirements: str | None = None
    build_method: str | None = None
    build_architecture: str | None = None
    unresolved: tuple[Unresolved, ...] = ()
    places: Mapping[str, Location] = field(default_factory=dict)
    trail: tuple[tuple[str, str], ...] = ()

    @property
    def subject(self) -> str:
        """`layer:NAME`, as reports and waivers write it."""
        return f"layer:{self.name}"

    @property
    def runtime(self) -> str | None:
        """The Python runtime its dependencies are installed for: the build method, else the newest compatible runtime."""
        # `python-uv` is a method of SAM's that names no version.
        if self.build_method and self.build_method.startswith("python3."):
            return self.build_method
        python = [name for name in self.runtimes if name.startswith("python")]
        return max(python, key=_version_key) if python else None

    @property
    def is_python(self) -> bool:
        """Whether it is built for, or declares, a Python runtime."""
        return self.runtime is not None


def _version_key(runtime: str) -> tuple[int, ...]:
    return tuple(int(part) for part in runtime.removeprefix("python").split(".") if part.isdigit())


Subject = Function | Layer
PROJECT = "project"  # the subject of what is asked once, about all of it


def unsaid(subject: Subject, field: str) -> str:
    """Why nobody knows a field of a function or layer, and what to do about it, as sentences; "" where it is known."""
    found = next((one for one in subject.unresolved if one.field == field), None)
    called = {"architectures": "architecture", "runtimes": "runtime"}.get(field, field)
    return f"The {called} of {subject.name} is not known: {found.reason.rstrip('.')}. {found.remedy}".rstrip() if found else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """What was read. Equal inputs give an equal value.

    Attributes:
        root: absolute path of the folder that relative paths are relative to.
        template: the template file, relative to the root, or None for a plain folder.
        templates: every template file that was read, nested ones too, relative to the root.
        functions, layers: in the order of the template, nested stacks after their parent's.
        hints: remarks for people (other templates found below the root, a nested stack that is remote).
        unresolved: what could not be read at the level of the project (a nested stack in S3, a macro): the verdict names it.
        parameters: of the template, those that were given a value (by the command line, the policy or SAM's configuration), and the value;
            None for one that the template wants hidden (NoEcho).
        prebuilt: what the command line named as staged by another tool, relative to the root; prebuilt code may lie in it even
            where it is outside of the repository.
    """

    root: Path
    template: str | None
    templates: tuple[str, ...] = ()
    functions: tuple[Function, ...] = ()
    layers: tuple[Layer, ...] = ()
    hints: tuple[str, ...] = ()
    unresolved: tuple[Unresolved, ...] = ()
    prebuilt: tuple[str, ...] = ()
    parameters: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """Everything that is staged, asked and packed: functions, then layers."""
        return (*self.functions, *self.layers)

    def layer(self, name: str) -> Layer | None:
        """The layer of that name, or None."""
        return next((layer for layer in self.layers if layer.name == name), None)

    def code_folder(self, subject: Subject) -> Path:
        """The folder that the subject's code comes from; the root for code that stands in the template or elsewhere."""
        code = subject.code
        if code.source is not None:
            return self.root / code.source
        if code.path is None:
            return self.root
        path = self.root / code.path
        return path if code.kind is CodeKind.FOLDER else path.parent
