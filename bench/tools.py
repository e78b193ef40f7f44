"""What the contenders are run with: tools at locked versions, each set in an environment of its own that is made once and kept."""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs
from uv import find_uv_bin

from bench.measure import BenchError, environment

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
_TIMEOUT = 900
_KEPT = ("index-url", "cert", "client-cert", "proxy", "trusted-host", "timeout", "cache-dir")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """Where the programs lie.

    Attributes:
        shipsafe: the command of the environment that runs the bench.
        uv: the one that shipsafe brings along.
        chains: folder of `pip`, `pip-audit`, `bandit` and `cyclonedx-py`.
        bare: the interpreter of an environment with nothing in it: the one whose packages `cyclonedx-py environment` describes.
        others: `sam` and `checkov`, as far as they could be installed.
        missing: why the others could not.
        pip: environment of the chains' pip: the machine's own index, and no second one that would only cost it time.
    """

    shipsafe: Path
    uv: Path
    chains: Path
    bare: Path
    others: Mapping[str, Path]
    missing: Mapping[str, str]
    pip: Mapping[str, str]


def prepare(work: Path) -> Tools:
    """Make what is not there yet.

    Raises:
        BenchError: the chains' tools cannot be installed, or `zip` is not here.
    """
    if shutil.which("zip") is None:
        raise BenchError("`zip` is not here: install it (Debian: apt-get install zip).")
    uv = Path(find_uv_bin())
    others: dict[str, Path] = {}
    missing: dict[str, str] = {}
    for name in ("sam", "checkov"):
        try:
            others[name] = _installed(uv, work, HERE / f"requirements-{name}.txt") / name
        except BenchError as error:
            missing[name] = f"could not be installed: {str(error).splitlines()[-1]}"
    chains = _installed(uv, work, HERE / "requirements-chains.txt")
    return Tools(
        shipsafe=Path(sys.executable).with_name("shipsafe"),
        uv=uv,
        chains=chains,
        bare=_installed(uv, work, None) / "python",
        others=others,
        missing=missing,
        pip=pip_environment(_call([chains / "pip", "config", "list"])),
    )


def pip_environment(config: str) -> dict[str, str]:
    """What `pip config list` says of the index and the way to it, as variables; all else of the configuration is left out.

    A second index or folder of the machine would be asked for every package, which uv and shipsafe do not do.
    """
    found = {"PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": "", "PIP_EXTRA_INDEX_URL": "", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    for line in config.splitlines():
        key, _, value = line.partition("=")
        section, _, name = key.partition(".")
        if section in {"global", "install", ":env:"} and name in _KEPT:
            found[f"PIP_{name.upper().replace('-', '_')}"] = value.strip("'\"")
    return found


def default_work() -> Path:
    """The user's cache folder for the bench."""
    return Path(platformdirs.user_cache_dir("shipsafe-bench"))


def _installed(uv: Path, work: Path, lock: Path | None) -> Path:
    """The `bin` folder of an environment that holds exactly the lock; it is made once for each lock and Python."""
    content = (lock.read_bytes() if lock else b"") + platform.python_version().encode()
    folder = work / f"tools-{hashlib.sha256(content).hexdigest()[:16]}"
    done = folder / "complete"
    if not done.exists():
        _call([uv, "venv", "--quiet", "--clear", "--no-config", "--python", sys.executable, folder])
        if lock:
            _call([uv, "pip", "install", "--quiet", "--require-hashes", "--python", folder / "bin" / "python", "-r", lock])
        done.touch()
    return folder / "bin"


def _call(argv: list[str | Path]) -> str:
    done = subprocess.run([str(word) for word in argv], env=environment({}), capture_output=True, text=True, check=False, timeout=_TIMEOUT)
    if done.returncode:
        raise BenchError(f"{argv[0]} ended with {done.returncode}: {done.stderr.strip()[-500:]}")
    return done.stdout or done.stderr


def versions(tools: Tools) -> dict[str, str]:
    """What each program says of its version."""
    asked: dict[str, list[str | Path]] = {
        "shipsafe": [tools.shipsafe, "--version"],
        "uv": [tools.uv, "--version"],
        **{name: [tools.chains / name, "--version"] for name in ("pip", "pip-audit", "bandit", "cyclonedx-py")},
        "zip": ["zip", "-v"],
        **{name: [command, "--version"] for name, command in tools.others.items()},
    }
    said = {name: _call(argv).splitlines() for name, argv in asked.items()}
    said["zip"] = [line.removeprefix("This is ").partition(",")[0] for line in said["zip"] if line.startswith("This is ")]
    return {"Python": platform.python_version(), **{name: _short(lines[0]) for name, lines in said.items()}}


def _short(line: str) -> str:
    """`pip 26.3 from /some/path` and `uv 0.13.8 (x86_64-unknown-linux-gnu)` without what follows the version."""
    return line.partition(" from ")[0].partition(" (")[0].strip()


def commit() -> str:
    """The revision that is measured, with `-dirty` behind it when files differ from it; empty outside a checkout."""
    try:
        done = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S607 - git, wherever it is
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def machine() -> dict[str, str]:
    """The machine, without its name."""
    info = _fields("/proc/cpuinfo")
    memory = int(_fields("/proc/meminfo").get("MemTotal", "0 kB").split()[0])
    system = _fields("/etc/os-release", "=").get("PRETTY_NAME", platform.system()).strip('"')
    return {
        "processor": info.get("model name", platform.machine()),
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()),
        "memory": f"{memory / 2**20:.1f} GiB",
        "system": system,
        "kernel": platform.release(),
    }


def _fields(path: str, sign: str = ":") -> dict[str, str]:
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError:
        return {}
    pairs = (line.partition(sign) for line in text.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}
