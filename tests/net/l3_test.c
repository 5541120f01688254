/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Routing on a data core without devices, for l3.bats.
 *
 * l3_test same SEED BURSTS: random bursts, once through the passes and once packet by packet with care; the same frames leave in
 * the same order, and the same is counted.
 *
 * l3_test hold: packets that wait for a neighbour. l3_test limit: ICMP errors a second. l3_test edges: single frames that are
 * to be counted, answered or dropped in one way and no other.
 *
 * l3_test cycles: prints what a packet costs from forward_burst() to the device; not for a judgement.
 *
 * links: cmd/pe/l3.c cmd/pe/l3_route.c cmd/pe/l3_send.c cmd/pe/l3_local.c cmd/pe/l3_group.c cmd/pe/l3_error.c cmd/pe/hold.c
 * cmd/pe/neighbor.c cmd/pe/neighbor_io.c cmd/pe/forward.c cmd/pe/transmit.c -lpekit -ldpdk
 */
#include "l3_rig.h"
#include "net/tcp.h"

/* ---- packets ------------------------------------------------------------------------------------------------------ */

static uint64_t state = 1;

static unsigned
pick(unsigned n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)((state * 0x2545f4914f6cdd1dull) >> 33) % n;
}

static bool
rarely(void)
{
	return pick(12) == 0;
}

static uint32_t
some4(unsigned net)
{
	static const uint32_t odd[] = {0, 0x7f000001, 0xe0000001, 0xffffffff, 0xf0000001, 0x0a0201ff, 0x0a02ffff, 0x0a020000,
		0x0b010203, 0x0c000001, 0x0a690001, 0x0a6a0001, 0x0a6b0001, 0x0a010001, 0x0a020001, 0x0a030001};
	return rarely() ? odd[pick(sizeof(odd) / sizeof(odd[0]))] : address4(net ? net : 1 + pick(3), 2 + pick(HOSTS));
}

static void
some6(unsigned net, uint64_t words[2])
{
	const uint64_t odd[][2] = {{0, 0}, {0, 1}, {0xff02ull << 48, 1}, {0xff05ull << 48, 2}, {0xfe80ull << 48, 5},
		{net6(11), 7}, {net6(12), 7}, {net6(105), 7}, {net6(106), 7}, {net6(107), 7}, {net6(1), 1}, {net6(2), 1},
		{net6(3), 1}, {0x0064ff9bull << 32, 9}, {0xfec0ull << 48, 1}, {0, 0xffff0a010002ull}};
	if (rarely()) {
		memcpy(words, odd[pick(16)], 16);
	} else {
		words[0] = net6(net ? net : 1 + pick(3));
		words[1] = 2 + pick(HOSTS);
	}
}

static void
put_payload(struct bytes_out *out, unsigned size)
{
	for (unsigned i = 0; i < size; i++) {
		bytes_put_u8(out, (uint8_t)pick(256));
	}
}

static void
put4(struct bytes_out *out, unsigned net)
{
	static const uint8_t protocols[] = {IP_UDP, IP_TCP, IP_ICMP, 50};
	static const uint8_t ttls[] = {0, 1, 2, 255};
	unsigned payload = rarely() ? pick(1470) : pick(60);
	struct ip4 ip = {.ttl = rarely() ? ttls[pick(4)] : 64,
		.protocol = protocols[pick(4)],
		.source = some4(net),
		.destination = some4(0),
		.id = (uint16_t)pick(65536),
		.fragment = rarely()  ? (uint16_t)pick(65536)
			    : pick(2) ? IP4_DF
				      : 0};
	uint8_t *start_of = out->at;

	if (rarely()) {
		static const uint8_t options[3][8] = {{1, 1, 1, 0}, {131, 7, 4, 10, 0, 0, 1, 0}, {7, 200, 1, 1}};
		ip.noptions = 8;
		memcpy(ip.options, options[pick(3)], 8);
	}
	ip.size = (uint16_t)(IP4_HEADER + ip.noptions + payload + (rarely() ? pick(3) : 0) - (rarely() ? pick(40) : 0));
	ip4_put(out, &ip);
	put_payload(out, payload);
	if (rarely()) {
		start_of[pick(20)] ^= (uint8_t)(1u << pick(8));
	}
}

static void
put6(struct bytes_out *out, unsigned net)
{
	static const uint8_t protocols[] = {IP_UDP, IP_TCP, IP6_ICMP, 0, 44, IP6_NONE, 50};
	static const uint8_t ttls[] = {0, 1, 2, 255};
	unsigned payload = rarely() ? pick(1450) : pick(60);
	struct ip6 ip = {.hops = rarely() ? ttls[pick(4)] : 64, .next = protocols[pick(7)], .traffic_class = (uint8_t)pick(256)};
	uint8_t *start_of = out->at;

	some6(net, ip.source);
	some6(0, ip.destination);
	ip.size = (uint16_t)(payload + (rarely() ? pick(3) : 0));
	ip6_put(out, &ip);
	put_payload(out, payload);
	/* no neighbour discovery: what a cache learns of the first time would change the second */
	if (ip.next == IP6_ICMP && payload && start_of[40] >= ND_RS && start_of[40] <= ND_REDIRECT) {
		start_of[40] = ICMP6_ECHO;
	}
	if (rarely()) {
		start_of[pick(6)] ^= (uint8_t)(1u << pick(8));
	}
}

/* A frame that an interface gets: port 1 untagged or with a priority tag, port 2 in VLAN 7, ports 3 and 4 in VLAN 30. */
static unsigned
make_frame(uint8_t *data, uint16_t port)
{
	static const uint16_t types[] = {ETH_IPV4, ETH_IPV4, ETH_IPV4, ETH_IPV6, ETH_IPV6, 0x88b5};
	unsigned net = port < 3 ? port : 3;
	struct eth eth = {.dst = iface[net].mac,
		.src = mac_of(net, 2 + pick(HOSTS)),
		.type = rarely() ? types[pick(6)] : types[1 + pick(3)]};
	struct bytes_out out = bytes_out(data, 2048);
	uint16_t vid = port == 2 ? 7 : port == 4 ? 30 : 0;

	if (vid || rarely()) {
		eth.tags = 1;
		eth.tag[0] = (struct eth_tag){.tpid = ETH_VLAN, .tci = (uint16_t)(vid | pick(8) << 13)};
	}
	eth_put(&out, &eth);
	if (eth.type == ETH_IPV4) {
		put4(&out, net);
	} else if (eth.type == ETH_IPV6) {
		put6(&out, net);
	} else {
		put_payload(&out, pick(60));
	}
	while (out.at - data < 60 && !rarely()) {
		bytes_put_u8(&out, 0);
	}
	return (unsigned)(out.at - data);
}

static struct rte_mbuf *
mbuf_of(const uint8_t *data, unsigned size)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(engine.pool);
	CHECK(m);
	memcpy(rte_pktmbuf_append(m, (uint16_t)size), data, size);
	return m;
}

/* ---- same --------------------------------------------------------------------------------------------------------- */

struct outcome {
	struct left left[6];
	uint64_t drop[SEG_DROPS], forwarded[2], local[2], fragments, icmp_sent;
};

static void
clear(void)
{
	memset(left, 0, sizeof(left));
	memset(w->mine->drop, 0, sizeof(w->mine->drop));
	memset(&w->mine->l3, 0, sizeof(w->mine->l3));
	memset(w->echo, 0, sizeof(w->echo));
}

static void
take(struct outcome *o)
{
	memset(o, 0, sizeof(*o));
	memcpy(o->left, left, sizeof(left));
	for (unsigned i = 0; i < SEG_DROPS; i++) {
		o->drop[i] = w->mine->drop[i].packets;
	}
	memcpy(o->forwarded, w->mine->l3.forwarded, sizeof(o->forwarded));
	memcpy(o->local, w->mine->l3.local, sizeof(o->local));
	o->fragments = w->mine->l3.fragments;
	o->icmp_sent = w->mine->l3.icmp_sent;
}

static void
explain(const struct outcome *a, const struct outcome *b)
{
	for (unsigned p = 1; p <= 4; p++) {
		printf("port %u: %u and %u frames, %s\n", p, a->left[p].frames, b->left[p].frames,
			a->left[p].digest == b->left[p].digest ? "the same" : "others");
	}
	for (unsigned i = 0; i < SEG_DROPS; i++) {
		if (a->drop[i] != b->drop[i]) {
			printf("drop reason %u: %lu and %lu\n", i, a->drop[i], b->drop[i]);
		}
	}
}

static uint64_t total[SEG_DROPS + 4];

static void
same_burst(unsigned turn)
{
	static uint8_t data[BURST][2048];
	unsigned size[BURST], n = 1 + pick(BURST);
	uint16_t port = (uint16_t)(1 + pick(4)), net = port < 3 ? port : 3, fid[BURST];
	struct rte_mbuf *frame[BURST];
	struct outcome passes, careful;

	for (unsigned i = 0; i < n; i++) {
		size[i] = make_frame(data[i], port);
		frame[i] = mbuf_of(data[i], size[i]);
		fid[i] = net;
	}
	clear();
	l3_burst(w, port, fid, frame, n);
	transmit_flush(w);
	take(&passes);
	clear();
	for (unsigned i = 0; i < n; i++) {
		l3_careful(w, &iface[net], port, mbuf_of(data[i], size[i]));
	}
	transmit_flush(w);
	take(&careful);
	for (unsigned i = 0; i < SEG_DROPS; i++) {
		total[i] += careful.drop[i];
	}
	total[SEG_DROPS] += careful.forwarded[0];
	total[SEG_DROPS + 1] += careful.forwarded[1];
	total[SEG_DROPS + 2] += careful.icmp_sent;
	total[SEG_DROPS + 3] += careful.fragments;
	if (memcmp(&passes, &careful, sizeof(passes)) != 0) {
		printf("burst %u of %u frames from port %u: the passes (first) and the careful path (second) differ\n", turn, n,
			port);
		explain(&passes, &careful);
		exit(1);
	}
}

static void
same(uint64_t seed, unsigned bursts)
{
	state = seed * 2654435761u + 1;
	unsigned before = rte_mempool_avail_count(engine.pool);
	for (unsigned i = 0; i < bursts; i++) {
		same_burst(i);
	}
	CHECK(rte_mempool_avail_count(engine.pool) == before);
	/* a test that sees nothing proves nothing */
	static const uint8_t seen[] = {SEG_DROP_L3_HEADER, SEG_DROP_L3_SOURCE, SEG_DROP_L3_TTL, SEG_DROP_L3_NO_ROUTE,
		SEG_DROP_L3_BLACKHOLE, SEG_DROP_L3_SCOPE, SEG_DROP_L3_TOO_BIG, SEG_DROP_L3_NO_SERVICE, SEG_DROP_L3_SOURCE_ROUTE,
		SEG_DROP_L3_TYPE, SEG_DROPS, SEG_DROPS + 1, SEG_DROPS + 2, SEG_DROPS + 3};
	for (unsigned i = 0; i < sizeof(seen) && bursts >= 1000; i++) {
		CHECK(total[seen[i]] > 0);
	}
	printf("%u bursts: routed %lu IPv4 and %lu IPv6, %lu ICMP, %lu fragments\n", bursts, total[SEG_DROPS],
		total[SEG_DROPS + 1], total[SEG_DROPS + 2], total[SEG_DROPS + 3]);
}

/* ---- hold --------------------------------------------------------------------------------------------------------- */

#define ABSENT 0x8000 /* a host that is no neighbour as yet */

static struct rte_mbuf *
udp4(unsigned net, unsigned host, unsigned number)
{
	uint8_t data[64] = {0};
	struct bytes_out out = bytes_out(data, sizeof(data));
	const struct eth eth = {.dst = iface[1].mac, .src = mac_of(1, 2), .type = ETH_IPV4};
	const struct ip4 ip = {.ttl = 64,
		.protocol = IP_UDP,
		.size = 40,
		.id = (uint16_t)number,
		.source = address4(1, 2),
		.destination = address4(net, host)};

	eth_put(&out, &eth);
	ip4_put(&out, &ip);
	return mbuf_of(data, 60);
}

static void
route_one(struct rte_mbuf *m)
{
	forward_burst(w, 1, &m, 1);
	transmit_flush(w);
}

static unsigned
last_id(void)
{
	unsigned at = last[12] == 0x81 ? 18 : 14;
	return (unsigned)(last[at + 4] << 8 | last[at + 5]);
}

/* The neighbour answers, or nobody has. */
static void
heard(unsigned net, unsigned host)
{
	const struct nbr_key key = nbr_key4(address4(net, host), net);
	nbr_cache_heard(&w->nbr->cache[SEG_IPV4], &key, mac_of(net, host & 0xffff), NBR_HEARD_ANSWER | NBR_HEARD_OVERRIDE, true,
		now, &w->nbr->out[SEG_IPV4]);
	neighbor_flush(w);
	transmit_flush(w);
}

static void
pass(uint64_t ns)
{
	for (uint64_t end = now + ns; now < end; now += 1000000) {
		w->now_ns = now;
		neighbor_tick(w);
	}
	transmit_flush(w);
}

static void
hold(void)
{
	const struct seg_drop_count *drop = w->mine->drop;
	const struct seg_l3_count *l3 = &w->mine->l3;
	unsigned before = rte_mempool_avail_count(engine.pool);

	for (unsigned i = 1; i <= 6; i++) {
		route_one(udp4(1, ABSENT, i));
	}
	CHECK(left[1].frames == 1 && l3->arp_sent == 1);
	CHECK(l3->forwarded[SEG_IPV4] == 0); /* as long as nobody answers */
	CHECK(drop[SEG_DROP_NBR_HELD].packets == 2 && l3->holding == 4 && l3->held == 6);
	unsigned digest_of = left[1].frames;
	heard(1, ABSENT);
	CHECK(left[1].frames == digest_of + 4 && last_id() == 6 && l3->released == 4 && l3->holding == 0);
	route_one(udp4(1, ABSENT, 7));
	CHECK(left[1].frames == digest_of + 5 && last_id() == 7);
	CHECK(l3->forwarded[SEG_IPV4] == 5);

	/* four for each of two, and two more for a third: ten in all */
	for (unsigned i = 0; i < 12; i++) {
		route_one(udp4(1, ABSENT + 1 + i / 4, i));
	}
	CHECK(l3->holding == 10 && drop[SEG_DROP_NBR_HELD_ALL].packets == 2);
	/* one whose own queue is full takes the place of its oldest: the total does not grow */
	route_one(udp4(1, ABSENT + 1, 99));
	CHECK(l3->holding == 10 && drop[SEG_DROP_NBR_HELD].packets == 3);
	uint64_t icmp = l3->icmp_sent;
	pass(5000000000);
	CHECK(l3->holding == 0 && drop[SEG_DROP_NBR_FAILED].packets == 10 && l3->icmp_sent == icmp + 10);
	CHECK(l3->forwarded[SEG_IPV4] == 5);

	/* an engine that ends with packets held gives them back */
	route_one(udp4(1, ABSENT + 9, 1));
	route_one(udp4(2, ABSENT + 9, 1));
	CHECK(l3->holding == 2);
	neighbor_free(w->nbr);
	CHECK(rte_mempool_avail_count(engine.pool) == before);
}

/* ---- limit -------------------------------------------------------------------------------------------------------- */

static void
limit(void)
{
	const struct seg_l3_count *l3 = &w->mine->l3;

	plan.police.icmp_pps = 100;
	for (unsigned i = 0; i < 1000; i++) {
		now += 1000000;
		w->now_ns = now;
		route_one(udp4(250, 1, i));
	}
	CHECK(l3->icmp_sent >= 100 && l3->icmp_sent <= 110);
	CHECK(l3->icmp_sent + l3->icmp_limited == 1000);
	CHECK(w->mine->drop[SEG_DROP_L3_NO_ROUTE].packets == 1000);

	/* what the limit refuses asks for no buffer */
	static struct rte_mbuf *all[8192];
	unsigned n = 0;
	struct rte_mbuf *frame = udp4(250, 1, 1);
	while ((all[n] = rte_pktmbuf_alloc(engine.pool))) {
		n++;
	}
	uint64_t limited = l3->icmp_limited;
	route_one(frame);
	CHECK(l3->icmp_limited == limited + 1);
	rte_pktmbuf_free_bulk(all, n);
}

/* ---- edges -------------------------------------------------------------------------------------------------------- */

static uint64_t
dropped_by(enum seg_drop reason)
{
	return w->mine->drop[reason].packets;
}

static uint64_t
dropped_all(void)
{
	uint64_t sum = 0;
	for (unsigned i = 0; i < SEG_DROPS; i++) {
		sum += w->mine->drop[i].packets;
	}
	return sum;
}

static void
send_arp(uint16_t port, unsigned net, uint32_t sender, uint32_t target, uint8_t hardware)
{
	uint8_t data[64] = {0};
	struct bytes_out out = bytes_out(data, sizeof(data));
	const struct eth eth = {.dst = 0xffffffffffffull, .src = mac_of(net, 2), .type = ETH_ARP};
	const struct arp arp = {.op = ARP_REQUEST, .sender_mac = mac_of(net, 2), .sender = sender, .target = target};

	eth_put(&out, &eth);
	arp_put(&out, &arp);
	data[ETH_HEADER + 1] = hardware;
	struct rte_mbuf *m = mbuf_of(data, 60);
	forward_burst(w, port, &m, 1);
	transmit_flush(w);
}

/* To ff02::1: an echo request, or a neighbour discovery message. */
static void
send_icmp6(uint8_t type, uint64_t group_high)
{
	uint8_t data[128] = {0};
	struct bytes_out out = bytes_out(data, sizeof(data));
	const struct eth eth = {.dst = 0x333300000001, .src = mac_of(1, 2), .type = ETH_IPV6};
	const struct ip6 ip = {.next = IP6_ICMP, .hops = 255, .size = 8, .source = {net6(1), 2}, .destination = {group_high, 1}};
	uint8_t message[8] = {type};
	uint16_t sum = csum_fold(
		csum_add(csum_pseudo6_words(ip.source, ip.destination, sizeof(message), IP6_ICMP), message, sizeof(message)));

	message[2] = (uint8_t)(sum >> 8);
	message[3] = (uint8_t)sum;
	eth_put(&out, &eth);
	ip6_put(&out, &ip);
	memcpy(out.at, message, sizeof(message));
	route_one(mbuf_of(data, ETH_HEADER + IP6_HEADER + 8));
}

/* Groups: what is looked at is no drop, what is bad is one on a port and none of the port's on a bridge. */
static void
edges_group(void)
{
	const struct seg_l3_count *l3 = &w->mine->l3;
	const struct seg_port_count *port = w->mine->port;

	send_arp(1, 1, address4(1, 2), address4(1, 9), 1); /* for another */
	send_arp(1, 1, address4(1, 2), address4(1, 2), 1); /* gratuitous */
	send_arp(1, 1, address4(1, 2), address4(1, 1), 1);
	CHECK(l3->arp_received == 3 && l3->arp_sent == 1);
	send_icmp6(ND_RS, 0xff02ull << 48);
	send_icmp6(ICMP6_ECHO, 0xff02ull << 48);
	CHECK(l3->nd_received == 1 && l3->icmp_sent == 1);
	CHECK(dropped_all() == 0 && port[1].rx_dropped == 0);
	send_icmp6(ICMP6_ECHO, 0xff05ull << 48);
	CHECK(dropped_by(SEG_DROP_L3_SCOPE) == 1 && port[1].rx_dropped == 1);
	send_arp(1, 1, address4(1, 2), address4(1, 9), 77);
	send_icmp6(ND_NA, 0xff02ull << 48);
	CHECK(dropped_by(SEG_DROP_ARP_BAD) == 1 && dropped_by(SEG_DROP_ND_BAD) == 1);
	CHECK(dropped_all() == 3 && port[1].rx_dropped == 3);

	unsigned before = left[4].frames;
	send_arp(3, 3, address4(3, 2), address4(3, 9), 77);
	CHECK(dropped_by(SEG_DROP_ARP_BAD) == 2 && port[3].rx_dropped == 0 && left[4].frames == before + 1);
}

static void
send4(uint32_t destination, uint8_t ttl, unsigned payload)
{
	uint8_t data[1514] = {0};
	struct bytes_out out = bytes_out(data, sizeof(data));
	const struct eth eth = {.dst = iface[1].mac, .src = mac_of(1, 2), .type = ETH_IPV4};
	const struct ip4 ip = {.ttl = ttl,
		.protocol = IP_UDP,
		.size = (uint16_t)(IP4_HEADER + payload),
		.source = address4(1, 2),
		.destination = destination};

	eth_put(&out, &eth);
	ip4_put(&out, &ip);
	route_one(mbuf_of(data, ETH_HEADER + ip.size));
}

/* A TCP SYN from nobody. */
static void
send_syn(void)
{
	uint8_t data[128] = {0};
	struct bytes_out out = bytes_out(data, sizeof(data));
	const struct eth eth = {.dst = iface[1].mac, .src = mac_of(1, 2), .type = ETH_IPV6};
	const struct ip6 ip = {.next = IP_TCP, .hops = 64, .size = TCP_HEADER, .destination = {net6(1), 1}};
	const struct tcp tcp = {.source = 1000, .destination = 22, .flags = TCP_SYN};

	eth_put(&out, &eth);
	ip6_put(&out, &ip);
	tcp_put(&out, &tcp, csum_pseudo6_words(ip.source, ip.destination, TCP_HEADER, IP_TCP));
	route_one(mbuf_of(data, ETH_HEADER + IP6_HEADER + TCP_HEADER));
}

static void
edges(void)
{
	const struct seg_l3_count *l3 = &w->mine->l3;
	unsigned before = rte_mempool_avail_count(engine.pool);

	edges_group();
	/* nothing is said about a directed broadcast */
	clear();
	send4(address4(2, 0xffff), 1, 20);
	CHECK(dropped_by(SEG_DROP_L3_SCOPE) == 1 && dropped_all() == 1 && l3->icmp_sent == 0);
	send4(address4(2, 5), 1, 20);
	CHECK(dropped_by(SEG_DROP_L3_TTL) == 1 && l3->icmp_sent == 1);
	clear();
	send_syn();
	CHECK(dropped_by(SEG_DROP_L3_SOURCE) == 1 && dropped_all() == 1 && left[1].frames == 0);
	/* no room for eight bytes behind a header */
	clear();
	iface[2].mtu = 27;
	send4(address4(2, 5), 64, 20);
	CHECK(dropped_by(SEG_DROP_L3_TOO_BIG) == 1 && dropped_all() == 1 && left[2].frames == 0);
	CHECK(rte_mempool_avail_count(engine.pool) == before);
}

/* ---- cycles ------------------------------------------------------------------------------------------------------- */

#define BURSTS 200000

static int
by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

static unsigned
plain_frame(uint8_t *data, unsigned family, unsigned in, unsigned out_net, unsigned host)
{
	struct bytes_out out = bytes_out(data, 64);
	struct eth eth = {.dst = iface[in].mac, .src = mac_of(in, 2), .type = family ? ETH_IPV6 : ETH_IPV4};
	struct ip4 four = {
		.ttl = 64, .protocol = IP_UDP, .size = 46, .source = address4(in, 2), .destination = address4(out_net, host)};
	struct ip6 six = {.hops = 64, .next = IP_UDP, .size = 6, .source = {net6(in), 2}, .destination = {net6(out_net), host}};

	memset(data, 0, 64);
	eth_put(&out, &eth);
	if (family) {
		ip6_put(&out, &six);
	} else {
		ip4_put(&out, &four);
	}
	return 60;
}

static struct rte_mbuf *late[TX_BATCH];
static unsigned nlate;

/* Frees later: that is no part of what is measured. */
static uint16_t
tx_late(struct port *port, uint16_t queue, struct rte_mbuf **frame, uint16_t n)
{
	(void)port;
	(void)queue;
	memcpy(late + nlate, frame, n * sizeof(*frame));
	nlate += n;
	return n;
}

static void
cycles_of(const char *what, unsigned family, unsigned port, unsigned to, unsigned hosts)
{
	static uint8_t data[HOSTS][64];
	static uint64_t took[BURSTS];
	unsigned net = port < 3 ? port : 3;

	for (unsigned i = 0; i < hosts; i++) {
		plain_frame(data[i], family, net, to, 2 + (to == 3 ? i / 8 * 8 + 1 : i));
		if (port == 5) {
			mac_put(mac_of(3, 2 + i / 8 * 8 + 1), data[i]);
			mac_put(mac_of(5, 2), data[i] + 6);
		}
	}
	for (unsigned b = 0, at = 0; b < BURSTS; b++) {
		struct rte_mbuf *frame[BURST];
		CHECK(rte_pktmbuf_alloc_bulk(engine.pool, frame, BURST) == 0);
		for (unsigned i = 0; i < BURST; i++, at = (at + 1) % hosts) {
			memcpy(rte_pktmbuf_append(frame[i], 60), data[at], 60);
		}
		uint64_t from = rte_rdtsc_precise();
		forward_burst(w, (uint16_t)port, frame, BURST);
		transmit_flush(w);
		took[b] = rte_rdtsc_precise() - from;
		CHECK(nlate == BURST);
		rte_pktmbuf_free_bulk(late, nlate);
		nlate = 0;
	}
	qsort(took, BURSTS, sizeof(took[0]), by_size);
	printf("%-28s %5u destinations: median %.1f, least %.1f cycles a packet\n", what, hosts, (double)took[BURSTS / 2] / BURST,
		(double)took[BURSTS / 1000] / BURST);
}

/* Port 5 to port 3, for comparison. */
static void
cycles_bridge(unsigned hosts)
{
	plan.port[5] = (struct plan_port){.used = true, .enabled = true, .l3 = true, .bridge = 1, .untagged_fid = 3};
	struct fdb *fdb = &w->replica.fdb;
	const uint64_t key = fdb_key(mac_of(5, 2), 3);
	struct seg_cold cold = {.stamp = 1};
	CHECK(fdb_find(fdb, key) != FDB_NONE ||
		fdb_insert(fdb, key, fdb_value(5, fdb->flush_seq, SEG_VALUE_USED), &cold) != FDB_NONE);
	cycles_of("bridge", SEG_IPV4, 5, 3, hosts);
}

static void
cycles(void)
{
	driver.tx = tx_late;
	for (unsigned hosts = 16; hosts <= HOSTS; hosts *= 256) {
		cycles_bridge(hosts);
		cycles_of("IPv4, port to port", SEG_IPV4, 1, 1, hosts);
		cycles_of("IPv4, port to tagged port", SEG_IPV4, 1, 2, hosts);
		cycles_of("IPv4, port to bridge", SEG_IPV4, 1, 3, hosts);
		cycles_of("IPv4, bridge to port", SEG_IPV4, 3, 1, hosts);
		cycles_of("IPv6, port to port", SEG_IPV6, 1, 1, hosts);
		cycles_of("IPv6, bridge to port", SEG_IPV6, 3, 1, hosts);
	}
}

int
main(int argc, char **argv)
{
	uint64_t seed = 1, bursts = 1000;

	CHECK(argc >= 2);
	if (argc >= 4) {
		CHECK(num_parse_u64(argv[2], 0, UINT64_MAX, &seed) && num_parse_u64(argv[3], 1, 100000000, &bursts));
	}
	start();
	if (!strcmp(argv[1], "same")) {
		same(seed, (unsigned)bursts);
	} else if (!strcmp(argv[1], "hold")) {
		hold();
	} else if (!strcmp(argv[1], "limit")) {
		limit();
	} else if (!strcmp(argv[1], "edges")) {
		edges();
	} else if (!strcmp(argv[1], "cycles")) {
		cycles();
	}
	return 0;
}
