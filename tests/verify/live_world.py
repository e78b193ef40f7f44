"""Functions that were built, signed and deployed on the local endpoint, with evidence that our keys signed, for somebody to change."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from shipsafe.adapters.aws.session import Aws, Place
from shipsafe.evidence.envelope import written
from shipsafe.evidence.file_signer import FileSigner
from shipsafe.evidence.gate_statement import gates_statement
from shipsafe.evidence.signing_record import signing_record
from shipsafe.local.endpoint import Endpoint
from shipsafe.local.faults import Fault
from shipsafe.model.attestation import AttestPolicy, Resource, Role, Statement
from shipsafe.model.chain import Chain, Link, Verification
from shipsafe.model.enforcement import EnforcePolicy
from shipsafe.model.outcome import Outcome
from shipsafe.model.policy import Policy
from shipsafe.model.record import RunRecord
from shipsafe.model.signing import SignedArtifact, SignPolicy, SignTarget
from shipsafe.model.verdict import Decision, Verdict
from shipsafe.policy import load
from shipsafe.verify.live import verify_functions
from shipsafe.verify.request import VerifyRequest
from tests.evidence.speakers import key, trusted_key
from tests.local_endpoint import ACCOUNT, client
from tests.signing.place import Site, make_bucket, make_profile
from tests.signing.zips import zip_bytes
from tests.verify.live_statements import bom, built

ROLE = f"arn:aws:iam::{ACCOUNT}:role/orders"
CODE = b"def handler(event, context): ...\n"


@dataclass
class World:
    """An account with a bucket, a profile, a configuration that enforces, and what was signed.

    `evidence` are the lines of a bundle; `done` what was signed, by name.
    """

    endpoint: Endpoint
    site: Site
    profile: str
    configuration: str
    folder: Path
    evidence: list[bytes] = field(default_factory=list)
    attest: AttestPolicy = field(default_factory=AttestPolicy)
    targets: tuple[SignTarget, ...] = ()
    publishers: tuple[Any, ...] = ()
    enforce: EnforcePolicy = field(default_factory=EnforcePolicy)
    done: dict[str, SignedArtifact] = field(default_factory=dict)
    opened: dict[Place, Aws] = field(default_factory=dict)

    @property
    def lambda_(self) -> Any:
        return self.site.client("lambda")

    @property
    def signer(self) -> Any:
        return self.site.client("signer")

    def signed(
        self, name: str, files: dict[str, bytes], *, subject: str = "", target: SignTarget | None = None, **said: Any
    ) -> SignedArtifact:
        """Build and sign something, and keep the evidence of it."""
        data = zip_bytes(files)
        work = self.site.unsigned(name, data)
        done = self.site.run(work, targets=(target or self.targets[0],))
        assert not done.failed, done.failed
        one = done.signed[0]
        zipped = Resource(name=f"{name}.zip", digests={"sha256": one.unsigned_sha256})
        artifact = {"name": name, "subject": subject or f"function:{name}", "runtimes": ["python3.13"], "handler": "app.handler",
                    "architectures": ["x86_64"], "layers": [], "prebuilt": False, **said}  # fmt: skip
        self.state(built(zipped, artifact), "ci")
        self.state(bom(zipped), "ci")
        self.state(asked(zipped, artifact["subject"]), "ci")
        self.record(one)
        self.done[name] = one
        return one

    def record(self, one: SignedArtifact) -> None:
        """The signer's record of a signature, as the last of the evidence."""
        zipped = Resource(name=f"{one.artifact}.zip", digests={"sha256": one.unsigned_sha256})
        self.state(signing_record(one, zipped=zipped, claims=(), vouched_by=("ci",)), "signer")

    def state(self, statement: Statement, by: str) -> None:
        self.evidence.append(written(statement, [FileSigner(key(by))]))

    def deploy(self, name: str, one: SignedArtifact, **words: Any) -> None:
        """Create a function from the signed object, under the configuration."""
        given: dict[str, Any] = {
            "Runtime": "python3.13", "Handler": "app.handler", "CodeSigningConfigArn": self.configuration, "Role": ROLE,
        } | words  # fmt: skip
        self.lambda_.create_function(FunctionName=name, Code=code_of(one), **given)

    def publish(self, name: str) -> str:
        return str(self.lambda_.publish_version(FunctionName=name)["Version"])

    def layer(self, name: str, one: SignedArtifact | None = None, **content: Any) -> str:
        """Publish a layer, and give the ARN of its version."""
        told = self.lambda_.publish_layer_version(LayerName=name, Content=code_of(one) if one else content)
        return str(told["LayerVersionArn"])

    def verify(self, *names: str, **words: Any) -> Verification:
        bundle = self.folder / "all.intoto.jsonl"
        bundle.write_bytes(b"\n".join(self.evidence) + b"\n")
        now, bundles = words.pop("now", None) or self.site.now(), (bundle,) if self.evidence else ()
        request = VerifyRequest(policy=self.policy(), now=now, bundles=bundles,
                                local_root=self.endpoint.fingerprint, release=words.pop("release", None))  # fmt: skip
        return verify_functions(names, request, words.pop("connect", self.connect), **words)

    def policy(self) -> Policy:
        sign = SignPolicy(targets=self.targets, publishers=self.publishers)
        return replace(_policy(), sign=sign, enforce=self.enforce, attest=self.attest)

    def connect(self, place: Place) -> Aws:
        """As `open_aws`, a session a place: clients take long to make."""
        from shipsafe.adapters.aws.session import open_aws  # noqa: PLC0415 - boto3 is loaded by now

        if place not in self.opened:
            self.opened[place] = open_aws(place)
        return self.opened[place]

    def refuse(self, operation: str, *, service: str = "lambda", code: str = "AccessDeniedException", status: int = 403) -> None:
        """From now on AWS refuses an operation."""
        message = f"User: arn:aws:iam::{ACCOUNT}:user/verifier is not authorized to perform: {service}:{operation}"
        self.endpoint.faults.add(Fault(service=service, operation=operation, times=0, code=code, status=status, message=message))


@cache
def _policy() -> Policy:
    return load(Path("/nowhere"), offline=True, cache=Path("/nowhere"), fetch=lambda _url: b"", today=datetime.now(UTC).date())


def make_world(endpoint: Endpoint, folder: Path) -> World:
    """The account, with nothing signed yet."""
    endpoint.functions.configure({"creating": 0, "updating": 0})
    dist = folder / "dist"
    dist.mkdir()
    make_bucket()
    profile = make_profile()
    site = Site(endpoint, dist)
    configuration = make_configuration([profile])
    keys = (trusted_key(key("ci"), "ci"), trusted_key(key("signer"), "signer", roles=frozenset({Role.SIGNER})))
    return World(
        endpoint, site, profile, configuration, folder, attest=AttestPolicy(unsigned_allowed=False, keys=keys), targets=(site.target,)
    )


def make_configuration(publishers: Sequence[str], policy: str = "Enforce", **words: Any) -> str:
    """Gives the ARN of a code-signing configuration."""
    made = client("lambda", **words).create_code_signing_config(
        AllowedPublishers={"SigningProfileVersionArns": list(publishers)}, CodeSigningPolicies={"UntrustedArtifactOnDeployment": policy}
    )
    return str(made["CodeSigningConfig"]["CodeSigningConfigArn"])


def code_of(one: SignedArtifact) -> dict[str, str]:
    return {"S3Bucket": one.object.bucket, "S3Key": one.object.key, "S3ObjectVersion": one.object.version}


def asked(zipped: Resource, subject: str) -> Statement:
    policy = _policy()
    outcomes = tuple(Outcome.answered(gate, subject) for gate in policy.required)
    verdict = Verdict(decision=Decision.PASS, policy_digest=policy.digest)
    record = RunRecord(
        command="build", project="shop", verdict=verdict, outcomes=outcomes, policy_digest=policy.digest, tools={"shipsafe": "1"}
    )
    return gates_statement(record, zipped, subject=subject, asked_by=Role.BUILDER, policy=policy)


def broken(found: Verification) -> tuple[str, int]:
    """The id of the link that decides, and the exit code."""
    first = found.first_broken
    return (first[1].id if first else ""), int(found.exit_code)


def the(chain: Chain, name: str) -> Link:
    """The link of that id."""
    return next(link for link in chain.links if link.id == name)


def told(found: Verification) -> str:
    """All of it, for a test's message."""
    return "\n".join(
        f"{chain.subject}: {json.dumps([(str(one.hold), one.id, one.sentence) for one in chain.links], indent=1)}" for chain in found.chains
    )
