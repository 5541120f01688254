#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes seeds for fuzz targets out of captures (pcap; pcapng after `editcap -F pcap`).

  seeds.py CORPUS CAPTURE...    writes CORPUS/arp, ip4, ip6, icmp, nd: one file a packet, from the layer on that the target wants,
                                one of each kind, at most twelve of a capture, named after the kind and the capture
"""
import collections
import os
import struct
import sys

SIZE_MAX = 700  # of a seed
CAPTURE_MAX = 12  # seeds for a target out of one capture
LINK_ETHERNET, LINK_RAW = 1, (12, 14, 101, 228, 229)
TYPE_IP4, TYPE_ARP, TYPE_VLAN, TYPE_SVLAN, TYPE_IP6 = 0x0800, 0x0806, 0x8100, 0x88a8, 0x86dd
ICMP, ICMP6 = 1, 58
EXTENSIONS = (0, 43, 44, 51, 60, 135)
ND = range(133, 138)


def frames(path):
    """(link type, bytes) of each frame of a capture; what is cut off or no pcap ends it."""
    with open(path, "rb") as file:
        data = file.read()
    order = {b"\xd4\xc3\xb2\xa1": "<", b"\x4d\x3c\xb2\xa1": "<", b"\xa1\xb2\xc3\xd4": ">", b"\xa1\xb2\x3c\x4d": ">"}.get(data[:4])
    if not order or len(data) < 24:
        return
    link = struct.unpack_from(order + "I", data, 20)[0] & 0xffff
    at = 24
    while at + 16 <= len(data):
        size = struct.unpack_from(order + "I", data, at + 8)[0]
        if at + 16 + size > len(data):
            return
        yield link, data[at + 16:at + 16 + size]
        at += 16 + size


def network(link, frame):
    """(Ethernet type, what follows), or None."""
    if link in LINK_RAW and frame:
        return {4: TYPE_IP4, 6: TYPE_IP6}.get(frame[0] >> 4), frame
    at = 12
    while link == LINK_ETHERNET and at + 2 <= len(frame):
        kind = struct.unpack_from("!H", frame, at)[0]
        if kind not in (TYPE_VLAN, TYPE_SVLAN):
            return kind, frame[at + 2:]
        at += 4
    return None


def chain6(packet):
    """The extension headers of an IPv6 packet and the protocol, and where that begins."""
    kinds, at = [packet[6]], 40
    while kinds[-1] in EXTENSIONS and at + 8 <= len(packet) and len(kinds) < 8:
        size = 8 if kinds[-1] == 44 else (packet[at + 1] + 2) * 4 if kinds[-1] == 51 else (packet[at + 1] + 1) * 8
        kinds.append(packet[at])
        at += size
    return kinds, at


def options(packet, at):
    """The types of neighbour discovery options."""
    found = []
    while at + 2 <= len(packet) and len(found) < 8:
        found.append(packet[at])
        if not packet[at + 1]:
            break
        at += packet[at + 1] * 8
    return found


def kinds_of(packet, type_):
    """(target, words that tell packets of the same kind) for each target that may want it."""
    if type_ == TYPE_ARP and len(packet) >= 8:
        yield "arp", ["op", packet[7], "hw", packet[1], packet[4], "proto", packet[2], packet[5]]
    elif type_ == TYPE_IP4 and len(packet) >= 20:
        header = (packet[0] & 15) * 4
        yield "ip4", ["proto", packet[9], "header", header, "flags", packet[6] >> 5, "later" if packet[7] or packet[6] & 31 else ""]
        if packet[9] == ICMP and not packet[6] & 31 and len(packet) >= header + 8:
            yield "icmp", ["v4", packet[header], packet[header + 1]]
    elif type_ == TYPE_IP6 and len(packet) >= 40:
        chain, at = chain6(packet)
        yield "ip6", ["next"] + chain
        if chain[-1] == ICMP6 and len(packet) >= at + 8:
            kind = packet[at]
            yield "icmp", ["v6", kind, packet[at + 1]]
            if kind in ND:
                yield "nd", [kind] + ["opt"] + options(packet, at + {133: 8, 134: 16, 137: 40}.get(kind, 24))


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    seen, taken = set(), collections.Counter()
    for path in sorted(sys.argv[2:]):
        origin = os.path.basename(path).rsplit(".", 1)[0]
        for link, frame in frames(path):
            type_, packet = network(link, frame) or (None, b"")
            for target, words in kinds_of(packet, type_):
                kind = "-".join(str(word) for word in words if word != "")
                if (target, kind) in seen or len(packet) > SIZE_MAX or taken[target, origin] == CAPTURE_MAX:
                    continue
                seen.add((target, kind))
                taken[target, origin] += 1
                folder = os.path.join(sys.argv[1], target)
                os.makedirs(folder, exist_ok=True)
                with open(os.path.join(folder, kind + "." + origin), "wb") as file:
                    file.write(packet[:60] if target == "arp" else packet)


main()
