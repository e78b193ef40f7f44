"""Files that hold a secret: by a name that nothing else has, or by a private key or token in their content.

A certificate is public and is never one of them; neither is `.env.example`. Values are never quoted: a report is read by more
people than the file.
"""

import re
from pathlib import PurePosixPath

from shipsafe.adapters.files import MEBIBYTE
from shipsafe.model.tree import Entry

_READ = MEBIBYTE
_DOTENV = re.compile(r"^(?:\.env(?:rc)?(?:\..+)?|.+\.env)$")
_SAMPLE = re.compile(r"(?:^|[._-])(?:example|sample|template|dist|defaults?|schema|test)(?:$|[._-])")
_ASSIGNMENT = re.compile(rb"^\s*(?:export\s+)?[A-Za-z_][A-Za-z0-9_.]*\s*[=:]\s*\S", re.MULTILINE)
_REPOSITORIES = {".git": "git", ".hg": "Mercurial", ".svn": "Subversion"}
_KEY_NAMES = frozenset({"id_rsa", "id_dsa", "id_ecdsa", "id_ed25519"})
_STORES = (".p12", ".pfx", ".ppk")
_STATE = (".tfstate", ".tfstate.backup")
_PLAN = (b'"terraform_version"', b'"planned_values"')  # `terraform show -json` of a plan, which is what shipsafe reads
# Kinds of files that hold keys; source code that speaks of keys is not among them.
_MAY_HOLD_KEY = frozenset({"", ".pem", ".key", ".crt", ".cer", ".txt", ".json", ".yaml", ".yml", ".toml", ".ini", ".cfg", ".conf", ".env",
                           ".asc", ".gpg", ".rsa", ".priv", ".private", ".properties", ".xml", ".ovpn"})  # fmt: skip
# The header and, soon after it, a line of base64: documentation quotes the header alone.
_PRIVATE_KEY = re.compile(rb"-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----[^-]{0,400}?[A-Za-z0-9+/]{40}", re.DOTALL)
_BY_CONTENT = {
    ".npmrc": re.compile(rb"_(?:authToken|auth|password)\s*=\s*[^\s$]"),
    ".yarnrc.yml": re.compile(rb"npmAuth(?:Token|Ident)\s*:\s*[\"']?[^\s$\"']"),
    ".netrc": re.compile(rb"\bpassword\s+\S"),
    "_netrc": re.compile(rb"\bpassword\s+\S"),
    ".pypirc": re.compile(rb"^\s*password\s*[=:]\s*\S", re.MULTILINE),
    "pip.conf": re.compile(rb"://[^/\s:@]+:[^/\s:@]+@"),
    ".git-credentials": re.compile(rb"://[^/\s:@]+:[^/\s:@]+@"),
    ".dockerconfigjson": re.compile(rb"\"(?:auth|identitytoken)\"\s*:\s*\"[^\"]"),
    ".dockercfg": re.compile(rb"\"(?:auth|identitytoken)\"\s*:\s*\"[^\"]"),
}
_BY_PATH = {
    ".aws/credentials": re.compile(rb"aws_secret_access_key\s*=\s*\S", re.IGNORECASE),
    ".docker/config.json": _BY_CONTENT[".dockercfg"],
}
# Of the published contents that this process has looked at, by what decides beside them: functions share dependencies.
_found: dict[tuple[str, ...], str] = {}
_MOST = 50_000  # of them
_TESTS = frozenset({"test", "tests", "testing", "test_data", "testdata", "fixtures", "examples", "example", "docs"})


def repository_of(path: str) -> str:
    """The folder of the repository that a file belongs to (`src/.git`), or ""."""
    parts = path.split("/")
    end = next((number for number, part in enumerate(parts[:-1]) if part in _REPOSITORIES), None)
    return "" if end is None else "/".join(parts[: end + 1])


def secret_in(entry: Entry) -> str:
    """What secret the function's own file holds, as the end of a sentence, or "".

    Raises:
        OSError: the file cannot be read.
    """
    path = PurePosixPath(entry.path.lower())
    if entry.size == 0:
        return ""
    if repository := repository_of(entry.path.lower()):
        return f"belongs to a {_REPOSITORIES[repository.rpartition('/')[2]]} repository, with its whole history"
    if path.name.endswith(_STATE):
        return "is the state of Terraform, which holds every secret in clear text"
    if path.name in _KEY_NAMES or path.name.endswith(_STORES):
        return "is a private key by its name"
    content = _content(entry, path)
    if _DOTENV.match(path.name) and not _SAMPLE.search(path.name) and _ASSIGNMENT.search(content):
        return "holds settings of an environment, as a rule with passwords and tokens"
    if path.suffix == ".json" and all(mark in content for mark in _PLAN):
        return "is a plan of Terraform, which holds every secret in clear text"
    return _certain(path, content)


def published_secret_in(entry: Entry) -> str:
    """The same for a dependency's file: only what is certain by content, and not in a folder of tests or examples."""
    lowered = entry.path.lower()
    if entry.size == 0 or not _may_hold_one(lowered):
        return ""
    path = PurePosixPath(lowered)
    if not _TESTS.isdisjoint(path.parts[:-1]):
        return ""
    key = (entry.sha256, *path.parts[-2:])
    found = _found.get(key)
    if found is None:
        if len(_found) >= _MOST:
            _found.clear()
        found = _found[key] = _certain(path, _content(entry, path))
    return found


def _may_hold_one(path: str) -> bool:
    """Whether `_content` reads a file of that name; without taking the path apart, for most files are code."""
    name = path.rpartition("/")[2]
    dot = name.rfind(".")
    suffix = name[dot:] if 0 < dot < len(name) - 1 else ""
    return suffix in _MAY_HOLD_KEY or name in _BY_CONTENT or path.endswith(tuple(_BY_PATH)) or _DOTENV.match(name) is not None


def _certain(path: PurePosixPath, content: bytes) -> str:
    pattern = _BY_CONTENT.get(path.name) or _BY_PATH.get("/".join(path.parts[-2:]))
    if pattern is not None and pattern.search(content):
        return "holds a password or token"
    if path.suffix in _MAY_HOLD_KEY and b"PRIVATE KEY" in content and _PRIVATE_KEY.search(content):
        return "holds a private key"
    return ""


def _content(entry: Entry, path: PurePosixPath) -> bytes:
    """The first MiB of a file that may hold one of them, else nothing."""
    known = path.name in _BY_CONTENT or "/".join(path.parts[-2:]) in _BY_PATH or _DOTENV.match(path.name)
    if not known and path.suffix not in _MAY_HOLD_KEY:
        return b""
    with entry.source.open("rb") as file:
        return file.read(_READ)
