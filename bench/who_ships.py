"""How long `shipsafe report who-ships` takes over 2,000 kept SBOMs, for the first time and again.

    uv run --frozen python bench/who_ships.py [--sboms 2000] [--work FOLDER]

Each SBOM is laid out and signed (P-384) as `build --key` does it, with 150 distributions, of which each has between 2 and 50 hashes in its
lock, and 500 files: 0.8 MB as an envelope. The first run has an empty cache; the second has what the first one learnt.
"""

import argparse
import hashlib
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from shipsafe.evidence.envelope import enveloped
from shipsafe.evidence.file_signer import FileSigner
from shipsafe.evidence.public_key import described
from shipsafe.evidence.sbom import finish, stated
from shipsafe.evidence.store.layout import Filed
from shipsafe.model.attestation import Resource

_DISTRIBUTIONS, _FILES, _KNOWN = 150, 500, 2000
_HASHES = (2, 2, 2, 2, 3, 10, 30, 50)  # of a distribution: most have a wheel and an sdist, a few a wheel for every platform
_LIMIT = 10.0  # seconds, for the first run


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


def make(folder: Path, count: int) -> int:
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


def ask(folder: Path, words: str) -> tuple[float, str]:
    """Seconds of one run, and the first line of its answer."""
    environment = {**os.environ, "SHIPSAFE_CACHE_DIR": str(folder / "cache"), "SHIPSAFE_CONFIG_DIR": str(folder / "config")}
    begun = time.perf_counter()
    argv = [sys.executable, "-m", "shipsafe", "report", "who-ships", words]
    done = subprocess.run(argv, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return time.perf_counter() - begun, (done.stdout.splitlines() or [done.stderr])[0]


def main() -> int:
    """Measure, and fail where the first run takes too long."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sboms", type=int, default=2000)
    parser.add_argument("--work", type=Path)
    told = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=told.work, prefix="shipsafe-bench-") as name:
        folder = Path(name)
        size = make(folder, told.sboms)
        print(f"{told.sboms} SBOMs, {size / 1e6:.0f} MB, on {os.cpu_count()} processors; load {os.getloadavg()[0]:.1f}")
        first, answer = ask(folder, "package-7")
        again, _ = ask(folder, "package-8")
        print(answer)
        print(f"first run {first:.1f} s, second {again:.1f} s; at most {_LIMIT:.0f} s: {'reached' if first <= _LIMIT else 'missed'}")
    return 0 if first <= _LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
