/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: -lpekit -lhost -ljansson */
/* Hosts read from records: one made by tests/hosts/make.py, varied here, and the one that the rig has recorded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/host.h"

#define RIG "tests/hosts/rig"
#define PF4 UINT64_C(0x1000) /* eth4 */
#define PF5 UINT64_C(0x1001)
#define MLX UINT64_C(0x0600)

static char root[] = "/tmp/pekit-host.XXXXXX";
static char secret[] = "/tmp/pekit-host-secret.XXXXXX"; /* outside of it */

static struct host_func *
at(const struct host *host, const char *text)
{
	uint64_t addr;
	assert_true(pci_parse(text, &addr));
	struct host_func *func = host_at(host, addr);
	assert_non_null(func);
	return func;
}

static void
must_read(struct host *host, unsigned what)
{
	struct err err = {0};
	if (host_read(root, what, host, &err) != ERR_NONE) {
		fail_msg("%s", err.message);
	}
	assert_true(host->recorded);
}

/* ---- functions ------------------------------------------------------------------------------------------------------ */

static void
functions_have_ids_and_classes(void **state)
{
	(void)state;
	struct host host;
	must_read(&host, 0);
	assert_int_equal(host.nfuncs, 15 + 2 * 63);
	for (size_t i = 1; i < host.nfuncs; i++) {
		assert_true(host.func[i - 1].addr < host.func[i].addr);
	}
	const struct host_func *pf = at(&host, "10:00.0");
	assert_int_equal(pf->vendor, 0x8086);
	assert_int_equal(pf->device, 0x10fb);
	assert_int_equal(pf->revision, 1);
	assert_int_equal(pf->subdevice, 3);
	assert_int_equal(pf->class_code, 0x020000);
	assert_true(host_is_network(pf));
	assert_string_equal(pf->driver, "ixgbe");
	assert_int_equal(pf->group, 80);
	assert_int_equal(pf->numa, 1);
	assert_true(pf->can_reset);
	assert_int_equal(at(&host, "05:01.0")->class_code, 0x100000);
	assert_int_equal(at(&host, "05:01.0")->vendor, 0x177d);
	assert_string_equal(at(&host, "05:00.0")->override, "vfio-pci");
	assert_string_equal(at(&host, "05:01.0")->override, "");
	assert_int_equal(at(&host, "00:01.0")->class_code, 0x060400);
	assert_true(host.iommu);
	assert_string_equal(host.boot_id, "6f1c0a52-0000-4000-8000-000000000003");
	host_free(&host);
}

static void
vfs_know_their_pf(void **state)
{
	(void)state;
	struct host host;
	must_read(&host, 0);
	for (uint64_t pf = PF4; pf <= PF5; pf++) {
		assert_int_equal(host_at(&host, pf)->role, HOST_PF);
		assert_int_equal(host_at(&host, pf)->total_vfs, 63);
		assert_int_equal(host_at(&host, pf)->num_vfs, 63);
		assert_false(host_at(&host, pf)->autoprobe);
		for (unsigned i = 0; i < 63; i++) {
			const struct host_func *vf = host_vf(&host, pf, i);
			assert_non_null(vf);
			assert_int_equal(vf->addr, pf + 0x80 + 2 * i);
			/* Its own configuration space says ffff:ffff. */
			assert_int_equal(vf->vendor, 0x8086);
			assert_int_equal(vf->device, 0x10ed);
		}
	}
	assert_int_equal(at(&host, "04:00.0")->role, HOST_PF);
	assert_int_equal(at(&host, "04:00.0")->num_vfs, 0);
	assert_int_equal(at(&host, "05:00.0")->role, HOST_PLAIN);
	host_free(&host);
}

static void
the_capability_alone_tells_vfs(void **state)
{
	(void)state;
	struct host host;
	must_read(&host, 0);
	assert_int_equal(at(&host, "12:00.0")->role, HOST_PF);
	assert_int_equal(at(&host, "12:00.0")->total_vfs, 64);
	assert_int_equal(at(&host, "12:00.0")->num_vfs, 2);
	assert_int_equal(at(&host, "12:02.1")->role, HOST_VF);
	assert_int_equal(at(&host, "12:02.1")->index, 1);
	assert_int_equal(at(&host, "12:02.1")->vendor, 0x8086);
	assert_int_equal(at(&host, "12:02.1")->device, 0x154c);
	host_free(&host);
}

static void
labels_are_the_firmwares_or_the_drivers(void **state)
{
	(void)state;
	struct host host;
	must_read(&host, 0);
	assert_string_equal(at(&host, "07:00.0")->label, "NIC1");
	assert_string_equal(at(&host, "07:00.1")->label, "");
	assert_string_equal(at(&host, "10:00.1")->label, "p1");
	/* eth6's driver says p0, too. */
	assert_string_equal(at(&host, "10:00.0")->label, "");
	assert_string_equal(at(&host, "06:00.0")->label, "");
	host_free(&host);
}

static void
interfaces_have_further_names(void **state)
{
	(void)state;
	static const char *const names[] = {"eth4", "ens1f0", "enp16s0f0"};
	struct host host;
	must_read(&host, 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct host_func *func;
		struct err err = {0};
		assert_int_equal(host_find(&host, names[i], HOST_WANT_PF, &func, &err), ERR_NONE);
		assert_ptr_equal(func, at(&host, "10:00.0"));
	}
	host_free(&host);
}

/* ---- settings of VFs -------------------------------------------------------------------------------------------------- */

static void
settings_are_the_drivers(void **state)
{
	(void)state;
	struct host host;
	must_read(&host, 0);
	const struct vfset *set = &host_vf(&host, PF4, 0)->set;
	/* ixgbe's "auto" may be anything. */
	assert_int_equal(set->has, VFSET_ALL & ~(VFSET_LINK | VFSET_PROMISC | VFSET_ALLMULTI));
	assert_int_equal(set->mac, 0x525400001000);
	assert_int_equal(set->vlan, 100);
	assert_int_equal(set->qos, 3);
	assert_int_equal(set->proto, 0x8100);
	assert_true(set->spoofchk && !set->trust);
	set = &host_vf(&host, PF4, 1)->set;
	assert_int_equal(set->max_rate_bps, 2000000000);
	assert_int_equal(set->min_rate_bps, 100000000);
	assert_true(!set->spoofchk && set->trust);
	set = &host_vf(&host, PF4, 2)->set;
	assert_int_equal(set->vlan, 200);
	assert_int_equal(set->proto, 0x88a8);
	assert_int_equal(set->link, VFSET_LINK_ENABLE);
	/* mlx4's word for none. */
	assert_int_equal(host_vf(&host, PF4, 3)->set.vlan, 0);
	assert_int_equal(host_vf(&host, PF5, 62)->set.mac, 0);
	/* What a driver does not report is not known. */
	assert_int_equal(host_vf(&host, MLX, 0)->set.has, VFSET_MAC | VFSET_VLAN | VFSET_RATE | VFSET_LINK);
	assert_int_equal(host_vf(&host, MLX, 1)->set.link, VFSET_LINK_DISABLE);
	/* No interface, no word. */
	assert_int_equal(at(&host, "12:02.0")->set.has, 0);
	host_free(&host);
}

/* ---- interfaces --------------------------------------------------------------------------------------------------------- */

static void
ways_are_followed_down(void **state)
{
	(void)state;
	struct host host;
	must_read(&host, HOST_READ_PORTS);
	for (int i = 0; i < 2; i++) {
		const struct host_func *func = at(&host, i ? "07:00.1" : "07:00.0");
		assert_int_equal(func->nifaces, 1);
		assert_string_equal(func->iface->upper, "bond0");
		assert_string_equal(func->iface->route, "bond0.20");
		assert_string_equal(func->iface->login, "198.51.100.200");
		assert_false(func->iface->has_address);
	}
	/* By a nexthop object. */
	assert_string_equal(at(&host, "06:00.0")->iface->route, "eth6");
	const struct host_if *eth4 = at(&host, "10:00.0")->iface;
	assert_string_equal(eth4->name, "eth4");
	assert_string_equal(eth4->upper, "br0");
	assert_string_equal(eth4->route, "");
	assert_string_equal(eth4->login, "");
	assert_int_equal(eth4->set.mtu, 9000);
	assert_int_equal(eth4->set.speed_bps, 10000000000);
	assert_int_equal(eth4->set.duplex, HOST_DUPLEX_FULL);
	assert_true(eth4->up && eth4->carrier);
	const struct host_if *eth5 = at(&host, "10:00.1")->iface;
	assert_true(eth5->up && !eth5->carrier && !(eth5->set.has & PORTSET_SPEED));
	host_free(&host);
}

static void
virtio_has_a_bus_between(void **state)
{
	(void)state;
	struct host host;
	must_read(&host, 0);
	const struct host_func *func = at(&host, "11:00.0");
	assert_int_equal(func->nifaces, 1);
	assert_string_equal(func->iface->name, "eth9");
	assert_true(!func->iface->up && func->iface->has_address);
	host_free(&host);
}

static void
names_of_another_namespace_are_nobodys(void **state)
{
	(void)state;
	struct host host;
	char path[256];
	/* sysfs of one namespace, rtnetlink of another that has an eth9 of its own. */
	snprintf(path, sizeof(path), "%s/sys/devices/pci0000:00/0000:05:01.0/net/eth9", root);
	char parent[256];
	snprintf(parent, sizeof(parent), "%s/sys/devices/pci0000:00/0000:05:01.0/net", root);
	assert_int_equal(mkdir(parent, 0755), 0);
	assert_int_equal(mkdir(path, 0755), 0);
	must_read(&host, 0);
	const struct host_func *func = at(&host, "05:01.0");
	assert_int_equal(func->nifaces, 0);
	assert_int_equal(func->nuses, 1);
	assert_string_equal(func->use[0].by, "interface in another network namespace");
	host_free(&host);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(parent), 0);
}

/* ---- uses --------------------------------------------------------------------------------------------------------------- */

static void
users_are_named(void **state)
{
	(void)state;
	struct host host;
	must_read(&host, HOST_READ_USES);
	const struct host_func *vf = host_vf(&host, PF4, 1);
	assert_int_equal(vf->nuses, 1);
	assert_int_equal(vf->use[0].pid, 812);
	assert_string_equal(vf->use[0].by, "pe (pid 812) through /dev/vfio/101");
	assert_int_equal(at(&host, "05:00.0")->nuses, 1);
	assert_int_equal(at(&host, "05:00.0")->use[0].pid, 4242);
	assert_int_equal(at(&host, "05:01.0")->nuses, 0);
	assert_string_equal(host_vf(&host, PF4, 0)->use[0].by, "interface eth10 is up");
	assert_string_equal(host_vf(&host, PF4, 2)->use[0].by, "interface in another network namespace");
	assert_int_equal(host_vf(&host, PF4, 3)->nuses, 0);
	host_free(&host);
	must_read(&host, 0);
	assert_int_equal(host_vf(&host, PF4, 1)->nuses, 0);
	host_free(&host);
}

/* A device of the record in the place of another's, for as long as a test lasts. */
static void
link_at(const char *name, const char *target, bool there)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/%s", root, name);
	assert_int_equal(there ? symlink(target, path) : unlink(path), 0);
}

static void
folder_at(const char *name, bool there)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/%s", root, name);
	assert_int_equal(there ? mkdir(path, 0755) : rmdir(path), 0);
}

#define DEVICE "sys/bus/pci/devices/0000:05:01.0"

static void
users_need_no_driver_that_is_known(void **state)
{
	(void)state;
	static const struct {
		const char *folder, *name, *node;
	} ways[] = {
		{"vfio-dev", "vfio0", "/dev/vfio/51"},
		{"vfio-dev", "vfio0", "/dev/vfio/51 (deleted)"},
		{"vfio-dev", "vfio0", "/dev/vfio/devices/vfio0"},
		{"vfio-dev", "vfio0", "/dev/vfio/devices/vfio0 (deleted)"},
		{"uio", "uio0", "/dev/uio0"},
		{"infiniband_verbs", "uverbs0", "/dev/infiniband/uverbs0"},
	};
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct host host;
		char folder[128], name[160];
		snprintf(folder, sizeof(folder), DEVICE "/%s", ways[i].folder);
		snprintf(name, sizeof(name), "%s/%s", folder, ways[i].name);
		folder_at(folder, true);
		folder_at(name, true);
		link_at("proc/812/fd/99", ways[i].node, true);
		must_read(&host, HOST_READ_USES);
		const struct host_func *func = at(&host, "05:01.0");
		bool used = false;
		for (size_t k = 0; k < func->nuses; k++) {
			used = used || func->use[k].pid == 812;
		}
		host_free(&host);
		link_at("proc/812/fd/99", NULL, false);
		folder_at(name, false);
		folder_at(folder, false);
		if (!used) {
			fail_msg("%s: nobody uses it", ways[i].node);
		}
	}
}

/* ---- records that are none ----------------------------------------------------------------------------------------------------
 */

/* Puts another file in the place of one of the record's; NULL puts it back. */
static void
replace(const char *name, const char *data, size_t size)
{
	char path[256], kept[264];
	snprintf(path, sizeof(path), "%s/%s", root, name);
	snprintf(kept, sizeof(kept), "%s.kept", path);
	if (!data) {
		assert_int_equal(rename(kept, path), 0);
		return;
	}
	assert_int_equal(rename(path, kept), 0);
	FILE *out = fopen(path, "w");
	assert_non_null(out);
	assert_int_equal(fwrite(data, 1, size, out), size);
	assert_int_equal(fclose(out), 0);
}

static void
bad_records_are_errors(void **state)
{
	(void)state;
	static const struct {
		const char *name, *data;
		size_t size;
	} bad[] = {
		{"pci.dump", "10:00.0 0200: 8086:10fb\n00: 86 80 fb 1", 38},
		{"pci.dump", "10:00.0 0200: 8086:10fb\n00: 86 80 fb zz\n", 40},
		{"links", "\x20\0\0\0\x10\0\x02\0\1\0\0\0\0\0\0\0", 16},
		{"addrs", "x", 1},
		{"routes", "\x0f\0\0\0\x10\0\x02\0\1\0\0\0\0\0\0\0", 16},
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct host host;
		struct err err = {0};
		replace(bad[i].name, bad[i].data, bad[i].size);
		assert_int_equal(host_read(root, HOST_READ_ALL, &host, &err), ERR_FAILED);
		assert_true(err.message[0] && host.nfuncs == 0);
		replace(bad[i].name, NULL, 0);
	}
	struct host host;
	struct err err = {0};
	assert_int_equal(host_read("/nonesuch", 0, &host, &err), ERR_NOT_FOUND);
	assert_int_equal(host_read("tests/hosts", 0, &host, &err), ERR_NOT_FOUND);
	must_read(&host, 0);
	host_free(&host);
}

static void
nothing_outside_is_read(void **state)
{
	(void)state;
	struct host host;
	char path[256];
	int fd = mkstemp(secret);
	assert_true(fd >= 0 && write(fd, "outside", 7) == 7 && close(fd) == 0);
	snprintf(path, sizeof(path), "%s/sys/bus/pci/devices/0000:05:01.0/label", root);
	for (int i = 0; i < 2; i++) {
		char target[256];
		snprintf(target, sizeof(target), "%s%s", i ? "../../../../../../../../../../.." : "", secret);
		assert_int_equal(symlink(target, path), 0);
		must_read(&host, 0);
		assert_string_equal(at(&host, "05:01.0")->label, "");
		host_free(&host);
		assert_int_equal(unlink(path), 0);
	}
}

static void
a_pipe_is_not_waited_for(void **state)
{
	(void)state;
	struct host host;
	char path[256], kept[264];
	snprintf(path, sizeof(path), "%s/login", root);
	snprintf(kept, sizeof(kept), "%s.kept", path);
	bool there = rename(path, kept) == 0;
	assert_int_equal(mkfifo(path, 0600), 0);
	must_read(&host, 0);
	host_free(&host);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(there ? rename(kept, path) : 0, 0);
}

/* ---- the rig's ---------------------------------------------------------------------------------------------------------------
 */

static void
the_rig_is_as_it_was(void **state)
{
	(void)state;
	struct host host;
	struct err err = {0};
	if (host_read(RIG, HOST_READ_ALL, &host, &err) != ERR_NONE) {
		fail_msg("%s", err.message);
	}
	const struct host_func *pf = at(&host, "01:00.0");
	assert_int_equal(pf->device, 0x10c9);
	/* The capability says 8. */
	assert_int_equal(pf->total_vfs, 7);
	assert_int_equal(pf->num_vfs, 4);
	assert_string_equal(pf->iface->name, "pf0");
	assert_string_equal(pf->iface->upper, "pf0.7");
	assert_string_equal(host_vf(&host, pf->addr, 0)->iface->name, "vf0");
	assert_string_equal(host_vf(&host, pf->addr, 1)->driver, "vfio-pci");
	assert_int_equal(host_vf(&host, pf->addr, 1)->set.vlan, 100);
	assert_int_equal(host_vf(&host, pf->addr, 1)->set.qos, 3);
	assert_int_equal(host_vf(&host, pf->addr, 1)->set.max_rate_bps, 200000000);
	assert_true(host_vf(&host, pf->addr, 2)->set.trust && !host_vf(&host, pf->addr, 2)->set.spoofchk);
	assert_string_equal(at(&host, "02:00.0")->iface->route, "pf1");
	host_free(&host);
}

/* ---- logins -------------------------------------------------------------------------------------------------------------------
 */

static void
a_login_is_known_by_its_variable(void **state)
{
	(void)state;
	char remote[64], local[64];
	assert_int_equal(setenv("SSH_CONNECTION", "2001:db8::7 50022 2001:db8::10 22", 1), 0);
	assert_true(host_login(remote, local, sizeof(remote)));
	assert_string_equal(remote, "2001:db8::7");
	assert_string_equal(local, "2001:db8::10");
	/* What does not fit, or is cut, is none; an ancestor may have another. */
	assert_int_equal(setenv("SSH_CONNECTION", "198.51.100.7 50022 192.0.2.1 22", 1), 0);
	assert_true(host_login(remote, local, 13));
	assert_string_equal(local, "192.0.2.1");
	unsetenv("SSH_CONNECTION");
}

static int
set_up(void **state)
{
	(void)state;
	char command[256];
	if (!mkdtemp(root)) {
		return -1;
	}
	snprintf(command, sizeof(command), "python3 tests/hosts/make.py %s", root);
	return system(command) == 0 ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	char command[256];
	snprintf(command, sizeof(command), "rm -rf %s %s", root, secret);
	return system(command) == 0 ? 0 : -1;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(functions_have_ids_and_classes),
		cmocka_unit_test(vfs_know_their_pf),
		cmocka_unit_test(the_capability_alone_tells_vfs),
		cmocka_unit_test(labels_are_the_firmwares_or_the_drivers),
		cmocka_unit_test(interfaces_have_further_names),
		cmocka_unit_test(settings_are_the_drivers),
		cmocka_unit_test(ways_are_followed_down),
		cmocka_unit_test(virtio_has_a_bus_between),
		cmocka_unit_test(names_of_another_namespace_are_nobodys),
		cmocka_unit_test(users_are_named),
		cmocka_unit_test(users_need_no_driver_that_is_known),
		cmocka_unit_test(bad_records_are_errors),
		cmocka_unit_test(nothing_outside_is_read),
		cmocka_unit_test(a_pipe_is_not_waited_for),
		cmocka_unit_test(the_rig_is_as_it_was),
		cmocka_unit_test(a_login_is_known_by_its_variable),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
