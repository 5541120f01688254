/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/nbr/nd.c lib/nbr/iface.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "nbr/nd.h"

#define OUR_MAC 0x020000000001ull
#define HOST_MAC 0x0200000000aaull
#define LL 0xfe80000000000000ull
#define DB8 0x20010db800000000ull
#define US \
	{ \
		DB8, 0x1111 \
	}
#define US_TENTATIVE \
	{ \
		DB8, 0x2222 \
	}
#define US_DUPLICATE \
	{ \
		DB8, 0x3333 \
	}
#define US_LINK \
	{ \
		LL, 0x1 \
	}
#define HOST \
	{ \
		DB8, 0xaaaa \
	}
#define HOST_LINK \
	{ \
		LL, 0xaa \
	}
#define OTHER \
	{ \
		DB8, 0xbbbb \
	}
#define FAR \
	{ \
		0x2a00000000000000, 1 \
	}
#define NONE \
	{ \
		0, 0 \
	}
#define ALL_NODES \
	{ \
		0xff02000000000000, 1 \
	}
#define ALL_ROUTERS \
	{ \
		0xff02000000000000, 2 \
	}
#define GROUP(low) \
	{ \
		0xff02000000000000, 0x1ff000000 | (low) \
	}

static const struct seg_address addresses[] = {
	{US, SEG_IPV6, 64, 0, 1, 0},
	{US_TENTATIVE, SEG_IPV6, 64, 0, 1, 0},
	{US_DUPLICATE, SEG_IPV6, 64, 0, 1, 0},
	{US_LINK, SEG_IPV6, 64, 1, 1, 0},
};
static const uint8_t states[] = {SEG_ADDRESS_PREFERRED, SEG_ADDRESS_TENTATIVE, SEG_ADDRESS_DUPLICATE, SEG_ADDRESS_PREFERRED};

/* What the cache was told. */
static struct {
	unsigned times, heard;
	struct nbr_key key;
	uint64_t mac;
	bool create;
} told;

void
nbr_cache_heard(struct nbr_cache *c, const struct nbr_key *key, uint64_t mac, unsigned heard, bool create, uint64_t now,
	struct nbr_out *out)
{
	(void)c, (void)now, (void)out;
	told.times++;
	told.key = *key;
	told.mac = mac;
	told.heard = heard;
	told.create = create;
}

static struct iface
fixture(void)
{
	struct iface iface = {.number = 3, .mac = OUR_MAC, .enabled = true, .naddresses = 4, .state = states};
	memcpy(iface.address, addresses, sizeof(addresses));
	return iface;
}

#define R ND_NA_ROUTER
#define S ND_NA_SOLICITED
#define O ND_NA_OVERRIDE
#define H(word) NBR_HEARD_##word

enum { BAD = 1, ANSWER = 2, CONFLICT = 4, TESTING = 8, RS = 16, RA = 32 };

static const struct input {
	const char *text;
	uint64_t source[2], destination[2];
	uint8_t type, flags;
	uint64_t target[2], mac; /* 0: no option */
	unsigned learned;        /* of what: the source, or an NA's target */
	unsigned verdict;
	int which;
} inputs[] = {
	{"NS for us", HOST, GROUP(0x1111), ND_NS, 0, US, HOST_MAC, H(SENDER), ANSWER, 0},
	{"NS for us, unicast", HOST, US, ND_NS, 0, US, HOST_MAC, H(SENDER), ANSWER, 0},
	{"NS for us without its address", HOST, US, ND_NS, 0, US, 0, 0, ANSWER, 0},
	{"NS from a link-local address", HOST_LINK, GROUP(0x1111), ND_NS, 0, US, HOST_MAC, H(SENDER), ANSWER, 0},
	{"NS from another network is answered, not learned", FAR, GROUP(0x1111), ND_NS, 0, US, HOST_MAC, 0, ANSWER, 0},
	{"NS with a group MAC", HOST, US, ND_NS, 0, US, 0x010000000001, 0, ANSWER, 0},
	{"NS for another", HOST, GROUP(0xbbbb), ND_NS, 0, OTHER, HOST_MAC, 0, 0, 0},
	{"NS for a group", HOST, US, ND_NS, 0, ALL_NODES, HOST_MAC, 0, BAD, 0},
	{"DAD for ours", NONE, GROUP(0x1111), ND_NS, 0, US, 0, 0, ANSWER, 0},
	{"DAD for another", NONE, GROUP(0xbbbb), ND_NS, 0, OTHER, 0, 0, 0, 0},
	{"DAD for one that we test", NONE, GROUP(0x2222), ND_NS, 0, US_TENTATIVE, 0, 0, CONFLICT | TESTING, 1},
	{"NS for one that we test", HOST, GROUP(0x2222), ND_NS, 0, US_TENTATIVE, HOST_MAC, 0, 0, 0},
	{"NS for a duplicate", HOST, GROUP(0x3333), ND_NS, 0, US_DUPLICATE, HOST_MAC, 0, 0, 0},
	{"DAD for a duplicate", NONE, GROUP(0x3333), ND_NS, 0, US_DUPLICATE, 0, 0, 0, 0},
	{"DAD to a unicast address", NONE, US, ND_NS, 0, US, 0, 0, BAD, 0},
	{"DAD to all nodes", NONE, ALL_NODES, ND_NS, 0, US, 0, 0, BAD, 0},
	{"DAD with a link-layer address", NONE, GROUP(0x1111), ND_NS, 0, US, HOST_MAC, 0, BAD, 0},
	{"NS as us", US, GROUP(0xbbbb), ND_NS, 0, OTHER, HOST_MAC, 0, CONFLICT, 0},
	{"our own NS, come back", US, GROUP(0xbbbb), ND_NS, 0, OTHER, OUR_MAC, 0, 0, 0},
	{"NS as us, without a MAC", US, OTHER, ND_NS, 0, OTHER, 0, 0, 0, 0},

	{"NA, solicited", HOST, US, ND_NA, S | O, HOST, HOST_MAC, H(ANSWER) | H(OVERRIDE) | H(HOST), 0, 0},
	{"NA, solicited, no override", HOST, US, ND_NA, S, HOST, HOST_MAC, H(ANSWER) | H(HOST), 0, 0},
	{"NA of a router", HOST, US, ND_NA, R | S | O, HOST, HOST_MAC, H(ANSWER) | H(OVERRIDE) | H(ROUTER), 0, 0},
	{"NA, unsolicited", HOST, ALL_NODES, ND_NA, O, HOST, HOST_MAC, H(ANNOUNCED) | H(OVERRIDE) | H(HOST), 0, 0},
	{"NA without its address", HOST, US, ND_NA, S, HOST, 0, H(ANSWER) | H(HOST) | H(NO_MAC), 0, 0},
	{"NA by a proxy", OTHER, US, ND_NA, S, HOST, HOST_MAC, H(ANSWER) | H(HOST), 0, 0},
	{"NA with a group MAC", HOST, US, ND_NA, S | O, HOST, 0x333300000001, 0, 0, 0},
	{"NA with our MAC", HOST, US, ND_NA, S | O, HOST, OUR_MAC, 0, 0, 0},
	{"NA to all, solicited", HOST, ALL_NODES, ND_NA, S | O, HOST, HOST_MAC, 0, BAD, 0},
	{"NA of a group", HOST, US, ND_NA, S | O, ALL_NODES, HOST_MAC, 0, BAD, 0},
	{"NA of our address", HOST, ALL_NODES, ND_NA, O, US, HOST_MAC, 0, CONFLICT, 0},
	{"NA of our address without a MAC", HOST, ALL_NODES, ND_NA, O, US, 0, 0, CONFLICT, 0},
	{"NA of one that we test", US_TENTATIVE, ALL_NODES, ND_NA, O, US_TENTATIVE, HOST_MAC, 0, CONFLICT, 1},
	{"NA of a duplicate", US_DUPLICATE, ALL_NODES, ND_NA, O, US_DUPLICATE, HOST_MAC, 0, CONFLICT, 2},
	{"our own NA, come back", US, ALL_NODES, ND_NA, R | O, US, OUR_MAC, 0, 0, 0},

	{"RS", HOST_LINK, ALL_ROUTERS, ND_RS, 0, NONE, HOST_MAC, H(SENDER) | H(HOST), RS, 0},
	{"RS without a MAC", HOST_LINK, ALL_ROUTERS, ND_RS, 0, NONE, 0, H(SENDER) | H(HOST) | H(NO_MAC), RS, 0},
	{"RS from nobody", NONE, ALL_ROUTERS, ND_RS, 0, NONE, 0, 0, RS, 0},
	{"RS from nobody with a MAC", NONE, ALL_ROUTERS, ND_RS, 0, NONE, HOST_MAC, 0, BAD, 0},
	{"RA", HOST_LINK, ALL_NODES, ND_RA, 0, NONE, HOST_MAC, H(SENDER) | H(ROUTER), RA, 0},
	{"RA without a MAC", HOST_LINK, ALL_NODES, ND_RA, 0, NONE, 0, H(SENDER) | H(ROUTER) | H(NO_MAC), RA, 0},
	{"RA from a global address", HOST, ALL_NODES, ND_RA, 0, NONE, HOST_MAC, 0, BAD, 0},
	{"our own RA, come back", US_LINK, ALL_NODES, ND_RA, 0, NONE, OUR_MAC, 0, 0, 0},
	{"an RA as us", US_LINK, ALL_NODES, ND_RA, 0, NONE, HOST_MAC, 0, CONFLICT, 3},
	{"a redirect", HOST_LINK, US, ND_REDIRECT, 0, HOST, HOST_MAC, 0, 0, 0},
};

static void
check_answer(const struct input *in, const struct nd_verdict *verdict)
{
	static const uint64_t all_nodes[2] = ALL_NODES;
	bool dad = !in->source[0];

	assert_int_equal(verdict->reply.type, ND_NA);
	assert_int_equal(verdict->reply.flags, dad ? R | O : R | S | O);
	assert_memory_equal(verdict->reply.target, in->target, 16);
	assert_true(verdict->reply.has_mac);
	assert_int_equal(verdict->reply.mac, OUR_MAC);
	assert_memory_equal(verdict->reply_source, in->target, 16);
	assert_memory_equal(verdict->reply_to, dad ? all_nodes : in->source, 16);
	assert_int_equal(verdict->reply_mac, dad ? 0x333300000001 : in->mac == HOST_MAC ? HOST_MAC : 0);
}

static void
test_input(void **state)
{
	(void)state;
	struct iface iface = fixture();

	for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++) {
		const struct input *in = &inputs[i];
		struct nd nd = {.type = in->type, .flags = in->flags, .has_mac = in->mac != 0, .mac = in->mac};
		struct nd_verdict v;
		const uint64_t *about = in->type == ND_NA ? in->target : in->source;

		memcpy(nd.target, in->target, sizeof(nd.target));
		memset(&told, 0, sizeof(told));
		memset(&v, 0xff, sizeof(v));
		nd_input(NULL, &iface, in->source, in->destination, &nd, 1, NULL, &v);
		print_message("# %s\n", in->text);
		assert_int_equal(told.heard, in->learned);
		assert_int_equal(told.times, in->learned != 0);
		assert_int_equal((v.bad ? BAD : 0) | (v.answer ? ANSWER : 0) | (v.conflict ? CONFLICT : 0) |
					 (v.testing ? TESTING : 0) | (v.solicited_ra ? RS : 0) | (v.router ? RA : 0),
			in->verdict);
		if (in->learned) {
			struct nbr_key key = nbr_key6(about[0], about[1], 3);
			assert_true(nbr_key_same(&told.key, &key));
			assert_int_equal(told.mac, in->mac);
			/* an NA makes no entry (7.2.5) */
			assert_int_equal(told.create, in->type != ND_NA && in->mac);
		}
		if (in->verdict & ANSWER) {
			check_answer(in, &v);
		}
		if (in->verdict & CONFLICT) {
			assert_int_equal(v.which, in->which);
		}
	}
}

static void
test_ours(void **state)
{
	(void)state;
	struct iface iface = fixture();
	static const uint64_t us[2] = US, us_link[2] = US_LINK, host[2] = {DB8, 0x123456789abcdef0}, none[2] = NONE,
			      group[2] = GROUP(0xbcdef0), all_nodes[2] = ALL_NODES, link_host[2] = HOST_LINK,
			      tentative[2] = US_TENTATIVE, tentative_group[2] = GROUP(0x2222);
	uint64_t source[2], to[2];
	struct nd nd;

	assert_true(nd_solicitation(&iface, host, false, &nd, source, to));
	assert_true(nd.type == ND_NS && nd.has_mac && nd.mac == OUR_MAC && nd.flags == 0);
	assert_memory_equal(nd.target, host, 16);
	assert_memory_equal(source, us, 16);
	assert_memory_equal(to, group, 16);
	assert_int_equal(nd_multicast_mac(to), 0x3333ffbcdef0);
	assert_true(nd_solicitation(&iface, link_host, true, &nd, source, to));
	assert_memory_equal(source, us_link, 16);
	assert_memory_equal(to, link_host, 16);

	nd_dad(&iface, 1, &nd, source, to);
	assert_true(nd.type == ND_NS && !nd.has_mac);
	assert_memory_equal(nd.target, tentative, 16);
	assert_memory_equal(source, none, 16);
	assert_memory_equal(to, tentative_group, 16);

	nd_announcement(&iface, 0, &nd, source, to);
	assert_true(nd.type == ND_NA && nd.flags == (R | O) && nd.has_mac && nd.mac == OUR_MAC);
	assert_memory_equal(nd.target, us, 16);
	assert_memory_equal(source, us, 16);
	assert_memory_equal(to, all_nodes, 16);

	/* nothing to ask with */
	static const uint8_t tested[] = {SEG_ADDRESS_TENTATIVE, SEG_ADDRESS_TENTATIVE, SEG_ADDRESS_DUPLICATE, SEG_ADDRESS_NONE};
	iface.state = tested;
	assert_false(nd_solicitation(&iface, host, false, &nd, source, to));
}

static void
test_steer(void **state)
{
	(void)state;
	static const uint64_t source[2] = HOST_LINK;
	static const struct nd na = {.type = ND_NA, .target = HOST}, ns = {.type = ND_NS, .target = HOST};
	uint64_t address[2];

	nd_steer(&na, source, address);
	assert_memory_equal(address, na.target, 16);
	nd_steer(&ns, source, address);
	assert_memory_equal(address, source, 16);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_input),
		cmocka_unit_test(test_ours),
		cmocka_unit_test(test_steer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
