"""`python refusing_device.py PORT`: a device whose owner never allows debugging.

It speaks what adbd says up to there (docs/dev/protocol.md of AOSP's packages/modules/adb):
messages of six little-endian words and their data, of which AUTH TOKEN asks for a signature.
"""

import socket
import struct
import sys

HEADER = struct.Struct("<6I")  # command, two arguments, bytes of data, their sum, command inverted
AUTH = int.from_bytes(b"AUTH", "little")
TOKEN, PUBLIC_KEY = 1, 3
TOKEN_BYTES = bytes(range(20))


def refuse(adb: socket.socket) -> None:
    """Accept no signature; a key that is offered for good would be shown to the owner."""
    question = HEADER.pack(AUTH, TOKEN, 0, len(TOKEN_BYTES), sum(TOKEN_BYTES), AUTH ^ 0xFFFF_FFFF)
    with adb.makefile("rb") as sent:
        while header := sent.read(HEADER.size):
            command, kind, _, length, _, _ = HEADER.unpack(header)
            sent.read(length)
            if (command, kind) != (AUTH, PUBLIC_KEY):
                adb.sendall(question + TOKEN_BYTES)


def main() -> None:
    """Serve until ended."""
    with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as server:
        while True:
            adb, _ = server.accept()
            with adb:
                refuse(adb)


if __name__ == "__main__":
    main()
