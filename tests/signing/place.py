"""A place to sign at on the local endpoint: a bucket with versions, a profile, and a run of plan and carry_out over them."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shipsafe.adapters.aws.session import Aws, Place, open_aws
from shipsafe.local.endpoint import Endpoint
from shipsafe.model.signing import SignTarget
from shipsafe.signing.journal import Journal
from shipsafe.signing.layout import PLATFORM
from shipsafe.signing.plan import SigningPlan, plan
from shipsafe.signing.roots import trust
from shipsafe.signing.run import Carried, carry_out
from shipsafe.signing.ticket import Unsigned
from tests.local_endpoint import ACCOUNT, REGION, client
from tests.signing.zips import unsigned, zip_bytes

BUCKET = f"artifacts-{ACCOUNT}-{REGION}"
TARGET = SignTarget(name="prod", profile="orders_2026", bucket="artifacts-${AWS::AccountId}-${AWS::Region}", region=REGION, account=ACCOUNT)
ZIP = zip_bytes({"app.py": b"def handler(event, context): ...\n" * 50, "lib/helper.py": b"HELP = 1\n"})


def connect(target: SignTarget) -> Aws:
    """As the command does."""
    return open_aws(
        Place(
            region=target.region,
            account=target.account,
            aws_profile=target.aws_profile,
            role=target.role,
            external_id=target.external_id,
        )
    )


@dataclass
class Site:
    """The endpoint with a bucket and a profile, and a folder for the journal."""

    endpoint: Endpoint
    folder: Path
    target: SignTarget = TARGET
    lines: list[str] = field(default_factory=list)
    opened: dict[SignTarget, Aws] = field(default_factory=dict)  # a client takes 0.2 s to make

    def connect(self, target: SignTarget) -> Aws:
        if target not in self.opened:
            self.opened[target] = connect(target)
        return self.opened[target]

    def client(self, service: str) -> Any:
        """As the user of the default target."""
        return self.connect(TARGET).client(service)

    def unsigned(self, name: str = "orders", data: bytes = ZIP) -> Unsigned:
        return unsigned(self.folder, name, data)

    def plan(self, *work: Unsigned, targets: Sequence[SignTarget] = (), connect: Callable[[SignTarget], Aws] | None = None) -> SigningPlan:
        return plan(
            work or (self.unsigned(),),
            targets or (self.target,),
            connect=connect or self.connect,
            journal=Journal.open(self.folder),
            now=self.now,
        )

    def carry_out(self, made: SigningPlan, **words: Any) -> Carried:
        options: dict[str, Any] = {
            "trust": self.trust,
            "clock": time.monotonic,
            "sleep": lambda _seconds: time.sleep(0.01),
            "deadline": 3600,
            "again": 1,
        }
        return carry_out(made, progress=self.lines.append, now=self.now, **options | words)

    def run(self, *work: Unsigned, targets: Sequence[SignTarget] = (), **words: Any) -> Carried:
        return self.carry_out(self.plan(*work, targets=targets), **words)

    def impatient(self, made: SigningPlan) -> Carried:
        """A run whose time is soon over: each pause takes a minute of its two."""
        passed = [0.0]

        def sleep(_seconds: float) -> None:
            passed[0] += 60

        return self.carry_out(made, clock=lambda: passed[0], sleep=sleep, deadline=120)

    def now(self) -> datetime:
        return self.endpoint.clock.now().astimezone(UTC)

    def trust(self, root: str) -> str:
        return trust(root, policy_roots=(), local_root=self.endpoint.fingerprint)

    def started(self) -> int:
        """How many jobs there are at the endpoint: what StartSigningJob has done, not how often it was called."""
        return len(self.jobs())

    def jobs(self) -> list[dict[str, Any]]:
        pages = self.client("signer").get_paginator("list_signing_jobs").paginate()
        return [job for page in pages for job in page["jobs"]]

    def versions(self, prefix: str = "unsigned/", bucket: str = BUCKET) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.client("s3").list_object_versions(Bucket=bucket, Prefix=prefix).get("Versions", [])
        return found

    def with_target(self, **changes: Any) -> "Site":
        return replace(self, target=replace(self.target, **changes))


def make_bucket(name: str = BUCKET, *, region: str = REGION, account: str = ACCOUNT, versioning: str = "Enabled") -> None:
    s3 = client("s3", account=account, region=region)
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": region})
    if versioning:
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": versioning})


def make_profile(name: str = TARGET.profile, *, account: str = ACCOUNT, region: str = REGION, platform: str = PLATFORM) -> str:
    """Gives the ARN of its version."""
    made = client("signer", account=account, region=region).put_signing_profile(profileName=name, platformId=platform)
    return str(made["profileVersionArn"])
