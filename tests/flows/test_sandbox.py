"""`ship --sandbox`: a whole line on an endpoint of this process, which leaves nothing behind; and a second release that goes back."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from threading import Event
from time import sleep

import pytest

from shipsafe.adapters.aws.session import Aws, Place, open_aws
from shipsafe.errors import ConfigError, ExitCode
from shipsafe.flows.sandbox import sandbox
from shipsafe.flows.sandbox_second import changed_copy, second_release
from shipsafe.flows.ship import ship
from shipsafe.flows.targets import place_of, policy_of
from shipsafe.model.deployment import Ending
from tests.flows.line import TODAY, Agreeing, Watching, project, request
from tests.readers.test_terraform import archive, document, lambda_function


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project whose policy speaks of a real account, and whose function uses somebody else's layer."""
    found = project(tmp_path)
    policy = found / "shipsafe.toml"
    policy.write_text(
        policy.read_text().replace('alias = "live"', 'rollout = "canary"\nevery = "10m"\nalarms = ["orders-are-lost"]')
        + 'account = "111122223333"\nrole = "arn:aws:iam::111122223333:role/signs"\nprofile-version = "Abcdefghij"\n'
        + '\n[layers]\npublishers = ["017000801446"]\n'
        + '\n[[deploy.function]]\nfunction = "Stock"\nsmoke-payload = "ask.json"\nsmoke-expect = "answer.json"\n'
        + 'codedeploy-application = "shop"\ncodedeploy-group = "stock"\n'
    )
    (found / "ask.json").write_text('{"item": 7}')
    (found / "answer.json").write_text('{"left": 3}')
    template = found / "template.yaml"
    layer = "arn:aws:lambda:eu-west-1:017000801446:layer:Tools:18"
    slowly = "AutoPublishAlias: current, DeploymentPreference: {Type: Canary10Percent30Minutes, Alarms: [shop-is-closed]}"
    template.write_text(template.read_text().replace("AutoPublishAlias: live", f'Layers: ["{layer}"], {slowly}'))
    return found


def test_it_ships_and_then_a_bad_release_goes_back(root: Path) -> None:
    """Three steps of a second each; the second release changes one function, fails its callers, and the alias leads where it led."""
    before = dict(os.environ)
    files = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    with sandbox(request(root, create=False), kept=None) as box:
        assert os.environ["AWS_ENDPOINT_URL"] == box.endpoint.url
        watch = Watching()
        first = ship(replace(box.request, local_root=box.endpoint.fingerprint), watch, Agreeing(), ahead=box.ahead)
        assert first.exit_code is ExitCode.PASS, first.ended
        assert [(one.function, one.alias, one.before, one.version) for one in first.functions] == [
            ("pay", "current", "1", "2"),
            ("Stock", "live", "1", "2"),
        ]
        assert [shift.percent for shift in first.functions[0].shifts] == [40, 80, 100]
        assert {one.account for one in first.functions} == {"111122223333"}
        assert [one.percent for one in watch.moves if one.function == "pay" and one.state == "watched"] == [40, 80]

        again = second_release(box, first)
        second = ship(replace(again, local_root=box.endpoint.fingerprint), Watching(), Agreeing(), ahead=box.ahead)
        assert second.exit_code is ExitCode.ROLLED_BACK
        back = next(one for one in second.functions if one.ending is Ending.ROLLED_BACK)
        assert (back.before, back.version) == ("2", "3")
        assert "errors in" in back.reason
        assert [one.ending for one in second.functions if one is not back] == [Ending.UNCHANGED]
        alias = box.request.connect(place_of(box.target)).client("lambda").get_alias(FunctionName=back.function, Name=back.alias)
        assert (alias["FunctionVersion"], alias.get("RoutingConfig", {})) == ("2", {})
        folder = box.folder
    assert dict(os.environ) == before
    assert not folder.exists()
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == files, "nothing of the project was touched"


def test_what_is_still_being_made_when_it_ends_is_made_in_the_sandbox(tmp_path: Path) -> None:
    """A line may end before there is anything to sign with. Whoever makes that must not find the user's own account meanwhile."""
    ended, led = Event(), list[str | None]()

    def slowly(place: Place) -> Aws:
        ended.wait(60)
        sleep(0.3)  # long enough for an environment to be put back by whoever does not wait
        led.append(os.environ.get("AWS_ENDPOINT_URL"))
        return open_aws(place)

    with sandbox(request(project(tmp_path), connect=slowly), kept=None) as box:
        ended.set()
    box.ready.result()
    assert led == [box.endpoint.url]
    assert os.environ.get("AWS_ENDPOINT_URL") is None


def test_nothing_is_made_where_the_way_leads_out_of_it(tmp_path: Path) -> None:
    """A second Ctrl-C waits for nobody."""
    opened: list[Aws] = []

    def elsewhere(place: Place) -> Aws:
        opened.append(replace(open_aws(place), local=False))
        return opened[-1]

    with sandbox(request(project(tmp_path), connect=elsewhere), kept=None) as box:
        with pytest.raises(ConfigError, match="has ended before it was whole"):
            box.ready.result()
        assert opened[0].client("s3").list_buckets()["Buckets"] == []


@pytest.mark.parametrize("text", [None, 'extends = "baseline"\n'])
def test_a_project_whose_policy_names_no_place_to_sign_gets_one(tmp_path: Path, text: str | None) -> None:
    root = project(tmp_path)
    (root / "shipsafe.toml").unlink()
    if text:
        (root / "shipsafe.toml").write_text(text)
    with sandbox(request(root), kept=None) as box:
        policy = box.amend(policy_of(root, box.request.build.policy, TODAY))
        assert [one.name for one in policy.sign.targets] == ["sandbox"]
        assert box.request.targets == ("sandbox",)
        box.ready.result()
    other = request(project(tmp_path / "b"), targets=("prod",))
    with pytest.raises(ConfigError, match=r"no \[\[sign.target\]\] 'prod'"), sandbox(other, kept=None):
        pass


def test_the_second_release_is_a_copy_with_one_line_more(tmp_path: Path) -> None:
    root = project(tmp_path)
    (root / ".git").mkdir()
    (root / "dist").mkdir()
    policy = policy_of(root, None, TODAY)
    copy, name = changed_copy(root / "template.yaml", policy, {}, tmp_path / "box")
    assert (copy.name, name) == ("template.yaml", "Pay")
    assert not (copy.parent / ".git").exists()
    assert not (copy.parent / "dist").exists()
    changed = (copy.parent / "src" / "pay" / "app.py").read_text()
    assert changed.startswith((root / "src" / "pay" / "app.py").read_text())
    assert changed != (root / "src" / "pay" / "app.py").read_text()
    shutil.rmtree(root / "src")
    with pytest.raises(ConfigError, match="nothing to change for a second release"):
        changed_copy(root, policy, {}, tmp_path / "box2")


def test_what_terraform_deploys_is_left_to_it(tmp_path: Path) -> None:
    """There is no Terraform in a sandbox; the reader is led to no folder that is gone by then."""
    root = project(tmp_path)
    (root / "template.yaml").unlink()
    plan = document([lambda_function("aws_lambda_function.pay", function_name="pay")], before=[archive(source_dir="src/pay")])
    (root / "plan.json").write_text(json.dumps(plan))
    with sandbox(request(root, create=False), kept=None) as box:
        ended = ship(replace(box.request, local_root=box.endpoint.fingerprint), Watching(), Agreeing(), ahead=box.ahead)
    assert ended.exit_code is ExitCode.USAGE
    assert "Terraform deploys what is built from its plan" in str(ended.ended)
    assert "shipsafe-sandbox-" not in str(ended.ended)
