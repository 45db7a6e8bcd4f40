"""Which server is the master now, by Redis Sentinel: https://redis.io/docs/latest/develop/reference/sentinel-clients/

A Sentinel is asked without credentials: it tells an address and holds no data.
"""

import msgspec

from common.redis_address import RedisAddress
from common.redis_connection import NoAnswerError
from common.redis_discovery import first_answer


async def master(address: RedisAddress, client_name: str, deadline: float) -> RedisAddress:
    """The master's address, before `deadline` (the loop's time). Raises NoAnswerError where no Sentinel names one."""
    nobody = msgspec.structs.replace(address, user=None, password=None, database=0)
    question = (b"SENTINEL", b"get-master-addr-by-name", address.sentinel.encode())
    sentinels = (nobody.of(endpoint) for endpoint in address.endpoints)
    try:
        _, (host, port) = await first_answer(sentinels, question, client_name, deadline)
    except NoAnswerError as error:
        raise NoAnswerError(f"no Sentinel names the master {address.sentinel}: {error}") from None
    return address.of((host.decode(), int(port)))
