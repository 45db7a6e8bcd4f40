"""The outbox: a change that another service must follow is written down in the change's own transaction, and
delivered over HTTP until the other side has acknowledged it. At least once, in order for each aggregate.

`put` belongs into the transaction; `Delivery` runs beside the service; the receiver must find repeats harmless.
"""

from services.chassis.outbox.delivery import Delivery
from services.chassis.outbox.store import Order, OutboxStore, put

__all__ = ["Delivery", "Order", "OutboxStore", "put"]
