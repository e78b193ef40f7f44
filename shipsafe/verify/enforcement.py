"""What keeps unsigned code out next time: the code-signing configuration of a function, whom it allows, and who else hangs on it.

A configuration that is attached after a deploy proves nothing of what runs; one that is gone, only warns or lets strangers in means that
whatever was proven today need not hold tomorrow. Lambda takes any ARN as a publisher unseen.
"""

from collections.abc import Callable, Collection
from itertools import islice

from shipsafe.adapters.aws.code_signing import ENFORCE, Configuration
from shipsafe.adapters.aws.functions import FunctionName
from shipsafe.adapters.aws.looks import Looks
from shipsafe.errors import ShipsafeError
from shipsafe.model.chain import Hold, Link
from shipsafe.model.enforcement import EnforcePolicy, Enforcing
from shipsafe.verify import live_links
from shipsafe.verify.links import broken, held, not_asked, unanswered
from shipsafe.verify.looks import not_looked
from shipsafe.verify.several import worst
from shipsafe.verify.trusted import REMEDY, Trusted

_ATTACH = "Attach it again with PutFunctionCodeSigningConfig, and find out who took it off."
_NONE = "`shipsafe enforce` attaches one; find out who took it off, if there was one."
_WARNS = "`shipsafe enforce` gets it to Enforce, and says what holds that back."
_ALLOW = "`shipsafe enforce` allows it, if the policy does; else deploy what an allowed one has signed."
_SHOWN = 5  # names of strangers


def enforcement_links(
    looks: Looks, trusted: Trusted, name: str, *, wanted: str | None, signed_by: str, known: Callable[[str], bool], policy: EnforcePolicy
) -> tuple[Link, ...]:
    """The links `code-signing-config`, `publishers` and `sharing` of a function.

    Args:
        looks: at its account and Region.
        trusted: whose signatures the policy trusts.
        name: of the function.
        wanted: the ARN that the policy says the configuration has, or None: then that of [enforce], where it is of this place.
        signed_by: the ARN of the profile version that signed what runs, or "".
        known: whether a function of this account and Region, by its name, is one that the release or the policy knows.
        policy: whether the configuration is to enforce, or for now only to warn. Tags are read where a ring names some.
    """
    here = f":{looks.aws.region}:{looks.aws.account}:"
    if wanted is None and policy.configuration is not None and here in policy.configuration:
        wanted = policy.configuration
    try:
        arn = looks.attached(name)
        one = looks.configuration(arn) if arn else None
        soft = one is not None and one.policy != ENFORCE and _mode(looks, name, policy) is Enforcing.WARN
    except ShipsafeError as error:
        return not_looked(live_links.CONFIGURATION, error), *_unasked("The code-signing configuration could not be looked at.")
    if arn is None or one is None:
        sentence = f"Function {name} has no code-signing configuration: Lambda takes any code for it."
        return broken(live_links.CONFIGURATION, sentence, expected=wanted or "one that enforces", found="none", remedy=_NONE), *_unasked(
            "There is no code-signing configuration."
        )
    return _attached(name, one, wanted, soft=soft), _publishers(one, trusted, signed_by), _sharing(looks, one, known)


def _unasked(why: str) -> tuple[Link, ...]:
    return not_asked(live_links.PUBLISHERS, why), not_asked(live_links.SHARING, why)


def _mode(looks: Looks, name: str, policy: EnforcePolicy) -> Enforcing:
    return policy.mode_of(name, looks.aws.account, lambda: looks.tags(name))


def _attached(name: str, one: Configuration, wanted: str | None, *, soft: bool) -> Link:
    if soft:
        return held(live_links.CONFIGURATION, f"{one.arn.rpartition(':')[2]} is attached to function {name}, and for now only warns.",
                    notes=["Lambda takes code for it that nobody signed, as [enforce] of the policy wants for now."])  # fmt: skip
    if wanted is not None and one.arn != wanted:
        sentence = f"The code-signing configuration of function {name} was replaced by another."
        return broken(live_links.CONFIGURATION, sentence, expected=wanted, found=one.arn, remedy=_ATTACH)
    if one.policy != ENFORCE:
        sentence = f"The code-signing configuration of function {name} does not enforce: Lambda warns, and takes code that nobody signed."
        return broken(live_links.CONFIGURATION, sentence, expected=ENFORCE, found=one.policy or "nothing", remedy=_WARNS)
    return held(live_links.CONFIGURATION, f"{one.arn.rpartition(':')[2]} is attached to function {name}, and enforces.")


def _publishers(one: Configuration, trusted: Trusted, signed_by: str) -> Link:
    out = "Take it out of the code-signing configuration. "

    def wrong(arn: str, why: str) -> Link:
        sentence = f"The code-signing configuration allows a publisher that the policy does not trust: {why}."
        return broken(live_links.PUBLISHERS, sentence, expected="trusted profile versions only", found=arn, remedy=out + REMEDY)

    found = [wrong(arn, why) for arn in one.publishers if (why := trusted.why_not(arn))]
    if signed_by and signed_by not in one.publishers:
        sentence = "The code-signing configuration does not allow the profile version that signed this code."
        found.append(broken(live_links.PUBLISHERS, sentence, expected=signed_by, found=", ".join(one.publishers) or "none",
                            remedy=_ALLOW))  # fmt: skip
    if not one.publishers:
        found.append(broken(live_links.PUBLISHERS, "The code-signing configuration allows no publisher at all.", found="none"))
    number = len(one.publishers)
    what = "one profile version, which" if number == 1 else f"{number} profile versions, all of which"
    return worst(found, held(live_links.PUBLISHERS, f"The code-signing configuration allows {what} the policy trusts."))


def _sharing(looks: Looks, one: Configuration, known: Callable[[str], bool]) -> Link:
    try:
        names = sorted(FunctionName.parse(arn).name for arn in looks.sharers(one.arn))
        strangers = list(islice((name for name in names if not known(name)), _SHOWN + 1))
    except ShipsafeError as error:
        return not_looked(live_links.SHARING, error)
    if strangers:
        shown = f"{', '.join(strangers[:_SHOWN])}{' and others' if len(strangers) > _SHOWN else ''}"
        sentence = f"The code-signing configuration is shared with functions that the release and the policy do not know: {shown}."
        return Link(id=live_links.SHARING, hold=Hold.DISALLOWED, sentence=sentence, expected="functions of the release only", found=shown,
                    remedy="Give them a configuration of their own, so that a change for them does not let anything in here.")  # fmt: skip
    if not names:
        return unanswered(live_links.SHARING, "Lambda lists no function under the configuration, though it is attached to one.",
                          remedy="Run this again.")  # fmt: skip
    said = "One function is under it, which is known." if len(names) == 1 else f"{len(names)} functions are under it, all of them known."
    return held(live_links.SHARING, said)


def wanted_configuration(trusted: Trusted, target: str) -> str | None:
    """The configuration that the policy names for a target, else for the one target of this account and Region that names one; or None."""
    here = f":{trusted.region}:{trusted.account}:"
    pins = {one.name: one.code_signing_config for one in trusted.policy.targets
            if one.code_signing_config is not None and here in one.code_signing_config}  # fmt: skip
    only: Collection[str] = set(pins.values())
    return pins.get(target) or (next(iter(only)) if len(only) == 1 else None)
