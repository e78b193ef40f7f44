"""`shipsafe keys`: make a key that signs evidence, and show what a policy needs to trust one."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from shipsafe.cli.screen import Screen
from shipsafe.errors import ConfigError
from shipsafe.flows import keys as flow
from shipsafe.model.attestation import Role

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)
_For = Annotated[
    list[str] | None,
    typer.Option(
        "--for", metavar="ROLE", help="As whom it may speak: builder (if not given), signer, deployer, verifier, overrider. Repeatable."
    ),
]
_Name = Annotated[str | None, typer.Option("--name", metavar="NAME", help="What the policy calls it; else the name of the file.")]


@app.callback()
def _keys() -> None:
    """Keys that sign evidence, with --key of `build`, `sign` and `verify`.

    A key is a file, awskms:ARN, or sigstore: in GitHub Actions. Whose word counts says [attest] of the policy.
    """


@app.command()
def new(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where the private key goes; the public half goes to FILE.pub.")],
    *,
    role: _For = None,
    name: _Name = None,
    unsafe_no_password: Annotated[
        bool, typer.Option("--unsafe-no-password", help="Leave the key open to whoever can read the file.")
    ] = False,
) -> None:
    """Make a P-384 key in encrypted PKCS#8, readable by its owner alone, and print what the policy needs to trust it.

    The password comes from SHIPSAFE_KEY_PASSWORD, from the file that SHIPSAFE_KEY_PASSWORD_FILE names, or is asked on the terminal. Nothing
    is ever overwritten.
    """
    roles = _roles(role)
    key = flow.made(file, unprotected=unsafe_no_password)
    screen = Screen(local=False, stream=sys.stderr)
    screen.say(f"{file} written: the private key. Keep it out of the repository.")
    screen.say(f"{file}.pub written: the public key. This table lets a policy trust it:")
    sys.stdout.write(flow.table(key, name=name or flow.name_of(str(file)), roles=roles) + "\n")


@app.command()
def show(
    uri: Annotated[str, typer.Argument(metavar="URI", help="A key file, its .pub, or awskms:ARN.")],
    *,
    role: _For = None,
    name: _Name = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Print the public half of a key as the table [[attest.key]] that a policy takes, with the SHA-256 that tells it from others."""
    roles = _roles(role)
    key = flow.shown(uri)
    called = name or flow.name_of(uri)
    if as_json:
        document = {"name": called, "algorithm": key.algorithm, "spki_sha256": key.spki, "public": key.pem}
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
        return
    sys.stdout.write(flow.table(key, name=called, roles=roles) + "\n")


def _roles(words: list[str] | None) -> list[Role]:
    """The roles of `--for`, each once.

    Raises:
        ConfigError: there is no such role.
    """
    known = [role.value for role in Role]
    for word in words or ():
        if word not in known:
            raise ConfigError(f"There is no role {word!r}.", remedy=f"Choose one of {', '.join(known)}.")
    return [Role(word) for word in dict.fromkeys(words or ["builder"])]
