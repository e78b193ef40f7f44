"""The straight line of `layers vendor`: another's layer version -> our copy, asked, signed, published, and pinned where it is used.

The copy is asked and signed as any zip is (`flows/sign.py`); it becomes a release in a folder of its own, with its SBOM and its evidence.
Then it is published once for each target, and the templates name the version that is ours. A second run finds all of it there.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from shipsafe.adapters.aws.layers import LayerContent
from shipsafe.adapters.aws.session import Aws, Place, open_aws
from shipsafe.adapters.files import disk_errors, write_atomic
from shipsafe.adapters.template_text import read_text
from shipsafe.adapters.timeline import Timeline
from shipsafe.errors import ConfigError, ExitCode, IntegrityError, ShipsafeError, gravest
from shipsafe.flows.bare_said import Bare
from shipsafe.flows.layer_copy import Original, bring, look_at, to_sign
from shipsafe.flows.sign import Asking, Planned, Signed, asking, signed
from shipsafe.flows.sign import planned as signing_planned
from shipsafe.flows.sign_policy import load_policy
from shipsafe.flows.sign_request import SignRequest
from shipsafe.flows.targets import once_a_place, place_of, targets_of
from shipsafe.flows.vendor_note import note
from shipsafe.flows.vouching import needs_builder
from shipsafe.model.signing import SignedArtifact, SignTarget
from shipsafe.packing.release import Release
from shipsafe.packing.runtimes import is_a_name
from shipsafe.packing.signatures import signatures_of
from shipsafe.readers.template.find import root_template
from shipsafe.reports.live import Progress
from shipsafe.signing.layer_versions import found_layer, published
from shipsafe.signing.rewrite.layers import Pinned, pin_layer
from shipsafe.signing.zip_entries import read_entries

_EXTENSIONS = "extensions/"


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorRequest:
    """What somebody asked for.

    Attributes:
        original: the layer version to copy.
        sign: whose policy, which targets, keys and times; `out` is the folder of the copy. Its `bare` is made here.
        name: of the layer in our account.
        runtimes, architectures: that it is compatible with; empty for what the original says.
        templates: to be edited; None for the one that lies in the working directory, if any.
    """

    original: Original
    sign: SignRequest
    name: str
    runtimes: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ()
    templates: tuple[Path, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """What was asked for, the original as Lambda describes it, and the CodeSha256 of what is to be signed of it."""

    request: VendorRequest
    layer: LayerContent
    code_sha256: str

    @property
    def runtimes(self) -> tuple[str, ...]:
        """What the copy says that it is compatible with: what the original does, but for names that Lambda runs nothing by any more."""
        return self.request.runtimes or tuple(one for one in self.layer.runtimes if is_a_name(one))

    @property
    def architectures(self) -> tuple[str, ...]:
        """Likewise."""
        return self.request.architectures or self.layer.architectures


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendoring:
    """A layer that was copied, and whose gates were asked; the folder of the copy is held."""

    copy: Copy
    case: Asking
    connect: Callable[[Place], Aws]

    @property
    def request(self) -> VendorRequest:
        """What was asked for."""
        return self.copy.request


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A template that names the original, and the lines where it does."""

    path: Path
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorPlan:
    """What is left to do.

    `there`: the versions that are published already, by the target's name. `extensions`: of the copy, by name: no gate reads them.
    """

    signing: Planned
    there: dict[str, LayerContent]
    edits: tuple[Edit, ...]
    extensions: tuple[str, ...] = ()

    @property
    def changes(self) -> bool:
        """Whether anything is to be signed, published or edited."""
        return self.signing.made.changes or len(self.there) < len(self.signing.made.stands) or bool(self.edits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendored:
    """What came of it: the versions by target, the files that were written, and what could not be done."""

    signed: Signed
    layers: dict[str, LayerContent]
    written: tuple[Path, ...] = ()
    failed: tuple[ShipsafeError, ...] = ()

    @property
    def exit_code(self) -> ExitCode:
        """That of the gravest failure."""
        return gravest([self.signed.exit_code, *(error.exit_code for error in self.failed)])


@contextmanager
def vendoring(
    request: VendorRequest, progress: Progress, timeline: Timeline, connect: Callable[[Place], Aws] = open_aws
) -> Iterator[Vendoring]:  # fmt: skip
    """Copy the layer, and ask all gates about it.

    Raises:
        ConfigError: the policy cannot be used or has no target in the layer's region, or it trusts whoever has signed the layer.
        IntegrityError: other bytes came than Lambda names, or it does not count their signature; the policy wants a builder's word; or as
            `asking`.
        IncompleteError: it cannot be looked at or downloaded; or as `asking`.
    """
    original, sign = request.original, request.sign
    policy = load_policy(sign, Path.cwd(), sign.policy)
    if needs_builder(policy):
        what = f"The policy takes nothing that no builder has attested, and nobody attests what is in {original.arn}."
        remedy = "Name one with --policy under which layers of others may be copied: who may change it decides which."
        raise IntegrityError(what, remedy=remedy, path=policy.path)
    opened = once_a_place(connect)
    targets = _there(targets_of(policy, sign.targets), opened, original, named=bool(sign.targets))
    aws = opened(place_of(targets[0]))
    layer = look_at(aws, original, policy.sign)
    file = sign.out / "original" / f"{request.name}.zip"
    bring(layer, file, local=aws.local, say=progress.say)
    path, code_sha256 = to_sign(layer, file, sign.out / "unsigned")
    copy = Copy(request=request, layer=layer, code_sha256=code_sha256)
    bare = Bare(zips=(path,), layer=True, runtimes=copy.runtimes, architectures=copy.architectures)
    wanted = replace(sign, bare=bare, targets=tuple(target.name for target in targets))
    with asking(wanted, progress, timeline) as case:
        yield Vendoring(copy=copy, case=case, connect=connect)


def _there(
    targets: Sequence[SignTarget], opened: Callable[[Place], Aws], original: Original, *, named: bool
) -> tuple[SignTarget, ...]:  # fmt: skip
    """The targets in the layer's region: functions attach layers of their own region alone."""
    found = tuple(target for target in targets if opened(place_of(target)).region == original.region)
    if not found or (named and len(found) < len(targets)):
        where = ", ".join(f"{target.name} ({opened(place_of(target)).region})" for target in targets)
        raise ConfigError(
            f"{original.arn} can be attached in {original.region} alone, and the targets are: {where}.",
            remedy="Name the layer's version in the target's region, or a target in that of the layer.",
        )
    return found


def planned(case: Vendoring, release: Release) -> VendorPlan:
    """What is left to do. Changes nothing.

    Raises:
        ConfigError: a template cannot be read or edited faithfully, or would have to name the layers of several accounts.
        IntegrityError: what was asked is not the zip that came.
        ShipsafeError: as `flows.sign.planned`; or AWS gave no answer.
    """
    for one in release.artifacts:
        if one.code_sha256 != case.copy.code_sha256:  # it lay in a folder while the gates were asked
            what = f"{one.path.name} is not the copy of {case.request.original.arn} that was made: somebody changed it meanwhile."
            raise IntegrityError(what, remedy="Find out who can write there, then run this again.", path=str(one.path))
    signing = signing_planned(case.case, case.connect)
    edits = tuple(_edits(case, signing))
    there: dict[str, LayerContent] = {}
    for by_target in signatures_of(release).values():
        for stand in signing.made.stands:
            earlier = by_target.get(stand.target.name)
            if earlier is None or earlier.profile_version != stand.profile.arn:  # it will be signed by another
                continue
            if (found := found_layer(stand.aws, earlier, case.request.name)) is not None:
                there[stand.target.name] = found
    return VendorPlan(signing=signing, there=there, edits=edits, extensions=tuple(_extensions(release)))


def _extensions(release: Release) -> Iterator[str]:
    """Programs that Lambda starts beside every function that has the layer.

    Source: "Using the Lambda Extensions API": it looks for them in /opt/extensions.
    """
    for one in release.artifacts:
        with disk_errors(one.path), one.path.open("rb") as file:
            names = (entry.name for entry in read_entries(file))
            yield from (name.removeprefix(_EXTENSIONS) for name in names if name.startswith(_EXTENSIONS) and not name.endswith("/"))


def _edits(case: Vendoring, signing: Planned) -> Iterator[Edit]:
    """The templates that name the original. With a made-up version, so that what cannot be edited is said before anything is signed."""
    request, stands = case.request, signing.made.stands
    if request.templates is None:
        found = root_template(Path.cwd())
        paths: tuple[Path, ...] = (found,) if found else ()
    else:
        paths = request.templates
    for path in paths:
        made = _pinned(case, path, stands[0].aws, f"{_awaited(case, stands[0].aws)}:1")
        if made.lines and len(stands) > 1:
            names = ", ".join(stand.target.name for stand in stands)
            raise ConfigError(f"A template names the layer of one account, and there are several targets: {names}.",
                              remedy="Name one with --target.", path=str(path))  # fmt: skip
        if made.lines:
            yield Edit(path=path, lines=made.lines)


def _awaited(case: Vendoring, aws: Aws) -> str:
    return f"arn:{aws.partition}:lambda:{aws.region}:{aws.account}:layer:{case.request.name}"


def _pinned(case: Vendoring, path: Path, aws: Aws, new: str) -> Pinned:
    if path.is_symlink():  # it came with the checkout, and what it leads to would be overwritten
        raise ConfigError("The template is a link.", remedy="Name the file that it leads to.", path=str(path))
    if not path.is_file():
        raise ConfigError("There is no such file.", remedy="Name a SAM or CloudFormation template.", path=str(path))
    pseudo = {"AWS::Partition": aws.partition, "AWS::Region": aws.region, "AWS::AccountId": aws.account}
    return pin_layer(read_text(path, name=str(path)), case.request.original.arn, new, name=str(path), pseudo=pseudo,
                     json_only=path.suffix == ".json")  # fmt: skip


def vendored(
    case: Vendoring, release: Release, plan: VendorPlan, say: Callable[[str], None], sleep: Callable[[float], None]
) -> Vendored:  # fmt: skip
    """Sign the copy, publish it, and edit the templates. What was done stays where the rest fails; the next run goes on.

    Raises:
        ShipsafeError: as `flows.sign.signed`.
    """
    done = signed(case.case, release, plan.signing, say)
    stands = {stand.target.name: stand for stand in plan.signing.made.stands}
    layers: dict[str, LayerContent] = {}
    failed: list[ShipsafeError] = []
    for one in () if done.unproven else done.signed:
        try:
            layers[one.target] = _published(case, stands[one.target].aws, one, sleep)
        except ShipsafeError as error:
            failed.append(error)
            continue
        say(f"{one.artifact} -> {one.target}: {layers[one.target].arn}")
    written: list[Path] = []
    try:
        written = list(_written(case, plan, done.signed, layers))
    except ShipsafeError as error:
        failed.append(error)
    return Vendored(signed=done, layers=layers, written=tuple(written), failed=tuple(failed))


def _published(case: Vendoring, aws: Aws, one: SignedArtifact, sleep: Callable[[float], None]) -> LayerContent:
    return published(
        aws, one, name=case.request.name, sleep=sleep, runtimes=case.copy.runtimes, architectures=case.copy.architectures,
        licence=case.copy.layer.licence, about=f"copy of {case.request.original.arn}",
    )  # fmt: skip


def _written(
    case: Vendoring, plan: VendorPlan, done: Sequence[SignedArtifact], layers: dict[str, LayerContent]
) -> Iterator[Path]:  # fmt: skip
    """Say what the copy is a copy of, and write the version that is ours into the templates."""
    if not layers:
        return
    yield note(case.request.sign.out, case.copy.layer, done, layers)
    for edit in plan.edits:
        stand = plan.signing.made.stands[0]
        if (layer := layers.get(stand.target.name)) is not None:
            made = _pinned(case, edit.path, stand.aws, layer.arn)
            write_atomic(edit.path.resolve(), made.text.encode())
            yield edit.path
