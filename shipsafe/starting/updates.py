"""Monthly updates of what a project depends on, proposed by Dependabot, and none in its first days.

Most malicious releases are found and removed within days. Updates of security advisories do not wait:
https://docs.github.com/en/code-security/reference/supply-chain-security/dependabot-options-reference#cooldown-
"""

from contextlib import suppress
from pathlib import Path

from shipsafe.errors import ConfigError
from shipsafe.starting.answers import Source, plain_path
from shipsafe.starting.walk import folders

DEPENDABOT = ".github/dependabot.yml"
# Any of these says that somebody has thought of it: https://docs.renovatebot.com/configuration-options/
BOTS = (
    ".github/dependabot.yaml",
    "renovate.json",
    "renovate.json5",
    ".renovaterc",
    ".renovaterc.json",
    ".renovaterc.json5",
    ".github/renovate.json",
    ".github/renovate.json5",
    ".gitlab/renovate.json",
    ".gitlab/renovate.json5",
)
# A file, and what Dependabot calls whoever writes it; the first counts, so that a list beside a lock is no second project.
_PYTHON = {"uv.lock": "uv", "poetry.lock": "pip", "Pipfile.lock": "pip", "requirements.in": "pip", "requirements.txt": "pip"}
_OTHERS = {".terraform.lock.hcl": "terraform", "package-lock.json": "npm"}
_MOST = 100  # folders of one kind
_DAYS = 7


def ecosystems(top: Path) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What Dependabot can update in a repository beside its workflows, with the folders of each."""
    found: dict[str, list[str]] = {}
    for folder, files in folders(top):
        python = next((name for file, name in _PYTHON.items() if file in files), None)
        for name in dict.fromkeys(filter(None, (python, *(name for file, name in _OTHERS.items() if file in files)))):
            where = folder.relative_to(top).as_posix()
            with suppress(ConfigError):  # a folder that cannot be written into YAML is left out: the diff shows which are in
                found.setdefault(name, []).append("/" if where == "." else f"/{plain_path(where, 'folder')}")
    return tuple((name, tuple(sorted(places)[:_MOST])) for name, places in sorted(found.items()) if places)


def dependabot(source: Source) -> str:
    """The text of `.github/dependabot.yml`."""
    blocks = [_block("github-actions", ("/",)), *(_block(name, places) for name, places in source.ecosystems)]
    return "# Updates once a month, a week old at least. From `shipsafe init`.\nversion: 2\nupdates:\n" + "".join(blocks)


def _block(ecosystem: str, places: tuple[str, ...]) -> str:
    listed = "".join(f'      - "{folder}"\n' for folder in places)
    return f"""\
  - package-ecosystem: {ecosystem}
    directories:
{listed}    schedule:
      interval: monthly
    cooldown:
      default-days: {_DAYS}
    groups:
      {ecosystem}:
        patterns: ["*"]
"""
