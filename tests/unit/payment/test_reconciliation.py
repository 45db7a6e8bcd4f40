"""What the provider has against what is booked: each kind of difference, by name."""

from uuid import UUID

import pytest

from services.payment.application.ports import BookedPayment, SeenPayment
from services.payment.application.reconciliation import Difference, differences

ORDER = UUID(int=1)


def seen(captured: int, refunded: int = 0) -> SeenPayment:
    return SeenPayment("pi_1", ORDER, captured, captured, refunded, cancelled=False, currency="KRW")


@pytest.mark.parametrize(
    ("at_provider", "booked", "found"),
    [
        (seen(1000, 300), BookedPayment("pi_1", ORDER, 1000, 300), []),
        (seen(0), None, []),
        (seen(1000), None, [Difference("unknown", "pi_1", ORDER, 1000, 0)]),
        (seen(0), BookedPayment("pi_1", ORDER, 1000, 0), [Difference("captured", "pi_1", ORDER, 0, 1000)]),
        (
            seen(1000, 400),
            BookedPayment("pi_1", ORDER, 1000, 300),
            [Difference("refunded", "pi_1", ORDER, 400, 300)],
        ),
    ],
)
def test_differences(at_provider: SeenPayment, booked: BookedPayment | None, found: list[Difference]) -> None:
    assert differences(at_provider, booked) == found
