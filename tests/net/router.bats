#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2030,SC2031,SC2034,SC1010 # bats runs each test in a subshell
# Routing between kernel hosts: two in VLANs of one bridge, one on a port with an interface of its own.

load lib

setup()
{
	net_setup
}

teardown()
{
	net_teardown
}

# A host with the engine as its router: router_host NAME NET
router_host()
{
	host "$1" "10.0.$2.2/24" "2001:db8:$2::2/64"
	ip -n "$T-$1" route add default via "10.0.$2.1"
	ip -n "$T-$1" -6 route add default via "2001:db8:$2::1"
}

# router_rig [JQ-FILTER]: the engine's configuration goes through the filter.
router_rig()
{
	router_host h1 10
	router_host h2 20
	router_host h3 30
	jq "${1:-.}" <<-'END' | engine x
	{ "ports": { "p1": { "device": "if:h1" }, "p2": { "device": "if:h2" }, "p3": { "device": "if:h3" } },
	  "bridges": { "br0": { "ports": { "p1": { "untagged": 10 }, "p2": { "untagged": 20 } } } },
	  "interfaces": {
	    "v10": { "bridge": "br0", "vlan": 10, "addresses": ["10.0.10.1/24", "2001:db8:10::1/64"] },
	    "v20": { "bridge": "br0", "vlan": 20, "addresses": ["10.0.20.1/24", "2001:db8:20::1/64"] },
	    "w30": { "port": "p3", "addresses": ["10.0.30.1/24", "2001:db8:30::1/64"] } } }
	END
	local name
	for name in h1 h2 h3; do
		await 10 pings "$name" "$(router_of "$name" 6)" -c 1
		await 10 pings "$name" "$(router_of "$name" 4)" -c 1
	done
}

router_of()
{
	local -A net=([h1]=10 [h2]=20 [h3]=30)
	[ "$2" = 4 ] && echo "10.0.${net[$1]}.1" || echo "2001:db8:${net[$1]}::1"
}

@test "hosts behind VLANs and behind a port reach each other through the router, whatever the size" {
	router_rig
	local target
	for target in 10.0.20.2 10.0.30.2 2001:db8:20::2 2001:db8:30::2; do
		pings h1 "$target"
		pings h1 "$target" -s 4000
		pings h1 "$target" -s 20000
	done
	pings h2 2001:db8:30::2
	pings h3 10.0.10.2
	pings h3 2001:db8:20::2 -s 4000
	# what is not VLAN 10's goes through the router and not past it
	same "TTL after one hop" "$(in_ns h1 ping -n -c 1 10.0.20.2 | grep -o 'ttl=[0-9]*')" ttl=63
	same "hop limit after one hop" "$(in_ns h3 ping -n -c 1 2001:db8:20::2 | grep -o 'ttl=[0-9]*')" ttl=63
}
