"""What the shop's mails say, in the order's language. Plain text: a link that people can read before they follow it."""

from collections.abc import Mapping, Sequence
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import parseaddr
from urllib.parse import urlencode

from common.email_address import on_the_wire
from common.money import exponent
from services.order.domain.orders import Order, Shipment

_TEXTS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "ko": {
        "placed": ("주문을 받았습니다", "주문이 접수되었습니다. 결제를 마치시면 발송을 준비합니다."),
        "paid": ("결제가 완료되었습니다", "결제가 완료되었습니다. 곧 상품을 보내 드리겠습니다."),
        "shipped": ("상품을 발송했습니다", "주문하신 상품을 발송했습니다."),
        "shipment_corrected": (
            "배송 조회 정보를 바로잡습니다",
            "주문하신 상품의 택배사와 운송장 번호를 바로잡아 알려 드립니다. 아래 정보로 조회해 주세요.",
        ),
        "cancelled": ("주문이 취소되었습니다", "주문이 취소되었으며 결제된 금액은 없습니다."),
        "refunded": ("환불이 완료되었습니다", "주문이 취소되었고 결제하신 금액을 모두 환불해 드렸습니다."),
        "part_refunded": ("부분 환불이 완료되었습니다", "결제하신 금액의 일부를 환불해 드렸습니다."),
    },
    "en": {
        "placed": (
            "We have your order",
            "we have your order. As soon as it is paid we get it ready to be sent.",
        ),
        "paid": ("Your payment has arrived", "your payment has arrived. Your order will be on its way soon."),
        "shipped": ("Your order is on its way", "your order is on its way."),
        "shipment_corrected": (
            "New tracking details for your order",
            "the carrier and tracking number of your order were corrected. Please use the ones below.",
        ),
        "cancelled": ("Your order was cancelled", "your order was cancelled. You have paid nothing for it."),
        "refunded": (
            "Your money was given back",
            "your order was cancelled and all of your money was given back.",
        ),
        "part_refunded": (
            "Part of your money was given back",
            "part of what you paid for your order was given back.",
        ),
    },
}
TRACKED = frozenset(("shipped", "shipment_corrected"))
"""Kinds of mails that say who carries the goods, and under which number."""
_WORDS: Mapping[str, Mapping[str, str]] = {
    "ko": {
        "greeting": "안녕하세요.",
        "number": "주문 번호",
        "shipping": "배송비",
        "total": "합계",
        "refund": "환불 금액",
        "look": "주문 내용은 여기에서 볼 수 있습니다",
    },
    "en": {
        "greeting": "Hello,",
        "number": "Order",
        "shipping": "Shipping",
        "total": "Total",
        "refund": "Given back",
        "look": "See your order here",
    },
}


class Letters:
    """`site`: where the front end is, an origin; `sender` as in a From header."""

    def __init__(self, site: str, sender: str) -> None:
        self._site = site
        name, address = parseaddr(sender)
        self._sender = Address(name, addr_spec=on_the_wire(address))

    def letter(
        self, kind: str, order: Order, shipments: Sequence[Shipment], token: str, refunded: int = 0
    ) -> EmailMessage:
        """`token`: of the link, empty for who has an account; `refunded`: what `part_refunded` tells of. Raises
        ValueError for an unknown kind."""
        lang = order.lang if order.lang in _TEXTS else "ko"
        if kind not in _TEXTS[lang]:
            raise ValueError("no such mail")
        if kind == "cancelled" and order.payment.captured:
            kind = "refunded"  # it was collected in the moment in which the order was given up
        subject, text = _TEXTS[lang][kind]
        words = _WORDS[lang]
        query = f"?{urlencode({'token': token})}" if token else ""
        body = [
            words["greeting"],
            "",
            text,
            "",
            f"{words['number']} {order.number}",
            *_lines(order, lang, words),
            "",
        ]
        if kind == "part_refunded":
            body += [f"{words['refund']}  {amount(refunded, order.currency)}", ""]
        if kind in TRACKED and shipments:
            body += [shipments[-1].label, ""]
        body += [f"{words['look']}:", "", f"{self._site}/orders/{order.id}{query}"]
        letter = EmailMessage()
        letter["From"] = self._sender
        letter["To"] = on_the_wire(order.email)
        letter["Subject"] = f"{subject} ({order.number})"
        whole = "\n".join(body) + "\n"
        # Left as it is where that is allowed: quoted-printable breaks a link for who reads the file itself.
        letter.set_content(whole, cte="7bit" if whole.isascii() else "quoted-printable")
        return letter


def _lines(order: Order, lang: str, words: Mapping[str, str]) -> list[str]:
    rows = [
        f"{line.quantity} × {_text(line.names, lang)} {_text(line.option_names, lang)}".rstrip()
        + f"  {amount(line.total, order.currency)}"
        for line in order.lines
    ]
    return [
        *rows,
        f"{words['shipping']}  {amount(order.shipping, order.currency)}",
        f"{words['total']}  {amount(order.total, order.currency)}",
    ]


def _text(texts: Mapping[str, str], lang: str) -> str:
    return texts.get(lang) or next(iter(texts.values()), "")


def amount(minor: int, currency: str) -> str:
    """As people read it: `12,000 KRW`, `10.50 USD`."""
    digits = exponent(currency)
    if digits == 0:
        return f"{minor:,} {currency}"
    whole, part = divmod(abs(minor), 10**digits)
    return f"{'-' if minor < 0 else ''}{whole:,}.{part:0{digits}d} {currency}"
