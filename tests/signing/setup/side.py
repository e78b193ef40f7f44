"""The AWS side of a target on the local endpoint, and bootstrap's straight line over it."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from shipsafe.adapters.aws.session import Aws, Place, open_aws
from shipsafe.flows.bootstrap import Standing, Survey, carry_out, standing, survey
from shipsafe.local.endpoint import Endpoint
from shipsafe.model.signing import SignTarget
from shipsafe.signing.setup.check import Check
from tests.local_endpoint import ACCOUNT, REGION, client

BUCKET = f"orders-{ACCOUNT}-{REGION}"
TARGET = SignTarget(name="prod", profile="orders_2026", bucket="orders-${AWS::AccountId}-${AWS::Region}", region=REGION)
OTHER = "999988887777"  # another account
_CHANGES = ("Put", "Create", "Update", "Delete", "Add", "Remove", "Tag", "Cancel", "Revoke", "Start")


@dataclass
class Side:
    """The endpoint, the calls that were made, and what was said."""

    endpoint: Endpoint
    calls: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    opened: dict[Place, Aws] = field(default_factory=dict)

    def connect(self, place: Place) -> Aws:
        if place not in self.opened:
            self.opened[place] = open_aws(place, record=self._record)
        return self.opened[place]

    def _record(self, service: str, operation: str, parameters: Mapping[str, Any]) -> None:
        self.calls.append((service, operation, dict(parameters)))

    @property
    def changes(self) -> list[str]:
        """Operations that changed something, in order."""
        return [operation for _, operation, _ in self.calls if operation.startswith(_CHANGES)]

    def look(self, *targets: SignTarget, unnamed: bool = True) -> Survey:
        return survey(targets or (TARGET,), self.connect, unnamed=unnamed)

    def make(self, *targets: SignTarget, sleep: Callable[[float], None] = lambda _seconds: None) -> Survey:
        found = self.look(*targets)
        assert not found.stops, found.stops
        return carry_out(found, say=self.lines.append, sleep=sleep)

    def standing(self, *targets: SignTarget) -> Standing:
        return next(standing(self.look(*targets)))


def target(**changes: Any) -> SignTarget:
    return replace(TARGET, **changes)


def about(checks: Sequence[Check], what: str) -> list[Check]:
    return [check for check in checks if check.about == what]


def bucket(name: str = BUCKET, *, region: str = REGION, account: str = ACCOUNT) -> Any:
    """Create a bucket as somebody may have made it by hand; gives a client for it."""
    s3 = client("s3", region=region, account=account)
    words = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=name, **words)
    return s3


def policy_of(name: str = BUCKET) -> Any:
    return json.loads(client("s3").get_bucket_policy(Bucket=name)["Policy"])


def profile(name: str = TARGET.profile, **where: str) -> str:
    """Make a profile; gives the ARN of its version."""
    return str(client("signer", **where).put_signing_profile(profileName=name, platformId="AWSLambda-SHA384-ECDSA")["profileVersionArn"])


def configuration(*publishers: str, policy: str = "Enforce", description: str = "") -> str:
    """Make a code-signing configuration; gives its ARN."""
    made = client("lambda").create_code_signing_config(
        Description=description,
        AllowedPublishers={"SigningProfileVersionArns": list(publishers)},
        CodeSigningPolicies={"UntrustedArtifactOnDeployment": policy},
    )
    return str(made["CodeSigningConfig"]["CodeSigningConfigArn"])
