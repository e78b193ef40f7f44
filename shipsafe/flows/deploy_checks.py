"""What has to hold before anything of a function is changed, as a chain: each link is looked at, and one that does not hold refuses it.

The zips and their evidence are verified offline (`verify_release`). Here is what AWS knows: the signing record is of what the manifest
names, the job and the profile are not revoked, the configuration enforces and allows them, the layers are let in, and Lambda itself takes
the code in a `DryRun`.
"""

from collections.abc import Iterator
from dataclasses import replace

from shipsafe.adapters.aws.code_signing import ENFORCE
from shipsafe.adapters.aws.deploying import update_code
from shipsafe.adapters.aws.functions import Running
from shipsafe.adapters.aws.looks import Looks
from shipsafe.adapters.aws.refusals import AwsRefusal
from shipsafe.deploy.plan import NEW, FunctionPlan
from shipsafe.deploy.wanted import Wanted
from shipsafe.enforce.layers import preflight
from shipsafe.errors import ExitCode, ShipsafeError
from shipsafe.flows.deploy_watched import watched_link
from shipsafe.model.chain import Chain, Link
from shipsafe.model.signing import S3Object
from shipsafe.signing.revoke.brake import MEMORY
from shipsafe.verify import live_links
from shipsafe.verify.enforcement import enforcement_links, wanted_configuration
from shipsafe.verify.function import known_at
from shipsafe.verify.links import broken, held, not_asked, of_error, unanswered
from shipsafe.verify.signed_code import Site, signed_code
from shipsafe.verify.signer_records import Code

DRY_RUN, STOPPED, LAYERS = "dry-run", "stopped", "layers-allowed"


def checked(site: Site, plan: FunctionPlan) -> Chain:
    """The chain of a function that is to be deployed, with the plan's configuration and layers.

    Args:
        site: where it is, and the evidence at hand.
        plan: what is to be done.
    """
    found = signed_for(site, plan.wanted)
    return replace(found, subject=f"function:{plan.name}", links=(*found.links, *_of_function(site, plan)))


def signed_for(site: Site, wanted: Wanted) -> Chain:
    """Whether what was signed for a place still holds: its evidence, its job and its profile."""
    signed = wanted.signed
    code = Code(what=f"What was signed of {wanted.artifact.name} for target {signed.target}", code_sha256=signed.code_sha256,
                profile_version=signed.profile_version, job=signed.job, verb="is")  # fmt: skip
    found = signed_code(site, code, artifact=wanted.artifact.subject)
    return Chain(subject=wanted.artifact.subject, links=found.links, attestations=found.proof.attested if found.proof else ())


def former(site: Site, running: Running) -> S3Object | None:
    """The signed object that a version runs, where evidence says which; None where nothing says so."""
    code = Code(what=f"{running.name}:{running.version}", code_sha256=running.code_sha256, profile_version=running.profile_version,
                job=running.job)  # fmt: skip
    try:
        record = signed_code(site, code).record
    except ShipsafeError:  # it names no signature that can be looked up
        return None
    here = (site.looks.aws.account, site.looks.aws.region)
    return record.object if record is not None and (record.account, record.region) == here else None


def _of_function(site: Site, plan: FunctionPlan) -> Iterator[Link]:
    live = plan.live
    if live is not None:
        yield stopped_link(plan.name, stopped=MEMORY in live.whole.tags)
        yield from enforcement_links(
            site.looks, site.trusted, plan.name, wanted=wanted_configuration(site.trusted, plan.wanted.signed.target),
            signed_by=plan.wanted.signed.profile_version, known=known_at(site), policy=site.shelf.request.policy.enforce,
        )  # fmt: skip
    else:
        yield configuration_link(site, plan.wanted, plan.name, plan.configuration)
    yield _layers(site, plan)
    yield watched_link(site.looks, plan, site.shelf.request)
    yield _dry_run(site.looks, plan)


def stopped_link(name: str, *, stopped: bool) -> Link:
    """Whether `shipsafe revoke` has stopped a function: `stopped` says that it carries its mark."""
    if stopped:
        sentence = f"Function {name} was stopped by `shipsafe revoke`: no call of it is taken."
        remedy = f"Let it run again first, when its chain holds: shipsafe revoke --restore {name}"
        return broken(STOPPED, sentence, remedy=remedy)
    return held(STOPPED, f"Function {name} was not stopped.")


def configuration_link(site: Site, wanted: Wanted, name: str, arn: str, *, soft: bool = False) -> Link:
    """Whether the code-signing configuration that a function is to get enforces, and allows who signed.

    Args:
        site: where.
        wanted: the function.
        name: what it is called there.
        arn: of the configuration.
        soft: for now it need only warn, as [enforce] says.
    """
    try:
        one = site.looks.configuration(arn)
    except ShipsafeError as error:
        return of_error(live_links.CONFIGURATION, error)
    if one is None or (one.policy != ENFORCE and not soft) or wanted.signed.profile_version not in one.publishers:
        sentence = f"The code-signing configuration that {name} is to get does not enforce, or does not allow who signed its code."
        found = ", ".join(one.publishers) if one else "none"
        return broken(live_links.CONFIGURATION, sentence, expected=wanted.signed.profile_version, found=found,
                      remedy="Name another one, or let `shipsafe enforce` mend it.")  # fmt: skip
    how = "enforces" if one.policy == ENFORCE else "for now only warns"
    return held(live_links.CONFIGURATION, f"{one.arn.rpartition(':')[2]} {how}, and allows who signed it.")


def _layers(site: Site, plan: FunctionPlan) -> Link:
    """Whether Lambda will take the layers that are there already; one that is still to be published is signed by us."""
    there = [arn for arn in plan.layers if not arn.endswith(NEW)]
    if not there:
        return held(LAYERS, "It has no layer of others." if plan.layers else "It has no layer.")
    try:
        configuration = site.looks.configuration(plan.configuration) if plan.configuration else None
    except ShipsafeError as error:
        return of_error(LAYERS, error)
    if configuration is None:
        return not_asked(LAYERS, "There is no code-signing configuration that would let layers in or not.")
    found = preflight(site.looks, there, configuration.publishers, site.now)
    wrong = sorted((one for one in found if not one.allowed), key=lambda one: one.code, reverse=True)
    if wrong:
        make = broken if wrong[0].code is ExitCode.INTEGRITY else unanswered
        return make(LAYERS, wrong[0].sentence, remedy=wrong[0].remedy)
    return held(LAYERS, f"{len(there)} layer{'s are' if len(there) != 1 else ' is'} signed by whom the configuration allows.")


def _dry_run(looks: Looks, plan: FunctionPlan) -> Link:
    """Lambda's own word on the code, before it is given it."""
    if plan.live is None or not plan.code:
        return not_asked(DRY_RUN, "It has this code already." if plan.live else "There is no function yet that could be tried.")
    signed = plan.wanted.signed
    architectures = plan.wanted.artifact.told.architectures
    looks.pace.turn()
    try:
        told = update_code(looks.aws, plan.name, signed.object, revision=plan.revision, architectures=architectures, dry_run=True)
    except AwsRefusal as refusal:
        if refusal.untrusted:
            return broken(DRY_RUN, f"Lambda does not take this code: {refusal.said}", expected=signed.code_sha256,
                          remedy="Sign it again with a profile that the code-signing configuration allows.")  # fmt: skip
        return of_error(DRY_RUN, refusal)
    except ShipsafeError as error:
        return of_error(DRY_RUN, error)
    if told.code_sha256 != signed.code_sha256:
        sentence = f"{signed.object} holds other bytes than were signed."
        return broken(DRY_RUN, sentence, expected=signed.code_sha256, found=told.code_sha256,
                      remedy="Find out who writes to the bucket, then sign again.")  # fmt: skip
    return held(DRY_RUN, "Lambda has looked at the code in a DryRun, and takes it.")


def failed(name: str, error: ShipsafeError) -> Chain:
    """The chain of a function that could not be looked at."""
    return Chain(subject=f"function:{name}", links=(of_error(live_links.CODE, error),))
