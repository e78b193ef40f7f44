"""`pipeline-ghes.yml` from `pipeline.yml`: the same jobs where github.com's own parts are not there.

A GitHub Enterprise Server has no `uses: $/...`, takes no upload-artifact since its version 4, and attests nothing. So each job checks out
our repository at the commit of the called workflow and uses its actions by path; what one job hands to another lies in the bucket of
`[pipeline] transport`; evidence is signed by the key of the policy alone. It runs on github.com, too, for runners that keep their
artifacts at home.

    text = ghes(Path(".github/workflows/pipeline.yml").read_text())

The text is changed line by line, so that comments stay; a step that it does not know how to change is an error.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

FOLDER = ".shipsafe"  # of our repository, in the workspace of each job
_HEAD = """\
# Made from pipeline.yml by docs/ghes.py: the same pipeline for GitHub Enterprise Server, and wherever artifacts are to stay at home.
# `[pipeline] transport` of the policy says in which bucket they lie between its jobs: docs/guides/pipeline.md.
"""
_INPUTS = """\
      shipsafe-repository:
        description: Where shipsafe lies, on a server that does not know `job.workflow_repository`; elsewhere it is not looked at.
        type: string
        default: ""
      shipsafe-commit:
        description: The whole commit of it, likewise; the one that follows `uses:`.
        type: string
        default: ""
"""
_RELEASE_AT = """\
      release-at:
        description: "Where it lies, for jobs of your own: the attempt, and what `transport get --digest` takes."
        value: """
_KNOW = """\
      - name: Know which commit of shipsafe this is
        run: |
          if ! [[ $REPOSITORY == */* && $COMMIT =~ ^[0-9a-f]{40}$ ]]; then
            printf '::error::This server does not say which workflow this is. Give shipsafe-repository and shipsafe-commit.\\n'
            exit 2
          fi
        env:
          REPOSITORY: ${{ job.workflow_repository || inputs.shipsafe-repository }}
          COMMIT: ${{ job.workflow_sha || inputs.shipsafe-commit }}
"""
_FETCH = f"""\
      - name: Check out shipsafe
        uses: CHECKOUT
        with:
          repository: ${{{{ job.workflow_repository || inputs.shipsafe-repository }}}}
          ref: ${{{{ job.workflow_sha || inputs.shipsafe-commit }}}}
          path: {FOLDER}
          persist-credentials: false
"""
_SETUP = """\
      - name: Install shipsafe
        id: setup
        uses: $/actions/setup
"""
SHARES = 32  # machines that build at once: each has an output of its own, which GitHub wants written out
_TRANSPORT = f"""\
      - name: Know where artifacts lie between the jobs
        run: |
          if [ -z "$TRANSPORT" ]; then
            printf '::error::The policy of the protected branch names no [pipeline] transport: s3://bucket/prefix.\\n'
            exit 2
          fi
          if [ "$SHARES" -gt {SHARES} ]; then
            printf '::error::This workflow shares the work among {SHARES} machines at most. Give fewer shards.\\n'
            exit 2
          fi
        env:
          SHARES: ${{{{ inputs.shards }}}}
          TRANSPORT: ${{{{ steps.facts.outputs.transport }}}}
"""
_PATH = "zizmor: ignore[self-repository] $/ is github.com's alone"
# What is put lies under the number of the attempt, since nothing is ever written over, and its digest travels as an output of the job
# together with that number. So nobody who writes to the bucket can lay there what a job takes, not for a later attempt either.
# Jobs without a role have what the runner has, which may name no Region.
_REGION = """|
          export AWS_REGION=${AWS_REGION:-$REGION}
"""
_OWNER = '${OWNER:+--expected-owner "$OWNER"}'
_PUT = f"""{_REGION}          "$SHIPSAFE" transport put --yes {_OWNER} -- "$FOLDER" "$PLACE/$ATTEMPT\""""
_PUT_ANY = f"""{_REGION}          code=0
          "$SHIPSAFE" transport put --yes {_OWNER} -- "$FOLDER" "$PLACE/$ATTEMPT" || code=$?
          [ "$code" -eq 0 ] || [ "$code" -eq 3 ] # nothing to hand on"""
_GET = f"""{_REGION}          if [ -z "$AT" ]; then
            printf '::error::The job before has not said what it handed on. Run all jobs again.\\n'
            exit 3
          fi
          "$SHIPSAFE" transport get --digest "${{AT#* }}" {_OWNER} -- "$PLACE/${{AT%% *}}" "$FOLDER\""""
# An output of an attempt before stays where the job that was to write it again was lost (github.com/actions/runner/issues/2598), which
# matters where all jobs were run again: what is older than the job `plan` is left out. `report collect` knows which share is missing.
_GET_MANY = f"""{_REGION}          mkdir -- "$FOLDER"
          sed -nE 's/.*"(share-[0-9]+)": "([0-9]+) (sha256:[0-9a-f]{{64}})".*/\\1 \\2 \\3/p' <<<"$SHARES" |
            while read -r share attempt digest; do
              [ "$attempt" -ge "$SINCE" ] || continue
              "$SHIPSAFE" transport get --digest "$digest" {_OWNER} -- "${{PLACE%share-\\*}}$share/$attempt" "$FOLDER.of-one"
              mv -- "$FOLDER.of-one"/* "$FOLDER/"
              rmdir -- "$FOLDER.of-one"
            done"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """A step as text: all of it, and the lines of `with:` by name."""

    text: str
    given: dict[str, str]

    @property
    def action(self) -> str:
        """What follows `uses:`, without the commit; "" of a command."""
        found = re.search(r"^        uses: ([^@\s]+)", self.text, re.MULTILINE)
        return found[1] if found else ""


def ghes(source: str) -> str:
    """The workflow for a GitHub Enterprise Server.

    Raises:
        ValueError: the source is not written as this takes it: the message says where.
    """
    head, jobs, body = source.partition("\njobs:\n")
    if not jobs:
        raise ValueError("pipeline.yml has no `jobs:`")
    checkout = re.search(r"uses: (actions/checkout@[0-9a-f]{40} # \S+)", body)
    if checkout is None:
        raise ValueError("pipeline.yml checks nothing out")
    made = [_job(text, _FETCH.replace("CHECKOUT", checkout[1])) for text in re.split(r"\n(?=  [\w-]+:\n)", body.rstrip("\n"))]
    return _head(head) + jobs + "\n".join(made) + "\n"


def _head(text: str) -> str:
    """Inputs and outputs, without what GitHub attests, and with where shipsafe and the release lie."""
    name = text.index("name: ")
    text = _HEAD + text[name:]
    text = _without(text, r"      attestations:\n(?:        .*\n)+")
    value = re.search(r"^      release:\n        description: .*\n        value: (.*\n)", text, re.MULTILINE)
    if value is None:
        raise ValueError("pipeline.yml has no output `release`")
    text = _changed(text, re.escape(value[0]), value[0] + _RELEASE_AT + re.sub(r"(outputs\.release)\b", r"\1-at", value[1]))
    text = _changed(text, r"(      runner:\n(?:        .*\n)*?        default: )\S+\n", r"\1self-hosted\n")
    return _changed(text, r"    outputs:\n", f"{_INPUTS}    outputs:\n")


def _job(text: str, fetch: str) -> str:
    """A job: our repository first, the program, and its steps changed."""
    head, _, rest = text.partition("    steps:\n")
    if not rest.startswith("      - name: "):
        raise ValueError(f"a job has no steps that begin with their name: {text[:60]!r}")
    plan = head.startswith("  plan:")
    steps = [_step(part) for part in re.split(r"\n(?=      - )", rest)]
    if "      contents: read" not in head:
        head = _changed(head, r"    permissions:\n", "    permissions:\n      contents: read # checks out shipsafe\n")
    head = re.sub(r"      attestations: write.*\n", "", head)
    made = list(_steps(steps, plan=plan))
    head = _told(head, steps, plan=plan)
    if "        id: setup\n" not in rest and "steps.setup." in "".join(made):
        extras = re.search(r"          extras: .*\n", rest)
        made.insert(0, _SETUP + (f"        with:\n{extras[0]}" if extras else ""))
    body = (_KNOW if plan else "") + fetch + "".join(one.rstrip("\n") + "\n" for one in made)
    body = re.sub(r"uses: \$/actions/(.*)", rf"uses: ./{FOLDER}/actions/\1 # {_PATH}", body).replace(
        "${{ inputs.attestations }}", "'false'"
    )
    if "uses: $/" in body or "-artifact@" in body:
        raise ValueError(f"what github.com alone has is left in: {head[:60]!r}")
    return head + "    steps:\n" + body.rstrip("\n") + "\n"


def _step(text: str) -> _Step:
    lines = re.search(r"^        with:\n((?:          .*(?:\n|$))+)", text, re.MULTILINE)
    given = dict(re.findall(r"^          ([\w-]+): (.*?)(?: #.*)?$", lines[1], re.MULTILINE)) if lines else {}
    return _Step(text=text, given=given)


def _steps(steps: list[_Step], *, plan: bool) -> Iterator[str]:
    for step in steps:
        match step.action:
            case "actions/upload-artifact":
                yield _moved(step, _PUT_ANY if step.given["if-no-files-found"] == "ignore" else _PUT, plan=plan)
            case "actions/download-artifact":
                yield _moved(step, _GET_MANY if "pattern" in step.given else _GET, plan=plan)
            case "actions/attest":
                continue
            case _:
                yield step.text
        if plan and "        id: facts\n" in step.text:
            yield _TRANSPORT


def _moved(step: _Step, command: str, *, plan: bool) -> str:
    """A step that hands on, or gets, through the bucket; its name, id and condition stay, and what is handed on has an id."""
    head = step.text[: step.text.index("        uses: ")]
    name = step.given.get("name") or step.given["pattern"]
    facts = "steps.facts.outputs" if plan else "needs.plan.outputs"
    environment = {
        "SHIPSAFE": "${{ steps.setup.outputs.shipsafe }}",
        "FOLDER": step.given["path"],
        "PLACE": f"${{{{ {facts}.transport }}}}/${{{{ github.repository }}}}/${{{{ github.run_id }}}}/{name}",
        "OWNER": f"${{{{ {facts}.transport-owner }}}}",
        "REGION": f"${{{{ {facts}.region }}}}",
    }
    if "pattern" in step.given:
        environment |= {"SHARES": "${{ toJSON(needs.build.outputs) }}", "SINCE": "${{ needs.plan.outputs.attempt }}"}
    elif step.action == "actions/download-artifact":
        environment["AT"] = _at(name)
    else:
        environment["ATTEMPT"] = "${{ github.run_attempt }}"
        if not _id(step):
            head = _changed(head, r"(      - name: .*\n)", r"\1        id: handed\n")
    lines = "".join(f"          {name}: {value}\n" for name, value in environment.items())
    return f"{head}        run: {command}\n        env:\n{lines}"


def _told(head: str, steps: Sequence[_Step], *, plan: bool) -> str:
    """The head of a job, with outputs that say what it handed on: the attempt, and the digest of the list of its files."""
    lines = ["attempt: ${{ github.run_attempt }}", "transport-owner: ${{ steps.facts.outputs.transport-owner }}"] if plan else []
    for step in steps:
        if step.action != "actions/upload-artifact":
            continue
        digest = f"steps.{_id(step) or 'handed'}.outputs.digest"
        if "steps.share.outputs.name" in step.given["name"]:
            at = f"format('{{0}} {{1}}', github.run_attempt, {digest} || 'nothing')"
            lines += [f"share-{k}: ${{{{ startsWith(matrix.shard, '{k}/') && {at} || '' }}}}" for k in range(1, SHARES + 1)]
        else:
            at = f"format('{{0}} {{1}}', github.run_attempt, {digest})"
            lines.append(f"{_output(step.given['name'])}: ${{{{ {digest} && {at} || '' }}}}")
    if not lines:
        return head
    text = "".join(f"      {one}\n" for one in lines)
    return _changed(head, r"    outputs:\n", f"    outputs:\n{text}") if "    outputs:\n" in head else f"{head}    outputs:\n{text}"


def _at(name: str) -> str:
    """Where a job finds what was handed on under that name: an output of the one that did."""
    if ".outputs.release " in name:
        return name.replace(".outputs.release ", ".outputs.release-at ")
    job = {"advisories-at": "plan", "reports-at": "collect"}[_output(name)]
    return f"${{{{ needs.{job}.outputs.{_output(name)} }}}}"


def _output(name: str) -> str:
    """The output that says where an artifact of that name lies; whatever the release is called meanwhile, it is the release."""
    kind = name.rpartition("-")[2]
    if kind not in ("advisories", "reports", "built", "attested", "signed", "deployed"):
        raise ValueError(f"pipeline.yml hands on what nothing says the place of: {name!r}")
    return f"{kind if kind in ('advisories', 'reports') else 'release'}-at"


def _id(step: _Step) -> str:
    found = re.search(r"^        id: (\S+)$", step.text, re.MULTILINE)
    return found[1] if found else ""


def _without(text: str, pattern: str) -> str:
    return _changed(text, pattern, "")


def _changed(text: str, pattern: str, new: str) -> str:
    """It, with the one place that a pattern finds written anew."""
    text, count = re.subn(pattern, new, text, count=1)
    if count != 1:
        raise ValueError(f"pipeline.yml has nothing like {pattern!r}")
    return text
