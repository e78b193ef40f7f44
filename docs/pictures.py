"""Take the README's pictures: real runs on the examples, as the terminal shows them. Needs the package registry and the extra `local`.

python docs/pictures.py
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO, StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from rich.console import Console
from rich.text import Text

from shipsafe.adapters.aws.session import open_aws
from shipsafe.flows.request import Request
from shipsafe.flows.sandbox import Sandbox, sandbox
from shipsafe.flows.sandbox_second import second_release
from shipsafe.flows.ship import ship
from shipsafe.flows.ship_request import ShipRequest
from shipsafe.flows.targets import once_a_place
from shipsafe.model.ship import Shipped
from shipsafe.reports.json_report import read
from shipsafe.reports.ship import text as ship_text
from shipsafe.reports.ship.live import live_view
from shipsafe.reports.text import screen

ROOT = Path(__file__).resolve().parents[1]
REGION = "eu-central-1"
_COLUMNS = 132


def main() -> None:
    """Write docs/images/ship.svg, ship-back.svg, build-pass.svg, build-fail.svg, verify-holds.svg and verify-broken.svg."""
    shipping()
    for name, picture in (("orders", "build-pass"), ("orders-broken", "build-fail")):
        with tempfile.TemporaryDirectory() as out:
            done = _shipsafe(ROOT, "build", f"examples/{name}", "--format", "json", "--quiet", "--out", out)
        console = _console()
        screen(read(done), console, quiet=False, verbose=False)
        _save(console, picture, f"shipsafe build examples/{name}")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "shipsafe", "local", "run", "--", sys.executable, __file__, folder], cwd=ROOT, check=True)


def shipping() -> None:
    """In a sandbox: examples/orders goes live in three steps, and then a second release, which fails its callers, goes back."""
    request = ShipRequest(
        build=Request(path=ROOT / "examples" / "orders", today=datetime.now(UTC).date(), out=Path("dist")), connect=once_a_place(open_aws)
    )
    agree = SimpleNamespace(sign=lambda _case, _plan: True, deploy=lambda _case, _plan: True)
    with sandbox(request, kept=None) as box:
        first = _shipped("ship", replace(box.request, local_root=box.endpoint.fingerprint), box, agree)
        again = replace(second_release(box, first), local_root=box.endpoint.fingerprint)
        _shipped("ship-back", again, box, agree)


def _shipped(picture: str, request: ShipRequest, box: Sandbox, agree: Any) -> Shipped:
    console = _console()
    view = live_view(console, mark="LOCAL ", title="shipsafe ship orders, in a sandbox: nothing of it reaches AWS")
    shipped = ship(request, view, agree, ahead=box.ahead)  # not entered: it is painted once, when it is over
    console.print(view.picture())
    console.print("LOCAL", style="dim")
    with console.capture() as captured:
        ship_text.screen(shipped, console, legs=False)
    console.print(Text.from_ansi("\n".join(f"LOCAL {line}".rstrip() for line in captured.get().splitlines())))
    _save(console, picture, f"shipsafe ship --sandbox{' --seed-alarm' if picture == 'ship-back' else ''} examples/orders")
    return shipped


def chains(folder: Path) -> None:
    """On the local endpoint: build, sign and deploy one function of examples/orders, verify it, replace its code, and verify again."""
    project = folder / "orders"
    shutil.copytree(ROOT / "examples" / "orders", project, ignore=shutil.ignore_patterns("dist", ".aws-sam"))
    os.environ["SHIPSAFE_KEY_PASSWORD"] = "only for this picture"  # noqa: S105 - of a key that is gone with the folder
    policy = project / "shipsafe.toml"
    for name, role in (("ci", "builder"), ("release", "signer")):
        _shipsafe(project, "keys", "new", f"../{name}.pem")
        table = _shipsafe(project, "keys", "show", f"../{name}.pem", "--for", role, "--name", name)
        policy.write_text(f"{policy.read_text()}\n{table}")
    _shipsafe(project, "bootstrap", "--yes")
    _shipsafe(project, "build", "--key", "../ci.pem", "--quiet")
    _shipsafe(project, "sign", "--yes", "--key", "../release.pem", "--quiet")
    _deploy(project)
    command = ["verify", "--function", "Notify", "--region", REGION]
    os.environ |= {"FORCE_COLOR": "1", "COLUMNS": str(_COLUMNS)}  # as on a terminal
    _picture("verify-holds", command, _shipsafe(project, *command))
    _replace()
    _picture("verify-broken", command, _shipsafe(project, *command))


def _deploy(project: Path) -> None:
    import boto3  # noqa: PLC0415 - only inside the local endpoint

    release: dict[str, Any] = json.loads((project / "dist" / "shipsafe.json").read_text())
    artifact = next(one for one in release["artifacts"] if one["name"] == "Notify")
    signed = artifact["signatures"][0]["object"]
    client = boto3.client("lambda", region_name=REGION)
    client.create_function(
        FunctionName="Notify",
        Runtime=artifact["runtimes"][0],
        Handler=artifact["handler"],
        Architectures=artifact["architectures"],
        Role="arn:aws:iam::123456789012:role/orders",
        Code={"S3Bucket": signed["bucket"], "S3Key": signed["key"], "S3ObjectVersion": signed["version"]},
        CodeSigningConfigArn=client.list_code_signing_configs()["CodeSigningConfigs"][0]["CodeSigningConfigArn"],
    )
    _settled(client)


def _replace() -> None:
    """What somebody with the rights to do so does at night: take the configuration off, and put other code there."""
    import boto3  # noqa: PLC0415 - only inside the local endpoint

    client = boto3.client("lambda", region_name=REGION)
    client.delete_function_code_signing_config(FunctionName="Notify")
    other = BytesIO()
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("app.py", "def handler(event, context):\n    return {}\n")
    client.update_function_code(FunctionName="Notify", ZipFile=other.getvalue())
    _settled(client)


def _settled(client: Any) -> None:
    while {"Pending", "InProgress"} & {
        client.get_function_configuration(FunctionName="Notify").get(one) for one in ("State", "LastUpdateStatus")
    }:
        time.sleep(0.1)


def _shipsafe(where: Path, *words: str) -> str:
    done = subprocess.run([sys.executable, "-m", "shipsafe", *words], cwd=where, capture_output=True, text=True, check=False)
    return done.stdout


def _console() -> Console:
    return Console(record=True, width=_COLUMNS, force_terminal=True, color_system="truecolor", file=StringIO())


def _picture(name: str, command: list[str], shown: str) -> None:
    console = _console()
    console.print(Text.from_ansi(shown.rstrip("\n")))
    _save(console, name, " ".join(["shipsafe", *command]))


def _save(console: Console, picture: str, title: str) -> None:
    target = ROOT / "docs" / "images" / f"{picture}.svg"
    target.parent.mkdir(exist_ok=True)
    target.write_text(console.export_svg(title=title, unique_id=picture))


if __name__ == "__main__":
    chains(Path(sys.argv[1])) if len(sys.argv) > 1 else main()
