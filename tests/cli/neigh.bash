# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# shellcheck disable=SC2034 # for the tests
# For tests of arpmgr and ndmgr: their segments (mknbr.c), and what the addresses in them are.

# family_of TOOL: sets TOOL and the names of its addresses
family_of()
{
	TOOL=$1
	if [ "$TOOL" = arpmgr ]; then
		FAMILY=ipv4 OTHER=ndmgr KEYS='["address","mac","interface","state","owner","age_ms","used_ms","cores"]'
		A5=10.0.10.5 A6=10.0.10.6 A7=10.0.20.7 A8=10.0.10.8 A9=10.0.10.9 A50=10.0.10.80 A70=10.0.10.112 NONE=10.0.10.99 AWAY=192.0.2.1 OURS=10.0.10.1
		NET=10.0.10.0/24 NET_IN=10.0.10.77/24 FOREIGN=fe80::1 GROUP=224.0.0.1 MANY=11.0.0.0/8 LIVE=3
	else
		FAMILY=ipv6 OTHER=arpmgr KEYS='["address","mac","interface","state","owner","age_ms","used_ms","router","cores"]'
		A5=2001:db8:10::5 A6=2001:db8:10::6 A7=2001:db8:20::7 A8=2001:db8:10::8 A9=2001:db8:10::9 A50=2001:db8:10::50 A70=2001:db8:10::70
		NONE=2001:db8:10::99 AWAY=2001:db8:ffff::1 OURS=2001:db8:10::1 NET=2001:db8:10::/64 NET_IN=2001:db8:10::77/64 FOREIGN=10.0.10.1 GROUP=ff02::1 MANY=2001:db8:11::/64 LIVE=5
	fi
}

segment()
{
	mknbr "$A" "$@"
}

live_segment()
{
	mknbr "$A" live "$@" >ready 2>&1 3>&- &
	MKSEG=$!
	await grep -q ready ready
}

end_segment()
{
	kill "$MKSEG"
	wait "$MKSEG" || true
	MKSEG=
}

# follow WORD...: TOOL monitor in the background, its output in the file "lines"
follow()
{
	"$TOOL" "$@" >lines 2>err 3>&- &
	FOLLOWER=$!
}

unfollow()
{
	kill -INT "$FOLLOWER"
	wait "$FOLLOWER"
	FOLLOWER=
}

# both TEST: with each tool
both()
{
	local tool
	for tool in arpmgr ndmgr; do
		echo "with $tool:"
		family_of $tool
		mkdir "$BATS_TEST_TMPDIR/$tool"
		cd "$BATS_TEST_TMPDIR/$tool" || return
		export PEKIT_RUN=$PWD
		"$1"
		cli_teardown
		MKSEG='' FAKE='' FOLLOWER=''
	done
}
