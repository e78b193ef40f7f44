"""Which functions run that a template describes: by the name it gives them, by a stack of CloudFormation, or as somebody says.

Most templates give their functions no name: CloudFormation makes one up (`shop-Orders-1A2B3C`), and only the stack says which. A function
whose name nobody knows is never left out: either it is an error before anything is asked, or a link that could not be looked at.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from shipsafe.adapters.aws.functions import FunctionName
from shipsafe.adapters.aws.session import Aws, Place, open_aws
from shipsafe.adapters.aws.stacks import functions_of_stack
from shipsafe.errors import ConfigError, NothingError
from shipsafe.model.chain import Chain, Verification
from shipsafe.model.project import Function
from shipsafe.readers import read_project
from shipsafe.verify import VerifyRequest, verify_functions
from shipsafe.verify.links import unanswered

_LINK = "function"


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatRuns:
    """What somebody asked for.

    Attributes:
        names: functions, as `--function` has them.
        template: a file or folder that describes functions, all of which are meant; None for none.
        stack: the CloudFormation stack that the template became.
        known: what functions of the template are called, by their logical ids; may name a version or alias. Wins over the others.
        overrides: template parameters.
        region: None for the one of AWS's configuration. all_regions: every one that a signing record names.
    """

    names: tuple[str, ...] = ()
    template: Path | None = None
    stack: str | None = None
    known: Mapping[str, str] = field(default_factory=dict)
    overrides: Mapping[str, str] = field(default_factory=dict)
    region: str | None = None
    all_regions: bool = False


def verify_what_runs(asked: WhatRuns, request: VerifyRequest, connect: Callable[[Place], Aws] = open_aws) -> Verification:
    """Verify the functions that are named, and those of the template.

    Raises:
        ConfigError: nothing is named; the template cannot be used, or nobody says what one of its functions is called.
        NothingError: the template describes no function.
        IncompleteError: the stack could not be looked at.
        ShipsafeError: as `verify_functions`.
    """
    if asked.template is None:
        if asked.stack or asked.known:
            raise ConfigError("A stack or a name is given for a template, and no template.", remedy="Name it with --template.")
        return verify_functions(asked.names, request, connect, region=asked.region, all_regions=asked.all_regions)
    project = read_project(asked.template, policy=request.policy, overrides=asked.overrides)
    if not project.functions:
        raise NothingError(f"{project.template or asked.template} describes no function.", remedy="Name another template.")
    if unknown := sorted({*asked.known} - {one.name for one in project.functions}):
        remedy = f"There are: {', '.join(one.name for one in project.functions)}."
        raise ConfigError(f"The template has no function {unknown[0]!r}.", remedy=remedy, path=str(asked.template))
    named, lost = _named(project.functions, asked, _of_stack(asked, connect))
    missing = [_missing(one.subject, f"The stack has no function {one.name}, so that nothing could be looked at.") for one in lost]
    missing += [_missing("project", f"Not all of the template could be read: {one.reason.rstrip('.')}.") for one in project.unresolved]
    names = dict.fromkeys((*asked.names, *named.values()))
    if not names:
        return _alone(missing, request)
    found = verify_functions(
        tuple(names), request, connect, region=asked.region, all_regions=asked.all_regions,
        artifacts={FunctionName.parse(name).name: f"function:{logical}" for logical, name in named.items()},
    )  # fmt: skip
    return replace(found, chains=(*found.chains, *missing))


def _of_stack(asked: WhatRuns, connect: Callable[[Place], Aws]) -> Mapping[str, str] | None:
    if asked.stack is None:
        return None
    if asked.all_regions:
        raise ConfigError("A stack is in one Region.", remedy="Leave out --all-regions, or map the functions with --map.")
    return functions_of_stack(connect(Place(region=asked.region)), asked.stack)


def _named(functions: Iterable[Function], asked: WhatRuns, stack: Mapping[str, str] | None) -> tuple[dict[str, str], list[Function]]:
    """Names by logical id, and the functions that the stack does not have (a condition may leave one out).

    Raises:
        ConfigError: nobody says what a function is called, or two are called the same: one of them would go unverified.
    """
    named: dict[str, str] = {}
    lost: list[Function] = []
    called: dict[str, str] = {}
    for one in functions:
        name = asked.known.get(one.name) or (stack.get(one.name) if stack is not None else one.function_name)
        if name is not None:
            named[one.name] = name
            other = called.setdefault(FunctionName.parse(name).name, one.name)
            if other != one.name:
                raise ConfigError(f"Functions {other} and {one.name} of the template are both called {name}: one cannot run as the other.",
                                  remedy=f"Name the stack with --stack, or one of them with --map {one.name}=NAME.",
                                  path=one.location.path, line=one.location.line)  # fmt: skip
        elif stack is not None:
            lost.append(one)
        else:
            remedy = f"Name the stack with --stack, or the function with --map {one.name}=NAME."
            raise ConfigError(f"The template does not say what function {one.name} is called: CloudFormation makes up a name.",
                              remedy=remedy, path=one.location.path, line=one.location.line)  # fmt: skip
    return named, lost


def _missing(subject: str, sentence: str) -> Chain:
    return Chain(subject=subject, links=(unanswered(_LINK, sentence, remedy="Check the template, its parameters and the stack."),))


def _alone(chains: Iterable[Chain], request: VerifyRequest) -> Verification:
    return Verification(chains=tuple(chains), policy=request.policy.path, policy_digest=request.policy.digest)
