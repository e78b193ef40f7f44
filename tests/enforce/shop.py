"""An account of the local endpoint with functions in every state that `enforce` has to tell apart."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from shipsafe.adapters.aws.looks import Looks, open_looks
from shipsafe.adapters.aws.session import Aws, Place, open_aws
from shipsafe.enforce.apply import Applied
from shipsafe.flows.enforce import EnforceRequest, EnforceSurvey, carry_out, survey
from shipsafe.local.endpoint import Endpoint
from shipsafe.model.deployment import DeployPolicy
from shipsafe.model.enforcement import EnforcePolicy
from shipsafe.model.override import BreakGlassPolicy
from shipsafe.model.policy import Policy
from shipsafe.model.signing import SignPolicy, SignTarget
from shipsafe.policy import load
from tests.local.functions.world import zipped
from tests.local_endpoint import ACCOUNT, REGION

ROLE = f"arn:aws:iam::{ACCOUNT}:role/orders"
TARGET = SignTarget(name="prod", profile="orders_2026", bucket="artifacts", region=REGION, account=ACCOUNT)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)  # from when on a revoked profile is not believed
PLATFORM = "AWSLambda-SHA384-ECDSA"
STRANGER = "arn:aws:signer:eu-west-1:999988887777:/signing-profiles/theirs/AbCdEfGhIj"


@cache
def bare_policy() -> Policy:
    """What holds without a file."""
    return load(Path("/nowhere"), offline=True, cache=Path("/nowhere"), fetch=lambda _url: b"", today=datetime.now(UTC).date())


@dataclass
class Shop:
    """The account. `wait` moves the clock of `enforce`."""

    endpoint: Endpoint
    profile: str = ""
    enforce: EnforcePolicy = field(default_factory=EnforcePolicy)
    sign: SignPolicy = field(default_factory=lambda: SignPolicy(targets=(TARGET,)))
    break_glass: BreakGlassPolicy = field(default_factory=BreakGlassPolicy)
    deploy: DeployPolicy = field(default_factory=DeployPolicy)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    opened: dict[Place, Aws] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.endpoint.functions.configure({"creating": 0, "updating": 0})
        self.profile = self.new_profile(TARGET.profile)

    @property
    def policy(self) -> Policy:
        return replace(bare_policy(), sign=self.sign, enforce=self.enforce, break_glass=self.break_glass, deploy=self.deploy)

    def connect(self, place: Place) -> Aws:
        if place not in self.opened:
            self.opened[place] = open_aws(place)
        return self.opened[place]

    @property
    def aws(self) -> Aws:
        return self.connect(Place(region=REGION, account=ACCOUNT))

    def client(self, service: str) -> Any:
        return self.aws.client(service)

    @property
    def lambda_(self) -> Any:
        return self.client("lambda")

    def looks(self) -> Looks:
        return open_looks(self.aws, lambda: 0.0, lambda _seconds: None)

    def new_profile(self, name: str) -> str:
        return str(self.client("signer").put_signing_profile(profileName=name, platformId=PLATFORM)["profileVersionArn"])

    def configuration(self, *publishers: str, policy: str = "Enforce", description: str = "") -> str:
        made = self.lambda_.create_code_signing_config(
            AllowedPublishers={"SigningProfileVersionArns": list(publishers)}, Description=description,
            CodeSigningPolicies={"UntrustedArtifactOnDeployment": policy},
        )  # fmt: skip
        return str(made["CodeSigningConfig"]["CodeSigningConfigArn"])

    def function(self, name: str = "orders", **more: Any) -> str:
        """One that runs unsigned code; gives its ARN."""
        words: dict[str, Any] = {"Runtime": "python3.13", "Handler": "app.main", "Role": ROLE, "Code": {"ZipFile": zipped()}} | more
        return str(self.lambda_.create_function(FunctionName=name, **words)["FunctionArn"])

    def attach(self, function: str, arn: str) -> None:
        """As somebody else does it."""
        self.lambda_.put_function_code_signing_config(FunctionName=function, CodeSigningConfigArn=arn)

    def layer(self, data: bytes | None = None, name: str = "plain") -> str:
        return str(self.lambda_.publish_layer_version(LayerName=name, Content={"ZipFile": data or zipped()})["LayerVersionArn"])

    def signed(self, profile: str = TARGET.profile) -> bytes:
        """A zip that a profile has signed."""
        s3, signer = self.client("s3"), self.client("signer")
        if not any(one["Name"] == "releases" for one in s3.list_buckets()["Buckets"]):
            s3.create_bucket(Bucket="releases", CreateBucketConfiguration={"LocationConstraint": REGION})
            s3.put_bucket_versioning(Bucket="releases", VersioningConfiguration={"Status": "Enabled"})
        version = s3.put_object(Bucket="releases", Key="unsigned.zip", Body=zipped())["VersionId"]
        job = signer.start_signing_job(
            source={"s3": {"bucketName": "releases", "key": "unsigned.zip", "version": version}},
            destination={"s3": {"bucketName": "releases", "prefix": "signed/"}}, profileName=profile,
        )["jobId"]  # fmt: skip
        where = signer.describe_signing_job(jobId=job)["signedObject"]["s3"]
        return bytes(s3.get_object(Bucket=where["bucketName"], Key=where["key"])["Body"].read())

    def survey(self, *names: str, everything: bool = True, targets: tuple[str, ...] = ()) -> EnforceSurvey:
        request = EnforceRequest(policy=self.policy, names=names, everything=everything and not names, targets=targets)
        return survey(request, self.connect, now=self.now, clock=lambda: 0.0, sleep=lambda _seconds: None)

    def enforced(self, *names: str, everything: bool = True) -> tuple[EnforceSurvey, tuple[Applied, ...]]:
        """A plan, and what came of it."""
        found = self.survey(*names, everything=everything)
        return found, carry_out(found, sleep=lambda _seconds: None, say=lambda _place, _change: None)

    def wait(self, days: float) -> None:
        self.now += timedelta(days=days)

    def attached(self, name: str = "orders") -> dict[str, Any]:
        """The configuration of a function, {} for none."""
        told = self.lambda_.get_function_code_signing_config(FunctionName=name).get("CodeSigningConfigArn")
        return dict(self.lambda_.get_code_signing_config(CodeSigningConfigArn=told)["CodeSigningConfig"]) if told else {}

    def mode(self, name: str = "orders") -> str:
        """Enforce, Warn, or none."""
        return str(self.attached(name).get("CodeSigningPolicies", {}).get("UntrustedArtifactOnDeployment", "none"))


def whats(found: EnforceSurvey, name: str = "orders") -> list[str]:
    """What is wrong with a function, by name."""
    return [str(wrong.what) for _, one in found.functions if one.case.name == name for wrong in one.case.standing.wrongs]


def held(found: EnforceSurvey, name: str = "orders") -> str:
    """What holds a function back."""
    return "\n".join(line for _, one in found.functions if one.case.name == name for line in one.holding)


def apis(found: EnforceSurvey) -> list[str]:
    """The calls of the plan, without their service."""
    return [step.api.partition(":")[2] for place in found.places for step in place.steps]
