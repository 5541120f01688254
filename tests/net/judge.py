#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges every frame of a capture by what tshark says of it: checksums, malformed packets, hop limits and options of neighbour
discovery, ARP fields, sizes of ICMP errors.

  judge.py CAPTURE [MAC...]     only frames from these MACs; a line for each fault, and how many frames were judged. Exits 1 when there
                                is a fault, or no frame to judge
"""
import ipaddress
import subprocess
import sys

BAD, GOOD, ILLEGAL = "0", "1", "4"  # what tshark says of a checksum
EXPERT_ERROR, EXPERT_WARNING = 0x00800000, 0x00600000
EXPERT_GROUPS = (0x07000000, 0x09000000)  # malformed, protocol
EXPERT_CHECKSUM = 0x01000000  # judge_checksums() says it better
TRANSPORT = ("tcp", "udp")  # what lies above is not the router's
ND = {133: "RS", 134: "RA", 135: "NS", 136: "NA", 137: "redirect"}
BROADCAST = "ff:ff:ff:ff:ff:ff"

FIELDS = """frame.number frame.len frame.protocols eth.src eth.dst _ws.col.Info
_ws.expert.severity _ws.expert.group _ws.expert.message
arp.hw.type arp.proto.type arp.hw.size arp.proto.size arp.opcode arp.src.hw_mac arp.src.proto_ipv4 arp.dst.hw_mac arp.dst.proto_ipv4
ip.checksum.status ip.ttl ip.len ip.hdr_len ip.flags.mf ip.frag_offset ip.src ip.dst
ipv6.hlim ipv6.plen ipv6.src ipv6.dst ipv6.fraghdr.offset ipv6.fraghdr.more
icmp.type icmp.code icmp.checksum.status icmpv6.type icmpv6.code icmpv6.checksum.status udp.checksum.status tcp.checksum.status
icmpv6.opt.type icmpv6.opt.src_linkaddr icmpv6.opt.target_linkaddr icmpv6.opt.mtu
icmpv6.opt.prefix.length icmpv6.opt.prefix.valid_lifetime icmpv6.opt.prefix.preferred_lifetime
icmpv6.nd.ns.target_address icmpv6.nd.na.target_address icmpv6.nd.na.flag.s icmpv6.nd.ra.router_lifetime
icmpv6.nd.ra.cur_hop_limit""".split()
PREFERENCES = ("ip.check_checksum:TRUE", "udp.check_checksum:TRUE", "tcp.check_checksum:TRUE", "tcp.analyze_sequence_numbers:FALSE",
               "ip.defragment:TRUE", "ipv6.defragment:TRUE", "arp.detect_duplicate_ips:FALSE", "arp.detect_request_storms:FALSE")


class Frame(dict):
    """Each field's occurrences in order: the outermost packet's first."""

    def __init__(self, line):
        super().__init__((name, value.split("\x1f") if value else []) for name, value in zip(FIELDS, line.split("\t")))

    def first(self, name, default=""):
        return self[name][0] if self[name] else default

    def number(self, name, default=-1):
        return int(self.first(name, str(default)), 0)

    def layers(self):
        return self.first("frame.protocols").split(":")

    def network(self):
        """ip, ipv6, arp: the outermost."""
        return next((layer for layer in self.layers() if layer in ("ip", "ipv6", "arp")), None)

    def is_error(self):
        """Of ICMP: what comes later is quoted, perhaps cut off."""
        if self.network() == "ip":
            return self.number("icmp.type") in (3, 5, 11, 12)
        return self.network() == "ipv6" and 0 <= self.number("icmpv6.type") < 128

    def is_fragment(self):
        later = self.first("ip.flags.mf") in ("1", "True") or self.number("ip.frag_offset", 0) > 0
        return bool((self.network() == "ip" and later) or self["ipv6.fraghdr.offset"])


def is_group(mac):
    return bool(int(mac[:2], 16) & 1)


def group_mac(address):
    """The MAC of an IP group (RFC 1112 6.4, RFC 2464 7)."""
    low = address.packed[-3:] if address.version == 4 else address.packed[-4:]
    head = b"\x01\x00\x5e" if address.version == 4 else b"\x33\x33"
    if address.version == 4:
        low = bytes([low[0] & 0x7f]) + low[1:]
    return (head + low).hex(":")


def judge_expert(f):
    protocols = f.layers()
    above = next((i for i, name in enumerate(protocols) if name in TRANSPORT), len(protocols))
    if set(protocols[above + 1:]) - {"data", "_ws.malformed"}:
        return
    for severity, group, message in zip(f["_ws.expert.severity"], f["_ws.expert.group"], f["_ws.expert.message"]):
        severity, group = int(severity, 0), int(group, 0)
        if group != EXPERT_CHECKSUM and (severity >= EXPERT_ERROR or (severity >= EXPERT_WARNING and group in EXPERT_GROUPS)):
            yield message


def judge_checksums(f):
    for layer in ("ip", "icmp", "icmpv6", "udp", "tcp"):
        states = f[layer + ".checksum.status"]
        if f.is_error() and layer != "ip":
            states = [] if layer in TRANSPORT else states[:1]  # what is quoted may be cut off
        if states and states[0] in (BAD, ILLEGAL):
            yield f"{layer}: wrong checksum"
        elif set(states) & {BAD, ILLEGAL}:
            yield f"{layer}: wrong checksum in the packet within"
        elif layer in ("ip", "icmp", "icmpv6") and states and states[0] != GOOD and not f.is_fragment():
            yield f"{layer}: checksum not verified"


def judge_arp(f):
    if f.network() != "arp":
        return
    op, sender, target = f.number("arp.opcode"), f.first("arp.src.proto_ipv4"), f.first("arp.dst.proto_ipv4")
    shape = [f.number(name) for name in ("arp.hw.type", "arp.proto.type", "arp.hw.size", "arp.proto.size")]
    if shape != [1, 0x0800, 6, 4]:
        yield f"arp: not for IPv4 over Ethernet: {shape}"
        return
    if op not in (1, 2):
        yield f"arp: operation {op}"
    if f.first("arp.src.hw_mac") != f.first("eth.src"):
        yield f"arp: the sender's MAC is {f.first('arp.src.hw_mac')}, the frame's {f.first('eth.src')}"
    if ipaddress.ip_address(sender).is_multicast or sender == "255.255.255.255" or (op == 2 and sender == "0.0.0.0"):
        yield f"arp: sender {sender}"
    if ipaddress.ip_address(target).is_multicast or target in ("255.255.255.255", "0.0.0.0"):
        yield f"arp: target {target}"
    if op == 2 and f.first("eth.dst") not in (f.first("arp.dst.hw_mac"), BROADCAST):
        yield f"arp: a reply for {f.first('arp.dst.hw_mac')} sent to {f.first('eth.dst')}"
    if is_group(f.first("eth.dst")) and f.first("eth.dst") != BROADCAST:
        yield f"arp: sent to the group {f.first('eth.dst')}"


def judge_addresses(f, source, destination):
    """What holds for IPv4 and IPv6 alike."""
    source, destination = ipaddress.ip_address(source), ipaddress.ip_address(destination)
    if source.is_multicast or source.is_loopback or str(source) == "255.255.255.255":
        yield f"source {source}"
    if destination.is_loopback or destination.is_unspecified:
        yield f"destination {destination}"
    mac = f.first("eth.dst")
    if destination.is_multicast and is_group(mac) and mac != group_mac(destination):
        yield f"to {destination}, but the MAC {mac}"
    if is_group(mac) and not destination.is_multicast and (destination.version == 6 or mac != BROADCAST):
        yield f"to {destination}, but the MAC {mac}"


def judge_ip4(f):
    if f.network() != "ip":
        return
    yield from judge_addresses(f, f.first("ip.src"), f.first("ip.dst"))
    if f.number("ip.ttl") < 1:
        yield "ip: TTL 0"
    payload = f.number("ip.len") - f.number("ip.hdr_len")
    if f.first("ip.flags.mf") in ("1", "True") and payload % 8:
        yield f"ip: a fragment of {payload} bytes with more to come"
    if f.is_error():
        if f.number("ip.len") > 576:
            yield f"icmp: an error of {f.number('ip.len')} bytes"
        if ipaddress.ip_address(f.first("ip.dst")).is_multicast or f.first("ip.dst") == "255.255.255.255":
            yield f"icmp: an error to {f.first('ip.dst')}"
        if len(f["ip.src"]) < 2:
            yield "icmp: an error that quotes nothing"


def judge_ip6(f):
    if f.network() != "ipv6":
        return
    yield from judge_addresses(f, f.first("ipv6.src"), f.first("ipv6.dst"))
    if f.number("ipv6.hlim") < 1:
        yield "ipv6: hop limit 0"
    if f.is_error():
        if f.number("ipv6.plen") + 40 > 1280:
            yield f"icmpv6: an error of {f.number('ipv6.plen') + 40} bytes"
        if ipaddress.ip_address(f.first("ipv6.dst")).is_multicast:
            yield f"icmpv6: an error to {f.first('ipv6.dst')}"
        if len(f["ipv6.src"]) < 2:
            yield "icmpv6: an error that quotes nothing"


def judge_nd_options(f, name):
    for field in ("icmpv6.opt.src_linkaddr", "icmpv6.opt.target_linkaddr"):
        for mac in f[field]:
            if mac.lower() != f.first("eth.src"):
                yield f"{name}: the option's MAC is {mac}, the frame's {f.first('eth.src')}"
    for field, kind in (("icmpv6.opt.src_linkaddr", 1), ("icmpv6.opt.target_linkaddr", 2)):
        if f["icmpv6.opt.type"].count(str(kind)) != len(f[field]):
            yield f"{name}: option {kind} without a MAC"
    for length, valid, preferred in zip(*(f["icmpv6.opt.prefix." + word] for word in ("length", "valid_lifetime", "preferred_lifetime"))):
        if int(length) > 128 or int(preferred) > int(valid):
            yield f"{name}: a prefix of {length} bits, valid {valid} s, preferred {preferred} s"
    for mtu in f["icmpv6.opt.mtu"]:
        if int(mtu) < 1280:
            yield f"{name}: MTU {mtu}"


def judge_nd(f):
    """RFC 4861 4, 6.1 and 7.1."""
    name = ND.get(f.number("icmpv6.type"))
    if not name or f.network() != "ipv6":
        return
    source, destination = (ipaddress.ip_address(f.first(field)) for field in ("ipv6.src", "ipv6.dst"))
    if f.number("ipv6.hlim") != 255:
        yield f"{name}: hop limit {f.number('ipv6.hlim')}"
    if f.number("icmpv6.code") != 0:
        yield f"{name}: code {f.number('icmpv6.code')}"
    if f["ipv6.fraghdr.offset"]:
        yield f"{name}: in fragments (RFC 6980)"
    if source.is_unspecified and f["icmpv6.opt.src_linkaddr"]:
        yield f"{name}: from no address, with a MAC"
    if name in ("RA", "redirect") and not source.is_link_local:
        yield f"{name}: from {source}, which is not link-local"
    if name == "NS":
        target = ipaddress.ip_address(f.first("icmpv6.nd.ns.target_address", "::"))
        solicited = ipaddress.ip_address(int(ipaddress.ip_address("ff02::1:ff00:0")) | int(target) & 0xffffff)
        if destination not in (target, solicited):
            yield f"NS: for {target} to {destination}"
        if destination.is_multicast and not source.is_unspecified and not f["icmpv6.opt.src_linkaddr"]:
            yield "NS: to a group, without a MAC"
    if name == "NA" and destination.is_multicast:
        if f.first("icmpv6.nd.na.flag.s") in ("1", "True"):
            yield "NA: to a group, with the Solicited flag"
        if not f["icmpv6.opt.target_linkaddr"]:
            yield "NA: to a group, without a MAC"
    if name in ("NS", "NA") and ipaddress.ip_address(f.first(f"icmpv6.nd.{name.lower()}.target_address", "::")).is_multicast:
        yield f"{name}: its target is a group"
    yield from judge_nd_options(f, name)


def judge(f):
    if is_group(f.first("eth.src")):
        yield f"from the group {f.first('eth.src')}"
    for part in (judge_expert, judge_checksums, judge_arp, judge_ip4, judge_ip6, judge_nd):
        yield from part(f)


def frames(path, macs):
    command = ["tshark", "-n", "-r", path, "-T", "fields", "-E", "separator=/t", "-E", "aggregator=\x1f", "-E", "occurrence=a"]
    for preference in PREFERENCES:
        command += ["-o", preference]
    for field in FIELDS:
        command += ["-e", field]
    if macs:
        command += ["-Y", " or ".join(f"eth.src == {mac}" for mac in macs)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace")
    if done.returncode:
        sys.exit(f"tshark: {done.stderr.strip()}")
    return [Frame(line) for line in done.stdout.splitlines()]


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    judged = frames(sys.argv[1], sys.argv[2:])
    faults = 0
    for f in judged:
        for fault in dict.fromkeys(judge(f)):
            print(f"frame {f.first('frame.number')}: {fault}: {f.first('_ws.col.Info')}")
            faults += 1
    print(f"{len(judged)} frames judged, {faults} faults")
    return 0 if judged and not faults else 1


if __name__ == "__main__":
    sys.exit(main())
