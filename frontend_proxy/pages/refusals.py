"""An API's refusal of a form, in the visitor's words: a sentence beside each field, and one above them all."""

from collections.abc import Collection
from typing import NamedTuple

from frontend_proxy.auth_client import Answer
from frontend_proxy.pages import forms
from frontend_proxy.pages.translator import Translator


class Refused(NamedTuple):
    """What a form shows when it comes back."""

    fault: str
    errors: dict[str, str]


def taken(answer: Answer) -> str:
    """The `name` for an e-mail address that another account has; a conflict of its own kind speaks for itself."""
    return "email-taken" if answer.status == 409 and not forms.problem_name(answer) else ""


def refused(translator: Translator, answer: Answer, fields: Collection[str], name: str = "") -> Refused:
    """`fields` are those that the form shows; `name` a text of `problems` that says more than the answer does.

    What is wrong with a value that has no field of its own is said above the form.
    """
    said = {
        field: translator.field_error(field_error.code, field_error.params)
        for field, field_error in forms.field_errors(answer).items()
    }
    beside = {field: text for field, text in said.items() if field in fields}
    elsewhere = next((text for field, text in said.items() if field and field not in fields), None)
    if name:
        fault = translator.problem(name, answer.status)
    elif beside:
        fault = translator.problem("fields", answer.status)
    else:
        fault = elsewhere or translator.problem(forms.problem_name(answer), answer.status)
    return Refused(fault, beside)
