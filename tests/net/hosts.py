#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many hosts behind one interface, as far as ARP and neighbour discovery go, and what troubles a router.

  hosts.py answer DEV -n COUNT [-4 NET] [-6 NET]     host i (1..COUNT) has NET + i of each family and the MAC 02:10:00:00:00:00 + i, and answers
                                                     ARP requests and neighbour solicitations. The first line is "listening"
  hosts.py talk NET -n COUNT [-r RATE] [-k ROUNDS]   one UDP packet to each of NET + 1 .. NET + COUNT, RATE a second
  hosts.py storm DEV arp|nd -n COUNT -t TARGET -f NET [-m MAC]
                                                     COUNT requests for TARGET as fast as they go, the sender of each another one of NET (65,000)
                                                     with another MAC; -m: to that MAC, not to all
"""
import argparse
import ipaddress
import socket
import struct
import sys
import time

MACS = 0x021000000000
ARP, IPV6, ICMPV6, NS, NA = 0x0806, 0x86DD, 58, 135, 136


def mac_bytes(number):
    return number.to_bytes(6, "big")


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def nd_frame(dst_mac, src_mac, source, destination, body):
    pseudo = source + destination + struct.pack("!II", len(body), ICMPV6)
    body = body[:2] + struct.pack("!H", checksum(pseudo + body)) + body[4:]
    header = struct.pack("!IHBB", 6 << 28, len(body), ICMPV6, 255) + source + destination
    return dst_mac + src_mac + struct.pack("!H", IPV6) + header + body


def arp_frame(dst_mac, src_mac, op, sender, target_mac, target):
    body = struct.pack("!HHBBH", 1, 0x0800, 6, 4, op) + src_mac + sender + target_mac + target
    return dst_mac + src_mac + struct.pack("!H", ARP) + body


def answer_arp(frame, first, count):
    if len(frame) < 42 or frame[20:22] != b"\0\1":
        return None
    number = int.from_bytes(frame[38:42], "big") - first
    if not 1 <= number <= count:
        return None
    return arp_frame(frame[22:28], mac_bytes(MACS + number), 2, frame[38:42], frame[22:28], frame[28:32])


def answer_nd(frame, first, count):
    if len(frame) < 78 or frame[20] != ICMPV6 or frame[54] != NS:
        return None
    number = int.from_bytes(frame[62:78], "big") - first
    if not 1 <= number <= count:
        return None
    mac = mac_bytes(MACS + number)
    body = struct.pack("!BBHI", NA, 0, 0, 0x60000000) + frame[62:78] + b"\2\1" + mac
    return nd_frame(frame[6:12], mac, frame[62:78], frame[22:38], body)


def do_answer(o):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    sock.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE
    sock.bind((o.device, 3))
    sock.setsockopt(263, 1, struct.pack("iHH8s", socket.if_nametoindex(o.device), 1, 0, b""))  # promiscuous
    first4 = int(ipaddress.IPv4Address(o.v4)) if o.v4 else None
    first6 = int(ipaddress.IPv6Address(o.v6)) if o.v6 else None
    print("listening", flush=True)
    while True:
        frame, address = sock.recvfrom(2048)
        if address[2] == 4:  # our own
            continue
        kind = int.from_bytes(frame[12:14], "big")
        reply = None
        if kind == ARP and first4 is not None:
            reply = answer_arp(frame, first4, o.count)
        elif kind == IPV6 and first6 is not None:
            reply = answer_nd(frame, first6, o.count)
        if reply:
            sock.send(reply)


def do_talk(o):
    net = ipaddress.ip_address(o.net)
    family = socket.AF_INET6 if net.version == 6 else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    start, sent = time.monotonic(), 0
    for _ in range(o.rounds):
        for number in range(1, o.count + 1):
            sent += 1
            wait = start + sent / o.rate - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            try:
                sock.sendto(b"hello", (str(net + number), 9))
            except OSError:
                pass  # an error that came back for an earlier one
    print(sent)


def storm_frame(o, number):
    source_mac = mac_bytes(MACS + 0x1000000 + number)
    sender = ipaddress.ip_address(o.net) + 256 + number % 65000
    target = ipaddress.ip_address(o.target).packed
    if o.kind == "arp":
        to = bytes.fromhex(o.mac.replace(":", "")) if o.mac else b"\xff" * 6
        return arp_frame(to, source_mac, 1, sender.packed, bytes(6), target)
    group = bytes.fromhex("ff0200000000000000000001ff") + target[13:]
    to = bytes.fromhex(o.mac.replace(":", "")) if o.mac else b"\x33\x33" + group[12:]
    body = struct.pack("!BBHI", NS, 0, 0, 0) + target + b"\1\1" + source_mac
    return nd_frame(to, source_mac, sender.packed, group, body)


def do_storm(o):
    frames = [storm_frame(o, number) for number in range(min(o.count, 5000))]
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    sock.bind((o.device, 0))
    print("storming", flush=True)
    start = time.monotonic()
    for number in range(o.count):
        try:
            sock.send(frames[number % len(frames)])
        except OSError as error:
            if error.errno != 105:  # ENOBUFS
                raise
    print(f"{o.count / (time.monotonic() - start):.0f} a second")


def main():
    parser = argparse.ArgumentParser()
    verbs = parser.add_subparsers(dest="verb", required=True)
    verb = verbs.add_parser("answer")
    verb.add_argument("device")
    verb.add_argument("-n", dest="count", type=int, required=True)
    verb.add_argument("-4", dest="v4")
    verb.add_argument("-6", dest="v6")
    verb = verbs.add_parser("talk")
    verb.add_argument("net")
    verb.add_argument("-n", dest="count", type=int, required=True)
    verb.add_argument("-r", dest="rate", type=float, default=2000)
    verb.add_argument("-k", dest="rounds", type=int, default=1)
    verb = verbs.add_parser("storm")
    verb.add_argument("device")
    verb.add_argument("kind", choices=["arp", "nd"])
    verb.add_argument("-n", dest="count", type=int, required=True)
    verb.add_argument("-t", dest="target", required=True)
    verb.add_argument("-f", dest="net", required=True)
    verb.add_argument("-m", dest="mac")
    options = parser.parse_args()
    {"answer": do_answer, "talk": do_talk, "storm": do_storm}[options.verb](options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
