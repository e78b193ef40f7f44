"""Tags that somebody else wrote: whoever may tag a function could say that its alias led anywhere before."""

from datetime import UTC, datetime, timedelta

import pytest

from shipsafe.deploy.marks import Before, Marks, Phase
from shipsafe.model.deployment import Ending
from tests.deploy.scene import Scene, only
from tests.local_endpoint import ACCOUNT, REGION

SMOKE = '[[deploy.function]]\nfunction = "Pay"\nsmoke-payload = "smoke.json"'


@pytest.mark.parametrize("genuine", [True, False])
def test_an_alias_does_not_go_back_to_a_version_that_only_tags_name(scene: Scene, *, genuine: bool) -> None:
    """A release runs; its tags are made to say that nobody ended it and that the alias led to an older version; its smoke test fails.

    An older version whose chain holds today is a way back like any other.
    """
    scene.function(code=scene.signed if genuine else scene.older)
    scene.lambda_.update_function_configuration(FunctionName="Pay", Timeout=9)
    scene.add('[deploy]\nalias = "live"')
    assert scene.deploy().exit_code == 0
    assert scene.alias() == ("2", {})
    now = datetime.now(UTC).replace(microsecond=0)
    forged = Marks(id="0123abcd", began=now, deadline=now + timedelta(minutes=30), release=scene.signed.unsigned_sha256,
                   before=Before(alias="live", version="1"), phase=Phase.SHIFTING, version="2")  # fmt: skip
    scene.lambda_.tag_resource(Resource=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:Pay", Tags=forged.tags())
    (scene.desk.project / "smoke.json").write_text("{}")
    scene.add(SMOKE)
    scene.endpoint.functions.set_answer(ACCOUNT, REGION, "Pay", version="2", payload=b"{}", error="Unhandled", log="")
    done = scene.deploy()
    one = only(done)
    assert done.exit_code == 6, one
    before = "1" if genuine else "2"
    assert (scene.alias(), one.before) == ((before, {}), before), one
    assert one.ending is (Ending.ROLLED_BACK if genuine else Ending.UNFINISHED)
    assert ["its chain was not proven today" in note for note in one.notes] == ([] if genuine else [True])
