"""Which variant a choice of options means, and what each value of an option would lead to. Pure.

An option is limited by the options before it: with blue chosen, a size that there is in black alone is not offered. The
first option is never limited, so that no choice is a dead end.
"""

from collections.abc import Mapping
from typing import Any

Product = Mapping[str, Any]
Variant = dict[str, Any]


def chosen_variant(product: Product, asked: Mapping[str, str]) -> Variant:
    """The variant that `asked` (a value's code for each option's code) means.

    Where there is none such: the one that shares most of the first options with it, preferring what can be bought.
    """
    wanted = [asked.get(f"o_{option['code']}", "") for option in product["options"]]

    def rank(variant: Variant) -> tuple[int, bool]:
        shared = 0
        for value, want in zip(variant["values"], wanted, strict=True):
            if value != want:
                break
            shared += 1
        return shared, variant["availability"] != "sold_out"

    best: Variant = max(product["variants"], key=rank)
    return best


def exactly(product: Product, asked: Mapping[str, str]) -> Variant | None:
    """The variant with exactly these values; None where one is missing, or there is none such."""
    wanted = [asked.get(f"o_{option['code']}", "") for option in product["options"]]
    return next((variant for variant in product["variants"] if variant["values"] == wanted), None)


def option_states(product: Product, variant: Variant) -> list[dict[str, Any]]:
    """Each option with its values: whether it is chosen, can be chosen, and can be bought then."""
    states = []
    for place, option in enumerate(product["options"]):
        values = []
        for value in option["values"]:
            leads_to = [
                each
                for each in product["variants"]
                if each["values"][:place] == variant["values"][:place]
                and each["values"][place] == value["code"]
            ]
            values.append(
                {
                    **value,
                    "chosen": variant["values"][place] == value["code"],
                    "possible": bool(leads_to),
                    "sold_out": all(each["availability"] == "sold_out" for each in leads_to),
                }
            )
        states.append({**option, "values": values})
    return states
