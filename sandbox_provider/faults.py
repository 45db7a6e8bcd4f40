"""The faults that were asked for: kept in memory, so a restart is healthy."""

from dataclasses import dataclass, field

KINDS = ("error", "error_after", "hang", "lost_answer", "unavailable")
"""error: 500, nothing done, and the answer is saved under the key. error_after: 500 though it is done, saved as well.
hang: nothing done, no answer. lost_answer: done, and the connection is cut. unavailable: 503, nothing done or saved."""


@dataclass
class ApiFault:
    """For the next `times` requests whose method and path are so."""

    kind: str
    method: str
    path: str
    times: int


@dataclass
class WebhookFaults:
    """`delay` in seconds; `copies` of each event; `shuffle`: in random order; `drop`: never sent, as if forgotten."""

    delay: float = 0.0
    copies: int = 1
    shuffle: bool = False
    drop: bool = False


@dataclass
class Faults:
    """`card`: what the next cards do, whatever their number ("decline", "authenticate" or empty).
    `refund_status`: what a new refund is: succeeded or pending. `outage`: connections are cut."""

    api: list[ApiFault] = field(default_factory=list)
    webhooks: WebhookFaults = field(default_factory=WebhookFaults)
    card: str = ""
    refund_status: str = "succeeded"
    outage: bool = False

    def taken(self, method: str, path: str) -> str | None:
        """The kind of the fault that this request meets, if any."""
        for fault in self.api:
            if fault.times > 0 and fault.method == method and path.startswith(fault.path):
                fault.times -= 1
                return fault.kind
        return None
