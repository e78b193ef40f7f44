"""A project that several machines share, and what they leave: equal dependencies, a shared layer, other languages, an image."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from shipsafe.reports import names
from tests.end_to_end.program import Ended, shipsafe
from tests.packing.loopback import index, sha256, wheel
from tests.packing.staging import write

_ALPHA, _BETA = wheel("alpha", "1.0"), wheel("beta", "2.0")
_FUNCTION = "Type: AWS::Serverless::Function\n    Properties: {{Runtime: {runtime}, Handler: app.handler, CodeUri: src/{name}/{more}}}"
_LAYERS = ", Layers: [!Ref Common]"
TEMPLATE = "Transform: AWS::Serverless-2016-10-31\nResources:\n" + "".join(
    f"  {name}:\n    {_FUNCTION.format(name=name.lower(), runtime=runtime, more=more)}\n"
    for name, runtime, more in [
        ("One", "python3.13", _LAYERS), ("Two", "python3.13", _LAYERS), ("Three", "python3.13", _LAYERS), ("Four", "python3.12", ""),
        ("Node", "nodejs22.x", ""),
    ]
) + """\
  Common:
    Type: AWS::Serverless::LayerVersion
    Metadata: {BuildMethod: python3.13}
    Properties: {ContentUri: layer/, CompatibleRuntimes: [python3.13]}
  Boxed:
    Type: AWS::Serverless::Function
    Properties: {PackageType: Image, ImageUri: "111122223333.dkr.ecr.eu-west-1.amazonaws.com/boxed:1"}
"""  # fmt: skip
CODE = "def handler(event, context):\n    return {}\n"
SHELL = "import subprocess\n\n\ndef handler(event, context):\n    subprocess.run(event['x'], shell=True)\n"
RECORD = (
    '{"id": "PYSEC-2026-7", "aliases": ["CVE-2026-7"], "modified": "2026-01-01T00:00:00Z", "affected": '
    '[{"package": {"ecosystem": "PyPI", "name": "%s"}, "versions": ["1.0", "2.0"]}]}'
)
POLICY = """\
{top}
[advisories]
source = {{ path = "advisories", date = 2026-11-01 }}
max-age = "off"

[indexes]
default = "{address}"
mirrors-pypi = ["{address}"]

{more}
"""
COMMON = {
    "template.yaml": TEMPLATE,
    **{f"src/{name}/app.py": CODE for name in ("one", "two", "three", "four")},
    "src/node/app.js": "exports.handler = async () => ({})\n",
    "layer/common.py": "def shared():\n    return 1\n",
    **{f"{folder}/requirements.txt": f"alpha==1.0 --hash={sha256(_ALPHA[1])}\n" for folder in ("src/one", "src/two", "layer")},
    "src/three/requirements.txt": f"beta==2.0 --hash={sha256(_BETA[1])}\n",
    "advisories/PYSEC-2026-7.json": RECORD % "nothing",
}


@contextmanager
def packages(asked: list[str] | None = None) -> Iterator[str]:
    """The index that has what the fleet needs; gives its address. `asked` gets every request."""
    with index(_ALPHA, _BETA, asked=asked) as address:
        yield address


def fleet(root: Path, address: str, files: Mapping[str, str] | None = None, *, top: str = "", policy: str = "") -> Path:
    """A checkout of it; `top` and `policy` are keys and tables of the policy, `files` are other files than the common ones."""
    return write(
        root / "fleet", {".git/HEAD": "", **COMMON, "shipsafe.toml": POLICY.format(top=top, address=address, more=policy), **(files or {})}
    )


def machine(root: Path) -> dict[str, str]:
    """A machine of its own: caches, configuration and key."""
    return {
        "SHIPSAFE_CACHE_DIR": str(root / "cache"), "SHIPSAFE_CONFIG_DIR": str(root / "etc"), "UV_CACHE_DIR": str(root / "uv"),
        "SOURCE_DATE_EPOCH": "1795000000",
    }  # fmt: skip


def build(project: Path, *words: str, env: Mapping[str, str]) -> Ended:
    """`shipsafe build` there, with its report beside its output."""
    return shipsafe("build", "--quiet", "--report", "json=dist/report.json", *words, cwd=project, env=env)


def built_shares(root: Path, project: Path, count: int, *words: str) -> list[Path]:
    """What `count` machines leave, each with a checkout and caches of its own."""
    left = []
    for number in range(1, count + 1):
        place = root / f"machine-{number}"
        checkout = shutil.copytree(project, place / "work" / project.name)
        done = build(checkout, "--shard", f"{number}/{count}", *words, env=machine(place))
        assert done.code in (0, 1, 4), done.err + done.out
        left.append(checkout / "dist")
    return left


def collect(project: Path, folders: list[Path], *words: str, env: Mapping[str, str]) -> Ended:
    """`shipsafe report collect` there."""
    return shipsafe("report", "collect", "--quiet", *folders, *words, cwd=project, env=env)


def reports(folder: Path) -> tuple[str, ...]:
    """Every format, written into a folder."""
    return tuple(word for name in names() for word in ("--report", f"{name}={folder / name}"))


def content(folder: Path) -> dict[str, bytes]:
    """Every file that a user sees."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file() and path.name != "report.json"}


def same_as_one_machine(root: Path, project: Path, *words: str, shares: int = 3) -> dict[str, Any]:
    """Build the project on one machine, cold and warm, and on several; everything that is left has to be the same."""
    one, joined = root / "one", root / "joined"
    whole = shutil.copytree(project, one / "work" / project.name)
    cold = build(whole, *words, *reports(one / "cold"), env=machine(one))
    warm = build(whole, *words, *reports(one / "warm"), env=machine(one))
    assert content(one / "cold") == content(one / "warm")
    left = built_shares(root, project, shares, *words)
    here = shutil.copytree(project, joined / "work" / project.name)
    ended = collect(here, left, *words, *reports(joined / "cold"), env=machine(joined))
    assert (ended.code, ended.out) == (cold.code, cold.out), ended.err
    assert (warm.code, warm.out) == (cold.code, cold.out)
    assert set(content(joined / "cold")) == set(names())
    for name, data in content(one / "cold").items():
        assert (joined / "cold" / name).read_bytes() == data, name
    if cold.code == 0:
        assert content(here / "dist") == content(whole / "dist")
    else:
        assert not (here / "dist" / "shipsafe.json").exists()
    report: dict[str, Any] = json.loads((joined / "cold" / "json").read_text())
    return report
