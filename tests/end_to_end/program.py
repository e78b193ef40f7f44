"""The program as a user runs it: a child process, with a cache folder of its own and none of the machine's settings."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_KEPT = ("PATH", "HOME", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "UV_CACHE_DIR", "UV_HTTP_TIMEOUT", "TMPDIR",
         "SHIPSAFE_CACHE_DIR")  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What a run left."""

    code: int
    out: str
    err: str

    @property
    def report(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)

    @property
    def rules(self) -> set[str]:
        """The rules of all findings of a JSON report."""
        return {finding["rule"] for finding in self.report["findings"]}


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The few variables that the program needs, and no others."""
    return {name: os.environ[name] for name in _KEPT if name in os.environ} | dict(extra or {})


def command(*words: str | Path) -> list[str]:
    """The argument list of a command line."""
    return [sys.executable, "-m", "shipsafe", *(str(word) for word in words)]


def shipsafe(*words: str | Path, cwd: Path, env: Mapping[str, str] | None = None, before: list[str] | None = None) -> Ended:
    """Run a command line to its end."""
    done = subprocess.run([*(before or []), *command(*words)], cwd=cwd, env=environment(env), capture_output=True, text=True,
                          check=False, timeout=1200)  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    return Ended(code=done.returncode, out=done.stdout, err=done.stderr)
