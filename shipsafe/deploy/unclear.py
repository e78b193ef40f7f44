"""What a template says of how a function goes live and is not certain, and what the policy has to say instead.

    AutoPublishAlias: !Ref Live           (a parameter without a value)         ->  alias = "..." in the policy

Going on without it would guess: no alias where callers use one, all at once where ten percent were meant, no alarm where three watch.
"""

from shipsafe.adapters.shown import shown
from shipsafe.errors import ConfigError
from shipsafe.model.deployment import FunctionDeploy
from shipsafe.packing.manifest import Told

_NAME, _ALIAS, _PREFERENCE, _ALARMS, _HOOK, _GROUP = "name", "alias", "preference", "alarms", "hook", "CodeDeploy's"
_KEYS = {
    _NAME: "name",
    _ALIAS: "alias",
    _PREFERENCE: "rollout",
    _ALARMS: "alarms",
    _HOOK: "smoke-payload, or codedeploy-application and codedeploy-group",
    _GROUP: "codedeploy-application and codedeploy-group",
}


def open_questions(told: Told, policy: FunctionDeploy) -> tuple[str, ...]:
    """What is left open of a function: the kind of each (a key of `[[deploy.function]]`), and why, as `kind: reason`.

    Args:
        told: what the release says of it.
        policy: what the policy says of it, before the template filled anything in.
    """
    alias = policy.alias or told.alias
    answered = {
        _NAME: policy.name is not None,
        _ALIAS: policy.alias is not None,
        # Without an alias nothing is shifted, so that nobody needs to know how.
        _PREFERENCE: policy.strategy_stated or policy.codedeploy is not None or not alias,
        _ALARMS: bool(policy.alarms) or not alias,
        _HOOK: policy.smoke is not None or policy.codedeploy is not None or not alias,
        _GROUP: True,  # then we move the alias ourselves, as the preference says
    }
    left = [text for text in told.unclear if not any(done and text.startswith(kind) for kind, done in answered.items())]
    hooks = told.preference and (told.preference.before_hook or told.preference.after_hook)
    if hooks and not (told.preference and told.preference.codedeploy) and not answered[_HOOK]:
        left.append(f"{_HOOK} {hooks}: CodeDeploy alone calls it, and the template does not name its application and group")
    return tuple(left)


def check_clear(name: str, told: Told, policy: FunctionDeploy) -> None:
    """Go on only with what is certain.

    Args:
        name: of the artifact.
        told: what the release says of it.
        policy: what the policy says of it, before the template filled anything in.

    Raises:
        ConfigError: something is open; the message says what to write.
    """
    left = open_questions(told, policy)
    if not left:
        return
    keys = dict.fromkeys(next((key for kind, key in _KEYS.items() if text.startswith(kind)), "name") for text in left)
    what = f"The template does not say for certain how {name} goes live: {'; '.join(shown(text, 300) for text in left)}."
    raise ConfigError(what, remedy=f'Write into the policy: [[deploy.function]] function = "{name}", with {" and ".join(keys)}.')
