"""The member table as Piccolo sees it. Its engine is set at the start, by `Database.bind`."""

from piccolo.columns import JSONB, UUID, BigInt, Boolean, Integer, Text, Timestamptz
from piccolo.table import Table


class MemberRow(Table, tablename="member"):
    """`name_folded` is the case-folded name, for search and sorting.

    `account_email` and `account_name` are what auth said last, null for a member without an account, and
    `account_order` the number of the message by which it did. A deleted row has `deleted_at` and none of the personal
    data.
    """

    id = UUID(primary_key=True, default=None)
    email = Text()
    name = Text()
    name_folded = Text()
    phone = Text(null=True, default=None)
    grade = Text(default="standard")
    addresses = JSONB(default="[]")
    marketing_consent = Boolean(default=False)
    consent_changed_at = Timestamptz(null=True, default=None)
    account_email = Text(null=True, default=None)
    account_name = Text(null=True, default=None)
    account_order = BigInt(default=0)
    created_at = Timestamptz(default=None)
    updated_at = Timestamptz(default=None)
    deleted_at = Timestamptz(null=True, default=None)
    version = Integer(default=1)
