"""Small releases: archives and records that a passing run would give to `publish`. Run as a program it publishes one (`old`, `new`) or
states more about the one that lies there (`stated`), and ends at a chosen step as a crash would:

    python -m tests.packing.releases FOLDER OUT RELEASE STEP
"""

import hashlib
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from shipsafe.model.advisory import AdvisoryInfo
from shipsafe.model.artifact import Bundle
from shipsafe.model.location import Location
from shipsafe.model.outcome import Outcome
from shipsafe.model.project import LayerRef
from shipsafe.model.record import RunRecord
from shipsafe.model.verdict import Decision, Verdict
from shipsafe.packing.archive import pack
from shipsafe.packing.manifest import Source, Told
from shipsafe.packing.output import Output, output_lock
from shipsafe.packing.publish import Published, publish, repair
from shipsafe.packing.release import Release, laid_bundle, read_release, record_signatures
from tests.packing.trees import tree

OLD = {"Pay": b"print('old')\n" * 30, "Stock": b"print('stock')\n" * 30, "Gone": b"print('gone')\n" * 30}
NEW = {"Pay": b"print('new')\n" * 30, "Stock": OLD["Stock"], "Added": b"print('added')\n" * 30}
CRASHED = 77


def items(folder: Path, sources: Mapping[str, bytes]) -> list[Published]:
    """One function per name, whose code is the given source."""
    folder.mkdir(parents=True, exist_ok=True)
    sboms = {name: b'{"bomFormat": "CycloneDX", "of": "%s %d"}' % (name.encode(), hash_of(source)) for name, source in sources.items()}
    for name, sbom in sboms.items():
        (folder / f"{name}.cdx.json").write_bytes(sbom)
    bundles = {name: in_a_file(folder / f"{name}.intoto.jsonl", bundle(name, hash_of(source))) for name, source in sources.items()}
    return [
        Published(
            name=name,
            archive=pack(tree(folder / name, {"app.py": source}, subject=f"function:{name}"), folder / f"{name}.zip"),
            sbom=folder / f"{name}.cdx.json",
            sbom_sha256=hashlib.sha256(sboms[name]).hexdigest(),
            location=Location(path="template.yaml", line=7),
            told=Told(
                runtimes=("python3.13",),
                handler="app.handler",
                architectures=("arm64",),
                locks=(("requirements.txt", "d" * 64),),
                layers=(LayerRef(text="!Ref Common", local="Common"),),
            ),
            evidence=bundles[name],
        )
        for name, source in sources.items()
    ]


def in_a_file(path: Path, data: bytes) -> Bundle:
    """Evidence that nobody signed."""
    path.write_bytes(data)
    return Bundle(path=path, sha256=hashlib.sha256(data).hexdigest(), signed=False)


def bundle(name: str, number: int, *, signed: bool = False) -> bytes:
    """One envelope, about something."""
    signatures = [{"keyid": "", "sig": "AA=="}] if signed else []
    line = json.dumps({"payload": f"{name}{number:08}", "payloadType": "text/plain", "signatures": signatures})
    return line.encode() + b"\n"


def hash_of(source: bytes) -> int:
    """Something small that changes with the source, and not from run to run."""
    return sum(source)


def record(sources: Mapping[str, bytes]) -> RunRecord:
    """The record of the passing run."""
    return RunRecord(
        command="build",
        project="orders",
        template="template.yaml",
        policy="shipsafe.toml",
        policy_digest=f"sha256:{'a' * 64}",
        verdict=Verdict(decision=Decision.PASS),
        advisories=AdvisoryInfo(source="folder", label="example data", date="2026-11-01", digest=f"sha256:{'b' * 64}", records=3),
        tools={"shipsafe": "0.1.0", "bandit": "1.9.4"},
        outcomes=tuple(
            outcome
            for name in sources
            for outcome in (
                Outcome.answered("package", f"function:{name}"),
                Outcome.not_asked("lint", f"function:{name}", "It has no Python."),
            )
        ),
    )


STATED = {name: bundle(name, 7, signed=True) for name in ("Pay", "Gone")}


def laid(output: Output, evidence: Mapping[str, bytes]) -> dict[str, Bundle]:
    """Bundles about the artifacts of these names, on the disk."""
    return {name: laid_bundle(output, name, data) for name, data in evidence.items()}


def record_evidence(output: Output, release: Release, evidence: Mapping[str, bytes]) -> Release:
    """The release with other bundles for the artifacts of these names."""
    return record_signatures(output, release, (), None, laid(output, evidence))


def _main(folder: Path, out: Path, release: str, last: int) -> int:
    steps = 0

    def step(_: str) -> None:
        nonlocal steps
        if steps == last:
            os._exit(CRASHED)  # as kill -9: nothing is cleaned up, nothing is written out
        steps += 1

    with output_lock(out, on_wait=lambda: None):
        output = Output(out, step)
        repair(output)
        if release == "stated":
            record_evidence(output, read_release(out), STATED)
        else:
            sources = {"old": OLD, "new": NEW}[release]
            publish(output, items(folder, sources), record(sources), Source())
    sys.stdout.write(str(steps))
    return 0


if __name__ == "__main__":
    sys.exit(_main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])))
