# ruff: noqa: INP001 - a script, not a package
"""State what a release of shipsafe is: its SBOM, and SLSA provenance, in one bundle that `verify.py` holds against the wheel.

    python .github/release/attest.py dist --key sigstore:

The files of `dist` are the subjects. `shipsafe-VERSION.cdx.json` (CycloneDX, from uv.lock) and `shipsafe-VERSION.intoto.jsonl` are written
beside them. It is run by an installed shipsafe, whose own evidence this is made with, on GitHub: the environment says who builds what.
Source: https://slsa.dev/spec/v1.0/provenance, https://actions.github.io/buildtypes/workflow/v1
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import uv

from shipsafe import __version__
from shipsafe.errors import ShipsafeError
from shipsafe.evidence.envelope import written
from shipsafe.evidence.keys import open_signers
from shipsafe.evidence.provenance import builder_of, server_of
from shipsafe.model.attestation import Predicate, Resource, Statement

_SAID = ("REPOSITORY", "REF", "SHA", "WORKFLOW_REF", "EVENT_NAME", "RUN_ID")  # of the run, as GITHUB_...
_SOURCE = Path(__file__).resolve().parents[2]
_EXPORT = ("export", "--frozen", "--offline", "--no-config", "--no-dev", "--quiet", "--format", "cyclonedx1.5", "--project")


def main() -> int:
    """Write both files; gives the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--key", action="append", required=True)
    asked = parser.parse_args()
    files = sorted(path for path in asked.folder.iterdir() if path.name.endswith((".whl", ".tar.gz")))
    if len(files) != 2:  # noqa: PLR2004 - the wheel and the source distribution
        sys.stderr.write(f"error: {asked.folder} holds {len(files)} distributions, and not a wheel and its source.\n")
        return 2
    if missing := [name for name in _SAID if not os.environ.get(f"GITHUB_{name}")]:
        sys.stderr.write(f"error: GITHUB_{missing[0]} is not set: what is stated here is stated of a workflow's run.\n")
        return 2
    subjects = tuple(_resource(path) for path in files)
    try:
        signers = open_signers(asked.key)
        bill = sbom(subjects)
        statements = (
            Statement(subjects=subjects, kind=Predicate.SBOM, predicate=bill),
            Statement(subjects=subjects, kind=Predicate.PROVENANCE, predicate=provenance(os.environ)),
        )
        lines = [written(one, signers) for one in statements]
    except ShipsafeError as error:
        sys.stderr.write(f"error: {error}\n")
        return int(error.exit_code)
    stem = f"shipsafe-{__version__}"
    (asked.folder / f"{stem}.cdx.json").write_text(json.dumps(bill, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    (asked.folder / f"{stem}.intoto.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
    return 0


def sbom(subjects: tuple[Resource, ...]) -> dict[str, Any]:
    """What an installation gets, from the lock; without the time and the random number that uv writes, so that it can be made again."""
    made = subprocess.run([uv.find_uv_bin(), *_EXPORT, _SOURCE], capture_output=True, text=True, check=True)
    document: dict[str, Any] = json.loads(made.stdout)
    document["metadata"].pop("timestamp", None)
    digests = ",".join(one.digests["sha256"] for one in subjects)
    document["serialNumber"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'urn:shipsafe:release:{digests}')}"
    return document


def provenance(environment: Mapping[str, str]) -> dict[str, Any]:
    """Which workflow of which commit built it, as GitHub's build type has it."""
    said = {name: environment[f"GITHUB_{name}"] for name in _SAID}
    home = f"{server_of(environment)}/{said['REPOSITORY']}"
    path = said["WORKFLOW_REF"].partition("@")[0].removeprefix(f"{said['REPOSITORY']}/")
    return {
        "buildDefinition": {
            "buildType": "https://actions.github.io/buildtypes/workflow/v1",
            "externalParameters": {"workflow": {"ref": said["REF"], "repository": home, "path": path}},
            "internalParameters": {"github": {"event_name": said["EVENT_NAME"]}},
            "resolvedDependencies": [{"uri": f"git+{home}@{said['REF']}", "digest": {"gitCommit": said["SHA"]}}],
        },
        "runDetails": {
            "builder": {"id": builder_of(environment)},
            "metadata": {"invocationId": f"{home}/actions/runs/{said['RUN_ID']}"},
        },
    }


def _resource(path: Path) -> Resource:
    data = path.read_bytes()
    return Resource(name=path.name, digests={"sha256": hashlib.sha256(data).hexdigest(), "sha512": hashlib.sha512(data).hexdigest()})


if __name__ == "__main__":
    sys.exit(main())
