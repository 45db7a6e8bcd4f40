"""The least that a service can cost, to measure ours against: `python -m bench.hello_world PORT`.

One handler of Litestar on uvicorn, with httptools and uvloop.
"""

import sys

import uvicorn
from litestar import Litestar, get


@get("/", sync_to_thread=False)
def hello() -> dict[str, str]:
    return {"hello": "world"}


if __name__ == "__main__":
    uvicorn.run(
        Litestar([hello], openapi_config=None),
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        log_level="warning",
        access_log=False,
    )
