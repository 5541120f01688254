/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/vf/ledger_trim.c lib/vf/ledger.c lib/vf/ledger_line.c lib/vf/step.c lib/vf/host.c lib/vf/names.c lib/vf/pci.c */
/* links: lib/vf/portset.c lib/vf/vfset.c lib/vf/keys.c lib/json/field.c lib/base/addr.c lib/base/err.c lib/base/num.c -ljansson
 */
/* Ledgers by chance, made short: they say the same, also of all that comes later. */
#include "vf/ledger_trim.h"
#include "vf_hosts.h"

#define VFS 4
#define ROUNDS 24

static char text[1 << 20];
static size_t size;
static uint64_t seq, chance, generation[VFS];

static unsigned
below(unsigned n)
{
	chance ^= chance << 13;
	chance ^= chance >> 7;
	chance ^= chance << 17;
	return (unsigned)(chance % n);
}

static void
start(uint64_t seed)
{
	size = 0;
	seq = 0;
	chance = seed * 0x9e3779b97f4a7c15ull + 1;
	memset(generation, 0, sizeof(generation));
}

static void
add(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void
add(const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	int n = vsnprintf(text + size, sizeof(text) - size, fmt, args);
	va_end(args);
	assert_true(n >= 0 && size + (size_t)n < sizeof(text));
	size += (size_t)n;
}

/* ---- changes -----------------------------------------------------------------------------------------------------------------
 */

static const char *const drivers[] = {"", "igbvf", "vfio-pci"};

static void
add_driver(unsigned vf, unsigned from, unsigned to)
{
	add("{\"pf\":\"0000:01:00.0\",\"index\":%u,\"what\":\"driver\",\"from\":{\"driver\":\"%s\",\"override\":\"%s\"},"
	    "\"to\":{\"driver\":\"%s\",\"override\":\"%s\"}}",
		vf, drivers[from], from == 2 ? "vfio-pci" : "", drivers[to], to == 2 ? "vfio-pci" : "");
}

static void
add_vlan(unsigned vf, unsigned from, unsigned to)
{
	add("{\"pf\":\"0000:01:00.0\",\"index\":%u,\"what\":\"vfset\",\"from\":{\"vlan\":%u,\"qos\":0,\"proto\":\"802.1Q\"},"
	    "\"to\":{\"vlan\":%u,\"qos\":0,\"proto\":\"802.1Q\"}}",
		vf, from, to);
}

static void
add_steps(unsigned vf)
{
	unsigned what = below(4);
	add(",\"steps\":[");
	if (what & 1) {
		add_vlan(vf, below(3), below(3));
	}
	add(what == 3 ? "," : "");
	if (what & 2) {
		add_driver(vf, below(3), below(3));
	}
	add("]");
}

static void
begin(const char *op, int index)
{
	seq++;
	add("{\"seq\":%d,\"at\":\"2026-01-31T12:%02d:%02dZ\",\"boot\":\"b%u\",\"who\":\"root\",\"op\":\"%s\",\"phase\":\"begin\","
	    "\"func\":\"0000:01:00.0\"",
		(int)seq, (int)seq / 60 % 60, (int)seq % 60, below(2), op);
	if (index >= 0) {
		add(",\"index\":%d", index);
	}
}

static void
end(const char *phase)
{
	seq++;
	add("}\n{\"seq\":%d,\"at\":\"2026-01-31T13:00:00Z\",\"of\":%d,\"phase\":\"%s\"}\n", (int)seq, (int)seq - 1, phase);
}

static void
change(unsigned vf, const char *op, const char *holder)
{
	begin(op, (int)vf);
	if (holder) {
		add(",\"generation\":%d,\"holder\":\"%s\"", (int)generation[vf], holder);
	}
	add_steps(vf);
	end(below(6) ? "done" : "undone");
}

static void
change_port(bool reset)
{
	begin(reset ? "port-reset" : "port-set", -1);
	add(",\"steps\":[{\"what\":\"portset\",\"func\":\"0000:01:00.0\",\"from\":{\"mtu\":%u},\"to\":{\"mtu\":%u}}]",
		1500 + below(3), 1500 + below(3));
	end("done");
}

static void
change_numvfs(void)
{
	unsigned again = below(2 * VFS);
	begin("numvfs", -1);
	add(",\"steps\":[{\"what\":\"numvfs\",\"func\":\"0000:01:00.0\",\"from\":4,\"to\":0}");
	if (again < VFS) {
		add(",");
		add_driver(again, 2, 2);
	}
	add("]");
	end("done");
}

static void
any_change(void)
{
	static const char *const holders[] = {"vpx1", "vpx2", "vpx3"};
	unsigned vf = below(VFS);
	switch (below(9)) {
	case 0:
	case 1:
		generation[vf]++;
		change(vf, "lease", holders[below(3)]);
		break;
	case 2:
	case 3:
		if (generation[vf]) {
			change(vf, "release", "vpx1");
		}
		break;
	case 4:
		change(vf, "bind", NULL);
		break;
	case 5:
		change(vf, "unbind", NULL);
		break;
	case 6:
		change(vf, "set", NULL);
		break;
	case 7:
		change_port(below(2));
		break;
	default:
		change_numvfs();
		break;
	}
}

/* All is given back. */
static void
end_all(void)
{
	for (unsigned vf = 0; vf < VFS; vf++) {
		if (generation[vf]) {
			begin("release", (int)vf);
			add(",\"generation\":%d,\"holder\":\"vpx1\",\"steps\":[]", (int)generation[vf]);
			end("done");
		}
		begin("unbind", (int)vf);
		add(",\"steps\":[]");
		end("done");
	}
	begin("port-reset", -1);
	add(",\"steps\":[]");
	end("done");
}

/* ---- tests -------------------------------------------------------------------------------------------------------------------
 */

static void
read_ok(const char *from, size_t n, struct ledger *ledger)
{
	struct err err = {0};
	if (ledger_read(from, n, ledger, &err)) {
		fail_msg("%s", err.message);
	}
}

/* The shorter one and what is written later, against all of it. */
static void
same_ever_after(const char *shorter, size_t n, size_t was)
{
	static char both[sizeof(text)];
	struct ledger whole, trimmed;
	memcpy(both, shorter, n);
	for (unsigned i = 1; i <= 40; i++) {
		any_change();
		if (i % 8) {
			continue;
		}
		memcpy(both + n, text + was, size - was);
		read_ok(text, size, &whole);
		read_ok(both, n + size - was, &trimmed);
		assert_true(ledger_same(&whole, &trimmed));
		ledger_free(&whole);
		ledger_free(&trimmed);
	}
}

static void
what_is_made_short_says_the_same(void **state)
{
	(void)state;
	unsigned shortened = 0;
	for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
		size_t n;
		start(seed);
		for (unsigned i = 50 + below(100); i > 0; i--) {
			any_change();
		}
		struct ledger ledger;
		read_ok(text, size, &ledger);
		ledger_free(&ledger);
		char *shorter = ledger_trim(text, size, &n);
		if (shorter) {
			assert_true(n <= size / 2);
			shortened++;
			same_ever_after(shorter, n, size);
			free(shorter);
		}
	}
	/* by chance, much is in use at the end; a host's leases end */
	assert_true(shortened > ROUNDS / 4);
}

static void
what_is_all_given_back_is_next_to_nothing(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= ROUNDS / 4; seed++) {
		size_t n;
		struct ledger ledger;
		start(seed);
		for (unsigned i = 1; i <= 300; i++) {
			any_change();
			if (i % 30 == 0) {
				end_all();
			}
		}
		read_ok(text, size, &ledger);
		ledger_free(&ledger);
		char *shorter = ledger_trim(text, size, &n);
		assert_non_null(shorter);
		assert_true(n < size / 5);
		read_ok(shorter, n, &ledger);
		assert_int_equal(ledger.seq, seq);
		for (unsigned vf = 0; vf < VFS; vf++) {
			const struct ledger_record *record = ledger_find(&ledger, HOSTS_IGB_PF, (int)vf);
			assert_int_equal(record ? record->generation : 0, generation[vf]);
		}
		ledger_free(&ledger);
		/* and it is short now */
		size_t again;
		assert_null(ledger_trim(shorter, n, &again));
		same_ever_after(shorter, n, size);
		free(shorter);
	}
}

static void
bind(unsigned vf, unsigned from, unsigned to, const char *phase)
{
	begin("bind", (int)vf);
	add(",\"steps\":[");
	add_driver(vf, from, to);
	add("]");
	end(phase);
}

static void
what_is_in_use_stays(void **state)
{
	(void)state;
	size_t n;
	start(1);
	bind(3, 1, 2, "done");
	begin("port-set", -1);
	add(",\"steps\":[{\"what\":\"portset\",\"func\":\"0000:01:00.0\",\"from\":{\"mtu\":1500},\"to\":{\"mtu\":9000}}]");
	end("done");
	for (unsigned i = 0; i < 40; i++) {
		generation[0]++;
		begin(i % 2 ? "release" : "lease", 0);
		add(",\"generation\":%u,\"holder\":\"vpx1\",\"steps\":[]", i / 2 + 1);
		end("done");
	}
	char *shorter = ledger_trim(text, size, &n);
	assert_non_null(shorter);
	assert_non_null(memmem(shorter, n, "\"bind\"", 6));
	assert_non_null(memmem(shorter, n, "\"port-set\"", 10));
	assert_null(memmem(shorter, n, "\"generation\":19,", 16));
	assert_non_null(memmem(shorter, n, "\"generation\":20,", 16));
	free(shorter);
}

static void
what_is_no_ledger_or_halfway_stays(void **state)
{
	(void)state;
	size_t n;
	start(1);
	assert_null(ledger_trim(text, 0, &n));
	for (unsigned i = 0; i < 300; i++) {
		any_change();
	}
	end_all();
	size_t whole = size;
	begin("set", 1);
	add(",\"steps\":[]}\n");
	assert_null(ledger_trim(text, size, &n));
	size = whole;
	add("{\"seq\":99999");
	assert_null(ledger_trim(text, size, &n));
	add("}\n");
	assert_null(ledger_trim(text, size, &n));
	char *shorter = ledger_trim(text, whole, &n);
	assert_non_null(shorter);
	free(shorter);
}

/* A bind of VF 1 and another change; are they the same as what is in the text? */
static bool
same_as(const struct ledger *a, unsigned to, unsigned vf, const char *phase, bool longer)
{
	struct ledger b;
	size = seq = 0;
	bind(1, 0, to, "done");
	bind(vf, 1, 2, phase);
	if (longer) {
		bind(vf, 1, 2, "undone");
	}
	read_ok(text, size, &b);
	bool same = ledger_same(a, &b);
	assert_true(same == ledger_same(&b, a));
	ledger_free(&b);
	return same;
}

static void
ledgers_that_differ(void **state)
{
	(void)state;
	struct ledger a;
	start(1);
	bind(1, 0, 2, "done");
	bind(2, 1, 2, "undone");
	read_ok(text, size, &a);
	assert_true(same_as(&a, 2, 2, "undone", false));
	assert_true(same_as(&a, 2, 3, "undone", false));
	assert_false(same_as(&a, 1, 2, "undone", false));
	assert_false(same_as(&a, 2, 3, "done", false));
	assert_false(same_as(&a, 2, 2, "undone", true));
	ledger_free(&a);
}

static void
lines_are_found_by_number(void **state)
{
	(void)state;
	start(3);
	assert_int_equal(ledger_last(text, 0), 0);
	assert_int_equal(ledger_after(text, 0, 0), 0);
	while (seq < 20) {
		any_change();
	}
	assert_int_equal(ledger_last(text, size), seq);
	assert_int_equal(ledger_last(text, size - 3), seq - 1);
	assert_int_equal(ledger_after(text, size, 0), 0);
	assert_int_equal(ledger_after(text, size, seq), size);
	size_t at = ledger_after(text, size, 7);
	assert_memory_equal(text + at, "{\"seq\":8,", 9);
	assert_int_equal(ledger_last(text, at), 7);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_made_short_says_the_same),
		cmocka_unit_test(what_is_all_given_back_is_next_to_nothing),
		cmocka_unit_test(what_is_in_use_stays),
		cmocka_unit_test(what_is_no_ledger_or_halfway_stays),
		cmocka_unit_test(ledgers_that_differ),
		cmocka_unit_test(lines_are_found_by_number),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
