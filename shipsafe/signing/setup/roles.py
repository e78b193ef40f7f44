"""The roles of the pipeline as they were found, against the roles as they should be.

What is missing is made. The trust and the rights of a role that `bootstrap` made are set as they should be, which also takes away what is
too much. Roles that somebody else made, and what others have added to ours, are told and left alone.
"""

from collections.abc import Iterator
from functools import partial

from shipsafe.adapters.aws.iam import Role, make_provider, make_role, set_rights, set_session, set_trust
from shipsafe.errors import ShipsafeError
from shipsafe.model.pipeline import Job
from shipsafe.signing.setup.check import Check, Mend, State
from shipsafe.signing.setup.compared import compare_rights, compare_trust, listed, of_others
from shipsafe.signing.setup.roles_look import ProviderLook, RoleLook, RolesLook
from shipsafe.signing.setup.stack_roles import stack_role_checks
from shipsafe.signing.setup.trust import AUDIENCE, host_of, reads_claims

TAG = "shipsafe:job"  # of a role: the job that it is for
POLICY = "shipsafe"  # what the policy is called that is written into a role
_DOES = {
    Job.BUILD: "signs what the builder states, and nothing else",
    Job.SIGN: "signs code, and cannot deploy",
    Job.DEPLOY: "deploys what is signed, and cannot sign",
    Job.VERIFY: "reads, and changes nothing",
}


def description(job: Job) -> str:
    """Of a job's role."""
    return f"shipsafe: the job that {_DOES[job]}"


def role_checks(look: RolesLook) -> Iterator[Check]:
    """All checks of the identity providers and the roles."""
    for key in look.lacking:
        says = f"[pipeline] names roles, and no `{key}` whose jobs could take them."
        yield Check(targets=(), about="roles", state=State.MISSING, says=says, remedy=f"Add `{key}` to [pipeline].")
    for one in look.providers:
        yield from _provider(one)
    if look.roles and not look.numbered:
        says = (
            "The policy has no `owner-id` and `repository-id`. A repository that was made, renamed or moved since 15 July 2026"
            " has both in its subjects, and its jobs get no role."
        )
        yield Check(targets=(), about="subjects", state=State.NOTE, says=says, remedy="Add both to [pipeline]: docs/guides/github.md.")
    for role in look.roles:
        yield from _role(role)
    yield from stack_role_checks(look.of_stacks)


def _refused(targets: tuple[str, ...], about: str, error: ShipsafeError) -> Check:
    return Check(targets=targets, about=about, state=State.UNKNOWN, says=error.what, remedy=error.remedy, stops=True)


def _provider(look: ProviderLook) -> Iterator[Check]:
    about = partial(Check, targets=look.targets, about="identity provider")
    if look.error is not None:
        yield _refused(look.targets, "identity provider", look.error)
    elif look.audiences is None:
        make = Mend(
            what=f"make the identity provider {look.arn}",
            why=f"tokens of {look.url} for {AUDIENCE} are looked at",
            act=partial(make_provider, look.aws, look.url, AUDIENCE),
        )
        yield about(state=State.MISSING, says=f"Account {look.aws.account} has no identity provider for {look.url}.", mends=(make,))
    elif AUDIENCE not in look.audiences:
        remedy = f"aws iam add-client-id-to-open-id-connect-provider --open-id-connect-provider-arn {look.arn} --client-id {AUDIENCE}"
        yield about(state=State.MISSING, says=f"{look.arn} takes no tokens for {AUDIENCE}.", remedy=remedy)
    else:
        yield about(state=State.OK, says=f"{look.arn}.")
    if not reads_claims(host_of(look.url)):
        says = f"AWS reads no `job_workflow_ref` of {look.url}: the subject must name it."
        remedy = 'Set the subject of the repository: include_claim_keys ["repo", "context", "job_workflow_ref"].'
        yield about(state=State.NOTE, says=says, remedy=remedy)


def _role(look: RoleLook) -> Iterator[Check]:
    about = partial(Check, targets=look.targets)
    if look.error is not None:
        yield _refused(look.targets, f"role {look.name}", look.error)
        return
    if look.role is None:
        says = f"There is no role {look.name} in account {look.aws.account}."
        yield about(about=f"role {look.name}", state=State.MISSING, says=says, mends=(_make(look), _rights(look)))
        return
    tagged, others = look.role.tags.get(TAG) == look.job, of_others(look.role.trust, look.trust)
    ours = tagged and not others
    if ours:
        yield about(about=f"role {look.name}", state=State.OK, says=f"{look.role.arn} {_DOES[look.job]}.")
    elif tagged:
        says = f"{look.role.arn} is of {listed(others)}, and bootstrap takes it from nobody."
        remedy = "Choose other `roles`. If that was the name of this repository, delete the role, and run bootstrap again."
        yield about(about=f"role {look.name}", state=State.WRONG, says=says, remedy=remedy)
    else:
        says = f"{look.role.arn} has no tag {TAG}={look.job}: bootstrap has not made it, and leaves it alone."
        yield about(
            about=f"role {look.name}", state=State.MISSING, says=says, remedy="Add the tag if it is meant, or choose other `roles`."
        )
    if look.role.session < look.job.session:
        yield _session(look, look.role, ours=ours)
    yield _trusted(look, look.role, ours=ours)
    yield from _may(look, look.role, ours=ours)


def _make(look: RoleLook) -> Mend:
    make = partial(
        make_role, look.aws, look.name, look.trust, session=look.job.session, description=description(look.job), tags={TAG: look.job.value}
    )
    return Mend(what=f"make role {look.name}, which {_DOES[look.job]}", why=f"for {_whose(look)}", act=make)


def _trust(look: RoleLook) -> Mend:
    return Mend(what=f"set who may take role {look.name}", why=_whose(look), act=partial(set_trust, look.aws, look.name, look.trust))


def _session(look: RoleLook, role: Role, *, ours: bool) -> Check:
    """The pipeline asks for all of it: AWS gives no role to whoever asks for longer than it may be had."""
    wanted = look.job.session
    says = f"It can be had for {role.session} seconds, and the job asks for {wanted}."
    remedy = "" if ours else f"aws iam update-role --role-name {look.name} --max-session-duration {wanted}"
    mend = Mend(
        what=f"let role {look.name} be had for {wanted} seconds",
        why="a roll-out may take as long",
        act=partial(set_session, look.aws, look.name, wanted),
    )
    mends = (mend,) if ours else ()
    return Check(targets=look.targets, about=f"session of {look.name}", state=State.MISSING, says=says, remedy=remedy, mends=mends)


def _whose(look: RoleLook) -> str:
    """The claims of the tokens that are let in."""
    [statement] = look.trust["Statement"]
    told = {key.rpartition(":")[2]: value for key, value in statement["Condition"]["StringEquals"].items()}
    return "; ".join(f"{name} {' or '.join([value] if isinstance(value, str) else value)}" for name, value in told.items())


def _rights(look: RoleLook) -> Mend:
    def act() -> None:
        set_rights(look.aws, look.name, POLICY, look.rights())

    return Mend(what=f"set what role {look.name} may do", why=f"the policies of the job `{look.job}`, and nothing else", act=act)


def _trusted(look: RoleLook, role: Role, *, ours: bool) -> Check:
    compared = compare_trust(role.trust, look.trust)
    about = partial(Check, targets=look.targets, about=f"trust of {look.name}")
    mends = (_trust(look),) if ours else ()
    if compared.beyond:
        remedy = "" if ours else "Set its trust policy; `bootstrap --print` shows one."
        return about(state=State.WRONG, says=f"It lets in more than one job: {listed(compared.beyond)}.", remedy=remedy, mends=mends)
    if compared.lacking:
        remedy = "" if ours else "Set its trust policy; `bootstrap --print` shows one."
        return about(state=State.MISSING, says=f"It does not let its job in: {listed(compared.lacking)}.", remedy=remedy, mends=mends)
    return about(state=State.OK, says="One job of one workflow.")


def _may(look: RoleLook, role: Role, *, ours: bool) -> Iterator[Check]:
    """What its policies allow: ours is set anew where it differs, of others is told what they add."""
    about = partial(Check, targets=look.targets, about=f"rights of {look.name}")
    mends = (_rights(look),) if ours else ()
    if not look.known:
        yield about(state=State.MISSING, says="They are for a signing profile that is not there yet.", mends=mends)
        return
    wanted = look.rights()
    own = compare_rights(role.policies.get(POLICY), wanted)
    others = {name: compare_rights(document, wanted) for name, document in {**role.policies, **role.attached}.items() if name != POLICY}
    remedy = "" if ours else "Set its policies; `bootstrap --print` shows them."
    if own.beyond:
        yield about(state=State.WRONG, says=f"More than the job needs: {listed(own.beyond)}.", remedy=remedy, mends=mends)
    elif own.lacking:
        yield about(state=State.MISSING, says=f"Less than the job needs: {listed(own.lacking)}.", remedy=remedy, mends=mends)
    for name, more in others.items():
        if more.beyond:
            says = f"Policy {name} adds what the job does not need: {listed(more.beyond)}."
            yield about(state=State.WRONG, says=says, remedy=f"Take {name} from the role.")
    if not own.beyond and not own.lacking and not any(more.beyond for more in others.values()):
        yield about(state=State.OK, says=f"What the job `{look.job}` needs, and nothing else.")
