"""actions/checkout: the repository, the commit and the branches that it would fetch, from a bare repository on this machine.

`STUB_ORIGINS` holds `OWNER/NAME.git`. A commit that a test only pretends (the SHA of a release that is still to be) stands there as
`refs/pretended/SHA`.
"""

import os
import subprocess
from pathlib import Path

from tests.pipeline.stubs.given import fail, inputs, need, say


def main() -> None:
    """Check out."""
    given = inputs()
    here = os.environ["GITHUB_REPOSITORY"]
    repository = given["repository"] or here
    if repository == here:
        need("contents: read")
    origin = Path(os.environ["STUB_ORIGINS"], f"{repository}.git")
    if not origin.is_dir():
        fail(f"Not Found: {repository}")
    workspace = Path(os.environ["GITHUB_WORKSPACE"])
    folder = workspace / given["path"]
    if not folder.resolve().is_relative_to(workspace.resolve()):
        fail(f"Repository path '{folder}' is not under '{workspace}'")
    folder.mkdir(parents=True, exist_ok=True)
    wanted, branch = _wanted(origin, given["ref"], here=repository == here)
    depth = [] if given["fetch-depth"] == "0" else [f"--depth={given['fetch-depth']}"]
    _git(folder, "init", "-q")
    _git(folder, "config", "remote.origin.url", f"https://github.com/{repository}")
    refs = [f"+{wanted}:refs/remotes/{'origin/' + branch if branch else 'shipsafe/commit'}"]
    if not depth:
        refs += ["+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"]
    _git(folder, "fetch", "-q", "--no-tags", *depth, origin.resolve().as_uri(), *dict.fromkeys(refs))
    commit = _git(folder, "rev-parse", f"{'origin/' + branch if branch else 'refs/remotes/shipsafe/commit'}^{{commit}}")
    _git(folder, "checkout", "-q", "--force", *(["-B", branch, commit] if branch else ["--detach", commit]))
    if given["persist-credentials"] == "true":
        _git(folder, "config", "http.https://github.com/.extraheader", f"AUTHORIZATION: basic {os.environ.get('STUB_TOKEN', '')}")
    say(ref=given["ref"] or os.environ["GITHUB_REF"], commit=commit)


def _wanted(origin: Path, ref: str, *, here: bool) -> tuple[str, str]:
    """What to fetch, and the branch that it is, if one."""
    if not ref and here:
        named, commit = os.environ["GITHUB_REF"], os.environ["GITHUB_SHA"]
        told = os.environ["GITHUB_EVENT_NAME"] != "merge_group"  # act takes its branch for the default one
        return commit, named.removeprefix("refs/heads/") if told and named.startswith("refs/heads/") else ""
    ref = ref or "HEAD"
    wanted = None
    for name in (f"refs/pretended/{ref}", f"refs/heads/{ref.removeprefix('refs/heads/')}", f"refs/tags/{ref}", ref):
        known = subprocess.run(["git", "-C", origin, "rev-parse", "-q", "--verify", f"{name}^{{commit}}"], capture_output=True, check=False)
        if known.returncode == 0:
            wanted = name
            break
    if wanted is None:
        fail(f"A branch or tag with the name '{ref}' could not be found")
    return wanted, wanted.removeprefix("refs/heads/") if wanted.startswith("refs/heads/") else ""


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", folder, *words], capture_output=True, text=True, check=False)
    if done.returncode:
        fail(f"git {words[0]}: {done.stderr.strip()}")
    return done.stdout.strip()


if __name__ == "__main__":
    main()
