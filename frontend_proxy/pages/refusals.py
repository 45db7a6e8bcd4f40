"""An API's refusal of a form, in the visitor's words: a sentence beside each field, and one above them all."""

from collections.abc import Collection
from typing import NamedTuple

from frontend_proxy.auth_client import Answer
from frontend_proxy.pages import forms
from frontend_proxy.pages.language import Tongue


class Refused(NamedTuple):
    """What a form shows when it comes back."""

    fault: str
    errors: dict[str, str]


def refused(tongue: Tongue, answer: Answer, fields: Collection[str], name: str = "") -> Refused:
    """`fields` are those that the form shows; `name` a text of `problems` that says more than the answer does.

    What is wrong with a value that has no field of its own is said above the form.
    """
    said = {
        field: tongue.objection(objection.code, objection.params)
        for field, objection in forms.objections(answer).items()
    }
    beside = {field: text for field, text in said.items() if field in fields}
    elsewhere = next((text for field, text in said.items() if field and field not in fields), None)
    if name:
        fault = tongue.problem(name, answer.status)
    elif beside:
        fault = tongue.problem("fields", answer.status)
    else:
        fault = elsewhere or tongue.problem(forms.problem_name(answer), answer.status)
    return Refused(fault, beside)
