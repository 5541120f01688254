/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/vf/vfset.c lib/vf/portset.c lib/vf/keys.c lib/base/addr.c lib/base/num.c lib/base/err.c -ljansson */
/* links: lib/json/field.c */
/* Settings of VFs and of ports: compared, copied, written for people, and as JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vf/host.h"
#include "vf/keys.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define M UINT64_C(1000000)

static const struct vfset full = {.has = VFSET_ALL,
	.mac = 0x525400000110,
	.vlan = 100,
	.qos = 3,
	.proto = 0x88a8,
	.max_rate_bps = 2000 * M,
	.min_rate_bps = 100 * M,
	.trust = true,
	.spoofchk = true,
	.promisc = true,
	.allmulti = true,
	.link = VFSET_LINK_DISABLE};

static const struct portset port = {.has = (1u << PORTSET_COUNT) - 1,
	.speed_bps = 2500 * M,
	.duplex = HOST_DUPLEX_FULL,
	.autoneg = true,
	.pause_rx = true,
	.mtu = 9000,
	.up = true};

/* Single quotes for double ones. */
static json_t *
json(const char *text)
{
	char copy[512];
	assert_true(strlen(text) < sizeof(copy));
	strcpy(copy, text);
	for (char *p = copy; *p; p++) {
		*p = *p == '\'' ? '"' : *p;
	}
	json_t *value = json_loads(copy, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
	assert_non_null(value);
	return value;
}

static void
same_json(json_t *got, const char *want)
{
	json_t *expected = json(want);
	if (!json_equal(got, expected)) {
		char *text = json_dumps(got, 0);
		assert_string_equal(text, want);
	}
	json_decref(expected);
	json_decref(got);
}

static void
names(void **state)
{
	(void)state;
	static const char *const vf[] = {"mac", "vlan", "rate", "trust", "spoofchk", "link", "promisc", "allmulti"};
	static const char *const of_port[] = {"speed", "duplex", "autoneg", "pause-autoneg", "pause-rx", "pause-tx", "mtu", "up"};
	assert_int_equal(COUNT(vf), VFSET_COUNT);
	assert_int_equal(COUNT(of_port), PORTSET_COUNT);
	for (unsigned i = 0; i < COUNT(vf); i++) {
		assert_string_equal(vfset_name(1u << i), vf[i]);
		assert_string_equal(portset_name(1u << i), of_port[i]);
	}
	assert_string_equal(vfset_name(0), "?");
	assert_string_equal(portset_name(1u << PORTSET_COUNT), "?");
}

/* Each bit by itself: only it differs, and copying it makes it equal. */
static void
bits_of_vf(void **state)
{
	(void)state;
	struct vfset none = {.has = VFSET_ALL, .proto = 0x8100};
	assert_int_equal(vfset_diff(&full, &full), 0);
	assert_int_equal(vfset_diff(&none, &full), VFSET_ALL);
	for (unsigned i = 0; i < VFSET_COUNT; i++) {
		struct vfset want = {0}, have = none;
		vfset_copy(&want, &full, 1u << i);
		assert_int_equal(want.has, 1u << i);
		assert_int_equal(vfset_diff(&have, &want), 1u << i);
		vfset_copy(&have, &want, 1u << i);
		assert_int_equal(vfset_diff(&have, &want), 0);
		assert_int_equal(vfset_diff(&have, &full), VFSET_ALL & ~(1u << i));
		have.has &= ~(1u << i);
		assert_int_equal(vfset_diff(&have, &want), 1u << i);
	}
	/* Nothing is copied that is not there. */
	struct vfset have = none, empty = {.mac = 1};
	vfset_copy(&have, &empty, 0);
	assert_int_equal(vfset_diff(&have, &none), 0);
}

static void
parts_of_vf(void **state)
{
	(void)state;
	static const struct vfset base = {.has = VFSET_VLAN | VFSET_RATE, .vlan = 5, .proto = 0x8100, .max_rate_bps = M};
	struct vfset want = base;
	want.qos = 1;
	assert_int_equal(vfset_diff(&base, &want), VFSET_VLAN);
	want = base;
	want.proto = 0x88a8;
	assert_int_equal(vfset_diff(&base, &want), VFSET_VLAN);
	want = base;
	want.min_rate_bps = M;
	assert_int_equal(vfset_diff(&base, &want), VFSET_RATE);
	/* Drivers leave the protocol of no tag at 0. */
	struct vfset none = {.has = VFSET_VLAN}, wanted = {.has = VFSET_VLAN, .proto = 0x8100};
	assert_int_equal(vfset_diff(&none, &wanted), 0);
}

static void
bits_of_port(void **state)
{
	(void)state;
	static const struct portset other = {.has = (1u << PORTSET_COUNT) - 1, .pause_autoneg = true, .pause_tx = true};
	assert_int_equal(portset_diff(&port, &port), 0);
	assert_int_equal(portset_diff(&other, &port), (1u << PORTSET_COUNT) - 1);
	for (unsigned i = 0; i < PORTSET_COUNT; i++) {
		struct portset want = {0}, have = other;
		portset_copy(&want, &port, 1u << i);
		assert_int_equal(want.has, 1u << i);
		assert_int_equal(portset_diff(&have, &want), 1u << i);
		portset_copy(&have, &want, 1u << i);
		assert_int_equal(portset_diff(&have, &want), 0);
		have.has = 0;
		assert_int_equal(portset_diff(&have, &want), 1u << i);
	}
}

static void
texts(void **state)
{
	(void)state;
	char text[64];
	static const char *const vf[] = {
		"52:54:00:00:01:10", "100 qos 3 802.1ad", "2 Gbit/s, at least 100 Mbit/s", "on", "on", "disable", "on", "on"};
	static const char *const none[] = {"00:00:00:00:00:00", "none", "none", "off", "off", "auto", "off", "off"};
	static const char *const of_port[] = {"2.5 Gbit/s", "full", "on", "off", "on", "off", "9000", "on"};
	static const struct vfset nothing = {0};
	for (unsigned i = 0; i < VFSET_COUNT; i++) {
		assert_string_equal(vfset_text(&full, 1u << i, text, sizeof(text)), vf[i]);
		assert_string_equal(vfset_text(&nothing, 1u << i, text, sizeof(text)), none[i]);
		assert_string_equal(portset_text(&port, 1u << i, text, sizeof(text)), of_port[i]);
	}
	struct vfset some = {.vlan = 7, .proto = 0x8100, .min_rate_bps = 50 * M};
	assert_string_equal(vfset_text(&some, VFSET_VLAN, text, sizeof(text)), "7");
	assert_string_equal(vfset_text(&some, VFSET_RATE, text, sizeof(text)), "at least 50 Mbit/s");
	assert_string_equal(vfset_text(&full, VFSET_MAC, text, 6), "52:54");
}

static void
rates(void **state)
{
	(void)state;
	static const struct {
		uint64_t bps;
		const char *want;
	} cases[] = {{0, "0 bit/s"}, {1, "1 bit/s"}, {999999, "999999 bit/s"}, {M, "1 Mbit/s"}, {1500000, "1.5 Mbit/s"},
		{1000 * M, "1 Gbit/s"}, {1001 * M, "1.001 Gbit/s"}, {2500 * M, "2.5 Gbit/s"}, {10000 * M, "10 Gbit/s"},
		{100000 * M, "100 Gbit/s"}, {1000000001, "1000000001 bit/s"}, {1000000 * M, "1000 Gbit/s"},
		{1020 * M, "1.02 Gbit/s"}, {1000500000, "1000.5 Mbit/s"}, {UINT64_MAX, "18446744073709551615 bit/s"}};
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[40];
		assert_string_equal(keys_rate(cases[i].bps, text, sizeof(text)), cases[i].want);
	}
}

static void
to_json(void **state)
{
	(void)state;
	static const struct vfset nothing = {0};
	same_json(vfset_to_json(&full),
		"{'mac':'52:54:00:00:01:10','vlan':100,'qos':3,'proto':'802.1ad','max_rate_bps':2000000000,"
		"'min_rate_bps':100000000,'trust':true,'spoofchk':true,'link':'disable','promisc':true,'allmulti':true}");
	same_json(vfset_to_json(&nothing), "{}");
	same_json(portset_to_json(&port), "{'speed_bps':2500000000,'duplex':'full','autoneg':true,'pause_autoneg':false,"
					  "'pause_rx':true,'pause_tx':false,'mtu':9000,'up':true}");
	/* And back, each bit. */
	for (unsigned i = 0; i < VFSET_COUNT; i++) {
		struct vfset one = {0}, got = {0};
		struct portset of_port = {0}, got_port = {0};
		struct err err;
		vfset_copy(&one, &full, 1u << i);
		portset_copy(&of_port, &port, 1u << i);
		json_t *object = vfset_to_json(&one), *object_port = portset_to_json(&of_port);
		assert_int_equal(vfset_from_json(object, &got, &err), ERR_NONE);
		assert_int_equal(portset_from_json(object_port, &got_port, &err), ERR_NONE);
		assert_int_equal(got.has, one.has);
		assert_int_equal(vfset_diff(&one, &got), 0);
		assert_int_equal(got_port.has, of_port.has);
		assert_int_equal(portset_diff(&of_port, &got_port), 0);
		json_decref(object);
		json_decref(object_port);
	}
}

static void
from_json(void **state)
{
	(void)state;
	struct vfset got;
	struct err err;
	json_t *object = json("{'vlan':7,'max_rate_bps':'2.5G','mac':'5254.0000.0110'}");
	assert_int_equal(vfset_from_json(object, &got, &err), ERR_NONE);
	assert_int_equal(got.has, VFSET_VLAN | VFSET_RATE | VFSET_MAC);
	assert_int_equal(got.vlan, 7);
	assert_int_equal(got.qos, 0);
	assert_int_equal(got.proto, 0x8100);
	assert_int_equal(got.max_rate_bps, 2500 * M);
	assert_int_equal(got.min_rate_bps, 0);
	assert_int_equal(got.mac, 0x525400000110);
	json_decref(object);
	object = json("{'vlan':4094,'qos':7,'min_rate_bps':0}");
	assert_int_equal(vfset_from_json(object, &got, &err), ERR_NONE);
	assert_int_equal(got.has, VFSET_VLAN | VFSET_RATE);
	assert_int_equal(got.vlan, 4094);
	assert_int_equal(got.qos, 7);
	json_decref(object);
	object = json("{}");
	assert_int_equal(vfset_from_json(object, &got, &err), ERR_NONE);
	assert_int_equal(got.has, 0);
	json_decref(object);
}

struct refusal {
	const char *text, *message, *hint;
};

static void
refusals(void **state)
{
	(void)state;
	static const struct refusal vf[] = {
		{"[]", "[] is not an object {...}", ""},
		{"{'vlna':1}", "vlna: unknown key", "mac, vlan, qos, proto, max_rate_bps"},
		{"{'a\\u0001b':1}", "a?b: unknown key", ""},
		{"{'a b\\u007fc':1}", "a b?c: unknown key", ""},
		{"{'a-name-of-more-than-forty-eight-characters-is-cut-short':1}",
			"a-name-of-more-than-forty-eight-characters-is-cu: unknown key", ""},
		{"{'trust':'a text of more than sixty characters is cut, with dots behind it'}",
			"trust: \"a text of more than sixty characters is cut, with dots b... is not true or false", ""},
		{"{'vlan':4095}", "vlan: 4095 is not a VLAN id (0 to 4094)", ""},
		{"{'vlan':-1}", "vlan: -1 is not a VLAN id (0 to 4094)", ""},
		{"{'vlan':'7'}", "vlan: \"7\" is not a VLAN id (0 to 4094)", ""},
		{"{'vlan':1.0}", "vlan: 1.0 is not a VLAN id (0 to 4094)", ""},
		{"{'vlan':7,'qos':8}", "qos: 8 is not a priority (0 to 7)", ""},
		{"{'proto':'802.1q'}", "proto: \"802.1q\" is not \"802.1Q\" or \"802.1ad\"", ""},
		{"{'mac':'auto'}", "mac: \"auto\" is not a MAC address", ""},
		{"{'mac':1}", "mac: 1 is not a MAC address", ""},
		{"{'max_rate_bps':'fast'}", "max_rate_bps: \"fast\" is not a rate in bits a second", "\"2G\""},
		{"{'min_rate_bps':-1}", "min_rate_bps: -1 is not a rate in bits a second", ""},
		{"{'max_rate_bps':'5000T'}", "max_rate_bps: \"5000T\" is not a rate in bits a second", ""},
		{"{'trust':1}", "trust: 1 is not true or false", ""},
		{"{'link':'up'}", "link: \"up\" is not \"auto\" or \"enable\" or \"disable\"", ""},
		{"{'link':null}", "link: null is not \"auto\" or \"enable\" or \"disable\"", ""},
	};
	static const struct refusal of_port[] = {
		{"{'speed':1}", "speed: unknown key", "speed_bps, duplex"},
		{"{'mtu':65536}", "mtu: 65536 is not an MTU (0 to 65535)", ""},
		{"{'duplex':'both'}", "duplex: \"both\" is not", ""},
		{"{'up':'yes'}", "up: \"yes\" is not true or false", ""},
		{"{'speed_bps':'100P'}", "speed_bps: \"100P\" is not a rate in bits a second", ""},
	};
	for (size_t i = 0; i < COUNT(vf) + COUNT(of_port); i++) {
		bool is_port = i >= COUNT(vf);
		const struct refusal *r = is_port ? &of_port[i - COUNT(vf)] : &vf[i];
		struct vfset got = {.has = VFSET_MAC, .mac = 5};
		struct portset got_port = {.has = PORTSET_MTU, .mtu = 5};
		struct err err = {0};
		json_t *object = json(r->text);
		enum err_code code = is_port ? portset_from_json(object, &got_port, &err) : vfset_from_json(object, &got, &err);
		assert_int_equal(code, ERR_USAGE);
		assert_int_equal(err.code, ERR_USAGE);
		if (strncmp(err.message, r->message, strlen(r->message)) != 0) {
			assert_string_equal(err.message, r->message);
		}
		assert_non_null(strstr(err.hint, r->hint));
		/* What was there before stays. */
		assert_int_equal(got.has, VFSET_MAC);
		assert_int_equal(got.mac, 5);
		assert_int_equal(got_port.mtu, 5);
		json_decref(object);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(bits_of_vf),
		cmocka_unit_test(parts_of_vf),
		cmocka_unit_test(bits_of_port),
		cmocka_unit_test(texts),
		cmocka_unit_test(rates),
		cmocka_unit_test(to_json),
		cmocka_unit_test(from_json),
		cmocka_unit_test(refusals),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
