"""Every key that a policy may hold: its kind, what it is for, and which direction is tighter.

This one table checks a file, gives its JSON schema and its reference page, and decides whether a repository loosens what its
organisation has fixed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from shipsafe.model.attestation import Role
from shipsafe.model.deployment import Rollout
from shipsafe.model.vex import JUSTIFICATIONS

GATES = ("dependencies", "lint", "sbom", "layers", "package")
_SEVERITIES = ("critical", "high", "medium", "low", "never")
_ROLES = tuple(Role)


class Kind(StrEnum):
    """What a value may be."""

    TEXT = "text"
    TEXTS = "list of texts"
    FLAG = "true or false"
    DATE = "date"
    AGE = "age"  # "7d", or "off"
    SPAN = "duration"  # "30s", "5m", "24h", "7d"
    THRESHOLD = "severity"  # "high", "high:fixable", "never"
    CHOICE = "one of"
    TEXT_TABLE = "table of texts"
    COUNT = "count"  # a whole number from 1
    EXTENDS = "preset or source"
    SOURCE = "source of advisories"


class Tighter(StrEnum):
    """In which direction a value gets tighter, where a base has fixed it."""

    SAME = "same"  # may not change at all
    SUBSET = "subset"
    SUPERSET = "superset"
    SHORTER = "shorter"
    LONGER = "longer"
    EARLIER = "earlier"
    LOWER = "lower"  # a threshold
    HIGHER = "higher"  # a count
    LAST_CHOICE = "last choice"  # choices are listed from loose to tight
    TRUE = "true"
    FALSE = "false"
    OFF = "off"  # may be switched off, and else not change


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key: dotted path (`*` stands for each entry of a list of tables), kind, and a sentence for people."""

    path: str
    kind: Kind
    doc: str
    example: str
    choices: tuple[str, ...] = ()
    tighter: Tighter = Tighter.SAME
    needed: bool = False


def _gate(gate: str) -> Iterator[Key]:
    at = f"gates.{gate}"
    yield Key(path=f"{at}.mode", kind=Kind.CHOICE, choices=("observe", "enforce"), tighter=Tighter.LAST_CHOICE, example='"enforce"',
              doc="`observe` reports and never blocks.")  # fmt: skip
    yield Key(path=f"{at}.enforce-from", kind=Kind.DATE, tighter=Tighter.EARLIER, example="2027-01-01",
              doc="The first day on which the gate blocks; until then it observes.")  # fmt: skip
    yield Key(path=f"{at}.fail-on", kind=Kind.THRESHOLD, choices=_SEVERITIES, tighter=Tighter.LOWER, example='"high:fixable"',
              doc="From which severity on a finding blocks; `:fixable` only when a fix is known.")  # fmt: skip
    yield Key(path=f"{at}.unscored", kind=Kind.CHOICE, choices=("report", "fail"), tighter=Tighter.LAST_CHOICE, example='"fail"',
              doc="Whether a finding that nobody has rated blocks.")  # fmt: skip


KEYS: tuple[Key, ...] = (
    Key(path="extends", kind=Kind.EXTENDS, example='"baseline"',
        doc="A preset (`baseline`, `strict`), or a policy by path or https URL with its SHA-256. Without it: `baseline`."),
    Key(path="required", kind=Kind.TEXTS, choices=GATES, tighter=Tighter.SUPERSET, example='["dependencies", "lint"]',
        doc="Gates that must have an outcome for every function and layer."),
    Key(path="accounts", kind=Kind.TEXTS, tighter=Tighter.SUBSET, example='["111122223333"]',
        doc="Our AWS accounts; their layers are trusted."),
    Key(path="first-party", kind=Kind.TEXTS, tighter=Tighter.SUBSET, example='["acme-*"]',
        doc="Patterns of distributions that are ours, which no advisory feed knows."),
    Key(path="evidence", kind=Kind.TEXT, example='"s3://bucket/prefix"', doc="Where evidence is kept, for later commands."),
    Key(path="lock", kind=Kind.TEXT, example='"uv.lock"', doc="Which file says what ships, where two kinds stand beside each other."),
    Key(path="prebuilt", kind=Kind.CHOICE, choices=("allow", "prove", "refuse"), tighter=Tighter.LAST_CHOICE, example='"prove"',
        doc="Whether Python packages that another tool built (`--prebuilt`, bundled assets, zips) may pass; `prove`: where every file is "
        "the source's or a verified wheel's."),
    Key(path="shared-lock", kind=Kind.TEXT, example='"uv.lock"',
        doc="A lock, relative to this file, from which each requirements.txt beside code chooses: versions and hashes are the lock's."),
    Key(path="constraints", kind=Kind.TEXTS, example='["constraints.txt"]',
        doc="Files of constraints, relative to this file: versions and hashes that hold wherever a distribution of the name is needed."),
    Key(path="groups", kind=Kind.TEXTS, example='["lambda"]', doc="Dependency groups of a lock that ship, beside its main dependencies."),
    Key(path="extras", kind=Kind.TEXTS, example='["pdf"]', doc="Extras of a locked project that ship."),
    Key(path="only-groups", kind=Kind.FLAG, example="true", doc="Whether the groups ship instead of the main dependencies."),
    Key(path="select.*.function", kind=Kind.TEXT, needed=True, example='"Orders*"',
        doc="Functions and layers, by name or pattern, that take something else of their lock."),
    Key(path="select.*.groups", kind=Kind.TEXTS, example='["orders"]', doc="Their groups, instead of those above."),
    Key(path="select.*.extras", kind=Kind.TEXTS, example='["pdf"]', doc="Their extras, instead of those above."),
    Key(path="select.*.only-groups", kind=Kind.FLAG, example="true", doc="Whether the groups ship instead of the main dependencies."),
    Key(path="select.*.member", kind=Kind.TEXT, example='"orders"',
        doc="The member of the uv workspace that they run, where their code does not lie in it."),
    Key(path="fixed", kind=Kind.TEXTS, tighter=Tighter.SUPERSET, example='["gates.dependencies"]',
        doc="Keys that whoever extends this policy may only tighten."),
    Key(path="unwaivable", kind=Kind.TEXTS, tighter=Tighter.SUPERSET, example='["dependencies/malicious"]',
        doc="Rules and advisories that no waiver can touch."),
    Key(path="longest-waiver", kind=Kind.AGE, tighter=Tighter.SHORTER, example='"90d"', doc="How far ahead a waiver may expire."),
    Key(path="baseline", kind=Kind.TEXT, tighter=Tighter.OFF, example='"shipsafe-baseline.toml"',
        doc="A file of known findings that do not block, beside the policy; `off` for none. Fixed with `waivers`, too."),
    Key(path="longest-baseline", kind=Kind.AGE, tighter=Tighter.SHORTER, example='"90d"',
        doc="How old an entry of the baseline may grow; after that its finding blocks again."),
    Key(path="vex", kind=Kind.TEXTS, tighter=Tighter.SUBSET, example='["security/vex.json"]',
        doc="OpenVEX or CycloneDX documents in the repository, relative to this file, that are read before judging."),
    Key(path="indexes.default", kind=Kind.TEXT, example='"https://pypi.org/simple"', doc="The index that packages come from."),
    Key(path="indexes.extra", kind=Kind.TEXTS, tighter=Tighter.SUBSET, example='["https://packages.example.com/simple"]',
        doc="Further indexes, asked before the default; a name is taken from the first that has it."),
    Key(path="indexes.mirrors-pypi", kind=Kind.TEXTS, tighter=Tighter.SUBSET, example='["https://nexus.example.com/pypi/simple"]',
        doc="Indexes that hold what PyPI holds and nothing else: its advisories speak of them."),
    Key(path="indexes.find-links", kind=Kind.TEXTS, tighter=Tighter.SUBSET, example='["wheels"]',
        doc="Folders of the repository, relative to this file, or https pages, with wheels."),
    Key(path="indexes.named.*.name", kind=Kind.TEXT, needed=True, example='"acme"',
        doc="An index that claims names; credentials for it: `UV_INDEX_ACME_USERNAME` and `UV_INDEX_ACME_PASSWORD`."),
    Key(path="indexes.named.*.url", kind=Kind.TEXT, needed=True, example='"https://packages.example.com/simple"', doc="Its address."),
    Key(path="indexes.named.*.packages", kind=Kind.TEXTS, needed=True, example='["acme-*"]',
        doc="Patterns of the distributions that come from it and from nowhere else."),
    Key(path="advisories.source", kind=Kind.SOURCE, choices=("snapshot", "pypi", "osv"), example='"snapshot"',
        doc="The OSV snapshot, one of pip-audit's services, or `{path = ..., date = ...}`: a folder or zip of OSV records."),
    Key(path="advisories.max-age", kind=Kind.AGE, tighter=Tighter.SHORTER, example='"7d"', doc="How old advisories may be, or `off`."),
    Key(path="advisories.unknown-age", kind=Kind.CHOICE, choices=("allow", "refuse"), tighter=Tighter.LAST_CHOICE, example='"refuse"',
        doc="Whether a folder without a date is used."),
    Key(path="advisories.label", kind=Kind.TEXT, example='"example data"', doc="What the screen calls a folder of records."),
    *(key for gate in GATES for key in _gate(gate)),
    Key(path="gates.dependencies.allow-sdist", kind=Kind.TEXTS, tighter=Tighter.SUBSET, example='["some-package"]',
        doc="Distributions that may be built from source, which runs their build code."),
    Key(path="gates.dependencies.cooldown", kind=Kind.AGE, tighter=Tighter.LONGER, example='"7d"',
        doc="How old an uploaded file must be before it may ship, or `off`, which is the default."),
    Key(path="gates.lint.suppressions", kind=Kind.CHOICE, choices=("honour", "ignore"), tighter=Tighter.LAST_CHOICE, example='"ignore"',
        doc="Whether `# nosec` and configured skips lower a finding."),
    Key(path="gates.sbom.cross-check", kind=Kind.FLAG, tighter=Tighter.TRUE, example="true",
        doc="Whether `cyclonedx-py` must list the same distributions."),
    Key(path="gates.sbom.supplier", kind=Kind.TEXT, example='"ACME Ltd"',
        doc="Who ships the functions, for the SBOM; without it the first author of the nearest pyproject.toml."),
    Key(path="layers.publishers", kind=Kind.TEXTS, tighter=Tighter.SUBSET, example='["999988887777"]',
        doc="Further accounts whose layers are trusted."),
    Key(path="parameters", kind=Kind.TEXT_TABLE, example='{ Stage = "prod" }', doc="Values of template parameters."),
    Key(path="functions.*.name", kind=Kind.TEXT, needed=True, example='"orders"', doc="A function of a project without a template."),
    Key(path="functions.*.handler", kind=Kind.TEXT, needed=True, example='"app.handler"', doc="Its handler."),
    Key(path="functions.*.runtime", kind=Kind.TEXT, needed=True, example='"python3.13"', doc="Its runtime."),
    Key(path="functions.*.code", kind=Kind.TEXT, needed=True, example='"src/orders"', doc="Its code, relative to this file."),
    Key(path="functions.*.architecture", kind=Kind.CHOICE, choices=("x86_64", "arm64"), example='"arm64"',
        doc="Its architecture; x86_64 by default."),
    Key(path="functions.*.requirements", kind=Kind.TEXT, example='"src/orders/requirements.txt"', doc="Its lock or requirements file."),
    Key(path="functions.*.groups", kind=Kind.TEXTS, example='["orders"]', doc="Its dependency groups of the lock, instead of those above."),
    Key(path="functions.*.extras", kind=Kind.TEXTS, example='["pdf"]', doc="Its extras of the locked project, instead of those above."),
    Key(path="functions.*.layers", kind=Kind.TEXTS, example='["arn:aws:lambda:..."]', doc="ARNs of the layer versions it uses."),
    Key(path="waivers.*.rule", kind=Kind.TEXT, example='"layers/unpinned"', doc="What is allowed: a rule, or an advisory."),
    Key(path="waivers.*.advisory", kind=Kind.TEXT, example='"CVE-2026-1234"', doc="An advisory, by any of its ids."),
    Key(path="waivers.*.subject", kind=Kind.TEXT, needed=True, example='"function:Billing"',
        doc="Where: a function, a layer, `project`, or `*`."),
    Key(path="waivers.*.reason", kind=Kind.TEXT, needed=True, example='"No fix yet; not reachable."', doc="Why."),
    Key(path="waivers.*.owner", kind=Kind.TEXT, needed=True, example='"team@example.com"', doc="Who answers for it."),
    Key(path="waivers.*.expires", kind=Kind.DATE, example="2027-01-31", doc="The last day on which it holds."),
    Key(path="waivers.*.until-fixed", kind=Kind.FLAG, example="true", doc="Ends as soon as a fixed version is known."),
    Key(path="waivers.*.justification", kind=Kind.CHOICE, choices=JUSTIFICATIONS, example='"vulnerable_code_not_in_execute_path"',
        doc="Why an advisory does no harm, in the words of VEX: its statement is then `not_affected`, and `affected` without it."),
    Key(path="sign.builder", kind=Kind.CHOICE, choices=("unattested", "attested"), tighter=Tighter.LAST_CHOICE, example='"attested"',
        doc="Whether `sign` takes what no builder's attestation vouches for; `strict` does not."),
    Key(path="sign.roots", kind=Kind.TEXTS, tighter=Tighter.SUBSET, example='["410220a7..."]',
        doc="SHA-256 of further root certificates that a signature may end in, beside AWS Signer's pinned one."),
    Key(path="sign.publishers", kind=Kind.TEXTS, tighter=Tighter.SUBSET,
        example='["arn:aws:signer:eu-central-1:464622532012:/signing-profiles/Vendor/AbCdE12345"]',
        doc="ARNs of profile versions of others whose signatures are trusted, beside those of the targets: of layers that are not ours."),
    Key(path="sign.target.*.name", kind=Kind.TEXT, needed=True, example='"prod"', doc="A place to sign in; `sign --target` names it."),
    Key(path="sign.target.*.profile", kind=Kind.TEXT, needed=True, example='"orders_2026"', doc="The signing profile of AWS Signer."),
    Key(path="sign.target.*.bucket", kind=Kind.TEXT, needed=True, example='"orders-${AWS::AccountId}-${AWS::Region}"',
        doc="The versioned bucket for unsigned and signed zips; the two pseudo parameters may stand in it."),
    Key(path="sign.target.*.region", kind=Kind.TEXT, example='"eu-central-1"', doc="Its region; else that of AWS's configuration."),
    Key(path="sign.target.*.account", kind=Kind.TEXT, example='"111122223333"', doc="The account that the credentials must belong to."),
    Key(path="sign.target.*.role", kind=Kind.TEXT, example='"arn:aws:iam::111122223333:role/signer"', doc="A role to assume."),
    Key(path="sign.target.*.external-id", kind=Kind.TEXT, example='"shipsafe"', doc="The external id that the role asks for."),
    Key(path="sign.target.*.aws-profile", kind=Kind.TEXT, example='"release"', doc="A named profile of AWS's configuration, SSO or not."),
    Key(path="sign.target.*.profile-owner", kind=Kind.TEXT, example='"444455556666"', doc="The account that owns the signing profile."),
    Key(path="sign.target.*.profile-version", kind=Kind.TEXT, example='"AbCdE12345"', doc="The version that the profile must have."),
    Key(path="sign.target.*.prefix", kind=Kind.TEXT, example='"orders/"', doc="What keys in the bucket begin with."),
    Key(path="sign.target.*.kms-key", kind=Kind.TEXT, example='"alias/artifacts"',
        doc="The KMS key that encrypts uploads; without it the bucket's default."),
    Key(path="sign.target.*.tags", kind=Kind.TEXT_TABLE, example='{ team = "orders" }', doc="Tags of uploaded objects."),
    Key(path="sign.target.*.code-signing-config", kind=Kind.TEXT,
        example='"arn:aws:lambda:eu-central-1:111122223333:code-signing-config:csc-0123456789abcdef0"',
        doc="The code-signing configuration that `--rewrite` gives to functions."),
    Key(path="enforce.mode", kind=Kind.CHOICE, choices=("warn", "enforce"), tighter=Tighter.LAST_CHOICE, example='"enforce"',
        doc="What code-signing configurations are to do with code that is not signed as they say; Lambda's own default is Warn."),
    Key(path="enforce.quiet", kind=Kind.AGE, tighter=Tighter.LONGER, example='"7d"',
        doc="How long a function under Warn must have had no SignatureValidationErrors before it gets Enforce."),
    Key(path="enforce.configuration", kind=Kind.TEXT,
        example='"arn:aws:lambda:eu-central-1:111122223333:code-signing-config:csc-0123456789abcdef0"',
        doc="The code-signing configuration to use; without it the one that `shipsafe enforce` or `bootstrap` made."),
    Key(path="enforce.role", kind=Kind.TEXT, example='"arn:aws:iam::111122223333:role/guard"',
        doc="The role that may change configurations and signing profiles; `enforce --guardrails` denies it to all others."),
    Key(path="enforce.ring.*.name", kind=Kind.TEXT, needed=True, example='"first"', doc="Functions that get to Enforce together."),
    Key(path="enforce.ring.*.functions", kind=Kind.TEXTS, example='["orders-*"]', doc="Patterns of their names; without it any."),
    Key(path="enforce.ring.*.tags", kind=Kind.TEXT_TABLE, example='{ team = "orders" }', doc="Tags that they must all have."),
    Key(path="enforce.ring.*.accounts", kind=Kind.TEXTS, example='["111122223333"]', doc="Accounts that they are in; without it any."),
    Key(path="enforce.ring.*.mode", kind=Kind.CHOICE, choices=("warn", "enforce"), example='"warn"', doc="What is wanted of them."),
    Key(path="deploy.alias", kind=Kind.TEXT, example='"live"', doc="The alias that callers use; else the template's AutoPublishAlias."),
    Key(path="deploy.rollout", kind=Kind.CHOICE, choices=tuple(Rollout), example='"canary"', doc="How its calls move to a new version."),
    Key(path="deploy.percent", kind=Kind.COUNT, example="10", doc="How many percent of the calls move in one step; from 1 to 99."),
    Key(path="deploy.every", kind=Kind.SPAN, example='"5m"', doc="How long each step is watched."),
    Key(path="deploy.deadline", kind=Kind.SPAN, example='"30m"',
        doc="How long calls to AWS are tried again in one deployment before it is given up and restored."),
    Key(path="deploy.alarms", kind=Kind.TEXTS, tighter=Tighter.SUPERSET, example='["orders-errors"]',
        doc="CloudWatch alarms that are watched all the while; one of them stops the roll-out."),
    Key(path="deploy.default-alarm", kind=Kind.CHOICE, choices=("off", "on"), tighter=Tighter.LAST_CHOICE, example='"on"',
        doc="Whether errors and throttles of the new version itself are watched."),
    Key(path="deploy.errors", kind=Kind.COUNT, example="5", doc="Default alarm: at least so many errors of the new version, and"),
    Key(path="deploy.error-percent", kind=Kind.COUNT, example="1", doc="at least so many percent of its invocations; or any throttle."),
    Key(path="deploy.function.*.function", kind=Kind.TEXT, needed=True, example='"Orders*"',
        doc="Artifacts of a release, by name or pattern, that go live in another way."),
    Key(path="deploy.function.*.name", kind=Kind.TEXT, example='"orders-prod"', doc="What the function is called in the account."),
    Key(path="deploy.function.*.alias", kind=Kind.TEXT, example='"live"', doc="Its alias."),
    Key(path="deploy.function.*.rollout", kind=Kind.CHOICE, choices=tuple(Rollout), example='"linear"', doc="Its roll-out."),
    Key(path="deploy.function.*.percent", kind=Kind.COUNT, example="20", doc="Its percents a step."),
    Key(path="deploy.function.*.every", kind=Kind.SPAN, example='"1m"', doc="How long each of its steps is watched."),
    Key(path="deploy.function.*.alarms", kind=Kind.TEXTS, example='["orders-latency"]', doc="Its alarms, beside those above."),
    Key(path="deploy.function.*.smoke-payload", kind=Kind.TEXT, example='"smoke/orders.json"',
        doc="A file of JSON, relative to this file, that the new version is invoked with before any caller reaches it."),
    Key(path="deploy.function.*.smoke-expect", kind=Kind.TEXT, example='"smoke/orders.expected.json"',
        doc="A file of JSON: what it must answer, or a part of it; without it any answer that is no error."),
    Key(path="deploy.function.*.codedeploy-application", kind=Kind.TEXT, example='"orders"',
        doc="The application of CodeDeploy that shifts its alias."),
    Key(path="deploy.function.*.codedeploy-group", kind=Kind.TEXT, example='"orders-live"', doc="Its deployment group there."),
    Key(path="deploy.function.*.role", kind=Kind.TEXT, example='"arn:aws:iam::111122223333:role/orders"',
        doc="The execution role that `deploy --create` gives it."),
    Key(path="deploy.stage.*.name", kind=Kind.TEXT, needed=True, example='"prod"', doc="A stage; `deploy --stage` names it."),
    Key(path="deploy.stage.*.target", kind=Kind.TEXT, needed=True, example='"prod"', doc="The [[sign.target]] whose signatures run there."),
    Key(path="deploy.stage.*.account", kind=Kind.TEXT, example='"111122223333"', doc="Its account; else that of the target."),
    Key(path="deploy.stage.*.region", kind=Kind.TEXT, example='"eu-central-1"', doc="Its region; else that of the target."),
    Key(path="deploy.stage.*.role", kind=Kind.TEXT, example='"arn:aws:iam::111122223333:role/deployer"', doc="The role to deploy as."),
    Key(path="deploy.stage.*.after", kind=Kind.TEXT, example='"dev"', doc="The stage that must have run the same digest before."),
    Key(path="deploy.stage.*.soak", kind=Kind.SPAN, example='"24h"', doc="For how long it must have run there."),
    Key(path="break-glass.allowed", kind=Kind.FLAG, tighter=Tighter.FALSE, example="true", doc="Whether `--break-glass` is taken at all."),
    Key(path="break-glass.role", kind=Kind.TEXT, example='"arn:aws:iam::111122223333:role/break-glass"', doc="The role it needs."),
    Key(path="break-glass.profile", kind=Kind.TEXT, example='"hotfix_2026"', doc="The signing profile that signs what it lets through."),
    Key(path="break-glass.second-person", kind=Kind.FLAG, tighter=Tighter.TRUE, example="true",
        doc="Whether a second person has to agree, by name."),
    Key(path="break-glass.longest", kind=Kind.SPAN, tighter=Tighter.SHORTER, example='"24h"',
        doc="How long one is valid; at most 24 hours."),
    Key(path="attest.unsigned", kind=Kind.CHOICE, choices=("allow", "refuse"), tighter=Tighter.LAST_CHOICE, example='"refuse"',
        doc="Whether evidence that nobody signed is taken; `strict` refuses it. A role for which keys are listed takes nothing unsigned."),
    Key(path="attest.builders", kind=Kind.COUNT, tighter=Tighter.HIGHER, example="1",
        doc="How many different keys must have signed what a builder states."),
    Key(path="attest.signers", kind=Kind.COUNT, tighter=Tighter.HIGHER, example="1",
        doc="How many different keys must have signed what a signer states."),
    Key(path="attest.overriders", kind=Kind.COUNT, tighter=Tighter.HIGHER, example="2",
        doc="How many different keys must have signed what breaks the glass."),
    Key(path="attest.key.*.name", kind=Kind.TEXT, needed=True, example='"ci"', doc="A key whose statements count, as messages name it."),
    Key(path="attest.key.*.for", kind=Kind.TEXTS, choices=_ROLES, needed=True, example='["builder"]', doc="As whom it may speak."),
    Key(path="attest.key.*.public", kind=Kind.TEXT, needed=True, example='"-----BEGIN PUBLIC KEY-----..."',
        doc="The public key itself, PEM; `shipsafe keys show` prints the table."),
    Key(path="attest.key.*.from", kind=Kind.DATE, example="2026-01-01", doc="The first day on which it may have signed."),
    Key(path="attest.key.*.until", kind=Kind.DATE, example="2027-06-30", doc="The last day on which it may have signed."),
    Key(path="attest.identity.*.name", kind=Kind.TEXT, needed=True, example='"release workflow"', doc="A keyless signer (Sigstore)."),
    Key(path="attest.identity.*.for", kind=Kind.TEXTS, choices=_ROLES, needed=True, example='["builder"]', doc="As whom it may speak."),
    Key(path="attest.identity.*.identity", kind=Kind.TEXT, needed=True,
        example='"https://github.com/acme/orders/.github/workflows/release.yml@refs/heads/main"',
        doc="The certificate's identity, exactly."),
    Key(path="attest.identity.*.issuer", kind=Kind.TEXT, needed=True, example='"https://token.actions.githubusercontent.com"',
        doc="Who issued the token."),
)  # fmt: skip

BY_PATH = {key.path: key for key in KEYS}
TABLE_LISTS = (
    "functions", "select", "waivers", "sign.target", "indexes.named", "attest.key", "attest.identity", "enforce.ring", "deploy.function",
    "deploy.stage",
)  # fmt: skip
