"""What somebody asked for on the command line, as a value."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from shipsafe.model.override import BreakGlass
from shipsafe.model.project import Built


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One run of `check` or `build`.

    Attributes:
        path: the project's folder, or its template.
        out: the output folder of `build`; None for `check`, which packs nothing.
        policy: a policy file to use instead of the one that is found.
        overrides: template parameters from the command line.
        prebuilt: what another tool staged, which ships in place of what the project would be built to.
        functions: names of the functions to examine; empty for all.
        jobs: how many things are done at once.
        vex: VEX documents to read besides those that the policy names.
        fail_on: `SEVERITY` or `GATE=SEVERITY`, over the policy's.
        baseline: a file of known findings, or `off`, over the policy's.
        write_baseline: the file to record today's findings in; it is then also the baseline of the run.
        baseline_owner, baseline_expires: who answers for what is new in it, and the last day on which that holds.
        baseline_ref: a revision; what blocks where HEAD and it parted is known, too.
        changed_since: a revision; only what has changed since is asked. For `check` alone: what ships is proved whole.
        shard: number and count: this machine builds its share alone.
        keys: URIs of the keys that sign what is stated about what passed.
        break_glass: who answers for what the gates do not let pass, and why; None where nobody does. For `build` alone.
        today: the day on which waivers and dates are judged.
    """

    path: Path
    today: date
    out: Path | None = None
    policy: Path | None = None
    overrides: Mapping[str, str] = field(default_factory=dict)
    prebuilt: tuple[Built, ...] = ()
    functions: tuple[str, ...] = ()
    vex: tuple[Path, ...] = ()
    fail_on: tuple[str, ...] = ()
    baseline: str | None = None
    write_baseline: str | None = None
    baseline_owner: str | None = None
    baseline_expires: date | None = None
    baseline_ref: str | None = None
    changed_since: str | None = None
    shard: tuple[int, int] | None = None
    offline: bool = False
    jobs: int = 2
    check_reproducible: bool = False
    keys: tuple[str, ...] = ()
    break_glass: BreakGlass | None = None

    @property
    def command(self) -> str:
        """`build` packs, `check` does not."""
        return "check" if self.out is None else "build"

    @property
    def folder(self) -> Path:
        """Where the search for the policy begins, and what `Policy.path` is relative to."""
        return (self.path if self.path.is_dir() else self.path.parent).resolve()
