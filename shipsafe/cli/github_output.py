"""What a command tells the next steps of a job on GitHub: lines appended to the file that `GITHUB_OUTPUT` names.

    decision          PASS, FAIL, NOTHING, INCOMPLETE, BROKEN or OVERRIDDEN; empty where it could not begin
    exit-code         what the command ends with
    report-FORMAT     where the report of that format lies: report-sarif, report-json, report-markdown
    manifest          where the release manifest lies, and
    manifest-digest   sha256:HEX of it, for --manifest-digest of the jobs that the release is handed to
    digests           of the archives beside it, as `sha256sum --check` takes them: HEX, two blanks, NAME.zip, one a line
    functions         of a deployment: what went live, NAME or NAME:ALIAS, one a line, for --function of the job that verifies

Each value stands between two lines of a random word, so that no text in it can end it or begin another:
https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#multiline-strings
"""

import json
import os
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path

from shipsafe.adapters.files import sha256_file
from shipsafe.errors import ExitCode, IncompleteError

_DECISIONS = {
    ExitCode.PASS: "PASS",
    ExitCode.FINDINGS: "FAIL",
    ExitCode.NOTHING: "NOTHING",
    ExitCode.INCOMPLETE: "INCOMPLETE",
    ExitCode.INTEGRITY: "BROKEN",
    ExitCode.ROLLED_BACK: "FAIL",  # `exit-code` says that it went back
}


def append(outputs: Mapping[str, str]) -> None:
    """Append outputs by name, where `GITHUB_OUTPUT` is set; else nothing happens.

    Raises:
        IncompleteError: the file cannot be written.
    """
    file = os.environ.get("GITHUB_OUTPUT")
    if not file:
        return
    word = f"shipsafe-{secrets.token_hex(16)}"
    text = "".join(f"{name}<<{word}\n{value}\n{word}\n" for name, value in outputs.items())
    try:
        with Path(file).open("a", encoding="utf-8", errors="surrogateescape", newline="\n") as out:
            out.write(text)
    except OSError as error:
        raise IncompleteError(f"The outputs of this step cannot be written: {error.strerror}.", remedy="Look at GITHUB_OUTPUT.") from error


def append_ended(
    code: ExitCode, reports: Iterable[tuple[str, Path]] = (), *, decision: str | None = None, manifest: Path | None = None,
    functions: Iterable[str] = (),
) -> None:  # fmt: skip
    """Append how a command ended, and where what it wrote lies.

    Args:
        code: what it ends with.
        reports: format and file of each report.
        decision: in its own word; None for that of the code.
        manifest: of the release that it wrote, or None.
        functions: what went live, as `verify --function` takes it.

    Raises:
        IncompleteError: the file cannot be written.
    """
    if not os.environ.get("GITHUB_OUTPUT"):
        return
    outputs = {"decision": decision or _DECISIONS.get(code, ""), "exit-code": str(int(code))}
    outputs |= {f"report-{form}": str(file.absolute()) for form, file in reports}
    if manifest is not None:
        archives = json.loads(manifest.read_bytes())["artifacts"]
        outputs |= {"manifest": str(manifest.absolute()), "manifest-digest": f"sha256:{sha256_file(manifest)}"}
        outputs["digests"] = "\n".join(f"{one['digests']['sha256']}  {one['path']}" for one in archives)
    if names := list(functions):
        outputs["functions"] = "\n".join(names)
    append(outputs)
