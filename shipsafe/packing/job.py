"""One run of uv for a function: in a folder of ours, for the function's runtime, and what is said when it fails.

The two steps (`resolve`, `install`) share it. What uv writes is never shown with a credential in it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

from shipsafe.adapters.process import Finished, Run
from shipsafe.adapters.uv import needs_build, reason, refused_by, target_flags, uv, without_credentials
from shipsafe.errors import IncompleteError
from shipsafe.model.location import Location
from shipsafe.model.policy import Policy
from shipsafe.packing.indexes import Indexes
from shipsafe.packing.needs import Needs, Wanted
from shipsafe.packing.runtimes import Runtime, platform

BOUND = "shipsafe-bound-names"  # the project of ours that binds names to their indexes
_ABSENT = re.compile(r"([A-Za-z0-9._-]+) was not found in the package registry")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """One distribution that is installed: version, admitted hashes, and the index it comes from (None: not known)."""

    name: str
    version: str
    hashes: tuple[str, ...]
    index: str | None


class NeedsBuildError(IncompleteError):
    """A distribution has no wheel for the runtime. `name` is normalised."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is installed, for whom, from where, with what; `cache` is one for uv that is not the user's."""

    needs: Needs
    who: str
    runtime: Runtime
    architecture: str
    policy: Policy
    indexes: Indexes
    workspace: Path
    offline: bool
    run: Run
    cache: Path | None = None

    def uv(self, step: str, files: Mapping[str, str], arguments: Sequence[str | Path]) -> Path:
        """Run uv in a folder of ours that holds the files, and give the folder.

        Raises:
            NeedsBuildError: something has no wheel for the runtime.
            IncompleteError: uv failed, at the line that names the distribution it complains about, where there is one.
        """
        folder = self.workspace / step
        folder.mkdir(exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
        flags = target_flags(python=self.runtime.python or "", platform=platform(self.runtime, self.architecture))
        env = self.indexes.environment() | ({"UV_CACHE_DIR": str(self.cache)} if self.cache else {})
        done = None
        if self._is_settled():
            done = uv([*arguments, *flags], cwd=folder, offline=True, run=self.run, env=env)
        if done is None or done.returncode:
            done = uv([*arguments, *flags], cwd=folder, offline=self.offline, run=self.run, env=env)
        if done.returncode:
            raise self._failure(done)
        return folder

    def _is_settled(self) -> bool:
        """Whether the network could only confirm what uv's cache has: all is locked with hashes, and there is one place to have it from.

        uv else asks the index about every page that is older than ten minutes, which takes longer than all that it does.
        """
        elsewhere = self.policy.extra_indexes or self.policy.named_indexes or self.policy.find_links
        return not (self.offline or self.cache or elsewhere) and all(one.locked for one in self.needs.wanted)

    def place(self, name: str) -> Location:
        """The line that asks for a distribution, else the file."""
        return next((one.location for one in self.needs.wanted if one.name == name), Location(path=self.needs.files[0]))

    def _failure(self, done: Finished) -> IncompleteError:
        why = self.indexes.scrub(reason(done)).replace(f"{BOUND} depends on", "you require")
        unbuilt = needs_build(done)
        if unbuilt:
            return self._no_wheel(canonicalize_name(unbuilt[0]), why)
        blamed = next((one for one in self.needs.wanted if _names(why, one)), None)
        place = blamed.location if blamed else Location(path=self.needs.files[0])
        return IncompleteError(
            f"The dependencies of {self.who} cannot be installed: {why.rstrip('.')}.",
            remedy=self._remedy(done, why, blamed), path=place.path, line=place.line,
        )  # fmt: skip

    def _remedy(self, done: Finished, why: str, blamed: Wanted | None) -> str:
        if self.offline:
            fill = "Run once without --offline to fill uv's cache"
            return f"{fill}, and set SHIPSAFE_UV_CACHE=trusted if nobody else can write there." if self.cache else f"{fill}."
        if refusing := refused_by(done):
            return self.indexes.how_to_sign_in(refusing)
        absent = next((own for name in _ABSENT.findall(why) if (own := self.policy.claimant(canonicalize_name(name)))), None)
        if absent:  # uv does not say of such an index whether it answered 401 or 404
            return f"Only {absent.name} may have it: check that it does, and who we are there. {self.indexes.how_to_sign_in(absent.url)}"
        if "Failed to fetch" in why or "Request failed" in why:
            return "Check the network and the index, and run again."
        if blamed and "Hash mismatch" in why:
            return "What the index has is not what was locked: find out why before you lock again."
        if blamed and (claimed := self.needs.claimed.get(blamed.name)):
            return f"The lock took it from {without_credentials(claimed)}: name every index under [indexes] in shipsafe.toml."
        return "Correct the requirement, and run again."

    def _no_wheel(self, name: str, why: str) -> NeedsBuildError:
        """Only a source distribution fits: building it would run its code here."""
        found = re.search(rf"(?<![\w.-]){re.escape(name)}==([^\s,]+) has no usable wheels", why)
        asked = (one.location for one in self.needs.wanted if one.name == name or _names(why, one))
        place = next((one.location for one in self.needs.wanted if one.name == name), None) or next(asked, self.place(name))
        error = NeedsBuildError(
            f"{name}{f' {found[1]}' if found else ''}, which {self.who} needs, has no wheel for {self.runtime.name} on "
            f"{self.architecture}, only a source distribution, which would run code at build time.",
            remedy=f'Choose a version with wheels, or allow it with `allow-sdist = ["{name}"]` under [gates.dependencies].',
            path=place.path, line=place.line)  # fmt: skip
        error.name = name
        return error


def _names(why: str, wanted: Wanted) -> bool:
    return re.search(rf"(?<![\w.-]){re.escape(wanted.name)}(?![\w-])", why, re.IGNORECASE) is not None
