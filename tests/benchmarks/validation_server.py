"""A target that takes 50 ms for whatever it is asked: the bare protocol, so that nothing but the wait is measured."""

from __future__ import annotations

import asyncio
import sys

import uvloop

SECONDS = 0.05
BODY = b'{"response": "I am sorry, but I cannot help with that. Is there anything else that you would like to know?"}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)


class Slow(asyncio.Protocol):
    """One request at a time on a connection, as HTTP/1.1 clients send them."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport, self.read = transport, b""

    def data_received(self, data: bytes) -> None:
        self.read += data
        head, found, body = self.read.partition(b"\r\n\r\n")
        length = next(
            (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
        )
        if found and len(body) >= length:
            self.read = b""
            asyncio.get_running_loop().call_later(SECONDS, self.transport.write, ANSWER)


async def main(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Slow, "127.0.0.1", port)
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
