/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/nbr/arp.c lib/nbr/iface.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "nbr/arp.h"

#define IP4(a, b, c, d) ((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))
#define OUR_MAC 0x020000000001ull
#define HOST_MAC 0x0200000000aaull
#define US IP4(10, 0, 0, 1)
#define US_TOO IP4(10, 0, 0, 2)
#define HOST IP4(10, 0, 0, 10)
#define OTHER IP4(10, 0, 0, 11)
#define FAR IP4(192, 0, 2, 1)

static const struct seg_address addresses[] = {
	{{0, US}, SEG_IPV4, 24, 0, 1, 0},
	{{0, US_TOO}, SEG_IPV4, 24, 0, 1, 0},
};
static uint8_t states[SEG_IFACE_ADDRESSES];

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
	struct iface iface = {.number = 3, .mac = OUR_MAC, .enabled = true, .naddresses = 2, .state = states};
	memcpy(iface.address, addresses, sizeof(addresses));
	memset(states, SEG_ADDRESS_PREFERRED, sizeof(states));
	return iface;
}

enum {
	NOTHING,
	LEARN_SENDER = NBR_HEARD_SENDER,
	LEARN_ANSWER = NBR_HEARD_ANSWER | NBR_HEARD_OVERRIDE,
	LEARN_ANNOUNCED = NBR_HEARD_ANNOUNCED | NBR_HEARD_OVERRIDE
};

static const struct input {
	const char *text;
	struct arp arp;
	unsigned learned;
	bool answer, bridge, conflict;
} inputs[] = {
	{"a request for us", {ARP_REQUEST, HOST_MAC, 0, HOST, US}, LEARN_SENDER, true, false, false},
	{"a request for another", {ARP_REQUEST, HOST_MAC, 0, HOST, OTHER}, LEARN_SENDER, false, true, false},
	{"a reply to us", {ARP_REPLY, HOST_MAC, OUR_MAC, HOST, US}, LEARN_ANSWER, false, false, false},
	{"a reply to another", {ARP_REPLY, HOST_MAC, 5, HOST, OTHER}, LEARN_ANSWER, false, true, false},
	{"a gratuitous request", {ARP_REQUEST, HOST_MAC, 0, HOST, HOST}, LEARN_ANNOUNCED, false, true, false},
	{"a gratuitous reply", {ARP_REPLY, HOST_MAC, HOST_MAC, HOST, HOST}, LEARN_ANNOUNCED, false, true, false},
	{"a probe for our address", {ARP_REQUEST, HOST_MAC, 0, 0, US}, NOTHING, true, false, false},
	{"a probe for another", {ARP_REQUEST, HOST_MAC, 0, 0, OTHER}, NOTHING, false, true, false},
	{"a request as us", {ARP_REQUEST, HOST_MAC, 0, US, OTHER}, NOTHING, false, true, true},
	{"a request as us, for us", {ARP_REQUEST, HOST_MAC, 0, US, US_TOO}, NOTHING, false, false, true},
	{"a reply as us", {ARP_REPLY, HOST_MAC, OUR_MAC, US, US_TOO}, NOTHING, false, false, true},
	{"an announcement of our address", {ARP_REQUEST, HOST_MAC, 0, US, US}, NOTHING, false, true, true},
	{"our own announcement, come back", {ARP_REQUEST, OUR_MAC, 0, US, US}, NOTHING, false, true, false},
	{"our own request, come back", {ARP_REQUEST, OUR_MAC, 0, US, HOST}, NOTHING, false, true, false},
	{"our MAC, asks us", {ARP_REQUEST, OUR_MAC, 0, HOST, US}, NOTHING, false, false, false},
	{"a sender of another network", {ARP_REQUEST, HOST_MAC, 0, FAR, US}, NOTHING, true, false, false},
	{"a reply from another network", {ARP_REPLY, HOST_MAC, OUR_MAC, FAR, US}, NOTHING, false, false, false},
	{"a sender that is the broadcast address", {ARP_REQUEST, HOST_MAC, 0, IP4(10, 0, 0, 255), OTHER}, NOTHING, false, true,
		false},
	{"a sender that is the network", {ARP_REQUEST, HOST_MAC, 0, IP4(10, 0, 0, 0), OTHER}, NOTHING, false, true, false},
	{"a group MAC", {ARP_REQUEST, 0x010000000001, 0, HOST, US}, NOTHING, false, false, false},
	{"a reply with the broadcast MAC", {ARP_REPLY, 0xffffffffffff, OUR_MAC, HOST, US}, NOTHING, false, false, false},
	{"no MAC", {ARP_REQUEST, 0, 0, HOST, US}, NOTHING, false, false, false},
	{"another operation (RARP)", {3, HOST_MAC, 0, HOST, US}, NOTHING, false, true, false},
};

static void
test_input(void **state)
{
	(void)state;
	struct iface iface = fixture();

	for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++) {
		const struct input *in = &inputs[i];
		struct arp_verdict verdict;

		memset(&told, 0, sizeof(told));
		memset(&verdict, 0xff, sizeof(verdict));
		arp_input(NULL, &iface, &in->arp, 1, NULL, &verdict);
		print_message("# %s\n", in->text);
		assert_int_equal(told.heard, in->learned);
		assert_int_equal(told.times, in->learned != NOTHING);
		assert_int_equal(verdict.answer, in->answer);
		assert_int_equal(verdict.bridge, in->bridge);
		assert_int_equal(verdict.conflict, in->conflict);
		if (in->learned) {
			struct nbr_key key = nbr_key4(HOST, 3);
			assert_true(nbr_key_same(&told.key, &key));
			assert_int_equal(told.mac, HOST_MAC);
			assert_true(told.create);
		}
		if (in->answer) {
			assert_int_equal(verdict.reply.op, ARP_REPLY);
			assert_int_equal(verdict.reply.sender_mac, OUR_MAC);
			assert_int_equal(verdict.reply.sender, in->arp.target);
			assert_int_equal(verdict.reply.target_mac, HOST_MAC);
			assert_int_equal(verdict.reply.target, in->arp.sender);
		}
		if (in->conflict) {
			assert_int_equal(verdict.which, 0);
		}
	}
}

/* What is not ours as yet, or no more, is not answered; it may be another's. Who has it is told of all the same. */
static void
test_states(void **state)
{
	(void)state;
	struct iface iface = fixture();
	struct arp_verdict verdict;
	struct arp request = {ARP_REQUEST, HOST_MAC, 0, HOST, US_TOO}, reply = {ARP_REPLY, HOST_MAC, OUR_MAC, US_TOO, US};

	states[1] = SEG_ADDRESS_DUPLICATE;
	arp_input(NULL, &iface, &request, 1, NULL, &verdict);
	assert_false(verdict.answer);
	assert_true(verdict.bridge);
	memset(&told, 0, sizeof(told));
	arp_input(NULL, &iface, &reply, 1, NULL, &verdict);
	assert_true(verdict.conflict);
	assert_int_equal(verdict.which, 1);
	assert_int_equal(told.times, 0);
	/* a /31 has no broadcast address (RFC 3021) */
	iface.address[0].length = iface.address[1].length = 31;
	reply.sender = IP4(10, 0, 0, 3);
	arp_input(NULL, &iface, &reply, 1, NULL, &verdict);
	assert_int_equal(told.times, 1);
}

static bool
is(const struct arp *arp, uint32_t sender, uint32_t target)
{
	return arp->op == ARP_REQUEST && arp->sender_mac == OUR_MAC && arp->target_mac == 0 && arp->sender == sender &&
	       arp->target == target;
}

static void
test_ours(void **state)
{
	(void)state;
	struct iface iface = fixture();
	struct arp arp;

	assert_true(arp_request(&iface, HOST, &arp));
	assert_true(is(&arp, US, HOST));
	arp_announcement(&iface, 1, &arp);
	assert_true(is(&arp, US_TOO, US_TOO));
	arp_probe(&iface, 1, &arp);
	assert_true(is(&arp, 0, US_TOO));
	states[0] = states[1] = SEG_ADDRESS_DUPLICATE;
	assert_false(arp_request(&iface, HOST, &arp));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_input),
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_ours),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
