"""What runs, verified: `CodeSha256` of live functions joined to what was signed, and everything AWS itself says of it.

    found = verify_functions(["orders:live"], VerifyRequest(policy=policy, now=datetime.now(UTC), store=store))
    found.exit_code                    # 0, 1, 4 or 5; `found.first_broken` says which link

It reads only, writes no file, and needs no release: a store of evidence is enough. So it may be called from a Lambda function or a
controller (docs/guides/verify-live.md).
"""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from shipsafe.adapters.aws.functions import FunctionName
from shipsafe.adapters.aws.looks import Looks, open_looks
from shipsafe.adapters.aws.session import Aws, Place, open_aws
from shipsafe.errors import ConfigError, IncompleteError, IntegrityError, ShipsafeError
from shipsafe.model.chain import Chain, Verification
from shipsafe.model.signing import SignTarget
from shipsafe.verify import live_links
from shipsafe.verify.looks import not_looked
from shipsafe.verify.reached import reached
from shipsafe.verify.release import verification
from shipsafe.verify.request import VerifyRequest
from shipsafe.verify.shelf import Shelf, open_shelf
from shipsafe.verify.signed_code import Site
from shipsafe.verify.trusted import Trusted

WORKERS = 8
Connect = Callable[[Place], Aws]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """A function at one place; `place` is where it is looked for, `exact` that it is told of by its ARN."""

    name: FunctionName
    place: Place
    exact: bool = False


def verify_functions(
    names: Sequence[str],
    request: VerifyRequest,
    connect: Connect = open_aws,
    *,
    region: str | None = None,
    all_regions: bool = False,
    artifacts: Mapping[str, str] | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Verification:
    """Verify functions as they run: a chain for each version that calls may reach, and for each layer of the same project.

    Args:
        names: `NAME`, `NAME:ALIAS`, `NAME:VERSION` or ARNs. A bare name means `$LATEST` and all aliases.
        request: the policy, the time, and where evidence is.
        connect: opens AWS at a place; the credentials' own account is used, or the `role` of the target whose account is meant.
        region: where functions are that are not named by ARN; None for the one that AWS's configuration names.
        all_regions: look in every account and Region for which a signing record of the release or the bundles was made; without any, in
            those of the policy's targets.
        artifacts: which artifact each function is to run, by the function's name: `{"orders-prod": "Orders"}`.
        clock: seconds that only go forward, for the pace of the calls.
        sleep: likewise.

    Raises:
        ConfigError: a name cannot be one, nothing is named, no Region is, or the release or a bundle is not there.
        NothingError: the folder holds no release.
        IntegrityError: the release's manifest or a bundle is not what it should be.
        IncompleteError: the release or a bundle cannot be read.
    """
    asked = [FunctionName.parse(name) for name in dict.fromkeys(names)]
    if not asked:
        raise ConfigError("No function is named, so that nothing can be verified.", remedy="Name one with --function.")
    shelf = open_shelf(request)
    tasks = _tasks(asked, shelf, region=region, all_regions=all_regions)
    places: dict[Place, Looks | ShipsafeError] = {}
    for place in dict.fromkeys(task.place for task in tasks):
        places[place] = _looks(place, request, connect, clock, sleep)
    names_here, runs = frozenset(task.name.name for task in tasks), _names(shelf, artifacts or {})

    def verified(task: _Task) -> tuple[Chain, ...]:
        looks = places[task.place]
        if isinstance(looks, ShipsafeError):
            subject = ":".join(filter(None, (_subject(task, None), task.name.qualifier)))
            return (Chain(subject=subject, links=(not_looked(live_links.CODE, looks),)),)
        trusted = Trusted(policy=request.policy.sign, account=looks.aws.account, region=looks.aws.region)
        site = Site(looks=looks, trusted=trusted, shelf=shelf, names=runs, asked=names_here)
        return reached(site, task.name, _subject(task, looks))

    with ThreadPoolExecutor(max_workers=min(WORKERS, len(tasks)), thread_name_prefix="shipsafe-verify") as pool:
        try:
            chains = [chain for many in pool.map(verified, tasks) for chain in many]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return verification(_once(chains), request)


def _once(chains: Sequence[Chain]) -> tuple[Chain, ...]:
    """Each chain once: functions share layers, and a version may be asked for in two ways."""
    return tuple({(chain.subject, chain.links): chain for chain in reversed(chains)}.values())[::-1]


def _tasks(asked: Sequence[FunctionName], shelf: Shelf, *, region: str | None, all_regions: bool) -> list[_Task]:
    """Where each function is to be looked for."""
    if region is not None and all_regions:
        raise ConfigError("One Region and all of them are asked for.", remedy="Leave out --region or --all-regions.")
    spread: list[Place] = []
    if all_regions:
        spread = _everywhere(shelf)
    tasks: list[_Task] = []
    for name in asked:
        if name.region is not None:
            tasks.append(_Task(name=name, place=Place(region=name.region, account=name.account), exact=True))
        elif all_regions:
            tasks += [
                _Task(name=name, place=place, exact=True)
                for place in spread
                if None in (name.account, place.account) or name.account == place.account
            ]
        else:
            tasks.append(_Task(name=name, place=Place(region=region, account=name.account), exact=name.account is not None))
    if not tasks:
        raise ConfigError("No signing record is of an account that was named.", remedy="Name functions without their account.")
    return tasks


def _everywhere(shelf: Shelf) -> list[Place]:
    """Where signing records say that something was signed; without any, where the policy says that it is.

    Raises:
        ConfigError: nobody says.
    """
    signed = sorted({(one.account, one.region) for one in shelf.records()})
    meant = dict.fromkeys((one.account, one.region) for one in shelf.request.policy.sign.targets if one.region is not None)
    found = [Place(region=region, account=account) for account, region in signed or meant]
    if not found:
        what = f"Neither a signing record that counts ({shelf.shown}) nor a [[sign.target]] with a `region` says where anything is signed."
        raise ConfigError(what, remedy="Name the release or a bundle that `shipsafe sign` wrote, or one Region with --region.")
    return found


def _looks(
    place: Place, request: VerifyRequest, connect: Connect, clock: Callable[[], float], sleep: Callable[[float], None]
) -> Looks | ShipsafeError:
    """AWS at a place: as whoever we are, if that is the account that is meant; else as the policy says one gets there.

    Raises:
        ConfigError: AWS is not configured.
    """
    try:
        aws = connect(Place(region=place.region))
        if place.account not in (None, aws.account):
            target = _leads_to(place, request.policy.sign.targets)
            if target is None:
                what = f"These credentials belong to account {aws.account}, and account {place.account} is meant."
                return IncompleteError(what, remedy="Use credentials of that account, or give its [[sign.target]] a `role`.")
            aws = connect(Place(region=place.region, account=place.account, aws_profile=target.aws_profile, role=target.role,
                                external_id=target.external_id))  # fmt: skip
    except (IncompleteError, IntegrityError) as error:
        return IncompleteError(error.what, remedy=error.remedy)  # the wrong credentials are nothing that was tampered with
    return open_looks(aws, clock, sleep)


def _leads_to(place: Place, targets: Sequence[SignTarget]) -> SignTarget | None:
    """A target in the account that says how to get there."""
    there = [one for one in targets if one.account == place.account and (one.role or one.aws_profile)]
    return next((one for one in there if one.region == place.region), there[0] if there else None)


def _names(shelf: Shelf, artifacts: Mapping[str, str]) -> dict[str, str]:
    """Which artifact each function is to run: what was said, else the artifact of the release that has its very name."""
    released = shelf.release.artifacts if shelf.release else ()
    return {one.name: one.subject for one in released if one.subject.startswith("function:")} | dict(artifacts)


def _subject(task: _Task, looks: Looks | None) -> str:
    """As it was asked for, where that says what is meant; with account and Region where there are several."""
    name = task.name
    if not task.exact:
        return f"function:{name.name}"
    partition, account, region = "aws", task.place.account, task.place.region
    if looks is not None:
        partition, account, region = looks.aws.partition, looks.aws.account, looks.aws.region
    return f"arn:{partition}:lambda:{region or ''}:{account or ''}:function:{name.name}"
