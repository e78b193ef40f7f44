"""The project of a consumer: two functions, and advisories of its own so that nothing depends on the day."""

import json
from typing import Any

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {Runtime: python3.13, Handler: app.handler, AutoPublishAlias: live}
Resources:
"""
POLICY = """\
required = ["dependencies", "lint", "package", "sbom"]

[advisories]
source = { path = "advisories", date = 2026-11-01 }
max-age = "off"
"""


def template(*names: str) -> str:
    """A template with functions of these names, in folders of their names in lower case."""
    lines = (
        f"  {name}: {{Type: AWS::Serverless::Function, Properties: {{CodeUri: {name.lower()}/, FunctionName: {name.lower()}-prod}}}}\n"
        for name in names
    )
    return TEMPLATE + "".join(lines)


def handler(said: str) -> str:
    """The source of a function."""
    return f"def handler(event, context):\n    return {said!r}\n"


def advisory(identifier: str, package: str) -> str:
    """A record about every version of a package before 99."""
    ranges = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99"}]}]
    record: dict[str, Any] = {
        "id": identifier,
        "modified": "2026-10-01T00:00:00Z",
        "summary": "It gives away what it knows.",
        "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
        "affected": [{"package": {"ecosystem": "PyPI", "name": package}, "ranges": ranges}],
    }
    return json.dumps(record)


FILES = {
    "template.yaml": template("Pay", "Stock"),
    "pay/app.py": handler("pay"),
    "stock/app.py": handler("stock"),
    "advisories/PYSEC-2026-1.json": advisory("PYSEC-2026-1", "nobodys"),
    "shipsafe.toml": POLICY,
}
