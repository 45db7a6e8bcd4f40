"""The second layer behind the gateway's idempotency plugin: an accepted key takes effect exactly once.

The gateway alone cannot promise that: it may lose its lease, its store, or the answer of a request that did take
effect. Here the key, the request's fingerprint and the answer are stored in the same transaction as the effect, so
either all of them exist or none. A handler opts in with one line, `@idempotent`, or where it has much to do before its
effect with `Idempotency.of(request).once`.
"""

from services.chassis.idempotency.handler import Idempotency, idempotent
from services.chassis.idempotency.records import Records

__all__ = ["Idempotency", "Records", "idempotent"]
