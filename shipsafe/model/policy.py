"""What a team allows: the policy and its waivers, as nouns. `shipsafe.policy` reads them from files."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase

from shipsafe.model.attestation import AttestPolicy
from shipsafe.model.deployment import DeployPolicy
from shipsafe.model.enforcement import EnforcePolicy
from shipsafe.model.location import Location
from shipsafe.model.override import BreakGlassPolicy
from shipsafe.model.pipeline import ApprovalPolicy, PipelinePolicy
from shipsafe.model.severity import Severity
from shipsafe.model.signing import SignPolicy


class Mode(StrEnum):
    """`enforce` blocks, `observe` reports and never blocks."""

    ENFORCE = "enforce"
    OBSERVE = "observe"


@dataclass(frozen=True, slots=True, kw_only=True)
class FailOn:
    """`high`, or `high:fixable`: from which severity on a finding blocks, and whether only when a fix is known.

    `threshold` None is `never`.
    """

    threshold: Severity | None
    fixable_only: bool = False

    def __str__(self) -> str:
        if self.threshold is None:
            return "never"
        return f"{self.threshold}:fixable" if self.fixable_only else str(self.threshold)


@dataclass(frozen=True, slots=True, kw_only=True)
class GatePolicy:
    """What the policy says of one gate.

    `enforce_from` is the first day on which the gate blocks; before it, it observes. `unscored` says whether a finding
    nobody has rated blocks. `settings` are the gate's own, keys as in the file (`allow-sdist`).
    """

    mode: Mode = Mode.ENFORCE
    enforce_from: date | None = None
    fail_on: FailOn = field(default_factory=lambda: FailOn(threshold=Severity.HIGH))
    unscored_blocks: bool = False
    settings: Mapping[str, object] = field(default_factory=dict)

    def mode_on(self, today: date) -> Mode:
        """The mode that holds on that day."""
        if self.enforce_from is not None and today < self.enforce_from:
            return Mode.OBSERVE
        return self.mode


class AdvisorySource(StrEnum):
    """Where advisories come from."""

    SNAPSHOT = "snapshot"  # `shipsafe advisories pull`, in the user's cache folder
    PYPI = "pypi"  # pip-audit's own service
    OSV = "osv"  # pip-audit's own service
    FOLDER = "folder"  # a folder or zip of OSV records that the policy names


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvisoryPolicy:
    """Which advisories, and how old they may be.

    `path` is absolute, for FOLDER; `stated_date` is the date that the policy states for it; `max_age` None is `off`;
    `unknown_age_allowed` False (strict) refuses a folder without a date; `label` is what the screen says of a folder.
    """

    source: AdvisorySource = AdvisorySource.SNAPSHOT
    path: str | None = None
    stated_date: date | None = None
    max_age: timedelta | None = timedelta(days=7)
    unknown_age_allowed: bool = True
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """Permission for one rule or advisory at one subject.

    `target` is a rule id (`layers/unpinned`) or an advisory id or alias. `subject` is `function:ID`, `layer:ID`,
    `project`, a bare ID, or `*`. `expires` is the last day on which it holds. `until_fixed` ends it as soon as a fixed
    version is known. `justification` is one of `shipsafe.model.vex.JUSTIFICATIONS`, or "": with it a waiver of an advisory
    becomes `not_affected` in a VEX document, without it `affected`.
    """

    target: str
    subject: str
    reason: str
    owner: str
    expires: date | None = None
    until_fixed: bool = False
    location: Location | None = None
    justification: str = ""

    def covers(self, subject: str) -> bool:
        """Whether it speaks of that subject (`function:billing` is also `billing`)."""
        return self.subject in ("*", subject, subject.partition(":")[2])


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionConfig:
    """A `[[functions]]` entry of a project without a template. Paths are as in the file, relative to it."""

    name: str
    handler: str
    runtime: str
    code: str
    architecture: str = "x86_64"
    requirements: str | None = None
    layers: tuple[str, ...] = ()
    location: Location | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LockChoice:
    """What of a lock ships: groups and extras beside its main dependencies (or, with `only_groups`, instead of them).

    `member` names the member of a workspace whose package the function runs, where that is not the one its code lies in.
    """

    groups: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    only_groups: bool = False
    member: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Select:
    """What a function or layer whose name fits the pattern takes of its lock; None where it says nothing."""

    function: str
    groups: tuple[str, ...] | None = None
    extras: tuple[str, ...] | None = None
    only_groups: bool | None = None
    member: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedIndex:
    """An index that claims names: they come from it and from nowhere else, and nothing else comes from it.

    `url` may hold `${VARIABLE}` where credentials stand; it is never written out. `packages` are patterns (`acme-*`).
    """

    name: str
    url: str
    packages: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FindLinks:
    """A folder or page of wheels: as the policy has it, and where it is (an absolute path, or a URL)."""

    shown: str
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The effective policy: presets, organisation's base and the project's own file, merged.

    Attributes:
        path: the project's file as the user knows it, None when there is none; `digest` `sha256:...` over the effective
            policy (not the file: a preset that changes, changes it).
        required: ids of gates that must have an outcome for every subject they can be asked about.
        accounts: "ours": layers from them are trusted.
        first_party: patterns (`acme-*`) of distributions that are ours and in no advisory feed.
        publishers: further accounts whose layers are trusted.
        lock: the name of the lock or requirements file to use where two kinds stand beside each other.
        refuses_prebuilt: whether Python packages that another tool built are refused; `proves_prebuilt` whether only those are of which
            a file is neither the source's nor a verified wheel's.
        lock_choice: what of a lock ships, for every function; `selects` say it for some, the last that fits wins.
        shared_lock: a lock, absolute, from which requirements files beside the code choose; None where they stand alone.
        constraints: files of constraints, absolute.
        index, extra_indexes: where packages come from; None for PyPI. Their URLs may hold `${VARIABLE}`, as those of `named_indexes`.
        find_links: folders and pages of wheels.
        pypi_mirrors: indexes that hold what PyPI holds, so that PyPI's advisories speak of them.
        unwaivable: rules and advisories that no waiver can touch.
        longest_waiver: how far ahead a waiver may expire; None for no limit.
        baseline: the file of findings that are known (absolute), None for none; `longest_baseline` how old its entries may grow.
        vex: VEX documents to read before judging, as absolute paths.
        sign: where artifacts are signed, and whose signatures hold.
        attest: whose statements about an artifact count.
        deploy: how functions go live. enforce: what code-signing configurations are to be. break_glass: what an emergency may override.
        pipeline: which workflow of which repository signs and deploys. approvals: who approves waivers.
        parameters: template parameters that the policy fixes.
        overrides: what the command line set over it, as words (`--fail-on critical`).
        origins: dotted key -> where its value comes from (`preset baseline`, `shipsafe.toml:4`), for `policy show --origin`.
        effective: the merged document, in the spelling of the file.
    """

    path: str | None
    digest: str
    required: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    first_party: tuple[str, ...] = ()
    evidence: str | None = None
    publishers: tuple[str, ...] = ()
    advisories: AdvisoryPolicy = field(default_factory=AdvisoryPolicy)
    gates: Mapping[str, GatePolicy] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    functions: tuple[FunctionConfig, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    lock: str | None = None
    lock_choice: LockChoice = field(default_factory=LockChoice)
    selects: tuple[Select, ...] = ()
    shared_lock: str | None = None
    constraints: tuple[str, ...] = ()
    refuses_prebuilt: bool = False
    proves_prebuilt: bool = False
    index: str | None = None
    extra_indexes: tuple[str, ...] = ()
    named_indexes: tuple[NamedIndex, ...] = ()
    find_links: tuple[FindLinks, ...] = ()
    pypi_mirrors: tuple[str, ...] = ()
    unwaivable: tuple[str, ...] = ()
    longest_waiver: timedelta | None = None
    baseline: str | None = None
    longest_baseline: timedelta | None = None
    vex: tuple[str, ...] = ()
    sign: SignPolicy = field(default_factory=SignPolicy)
    attest: AttestPolicy = field(default_factory=AttestPolicy)
    deploy: DeployPolicy = field(default_factory=DeployPolicy)
    enforce: EnforcePolicy = field(default_factory=EnforcePolicy)
    break_glass: BreakGlassPolicy = field(default_factory=BreakGlassPolicy)
    pipeline: PipelinePolicy = field(default_factory=PipelinePolicy)
    approvals: ApprovalPolicy = field(default_factory=ApprovalPolicy)
    overrides: tuple[str, ...] = ()
    origins: Mapping[str, str] = field(default_factory=dict)
    effective: Mapping[str, object] = field(default_factory=dict)

    def gate(self, gate_id: str) -> GatePolicy:
        """What it says of that gate; the default where it says nothing."""
        return self.gates.get(gate_id, GatePolicy())

    def choice(self, name: str) -> LockChoice:
        """What the function or layer of that name takes of its lock."""
        choice = self.lock_choice
        for one in self.selects:
            if fnmatchcase(name, one.function):
                said = {key: getattr(one, key) for key in ("groups", "extras", "only_groups", "member")}
                choice = replace(choice, **{key: value for key, value in said.items() if value is not None})
        return choice

    def is_first_party(self, name: str) -> bool:
        """Whether a distribution (by its normalised name) is ours."""
        return matches(name, self.first_party)

    def claimant(self, name: str) -> NamedIndex | None:
        """The index that claims a distribution, by its normalised name; the first in the file where several do."""
        return next((one for one in self.named_indexes if matches(name, one.packages)), None)


def matches(name: str, patterns: Iterable[str]) -> bool:
    """Whether a normalised name fits one of the patterns (`acme-*`; `ACME_*` is the same)."""
    return any(fnmatchcase(name, pattern.lower().replace("_", "-").replace(".", "-")) for pattern in patterns)
