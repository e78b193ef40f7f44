"""What holds today, for those who ask about what was released long ago: the policy that lies here, and the advisories that it names."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from shipsafe.adapters.cache import Cache, open_cache
from shipsafe.adapters.http import fetch
from shipsafe.adapters.places import cache_dir
from shipsafe.advisories import open_advisories
from shipsafe.model.advisory import Advisories
from shipsafe.model.policy import Policy
from shipsafe.policy import load


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """The policy, the time, the user's cache, and what opens the advisories; that raises IncompleteError where there are none."""

    policy: Policy
    at: datetime
    answers: Cache
    advisories: Callable[[], Advisories]


@contextmanager
def today_here(explicit: Path | None, *, offline: bool, say: Callable[[str], None]) -> Generator[Today]:
    """Of the working directory, or of an explicit policy; what was learnt is cached at the end.

    Raises:
        ConfigError, IncompleteError, IntegrityError: the policy cannot be used.
    """
    now, cache = datetime.now(UTC), cache_dir()
    policy = load(Path.cwd(), explicit=explicit, offline=offline, cache=cache, fetch=fetch, today=now.date())
    answers = open_cache(cache)

    def advisories() -> Advisories:
        return open_advisories(
            policy.advisories, cache=cache, answers=answers, offline=offline, today=now.date(), now=lambda: datetime.now(UTC), say=say
        )

    try:
        yield Today(policy=policy, at=now, answers=answers, advisories=advisories)
    finally:
        answers.flush()
        answers.close()
