"""How long `shipsafe report who-ships` takes over 2,000 kept SBOMs, for the first time and again, beside `sha256sum` of all of them.

Each SBOM is laid out and signed (P-384) as `build --key` does it, with 150 distributions, of which each has between 2 and 50 hashes in its
lock, and 500 files: 0.8 MB as an envelope. The first run has an empty cache; the second has what the first one learnt. Whoever believes
nothing has to take the digest of every byte: `sha256sum`, on one processor, is the least that the first run could take.
"""

import hashlib
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from bench.figures import Part, Row, at_most
from bench.measure import BenchError, Spent, Step, middle, spend
from bench.ours import Setting
from shipsafe.evidence.envelope import enveloped
from shipsafe.evidence.file_signer import FileSigner
from shipsafe.evidence.public_key import described
from shipsafe.evidence.sbom import finish, stated
from shipsafe.evidence.store.layout import Filed
from shipsafe.model.attestation import Resource

_DISTRIBUTIONS, _FILES, _KNOWN = 150, 500, 2000
_HASHES = (2, 2, 2, 2, 3, 10, 30, 50)  # of a distribution: most have a wheel and an sdist, a few a wheel for every platform
_SBOMS = 2000
_SUM = "find evidence -type f -print0 | xargs -0 sha256sum"


def who_ships(setting: Setting, *, say: Callable[[str], None]) -> Part:
    """The first run, the second, and the digests of all files.

    Raises:
        BenchError: one of the programs fails, or looks into other SBOMs than those that are there.
    """
    place = setting.place("who-ships")
    say(f"who-ships: writing {_SBOMS} SBOMs")
    size = _write_store(place, _SBOMS)
    theirs = [Step(argv=["sh", "-euc", _SUM], cwd=place)]
    spend(theirs, log=setting.log)  # so that everything is in memory for whoever comes first
    modes: dict[str, list[Spent]] = {"first": [], "again": [], "sums": []}
    for number in range(setting.repeat):
        say(f"who-ships: run {number + 1} of {setting.repeat}")
        env = {"SHIPSAFE_CACHE_DIR": str(place / f"cache-{number}"), "SHIPSAFE_CONFIG_DIR": str(place / f"config-{number}")}
        modes["sums"].append(spend(theirs, log=setting.log))
        for mode, package in (("first", "package-7"), ("again", "package-8")):
            ours = Step(argv=[setting.tools.shipsafe, "report", "who-ships", package], cwd=place, env=env)
            modes[mode].append(spend([ours], log=setting.log))
            if f"of {_SBOMS} kept SBOMs" not in setting.log.read_text(encoding="utf-8"):
                raise BenchError(f"who-ships did not look into {_SBOMS} SBOMs.")
    first, again, sums = (middle(modes[mode]) for mode in ("first", "again", "sums"))
    what = f"{_SBOMS:,} SBOMs, {size / 1e9:.1f} GB"
    rows = [Row(project="who-ships", contender=who, mode=f"{what}{mode}", spent=spent, runs=setting.repeat) for who, mode, spent in
            (("shipsafe report", ", first", first), ("shipsafe report", ", again", again), ("sha256sum", "", sums))]  # fmt: skip
    return Part(
        name="who-ships",
        rows=rows,
        targets=[
            at_most(f"who-ships: {what}, first", 10, first.wall, "s"),
            at_most("who-ships: first, processor time over that of sha256sum", 5, first.cpu / sums.cpu, "times"),
            at_most("who-ships: again, over the first", 0.3, again.wall / first.wall, "times"),
        ],
    )


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _library(chance: random.Random, number: int) -> dict[str, Any]:
    name, version = f"package-{number}", f"{chance.randrange(9)}.{chance.randrange(30)}.{chance.randrange(9)}"
    hashes = [_sha256(f"{name} {version} {one}") for one in range(chance.choice(_HASHES))]
    source = {"type": "distribution", "url": f"https://pypi.org/simple/{name}/"}
    told = {
        "index": "https://pypi.org/simple",
        "metadata": f"{name}-{version}.dist-info",
        "pinned-at": "requirements.txt:1",
        "source": "index",
    }
    return {
        "bom-ref": f"pkg:pypi/{name}@{version}",
        "description": f"What package {number} is for, in one line",
        "externalReferences": [{"hashes": [{"alg": "SHA-256", "content": one}], **source} for one in hashes],
        "licenses": [{"acknowledgement": "declared", "expression": "MIT"}],
        "name": name,
        "properties": [{"name": f"shipsafe:{key}", "value": value} for key, value in told.items()],
        "purl": f"pkg:pypi/{name}@{version}",
        "supplier": {"name": "Somebody"},
        "type": "library",
        "version": version,
    }


def _file(chance: random.Random, number: int) -> dict[str, Any]:
    path = f"package_{number % _DISTRIBUTIONS}/module_{number}.py"
    digest = {"alg": "SHA-256", "content": _sha256(f"{path} {chance.random()}")}
    return {
        "bom-ref": f"file:{path}",
        "hashes": [digest],
        "name": path,
        "properties": [{"name": "shipsafe:origin", "value": "x"}],
        "type": "file",
    }


def _write_store(folder: Path, count: int) -> int:
    """Write a project with a store of so many SBOMs, and give their bytes."""
    key, size = ec.generate_private_key(ec.SECP384R1()), 0
    pem = described(key.public_key()).pem
    policy = f"evidence = 'evidence'\n[[attest.key]]\nname = 'ci'\nfor = ['builder']\npublic = '''\n{pem}'''\n"
    (folder / "shipsafe.toml").write_text(policy, encoding="utf-8")
    for number in range(count):
        chance, digest = random.Random(number), _sha256(f"zip {number}")  # noqa: S311 - the same SBOMs in every run
        libraries = [_library(chance, one) for one in sorted(chance.sample(range(_KNOWN), _DISTRIBUTIONS))]
        document = {
            "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
            "bomFormat": "CycloneDX",
            "components": [*libraries, *(_file(chance, one) for one in range(_FILES))],
            "dependencies": [{"ref": one["bom-ref"]} for one in libraries],
            "metadata": {"component": {"bom-ref": f"function:F{number}", "name": f"F{number}", "type": "application"}},
            "specVersion": "1.6",
            "version": 1,
        }
        line = enveloped(stated(Resource(name=f"F{number}.zip", digests={"sha256": digest}), finish(document, None)), [FileSigner(key)])
        path = folder / "evidence" / Filed(subject=digest, word="sbom", envelope=hashlib.sha256(line).hexdigest()).name
        path.parent.mkdir(parents=True)
        path.write_bytes(line)
        size += len(line)
    return size
