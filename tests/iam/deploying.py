"""`deploy` in all its ways but CodeDeploy: layers, settings, a canary that is watched, a smoke test, no alias, `--create`, `--atomic`,
`--rollback`."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from shipsafe.adapters.aws.callers import callers_of_latest
from shipsafe.adapters.aws.session import Aws, Place
from shipsafe.evidence.envelope import read_envelope, statement_of
from shipsafe.evidence.store import open_store
from shipsafe.flows.rollback_case import RollbackRequest, planned_rollback, rolled_back, rolling_back
from shipsafe.local.endpoint import Endpoint
from shipsafe.model.deployment import Ending
from shipsafe.model.signing import SignedArtifact, SignTarget
from tests.deploy.scene import Scene, sign_all
from tests.deploy.shop import make_shop
from tests.local_endpoint import ACCOUNT, REGION
from tests.signing.place import Site
from tests.signing.revoke.fleet import pace
from tests.verify.live_world import ROLE

_CANARY = '[deploy]\nrollout = "canary"\npercent = 10\nevery = "1s"\n'
_NEW = '[[deploy.function]]\nfunction = "*"\nalias = "new"\n'
_SMOKE = """
[[deploy.function]]
function = "*"
alarms = ["orders-errors"]
smoke-payload = "smoke.json"
smoke-expect = "smoke.json"
"""


@dataclass
class Recorded(Scene):
    """A scene whose deployments are recorded, and whatever else is done there is not."""

    through: Callable[[Place], Aws] | None = None

    def connect(self, place: Place) -> Aws:
        assert self.through is not None
        if place not in self.opened:
            self.opened[place] = self.through(place)
        return self.opened[place]


def deploy_in_every_way(
    endpoint: Endpoint, folder: Path, target: SignTarget, evidence: str, connect: Callable[[Place], Aws]
) -> SignedArtifact:  # fmt: skip
    """Every call that `deploy` can make, through `connect`; gives one of what was signed."""
    scene = recorded_scene(endpoint, folder, target, evidence)
    scene.through = connect
    policy = scene.policy.read_text()
    (scene.desk.project / "smoke.json").write_text("{}")
    for name in ("pay-prod", "stock-prod"):
        scene.function(name, Runtime="python3.12")
        endpoint.functions.set_answer(ACCOUNT, REGION, name, payload=b"{}")
    scene.site.client("cloudwatch").put_metric_alarm(
        AlarmName="orders-errors", MetricName="Errors", Namespace="AWS/Lambda", Statistic="Sum", Period=60, EvaluationPeriods=1,
        Threshold=1000.0, ComparisonOperator="GreaterThanThreshold",
    )  # fmt: skip
    scene.policy.write_text(f"{policy}\n{_CANARY}{_SMOKE}")
    assert [one.ending for one in scene.deploy().deployments] == [Ending.DEPLOYED] * 2
    _roll_back(scene)
    # An alias that is new goes away again where the other function fails.
    scene.policy.write_text(f"{policy}\n{_NEW}")
    scene.lambda_.update_function_configuration(FunctionName="stock-prod", Handler="another.main")
    done = scene.deploy(atomic=True, between=lambda: scene.fail("stock-prod"), jobs=1)
    assert done.exit_code == 6, done.deployments
    # Marks go away where somebody else was quicker.
    scene.policy.write_text(policy)
    scene.lambda_.update_function_configuration(FunctionName="stock-prod", Handler="another.main")
    late = scene.deploy(between=lambda: scene.lambda_.update_function_configuration(FunctionName="stock-prod", MemorySize=512))
    assert late.deployments[1].ending is Ending.REFUSED, late.deployments
    # Who calls a function without an alias; and a function that is not there is made.
    assert not callers_of_latest(connect(Place(region=REGION)), "stock-prod", pace())
    for name in ("pay-prod", "stock-prod"):
        scene.lambda_.delete_function(FunctionName=name)
    made = scene.deploy(create=True, role=ROLE)
    assert [one.ending for one in made.deployments] == [Ending.DEPLOYED] * 2, made.deployments
    return scene.signed


def _roll_back(scene: Recorded) -> None:
    """Somebody has led an alias elsewhere; it goes back by evidence alone."""
    scene.lambda_.update_alias(FunctionName="pay-prod", Name="live", FunctionVersion="1")
    root = scene.endpoint.fingerprint
    request = RollbackRequest(function="pay-prod:live", to="2", policy=scene.policy, local_root=root, offline=True)
    with rolling_back(request, scene.lines.append, connect=scene.connect) as case:
        done = rolled_back(case, planned_rollback(case))
    assert done.exit_code == 0, done
    assert not done.went.deployment.notes, done


def recorded_scene(endpoint: Endpoint, folder: Path, target: SignTarget, evidence: str, *template: str) -> Recorded:
    """A release that is signed for a target, with its evidence in a store; nothing of that is recorded."""
    endpoint.functions.configure({"creating": 0, "updating": 0})
    desk = make_shop(folder, endpoint.root, *template)
    text = (desk.project / "shipsafe.toml").read_text()
    begin = text.index("\n[[sign.target]]")
    end = text.index("\n[[", begin + 3)
    table = f'\n[[sign.target]]\nname = "prod"\nregion = "{REGION}"\nprofile = "{target.profile}"\nbucket = "{target.bucket}"\n'
    text = text[:begin] + table + text[end:]
    place = replace(target, name="prod")
    (folder / "site").mkdir()
    site = Site(endpoint, folder / "site", target=place)
    signed = sign_all(desk, site)
    store = open_store(evidence, home=folder)
    for name in signed:
        for line in (desk.dist / f"{name}.intoto.jsonl").read_bytes().splitlines():
            store.keep(envelope := read_envelope(line, shown=name), statement_of(envelope, shown=name))
    (desk.project / "shipsafe.toml").write_text(f'evidence = "{evidence}"\n{text}')
    return Recorded(desk, endpoint, site, "", str(target.code_signing_config), signed)
