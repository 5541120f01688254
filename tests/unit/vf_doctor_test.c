/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/vf/doctor.c lib/vf/doctor_host.c lib/vf/doctor_cpu.c lib/vf/doctor_func.c lib/vf/rules_driver.c lib/vf/host.c */
/* links: lib/vf/names.c lib/vf/pci.c lib/vf/vfset.c lib/vf/portset.c lib/vf/keys.c lib/vf/ledger.c lib/vf/ledger_line.c */
/* links: lib/vf/step.c lib/conf/bridge.c lib/conf/diff.c lib/conf/iface.c lib/conf/keys.c lib/conf/memory.c lib/conf/parse.c */
/* links: lib/conf/patch.c lib/conf/port.c lib/conf/prefix.c lib/conf/read.c lib/conf/route.c lib/conf/write.c */
/* links: lib/shm/seg.c lib/shm/seg_create.c lib/base/addr.c lib/base/err.c lib/base/num.c -ljansson */
/* links: lib/json/where.c lib/json/field.c */
/* The doctor: for each check a host that is well and one that is not, and the command that mends it. */
#include <inttypes.h>

#include "conf_text.h"
#include "vf/doctor.h"
#include "vf_hosts.h"

#define GB (UINT64_C(1) << 30)

struct ward {
	struct host host;
	struct ledger ledger;
	struct doctor_facts facts;
	struct conf conf;
	bool has_conf;
	char said[16384]; /* "LEVEL CHECK SUBJECT: TEXT | FIX" lines of the findings that are not ok */
	char checks[512]; /* all checks that spoke, in order */
};

/* A healthy machine: two nodes of four cores with two threads each, all but the first core isolated. */
static void
set_facts(struct ward *w)
{
	struct doctor_facts *facts = &w->facts;
	*facts = (struct doctor_facts){.vfio_loaded = true,
		.cpu_vendor = "GenuineIntel",
		.cmdline = "BOOT_IMAGE=/vmlinuz root=/dev/sda1 quiet",
		.ncpus = 16,
		.nnodes = 2,
		.huge_bytes_total = 2 * GB,
		.huge_bytes_free = 2 * GB,
		.huge_page_bytes = 2 << 20,
		.huge_pages = 1024,
		.memlock_bytes = UINT64_MAX,
		.conf_file = "/etc/pekit/edge1.json"};
	for (int cpu = 0; cpu < DOCTOR_CPUS_MAX; cpu++) {
		facts->cpu_node[cpu] = (short)(cpu < 16 ? cpu / 4 % 2 : -1);
		facts->cpu_core[cpu] = (short)(cpu % 8);
		facts->cpu_isolated[cpu] = cpu % 8 != 0;
	}
	facts->node_distance[0][0] = facts->node_distance[1][1] = 10;
	facts->node_distance[0][1] = facts->node_distance[1][0] = 21;
	facts->acs = malloc(w->host.nfuncs + 1);
	facts->lldp_agent = malloc(w->host.nfuncs + 1);
	assert_non_null(facts->acs);
	assert_non_null(facts->lldp_agent);
	memset(facts->acs, 1, w->host.nfuncs + 1);
	memset(facts->lldp_agent, -1, w->host.nfuncs + 1);
}

/* A host on which nothing is wrong: an 82576 with two VFs that are ready for an engine. */
static void
admit(struct ward *w)
{
	*w = (struct ward){0};
	hosts_igb(&w->host, 2);
	for (unsigned i = 0; i < 2; i++) {
		struct host_func *vf = host_vf(&w->host, HOSTS_IGB_PF, i);
		vf->set.mac = 0x525400000010 + i;
		vf->numa = 0;
		hosts_bind(vf, "vfio-pci", true);
	}
	set_facts(w);
}

#define VF0 "'p1': {'device': 'pci:0000:01:10.0'}"
#define VF1 "'p2': {'device': 'pci:0000:01:10.2'}"
#define CORES "'cores': {'data': 2, 'cpus': '1-2', 'poll': 'busy'}"

static void
with(struct ward *w, const char *text)
{
	w->conf = good(text);
	w->has_conf = true;
}

static void
discharge(struct ward *w)
{
	if (w->has_conf) {
		conf_free(&w->conf);
	}
	free(w->facts.acs);
	free(w->facts.lldp_agent);
	ledger_free(&w->ledger);
	host_free(&w->host);
}

static void
hear(void *arg, const struct doctor_finding *f)
{
	struct ward *w = arg;
	if (!strstr(w->checks, f->check)) {
		size_t end = strlen(w->checks);
		snprintf(w->checks + end, sizeof(w->checks) - end, "%s ", f->check);
	}
	size_t end = strlen(w->said);
	if (f->level != DOCTOR_OK) {
		snprintf(w->said + end, sizeof(w->said) - end, "%s %s %s: %s | %s\n", doctor_level_name(f->level), f->check,
			f->subject, f->text, f->fix);
	}
}

static void
examine(struct ward *w)
{
	w->said[0] = w->checks[0] = '\0';
	doctor_check(&w->host, &w->ledger, &w->facts, w->has_conf ? &w->conf : NULL, hear, w);
}

static void
expect(struct ward *w, const char *said)
{
	examine(w);
	assert_string_equal(w->said, said);
}

/* One of the lines begins so and ends so. */
static void
expect_line(struct ward *w, const char *begin, const char *fix)
{
	examine(w);
	for (char *line = strtok(w->said, "\n"); line; line = strtok(NULL, "\n")) {
		const char *bar = strstr(line, " | ");
		if (strncmp(line, begin, strlen(begin)) == 0) {
			assert_string_equal(bar + 3, fix);
			return;
		}
	}
	fail_msg("not said: %s", begin);
}

static void
expect_silence(struct ward *w)
{
	expect(w, "");
}

/* ---- health ---------------------------------------------------------------------------------------------------------------- */

static void
test_finds_nothing_on_a_healthy_host(void **state)
{
	struct ward w;
	(void)state;
	admit(&w);
	expect_silence(&w);
	assert_string_equal(w.checks, "iommu acs group vfio hugepages lldp mac link memlock ledger ");
	with(&w, "{'appliance': 'edge1', " CORES ", 'ports': {" VF0 ", " VF1 "}, 'interfaces': {'i1': {'port': 'p1'}}}");
	expect_silence(&w);
	assert_string_equal(w.checks,
		"iommu acs group vfio hugepages siblings isolation numa lldp trust spoofchk mac vlan link driver "
		"memlock ledger ");
	discharge(&w);
}

/* ---- the machine ----------------------------------------------------------------------------------------------------------- */

#define NO_IOMMU "fail iommu host: there is no IOMMU"
#define GRUB "/etc/default/grub && update-grub && reboot"

static void
test_iommu(void **state)
{
	struct ward w;
	(void)state;
	admit(&w);
	w.host.iommu = false;
	expect_line(&w, NO_IOMMU, "sed -i 's/^GRUB_CMDLINE_LINUX=\"/&intel_iommu=on iommu=pt /' " GRUB);
	snprintf(w.facts.cmdline, sizeof(w.facts.cmdline), "quiet intel_iommu=on\n");
	expect_line(&w, NO_IOMMU, "");
	expect_line(&w, "note iommu host: intel_iommu=on is given, so the firmware has it off", "");
	snprintf(w.facts.cmdline, sizeof(w.facts.cmdline), "iommu=off quiet");
	expect_line(&w, NO_IOMMU, "sed -i 's/ iommu=off//' " GRUB);
	snprintf(w.facts.cpu_vendor, sizeof(w.facts.cpu_vendor), "AuthenticAMD");
	snprintf(w.facts.cmdline, sizeof(w.facts.cmdline), "quiet amd_iommu=off");
	expect_line(&w, NO_IOMMU, "sed -i 's/amd_iommu=off *//' " GRUB);
	w.facts.cmdline[0] = '\0';
	expect_line(&w, NO_IOMMU, "");
	expect_line(&w, "note iommu host: Linux uses AMD's unless the firmware has it off", "");
	w.facts.vfio_noiommu = true;
	expect_line(&w, "warn iommu host: there is no IOMMU; vfio does without", "");
	discharge(&w);
}

static void
test_groups(void **state)
{
	struct ward w;
	(void)state;
	admit(&w);
	/* No ACS, but each function in its own group: the kernel knows better. */
	memset(w.facts.acs, 0, w.host.nfuncs);
	expect_silence(&w);
	struct host_func *vf = host_vf(&w.host, HOSTS_IGB_PF, 0), *mate = host_vf(&w.host, HOSTS_IGB_PF, 1);
	vf->group = mate->group = 14;
	expect(&w,
		"warn acs eth0: a bridge above it has no ACS, or not switched on: its functions share a group with what is beside them; "
		"another slot may have it | \n"
		"warn group eth0:0: shares IOMMU group 14 with 1 more (eth0:1): only one holder may have all of them | \n"
		"warn group eth0:1: shares IOMMU group 14 with 1 more (eth0:0): only one holder may have all of them | \n");
	memset(w.facts.acs, -1, w.host.nfuncs);
	hosts_bind(mate, "igbvf", false);
	expect_line(&w, "fail group eth0:0: shares IOMMU group 14 with eth0:1, which igbvf drives: vfio cannot open it",
		"vfctl vf bind eth0:1 vfio-pci");
	/* The PF itself cannot be given away below its VFs. */
	mate->group = 15;
	vf->group = host_at(&w.host, HOSTS_IGB_PF)->group;
	expect_line(&w, "fail group eth0:0: shares IOMMU group 256 with eth0, which igb drives", "");
	discharge(&w);
}

static void
test_vfio(void **state)
{
	struct ward w;
	(void)state;
	admit(&w);
	w.facts.vfio_loaded = false;
	expect(&w, "warn vfio host: the kernel's module vfio-pci is not loaded | modprobe vfio-pci && echo vfio-pci > "
		   "/etc/modules-load.d/vfio-pci.conf\n");
	with(&w, "{'appliance': 'a', 'ports': {'p1': {'device': 'if:veth1'}}}");
	examine(&w);
	assert_null(strstr(w.said, " vfio "));
	conf_free(&w.conf);
	with(&w, "{'appliance': 'a', 'ports': {" VF0 "}}");
	expect_line(&w, "fail vfio host", "modprobe vfio-pci && echo vfio-pci > /etc/modules-load.d/vfio-pci.conf");
	discharge(&w);
}

static void
test_memory(void **state)
{
	struct ward w;
	(void)state;
	admit(&w);
	w.facts.huge_bytes_total = w.facts.huge_bytes_free = w.facts.huge_pages = 0;
	expect(&w, "warn hugepages host: there are no huge pages: engines take ordinary ones, and are slower | sysctl -w "
		   "vm.nr_hugepages=512\n");
	with(&w, "{'appliance': 'a', " CORES ", 'memory': {'hugepages': 'on'}}");
	examine(&w);
	assert_non_null(strstr(w.said, "fail hugepages host: 0 MB of huge pages are free, and the engine needs "));
	/* As many as the command asks for are enough, one less is not. */
	uint64_t pages;
	assert_int_equal(sscanf(strstr(w.said, "nr_hugepages=") + 13, "%" SCNu64, &pages), 1);
	w.facts.huge_bytes_free = pages * w.facts.huge_page_bytes;
	expect_silence(&w);
	w.facts.huge_bytes_free -= w.facts.huge_page_bytes;
	w.facts.huge_pages = 7;
	char fix[64];
	snprintf(fix, sizeof(fix), "sysctl -w vm.nr_hugepages=%u", 8);
	expect_line(&w, "fail hugepages host", fix);
	/* An engine that runs has its memory. */
	w.facts.runs = true;
	expect_silence(&w);
	w.facts.runs = false;
	w.conf.hugepages = CONF_HUGE_AUTO;
	expect_line(&w, "warn hugepages host", fix);
	w.conf.hugepages = CONF_HUGE_OFF;
	expect_silence(&w);
	w.facts.memlock_bytes = 8 << 20;
	expect_line(&w, "note memlock host: who calls may lock 8 MB", "ulimit -l unlimited");
	discharge(&w);
}

/* ---- CPUs ------------------------------------------------------------------------------------------------------------------ */

#define CPUS_FIX(list) \
	"jq '.cores.cpus = \"" list \
	"\"' '/etc/pekit/edge1.json' > '/etc/pekit/edge1.json.new' && mv '/etc/pekit/edge1.json.new' " \
	"'/etc/pekit/edge1.json'"
#define WITH_CPUS(n, list, poll) \
	"{'appliance': 'edge1', 'ports': {" VF0 "}, 'cores': {'data': " n ", 'cpus': '" list "', 'poll': '" poll "'}}"

static void
test_cpus(void **state)
{
	struct ward w;
	(void)state;
	admit(&w);
	with(&w, WITH_CPUS("2", "1,9", "busy"));
	expect(&w,
		"warn siblings cpus: CPUs 1 and 9 are two threads of one core: each gets little more than half of it; better: 1-2 | " CPUS_FIX(
			"1-2") "\n");
	conf_free(&w.conf);
	/* The port is at node 0, whose CPUs are 0-3 and 8-11. */
	with(&w, WITH_CPUS("3", "1,2,5", "busy"));
	expect(&w,
		"warn numa port p1 (eth0:0): it is at node 0 and CPU 5 at node 1: each packet goes a distance of 21 instead of 10; "
		"better: 1-3 | " CPUS_FIX("1-3") "\n");
	conf_free(&w.conf);
	with(&w, WITH_CPUS("2", "1,99", "busy"));
	expect_line(&w, "fail isolation cpus: there is no CPU 99, or it is offline; better: 1-2", CPUS_FIX("1-2"));
	conf_free(&w.conf);
	/* More than the node has: nothing better is known. */
	with(&w, WITH_CPUS("4", "1,2,3,9", "busy"));
	expect_line(
		&w, "warn siblings cpus: CPUs 1 and 9 are two threads of one core: each gets little more than half of it", "");
	conf_free(&w.conf);
	w.facts.cpu_isolated[2] = w.facts.cpu_isolated[3] = false;
	with(&w, WITH_CPUS("3", "1-3", "busy"));
	expect(&w, "warn isolation cpus: the kernel may run anything else on 2-3, too: a data core waits meanwhile | sed -i "
		   "'s/^GRUB_CMDLINE_LINUX=\"/&isolcpus=2-3 /' " GRUB "\n");
	conf_free(&w.conf);
	with(&w, WITH_CPUS("3", "1-3", "adaptive"));
	expect_line(&w, "note isolation cpus: the kernel may run anything else on 2-3",
		"sed -i 's/^GRUB_CMDLINE_LINUX=\"/&isolcpus=2-3 /' " GRUB);
	conf_free(&w.conf);
	with(&w, "{'appliance': 'edge1', 'ports': {" VF0 "}, 'cores': {'data': 1}}");
	expect(&w, "note isolation cpus: the data cores are bound to no CPUs (cores.cpus); better: 1 | " CPUS_FIX("1") "\n");
	/* Of an engine without a file nothing can be mended by a command. */
	w.facts.conf_file = NULL;
	expect_line(&w, "note isolation cpus", "");
	discharge(&w);
}

/* ---- functions ------------------------------------------------------------------------------------------------------------- */

static void
test_lldp(void **state)
{
	struct ward w = {0};
	(void)state;
	w.host.iommu = true;
	hosts_pf(&w.host, "10:00.0", "i40e", "eth4", 0x1572, 64);
	hosts_pf(&w.host, "11:00.0", "ice", "eth5", 0x1592, 64);
	hosts_pf(&w.host, "12:00.0", "ice", "eth6", 0x1592, 64);
	hosts_vfs(&w.host, hosts_addr("10:00.0"), 0x154c, 0x80, 1, 1);
	hosts_vfs(&w.host, hosts_addr("11:00.0"), 0x1889, 0x80, 1, 1);
	for (size_t i = 0; i < w.host.nfuncs; i++) {
		w.host.func[i].set.mac = 0x525400000000 + i;
	}
	set_facts(&w);
	memset(w.facts.lldp_agent, 1, w.host.nfuncs);
	examine(&w);
	/* One without VFs is nobody's. */
	assert_null(strstr(w.said, "lldp eth6"));
	expect_line(
		&w, "warn lldp eth4: the LLDP agent of its firmware is on", "ethtool --set-priv-flags eth4 disable-fw-lldp on");
	expect_line(
		&w, "warn lldp eth5: the LLDP agent of its firmware is on", "ethtool --set-priv-flags eth5 fw-lldp-agent off");
	memset(w.facts.lldp_agent, 0, w.host.nfuncs);
	expect_silence(&w);
	discharge(&w);
}

#define BRIDGED \
	"{'appliance': 'a', " CORES ", 'ports': {" VF0 ", " VF1 \
	"}, 'bridges': {'br0': {'ports': {'p1': {'untagged': 1}, 'p2': {'untagged': 1}}}}}"

static void
test_bridged_ports(void **state)
{
	struct ward w;
	(void)state;
	admit(&w);
	host_vf(&w.host, HOSTS_IGB_PF, 1)->set.trust = true;
	host_vf(&w.host, HOSTS_IGB_PF, 1)->set.spoofchk = false;
	with(&w, BRIDGED);
	expect(&w,
		"fail trust port p1 (eth0:0): the VF is not trusted: a bridge's port must take in frames to other stations, and its PF may "
		"refuse that | vfctl vf set eth0:0 trust on\n"
		"fail spoofchk port p1 (eth0:0): the spoof check is on: the NIC drops what a bridge forwards from other stations | vfctl vf "
		"set eth0:0 spoofchk off\n");
	host_vf(&w.host, HOSTS_IGB_PF, 0)->set.trust = true;
	host_vf(&w.host, HOSTS_IGB_PF, 0)->set.spoofchk = false;
	expect_silence(&w);
	/* Of a driver that hands promiscuity out by a flag, trust alone is not enough. */
	struct host_func *pf = host_at(&w.host, HOSTS_IGB_PF), *vf = host_vf(&w.host, HOSTS_IGB_PF, 0);
	snprintf(pf->driver, sizeof(pf->driver), "i40e");
	vf->set.has |= VFSET_PROMISC;
	expect_line(&w, "warn trust port p1 (eth0:0): i40e gives a trusted VF", "vfctl vf set eth0:0 promisc on");
	discharge(&w);
}

/* RFC 5798 7.3; conf refuses virtual routers as yet, and the doctor reads them from the text. */
static void
test_addresses_of_virtual_routers(void **state)
{
	struct ward w;
	(void)state;
	admit(&w);
	with(&w, "{'appliance': 'a', " CORES ", 'ports': {" VF0 ", " VF1
		 "}, 'interfaces': {'i1': {'port': 'p1'}, 'i2': {'port': 'p2', "
		 "'mac': '02:00:00:00:00:07'}}}");
	expect(&w,
		"fail trust port p2 (eth0:1): the VF is not trusted: its PF may refuse it the further addresses that it needs, "
		"02:00:00:00:00:07 | vfctl vf set eth0:1 trust on\n"
		"fail spoofchk port p2 (eth0:1): the spoof check is on: the NIC drops what is sent from other addresses than the VF's, as from "
		"02:00:00:00:00:07 | vfctl vf set eth0:1 spoofchk off\n");
	free(w.conf.text);
	w.conf.text = json(
		"{'vrrp': [{'interface': 'i1', 'vrid': 5, 'addresses': ['10.0.0.1']},"
		"{'interface': 'i1', 'vrid': 6, 'addresses': ['2001:db8::1']}, {'interface': 'i9', 'vrid': 1}, {'interface': 'i1', "
		"'vrid': 0}, 7]}");
	expect_line(&w,
		"fail trust port p1 (eth0:0): the VF is not trusted: its PF may refuse it the further addresses that it needs, "
		"00:00:5e:00:01:05 and 1 more",
		"vfctl vf set eth0:0 trust on");
	free(w.conf.text);
	w.conf.text = json("{'vrrp': [{'interface': 'i1', 'vrid': 255, 'addresses': ['2001:db8::1']}]}");
	expect_line(&w,
		"fail spoofchk port p1 (eth0:0): the spoof check is on: the NIC drops what is sent from other addresses than the VF's, as "
		"from 00:00:5e:00:02:ff",
		"vfctl vf set eth0:0 spoofchk off");
	/* One that is the VF's own needs nothing. */
	host_vf(&w.host, HOSTS_IGB_PF, 0)->set.mac = 0x00005e0002ff;
	host_vf(&w.host, HOSTS_IGB_PF, 1)->set.mac = 0x020000000007;
	expect_silence(&w);
	discharge(&w);
}

static void
test_macs(void **state)
{
	struct ward w;
	(void)state;
	admit(&w);
	struct host_func *vf = host_vf(&w.host, HOSTS_IGB_PF, 1);
	vf->set.mac = 0;
	expect_line(&w, "warn mac eth0:1: no MAC address was given to it", "vfctl vf set eth0:1 mac auto");
	hosts_bind(vf, "igbvf", false);
	expect_line(&w, "note mac eth0:1: no MAC address was given to it", "vfctl vf set eth0:1 mac auto");
	vf->set.mac = host_vf(&w.host, HOSTS_IGB_PF, 0)->set.mac;
	expect(&w, "fail mac eth0:1: eth0:0 has its address, too: 52:54:00:00:00:10 | vfctl vf set eth0:1 mac auto\n");
	vf->set.mac = host_at(&w.host, HOSTS_PLAIN)->iface->mac;
	expect(&w, "fail mac eth0:1: eth9 has its address, too: 52:54:00:00:00:09 | vfctl vf set eth0:1 mac auto\n");
	/* Below a bond all have one address. */
	snprintf(host_at(&w.host, HOSTS_PLAIN)->iface->upper, HOST_IFNAME_SIZE, "bond0");
	expect_silence(&w);
	discharge(&w);
}

static void
test_vlans_and_links(void **state)
{
	struct ward w;
	(void)state;
	admit(&w);
	struct host_func *vf = host_vf(&w.host, HOSTS_IGB_PF, 0);
	vf->set.vlan = 100;
	with(&w, "{'appliance': 'a', " CORES ", 'ports': {" VF0 "}, 'interfaces': {'i1': {'port': 'p1', 'vlan': 10}}}");
	expect(&w,
		"fail vlan port p1 (eth0:0): the appliance wants tagged frames, but the VF has the port VLAN 100: only that one comes in, "
		"without its tag | vfctl vf set eth0:0 vlan none\n");
	w.conf.iface[0].vid = 0;
	expect_silence(&w);
	struct host_if *iface = host_at(&w.host, HOSTS_IGB_PF)->iface;
	iface->carrier = false;
	expect_line(&w, "warn link eth0: the port has no link", "");
	iface->up = false;
	expect(&w, "fail link eth0: the port is down: its VFs have no carrier | vfctl port set eth0 up on\n");
	iface->up = iface->carrier = true;
	vf->set.link = VFSET_LINK_DISABLE;
	expect(&w, "fail link eth0:0: its link was switched off at the PF | vfctl vf set eth0:0 link auto\n");
	discharge(&w);
}

static void
test_drivers(void **state)
{
	struct ward w;
	(void)state;
	admit(&w);
	struct host_func *vf = host_vf(&w.host, HOSTS_IGB_PF, 0);
	with(&w, "{'appliance': 'a', " CORES ", 'ports': {" VF0 ", 'p9': {'device': 'pci:09:00.0'}}}");
	hosts_bind(vf, "", false);
	expect(&w,
		"fail driver port p1 (eth0:0): it has no driver, and an engine needs vfio-pci | vfctl vf bind eth0:0 vfio-pci\n"
		"fail driver port p9: pci:09:00.0 is not there: is it a VF that has not been made (vfctl numvfs), or has its address "
		"changed? | \n");
	struct host_func *pf = host_at(&w.host, HOSTS_IGB_PF);
	snprintf(pf->driver, sizeof(pf->driver), "mlx5_core");
	hosts_bind(vf, "vfio-pci", true);
	expect_line(&w,
		"fail driver port p1 (eth0:0): it is bound to vfio-pci, but DPDK drives it through its kernel driver, mlx5_core",
		"vfctl vf bind eth0:0 kernel");
	hosts_bind(vf, "mlx5_core", false);
	examine(&w);
	assert_null(strstr(w.said, "port p1"));
	discharge(&w);
}

/* What is printed to be run must be no more than it seems. */
static void
test_names_that_a_shell_would_run(void **state)
{
	static const char *const names[] = {"$(reboot)", "a;b", "a'b", "-a", "a b", "a\"b"};
	struct ward w;
	(void)state;
	admit(&w);
	host_vf(&w.host, HOSTS_IGB_PF, 1)->set.mac = 0;
	host_at(&w.host, HOSTS_IGB_PF)->iface->up = false;
	memset(w.facts.lldp_agent, 1, w.host.nfuncs);
	snprintf(host_at(&w.host, HOSTS_IGB_PF)->driver, HOST_DRIVER_SIZE, "i40e");
	expect_line(&w, "warn lldp", "ethtool --set-priv-flags eth0 disable-fw-lldp on");
	for (size_t i = 0; i < COUNT(names); i++) {
		snprintf(host_at(&w.host, HOSTS_IGB_PF)->iface->name, HOST_IFNAME_SIZE, "%s", names[i]);
		expect_line(&w, "fail link", "vfctl port set 0000:01:00.0 up on");
		expect_line(&w, "warn mac", "vfctl vf set 0000:01:10.2 mac auto");
		expect_line(&w, "warn lldp", "");
	}
	discharge(&w);
}

/* ---- the ledger ------------------------------------------------------------------------------------------------------------ */

static void
test_ledger(void **state)
{
	static const char text[] =
		"{'seq':1,'at':'2026-01-31T12:00:00Z','boot':'x','who':'root','op':'lease','phase':'begin','func':'0000:01:00.0','index':5,"
		"'generation':3,'holder':'vpx1','steps':[]}\n"
		"{'seq':2,'at':'2026-01-31T12:00:00Z','of':1,'phase':'done'}\n"
		"{'seq':3,'at':'2026-01-31T12:00:01Z','boot':'x','who':'root (alice)','op':'numvfs','phase':'begin','func':'0000:01:00.1',"
		"'steps':[]}\n";
	struct ward w;
	struct err err = {0};
	(void)state;
	admit(&w);
	char *copy = json(text);
	if (ledger_read(copy, strlen(copy), &w.ledger, &err)) {
		fail_msg("%s", err.message);
	}
	free(copy);
	expect(&w,
		"warn ledger eth1: a \"numvfs\" of root (alice), 2026-01-31T12:00:01Z, was left halfway; the next change takes it back | echo "
		"'{}' | vfctl apply -\n"
		"warn ledger eth0:5: vpx1 holds it (generation 3, since 2026-01-31T12:00:00Z), and it is not there | vfctl numvfs eth0 6 && echo "
		"'{}' | vfctl apply -\n");
	discharge(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finds_nothing_on_a_healthy_host),
		cmocka_unit_test(test_iommu),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_vfio),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_cpus),
		cmocka_unit_test(test_lldp),
		cmocka_unit_test(test_bridged_ports),
		cmocka_unit_test(test_addresses_of_virtual_routers),
		cmocka_unit_test(test_macs),
		cmocka_unit_test(test_vlans_and_links),
		cmocka_unit_test(test_drivers),
		cmocka_unit_test(test_names_that_a_shell_would_run),
		cmocka_unit_test(test_ledger),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
