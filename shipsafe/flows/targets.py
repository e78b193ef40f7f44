"""Which targets of a policy are meant, and where each of them is on AWS."""

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

from shipsafe.adapters.aws.session import Aws, Place
from shipsafe.adapters.http import fetch
from shipsafe.adapters.once import Once
from shipsafe.adapters.places import cache_dir
from shipsafe.errors import ConfigError
from shipsafe.model.policy import Policy
from shipsafe.model.signing import SignTarget
from shipsafe.policy import load

PASTE = """
    [[sign.target]]
    name = "prod"
    region = "eu-central-1"
    profile = "orders_2026"
    bucket = "orders-${AWS::AccountId}-${AWS::Region}"
"""


def policy_of(path: Path, explicit: Path | None, today: date) -> Policy:
    """The policy of a project's folder (or of the folder that holds a named file), or an explicit one.

    Raises:
        ConfigError: there is no such path, or the policy cannot be used.
        IncompleteError, IntegrityError: a policy that it extends cannot be had, or is another one.
    """
    if not path.exists():
        raise ConfigError("There is no such file or folder.", remedy="Name the project's folder.", path=str(path))
    root = (path if path.is_dir() else path.parent).resolve()
    return load(root, explicit=explicit, offline=False, cache=cache_dir(), fetch=fetch, today=today)


def targets_of(policy: Policy, names: Sequence[str]) -> tuple[SignTarget, ...]:
    """The targets of these names; all where none is named.

    Raises:
        ConfigError: the policy has none at all, or none of a name.
    """
    known = {target.name: target for target in policy.sign.targets}
    if not known:
        raise ConfigError("The policy names no place to sign.", remedy=f"Add one, for example:\n{PASTE}", path=policy.path)
    if missing := [name for name in names if name not in known]:
        raise ConfigError(f"The policy has no [[sign.target]] {missing[0]!r}.", remedy=f"There are: {', '.join(known)}.", path=policy.path)
    return tuple(known[name] for name in dict.fromkeys(names)) or policy.sign.targets


def place_of(target: SignTarget) -> Place:
    """Where a target is, and as whom it is used."""
    return Place(
        region=target.region, account=target.account, aws_profile=target.aws_profile, role=target.role, external_id=target.external_id
    )


def once_a_place(connect: Callable[[Place], Aws]) -> Callable[[Place], Aws]:
    """Connect to each place once, so that all who go there share session and clients. May be called by several threads."""
    known = Once[Place, Aws]()
    return lambda place: known.get(place, lambda: connect(place))
