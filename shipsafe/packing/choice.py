"""What the policy chooses of a lock, compared with what the lock has."""

from collections.abc import Collection, Iterable

from shipsafe.errors import ConfigError
from shipsafe.model.policy import LockChoice

_NONE = LockChoice()


def check_known(shown: str, kind: str, chosen: Iterable[str], known: Collection[str]) -> None:
    """Compare chosen names with those that a lock has.

    Args:
        shown: the lock, for people.
        kind: `group`, `extra` or `member`.
        chosen: by the policy.
        known: in the lock.

    Raises:
        ConfigError: it lacks one of them.
    """
    for name in chosen:
        if name not in known:
            has = f"it has {', '.join(sorted(known))}" if known else "it has none"
            raise ConfigError(f"There is no {kind} {name[:80]!r} in {shown}; {has}.", remedy=f"Correct the {kind} in shipsafe.toml.",
                              path=shown)  # fmt: skip


def refuse_choice(shown: str, choice: LockChoice, what: str) -> None:
    """For a file that has nothing to choose from.

    Raises:
        ConfigError: the policy chooses all the same.
    """
    if choice != _NONE:
        raise ConfigError(f"The policy chooses groups, extras or a member, and {shown} has no {what}.",
                          remedy="Leave them out for this function: `[[select]]` with its name and empty lists.", path=shown)  # fmt: skip
