"""The transform AWS::Serverless-2016-10-31, by the program that CloudFormation itself runs for it (aws-sam-translator)."""

import copy
import json
import logging
from collections.abc import Mapping
from threading import Lock
from typing import Any

from shipsafe.local.call import ApiError
from shipsafe.local.stacks.world import not_reproduced

SAM = "AWS::Serverless-2016-10-31"
_SERVERLESS = "AWS::Serverless::"
_FUNCTION = "AWS::Serverless::Function"
_NOT_HERE = ("AWS::Serverless::Application",)  # a template of the Serverless Application Repository, which nobody has here
_turn = Lock()  # the translator keeps Region and partition in its classes


def transforms(document: Mapping[str, Any]) -> list[str]:
    """The names of a template's transforms."""
    told = document.get("Transform") or []
    return [str(one) for one in (told if isinstance(told, list) else [told])]


def transformed(document: Mapping[str, Any], parameters: Mapping[str, Any], region: str) -> dict[str, Any]:
    """A template as CloudFormation goes on with it. Without a transform it is the template itself.

    Args:
        document: the template.
        parameters: values by name, without pseudo parameters.
        region: where the stack is.

    Raises:
        ApiError: 501 for a transform that is not reproduced, ValidationError for what the transform refuses.
    """
    named = transforms(document)
    if foreign := [one for one in named if one != SAM]:
        raise not_reproduced(f"the transform {foreign[0][:200]}")
    if not named:
        return dict(document)
    for logical, one in document["Resources"].items():
        if one["Type"] in _NOT_HERE:
            raise not_reproduced(f"{one['Type']} ({logical})")
    return _translated(document, parameters, region)


def _translated(document: Mapping[str, Any], parameters: Mapping[str, Any], region: str) -> dict[str, Any]:
    # 1.7 s of imports, for those who deploy a SAM template
    import boto3  # noqa: PLC0415 - see above
    from samtranslator.model.exceptions import InvalidDocumentException  # noqa: PLC0415 - see above
    from samtranslator.parser.parser import Parser  # noqa: PLC0415 - see above
    from samtranslator.translator.translator import Translator  # noqa: PLC0415 - see above
    from samtranslator.utils.py27hash_fix import (  # noqa: PLC0415 - see above
        to_py27_compatible_template,
        undo_mark_unicode_str_in_template,
    )

    logging.getLogger("samtranslator").setLevel(logging.CRITICAL)  # it warns of features that are switched on in some Regions alone
    value = copy.deepcopy(dict(document))
    given = dict(parameters)
    region_alone = boto3.session.Session(region_name=region, aws_access_key_id="local", aws_secret_access_key="local")  # noqa: S106 - nobody is asked
    with _turn:
        try:
            _one_architecture(value)
            # Its hashes, which are parts of logical ids, are those of Python 2.7: this is how it keeps them.
            to_py27_compatible_template(value, given)
            told = Translator({}, Parser(), boto_session=region_alone).translate(value, given)
        except InvalidDocumentException as error:
            raise ApiError("ValidationError", f"Transform {SAM} failed with: {_words(error)}") from error
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:  # it stumbles over what it did not expect, as on AWS
            raise ApiError("ValidationError", f"Transform {SAM} failed without an error message.") from error
    # Through JSON: its dictionaries and strings are of classes of its own.
    plain: dict[str, Any] = json.loads(json.dumps(undo_mark_unicode_str_in_template(told)))
    plain.pop("Transform", None)
    if left := [name for name, one in plain["Resources"].items() if one["Type"].startswith(_SERVERLESS)]:
        raise not_reproduced(f"{plain['Resources'][left[0]]['Type']} ({left[0]})")
    return plain


def _one_architecture(document: dict[str, Any]) -> None:
    """Let a function's `Architectures` take the place of that of Globals, as SAM does since June 2026; older translators add both up."""
    shared = document.get("Globals")
    functions = shared.get("Function") if isinstance(shared, dict) else None
    if not isinstance(functions, dict) or "Architectures" not in functions:
        return
    for one in document["Resources"].values():
        ignored = one.get("IgnoreGlobals", [])
        if one["Type"] == _FUNCTION and "Architectures" in (one.get("Properties") or {}) and isinstance(ignored, list):
            one["IgnoreGlobals"] = [*ignored, "Architectures"]


def _words(error: Any) -> str:
    """As CloudFormation tells it: how many errors, and each of them."""
    causes = [str(cause.message) for cause in error.causes]
    return f"Invalid Serverless Application Specification document. Number of errors found: {len(causes)}. {' '.join(causes)}"
