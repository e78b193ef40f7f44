"""uv, which resolves and installs: given a list that we wrote, in a folder that is ours, with nothing of the audited project.

uv is safe only when it never sees a file or setting of the project: `-e` lines, `--no-binary` lines and `[pip] no-binary` in a
`uv.toml` override the flags and run `setup.py`. So: `--no-config`, a clean environment, an empty working folder, an explicit
interpreter, no downloads of Python, and indexes passed by us.

uv compares a hash only with what it downloads. What lies unpacked in its cache it believes, files and all; so whoever can write there,
or have a cache restored that is theirs, ships what they like under the hashes of the lock. In a pipeline, where caches are restored, it
therefore gets an empty cache, unless what it installs is compared with something that we know (`is_cache_believed`).
"""

import os
import re
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path

from uv import find_uv_bin

from shipsafe.adapters.process import Finished, Run
from shipsafe.errors import ConfigError, IncompleteError

# find_uv_bin() asks sysconfig, whose first answer is not safe to ask for from several threads (CPython 3.11).
sysconfig.get_config_vars()

PYPI = "https://pypi.org/simple"
# To the last @: people forget to encode those of a password. Not beyond what ends a host: `https://evil?@pypi.org` is not PyPI.
_CREDENTIALS = re.compile(r"(?<=://)[^/\\\s?#]+@")
_SHOWN = 80  # characters of a text of others in a message
_LONGEST = 1500  # characters of a reason that are handed on
# Settings of the user's that cannot change what is installed: where uv keeps its downloads, who they are on which server, and how long
# it waits for one and how often it asks again.
_KEPT = ("UV_CACHE_DIR", "NETRC", "UV_HTTP_TIMEOUT", "UV_HTTP_RETRIES")
_SETTINGS = {"UV_PYTHON_DOWNLOADS": "never", "UV_NO_CONFIG": "1", "UV_NO_PROGRESS": "1", "NO_COLOR": "1"}
_FLAGS = ("--no-config", "--no-python-downloads", "--quiet", "--color", "never")
_NO_CREDENTIALS = re.compile(r"index URL \((\S+)\) (?:could not be queried due to a lack of valid|returned a 40[13])")
_NEEDS_BUILD = re.compile(r"Wheels are required for `([^`]+)` because building from source is disabled")


def uv(arguments: Sequence[str | Path], *, cwd: Path, offline: bool, run: Run, env: Mapping[str, str] | None = None) -> Finished:
    """Run uv with these arguments, and with the settings that keep the audited project out of it.

    `env` holds what nobody may see in a list of processes: credentials of indexes.

    Raises:
        IncompleteError: uv cannot be found or started.
    """
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    flags = [*_FLAGS, "--python", sys.executable, *(["--offline"] if offline else [])]
    return run([_program(), *arguments, *flags], cwd=cwd, env={**kept, **(env or {}), **_SETTINGS})


def is_cache_believed(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether what lies unpacked in uv's cache may ship: as `SHIPSAFE_UV_CACHE` says, else on a person's machine and not in a pipeline.

    Raises:
        ConfigError: the variable is neither of its two words.
    """
    told = environ.get("SHIPSAFE_UV_CACHE") or ("fresh" if environ.get("CI", "").lower() not in ("", "0", "false") else "trusted")
    if told not in ("trusted", "fresh"):
        raise ConfigError(f"SHIPSAFE_UV_CACHE is {told[:40]!r}.", remedy='Set it to "trusted" or "fresh", or unset it.')
    return told == "trusted"


def build_command(sdist: Path, out: Path, flags: Sequence[str]) -> list[str | Path]:
    """The command that builds a wheel of a source distribution into `out`, offline: it runs the build code, so not here.

    Raises:
        IncompleteError: uv cannot be found.
    """
    return [_program(), "build", "--wheel", "--out-dir", out, sdist, *flags, *_FLAGS, "--python", sys.executable, "--offline"]


def _program() -> str:
    try:
        return find_uv_bin()
    except FileNotFoundError as error:
        raise IncompleteError("uv is not installed beside shipsafe.", remedy="Install shipsafe again.") from error


def target_flags(*, python: str, platform: str) -> list[str]:
    """Flags for resolving and installing for a runtime: wheels only."""
    return ["--python-version", python, "--python-platform", platform, "--only-binary", ":all:"]


def without_credentials(text: str) -> str:
    """A text with every `user:password@` of a URL taken out."""
    return _CREDENTIALS.sub("", text)


def short(text: str) -> str:
    """A text of others for a message: without credentials, which are taken out before it is cut, as a cut one looks like no credential."""
    return without_credentials(text)[:_SHOWN]


def reason(finished: Finished) -> str:
    """Why uv failed, in one line without credentials, without what every such message says and without advice to look away."""
    told = finished.stderr.partition("\nhint:")[0].partition(" If this is intentional, set ")[0]
    lines = [line.strip() for line in told.splitlines() if line.strip() and not line.startswith("warning:")]
    text = " ".join(line.removeprefix("error:").removeprefix("cause:").strip() for line in lines)
    text = text.removeprefix("No solution found when resolving dependencies ")
    text = text.removesuffix(", we can conclude that your requirements are unsatisfiable.")
    return without_credentials(text)[:_LONGEST] or f"uv ended with code {finished.returncode}"


def refused_by(finished: Finished) -> str | None:
    """The index that asked for credentials, or would not take those that it was given."""
    found = _NO_CREDENTIALS.search(finished.stderr)
    return without_credentials(found[1]) if found else None


def needs_build(finished: Finished) -> tuple[str, ...]:
    """Names of the distributions that uv would have had to build from source, as far as it says so."""
    return tuple(_NEEDS_BUILD.findall(finished.stderr))
