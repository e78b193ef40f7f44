"""Signing twenty functions against a local endpoint whose jobs take five seconds: `shipsafe sign` and `sam package --signing-profiles`.

shipsafe asks every gate again before it signs, and reads back what was signed; sam does neither. Both upload to the same bucket, and
each round has keys of its own, so that nobody finds what was signed before.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from bench.endpoint import REGION, leads_to
from bench.figures import Part, Row, at_most, times_faster
from bench.measure import Step, middle, spend
from bench.ours import Setting
from shipsafe.local.endpoint import start
from shipsafe.local.pki import open_root

_FUNCTIONS = 20
_DELAY = 5  # seconds that a job takes; on AWS they take about as long
_BUCKET, _PROFILE = "bench-signing", "bench_signing"
_RECORD = {"id": "PYSEC-2026-1", "modified": "2026-10-01T00:00:00Z", "affected": [{"package": {"ecosystem": "PyPI", "name": "nobodys"},
           "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]}]}  # fmt: skip


def signing(setting: Setting, *, say: Callable[[str], None]) -> Part:
    """One function, twenty functions, and twenty with sam.

    Raises:
        BenchError: a contender fails.
    """
    place = setting.place("signing")
    names = [f"F{number:02}" for number in range(_FUNCTIONS)]
    _write_project(place, names)
    env = {"SHIPSAFE_CACHE_DIR": str(place / "cache")}
    shipsafe = setting.tools.shipsafe

    spend([Step(argv=[shipsafe, "build", "--out", "all"], cwd=place, env=env),
           Step(argv=[shipsafe, "build", "--out", "one", "--function", names[0]], cwd=place, env=env)], log=setting.log)  # fmt: skip
    runs: dict[str, list[Step]] = {"one": [], "all": [], "sam": []}
    # In a thread of ours: a process would be taken for one that a contender left behind.
    with start(delay=timedelta(seconds=_DELAY), root=open_root(place / "root")) as endpoint:
        aws = leads_to(endpoint)
        _make_place(aws)
        env |= aws
        for number in range(setting.repeat):
            for folder in ("one", "all"):
                policy = place / f"policy-{folder}-{number}.toml"
                policy.write_text(_policy(f"{folder}{number}/"), encoding="utf-8")
                runs[folder].append(Step(argv=[shipsafe, "sign", folder, "--yes", "--policy", policy.name], cwd=place, env=env))
            if setting.contest and "sam" in setting.tools.others:
                to = ["--s3-bucket", _BUCKET, "--s3-prefix", f"sam{number}", "--output-template-file", f"sam-{number}.yaml"]
                profiles = [f"{name}={_PROFILE}" for name in names]
                argv: list[str | Path] = [setting.tools.others["sam"], "package", "--template-file", "template.yaml", *to]
                argv += ["--signing-profiles", *profiles]
                runs["sam"].append(Step(argv=argv, cwd=place, env=env))
        rows = {}
        for who, what, contender in (
            ("one", "1 function", "shipsafe sign"),
            ("all", f"{_FUNCTIONS} functions", "shipsafe sign"),
            ("sam", f"{_FUNCTIONS} functions", "sam package"),
        ):
            say(f"signing: {contender}, {what}")
            spent = [spend([step], log=setting.log) for step in runs[who]]
            note = "" if spent else setting.tools.missing.get("sam", "not asked for")
            rows[who] = Row(
                project="signing", contender=contender, mode=what, spent=middle(spent) if spent else None, runs=len(spent), note=note
            )
    one, everything = rows["one"].spent, rows["all"].spent
    ratio = everything.wall / one.wall if one and everything else None
    return Part(
        name="signing",
        rows=list(rows.values()),
        targets=[
            at_most(f"signing: {_FUNCTIONS} functions over one, jobs of {_DELAY} s", 1.5, ratio, "times"),
            times_faster(f"signing: {_FUNCTIONS} functions, against sam package", 10, rows["sam"], rows["all"]),
        ],
    )


def _write_project(place: Path, names: list[str]) -> None:
    (place / "advisories").mkdir()
    (place / "advisories" / "PYSEC-2026-1.json").write_text(json.dumps(_RECORD), encoding="utf-8")
    lines = ["Transform: AWS::Serverless-2016-10-31", "Resources:"]
    for name in names:
        (place / name).mkdir()
        (place / name / "app.py").write_text(f"def handler(event, context):\n    return {name!r}\n", encoding="utf-8")
        lines += [f"  {name}:", "    Type: AWS::Serverless::Function",
                  f"    Properties: {{CodeUri: {name}/, Handler: app.handler, Runtime: python3.13}}"]  # fmt: skip
    (place / "template.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (place / "shipsafe.toml").write_text(_policy(""), encoding="utf-8")


def _policy(prefix: str) -> str:
    return f"""
advisories = {{ source = {{ path = "advisories", date = 2026-11-01 }}, max-age = "off" }}
[[sign.target]]
name = "bench"
region = "{REGION}"
profile = "{_PROFILE}"
bucket = "{_BUCKET}"
prefix = "{prefix}"
"""


def _make_place(aws: Mapping[str, str]) -> None:
    import boto3  # noqa: PLC0415 - only this part of the bench talks to AWS

    session = boto3.session.Session(aws_access_key_id=aws["AWS_ACCESS_KEY_ID"], aws_secret_access_key=aws["AWS_SECRET_ACCESS_KEY"],
                                    region_name=REGION)  # fmt: skip
    with closing(session.client("s3", endpoint_url=aws["AWS_ENDPOINT_URL"])) as s3:
        s3.create_bucket(Bucket=_BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_bucket_versioning(Bucket=_BUCKET, VersioningConfiguration={"Status": "Enabled"})
    with closing(session.client("signer", endpoint_url=aws["AWS_ENDPOINT_URL"])) as signer:
        signer.put_signing_profile(profileName=_PROFILE, platformId="AWSLambda-SHA384-ECDSA")
