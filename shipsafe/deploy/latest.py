"""`$LATEST` becomes what is wanted, step by step and each from the revision that was seen last, and is published as a version.

Whatever happens to an answer, a change is made once: after every failure it is looked for (`settle.made`). What Lambda then says it runs
has to be what was signed, by its own word: CodeSha256, SigningJobArn and SigningProfileVersionArn.
"""

from collections.abc import Callable, Sequence
from functools import partial

from shipsafe.adapters.aws.deploying import list_every_version, publish_version, update_code, update_configuration
from shipsafe.adapters.aws.functions import LATEST, Running
from shipsafe.adapters.aws.refusals import AwsRefusal
from shipsafe.deploy.look import same_as
from shipsafe.deploy.plan import changes_of, code_changes
from shipsafe.deploy.settle import ChangedError, changed, made, settled_version, settled_whole
from shipsafe.deploy.wanted import Wanted
from shipsafe.deploy.work import Work
from shipsafe.errors import IncompleteError, IntegrityError, ShipsafeError
from shipsafe.model.signing import S3Object


def update_latest(work: Work, wanted: Wanted, seen: Running, layers: Sequence[str], touched: Callable[[], None]) -> Running:
    """Configuration and layers, then the code; gives `$LATEST` as it is then.

    Args:
        work: time, pace and place.
        wanted: what it is to be.
        seen: `$LATEST` as the plan saw it.
        layers: ARNs that it is to have.
        touched: called when `$LATEST` is, or may be, another than it was.

    Raises:
        ChangedError: somebody else has changed it since.
        IntegrityError: it does not have what was signed.
        IncompleteError: Lambda refused, or could not do it in time.
        RolledBackError: somebody interrupted.
    """
    name = wanted.name
    if changes := changes_of(wanted, seen, layers):
        work.check()
        work.hands.say(f"{name}: configuration: {', '.join(changes)}")
        code = seen.code_sha256
        configuration = partial(update_configuration, work.aws, name, changes, revision=seen.revision)
        seen = _changed(work, name, configuration, lambda now: not changes_of(wanted, now, layers) and now.code_sha256 == code, touched)
    if code_changes(wanted, seen):
        work.check()
        work.hands.say(f"{name}: code: {wanted.signed.object}")
        told, settings = wanted.artifact.told, seen.settings
        moves = bool(told.architectures) and seen.architectures != told.architectures  # it is one of the settings, and comes with the code
        recode = partial(update_code, work.aws, name, wanted.signed.object, revision=seen.revision, architectures=told.architectures)
        seen = _changed(work, name, recode, lambda now: not code_changes(wanted, now) and (moves or now.settings == settings), touched)
    check_ours(wanted, seen)
    return seen


def _changed(
    work: Work, name: str, change: Callable[[], Running], done: Callable[[Running], bool], touched: Callable[[], None] | None = None
) -> Running:  # fmt: skip
    """Make a change, wait until it is settled, and give what is there then.

    Raises:
        IntegrityError: Lambda does not count the signature (any more).
        IncompleteError, RolledBackError: it refused otherwise, gave no answer, could not do it, or somebody else did or interrupted.
    """

    def found() -> Running | None:
        now = _settled(work, name)
        return now if done(now) else None

    try:
        made(work, change=change, found=found)
    except ShipsafeError as error:
        if touched is not None and not _refused(error):
            touched()
        if isinstance(error, AwsRefusal) and error.untrusted:
            what = f"Lambda does not take this code for function {name}: {error.said}"
            raise IntegrityError(what, remedy="Find out who revoked its signature, or changed the code-signing configuration.") from error
        raise
    if touched is not None:
        touched()
    now = _settled(work, name)
    if now.update == "Failed":
        raise IncompleteError(f"Lambda could not update function {name}: {now.reason}", remedy="Put that right, then run this again.")
    if not done(now):
        raise changed()
    return now


def _refused(error: ShipsafeError) -> bool:
    """Whether Lambda itself has said that it did not make the change."""
    if isinstance(error, ChangedError):
        return True
    return isinstance(error, AwsRefusal) and error.operation.startswith("UpdateFunction") and not error.passing


def published(work: Work, wanted: Wanted, latest: Running) -> str:
    """The version that holds `$LATEST` as it is: one that is there, or a new one; active, and what was signed.

    Raises:
        ShipsafeError: as `update_latest`.
    """
    name = wanted.name

    def found() -> Running | None:
        return same_as(latest, work.look(lambda: list_every_version(work.aws, name)))

    def publish() -> Running:
        code = wanted.signed.code_sha256
        return publish_version(work.aws, name, code_sha256=code, revision=latest.revision, description=wanted.description)

    version = found()
    if version is None:
        work.check()
        work.hands.say(f"{name}: publishing a version")
        version = made(work, change=publish, found=found)
    active = settled_version(work, name, version.version)
    if active is None:
        raise IncompleteError(f"Version {version.version} of function {name} was deleted meanwhile.", remedy="Find out by whom.")
    check_ours(wanted, active)
    return active.version


def give_back(work: Work, wanted: Wanted, before: Running, former: S3Object) -> None:
    """Give `$LATEST` the code and configuration that it had. Where somebody else changed it since, it is left to them.

    Args:
        work: time, pace and place.
        wanted: what it was given.
        before: as it was.
        former: the signed object that it ran.

    Raises:
        ShipsafeError: as `update_latest`.
    """
    name = wanted.name
    now = _settled(work, name)
    if now.code_sha256 not in (wanted.signed.code_sha256, before.code_sha256):
        raise changed()
    layers = [one.arn for one in before.layers]
    if now.code_sha256 != before.code_sha256:
        code = partial(update_code, work.aws, name, former, revision=now.revision, architectures=before.architectures)
        now = _changed(work, name, code, lambda seen: seen.code_sha256 == before.code_sha256)
    if now.settings != before.settings:
        words = {"Runtime": before.runtime, "Handler": before.handler, "Layers": layers}
        configuration = partial(update_configuration, work.aws, name, words, revision=now.revision)
        now = _changed(work, name, configuration, lambda seen: seen.settings == before.settings)
    if (now.code_sha256, now.settings) != (before.code_sha256, before.settings):
        raise changed()


def check_ours(wanted: Wanted, running: Running) -> None:
    """Lambda says itself what it runs.

    Raises:
        IntegrityError: it is not what was signed.
    """
    signed = wanted.signed
    pairs = (
        ("CodeSha256", signed.code_sha256, running.code_sha256),
        ("SigningJobArn", signed.job, running.job),
        ("SigningProfileVersionArn", signed.profile_version, running.profile_version),
    )
    for member, expected, found in pairs:
        if expected != found:
            what = (
                f"{wanted.name}:{running.version or LATEST} does not have what was signed: {member} is {found or 'none'}, not {expected}."
            )
            raise IntegrityError(what, remedy="Find out who changes it beside shipsafe, and who answers in Lambda's place.")


def _settled(work: Work, name: str) -> Running:
    whole = settled_whole(work, name)
    if whole is None:
        raise IncompleteError(f"Function {name} was deleted meanwhile.", remedy="Find out by whom.")
    return whole.latest
