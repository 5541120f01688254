#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the two source files of a bench: A's sources are B's destinations and the other way round.

usage: mkpcap.py MACS SEED FILE_A FILE_B

Each file has MACS frames of 64 bytes (IPv4/UDP, one flow a frame), each with another source and another destination. Addresses
are drawn from a seeded generator and the frames of both files are in orders of their own, so that neither a table's layout nor a
prefetcher profits from their sequence.
"""
import random
import struct
import sys

FRAME = 64


def addresses(rng, count, taken):
    """`count` unicast, locally administered addresses that nobody has yet."""
    out = []
    while len(out) < count:
        mac = (rng.getrandbits(48) & 0xfcffffffffff) | 0x020000000000
        if mac not in taken:
            taken.add(mac)
            out.append(mac)
    return out


def checksum(header):
    total = sum(struct.unpack("!10H", header))
    total = (total & 0xffff) + (total >> 16)
    return ~((total & 0xffff) + (total >> 16)) & 0xffff


def frame(dst, src, ip_dst, ip_src, number):
    length = FRAME - 14
    head = struct.pack("!BBHHHBBHII", 0x45, 0, length, number & 0xffff, 0, 64, 17, 0, ip_src, ip_dst)
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    udp = struct.pack("!HHHH", 1024 + (number * 7) % 60000, 9, length - 20, 0)
    return (dst.to_bytes(6, "big") + src.to_bytes(6, "big") + b"\x08\x00" + head + udp).ljust(FRAME, b"\x00")


def write(path, frames):
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for i, data in enumerate(frames):
            f.write(struct.pack("<IIII", i // 1000000, i % 1000000, len(data), len(data)) + data)


def repeat(path, times, to):
    """The frames of a file, again and again."""
    with open(path, "rb") as f:
        head, frames = f.read(24), f.read()
    with open(to, "wb") as f:
        f.write(head)
        for _ in range(times):
            f.write(frames)


def make(macs, seed, path_a, path_b):
    rng = random.Random(seed)
    taken = set()
    side_a, side_b = addresses(rng, macs, taken), addresses(rng, macs, taken)
    peer = list(range(macs))
    rng.shuffle(peer)  # A's host i talks with B's host peer[i]
    pairs = list(enumerate(peer))
    net_a, net_b = 10 << 24 | 1 << 20, 10 << 24 | 2 << 20
    frames_a = [frame(side_b[b], side_a[a], net_b + b, net_a + a, a) for a, b in pairs]
    frames_b = [frame(side_a[a], side_b[b], net_a + a, net_b + b, b) for a, b in pairs]
    rng.shuffle(frames_a)
    rng.shuffle(frames_b)
    write(path_a, frames_a)
    write(path_b, frames_b)


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    make(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4])
