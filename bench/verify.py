"""Verifying a release of twenty artifacts of 10 MB, offline: `shipsafe verify dist` beside `unzip -t` of each zip and `sha256sum` of all.

Those two read every byte once and decompress it, and look at nothing else. shipsafe does the same, and holds contents, SBOM, signed
statements and verdict against one another. The runs alternate; the files are in memory for both.
"""

import json
import random
from collections.abc import Callable
from pathlib import Path

from bench.figures import Part, Row, at_most
from bench.measure import BenchError, Step, middle, spend
from bench.ours import Setting
from shipsafe.evidence.key_file import make
from shipsafe.flows.keys import table
from shipsafe.model.attestation import Role

_ARTIFACTS = 20
_FILES, _LARGE = 610, 32 * 1024  # of each: half of their bytes are left when they are packed, 10 MB
_SMALLEST, _LARGEST = 9_500_000, 10_500_000  # bytes of a zip that is called 10 MB
_BOTH = 'for one in "$@"; do unzip -tqq "$one"; done; sha256sum "$@"'
_TIMES = 3  # runs of each in a round
_RECORD = {"id": "PYSEC-2026-1", "modified": "2026-10-01T00:00:00Z", "affected": [{"package": {"ecosystem": "PyPI", "name": "nobodys"},
           "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]}]}  # fmt: skip
_PASSWORD = "of a key that lasts as long as this run"  # noqa: S105 - made for it, and removed with it


def verify(setting: Setting, *, say: Callable[[str], None]) -> Part:
    """The clean release, both ways.

    Raises:
        BenchError: one of the programs fails, or the zips are not of the size that is promised.
    """
    place = setting.place("verify")
    say(f"verify: building {_ARTIFACTS} artifacts")
    _write_project(place)
    env = {"SHIPSAFE_CACHE_DIR": str(place / "cache"), "SHIPSAFE_KEY_PASSWORD": _PASSWORD}
    shipsafe = setting.tools.shipsafe
    spend([Step(argv=[shipsafe, "build", "--key", "ci.pem"], cwd=place, env=env)], log=setting.log)
    zips = sorted((place / "dist").glob("*.zip"))
    sizes = [one.stat().st_size for one in zips]
    if len(zips) != _ARTIFACTS or not all(_SMALLEST <= size <= _LARGEST for size in sizes):
        raise BenchError(f"{len(zips)} zips of {min(sizes, default=0)} to {max(sizes, default=0)} bytes are not {_ARTIFACTS} of 10 MB")
    ours = [Step(argv=[shipsafe, "verify", "dist"], cwd=place, env=env)]
    theirs = [Step(argv=["sh", "-euc", _BOTH, "sh", *zips], cwd=place)]
    spend([*ours, *theirs], log=setting.log)  # so that everything is in memory for whoever comes first
    runs = []
    for number in range(setting.repeat * _TIMES):
        say(f"verify: run {number + 1} of {setting.repeat * _TIMES}")
        runs.append((spend(ours, log=setting.log), spend(theirs, log=setting.log)))
    mode = f"{_ARTIFACTS} artifacts of 10 MB"
    us, them = (middle(one) for one in zip(*runs, strict=True))
    rows = [Row(project="verify", contender=who, mode=mode, spent=spent, runs=len(runs)) for who, spent in
            (("shipsafe verify", us), ("unzip -t, sha256sum", them))]  # fmt: skip
    return Part(
        name="verify",
        rows=rows,
        targets=[
            at_most(f"verify: {mode}, over unzip -t and sha256sum", 1.3, us.wall / them.wall, "times"),
            at_most(f"verify: {mode}, peak memory", 200, us.peak / 1e6, "MB"),
        ],
    )


def _write_project(place: Path) -> None:
    """Functions with files of words, no two alike, which no gate takes long to look at."""
    (place / "advisories").mkdir()
    (place / "advisories" / "PYSEC-2026-1.json").write_text(json.dumps(_RECORD), encoding="utf-8")
    words = ["".join(random.Random(number).choices("abcdefghijklmnopqrstuvwxyz_", k=3 + number % 9)) for number in range(4000)]  # noqa: S311 - the same in each run
    lines = ["Transform: AWS::Serverless-2016-10-31", "Resources:"]
    for number in range(_ARTIFACTS):
        name = f"F{number:02}"
        chance = random.Random(number)  # noqa: S311 - likewise
        (place / name / "data").mkdir(parents=True)
        (place / name / "app.py").write_text(f"def handler(event, context):\n    return {name!r}\n", encoding="utf-8")
        for file in range(_FILES):
            text = " ".join(chance.choices(words, k=_LARGE // 8))
            (place / name / "data" / f"{file:03}.txt").write_text(text[:_LARGE], encoding="utf-8")
        lines += [f"  {name}:", "    Type: AWS::Serverless::Function",
                  f"    Properties: {{CodeUri: {name}/, Handler: app.handler, Runtime: python3.13}}"]  # fmt: skip
    (place / "template.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    key = make(place / "ci.pem", password=_PASSWORD.encode())
    policy = 'advisories = { source = { path = "advisories", date = 2026-11-01 }, max-age = "off" }\n'
    (place / "shipsafe.toml").write_text(policy + table(key, name="ci", roles=[Role.BUILDER]) + "\n", encoding="utf-8")
