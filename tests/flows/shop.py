"""A project with everything that a zip does not show by itself, built once; and somebody who may write to its output folder."""

import base64
import hashlib
import io
import json
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from shipsafe.adapters.http import fetch
from shipsafe.adapters.timeline import Timeline
from shipsafe.flows.reask import Asked, reask
from shipsafe.model.policy import Policy
from shipsafe.packing.release import read_release
from shipsafe.policy import load
from shipsafe.reports.live import silent_progress
from tests.end_to_end.program import shipsafe
from tests.packing.builds import installed
from tests.packing.loopback import index, sha256, wheel
from tests.packing.staging import write

TODAY = datetime.now(UTC).date()  # what builds the shop asks the machine's clock, so those who ask again do so on that day, too
_ALPHA = wheel("alpha", "1.0", {"alpha/__init__.py": b"one = 1\n", "alpha/more.py": b"two = 2\n", "bin/alpha": b"#!/bin/sh\n"},
               programs=["bin/alpha"], extras=["more"], requires=["gamma; extra == 'more'"])  # fmt: skip
_BETA, _GAMMA = wheel("beta", "2.0", requires=["alpha"]), wheel("gamma", "3.0")
_TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Pay:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: app.handler
      CodeUri: src/pay/
      Architectures: [arm64]
      Layers: [!Ref Common, "arn:aws:lambda:eu-west-1:111122223333:layer:tools:7"]
  Stock:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.12, Handler: common.shared, CodeUri: src/stock/, Layers: [!Ref Common]}
  Node:
    Type: AWS::Serverless::Function
    Properties: {Runtime: nodejs22.x, Handler: app.handler, CodeUri: src/node/}
  Inline:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.13, Handler: index.handler, InlineCode: "def handler(event, context):\\n    return eval('1')\\n"}
  Common:
    Type: AWS::Serverless::LayerVersion
    Metadata: {BuildMethod: python3.13}
    Properties: {ContentUri: layer/}
"""
_SHELL = """\
import subprocess

import alpha
import acme_shared


def handler(event, context):
    subprocess.run(event["x"], shell=True)
    subprocess.run(event["y"], shell=True)  # nosec
    return alpha, acme_shared
"""
_ADVISORY = {
    "id": "PYSEC-2026-7", "aliases": ["CVE-2026-7"], "modified": "2026-01-01T00:00:00Z", "summary": "beta breaks",
    "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
    "affected": [{"package": {"ecosystem": "PyPI", "name": "beta"}, "versions": ["2.0"]}],
}  # fmt: skip
POLICY = """\
accounts = ["111122223333"]
baseline = "known.toml"

[advisories]
source = {{ path = "advisories", date = 2026-11-01 }}
max-age = "off"

[indexes]
default = "{address}"
mirrors-pypi = ["{address}"]

[[waivers]]
rule = "dependencies/unaudited"
subject = "Pay"
reason = "vendored is ours"
owner = "o"
expires = 2999-01-01

[[waivers]]
advisory = "CVE-2026-7"
subject = "Stock"
reason = "not reached"
owner = "o"
expires = 2999-01-01
"""


def files(address: str) -> dict[str, str | bytes]:
    """The whole checkout."""
    return {
        ".git/HEAD": "",
        "template.yaml": _TEMPLATE,
        "shipsafe.toml": POLICY.format(address=address),
        "advisories/PYSEC-2026-7.json": json.dumps(_ADVISORY),
        "src/pay/app.py": _SHELL,
        "src/pay/alpha/more.py": "two = 'ours'\n",  # hides a file of a dependency
        "src/pay/requirements.txt": f"alpha[more]==1.0 --hash={sha256(_ALPHA[1])}\ngamma==3.0 --hash={sha256(_GAMMA[1])}\n-e ../../lib\n",
        **{f"src/pay/{path}": data for path, data in installed("vendored").items()},
        "lib/pyproject.toml": '[project]\nname = "acme-shared"\nversion = "1.2"\n[build-system]\nrequires = ["hatchling"]\n'
        'build-backend = "hatchling.build"\n',
        "lib/src/acme_shared/__init__.py": "import subprocess\n\n\ndef run(x):\n    subprocess.run(x, shell=True)\n",
        "src/stock/app.py": "import beta\n",
        "src/stock/requirements.txt": f"beta==2.0 --hash={sha256(_BETA[1])}\nalpha==1.0 --hash={sha256(_ALPHA[1])}\n",
        "src/node/app.js": "exports.handler = async () => ({})\n",
        "src/node/tool.py": "import subprocess\nsubprocess.run('x', shell=True)\n",
        "layer/common.py": "def shared(event, context):\n    return 1\n",
        "layer/requirements.txt": f"gamma==3.0 --hash={sha256(_GAMMA[1])}\n",
    }


@contextmanager
def packages() -> Iterator[str]:
    """The index that has what the shop needs; gives its address."""
    with index(_ALPHA, _BETA, _GAMMA) as address:
        yield address


def built(
    root: Path, address: str, changed: Mapping[str, str | bytes] | None = None, without: tuple[str, ...] = ()
) -> Path:  # fmt: skip
    """The project with its `dist`, and `report.json` beside it; `without` are files that are left out, by what their paths begin with."""
    wanted = {path: data for path, data in {**files(address), **(changed or {})}.items() if not path.startswith(without or ("\0",))}
    project = write(root / "shop", wanted)
    env = {"SHIPSAFE_CACHE_DIR": str(root / "cache"), "SHIPSAFE_CONFIG_DIR": str(root / "etc"), "UV_CACHE_DIR": str(root / "uv"),
           "SOURCE_DATE_EPOCH": "1795000000"}  # fmt: skip
    shipsafe("check", "--quiet", "--write-baseline", "known.toml", "--baseline-owner", "o", cwd=project, env=env)
    known = project / "known.toml"  # recorded on TODAY, though midnight may have come since
    known.write_text(re.sub(r"^date = .*$", f"date = {TODAY}", known.read_text(), flags=re.MULTILINE))
    done = shipsafe("build", "--quiet", "--report", "json=report.json", cwd=project, env=env)
    assert done.code == 0, done.out + done.err
    return project


def policy(project: Path, text: str | None = None) -> Policy:
    """The project's policy, or another one that lies in its place."""
    path = project / "shipsafe.toml"
    if text is not None:
        path = project / "protected.toml"
        path.write_text(text)
    return load(project, explicit=path, offline=True, cache=project / "none", fetch=fetch, today=TODAY)


def asked(project: Path, under: Policy | None = None, *, dist: Path | None = None, today: date = TODAY) -> Asked:
    """What the gates say now of what lies in `dist`."""
    return reask(read_release(dist or project / "dist"), under or policy(project), today=today, offline=True, jobs=2,
                 progress=silent_progress(), timeline=Timeline())  # fmt: skip


def copied(project: Path, root: Path) -> Path:
    """An output folder to write to."""
    return Path(shutil.copytree(project / "dist", root / "dist"))


def silenced(dist: Path) -> Path:
    """The output folder, without its evidence: nobody signed that, so whoever may write to the folder can take it away."""
    manifest = json.loads((dist / "shipsafe.json").read_text())
    for entry in manifest["artifacts"]:
        (dist / entry.pop("evidence")["path"]).unlink()
    (dist / "shipsafe.json").write_text(json.dumps(manifest))
    return dist


def content(archive: Path) -> dict[str, bytes]:
    """Every file of a zip."""
    with zipfile.ZipFile(archive) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def replaced(dist: Path, name: str, change: Callable[[dict[str, bytes]], None], told: Callable[[Any], None] = lambda _: None) -> None:
    """What somebody does who may write to the folder: change the files of a zip, its SBOM and the manifest to fit, and take away what
    nobody signed; `told` the SBOM.
    """
    archive = dist / f"{name}.zip"
    before = content(archive)
    after = dict(before)
    change(after)
    buffer = io.BytesIO()
    with zipfile.ZipFile(archive) as opened, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        modes = {info.filename: info.external_attr for info in opened.infolist()}
        for path in sorted(after, key=str.encode):
            info = zipfile.ZipInfo(path)
            info.external_attr, info.compress_type, info.create_system = modes.get(path, 0o100644 << 16), zipfile.ZIP_DEFLATED, 3
            made.writestr(info, after[path])
    data = buffer.getvalue()
    archive.write_bytes(data)
    lines = "".join(
        f"{modes.get(path, 0o100644 << 16) >> 16:06o} {hashlib.sha256(after[path]).hexdigest()} {path}\n"
        for path in sorted(after, key=str.encode)
    )
    digests = {
        "sha256": hashlib.sha256(data).hexdigest(),
        "sha512": hashlib.sha512(data).hexdigest(),
        "code_sha256": base64.b64encode(hashlib.sha256(data).digest()).decode(),
        "content_digest": f"sha256:{hashlib.sha256(lines.encode()).hexdigest()}",
    }
    manifest = json.loads((dist / "shipsafe.json").read_text())
    entry = next(one for one in manifest["artifacts"] if one["name"] == name)
    entry |= {"digests": digests, "size": len(data), "entries": len(after), "unzipped": sum(map(len, after.values()))}
    entry.pop("evidence", None)
    (dist / f"{name}.intoto.jsonl").unlink(missing_ok=True)
    if entry["sbom"]:
        sbom = dist / f"{name}.cdx.json"
        document = json.loads(sbom.read_text())
        _describe(document, before, after, digests)
        told(document)
        sbom.write_text(json.dumps(document))
        entry["sbom"]["sha256"] = hashlib.sha256(sbom.read_bytes()).hexdigest()
    (dist / "shipsafe.json").write_text(json.dumps(manifest))


def _describe(document: Any, before: Mapping[str, bytes], after: Mapping[str, bytes], digests: Mapping[str, str]) -> None:
    """Write an SBOM again, as of these files."""
    root = document["metadata"]["component"]
    root["version"] = digests["content_digest"]
    root["hashes"] = [{"alg": "SHA-256", "content": digests["sha256"]}, {"alg": "SHA-512", "content": digests["sha512"]}]
    told = {"shipsafe:content-digest": digests["content_digest"], "shipsafe:code-sha256": digests["code_sha256"]}
    root["properties"] = [one | ({"value": told[one["name"]]} if one["name"] in told else {}) for one in root["properties"]]
    kept = [one for one in document["components"] if one["type"] != "file" or one["name"] in after]
    for one in kept:
        if one["type"] == "file":
            one["hashes"] = [{"alg": "SHA-256", "content": hashlib.sha256(after[one["name"]]).hexdigest()}]
    new = sorted(after.keys() - before.keys())
    kept += [
        {
            "type": "file", "bom-ref": f"file:{path}", "name": path,
            "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(after[path]).hexdigest()}],
            "properties": [{"name": "shipsafe:origin", "value": "code"}],
        }
        for path in new
    ]  # fmt: skip
    document["components"] = kept
