"""Files that should not leave the house: secrets by their name or their content, and hooks that run when Python starts."""

import re
from pathlib import PurePosixPath

from shipsafe.model.tree import Entry, Origin

_HEAD = 64 * 1024
_SMALL = 1024 * 1024  # keys are small; a larger file is not read for one
_PRIVATE_KEY = re.compile(rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----\s*\n?(?:[A-Za-z-]+:.*\n|\s)*[A-Za-z0-9+/=]{16}")
_ENV = re.compile(r"\.env(\.[A-Za-z0-9_-]+)*")
_ENV_SAMPLES = (".example", ".sample", ".template", ".dist", ".defaults")
_NAMES = {
    ".netrc": "credentials of a network tool",
    "_netrc": "credentials of a network tool",
    ".pypirc": "credentials of a package index",
    ".git-credentials": "credentials of git",
    ".dockercfg": "credentials of a container registry",
    "id_rsa": "a private SSH key",
    "id_dsa": "a private SSH key",
    "id_ecdsa": "a private SSH key",
    "id_ed25519": "a private SSH key",
}
_PATHS = {".aws/credentials": "credentials of AWS", ".docker/config.json": "credentials of a container registry"}
_KEY_SUFFIXES = (".pem", ".key", ".p12", ".pfx", ".jks", ".keystore", ".ppk", ".asc", ".gpg")
_STORES = (".p12", ".pfx", ".jks", ".keystore", ".ppk")
_NPM_TOKEN = re.compile(rb"_authToken\s*=|_password\s*=")
_HOOKS = {"sitecustomize.py", "usercustomize.py"}


def secret(entry: Entry) -> str:
    """What secret a file is by name or content, or "".

    In a dependency only private keys count, by content: its other names are its publisher's to choose, and they are public.
    """
    path = PurePosixPath(entry.path)
    if entry.origin is Origin.CODE:
        if ".git" in path.parts:
            return "part of a git repository, with its history"
        if _ENV.fullmatch(path.name) and not path.name.endswith(_ENV_SAMPLES):
            return "a file of environment settings"
        if path.name in _NAMES:
            return _NAMES[path.name]
        for end, what in _PATHS.items():
            if entry.path == end or entry.path.endswith(f"/{end}"):
                return what
        if path.suffix.lower() in _STORES:
            return "a store of private keys"
        if path.name == ".npmrc" and _NPM_TOKEN.search(_head(entry)):
            return "credentials of a package index"
    if _may_hold_key(path, entry) and _PRIVATE_KEY.search(_head(entry)):
        return "a private key"
    return ""


def startup_hook(entry: Entry) -> str:
    """What a file does when Python starts, or "". Only files on the path itself count: the root, and a layer's `python/`."""
    path = PurePosixPath(entry.path)
    inner = path.relative_to("python") if path.parts[0] == "python" and len(path.parts) > 1 else path
    if len(inner.parts) == 1 and inner.suffix == ".pth":
        return "a .pth file"
    if len(inner.parts) == 1 and inner.name in _HOOKS:
        return inner.name
    if len(inner.parts) == 2 and inner.parts[1] == "__init__.py" and f"{inner.parts[0]}.py" in _HOOKS:  # noqa: PLR2004 - folder and file
        return inner.parts[0]
    return ""


def _may_hold_key(path: PurePosixPath, entry: Entry) -> bool:
    """Key files by their ending, and small text of the function's own; a dependency's sources quote keys in their tests."""
    if entry.size > _SMALL:
        return False
    return path.suffix.lower() in _KEY_SUFFIXES or (entry.origin is Origin.CODE and path.suffix not in (".so", ".whl", ".zip"))


def _head(entry: Entry) -> bytes:
    with entry.source.open("rb") as file:
        return file.read(_HEAD)
