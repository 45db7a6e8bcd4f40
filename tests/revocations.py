"""What auth does for those who follow its revocation log, in tests that have no auth."""

from uuid import UUID

from common.access_tokens.revocations import mark_key
from common.redis_link import RedisLink

STREAM = "auth:revocations"


async def mark_whole(link: RedisLink) -> None:
    """Says that the log is whole in the Redis process that is there."""
    info: bytes = await link.command(b"INFO", b"server", near=STREAM.encode())
    process = next(line for line in info.split(b"\r\n") if line.startswith(b"run_id:"))
    for cluster in (False, True):
        await link.command(
            b"SET", mark_key(STREAM, cluster=cluster).encode(), process.removeprefix(b"run_id:")
        )


async def end(link: RedisLink, session: UUID | str, expires: float) -> None:
    """Ends a session whose last token expires at `expires` (Unix seconds)."""
    await link.command(
        *(b"XADD", b"auth:revocations", b"*", b"sid", str(session).encode(), b"exp", str(expires).encode())
    )
