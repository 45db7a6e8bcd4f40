"""The number that every delivered order carries, as a receiver's handler takes it."""

from typing import Annotated

from litestar.params import HeaderParameter

ORDER_NUMBER_HEADER = "X-Order-Number"
"""Of two orders about one aggregate, the later has the higher number."""

OrderNumber = Annotated[
    int | None,
    HeaderParameter(
        name=ORDER_NUMBER_HEADER, ge=1, le=2**63 - 1, description="Later orders have higher numbers."
    ),
]
