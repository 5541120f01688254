#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""IP packets in hex, to be put behind an Ethernet header: packet.py SRC DST [-p PROTOCOL] [-t TTL] [-f FRAGMENT] [-o OPTIONS]
[-c BITS] [PAYLOAD]. Addresses say the family; -f is the 16 bits of IPv4's flags and offset, -c is added to its checksum, -s to the
length that the header tells; options and payload are hex. ICMP echo and echo6 as PAYLOAD make such a message."""
import argparse
import ipaddress
import struct


def checksum(data):
    total = sum(struct.unpack(f"!{(len(data) + 1) // 2}H", data + b"\0" * (len(data) % 2)))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("source", type=ipaddress.ip_address)
    p.add_argument("destination", type=ipaddress.ip_address)
    p.add_argument("payload", nargs="?", default="")
    p.add_argument("-p", dest="protocol", type=int, default=17)
    p.add_argument("-t", dest="ttl", type=int, default=64)
    p.add_argument("-f", dest="fragment", type=lambda w: int(w, 0), default=0)
    p.add_argument("-o", dest="options", type=bytes.fromhex, default=b"")
    p.add_argument("-c", dest="wrong", type=int, default=0)
    p.add_argument("-s", dest="longer", type=int, default=0)
    o = p.parse_intermixed_args()
    source, destination = o.source.packed, o.destination.packed
    if o.payload == "echo":
        payload = struct.pack("!BBHHH", 8, 0, 0xffff - 0x0800 - 2, 1, 1)
        o.protocol = 1
    elif o.payload == "echo6":
        payload = struct.pack("!BBHHH", 128, 0, 0, 1, 1)
        pseudo = source + destination + struct.pack("!II", len(payload), 58)
        payload = payload[:2] + struct.pack("!H", checksum(pseudo + payload)) + payload[4:]
        o.protocol = 58
    else:
        payload = bytes.fromhex(o.payload)
    if o.source.version == 4:
        size = 20 + len(o.options) + len(payload) + o.longer
        head = struct.pack("!BBHHHBBH", 0x45 + len(o.options) // 4, 0, size, 7, o.fragment, o.ttl, o.protocol, 0)
        head += source + destination + o.options
        head = head[:10] + struct.pack("!H", (checksum(head) + o.wrong) & 0xffff) + head[12:]
    else:
        head = struct.pack("!IHBB", 6 << 28, len(payload) + o.longer, o.protocol, o.ttl) + source + destination
    print((head + payload).hex())


main()
