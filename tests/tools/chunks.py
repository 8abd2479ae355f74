#!/usr/bin/env python3
"""chunks.py FILE | --made SIZE: the rule of src/crypto/chunk.h and RFC 6962 2.1, once more and plainly.

Prints the length of each chunk, and the root. --made: bytes of a linear congruential generator
(x = 6364136223846793005 x + 1442695040888963407 mod 2^64 from 0, the top eight bits of each x).
"""
import hashlib
import sys

LEAST, NORMAL, MOST = 16384, 65536, 262144


def sha(data):
    return hashlib.sha256(data).digest()


GEAR = [int.from_bytes(sha(bytes([0, b]))[:8], "big") for b in range(256)]


def cut(data):
    """The chunks of data."""
    at, chunks = 0, []
    while at < len(data):
        h, n = 0, min(LEAST, len(data) - at)
        while n < min(MOST, len(data) - at):
            h = (2 * h + GEAR[data[at + n]]) % 2**64
            n += 1
            if h >> (64 - (18 if n <= NORMAL else 14)) == 0:
                break
        chunks.append(data[at:at + n])
        at += n
    return chunks


def root(leaves):
    if len(leaves) < 2:
        return leaves[0] if leaves else sha(b"")
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return sha(b"\1" + root(leaves[:k]) + root(leaves[k:]))


def leaf(data):
    return sha(b"\0" + data)


def root_of(data):
    return root([leaf(c) for c in cut(data)])


def folder_root(files):
    """{name: bytes}"""
    return root([leaf(name.encode() + b"\0" + root_of(files[name])) for name in sorted(files)])


def made(size):
    x, out = 0, bytearray()
    for _ in range(size):
        x = (6364136223846793005 * x + 1442695040888963407) % 2**64
        out.append(x >> 56)
    return bytes(out)


if __name__ == "__main__":
    if sys.argv[1] == "--made":
        given = made(int(sys.argv[2]))
    else:
        with open(sys.argv[1], "rb") as file:
            given = file.read()
    print(*[len(c) for c in cut(given)])
    print(root_of(given).hex())
