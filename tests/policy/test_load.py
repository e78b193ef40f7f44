"""The policy as files, and what is said of one that cannot be used."""

import hashlib
import json
import tomllib
from datetime import date
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]  # it has no stubs
import pytest

from shipsafe.errors import ConfigError, IncompleteError, IntegrityError, ShipsafeError
from shipsafe.gates import all_gates
from shipsafe.model.policy import AdvisorySource, Mode, Policy
from shipsafe.model.severity import Severity
from shipsafe.policy import generated_configs, init_text, load, policy_schema, show
from shipsafe.policy.keys import ABOUT_PROJECT, GATES, KEYS

TODAY = date(2026, 11, 21)
WAIVER = '[[waivers]]\nrule = "layers/unpinned"\nsubject = "Billing"\nreason = "r"\nowner = "o"\n'


def _never(url: str) -> bytes:
    pytest.fail(f"{url} was fetched")


def read(folder: Path, text: str | None = None, *, name: str = "shipsafe.toml") -> Policy:
    """Load the policy of a folder, after writing it."""
    if text is not None:
        (folder / name).write_text(text)
    return load(folder, offline=True, cache=folder / "cache", fetch=_never, today=TODAY)


def said(folder: Path, text: str) -> str:
    """What is said of a policy that cannot be used."""
    with pytest.raises(ConfigError) as caught:
        read(folder, text)
    return str(caught.value)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that is a repository, so that no policy above it is found."""
    (tmp_path / ".git").mkdir()
    return tmp_path


def test_without_a_file_the_baseline_holds(folder: Path) -> None:
    policy = read(folder)
    assert policy.path is None
    assert set(policy.required) == set(GATES) - set(ABOUT_PROJECT)
    assert policy.gate("lint").fail_on.threshold is Severity.HIGH
    assert policy.gate("lint").settings["suppressions"] == "honour"
    assert policy.gate("sbom").settings["cross-check"] is False


def test_strict_is_tighter(folder: Path) -> None:
    policy = read(folder, 'extends = "strict"\n')
    assert policy.origins["gates.lint.suppressions"] == "preset strict"
    assert policy.gate("dependencies").unscored_blocks
    assert policy.gate("lint").settings["suppressions"] == "ignore"
    assert policy.gate("sbom").settings["cross-check"] is True
    assert not policy.advisories.unknown_age_allowed
    assert policy.longest_waiver is not None
    assert policy.longest_waiver.days == 90


def test_the_nearest_file_wins_and_the_repository_is_the_limit(tmp_path: Path) -> None:
    folder = tmp_path / "repository"  # what lies above it is this test's own, too
    inner = folder / "services" / "orders"
    inner.mkdir(parents=True)
    (folder / ".git").mkdir()
    (tmp_path / "shipsafe.toml").write_text('accounts = ["above"]\n')
    assert read(inner).accounts == ()
    (folder / "shipsafe.toml").write_text('accounts = ["top"]\n')
    assert read(inner).accounts == ("top",)
    assert read(inner, 'accounts = ["near"]\n').accounts == ("near",)


def test_a_table_of_pyproject_is_a_policy(folder: Path) -> None:
    policy = read(folder, '[project]\nname = "x"\n\n[tool.shipsafe]\naccounts = ["1"]\n', name="pyproject.toml")
    assert (policy.accounts, policy.path) == (("1",), "pyproject.toml")
    (folder / "pyproject.toml").write_text("[tool.shipsafe]\n\nacounts = []\n")
    with pytest.raises(ConfigError, match=r"^pyproject\.toml:3: Unknown key `acounts`\. Did you mean `accounts`\?$"):
        read(folder)
    with pytest.raises(ConfigError, match="Keep one of them"):
        read(folder, "")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("requird = []\n", "shipsafe.toml:1: Unknown key `requird`. Did you mean `required`?"),
        ('\n[gates.lint]\nfail_on = "high"\n', "shipsafe.toml:3: Unknown key `gates.lint.fail_on`. Did you mean `fail-on`?"),
        ('[[indexes.named]]\naddress = "x"\n', "shipsafe.toml:2: Unknown key `indexes.named.0.address`. It may have name, url, packages."),
        ('[gate.lint]\nmode = "observe"\n', "shipsafe.toml:2: Unknown key `gate.lint.mode`. Did you mean `gates.lint.mode`?"),
        ('required = ["lnt"]\n',
         ("shipsafe.toml:1: `required` is not made of dependencies, lint, sbom, layers, package, workflows. "
          'Write `required = ["dependencies", "lint"]`, for example.')),
        ('[advisories]\nmax-age = "a week"\n',
         'shipsafe.toml:2: `advisories.max-age` is not a number of days such as "7d", or "off". Write `max-age = "7d"`, for example.'),
        ("a = [1,\n", "shipsafe.toml: Not valid TOML: Invalid value (at end of document). Correct the line."),
        ("a = = 1\n", "shipsafe.toml:1:5: Not valid TOML: Invalid value. Correct the line."),
        ('extends = "lax"\n', "shipsafe.toml:1: There is no preset `lax`. Choose one of baseline, strict."),
        ('[indexes]\ndefault = "https://me:pw@packages.example.com/simple"\n',
         "shipsafe.toml:1: An index URL holds credentials. Keep them out of the policy, which is committed."),
        (WAIVER, "shipsafe.toml:1: The waiver for layers/unpinned has no end. Give it `expires = DATE` or `until-fixed = true`."),
        (WAIVER.replace('owner = "o"\n', "expires = 2027-01-01\n"),
         'shipsafe.toml:1: Entry 1 of `[[waivers]]` has no `owner`. Add `owner = "team@example.com"`.'),
        (WAIVER + 'advisory = "CVE-1"\nexpires = 2027-01-01\n',
         "shipsafe.toml:1: A waiver names exactly one rule or one advisory. Give it either `rule` or `advisory`."),
        ('extends = "strict"\n' + WAIVER + "expires = 2027-06-01\n",
         ("shipsafe.toml:7: The waiver for layers/unpinned lasts longer than 90 days (`longest-waiver`, preset strict). "
          "Let it expire on 2027-02-19 or before.")),
        ('unwaivable = ["Layers/unpinned"]\n' + WAIVER + "expires = 2027-01-01\n",
         "shipsafe.toml:2: layers/unpinned cannot be waived (`unwaivable`, shipsafe.toml:1). Fix what it finds."),
        ('[[functions]]\nname = "a"\n', 'shipsafe.toml:1: Entry 1 of `[[functions]]` has no `handler`. Add `handler = "app.handler"`.'),
    ],
)  # fmt: skip
def test_what_is_said_of_a_policy_that_cannot_be_used(folder: Path, text: str, message: str) -> None:
    assert said(folder, text) == message


def test_the_digest_is_of_what_holds(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    first = read(folder, 'accounts = ["1"]\nevidence = "x"\n').digest
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / ".git").mkdir()
    assert read(elsewhere, '# a remark\nevidence = "x"\naccounts = ["1"]\n').digest == first
    assert read(folder, 'accounts = ["2"]\nevidence = "x"\n').digest != first


def test_values_become_nouns(folder: Path) -> None:
    policy = read(
        folder,
        'first-party = ["acme-*"]\nlock = "uv.lock"\n[parameters]\nStage = "prod"\nCount = 3\nOn = true\n[gates.lint]\n'
        'enforce-from = 2027-01-01\nfail-on = "medium:fixable"\n[layers]\npublishers = ["9"]\n'
        '[advisories]\nsource = { path = "osv", date = 2026-11-01 }\nmax-age = "off"\n',
    )
    assert policy.parameters == {"Stage": "prod", "Count": "3", "On": "true"}
    assert (policy.lock, policy.publishers, policy.first_party) == ("uv.lock", ("9",), ("acme-*",))
    lint = policy.gate("lint")
    assert (lint.mode_on(date(2026, 12, 31)), lint.mode_on(date(2027, 1, 1))) == (Mode.OBSERVE, Mode.ENFORCE)
    assert str(lint.fail_on) == "medium:fixable"
    assert policy.advisories.source is AdvisorySource.FOLDER
    assert policy.advisories.path == str(folder / "osv")
    assert policy.advisories.max_age is None


def _organisation(folder: Path, text: str) -> str:
    base = folder / "org.toml"
    base.write_text(text)
    return f'extends = {{ path = "org.toml", sha256 = "{hashlib.sha256(base.read_bytes()).hexdigest()}" }}\n'


@pytest.mark.parametrize(
    ("key", "base", "tighter", "looser"),
    [
        ("gates.lint.fail-on", '"high"', '"medium"', '"critical"'),
        ("gates.lint.fail-on", '"high"', '"high"', '"high:fixable"'),
        ("gates.lint.mode", '"observe"', '"enforce"', None),
        ("gates.lint.mode", '"enforce"', '"enforce"', '"observe"'),
        ("gates.lint.enforce-from", "2027-01-01", "2026-12-01", "2027-02-01"),
        ("gates.dependencies.unscored", '"fail"', '"fail"', '"report"'),
        ("gates.dependencies.allow-sdist", '["a", "b"]', '["a"]', '["a", "c"]'),
        ("gates.lint.suppressions", '"ignore"', '"ignore"', '"honour"'),
        ("gates.sbom.cross-check", "true", "true", "false"),
        ("required", '["lint"]', '["lint", "sbom"]', '["sbom"]'),
        ("layers.publishers", '["1", "2"]', '["2"]', '["3"]'),
        ("advisories.max-age", '"7d"', '"1d"', '"off"'),
        ("advisories.unknown-age", '"refuse"', '"refuse"', '"allow"'),
        ("advisories.source", '"snapshot"', '"snapshot"', '"osv"'),
    ],
)
def test_what_is_fixed_can_only_get_tighter(folder: Path, key: str, base: str, tighter: str, looser: str | None) -> None:
    extends = _organisation(folder, f'fixed = ["{key}"]\n{key} = {base}\n')
    read(folder, f"{extends}{key} = {tighter}\n")
    if looser is not None:
        message = said(folder, f"{extends}{key} = {looser}\n")
        assert message.startswith(f"shipsafe.toml:2: `{key}` is fixed as ")
        assert "by org.toml:2" in message


def test_a_gate_that_blocks_today_cannot_be_put_off(folder: Path) -> None:
    extends = _organisation(folder, 'fixed = ["gates.lint"]\n')
    assert "loosens it" in said(folder, f"{extends}[gates.lint]\nenforce-from = 2027-01-01\n")
    assert "loosens it" in said(folder, f'{extends}[gates.lint]\nmode = "observe"\n')


def test_unwaivable_and_fixed_grow_along_the_chain(folder: Path) -> None:
    extends = _organisation(folder, 'unwaivable = ["a/b"]\n')
    assert read(folder, f'{extends}unwaivable = ["c/d"]\n').unwaivable == ("a/b", "c/d")


def test_a_base_that_is_not_the_stated_one_is_an_integrity_error(folder: Path) -> None:
    extends = _organisation(folder, 'accounts = ["1"]\n')
    (folder / "org.toml").write_text('accounts = ["2"]\n')
    with pytest.raises(IntegrityError, match=r"^shipsafe\.toml:1: org\.toml has the SHA-256 "):
        read(folder, extends)


def test_policies_that_extend_each_other_for_ever_are_refused(folder: Path) -> None:
    text = ""
    for number in range(12):
        (folder / f"p{number}.toml").write_text(text)
        text = f'extends = {{ path = "p{number}.toml", sha256 = "{hashlib.sha256(text.encode()).hexdigest()}" }}\n'
    assert "more than 8 deep" in said(folder, text)


def test_a_policy_by_url_is_fetched_once_and_kept_by_its_digest(folder: Path) -> None:
    data = b'accounts = ["7"]\n'
    asked: list[str] = []

    def fetch(url: str) -> bytes:
        asked.append(url)
        return data

    url = "https://policies.example.com/org.toml"
    (folder / "shipsafe.toml").write_text(f'extends = {{ url = "{url}", sha256 = "{hashlib.sha256(data).hexdigest()}" }}\n')
    with pytest.raises(IncompleteError, match="--offline opens no socket"):
        read(folder)
    for _ in range(2):
        assert load(folder, offline=False, cache=folder / "cache", fetch=fetch, today=TODAY).accounts == ("7",)
    assert read(folder).accounts == ("7",)
    assert asked == [url]
    (folder / "cache" / "policies" / f"{hashlib.sha256(data).hexdigest()}.toml").write_text("poisoned = true\n")
    with pytest.raises(IncompleteError):
        read(folder)


def test_http_is_refused(folder: Path) -> None:
    assert "is not an https URL" in said(folder, f'extends = {{ url = "http://example.com/p", sha256 = "{"0" * 64}" }}\n')


@pytest.mark.parametrize(
    ("fixed", "child"),
    [
        ("enforce.mode", '[[enforce.ring]]\nname = "mine"\nmode = "warn"\n'),
        ("enforce.ring", '[[enforce.ring]]\nname = "mine"\n'),
        ("enforce", '[enforce]\nquiet = "off"\n'),
        ("enforce", '[enforce]\nmode = "warn"\n'),
    ],
)
def test_a_base_that_fixes_enforcing_is_not_got_round(folder: Path, fixed: str, child: str) -> None:
    """A ring that warns does what `mode` would; a quiet time that nobody wrote is the default."""
    base = f'fixed = ["{fixed}"]\n'
    (folder / "base.toml").write_text(base)
    extends = f'extends = {{ path = "base.toml", sha256 = "{hashlib.sha256(base.encode()).hexdigest()}" }}\n'
    assert "is fixed" in said(folder, extends + child)
    assert read(folder, f'{extends}[enforce]\nquiet = "9d"\n').enforce.quiet.days == 9


@pytest.mark.parametrize(
    ("fixed", "child"),
    [
        ("deploy", '[deploy]\ndefault-alarm = "off"\n'),
        ("deploy", "[deploy]\nerrors = 100000\n"),
        ("deploy", '[deploy]\nrollout = "all-at-once"\n'),
        ("deploy.rollout", '[[deploy.function]]\nfunction = "*"\nrollout = "all-at-once"\n'),
        ("deploy.rollout", '[[deploy.function]]\nfunction = "*"\ncodedeploy-application = "a"\ncodedeploy-group = "g"\n'),
        ("deploy.every", '[[deploy.function]]\nfunction = "*"\nevery = "1s"\n'),
        ("deploy.alias", '[[deploy.function]]\nfunction = "*"\nalias = "mine"\n'),
        ("break-glass", '[break-glass]\nprofile = "mine"\n'),
        ("break-glass", '[break-glass]\nrole = "arn:aws:iam::111122223333:role/mine"\n'),
        ("sign", '[break-glass]\nprofile = "mine"\n'),
        ("sign.target", '[break-glass]\nprofile = "mine"\n'),
        ("enforce", '[enforce]\nrole = "arn:aws:iam::111122223333:role/mine"\n'),
    ],
)
def test_a_base_that_fixes_how_things_go_live_leaves_nothing_of_it_open(folder: Path, fixed: str, child: str) -> None:
    """Also what it does not write: the default counts; and what the profile of an emergency signs is trusted as a target's is."""
    base = f'fixed = ["{fixed}"]\n'
    (folder / "base.toml").write_text(base)
    extends = f'extends = {{ path = "base.toml", sha256 = "{hashlib.sha256(base.encode()).hexdigest()}" }}\n'
    assert "is fixed" in said(folder, extends + child)
    tighter = '[deploy]\nalarms = ["mine"]\n[break-glass]\nallowed = false\nsecond-person = true\nlongest = "1h"\n'
    assert read(folder, extends + tighter).break_glass.allowed is False


def test_a_function_may_say_again_what_its_base_has_fixed(folder: Path) -> None:
    base = 'fixed = ["deploy.rollout"]\n[deploy]\nalias = "live"\nrollout = "canary"\n'
    (folder / "base.toml").write_text(base)
    extends = f'extends = {{ path = "base.toml", sha256 = "{hashlib.sha256(base.encode()).hexdigest()}" }}\n'
    text = f'{extends}[[deploy.function]]\nfunction = "Pay"\nrollout = "canary"\nname = "pay"\n'
    assert read(folder, text).deploy.of("Pay").name == "pay"


def test_show_is_toml_and_says_where_each_value_comes_from(folder: Path) -> None:
    policy = read(folder, 'accounts = ["1"]\n' + WAIVER + "expires = 2027-01-01\n")
    shown = show(policy, origin=True)
    assert 'accounts = ["1"]  # shipsafe.toml:1' in shown
    assert "# preset baseline" in shown
    assert tomllib.loads(shown) == json.loads(json.dumps(policy.effective, default=str)) | {"waivers": policy.effective["waivers"]}


def test_what_is_shown_of_tables_in_the_entries_of_lists_reads_back(folder: Path) -> None:
    """Tags of a ring and of a target: `[enforce.ring.0.tags]` would be another table, in another shape."""
    ring = '[[enforce.ring]]\nname = "first"\n[enforce.ring.tags]\nteam = "orders"\n"a b" = "c"\n[[enforce.ring]]\nname = "rest"\n'
    target = '[[sign.target]]\nname = "prod"\nprofile = "orders"\nbucket = "orders"\ntags = { team = "orders" }\n'
    policy = read(folder, ring + target)
    again = tomllib.loads(show(policy, origin=True))
    assert again["enforce"] == policy.effective["enforce"]
    assert again["sign"] == policy.effective["sign"]
    assert again["enforce"]["ring"][0]["tags"] == {"team": "orders", "a b": "c"}


def test_the_file_to_start_from_can_be_loaded(folder: Path) -> None:
    assert read(folder, init_text()).path == "shipsafe.toml"
    uncommented = "\n".join(line.removeprefix("# ") if "=" in line or line.startswith("# [") else line for line in init_text().splitlines())
    (folder / "shipsafe.toml").write_text(uncommented)
    assert read(folder).waivers


def test_the_schema_accepts_what_we_ship_and_refuses_unknown_keys(repository: Path) -> None:
    check = jsonschema.Draft202012Validator(policy_schema())
    paths = [*(repository / "examples").glob("*/shipsafe.toml"), *(repository / "shipsafe" / "policy" / "data").glob("*.toml")]
    assert len(paths) >= 4
    for path in paths:
        check.validate(json.loads(json.dumps(tomllib.loads(path.read_text()), default=str)))
    assert not check.is_valid({"requird": []})
    assert not check.is_valid({"waivers": [{"rule": "a/b"}]})


def test_configs_are_what_the_code_says(repository: Path) -> None:
    for path, text in generated_configs().items():
        assert (repository / path).read_text() == text


def test_settings_belong_to_their_gates() -> None:
    common = {"mode", "enforce-from", "fail-on", "unscored"}
    for gate in all_gates():
        keys = {key.path.rpartition(".")[2] for key in KEYS if key.path.startswith(f"gates.{gate.id}.")}
        assert keys == common | set(gate.settings), gate.id


@pytest.mark.parametrize(
    "text", ["\x00", "[" * 5000, '"' * 100, "a.b.c.d = 1\na.b = 2", "waivers = 3", "functions = [1]", "[[sign.target]]\nname = 1"]
)
def test_no_text_is_more_than_an_error_of_ours(folder: Path, text: str) -> None:
    (folder / "shipsafe.toml").write_text(text)
    with pytest.raises(ShipsafeError):
        read(folder)
