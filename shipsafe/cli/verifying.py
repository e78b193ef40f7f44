"""How `shipsafe verify` looks at files, and where what it found goes. `cli/verify.py` has the options."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from shipsafe import __version__
from shipsafe.adapters.files import write_atomic
from shipsafe.cli import github_output
from shipsafe.cli.chains import tell
from shipsafe.cli.report_files import append_summary
from shipsafe.errors import ConfigError, ExitCode
from shipsafe.evidence.envelope import written
from shipsafe.evidence.keys import open_signers
from shipsafe.evidence.summary import summaries
from shipsafe.model.chain import Chain, Verification
from shipsafe.reports.chains import write
from shipsafe.verify import VerifyRequest, verify_release, verify_zips

if TYPE_CHECKING:
    from securesystemslib.signer._signer import Signer

Asked = Callable[[VerifyRequest], Verification]


def files(paths: Sequence[Path], request: VerifyRequest) -> Verification:
    """All chains of files: those of folders first, then those of zips, each in their order."""
    chains: list[Chain] = []
    notes: list[str] = []
    if request.policy.path is None:
        notes.append("No policy was found here: the preset `baseline` holds, which trusts nobody's key. Name yours with --policy.")
    zips = [path for path in paths if path.is_file() or path.suffix == ".zip"]
    for folder in (path for path in paths if path not in zips):
        chains += verify_release(folder, request).chains
    if zips:
        chains += verify_zips(zips, request).chains
    return Verification(chains=tuple(chains), policy=request.policy.path, policy_digest=request.policy.digest, notes=tuple(notes))


def opened(uris: Sequence[str] | None, summary: Path | None) -> "tuple[Signer, ...]":
    """The verifier's keys, opened before anything is looked at.

    Raises:
        ConfigError: a key cannot be used, or there is nothing to sign with it.
    """
    if not uris:
        return ()
    if summary is None:
        raise ConfigError("--key signs a summary, and none is written.", remedy="Add --summary FILE, or leave out --key.")
    return open_signers(uris)


def tell_verified(
    found: Verification, targets: Sequence[tuple[str, Path]], *, output: str, summary: Path | None, signers: "Sequence[Signer]",
    now: datetime, local: bool, quiet: bool, verbose: bool,
) -> ExitCode:  # fmt: skip
    """Write what was found to standard output, to files, and to the step's summary; gives the exit code.

    Args:
        found: what is told.
        targets: form and file of each report.
        output: the form of standard output.
        summary: where Verification Summaries go, None for nowhere.
        signers: who sign these.
        now: when it was verified.
        local: whether the local endpoint answered.
        quiet: of text, the first sentence alone.
        verbose: of text, also the links of chains that hold.

    Raises:
        IncompleteError: a file cannot be written.
    """
    tell(found, output, targets, local=local, quiet=quiet, verbose=verbose)
    if summary is not None:
        write_atomic(summary.absolute(), _summary(found, signers, now))
    append_summary(lambda: write(found, "markdown"))
    github_output.append_ended(found.exit_code, targets, decision=found.verdict)
    return found.exit_code


def _summary(found: Verification, signers: "Sequence[Signer]", now: datetime) -> bytes:
    """A line for each chain."""
    return b"".join(written(one, signers) + b"\n" for one in summaries(found, release=__version__, at=now))
