/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/vf/file.c lib/vf/file_next.c lib/vf/file_save.c lib/vf/pretend.c lib/vf/plan.c lib/vf/plan_numvfs.c */
/* links: lib/vf/plan_port.c lib/vf/plan_lease.c lib/vf/ledger.c lib/vf/ledger_line.c lib/vf/step.c lib/vf/rules.c */
/* links: lib/vf/rules_driver.c lib/vf/rules_set.c lib/vf/host.c lib/vf/names.c lib/vf/pci.c lib/vf/vfset.c lib/vf/portset.c */
/* links: lib/json/where.c lib/json/field.c lib/vf/keys.c lib/base/addr.c lib/base/err.c lib/base/num.c -ljansson */
/* The file of "vfctl apply": read strictly; done step by step until nothing is to do; written from a host. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vf/file.h"
#include "vf/pretend.h"
#include "vf_hosts.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define MOST_ENTRIES 600

/* Single quotes for double ones, so that JSON can be read here. */
static char *
json(const char *text)
{
	char *copy = strdup(text);
	assert_non_null(copy);
	for (char *p = copy; *p; p++) {
		*p = *p == '\'' ? '"' : *p;
	}
	return copy;
}

static enum err_code
parse(const char *text, struct file *file, struct err *err)
{
	char *copy = json(text);
	*err = (struct err){0};
	enum err_code code = file_parse(copy, strlen(copy), file, err);
	free(copy);
	return code;
}

static struct file
good(const char *text)
{
	struct file file;
	struct err err;
	if (parse(text, &file, &err)) {
		fail_msg("%s: %s", text, err.message);
	}
	return file;
}

/* ---- reading --------------------------------------------------------------------------------------------------------------- */

static void
test_reads(void **state)
{
	struct file file =
		good("{'ports': {'eth0': {'label': '1/1', 'numvfs': 3, 'autoprobe': false, 'mtu': 9000, 'up': true,"
		     " 'speed_bps': '10G', 'vfs': {'1-2': {'driver': 'none', 'max_rate_bps': '2G'},"
		     " '*': {'vlan': 100, 'driver': 'vfio-pci', 'trust': true}, '0': {'qos': 3, 'mac': 'auto', 'trust': false},"
		     " '2': {'driver': 'kernel'}}}}, 'devices': {'0000:05:00.0': {'driver': 'vfio-pci'}}}");
	(void)state;
	assert_int_equal(file.nports, 1);
	assert_int_equal(file.ndevices, 1);
	const struct file_port *port = &file.port[0];
	assert_string_equal(port->name, "eth0");
	assert_string_equal(port->label, "1/1");
	assert_int_equal(port->numvfs, 3);
	assert_int_equal(port->autoprobe, 0);
	assert_int_equal(port->set.has, PORTSET_MTU | PORTSET_UP | PORTSET_SPEED);
	assert_int_equal(port->set.speed_bps, 10000000000);
	/* "*", with what the index says over it, member by member. */
	assert_int_equal(port->vf[0].set.has, VFSET_VLAN | VFSET_TRUST);
	assert_int_equal(port->vf[0].set.vlan, 100);
	assert_int_equal(port->vf[0].set.qos, 3);
	assert_false(port->vf[0].set.trust);
	assert_true(port->vf[0].auto_mac);
	assert_string_equal(port->vf[0].driver, "vfio-pci");
	/* A range goes before "*", and an index before both. */
	assert_true(port->vf[1].has_driver);
	assert_string_equal(port->vf[1].driver, "");
	assert_int_equal(port->vf[1].set.max_rate_bps, 2000000000);
	assert_true(port->vf[1].set.trust);
	assert_string_equal(port->vf[2].driver, "kernel");
	assert_int_equal(port->vf[2].set.max_rate_bps, 2000000000);
	assert_false(port->vf[2].auto_mac);
	/* Nothing is said of one that will not be. */
	assert_int_equal(port->vf[3].set.has, 0);
	assert_false(port->vf[3].has_driver);
	assert_string_equal(file.device[0].driver, "vfio-pci");
	file_free(&file);
}

static void
test_reads_little(void **state)
{
	struct file file = good("{}");
	(void)state;
	assert_int_equal(file.nports + file.ndevices, 0);
	file_free(&file);
	file = good("{'ports': {'eth0': {}}}");
	assert_int_equal(file.port[0].numvfs, -1);
	assert_int_equal(file.port[0].autoprobe, -1);
	assert_int_equal(file.port[0].set.has, 0);
	file_free(&file);
	/* Without a number, all that there will be. */
	file = good("{'ports': {'eth0': {'vfs': {'*': {'spoofchk': false}}}}}");
	assert_int_equal(file.port[0].vf[FILE_VFS_MAX - 1].set.has, VFSET_SPOOFCHK);
	assert_false(file.port[0].vf[0].exact);
	file_free(&file);
}

#define PORTS(rest) "{'ports': {" rest "}}"
#define PORT(rest) PORTS("'eth0': {" rest "}")
#define VFS(rest) PORT("'vfs': {" rest "}")
#define VF(rest) VFS("'0': {" rest "}")

static void
test_refuses(void **state)
{
	static const struct {
		const char *text, *message, *hint;
	} refusals[] = {
		{"", "line 1, column 0: '[' or '{' expected near end of file", ""},
		{"{'ports': {}", "line 1, column 12: '}' expected near end of file", ""},
		{"{'ports': {}, 'ports': {}}", "line 1, column 21: duplicate object key near '\"ports\"'", ""},
		{"[]", "[] is not an object {...}", ""},
		{"{'prots': {}}", "prots: unknown key", "ports, devices"},
		{"{'a\\u0001\\u00e4': {}}", "a???: unknown key", ""},
		{"{'ports': []}", "ports: [] is not an object {...}", ""},
		{PORTS("'eth0': 4"), "ports.eth0: 4 is not an object {...}", ""},
		{PORTS("'': {}"), "ports.: not a name of 1 to 127 bytes", ""},
		{PORT("'nunvfs': 4"), "ports.eth0.nunvfs: unknown key", "label, numvfs, autoprobe, vfs"},
		{PORT("'numvfs': -1"), "ports.eth0.numvfs: -1 is not a number of VFs (0 to 256)", ""},
		{PORT("'numvfs': 257"), "ports.eth0.numvfs: 257 is not a number of VFs (0 to 256)", ""},
		{PORT("'numvfs': '4'"), "ports.eth0.numvfs: \"4\" is not a number of VFs (0 to 256)", ""},
		{PORT("'autoprobe': 0"), "ports.eth0.autoprobe: 0 is not true or false", ""},
		{PORT("'label': ''"), "ports.eth0.label: \"\" is not a label", "1 to 31"},
		{PORT("'label': '1:1'"), "ports.eth0.label: \"1:1\" is not a label", "colons"},
		{PORT("'label': 'a b'"), "ports.eth0.label: \"a b\" is not a label", ""},
		{PORTS("'eth0': {'label': 'a'}, 'eth1': {'label': 'a'}"), "ports.eth1.label: a is the label of eth0 already", ""},
		{PORT("'mtu': 67"), "ports.eth0: mtu 67 is too small: at least 68", ""},
		{PORT("'mtu': 'x'"), "ports.eth0.mtu: \"x\" is not an MTU (0 to 65535)", ""},
		{PORT("'duplex': 'unknown'"), "ports.eth0: duplex can be \"half\" or \"full\"", ""},
		{PORT("'speed_bps': 0"), "ports.eth0: speed_bps 0 is no speed", ""},
		{PORT("'speed_bps': '1500k'"), "ports.eth0: speed_bps is not whole Mbit/s", ""},
		{VFS("'0': []"), "ports.eth0.vfs.0: [] is not an object {...}", ""},
		{VFS("'x': {}"), "ports.eth0.vfs.x: not a VF's index, a range of them or \"*\"", "1-3"},
		{VFS("'3-1': {}"), "ports.eth0.vfs.3-1: not a VF's index, a range of them or \"*\"", ""},
		{VFS("'256': {}"), "ports.eth0.vfs.256: not a VF's index, a range of them or \"*\"", "at most 255"},
		{VFS("'1-3': {}, '3-4': {}"), "ports.eth0.vfs.3-4: VF 3 is named by another key already", ""},
		{VFS("'1': {}, '01': {}"), "ports.eth0.vfs.01: VF 1 is named by another key already", ""},
		{PORT("'numvfs': 2, 'vfs': {'2': {}}"), "ports.eth0.vfs.2: the port is to have 2 VFs", "0 to 1"},
		{PORT("'numvfs': 0, 'vfs': {'0': {}}"), "ports.eth0.vfs.0: the port is to have 0 VFs", ""},
		{VF("'vlan': 5000"), "ports.eth0.vfs.0.vlan: 5000 is not a VLAN id (0 to 4094)", ""},
		{VF("'vlna': 5"), "ports.eth0.vfs.0.vlna: unknown key", "allmulti, driver"},
		{VF("'mac': '52:54'"), "ports.eth0.vfs.0.mac: \"52:54\" is not a MAC address", ""},
		{VF("'mac': '01:00:5e:00:00:01'"), "ports.eth0.vfs.0: mac 01:00:5e:00:00:01 is a group address", ""},
		{VF("'qos': 3"), "ports.eth0.vfs.0: qos 3 without a vlan", "give the VLAN"},
		{VF("'max_rate_bps': '1G', 'min_rate_bps': '2G'"), "ports.eth0.vfs.0: min_rate_bps is above max_rate_bps", ""},
		{VF("'driver': ''"), "ports.eth0.vfs.0.driver: \"\" is not a driver", "none"},
		{VF("'driver': '../x'"), "ports.eth0.vfs.0.driver: \"../x\" is not a driver", ""},
		{VF("'driver': 'a234567890123456789012345678901234'"),
			"ports.eth0.vfs.0.driver: \"a234567890123456789012345678901234\" is not a driver", ""},
		{VFS("'0-1': {'mac': '52:54:00:00:00:01'}"), "ports.eth0.vfs.0-1: one mac for several VFs", "auto"},
		{VFS("'*': {'mac': '52:54:00:00:00:01'}"), "ports.eth0.vfs.*: one mac for several VFs", ""},
		{PORTS("'eth1': {'vfs': {'3': {'mac': '52:54:00:00:00:01'}}}, 'eth0': {'vfs': {'1': {'mac': '5254.0000.0001'}}}"),
			"ports.eth0.vfs.1.mac: 52:54:00:00:00:01 is that of ports.eth1.vfs.3", ""},
		{"{'devices': {'05:00.0': {}}}", "devices.05:00.0: no driver", ""},
		{"{'devices': {'05:00.0': 'vfio-pci'}}", "devices.05:00.0: \"vfio-pci\" is not an object {...}", ""},
		{"{'devices': {'05:00.0': {'driver': 'a', 'mac': 'auto'}}}", "devices.05:00.0.mac: unknown key", "driver"},
		{"{'devices': {'05:00.0': {'driver': 7}}}", "devices.05:00.0.driver: 7 is not a driver", ""},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(refusals); i++) {
		struct file file;
		struct err err;
		assert_int_equal(parse(refusals[i].text, &file, &err), ERR_USAGE);
		assert_string_equal(err.message, refusals[i].message);
		if (!strstr(err.hint, refusals[i].hint)) {
			fail_msg("%s: hint '%s'", refusals[i].text, err.hint);
		}
	}
}

/* ---- doing ----------------------------------------------------------------------------------------------------------------- */

struct run {
	struct host host;
	struct ledger ledger;
	char text[16384]; /* "PATH: STEP" lines, and "PATH! ERROR" */
	size_t entries;
};

static void
note(struct run *run, const char *path, const char *what, const char *text)
{
	size_t end = strlen(run->text);
	snprintf(run->text + end, sizeof(run->text) - end, "%s%s %s\n", path, what, text);
}

/* Does all that the file says to the model. A part that fails is left out from then on. */
static void
run_file(struct run *run, const struct file *file)
{
	char paths[16][FILE_PATH_SIZE];
	struct file_skip skip = {.path = paths};
	for (run->entries = 0, run->text[0] = '\0'; run->entries < MOST_ENTRIES; run->entries++) {
		const struct plan_input in = {.host = &run->host, .ledger = &run->ledger};
		struct ledger_entry entry;
		struct err err = {0};
		char path[FILE_PATH_SIZE], text[256];
		assert_int_equal(file_label(file, &run->host, &err), ERR_NONE);
		if (file_next(file, &in, &skip, path, &entry, &err)) {
			assert_true(skip.n < COUNT(paths));
			snprintf(paths[skip.n++], FILE_PATH_SIZE, "%s", path);
			note(run, path, "!", err.message);
			continue;
		}
		if (entry.steps.n == 0) {
			assert_string_equal(path, "");
			return;
		}
		for (size_t i = 0; i < entry.steps.n; i++) {
			note(run, path, ":", step_text(&run->host, &entry.steps.step[i], text, sizeof(text)));
			assert_true(pretend_step(&run->host, &entry.steps.step[i]));
		}
		ledger_entry_free(&entry);
	}
	fail_msg("no end: %s", run->text);
}

static void
run_text(struct run *run, const char *text)
{
	struct file file = good(text);
	run_file(run, &file);
	file_free(&file);
}

static void
run_free(struct run *run)
{
	ledger_free(&run->ledger);
	host_free(&run->host);
}

static void
expect(const struct run *run, const char *text)
{
	assert_string_equal(run->text, text);
}

static void
test_does_all_once(void **state)
{
	static const char text[] =
		"{'ports': {'eth1': {'numvfs': 2, 'autoprobe': false, 'mtu': 9000, 'vfs': {"
		"'*': {'driver': 'vfio-pci'}, '0': {'mac': '52:54:00:00:00:10'}, '1': {'mac': 'auto', 'vlan': 100, 'qos': 3}}}},"
		"'devices': {'05:00.0': {'driver': 'vfio-pci'}}}";
	struct run run = {0};
	(void)state;
	hosts_igb(&run.host, 0);
	const struct host_func vf = {.role = HOST_VF, .pf = HOSTS_IGB_PF2, .index = 1};
	char expected[1024], mac[MAC_TEXT_SIZE];
	mac_format(rules_auto_mac(&run.host, &vf), mac);
	run_text(&run, text);
	snprintf(expected, sizeof(expected),
		"ports.eth1.numvfs: eth1: autoprobe off (was on)\n"
		"ports.eth1.numvfs: eth1: 2 VFs (was 0)\n"
		"ports.eth1: eth1: mtu 9000 (was 1500)\n"
		"ports.eth1.vfs.0: eth1:0: mac 52:54:00:00:00:10 (was 00:00:00:00:00:00)\n"
		"ports.eth1.vfs.1: eth1:1: mac %s (was 00:00:00:00:00:00)\n"
		"ports.eth1.vfs.1: eth1:1: vlan 100 qos 3 (was none)\n"
		"ports.eth1.vfs.0: eth1:0: driver vfio-pci (was none)\n"
		"ports.eth1.vfs.1: eth1:1: driver vfio-pci (was none)\n"
		"devices.05:00.0: 0000:05:00.0: driver vfio-pci (was none)\n",
		mac);
	expect(&run, expected);
	run_text(&run, text);
	expect(&run, "");
	run_free(&run);
}

static void
test_leaves_the_rest_alone(void **state)
{
	struct run run = {0};
	(void)state;
	hosts_igb(&run.host, 3);
	hosts_bind(host_vf(&run.host, HOSTS_IGB_PF, 0), "igbvf", false);
	run_text(&run, "{'ports': {'1/1': {'vfs': {'1-2': {'trust': true}, '0': {'driver': 'kernel'}}}}, 'devices': {'05:00.0': "
		       "{'driver': 'kernel'}}}");
	expect(&run, "ports.1/1.vfs.1: eth0:1: trust on (was off)\nports.1/1.vfs.2: eth0:2: trust on (was off)\n");
	run_free(&run);
}

static void
test_failures_leave_the_others(void **state)
{
	struct run run = {0};
	(void)state;
	hosts_igb(&run.host, 2);
	hosts_use(host_vf(&run.host, HOSTS_IGB_PF, 1), 812, "pe (pid 812) through /dev/vfio/14");
	run_text(&run,
		"{'ports': {'eth7': {'numvfs': 1, 'vfs': {'*': {'trust': true}}},"
		"'eth0': {'numvfs': 4, 'vfs': {'0': {'link': 'enable', 'driver': 'vfio-pci'}, '1': {'trust': true}, '3': {'trust': "
		"true}}},"
		"'eth1': {'vfs': {'5': {'trust': true}}}}, 'devices': {'09:00.0': {'driver': 'vfio-pci'}, 'eth9': {'driver': "
		"'vfio-pci'}}}");
	expect(&run, "ports.eth7.numvfs! no device is called eth7\n"
		     "ports.eth0.numvfs! eth0 would lose VF 1 (pe (pid 812) through /dev/vfio/14)\n"
		     "ports.eth0.vfs.0! igb does not set the link state of its VFs (eth0:0)\n"
		     "ports.eth0.vfs.1: eth0:1: trust on (was off)\n"
		     "ports.eth1.vfs.5! there is no VF 5: eth1 has 0\n"
		     "devices.09:00.0! there is no PCI function 09:00.0\n"
		     "devices.eth9! the default route goes over eth9\n");
	run_free(&run);
}

/* ---- leases ---------------------------------------------------------------------------------------------------------------- */

static void
lease(struct run *run, uint64_t pf, int index, const struct vfset *set, const char *driver)
{
	struct ledger_record *record = realloc(run->ledger.record, (run->ledger.nrecords + 1) * sizeof(*record));
	assert_non_null(record);
	run->ledger.record = record;
	record = &record[run->ledger.nrecords++];
	*record = (struct ledger_record){.func = pf, .index = index, .generation = 1, .set = *set, .holder = "vpx1"};
	snprintf(record->driver, sizeof(record->driver), "%s", driver);
	record->bound = driver[0];
}

static void
test_leases_outlive_a_boot(void **state)
{
	struct run run = {0};
	(void)state;
	hosts_igb(&run.host, 2);
	lease(&run, HOSTS_IGB_PF, 0, &(struct vfset){.has = VFSET_VLAN, .vlan = 7, .proto = 0x8100}, "vfio-pci");
	lease(&run, HOSTS_IGB_PF, 1, &(struct vfset){.has = VFSET_TRUST, .trust = true}, "");
	/* The file's word counts for what the lease has not set. */
	run_text(&run, "{'ports': {'eth0': {'vfs': {'0': {'vlan': 100, 'spoofchk': false, 'driver': 'none'}}}}}");
	expect(&run, "ports.eth0.vfs.0: eth0:0: vlan 7 (was none)\n"
		     "ports.eth0.vfs.0: eth0:0: spoofchk off (was on)\n"
		     "leases.eth0:1: eth0:1: trust on (was off)\n"
		     "ports.eth0.vfs.0: eth0:0: driver vfio-pci (was none)\n");
	run_text(&run, "{}");
	expect(&run, "");
	run_free(&run);
}

static void
test_leases_of_another_card(void **state)
{
	struct run run = {0};
	(void)state;
	hosts_igb(&run.host, 2);
	lease(&run, HOSTS_IGB_PF, 0, &(struct vfset){.has = VFSET_VLAN, .vlan = 7, .proto = 0x8100}, "vfio-pci");
	run.ledger.record[0].ids = UINT64_C(0x808610fb00000000);
	run_text(&run, "{'ports': {'eth0': {'vfs': {'1': {'vlan': 100}}}}}");
	expect(&run, "ports.eth0.vfs.1: eth0:1: vlan 100 (was none)\n"
		     "leases.eth0:0! eth0:0 is leased to vpx1, but of 8086:10fb, and now 8086:10c9 is there\n");
	run_free(&run);
}

/* ---- labels ---------------------------------------------------------------------------------------------------------------- */

static void
test_labels(void **state)
{
	struct run run = {0};
	struct err err = {0};
	(void)state;
	hosts_igb(&run.host, 0);
	/* eth0 is 1/1 and eth1 1/2 by their firmware: the file knows better. */
	struct file file = good("{'ports': {'eth1': {'label': '1/1'}, 'eth7': {'label': 'x'}}}");
	assert_int_equal(file_label(&file, &run.host, &err), ERR_NONE);
	assert_string_equal(host_at(&run.host, HOSTS_IGB_PF)->label, "");
	assert_string_equal(host_at(&run.host, HOSTS_IGB_PF2)->label, "1/1");
	file_free(&file);
	file = good("{'ports': {'eth0': {'label': 'left'}, '01:00.0': {'label': 'right'}}}");
	assert_int_equal(file_label(&file, &run.host, &err), ERR_USAGE);
	assert_string_equal(err.message, "ports.01:00.0: is ports.eth0 under another name");
	file_free(&file);
	run_free(&run);
}

/* ---- saving ---------------------------------------------------------------------------------------------------------------- */

static void
test_saves_what_apply_finds_unchanged(void **state)
{
	struct run run = {0};
	(void)state;
	hosts_igb(&run.host, 0);
	run_text(&run,
		"{'ports': {'eth0': {'label': 'A', 'numvfs': 3, 'mtu': 9000, 'vfs': {'*': {'mac': 'auto'}, '1': {'vlan': 9, "
		"'driver': 'vfio-pci'}}}}, 'devices': {'05:00.0': {'driver': 'vfio-pci'}}}");
	/* The ledger knows that the MTU was set. */
	lease(&run, HOSTS_IGB_PF, -1, &(struct vfset){0}, "");
	run.ledger.record[0].holder[0] = '\0';
	run.ledger.record[0].defaults = (struct portset){.has = PORTSET_MTU, .mtu = 1500};
	json_t *saved = file_of_host(&run.host, &run.ledger);
	char *text = json_dumps(saved, JSON_INDENT(1));
	json_t *port = json_object_get(json_object_get(saved, "ports"), "eth0");
	assert_int_equal(json_object_size(json_object_get(saved, "ports")), 1);
	assert_int_equal(json_integer_value(json_object_get(port, "mtu")), 9000);
	assert_string_equal(json_string_value(json_object_get(port, "label")), "A");
	assert_null(json_object_get(port, "speed_bps"));
	json_t *vf = json_object_get(json_object_get(port, "vfs"), "1");
	assert_string_equal(json_string_value(json_object_get(vf, "driver")), "vfio-pci");
	assert_null(json_object_get(vf, "link")); /* igb has no word for it */
	run_text(&run, text);
	expect(&run, "");
	/* And it makes the same of a host that has nothing. */
	struct run other = {0};
	hosts_igb(&other.host, 0);
	run_text(&other, text);
	json_t *again = file_of_host(&other.host, &run.ledger);
	assert_true(json_equal(saved, again));
	json_decref(again);
	json_decref(saved);
	free(text);
	run_free(&other);
	run_free(&run);
}

/* A lease's settings are the lease's: what is saved is what will be without it. */
static void
test_saves_no_leases(void **state)
{
	struct run run = {0};
	(void)state;
	hosts_igb(&run.host, 1);
	struct host_func *vf = host_vf(&run.host, HOSTS_IGB_PF, 0);
	vf->set.vlan = 7;
	hosts_bind(vf, "vfio-pci", true);
	lease(&run, HOSTS_IGB_PF, 0, &(struct vfset){.has = VFSET_VLAN, .vlan = 7, .proto = 0x8100}, "vfio-pci");
	run.ledger.record[0].before = (struct vfset){.has = VFSET_VLAN, .vlan = 5, .proto = 0x8100};
	run.ledger.record[0].rebound = true;
	json_t *saved = file_of_host(&run.host, &run.ledger);
	json_t *vfs = json_object_get(json_object_get(json_object_get(saved, "ports"), "eth0"), "vfs");
	assert_int_equal(json_integer_value(json_object_get(json_object_get(vfs, "0"), "vlan")), 5);
	assert_null(json_object_get(json_object_get(vfs, "0"), "driver"));
	char *text = json_dumps(saved, 0);
	run_text(&run, text);
	expect(&run, "");
	free(text);
	json_decref(saved);
	run_free(&run);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads),
		cmocka_unit_test(test_reads_little),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_does_all_once),
		cmocka_unit_test(test_leaves_the_rest_alone),
		cmocka_unit_test(test_failures_leave_the_others),
		cmocka_unit_test(test_leases_outlive_a_boot),
		cmocka_unit_test(test_leases_of_another_card),
		cmocka_unit_test(test_labels),
		cmocka_unit_test(test_saves_what_apply_finds_unchanged),
		cmocka_unit_test(test_saves_no_leases),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
