"""What a product's page promises of sending. Pure."""

from typing import NamedTuple

from frontend_proxy.pages.translator import Translator


class Shipping(NamedTuple):
    """`fee` for each order, nothing from `free_from` on (0: never); minor units of `currency`.

    A promise alone: order decides with the same settings, and the cart shows what it said.
    """

    fee: int
    free_from: int
    currency: str

    def promise(self, translator: Translator) -> str:
        """One sentence about it."""
        if not self.fee:
            return translator.t("shop.ships_free")
        fee = translator.money(self.fee, self.currency)
        if not self.free_from:
            return translator.t("shop.ships_for", fee=fee)
        least = translator.money(self.free_from, self.currency)
        return translator.t("shop.ships_free_from", fee=fee, least=least)
