"""The outbox: a change that another service must follow is written down in the change's own transaction, and
delivered over HTTP until the other side has acknowledged it. At least once, in order for each aggregate.

`put` belongs into the transaction; `Delivery` runs beside the service; the receiver must find repeats harmless. A
repeat may even arrive after later orders (an attempt that timed out here goes on over there): each carries its number.
"""

from services.chassis.outbox.delivery import Delivery
from services.chassis.outbox.order_number import ORDER_NUMBER_HEADER, OrderNumber
from services.chassis.outbox.store import Order, OutboxStore, put, withdraw

__all__ = ["ORDER_NUMBER_HEADER", "Delivery", "Order", "OrderNumber", "OutboxStore", "put", "withdraw"]
