/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/vf/host.c lib/vf/names.c lib/vf/pci.c lib/base/num.c lib/base/err.c */
/* Functions of a host: looked up by address, index and every name that people use. */
#include "vf_hosts.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void
finds(const struct host *host, const char *name, unsigned want, uint64_t addr)
{
	struct host_func *func = NULL;
	struct err err = {0};
	if (host_find(host, name, want, &func, &err) != ERR_NONE) {
		print_error("%s: %s\n", name, err.message);
	}
	assert_non_null(func);
	assert_int_equal(func->addr, addr);
}

struct refusal {
	const char *name;
	unsigned want;
	enum err_code code;
	const char *message, *hint;
};

static void
refuses(const struct host *host, const struct refusal *r)
{
	struct host_func *func = host->func;
	struct err err = {0};
	assert_int_equal(host_find(host, r->name, r->want, &func, &err), r->code);
	assert_null(func);
	assert_int_equal(err.code, r->code);
	assert_string_equal(err.message, r->message);
	assert_string_equal(err.hint, r->hint);
}

static void
lookups(void **state)
{
	(void)state;
	struct host host;
	hosts_ixgbe(&host);
	assert_int_equal(host.nfuncs, 128);
	for (size_t i = 1; i < host.nfuncs; i++) {
		assert_true(host.func[i - 1].addr < host.func[i].addr);
	}
	assert_null(host_at(&host, 0));
	assert_null(host_at(&host, HOSTS_IXGBE_PF + 2));
	assert_null(host_at(&host, UINT64_MAX));
	for (size_t i = 0; i < host.nfuncs; i++) {
		assert_ptr_equal(host_at(&host, host.func[i].addr), &host.func[i]);
	}
	/* 82599: VF n of a port is at its address + 80h + 2n. */
	for (unsigned n = 0; n < 63; n++) {
		assert_int_equal(host_vf(&host, HOSTS_IXGBE_PF, n)->addr, HOSTS_IXGBE_PF + 0x80 + 2 * n);
		assert_int_equal(host_vf(&host, HOSTS_IXGBE_PF2, n)->addr, HOSTS_IXGBE_PF2 + 0x80 + 2 * n);
	}
	assert_null(host_vf(&host, HOSTS_IXGBE_PF, 63));
	assert_null(host_vf(&host, 0x80, 0));
	host_free(&host);
	assert_null(host.func);
	assert_int_equal(host.nfuncs, 0);
	assert_null(host_at(&host, HOSTS_IXGBE_PF));
}

static void
groups(void **state)
{
	(void)state;
	struct host host;
	uint64_t other = 1;
	hosts_igb(&host, 2);
	struct host_func *vf = host_vf(&host, HOSTS_IGB_PF, 0);
	assert_int_equal(host_group_mates(&host, vf, &other), 0);
	assert_int_equal(other, 1);
	host_vf(&host, HOSTS_IGB_PF, 1)->group = vf->group;
	host_at(&host, HOSTS_PLAIN)->group = vf->group;
	assert_int_equal(host_group_mates(&host, vf, &other), 2);
	assert_int_equal(other, HOSTS_IGB_PF + 0x82);
	assert_int_equal(host_group_mates(&host, vf, NULL), 2);
	/* Group 0 is one, too. */
	vf->group = host_at(&host, HOSTS_PLAIN)->group = 0;
	assert_int_equal(host_group_mates(&host, vf, &other), 1);
	assert_int_equal(other, HOSTS_PLAIN);
	vf->group = host_at(&host, HOSTS_PLAIN)->group = host_vf(&host, HOSTS_IGB_PF, 1)->group;
	/* Bridges stay with the kernel. */
	host_at(&host, HOSTS_PLAIN)->class_code = 0x060400;
	assert_int_equal(host_group_mates(&host, vf, &other), 1);
	/* Without an IOMMU nothing is grouped. */
	for (size_t i = 0; i < host.nfuncs; i++) {
		host.func[i].group = -1;
	}
	assert_int_equal(host_group_mates(&host, vf, &other), 0);
	host_free(&host);
}

static void
names(void **state)
{
	(void)state;
	struct host host;
	hosts_igb(&host, 4);
	hosts_iface(host_vf(&host, HOSTS_IGB_PF, 2), "enp1s0f0v2", 0x525400000112, 0);
	memcpy(host_at(&host, HOSTS_IGB_PF)->iface[0].altnames, "enp1s0f0\0enx525400000100", 25);
	static const struct {
		const char *name;
		uint64_t addr;
	} good[] = {{"0000:01:00.0", HOSTS_IGB_PF}, {"01:00.0", HOSTS_IGB_PF}, {"pci:0000:01:00.0", HOSTS_IGB_PF},
		{"pci:01:00.0", HOSTS_IGB_PF}, {"0:1:0.0", HOSTS_IGB_PF}, {"eth0", HOSTS_IGB_PF}, {"1/1", HOSTS_IGB_PF},
		{"1/2", HOSTS_IGB_PF2}, {"eth1", HOSTS_IGB_PF2}, {"eth0:0", HOSTS_IGB_PF + 0x80}, {"eth0:3", HOSTS_IGB_PF + 0x86},
		{"eth0v3", HOSTS_IGB_PF + 0x86}, {"1/1:1", HOSTS_IGB_PF + 0x82}, {"1/1v1", HOSTS_IGB_PF + 0x82},
		{"01:00.0:2", HOSTS_IGB_PF + 0x84}, {"0000:01:00.0:2", HOSTS_IGB_PF + 0x84},
		{"pci:0000:01:00.0:2", HOSTS_IGB_PF + 0x84}, {"0000:01:10.4", HOSTS_IGB_PF + 0x84},
		{"enp1s0f0v2", HOSTS_IGB_PF + 0x84}, {"eth9", HOSTS_PLAIN}, {"05:00.0", HOSTS_CRYPTO}, {"enp1s0f0", HOSTS_IGB_PF},
		{"enx525400000100", HOSTS_IGB_PF}, {"enp1s0f0:1", HOSTS_IGB_PF + 0x82}, {"pci/0000:01:00.0", HOSTS_IGB_PF},
		{"/sys/bus/pci/devices/0000:01:00.0", HOSTS_IGB_PF},
		{"/sys/devices/pci0000:00/0000:00:02.0/0000:01:10.4/", HOSTS_IGB_PF + 0x84},
		{"/sys/class/net/eth0//", HOSTS_IGB_PF}, {"/sys/class/net/enp1s0f0", HOSTS_IGB_PF}};
	for (size_t i = 0; i < COUNT(good); i++) {
		finds(&host, good[i].name, HOST_WANT_ANY, good[i].addr);
	}
	finds(&host, "eth0", HOST_WANT_PF, HOSTS_IGB_PF);
	finds(&host, "eth0:1", HOST_WANT_VF, HOSTS_IGB_PF + 0x82);
	finds(&host, "eth9", HOST_WANT_PLAIN, HOSTS_PLAIN);
	finds(&host, "eth9", HOST_WANT_PLAIN | HOST_WANT_PF, HOSTS_PLAIN);
	host_free(&host);
}

/* What we call a function finds it again, and so does every name that is offered. */
struct offered {
	const struct host *host;
	unsigned want, n;
	char all[1024];
};

static void
offer(void *arg, const char *name)
{
	struct offered *o = arg;
	struct host_func *func;
	struct err err;
	assert_int_equal(host_find(o->host, name, o->want, &func, &err), ERR_NONE);
	o->n++;
	size_t end = strlen(o->all);
	snprintf(o->all + end, sizeof(o->all) - end, "%s ", name);
}

static void
there_and_back(void **state)
{
	(void)state;
	struct host host;
	char text[HOST_TEXT_SIZE];
	hosts_igb(&host, 2);
	for (size_t i = 0; i < host.nfuncs; i++) {
		finds(&host, host_name(&host, &host.func[i], text), HOST_WANT_ANY, host.func[i].addr);
	}
	struct offered o = {.host = &host, .want = HOST_WANT_PF};
	host_names(&host, o.want, offer, &o);
	assert_string_equal(o.all, "eth0 1/1 0000:01:00.0 eth1 1/2 0000:01:00.1 ");
	o = (struct offered){.host = &host, .want = HOST_WANT_VF};
	host_names(&host, o.want, offer, &o);
	assert_string_equal(o.all, "eth0:0 1/1:0 0000:01:10.0 eth0:1 1/1:1 0000:01:10.2 ");
	o = (struct offered){.host = &host, .want = HOST_WANT_PLAIN};
	host_names(&host, o.want, offer, &o);
	assert_string_equal(o.all, "eth9 0000:02:03.0 0000:05:00.0 ");
	host_free(&host);
	hosts_ixgbe(&host);
	for (size_t i = 0; i < host.nfuncs; i++) {
		finds(&host, host_name(&host, &host.func[i], text), HOST_WANT_ANY, host.func[i].addr);
	}
	host_free(&host);
}

/* A PF whose interface is not to be seen is called by its label, or its address; a VF whose PF is hidden by its own. */
static void
names_without_interface(void **state)
{
	(void)state;
	struct host host = {0};
	char text[HOST_TEXT_SIZE];
	hosts_pf(&host, "01:00.0", "vfio-pci", NULL, 0x10c9, 7);
	hosts_vfs(&host, 0x100, 0x10ca, 0x80, 2, 1);
	assert_string_equal(host_name(&host, host_at(&host, 0x100), text), "0000:01:00.0");
	assert_string_equal(host_name(&host, host_at(&host, 0x180), text), "0000:01:00.0:0");
	finds(&host, text, HOST_WANT_VF, 0x180);
	strcpy(host_at(&host, 0x100)->label, "front");
	assert_string_equal(host_name(&host, host_at(&host, 0x100), text), "front");
	assert_string_equal(host_name(&host, host_at(&host, 0x180), text), "front:0");
	host_at(&host, 0x180)->pf = 0x999;
	assert_string_equal(host_name(&host, host_at(&host, 0x180), text), "0000:01:10.0");
	host_free(&host);
}

static void
not_there(void **state)
{
	(void)state;
	static const struct refusal refusals[] = {
		{"eht0", HOST_WANT_PF, ERR_NOT_FOUND, "no device is called eht0", "did you mean eth0"},
		{"eth2", HOST_WANT_PF, ERR_NOT_FOUND, "no device is called eth2", "did you mean eth0 or eth1"},
		{"eth2", HOST_WANT_PF | HOST_WANT_PLAIN, ERR_NOT_FOUND, "no device is called eth2",
			"did you mean eth0, eth1 or eth9"},
		{"1/3", HOST_WANT_PF, ERR_NOT_FOUND, "no device is called 1/3", "did you mean 1/1 or 1/2"},
		{"01:00.5", HOST_WANT_PF, ERR_NOT_FOUND, "there is no PCI function 01:00.5",
			"did you mean 0000:01:00.0 or 0000:01:00.1"},
		{"0000:01:00.5", HOST_WANT_PF, ERR_NOT_FOUND, "there is no PCI function 0000:01:00.5",
			"did you mean 0000:01:00.0 or 0000:01:00.1"},
		{"front", HOST_WANT_PF, ERR_NOT_FOUND, "no device is called front",
			"there are: eth0, 1/1, 0000:01:00.0, eth1, ..."},
		{"wlan7", HOST_WANT_PLAIN, ERR_NOT_FOUND, "no device is called wlan7",
			"there are: eth9, 0000:02:03.0, 0000:05:00.0"},
		{"eth0:4", HOST_WANT_VF, ERR_NOT_FOUND, "eth0 has no VF 4", "it has eth0:0 to eth0:3"},
		{"1/1v7", HOST_WANT_VF, ERR_NOT_FOUND, "1/1 has no VF 7", "it has 1/1:0 to 1/1:3"},
		{"eth1:0", HOST_WANT_VF, ERR_NOT_FOUND, "eth1 has no VF 0",
			"it has none: vfctl numvfs eth1 N makes them, up to 7"},
		{"eth9:0", HOST_WANT_VF, ERR_USAGE, "eth9 is no PF: it has no VFs", ""},
		{"", HOST_WANT_PLAIN, ERR_NOT_FOUND, "no device is called ", "there are: eth9, 0000:02:03.0, 0000:05:00.0"},
		{":1", HOST_WANT_PLAIN, ERR_NOT_FOUND, "no device is called :1", "there are: eth9, 0000:02:03.0, 0000:05:00.0"},
	};
	struct host host;
	hosts_igb(&host, 4);
	for (size_t i = 0; i < COUNT(refusals); i++) {
		refuses(&host, &refusals[i]);
	}
	host_free(&host);
	refuses(&host, &(struct refusal){"eth0", HOST_WANT_ANY, ERR_NOT_FOUND, "no device is called eth0", "there are none"});
}

/* One slip or two: a letter too many, too few, another, or two in the wrong order. */
static void
alike(void **state)
{
	(void)state;
	static const struct {
		const char *typed, *hint;
	} cases[] = {
		{"enp1s0f0np0", "did you mean enp1s0f0np1"},
		{"enp1s0f0np11", "did you mean enp1s0f0np1"},
		{"enp1s0f0np", "did you mean enp1s0f0np1"},
		{"enp1sf00np1", "did you mean enp1s0f0np1"},
		{"nep1s0f0pn1", "did you mean enp1s0f0np1"},
		{"np1s0f0np1", "did you mean enp1s0f0np1"},
		{"enp1s0f0n", "did you mean enp1s0f0np1"},
		{"enp1s0f0", "there are: enp1s0f0np1, 0000:01:00.0"},
		{"xxenp1s0f0np1", "did you mean enp1s0f0np1"},
		{"xxxenp1s0f0np1", "there are: enp1s0f0np1, 0000:01:00.0"},
		{"01:00.7", "did you mean 0000:01:00.0"},
		{"0000:01:00.0x", "did you mean 0000:01:00.0"},
		{"abcdefghijklmnopqrstuvwxyz-abcdefghijklmnopqrstuvwxyz", "there are: enp1s0f0np1, 0000:01:00.0"},
	};
	struct host host = {0};
	hosts_pf(&host, "01:00.0", "ice", "enp1s0f0np1", 0x1592, 64);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct host_func *func;
		struct err err = {0};
		assert_int_equal(host_find(&host, cases[i].typed, HOST_WANT_ANY, &func, &err), ERR_NOT_FOUND);
		assert_string_equal(err.hint, cases[i].hint);
	}
	/* The nearest alone, and of those at most four. */
	struct host_func *func;
	struct err err;
	hosts_pf(&host, "02:00.0", "ice", "enp1s0f0np21", 0x1592, 64);
	assert_int_equal(host_find(&host, "enp1s0f0np2", HOST_WANT_ANY, &func, &err), ERR_NOT_FOUND);
	assert_string_equal(err.hint, "did you mean enp1s0f0np1 or enp1s0f0np21");
	assert_int_equal(host_find(&host, "enp1s0f0np3", HOST_WANT_ANY, &func, &err), ERR_NOT_FOUND);
	assert_string_equal(err.hint, "did you mean enp1s0f0np1");
	host_free(&host);
	hosts_ixgbe(&host);
	assert_int_equal(host_find(&host, "eth6:0", HOST_WANT_VF, &func, &err), ERR_NOT_FOUND);
	assert_string_equal(err.hint, "did you mean eth4:0 or eth5:0");
	assert_int_equal(host_find(&host, "eth4:x", HOST_WANT_VF, &func, &err), ERR_NOT_FOUND);
	assert_string_equal(err.hint, "did you mean eth4:0, eth4:1, eth4:2 or eth4:3");
	host_free(&host);
	/* In short names one slip. */
	hosts_pf(&host, "02:00.0", "ice", "p1", 0x1592, 64);
	assert_int_equal(host_find(&host, "q2", HOST_WANT_ANY, &func, &err), ERR_NOT_FOUND);
	assert_string_equal(err.hint, "there are: p1, 0000:02:00.0");
	assert_int_equal(host_find(&host, "q1", HOST_WANT_ANY, &func, &err), ERR_NOT_FOUND);
	assert_string_equal(err.hint, "did you mean p1");
	host_free(&host);
}

static void
of_another_kind(void **state)
{
	(void)state;
	static const struct refusal refusals[] = {
		{"eth0", HOST_WANT_VF, ERR_USAGE, "eth0 is a PF; a VF is wanted: eth0:0 to eth0:3", ""},
		{"1/1", HOST_WANT_VF, ERR_USAGE, "1/1 is a PF; a VF is wanted: 1/1:0 to 1/1:3", ""},
		{"eth1", HOST_WANT_VF, ERR_USAGE, "eth1 is a PF; a VF is wanted",
			"it has no VFs: vfctl numvfs eth1 N makes them, up to 7"},
		{"eth0", HOST_WANT_PLAIN, ERR_USAGE, "eth0 is a PF; a device that is neither PF nor VF is wanted", ""},
		{"eth0:1", HOST_WANT_PF, ERR_USAGE, "eth0:1 is a VF; a PF is wanted", "its PF is eth0"},
		{"01:10.2", HOST_WANT_PF | HOST_WANT_PLAIN, ERR_USAGE, "01:10.2 is a VF; a PF or another device is wanted",
			"its PF is eth0"},
		{"eth9", HOST_WANT_PF, ERR_USAGE, "eth9 is neither a PF nor a VF; a PF is wanted",
			"the device, its driver or the firmware has no SR-IOV"},
		{"eth9", HOST_WANT_PF | HOST_WANT_VF, ERR_USAGE, "eth9 is neither a PF nor a VF; a PF or a VF is wanted",
			"the device, its driver or the firmware has no SR-IOV"},
	};
	struct host host;
	hosts_igb(&host, 4);
	for (size_t i = 0; i < COUNT(refusals); i++) {
		refuses(&host, &refusals[i]);
	}
	host_at(&host, HOSTS_IGB_PF)->num_vfs = 1;
	refuses(&host, &(struct refusal){"eth0", HOST_WANT_VF, ERR_USAGE, "eth0 is a PF; a VF is wanted: eth0:0", ""});
	host_free(&host);
}

static void
of_two(void **state)
{
	(void)state;
	struct host host;
	hosts_igb(&host, 2);
	strcpy(host_at(&host, HOSTS_IGB_PF2)->label, "eth0");
	static const struct refusal twice = {
		"eth0", HOST_WANT_ANY, ERR_USAGE, "eth0 is the name of two: 0000:01:00.0 and 0000:01:00.1", "say its address"};
	refuses(&host, &twice);
	struct refusal vf = twice;
	vf.name = "eth0:1";
	refuses(&host, &vf);
	/* A function whose label is its own interface's name is one. */
	strcpy(host_at(&host, HOSTS_IGB_PF2)->label, "eth1");
	finds(&host, "eth1", HOST_WANT_ANY, HOSTS_IGB_PF2);
	/* Labels are the port's: a VF that repeats its PF's is not meant. */
	strcpy(host_vf(&host, HOSTS_IGB_PF, 0)->label, "1/1");
	finds(&host, "1/1", HOST_WANT_ANY, HOSTS_IGB_PF);
	host_free(&host);
}

/* Names from the command line may be of any length and hold anything. */
static void
odd_names(void **state)
{
	(void)state;
	struct host host;
	struct host_func *func;
	struct err err;
	char name[1024];
	hosts_igb(&host, 2);
	for (size_t n = 1; n < sizeof(name); n += 13) {
		memset(name, 'e', n);
		name[n] = '\0';
		assert_int_equal(host_find(&host, name, HOST_WANT_ANY, &func, &err), ERR_NOT_FOUND);
		name[n - 1] = ':';
		assert_int_equal(host_find(&host, name, HOST_WANT_ANY, &func, &err), ERR_NOT_FOUND);
		if (n > 4) {
			memcpy(name + n - 3, ":12", 4);
			assert_int_equal(host_find(&host, name, HOST_WANT_ANY, &func, &err), ERR_NOT_FOUND);
		}
	}
	assert_int_equal(host_find(&host, "eth0:99999999999999999999", HOST_WANT_ANY, &func, &err), ERR_NOT_FOUND);
	assert_int_equal(host_find(&host, "eth0:-1", HOST_WANT_ANY, &func, &err), ERR_NOT_FOUND);
	assert_int_equal(host_find(&host, "pci:", HOST_WANT_ANY, &func, &err), ERR_NOT_FOUND);
	assert_int_equal(host_find(&host, "/sys/", HOST_WANT_ANY, &func, &err), ERR_NOT_FOUND);
	assert_int_equal(host_find(&host, "/sys//", HOST_WANT_ANY, &func, &err), ERR_NOT_FOUND);
	memset(name, 'e', sizeof(name));
	memcpy(name, "/sys/", 5);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(host_find(&host, name, HOST_WANT_ANY, &func, &err), ERR_NOT_FOUND);
	host_free(&host);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lookups),
		cmocka_unit_test(groups),
		cmocka_unit_test(names),
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(names_without_interface),
		cmocka_unit_test(not_there),
		cmocka_unit_test(alike),
		cmocka_unit_test(of_another_kind),
		cmocka_unit_test(of_two),
		cmocka_unit_test(odd_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
