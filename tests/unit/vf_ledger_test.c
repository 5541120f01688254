/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/vf/ledger.c lib/vf/ledger_line.c lib/vf/step.c lib/vf/host.c lib/vf/names.c lib/vf/pci.c lib/vf/portset.c */
/* links: lib/json/field.c lib/vf/vfset.c lib/vf/keys.c lib/base/addr.c lib/base/err.c lib/base/num.c -ljansson */
#include "vf/ledger.h"
#include "vf_hosts.h"

static char text[16384];
static uint64_t seq;

/* ---- writing a ledger line by line -------------------------------------------------------------------------------------- */

static void
add(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void
add(const char *fmt, ...)
{
	size_t end = strlen(text);
	va_list args;
	va_start(args, fmt);
	vsnprintf(text + end, sizeof(text) - end, fmt, args);
	va_end(args);
	assert_true(strlen(text) + 1 < sizeof(text));
}

static int
start(void **state)
{
	(void)state;
	text[0] = '\0';
	seq = 0;
	return 0;
}

/* A begin about VF 2 of eth0, with what comes after "index". */
static void
begin(const char *op, const char *rest)
{
	seq++;
	add("{\"seq\":%d,\"at\":\"2026-01-31T12:00:%02dZ\",\"boot\":\"b1\",\"who\":\"root\",\"op\":\"%s\",\"phase\":\"begin\","
	    "\"func\":\"0000:01:00.0\",\"index\":2%s}\n",
		(int)seq, (int)seq % 60, op, rest);
}

static void
end(const char *phase)
{
	seq++;
	add("{\"seq\":%d,\"at\":\"2026-01-31T12:00:%02dZ\",\"of\":%d,\"phase\":\"%s\"}\n", (int)seq, (int)seq % 60, (int)seq - 1,
		phase);
}

static void
done(const char *op, const char *rest)
{
	begin(op, rest);
	end("done");
}

#define STEP "{\"pf\":\"0000:01:00.0\",\"index\":2,"
#define DRIVER(from, from_override, to, to_override) \
	STEP "\"what\":\"driver\",\"from\":{\"driver\":\"" from "\",\"override\":\"" from_override \
	     "\"},\"to\":{\"driver\":\"" to "\",\"override\":\"" to_override "\"}}"
#define VLAN(from, to) \
	STEP "\"what\":\"vfset\",\"from\":{\"vlan\":" #from ",\"qos\":0,\"proto\":\"802.1Q\"},\"to\":{\"vlan\":" #to \
	     ",\"qos\":0,\"proto\":\"802.1Q\"}}"
#define LEASE(generation, holder, steps) ",\"generation\":" #generation ",\"holder\":\"" holder "\",\"steps\":[" steps "]"
#define STEPS(steps) ",\"steps\":[" steps "]"

static void
read_ok(struct ledger *ledger)
{
	struct err err = {0};
	if (ledger_read(text, strlen(text), ledger, &err)) {
		fail_msg("%s\n%s", err.message, text);
	}
}

static struct ledger_record
record_now(void)
{
	struct ledger ledger;
	read_ok(&ledger);
	const struct ledger_record *record = ledger_find(&ledger, HOSTS_IGB_PF, 2);
	assert_non_null(record);
	struct ledger_record copy = *record;
	ledger_free(&ledger);
	return copy;
}

/* ---- what lines add up to ----------------------------------------------------------------------------------------------- */

static void
an_empty_ledger(void **state)
{
	struct ledger ledger;
	struct err err;
	(void)state;
	assert_int_equal(ledger_read(NULL, 0, &ledger, &err), ERR_NONE);
	assert_true(ledger.nrecords == 0 && ledger.seq == 0 && ledger.open.seq == 0);
	assert_null(ledger_find(&ledger, HOSTS_IGB_PF, 2));
	ledger_free(&ledger);
}

static void
a_lease_and_its_release(void **state)
{
	(void)state;
	done("lease", LEASE(1, "vpx1", VLAN(0, 100) "," DRIVER("igbvf", "", "vfio-pci", "vfio-pci")));
	struct ledger_record record = record_now();
	assert_string_equal(record.holder, "vpx1");
	assert_int_equal(record.generation, 1);
	assert_string_equal(record.at, "2026-01-31T12:00:01Z");
	assert_string_equal(record.boot, "b1");
	assert_true(record.before.has == VFSET_VLAN && record.before.vlan == 0);
	assert_true(record.set.has == VFSET_VLAN && record.set.vlan == 100);
	assert_true(record.rebound && record.bound);
	assert_string_equal(record.before_driver, "igbvf");
	assert_string_equal(record.driver, "vfio-pci");
	/* whatever is changed meanwhile, what was before stays */
	done("set", STEPS(VLAN(100, 200)));
	done("bind", STEPS(DRIVER("vfio-pci", "vfio-pci", "igbvf", "")));
	done("lease", LEASE(1, "vpx1", VLAN(200, 300)));
	record = record_now();
	assert_true(record.before.vlan == 0 && record.set.vlan == 300);
	assert_string_equal(record.at, "2026-01-31T12:00:01Z");
	assert_string_equal(record.before_driver, "igbvf");
	assert_false(record.bound);
	done("release", LEASE(1, "vpx1", VLAN(300, 0)));
	record = record_now();
	assert_string_equal(record.holder, "");
	assert_int_equal(record.generation, 1);
	assert_true(record.before.has == 0 && record.set.has == 0 && !record.rebound && !record.bound);
	done("lease", LEASE(2, "vpx2", VLAN(0, 7)));
	record = record_now();
	assert_true(record.generation == 2 && record.before.has == VFSET_VLAN && record.set.vlan == 7);
	assert_false(record.rebound);
}

static void
what_was_undone_counts_only_as_a_generation(void **state)
{
	(void)state;
	begin("lease", LEASE(1, "vpx1", VLAN(0, 100)));
	struct ledger_record record = record_now();
	assert_true(record.generation == 1 && !record.holder[0]);
	end("undone");
	record = record_now();
	assert_true(record.generation == 1 && !record.holder[0] && !record.set.has);
}

static void
a_bind_before_the_lease_stands_after_it(void **state)
{
	(void)state;
	done("bind", STEPS(DRIVER("igbvf", "", "vfio-pci", "vfio-pci")));
	done("lease", LEASE(1, "vpx1", DRIVER("vfio-pci", "vfio-pci", "igbvf", "")));
	struct ledger_record record = record_now();
	assert_string_equal(record.before_driver, "vfio-pci");
	assert_false(record.bound);
	done("release", LEASE(1, "vpx1", DRIVER("igbvf", "", "vfio-pci", "vfio-pci")));
	record = record_now();
	assert_true(record.bound);
	assert_string_equal(record.driver, "vfio-pci");
	assert_string_equal(record.former, "igbvf");
	assert_string_equal(record.former_override, "");
	done("unbind", STEPS(DRIVER("vfio-pci", "vfio-pci", "igbvf", "")));
	assert_false(record_now().bound);
}

static void
the_former_driver_is_that_of_the_first_bind(void **state)
{
	(void)state;
	done("bind", STEPS(DRIVER("igbvf", "", "vfio-pci", "vfio-pci")));
	done("bind", STEPS(DRIVER("vfio-pci", "vfio-pci", "xen-pciback", "xen-pciback")));
	struct ledger_record record = record_now();
	assert_string_equal(record.former, "igbvf");
	assert_string_equal(record.driver, "xen-pciback");
	/* after a boot it was found otherwise */
	done("bind", STEPS(DRIVER("", "", "vfio-pci", "vfio-pci")));
	assert_string_equal(record_now().former, "");
}

static void
new_vfs_are_not_bound(void **state)
{
	static const char numvfs[] =
		"{\"seq\":3,\"at\":\"x\",\"boot\":\"b1\",\"who\":\"root\",\"op\":\"numvfs\",\"phase\":\"begin\","
		"\"func\":\"0000:01:00.0\",\"steps\":[{\"what\":\"numvfs\",\"func\":\"0000:01:00.0\","
		"\"from\":4,\"to\":%d}%s]}\n{\"seq\":4,\"at\":\"x\",\"of\":3,\"phase\":\"%s\"}\n";
	static char kept[sizeof(text)];
	(void)state;
	done("bind", STEPS(DRIVER("igbvf", "", "vfio-pci", "vfio-pci")));
	memcpy(kept, text, sizeof(text));
	add(numvfs, 0, "", "done");
	assert_false(record_now().bound);
	memcpy(text, kept, sizeof(text));
	add(numvfs, 0, "", "undone");
	assert_true(record_now().bound);
	memcpy(text, kept, sizeof(text));
	add(numvfs, 7, "," DRIVER("vfio-pci", "vfio-pci", "vfio-pci", "vfio-pci"), "done");
	struct ledger_record record = record_now();
	assert_true(record.bound);
	assert_string_equal(record.former, "igbvf");
}

static void
defaults_of_a_port(void **state)
{
	static const char line[] =
		"{\"seq\":%d,\"at\":\"x\",\"boot\":\"b\",\"who\":\"root\",\"op\":\"port-%s\",\"phase\":\"begin\","
		"\"func\":\"0000:01:00.0\",\"steps\":[{\"what\":\"portset\",\"func\":\"0000:01:00.0\",\"from\":{\"mtu\":%d},"
		"\"to\":{\"mtu\":%d}}]}\n{\"seq\":%d,\"at\":\"x\",\"of\":%d,\"phase\":\"done\"}\n";
	struct ledger ledger;
	(void)state;
	add(line, 1, "set", 1500, 9000, 2, 1);
	add(line, 3, "set", 9000, 4000, 4, 3);
	read_ok(&ledger);
	const struct ledger_record *record = ledger_find(&ledger, HOSTS_IGB_PF, -1);
	assert_true(record && record->defaults.has == PORTSET_MTU && record->defaults.mtu == 1500);
	ledger_free(&ledger);
	add(line, 5, "reset", 4000, 1500, 6, 5);
	read_ok(&ledger);
	assert_int_equal(ledger_find(&ledger, HOSTS_IGB_PF, -1)->defaults.has, 0);
	ledger_free(&ledger);
}

static void
records_are_found(void **state)
{
	struct ledger ledger;
	struct host host;
	(void)state;
	seq = 0;
	for (int i = 0; i < 40; i++) {
		int index = (i * 17) % 40;
		add("{\"seq\":%d,\"at\":\"x\",\"boot\":\"b\",\"who\":\"root\",\"op\":\"lease\",\"phase\":\"begin\",\"func\":\"01:00.%d\","
		    "\"index\":%d,\"generation\":%d,\"holder\":\"h%d\",\"steps\":[]}\n{\"seq\":%d,\"at\":\"x\",\"of\":%d,\"phase\":\"done\"}\n",
			2 * i + 1, index % 2, index, i + 1, index, 2 * i + 2, 2 * i + 1);
	}
	read_ok(&ledger);
	assert_int_equal(ledger.nrecords, 40);
	for (int i = 0; i < 40; i++) {
		char holder[16];
		const struct ledger_record *record = ledger_find(&ledger, HOSTS_IGB_PF + (unsigned)i % 2, i);
		snprintf(holder, sizeof(holder), "h%d", i);
		assert_non_null(record);
		assert_string_equal(record->holder, holder);
		assert_null(ledger_find(&ledger, HOSTS_IGB_PF + 1 - (unsigned)i % 2, i));
	}
	hosts_igb(&host, 4);
	assert_string_equal(ledger_of(&ledger, host_vf(&host, HOSTS_IGB_PF, 2))->holder, "h2");
	assert_null(ledger_of(&ledger, host_at(&host, HOSTS_IGB_PF)));
	host_free(&host);
	ledger_free(&ledger);
}

static void
what_is_news(void **state)
{
	struct ledger ledger;
	struct ledger_entry entry = {.op = LEDGER_LEASE, .func = HOSTS_IGB_PF, .index = 2, .generation = 1};
	(void)state;
	done("lease", LEASE(1, "vpx1", VLAN(0, 100)));
	read_ok(&ledger);
	assert_false(ledger_news(&ledger, &entry)); /* nobody's */
	snprintf(entry.holder, sizeof(entry.holder), "vpx1");
	assert_false(ledger_news(&ledger, &entry));
	entry.generation = 2;
	assert_true(ledger_news(&ledger, &entry));
	entry.generation = 1;
	entry.vlans.bits[1] = 1;
	assert_true(ledger_news(&ledger, &entry));
	entry.vlans.bits[1] = 0;
	entry.set = (struct vfset){.has = VFSET_VLAN, .vlan = 100, .proto = 0x8100};
	assert_false(ledger_news(&ledger, &entry));
	entry.set.vlan = 101;
	assert_true(ledger_news(&ledger, &entry));
	entry.op = LEDGER_RELEASE;
	assert_true(ledger_news(&ledger, &entry));
	entry.index = 3;
	assert_false(ledger_news(&ledger, &entry));
	entry.op = LEDGER_UNBIND;
	assert_false(ledger_news(&ledger, &entry));
	entry.op = LEDGER_SET;
	assert_false(ledger_news(&ledger, &entry));
	assert_true(steps_add(&entry.steps, &(struct step){.kind = STEP_NUMVFS}));
	assert_true(ledger_news(&ledger, &entry));
	steps_free(&entry.steps);
	ledger_free(&ledger);
}

/* ---- lines ---------------------------------------------------------------------------------------------------------------- */

static void
a_line_there_and_back(void **state)
{
	struct ledger_entry entry = {.seq = 7,
		.at = "2026-01-31T12:00:00Z",
		.boot = "6f1c0a52-0000-4000-8000-000000000001",
		.who = "root (alice)",
		.op = LEDGER_LEASE,
		.phase = LEDGER_BEGIN,
		.func = HOSTS_IGB_PF,
		.index = 2,
		.generation = 3,
		.holder = "vpx1",
		.set = {.has = VFSET_TRUST, .trust = true},
		.note = "a \"note\""};
	struct step step = {
		.kind = STEP_VFSET, .func = HOSTS_IGB_PF, .index = 2, .to = {.set = {.has = VFSET_TRUST, .trust = true}}};
	struct ledger_entry back;
	struct err err = {0};
	(void)state;
	assert_int_equal(ledger_vlans_parse("10,20", &entry.vlans, &err), ERR_NONE);
	assert_true(steps_add(&entry.steps, &step));
	char *line = ledger_line(&entry);
	assert_string_equal(line,
		"{\"seq\":7,\"at\":\"2026-01-31T12:00:00Z\",\"boot\":\"6f1c0a52-0000-4000-8000-000000000001\","
		"\"who\":\"root (alice)\",\"op\":\"lease\",\"phase\":\"begin\",\"func\":\"0000:01:00.0\",\"index\":2,"
		"\"generation\":3,\"holder\":\"vpx1\",\"vlans\":[10,20],\"set\":{\"trust\":true},\"steps\":[{\"what\":\"vfset\","
		"\"pf\":\"0000:01:00.0\",\"index\":2,\"from\":{},\"to\":{\"trust\":true}}],\"note\":\"a \\\"note\\\"\"}\n");
	assert_int_equal(ledger_parse(line, strlen(line) - 1, &back, &err), ERR_NONE);
	char *again = ledger_line(&back);
	assert_string_equal(again, line);
	assert_memory_equal(&back.vlans, &entry.vlans, sizeof(entry.vlans));
	assert_true(back.func == entry.func && back.index == 2 && back.op == LEDGER_LEASE && back.phase == LEDGER_BEGIN);
	assert_true(back.set.has == VFSET_TRUST && back.set.trust);
	ledger_entry_free(&back);
	steps_free(&entry.steps);
	free(again);
	free(line);
	entry = (struct ledger_entry){.seq = 8, .at = "x", .of = 7, .phase = LEDGER_UNDONE, .index = -1, .note = "eth\xff"};
	line = ledger_line(&entry);
	assert_string_equal(line, "{\"seq\":8,\"at\":\"x\",\"of\":7,\"phase\":\"undone\",\"note\":\"eth?\"}\n");
	free(line);
}

static void
lines_are_read_strictly(void **state)
{
	static const char *const bad[] = {
		"",
		"x",
		"[]",
		"{\"seq\":1}",
		"{\"seq\":1,\"at\":\"x\",\"of\":1,\"phase\":\"do\"}",
		"{\"seq\":0,\"at\":\"x\",\"of\":1,\"phase\":\"done\"}",
		"{\"seq\":2,\"at\":\"x\",\"phase\":\"done\"}",
		"{\"seq\":2,\"at\":7,\"of\":1,\"phase\":\"done\"}",
		"{\"seq\":2,\"at\":\"x\",\"of\":1,\"phase\":\"done\",\"op\":\"lease\"}",
		"{\"seq\":2,\"seq\":2,\"at\":\"x\",\"of\":1,\"phase\":\"done\"}",
		"{\"seq\":9223372036854775807,\"at\":\"x\",\"of\":1,\"phase\":\"done\"}",
		"{\"seq\":2,\"at\":\"a time that is far too long for it\",\"of\":1,\"phase\":\"done\"}",
		"{\"seq\":1,\"at\":\"x\",\"boot\":\"b\",\"who\":\"w\",\"op\":\"eat\",\"phase\":\"begin\",\"func\":\"01:00.0\",\"steps\":[]}",
		"{\"seq\":1,\"at\":\"x\",\"boot\":\"b\",\"who\":\"w\",\"op\":\"set\",\"phase\":\"begin\",\"func\":\"eth0\",\"steps\":[]}",
		"{\"seq\":1,\"at\":\"x\",\"boot\":\"b\",\"who\":\"w\",\"op\":\"set\",\"phase\":\"begin\",\"func\":\"01:00.0\"}",
		"{\"seq\":1,\"at\":\"x\",\"boot\":\"b\",\"who\":\"w\",\"op\":\"set\",\"phase\":\"begin\",\"func\":\"01:00.0\",\"steps\":[{}]}",
		"{\"seq\":1,\"at\":\"x\",\"boot\":\"b\",\"who\":\"w\",\"op\":\"set\",\"phase\":\"begin\",\"func\":\"01:00.0\",\"steps\":[],\"of\":1}",
		"{\"seq\":1,\"at\":\"x\",\"boot\":\"b\",\"who\":\"w\",\"op\":\"lease\",\"phase\":\"begin\",\"func\":\"01:00.0\",\"steps\":[]}",
		"{\"seq\":1,\"at\":\"x\",\"boot\":\"b\",\"who\":\"w\",\"op\":\"lease\",\"phase\":\"begin\",\"func\":\"01:00.0\",\"steps\":[],"
		"\"generation\":0,\"holder\":\"h\"}",
		"{\"seq\":1,\"at\":\"x\",\"boot\":\"b\",\"who\":\"w\",\"op\":\"lease\",\"phase\":\"begin\",\"func\":\"01:00.0\",\"steps\":[],"
		"\"generation\":1,\"holder\":\"\"}",
		"{\"seq\":1,\"at\":\"x\",\"boot\":\"b\",\"who\":\"w\",\"op\":\"lease\",\"phase\":\"begin\",\"func\":\"01:00.0\",\"steps\":[],"
		"\"generation\":1,\"holder\":\"h\",\"vlans\":[4095]}",
		"{\"seq\":1,\"at\":\"x\",\"boot\":\"b\",\"who\":\"w\",\"op\":\"lease\",\"phase\":\"begin\",\"func\":\"01:00.0\",\"steps\":[],"
		"\"generation\":1,\"holder\":\"h\",\"set\":{\"vlan\":5000}}",
		"{\"seq\":1,\"at\":\"x\",\"boot\":\"b\",\"who\":\"w\",\"op\":\"lease\",\"phase\":\"begin\",\"func\":\"01:00.0\",\"steps\":[],"
		"\"generation\":1,\"holder\":\"h\",\"index\":\"2\"}",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct ledger_entry entry;
		struct err err = {0};
		if (ledger_parse(bad[i], strlen(bad[i]), &entry, &err) != ERR_FAILED || !err.message[0]) {
			fail_msg("taken: %s", bad[i]);
		}
	}
}

static void
refuse(const char *what)
{
	struct ledger ledger;
	struct err err = {0};
	assert_int_equal(ledger_read(text, strlen(text), &ledger, &err), ERR_FAILED);
	if (!strstr(err.message, what)) {
		fail_msg("%s, not %s", err.message, what);
	}
}

static void
what_is_out_of_order_is_refused(void **state)
{
	(void)state;
	add("{\"seq\":2,\"at\":\"x\",\"of\":1,\"phase\":\"done\"}\n");
	refuse("line 1: the end of 1, which has not begun");
	start(NULL);
	begin("set", STEPS(""));
	begin("set", STEPS(""));
	refuse("line 2: begins before the end of 1");
	start(NULL);
	done("set", STEPS(""));
	seq = 0;
	done("set", STEPS(""));
	refuse("line 3: its number 1 does not follow 2");
	start(NULL);
	add("\n");
	refuse("line 1: not a JSON object");
}

static void
a_line_without_an_end_does_not_count(void **state)
{
	struct ledger ledger;
	(void)state;
	done("lease", LEASE(1, "vpx1", VLAN(0, 100)));
	begin("release", LEASE(1, "vpx1", VLAN(100, 0)));
	size_t whole = strlen(text);
	end("done");
	size_t all = strlen(text);
	for (size_t size = whole; size < all; size++) {
		struct err err;
		assert_int_equal(ledger_read(text, size, &ledger, &err), ERR_NONE);
		assert_int_equal(ledger.open.seq, 3);
		assert_int_equal(ledger.open.op, LEDGER_RELEASE);
		assert_int_equal(ledger.open.steps.n, 1);
		assert_int_equal(ledger.seq, 3);
		assert_string_equal(ledger_find(&ledger, HOSTS_IGB_PF, 2)->holder, "vpx1");
		ledger_free(&ledger);
	}
}

/* ---- the rest ----------------------------------------------------------------------------------------------------------- */

static void
vlans_in_words(void **state)
{
	static const struct {
		const char *in, *out;
		unsigned n;
	} good[] = {{"10,20,100-119", "10,20,100-119", 22}, {"1-4094", "1-4094", 4094}, {"3,2,1,5", "1-3,5", 4}, {"7-7", "7", 1}};
	static const char *const bad[] = {
		"", ",", "1,", "0", "4095", "5-4", "1-", "-1", "a", "1 ", "1--2", "1-2-3", "00000000000000000001"};
	struct ledger_vlans vlans;
	struct err err = {0};
	char words[64];
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(ledger_vlans_parse(good[i].in, &vlans, &err), ERR_NONE);
		assert_string_equal(ledger_vlans_text(&vlans, words, sizeof(words)), good[i].out);
		assert_int_equal(ledger_vlans_count(&vlans), good[i].n);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (ledger_vlans_parse(bad[i], &vlans, &err) != ERR_USAGE) {
			fail_msg("taken: '%s'", bad[i]);
		}
	}
	assert_int_equal(ledger_vlans_parse("10,20-x,30", &vlans, &err), ERR_USAGE);
	assert_non_null(strstr(err.message, "vlans: '20-x' is not"));
	assert_int_equal(ledger_vlans_parse("10,20,30", &vlans, &err), ERR_NONE);
	assert_string_equal(ledger_vlans_text(&vlans, words, 6), "10,20");
}

static void
what_is_undone_and_what_is_finished(void **state)
{
	(void)state;
	for (enum ledger_op op = LEDGER_LEASE; op <= LEDGER_PORT_RESET; op++) {
		bool finished = op == LEDGER_RELEASE || op == LEDGER_UNBIND || op == LEDGER_PORT_RESET;
		assert_int_equal(ledger_undoes(op), !finished);
		assert_string_not_equal(ledger_op_name(op), "unknown");
	}
}

static void
tell(void *arg, const struct ledger_past *past)
{
	char *said = arg;
	size_t at = strlen(said);
	snprintf(said + at, 512 - at, "%d %s %s..%s vlan %u;", (int)past->generation, past->holder, past->from + 17,
		past->to ? past->to + 17 : "", past->set->vlan);
}

static void
history(void **state)
{
	char said[512] = "";
	struct err err;
	(void)state;
	done("lease", LEASE(1, "vpx1", VLAN(0, 100)));
	done("set", STEPS(VLAN(100, 101)));
	done("release", LEASE(1, "vpx1", VLAN(101, 0)));
	begin("lease", LEASE(2, "vpx2", VLAN(0, 100)));
	end("undone");
	done("lease", LEASE(3, "vpx3", VLAN(0, 103)));
	assert_int_equal(ledger_history(text, strlen(text), HOSTS_IGB_PF, 2, tell, said, &err), ERR_NONE);
	assert_string_equal(said, "1 vpx1 01Z..06Z vlan 101;3 vpx3 09Z.. vlan 103;");
	said[0] = '\0';
	assert_int_equal(ledger_history(text, strlen(text), HOSTS_IGB_PF, 1, tell, said, &err), ERR_NONE);
	assert_string_equal(said, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(an_empty_ledger, start),
		cmocka_unit_test_setup(a_lease_and_its_release, start),
		cmocka_unit_test_setup(what_was_undone_counts_only_as_a_generation, start),
		cmocka_unit_test_setup(a_bind_before_the_lease_stands_after_it, start),
		cmocka_unit_test_setup(the_former_driver_is_that_of_the_first_bind, start),
		cmocka_unit_test_setup(new_vfs_are_not_bound, start),
		cmocka_unit_test_setup(defaults_of_a_port, start),
		cmocka_unit_test_setup(records_are_found, start),
		cmocka_unit_test_setup(what_is_news, start),
		cmocka_unit_test_setup(a_line_there_and_back, start),
		cmocka_unit_test_setup(lines_are_read_strictly, start),
		cmocka_unit_test_setup(what_is_out_of_order_is_refused, start),
		cmocka_unit_test_setup(a_line_without_an_end_does_not_count, start),
		cmocka_unit_test_setup(vlans_in_words, start),
		cmocka_unit_test_setup(what_is_undone_and_what_is_finished, start),
		cmocka_unit_test_setup(history, start),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
