#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Raw Ethernet frames in and out of an interface, with the VLAN tags that the kernel takes off put back.

  frame.py send DEV [-n COUNT] [-i SECONDS] HEX...        each frame COUNT times; padded to 60 bytes
  frame.py recv DEV [-n COUNT] [-t SECONDS] [-m HEX]      prints frames, one a line in hex, until COUNT or the time is over;
                                                          -m: only frames that contain these bytes. The first line is "listening"
  frame.py stream DEV DST SRC -n COUNT -r RATE [-v TCI]   COUNT numbered frames (type 88b5), RATE a second
  frame.py count DEV -n COUNT -t SECONDS -s SRC           counts such frames of SRC until number COUNT came or for SECONDS none; prints
                                                          JSON: received, missing, duplicates, reordered, longest_gap_ms
  frame.py macs DEV -n COUNT -r RATE [-s FIRST]           COUNT broadcast frames (type 88b6), each with another source from FIRST on
"""
import argparse
import json
import socket
import struct
import sys
import time

SOL_PACKET, PACKET_AUXDATA, PACKET_OUTGOING = 263, 8, 4
STATUS_VLAN_VALID, STATUS_VLAN_TPID_VALID = 0x10, 0x40
TYPE_STREAM, TYPE_MACS = 0x88b5, 0x88b6


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def open_device(device, receive):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3) if receive else 0)
    if receive:
        sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        sock.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE
    sock.bind((device, 0 if not receive else 3))
    if receive:
        index = socket.if_nametoindex(device)
        sock.setsockopt(SOL_PACKET, 1, struct.pack("iHH8s", index, 1, 0, b""))  # PACKET_ADD_MEMBERSHIP, PACKET_MR_PROMISC
    return sock


def receive(sock):
    """One frame that came in, as it was on the wire, or None when the socket's timeout ran out."""
    try:
        data, ancillary, _, address = sock.recvmsg(65536, 256)
    except (socket.timeout, BlockingIOError):
        return None
    if address[2] == PACKET_OUTGOING:
        return b""
    for level, kind, value in ancillary:
        if level == SOL_PACKET and kind == PACKET_AUXDATA:
            status, _, _, _, _, tci, tpid = struct.unpack("IIIHHHH", value[:20])
            if status & STATUS_VLAN_VALID:
                tpid = tpid if status & STATUS_VLAN_TPID_VALID else 0x8100
                data = data[:12] + struct.pack("!HH", tpid, tci) + data[12:]
    return data


def paced(count, rate):
    """0..count-1, each when it is due."""
    start = time.monotonic()
    for i in range(count):
        wait = start + i / rate - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        yield i


def send_all(sock, data):
    while True:
        try:
            sock.send(data)
            return
        except OSError as error:
            if error.errno != 105:  # ENOBUFS
                raise
            time.sleep(0.0005)


def do_send(o):
    sock = open_device(o.device, False)
    for text in o.frames:
        data = bytes.fromhex(text.replace(":", "").replace(" ", "")).ljust(60, b"\0")
        for _ in range(o.n):
            send_all(sock, data)
            if o.i:
                time.sleep(o.i)


def do_recv(o):
    sock = open_device(o.device, True)
    wanted = bytes.fromhex(o.m.replace(":", ""))
    end, left = time.monotonic() + o.t, o.n
    print("listening", flush=True)
    while left and time.monotonic() < end:
        sock.settimeout(max(end - time.monotonic(), 0.001))
        data = receive(sock)
        if data and wanted in data:
            print(data.hex(), flush=True)
            left -= 1


def do_stream(o):
    sock = open_device(o.device, False)
    head = mac(o.dst) + mac(o.src) + (struct.pack("!HH", 0x8100, o.v) if o.v is not None else b"") + struct.pack("!H", TYPE_STREAM)
    for i in paced(o.n, o.r):
        send_all(sock, (head + struct.pack("!I", i + 1)).ljust(60, b"\0"))


def do_count(o):
    sock = open_device(o.device, True)
    sock.settimeout(o.t)
    source = mac(o.s)
    seen, newest, duplicates, reordered, gap, last = set(), 0, 0, 0, 0.0, None
    print("listening", flush=True)
    while newest < o.n:
        data = receive(sock)
        if data is None:
            break
        if data[6:12] != source or struct.pack("!H", TYPE_STREAM) not in (data[12:14], data[16:18]):
            continue
        at = 14 if data[12:14] == struct.pack("!H", TYPE_STREAM) else 18
        number, = struct.unpack("!I", data[at:at + 4])
        now = time.monotonic()
        gap, last = max(gap, now - last if last else 0), now
        duplicates += number in seen
        reordered += number < newest
        seen.add(number)
        newest = max(newest, number)
    print(json.dumps({"received": len(seen), "missing": o.n - len(seen), "duplicates": duplicates, "reordered": reordered,
                      "longest_gap_ms": round(1000 * gap, 1)}))


def do_macs(o):
    sock = open_device(o.device, False)
    first = int.from_bytes(mac(o.s), "big")
    for i in paced(o.n, o.r):
        send_all(sock, (b"\xff" * 6 + (first + i).to_bytes(6, "big") + struct.pack("!H", TYPE_MACS)).ljust(60, b"\0"))


def options():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = p.add_subparsers(dest="verb", required=True)
    v = {name: verbs.add_parser(name) for name in ("send", "recv", "stream", "count", "macs")}
    for one in v.values():
        one.add_argument("device")
    v["send"].add_argument("frames", nargs="+")
    v["send"].add_argument("-n", type=int, default=1)
    v["send"].add_argument("-i", type=float, default=0)
    v["recv"].add_argument("-n", type=int, default=-1)
    v["recv"].add_argument("-t", type=float, default=2)
    v["recv"].add_argument("-m", default="")
    v["stream"].add_argument("dst")
    v["stream"].add_argument("src")
    v["stream"].add_argument("-v", type=lambda w: int(w, 0))
    v["count"].add_argument("-t", type=float, default=3)
    v["count"].add_argument("-s", required=True)
    v["macs"].add_argument("-s", default="0a:00:00:00:00:01")
    for name in ("stream", "count", "macs"):
        v[name].add_argument("-n", type=int, required=True)
    for name in ("stream", "macs"):
        v[name].add_argument("-r", type=float, required=True)
    return p.parse_args()


if __name__ == "__main__":
    OPTIONS = options()
    sys.exit(globals()["do_" + OPTIONS.verb](OPTIONS))
