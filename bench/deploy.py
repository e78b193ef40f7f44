"""Letting a signed release of forty functions go live on a local endpoint, one of them and all: `shipsafe deploy`.

It looks at all before it changes anything, and verifies what runs in the end.

Lambda takes 15 calls a second of all users of an account, but for GetFunction and invocations, and `deploy` leaves three of them to others.
So most of the wall time of forty functions is waiting for a turn, on AWS as here: the remark says how many calls that were, and a target
how much longer it took than these calls have to take. The processor time is ours; the endpoint answers from the bench's own process.
"""

import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

from bench.endpoint import REGION, leads_to
from bench.figures import Part, Row, at_most
from bench.measure import Spent, Step, middle, spend
from bench.ours import Setting
from shipsafe.evidence.key_file import make
from shipsafe.flows.keys import table
from shipsafe.local.endpoint import start
from shipsafe.local.pki import open_root
from shipsafe.model.attestation import Role

_FUNCTIONS = 40
_RATE = 12  # calls a second that `deploy` makes of those that Lambda counts
_PASSWORD = "of a key that lasts as long as this run"  # noqa: S105 - made for it, and removed with it
_ROLE = "arn:aws:iam::123456789012:role/bench"
_RECORD = {"id": "PYSEC-2026-1", "modified": "2026-10-01T00:00:00Z", "affected": [{"package": {"ecosystem": "PyPI", "name": "nobodys"},
           "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]}]}  # fmt: skip
_POLICY = f"""
advisories = {{ source = {{ path = "advisories", date = 2026-11-01 }}, max-age = "off" }}
[[sign.target]]
name = "bench"
region = "{REGION}"
profile = "bench_deploy"
bucket = "bench-deploy"
"""


def deploy(setting: Setting, *, say: Callable[[str], None]) -> Part:
    """The functions are made, and then get another release: one of them, and all.

    Raises:
        BenchError: a step fails.
    """
    place = setting.place("deploy")
    names = [f"F{number:02}" for number in range(_FUNCTIONS)]
    _write_project(place, names)
    shipsafe = setting.tools.shipsafe
    found: dict[tuple[str, str], list[Spent]] = {}
    calls: dict[tuple[str, str], int] = {}
    # In a thread of ours: a process would be taken for one that a contender left behind.
    with start(delay=timedelta(), root=open_root(place / "root")) as endpoint:
        env = {"SHIPSAFE_CACHE_DIR": str(place / "cache"), "SHIPSAFE_CONFIG_DIR": str(place / "config"),
               "SHIPSAFE_KEY_PASSWORD": _PASSWORD, **leads_to(endpoint)}  # fmt: skip

        def run(*words: str | Path) -> Spent:
            return spend([Step(argv=[shipsafe, *words], cwd=place, env=env)], log=setting.log)

        run("bootstrap", "--yes")
        for number in range(1 + 2 * setting.repeat):
            mode, only = "changed", names if number % 2 == 0 else names[:1]
            if number == 0:
                mode = "made"
            what = f"{len(only)} function{'' if len(only) == 1 else 's'}"
            say(f"deploy: {what}, {mode}")
            _write_code(place, names, f"of release {number}")  # other code than before, so that each of them gets another version
            run("build", "--key", "ci.pem")
            run("sign", "--key", "ci.pem", "--yes")
            more = ["--create", "--role", _ROLE] if mode == "made" else [word for name in only for word in ("--function", name)]
            endpoint.trail.clear()
            found.setdefault((what, mode), []).append(run("deploy", "--key", "ci.pem", "--yes", *more))
            made = [one["eventName"] for one in endpoint.trail.events(service="lambda")]
            calls[what, mode] = sum(not name.startswith("GetFunction") or "CodeSigning" in name for name in made)
    rows = [Row(project="deploy", contender="shipsafe deploy", mode=", ".join(key), spent=middle(spent), runs=len(spent),
                note=f"{calls[key]} calls that wait for a turn") for key, spent in found.items()]  # fmt: skip
    all_changed = f"{_FUNCTIONS} functions", "changed"
    changed = middle(found[all_changed])
    return Part(
        name="deploy",
        rows=rows,
        targets=[
            at_most(
                f"deploy: {_FUNCTIONS} functions, over what their calls have to take",
                1.3,
                changed.wall * _RATE / calls[all_changed],
                "times",
            ),
            at_most(f"deploy: {_FUNCTIONS} functions, processor time of each", 0.2, changed.cpu / _FUNCTIONS, "s"),
        ],
    )


def _write_project(place: Path, names: Sequence[str]) -> None:
    (place / "advisories").mkdir()
    (place / "advisories" / "PYSEC-2026-1.json").write_text(json.dumps(_RECORD), encoding="utf-8")
    lines = ["Transform: AWS::Serverless-2016-10-31", "Resources:"]
    for name in names:
        (place / name).mkdir()
        lines += [f"  {name}:", "    Type: AWS::Serverless::Function", "    Properties:",
                  f"      {{CodeUri: {name}/, FunctionName: {name}, Handler: app.handler,",
                  "       Runtime: python3.13, AutoPublishAlias: live}"]  # fmt: skip
    (place / "template.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    key = make(place / "ci.pem", password=_PASSWORD.encode())
    trusted = table(key, name="ci", roles=[Role.BUILDER, Role.SIGNER, Role.DEPLOYER])
    (place / "shipsafe.toml").write_text(f"{_POLICY}{trusted}\n", encoding="utf-8")


def _write_code(place: Path, names: Sequence[str], words: str) -> None:
    for name in names:
        text = f"def handler(event, context):\n    return {f'{name} {words}'!r}\n"
        (place / name / "app.py").write_text(text, encoding="utf-8")
