"""How long a caller waits after failures: a few are free, then the wait doubles up to a ceiling.

The ceiling and the forgetting of failures are what keep an owner from being locked out for good; besides, an
address from which the owner signed in before, with the password of today, is counted apart (`subjects`), so
that strangers' failures do not reach it.
"""

import hashlib
import ipaddress
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """`free` failures cost nothing; the next costs `first` seconds, each further one twice the last, at most
    `ceiling`. Failures are forgotten `window` seconds after the last one."""

    free: int
    first: int
    ceiling: int
    window: int

    def wait(self, failures: int) -> int:
        """Seconds between the last of so many failures and the next attempt."""
        over = failures - self.free
        if over <= 0:
            return 0
        return min(self.ceiling, self.first << min(over - 1, 32))

    def left(self, failures: int, last: float, now: float) -> float:
        """Seconds that remain of it, when the last failure was at `last`; never negative."""
        wait = self.wait(failures)
        # Somebody else's failure may have been written down since `now` was looked up: that alone is no wait.
        if wait == 0 or now >= last + self.window:
            return 0.0
        return max(0.0, last + wait - now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """`registrations`: of one address, failed or not; each is an account and a mail to somebody. `guests`: sessions
    without an account, of one address."""

    account: Limit
    address: Limit
    registrations: Limit
    guests: Limit


@dataclass(frozen=True, slots=True)
class Subject:
    """What failures are counted for. `key` holds no e-mail address in clear."""

    key: str
    limit: Limit


def network(address: str) -> str:
    """What one subscriber has: an IPv4 address, or the /64 of an IPv6 one."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False).network_address) + "/64"
    return str(parsed)


def account_key(email: str) -> str:
    return hashlib.sha256(email.encode()).hexdigest()[:32]


def subjects(email: str, address: str, limits: Limits, *, familiar: bool) -> tuple[Subject, ...]:
    """Whom a failed sign-in counts against.

    `familiar`: the owner signed in from this address lately, with the password of today.
    """
    where = network(address)
    account = account_key(email)
    if familiar:
        return (Subject(f"{account}:{where}", limits.account),)
    return (Subject(account, limits.account), Subject(f"at:{where}", limits.address))
