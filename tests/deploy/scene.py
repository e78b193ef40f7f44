"""A release that was built once and signed at the local endpoint, and functions for it to go live in."""

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shipsafe.adapters.aws.session import Aws, Place, open_aws
from shipsafe.evidence.envelope import read_envelope, written
from shipsafe.evidence.file_signer import FileSigner
from shipsafe.evidence.signing_record import signing_record
from shipsafe.evidence.store import open_store
from shipsafe.flows.deploy import Deployed, Deploying, DeployPlan, deployed, deploying, planned
from shipsafe.flows.deploy_request import DeployRequest
from shipsafe.local.endpoint import Endpoint
from shipsafe.local.faults import Fault
from shipsafe.model.attestation import Resource, Statement
from shipsafe.model.deployment import Deployment
from shipsafe.model.signing import SignedArtifact, SignTarget
from shipsafe.packing.output import Output, output_lock
from shipsafe.packing.release import laid_bundle, read_release, record_signatures
from tests.local_endpoint import ACCOUNT, REGION
from tests.signing.place import BUCKET, Site, make_bucket, make_profile
from tests.signing.zips import zip_bytes
from tests.verify.desk import SIGNER, Desk
from tests.verify.live_world import ROLE, code_of, make_configuration

_SIGNING: dict[str, dict[SignTarget, Aws]] = {}  # by the endpoint's URL: a client takes 0.2 s to make
_DEPLOYING: dict[str, dict[Place, Aws]] = {}
TABLE = f"""
[[sign.target]]
name = "prod"
account = "{ACCOUNT}"
region = "{REGION}"
profile = "orders_2026"
bucket = "{BUCKET}"
"""


@dataclass
class Scene:
    """The project of `desk`, its release signed for `prod`, and a function that runs something older, which was signed too.

    `lines` is what was said while it was deployed.
    """

    desk: Desk
    endpoint: Endpoint
    site: Site
    profile: str
    configuration: str
    all_signed: dict[str, SignedArtifact]
    lines: list[str] = field(default_factory=list)
    opened: dict[Place, Aws] = field(default_factory=dict)
    sleep: Callable[[float], None] = lambda seconds: time.sleep(min(seconds, 0.01))

    @property
    def signed(self) -> SignedArtifact:
        return self.all_signed["Pay"]

    @property
    def lambda_(self) -> Any:
        return self.site.client("lambda")

    @property
    def policy(self) -> Path:
        return self.desk.project / "shipsafe.toml"

    def add(self, text: str) -> None:
        """More of a policy."""
        self.policy.write_text(f"{self.policy.read_text()}\n{text}\n")

    def function(self, name: str = "Pay", *, alias: str = "live", code: SignedArtifact | None = None, **words: Any) -> None:
        """A function that runs an older release, its version 1 under the alias."""
        older = code or self.older
        given: dict[str, Any] = {
            "Runtime": "python3.13",
            "Handler": "app.handler",
            "Role": ROLE,
            "CodeSigningConfigArn": self.configuration,
        } | words
        self.lambda_.create_function(FunctionName=name, Code=code_of(older), **given)
        self.lambda_.publish_version(FunctionName=name)
        if alias:
            self.lambda_.create_alias(FunctionName=name, Name=alias, FunctionVersion="1")

    @property
    def older(self) -> SignedArtifact:
        work = self.site.unsigned("older", zip_bytes({"app.py": b"def handler(event, context): return 'older'\n"}))
        return self.site.run(work).signed[0]

    def connect(self, place: Place) -> Aws:
        if place not in self.opened:
            self.opened[place] = open_aws(place)
        return self.opened[place]

    def request(self, **words: Any) -> DeployRequest:
        return DeployRequest(out=self.desk.dist, policy=self.policy, local_root=self.endpoint.fingerprint, offline=True, **words)

    @contextmanager
    def case(self, **words: Any) -> Iterator[Deploying]:
        with deploying(
            self.request(**words), self.lines.append, connect=self.connect, now=lambda: datetime.now(UTC), sleep=self.sleep
        ) as case:
            yield case

    def plan(self, **words: Any) -> DeployPlan:
        with self.case(**words) as case:
            return planned(case)

    def deploy(self, *, between: Callable[[], object] = lambda: None, **words: Any) -> Deployed:
        """As the command does, without asking; `between` the plan and the changes somebody else may be at work."""
        with self.case(**words) as case:
            plan = planned(case)
            assert plan.exit_code == 0, wrong(plan)
            between()
            return deployed(case, plan, self.lines.append)

    def refuse(self, operation: str, *, code: str = "AccessDeniedException", status: int = 403, times: int = 0, **words: Any) -> None:
        """From now on (0: for ever) AWS refuses an operation."""
        self.endpoint.faults.add(Fault(service="lambda", operation=operation, times=times, code=code, status=status, message="no", **words))

    def twin(self) -> "Scene":
        """The same release in another folder, as on another machine."""
        other = self.desk.project.with_name("twin")
        shutil.copytree(self.desk.project, other)
        return replace(self, desk=replace(self.desk, project=other))

    def interrupt(self) -> None:
        """As Ctrl-C does."""
        os.kill(os.getpid(), signal.SIGINT)

    def remember(self, one: SignedArtifact) -> None:
        """Keep the record of a signature in a store of evidence."""
        self.policy.write_text(f'evidence = "kept"\n{self.policy.read_text()}')
        record = _record(one)
        envelope = read_envelope(written(record, [FileSigner(SIGNER.private)]), shown="test")
        open_store("kept", home=self.desk.project).keep(envelope, record)

    def fail(self, name: str) -> None:
        """The next update of a function ends as Failed."""
        self.endpoint.functions.fail_next(ACCOUNT, REGION, name)

    def alias(self, name: str = "Pay", alias: str = "live") -> tuple[str, dict[str, float]]:
        """Where an alias leads."""
        told = self.lambda_.get_alias(FunctionName=name, Name=alias)
        return told["FunctionVersion"], (told.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}

    def versions(self, name: str = "Pay") -> list[str]:
        return [one["Version"] for one in self.lambda_.list_versions_by_function(FunctionName=name)["Versions"]][1:]

    def tags(self, name: str = "Pay") -> dict[str, str]:
        found: dict[str, str] = self.lambda_.list_tags(Resource=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}")["Tags"]
        return found


def wrong(plan: DeployPlan) -> list[tuple[str, str, str, str]]:
    """The links that do not hold."""
    return [
        (chain.subject, str(link.hold), link.id, link.sentence)
        for chain in plan.verification.chains
        for link in chain.links
        if str(link.hold) not in ("held", "not-asked")
    ]


def only(done: Deployed) -> Deployment:
    assert len(done.deployments) == 1, done.deployments
    return done.deployments[0]


def make_scene(desk: Desk, endpoint: Endpoint, folder: Path) -> Scene:
    """Everything but the functions: the whole release is signed, with the evidence of it."""
    endpoint.functions.configure({"creating": 0, "updating": 0})
    make_bucket()
    profile = make_profile()
    work = folder / "site"
    work.mkdir()
    site = Site(endpoint, work, opened=_SIGNING.setdefault(endpoint.url, {}))
    configuration = make_configuration([profile])
    text = (desk.project / "shipsafe.toml").read_text()
    begin = text.index("\n[[sign.target]]")
    end = text.index("\n[[", begin + 3)
    (desk.project / "shipsafe.toml").write_text(text[:begin] + TABLE + text[end:])
    signed = sign_all(desk, site)
    return Scene(desk, endpoint, site, profile, configuration, signed, opened=_DEPLOYING.setdefault(endpoint.url, {}))


def sign_all(desk: Desk, site: Site) -> dict[str, SignedArtifact]:
    """Sign the whole release, and state it."""
    release = read_release(desk.dist)
    made = site.run(*(site.unsigned(one.name, one.path.read_bytes()) for one in release.artifacts))
    assert not made.failed, made.failed
    with output_lock(desk.dist, on_wait=lambda: None):
        output = Output(desk.dist)
        bundles = {one.artifact: laid_bundle(output, one.artifact, signed_bundle(desk, one)) for one in made.signed}
        record_signatures(output, release, made.signed, None, bundles)
    return {one.artifact: one for one in made.signed}


def signed_bundle(desk: Desk, one: SignedArtifact) -> bytes:
    """The bundle of an artifact, with the record of its signature."""
    before = (desk.dist / f"{one.artifact}.intoto.jsonl").read_bytes()
    return before + written(_record(one), [FileSigner(SIGNER.private)]) + b"\n"


def _record(one: SignedArtifact) -> Statement:
    zipped = Resource(name=f"{one.artifact}.zip", digests={"sha256": one.unsigned_sha256})
    return signing_record(one, zipped=zipped, claims=(), vouched_by=("ci",))
