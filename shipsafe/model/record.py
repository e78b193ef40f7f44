"""A finished run, as every report writes it."""

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from shipsafe.model.advisory import AdvisoryInfo
from shipsafe.model.artifact import Artifact
from shipsafe.model.baseline import BaselineFile
from shipsafe.model.finding import Rule
from shipsafe.model.outcome import Outcome
from shipsafe.model.verdict import Verdict
from shipsafe.model.vex import VexDocument

SCHEMA_VERSION = "1.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """Everything a report may say about a run. It holds no times of day and no absolute paths, so equal runs are equal.

    Attributes:
        command: `build`, `check` or `sign`.
        project: the folder's name; `template` the template's path relative to it, or None.
        policy: the policy file as the user knows it, or None; `policy_digest` `sha256:...`.
        advisories: which advisories were asked, None when no gate needed any.
        tools: name -> version of everything whose answer the verdict rests on (shipsafe, pip-audit, bandit, uv, ...).
        outcomes: of every gate and subject, in the order of subjects and gates.
        artifacts: what was published, or is to be signed; empty unless the decision is PASS and the command is not `check`.
        modes: gate id -> `enforce` or `observe` on the day of the run.
        prefix: where the project lies in its repository (`services/orders`, POSIX), "" at its root: GitHub names files from there.
        overrides: what the command line set over the policy, as words (`--fail-on critical`); the digest covers it.
        rules: every rule that a finding of this run names.
        hints: remarks for people.
        vex: the VEX documents that were read before judging.
        epoch: seconds since 1970 for times in documents: SOURCE_DATE_EPOCH, else the commit's, else the beginning of the day of the run.
        baseline: the file of known findings that it was judged with, if any.
        attested_by: whose keys signed the evidence of the artifacts, as people know them; empty where it is unsigned.
    """

    command: str
    project: str
    verdict: Verdict
    template: str | None = None
    policy: str | None = None
    policy_digest: str = ""
    advisories: AdvisoryInfo | None = None
    tools: Mapping[str, str] = field(default_factory=dict)
    outcomes: tuple[Outcome, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    modes: Mapping[str, str] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    hints: tuple[str, ...] = ()
    prefix: str = ""
    vex: tuple[VexDocument, ...] = ()
    epoch: int = 0
    baseline: BaselineFile | None = None
    overrides: tuple[str, ...] = ()
    attested_by: tuple[str, ...] = ()

    def in_repository(self, path: str) -> str:
        """A path of the project from the root of its repository, where that is known (above which `..` may lead); absolute ones stay.

        A prefix that leads out of the repository, which only a report made by hand has, counts as none.
        """
        prefix = PurePosixPath(self.prefix)
        known = not prefix.is_absolute() and ".." not in prefix.parts
        return posixpath.normpath(prefix / path) if known else path
