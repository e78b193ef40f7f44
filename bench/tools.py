"""What the contenders are run with: tools at locked versions, each set in an environment of its own that is made once and kept."""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import platformdirs
from uv import find_uv_bin

from bench.measure import BenchError, environment

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
_TIMEOUT = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """Where the programs lie.

    Attributes:
        shipsafe: the command of the environment that runs the bench.
        uv: the one that shipsafe brings along.
        chains: folder of `pip`, `pip-audit`, `bandit` and `cyclonedx-py`.
        bare: the interpreter of an environment with nothing in it: the one whose packages `cyclonedx-py environment` describes.
        sam: the command, or None; then `no_sam` says why.
    """

    shipsafe: Path
    uv: Path
    chains: Path
    bare: Path
    sam: Path | None
    no_sam: str = ""


def prepare(work: Path) -> Tools:
    """Make what is not there yet.

    Raises:
        BenchError: the chains' tools cannot be installed, or `zip` is not here.
    """
    if shutil.which("zip") is None:
        raise BenchError("`zip` is not here: install it (Debian: apt-get install zip).")
    uv = Path(find_uv_bin())
    sam: Path | None = None
    no_sam = ""
    try:
        sam = _installed(uv, work, HERE / "requirements-sam.txt") / "sam"
    except BenchError as error:
        no_sam = str(error).splitlines()[-1]
    return Tools(
        shipsafe=Path(sys.executable).with_name("shipsafe"),
        uv=uv,
        chains=_installed(uv, work, HERE / "requirements-chains.txt"),
        bare=_installed(uv, work, None) / "python",
        sam=sam,
        no_sam=no_sam,
    )


def default_work() -> Path:
    """The user's cache folder for the bench."""
    return Path(platformdirs.user_cache_dir("shipsafe-bench"))


def _installed(uv: Path, work: Path, lock: Path | None) -> Path:
    """The `bin` folder of an environment that holds exactly the lock."""
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
        **({"sam": [tools.sam, "--version"]} if tools.sam else {}),
    }
    said = {name: _call(argv).splitlines() for name, argv in asked.items()}
    said["zip"] = [line.removeprefix("This is ").partition(",")[0] for line in said["zip"] if line.startswith("This is ")]
    commit = _commit()
    return {"Python": platform.python_version(), **{name: _short(lines[0]) for name, lines in said.items()},
            **({"commit": commit} if commit else {})}  # fmt: skip


def _short(line: str) -> str:
    """`pip 26.3 from /some/path` and `uv 0.13.8 (x86_64-unknown-linux-gnu)` without what follows the version."""
    return line.partition(" from ")[0].partition(" (")[0].strip()


def _commit() -> str:
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
