"""A project whose names are as hostile as files, layers, distributions, advisories, waivers and branches can be."""

import json
from pathlib import Path

from tests.approval.repositories import commit, git
from tests.packing.staging import write

# What a shell, the runner, Markdown and a terminal would each obey.
EVIL = "::error::forged%0A::add-mask::x $(touch pwned) `touch pwned` '\"; touch pwned #\x1b[2J\x1b]0;t\x07 ##[error]v1 <script>x</script>"
MORE = "\r\n::set-env name=PATH::/evil\u202e @acme/team [a](https://evil.example) ![p](https://evil.example/p.png) | b"
# git takes neither blanks nor `:~^?*[\`, nor control characters
BRANCH = "x/$(touch${IFS}pwned)`touch${IFS}pwned`'\";touch${IFS}pwned;#%0A@org|<b>&&||!"
FILES = (
    "::error::forged%0A.py",
    "$(touch pwned)`touch pwned`'\"; touch pwned #.py",
    "##[error]v1 <b>&@org |x.py",
    "-rf %0A%0D.py",
)
_CODE = "import subprocess\n\n\ndef handler(event, context):\n    subprocess.run(event['x'], shell=True)\n"
_NAMED = "Name: {name}\nVersion: 1.0\nMetadata-Version: 2.1\nSummary: {summary}\n"


def project(root: Path) -> Path:
    """The project, on a branch `main` whose newest commit brought a waiver."""
    layer = json.dumps(f"arn:aws:lambda:eu-west-1:111122223333:layer:{EVIL}{MORE}")
    functions = {
        "Pay": f"Properties: {{FunctionName: {json.dumps(EVIL + MORE)}, Runtime: python3.13, Handler: app.handler, CodeUri: pay/, "
               f"Layers: [{layer}]}}",
        "Stock": "Properties: {Runtime: python3.13, Handler: app.handler, CodeUri: stock/}",
    }  # fmt: skip
    resources = "".join(f"  {name}:\n    Type: AWS::Serverless::Function\n    {text}\n" for name, text in functions.items())
    advisory = {
        "id": "PYSEC-2026-7", "aliases": ["CVE-2026-7"], "modified": "2026-01-01T00:00:00Z", "summary": EVIL + MORE, "details": EVIL + MORE,
        "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
        "affected": [{"package": {"ecosystem": "PyPI", "name": "evil"}, "ranges": [
            {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.0"}]}]}],
    }  # fmt: skip
    write(root, {
        "template.yaml": f"Transform: AWS::Serverless-2016-10-31\nResources:\n{resources}",
        "shipsafe.toml": '[advisories]\nsource = { path = "advisories", date = 2026-11-01 }\nmax-age = "off"\n',
        "advisories/PYSEC-2026-7.json": json.dumps(advisory),
        **{f"{place}/app.py": _CODE for place in ("pay", "stock")},
        **{f"stock/{name}": _CODE for name in FILES},
        "pay/::stop-commands::t\nb.py": _CODE, "pay/\x1b[2J\u202e.py": _CODE,
        "stock/evil-1.0.dist-info/METADATA": _NAMED.format(name="evil", summary=EVIL),
        "stock/evil-1.0.dist-info/RECORD": "",
        "pay/odd-1.0.dist-info/METADATA": _NAMED.format(name="::error::forged $(touch pwned)", summary=EVIL),
        "pay/odd-1.0.dist-info/RECORD": "::error::forged,,\n",
    })  # fmt: skip
    git(root, "init", "-q", "-b", "main")
    commit(root, {})
    said = {"rule": "lint/B602", "subject": EVIL, "reason": EVIL + MORE, "owner": EVIL}
    waiver = "".join(f"{key} = {json.dumps(value)}\n" for key, value in said.items())
    evil = json.dumps(EVIL + MORE)
    target = "[[sign.target]]\nname = 'prod'\nregion = 'eu-central-1'\nprofile = 'orders'\nbucket = 'orders'\n"
    policy = f"evidence = {evil}\nfirst-party = [{evil}]\n{(root / 'shipsafe.toml').read_text()}"
    commit(root, {"shipsafe.toml": f'{policy}[approvals]\nwaivers = "required"\n{target}[[waivers]]\n{waiver}expires = 2099-12-31\n'}, EVIL)
    git(root, "checkout", "-q", "-b", BRANCH)
    commit(root, {"stock/new.py": _CODE}, EVIL)
    return root
