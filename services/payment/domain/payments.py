"""A payment: what its order wants, what the provider was seen to say, and what follows from both. Pure.

Nothing is believed but what the provider says when it is asked. What it says only ever adds up: each observation is
merged into what is known, so that doubled, late or swapped news change nothing. The state is not stored as a step that
was taken; it follows from the goal and from what is known.
"""

from dataclasses import dataclass, replace
from enum import Enum, IntEnum


class Goal(IntEnum):
    """What the order wants, in the order in which it may want it: a later goal is never taken back."""

    AUTHORISE = 1
    CAPTURE = 2
    VOID = 3
    """No money in the end: cancelled where it was promised, refunded where it was collected."""


class Session(Enum):
    """The provider's page on which the shopper pays."""

    NONE = "none"
    ASKED = "asked"
    """The provider was asked for one and its answer is not known; the same key asks again."""
    OPEN = "open"
    COMPLETE = "complete"
    CLOSED = "closed"
    """Expired; nobody can pay on it any more."""


class State(Enum):
    NEW = "new"
    SESSION_OPEN = "session_open"
    AUTHORISED = "authorised"
    CAPTURING = "capturing"
    CAPTURED = "captured"
    VOIDING = "voiding"
    VOIDED = "voided"
    FAILED = "failed"
    REFUNDING = "refunding"
    REFUNDED = "refunded"


MONEY_RELEASED = frozenset((State.VOIDED, State.REFUNDED))
"""No money is left in it, and none can come: its order may give the stock back."""
FINISHED = MONEY_RELEASED | {State.CAPTURED, State.FAILED}
"""Nobody waits for the provider."""


class Step(Enum):
    """What has to be done at the provider next."""

    OPEN_SESSION = "open_session"
    CLOSE_SESSION = "close_session"
    CAPTURE = "capture"
    CANCEL = "cancel"
    REFUND_REST = "refund_rest"
    """Of money that was collected for an order that is not to be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the provider was seen to say. Amounts are totals in minor units; each only grows.

    `cancelled`: the provider has given the promised money up, by itself or because it was asked to.
    """

    session: Session = Session.NONE
    authorised: int = 0
    captured: int = 0
    refunded: int = 0
    cancelled: bool = False

    def merged(self, seen: "Known") -> "Known":
        """With one more observation, in whichever order observations come."""
        return Known(
            session=max(self.session, seen.session, key=_SESSION_ORDER.__getitem__),
            authorised=max(self.authorised, seen.authorised),
            captured=max(self.captured, seen.captured),
            refunded=max(self.refunded, seen.refunded),
            cancelled=self.cancelled or seen.cancelled,
        )


_SESSION_ORDER = {
    session: place
    for place, session in enumerate(
        (Session.NONE, Session.ASKED, Session.OPEN, Session.CLOSED, Session.COMPLETE)
    )
}
"""A page that was completed has not expired, whatever an older answer said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """One order's payment of `amount` minor units. `pending` is the sum of refunds that are under way, `disputed` what
    banks hold for cardholders who object, `lost` the part of it that was decided for them."""

    amount: int
    goal: Goal = Goal.AUTHORISE
    known: Known = Known()
    pending: int = 0
    disputed: int = 0
    lost: int = 0

    def wanted(self, goal: Goal) -> "Payment":
        """With the order's present wish; an earlier one that comes late changes nothing."""
        return replace(self, goal=max(self.goal, goal))

    def observed(self, seen: Known) -> "Payment":
        return replace(self, known=self.known.merged(seen))

    @property
    def over(self) -> bool:
        """Whether no money can come in any more without a new session."""
        known = self.known
        unpaid = known.session in {Session.NONE, Session.CLOSED} and not known.authorised
        return known.cancelled or unpaid

    @property
    def refundable(self) -> int:
        """What a refund may have at most: nobody is given back more than was collected, by the shop or by a bank."""
        return max(self.known.captured - self.known.refunded - self.pending - self.disputed, 0)

    @property
    def state(self) -> State:
        known = self.known
        if self.goal is Goal.VOID:
            if known.captured:
                return State.REFUNDED if known.refunded + self.lost >= known.captured else State.REFUNDING
            return State.VOIDED if self.over else State.VOIDING
        if known.captured:
            return State.CAPTURED
        if known.cancelled or known.session is Session.CLOSED:
            return State.FAILED
        if known.authorised:
            return State.CAPTURING if self.goal is Goal.CAPTURE else State.AUTHORISED
        return State.NEW if known.session in {Session.NONE, Session.ASKED} else State.SESSION_OPEN

    @property
    def step(self) -> Step | None:
        """What to ask of the provider now; None where only the shopper, or nobody, can move it on."""
        match self.state:
            case State.NEW:
                return Step.OPEN_SESSION
            case State.CAPTURING:
                return Step.CAPTURE
            case State.VOIDING:
                return Step.CANCEL if self.known.authorised else Step.CLOSE_SESSION
            case State.REFUNDING if self.refundable > 0:
                return Step.REFUND_REST
        return None
