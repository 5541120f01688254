/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/vf/rules.c lib/vf/rules_set.c lib/vf/rules_driver.c lib/vf/host.c lib/vf/names.c lib/vf/pci.c lib/vf/vfset.c */
/* links: lib/vf/keys.c lib/vf/portset.c lib/vf/ledger.c lib/vf/ledger_line.c lib/vf/step.c */
/* links: lib/json/field.c lib/base/addr.c lib/base/num.c lib/base/err.c -ljansson */
/* What drivers have, what ports can carry, what must not be touched. */
#include "vf/rules.h"
#include "vf_hosts.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define M UINT64_C(1000000)

/* ---- drivers ------------------------------------------------------------------------------------------------------- */

/* m: minimum rate, q: 802.1ad, z: MAC zero, P: no priority, L: no link up, T: link not told, R: no rate without link, K: keeps a
 * rate, U: needs up, S: stays */
static char *
letters(const struct rules_driver *d, char text[16])
{
	snprintf(text, 16, "%s%s%s%s%s%s%s%s%s%s", d->min_rate ? "m" : "", d->qinq ? "q" : "", d->zero_mac ? "z" : "",
		d->no_qos ? "P" : "", d->no_link_up ? "L" : "", d->link_untold ? "T" : "", d->rate_link ? "R" : "",
		d->rate_stays ? "K" : "", d->needs_up ? "U" : "", d->stays ? "S" : "");
	return text;
}

static void
drivers(void **state)
{
	(void)state;
	static const struct {
		const char *name, *has, *lldp;
	} known[] = {{"igb", "zR", ""}, {"ixgbe", "zLTR", ""}, {"i40e", "z", "disable-fw-lldp on"},
		{"ice", "mqz", "fw-lldp-agent off"}, {"mlx5_core", "mzS", ""}, {"mlx4_core", "qzS", ""}, {"bnxt_en", "mzPU", ""},
		{"sfc", "zP", ""}, {"qede", "mPK", ""}, {"cxgb4", "P", ""}, {"virtio-pci", "", ""}};
	for (size_t i = 0; i < COUNT(known); i++) {
		char text[16], lldp[40] = "";
		const struct rules_driver *d = rules_driver(known[i].name);
		assert_string_equal(d->name, known[i].name);
		assert_string_equal(letters(d, text), known[i].has);
		if (d->lldp_flag) {
			snprintf(lldp, sizeof(lldp), "%s %s", d->lldp_flag, d->lldp_stop ? "on" : "off");
		}
		assert_string_equal(lldp, known[i].lldp);
		assert_true(d->people[0]);
		assert_non_null(d->vf_driver);
		/* A switch that is nothing but a flag has one, and the other way round. */
		assert_int_equal(d->promisc == RULES_PROMISC_FLAG, d->promisc_flag != NULL);
		assert_int_equal(d->promisc == RULES_PROMISC_FLAG, (d->sets & VFSET_PROMISC) != 0);
		assert_false(d->sets & VFSET_ALLMULTI);
	}
	/* What we do not know may do everything that the kernel can ask for. */
	const struct rules_driver *other = rules_driver("netdevsim");
	assert_string_equal(other->name, "");
	assert_ptr_equal(other, rules_driver(""));
	assert_int_equal(other->sets, VFSET_ALL & ~(VFSET_PROMISC | VFSET_ALLMULTI));
	char text[16];
	assert_string_equal(letters(other, text), "mqz");
}

/* ---- settings ------------------------------------------------------------------------------------------------------ */

struct setting {
	const char *driver; /* of the PF */
	struct vfset want;
	enum err_code code;
	const char *message, *hint; /* the beginning of each */
};

static void
starts_with(const char *text, const char *beginning)
{
	if (strncmp(text, beginning, strlen(beginning)) != 0) {
		assert_string_equal(text, beginning);
	}
}

#define MAC(x) \
	{ \
		.has = VFSET_MAC, .mac = (x) \
	}
#define RATE(most, least) \
	{ \
		.has = VFSET_RATE, .max_rate_bps = (most), .min_rate_bps = (least) \
	}
#define VLAN(v, q, p) \
	{ \
		.has = VFSET_VLAN, .vlan = (v), .qos = (q), .proto = (p) \
	}
#define ONLY(bit) \
	{ \
		.has = (bit), .trust = true, .promisc = true, .allmulti = true, .proto = 0x8100 \
	}
#define LINK(x) \
	{ \
		.has = VFSET_LINK, .link = (x) \
	}

static const struct setting settings[] = {
	{"igb", MAC(0x525400000111), ERR_NONE, "", ""},
	{"igb", MAC(0), ERR_NONE, "", ""},
	{"igb", VLAN(100, 3, 0x8100), ERR_NONE, "", ""},
	{"igb", VLAN(0, 0, 0x8100), ERR_NONE, "", ""},
	{"igb", VLAN(4094, 7, 0x8100), ERR_NONE, "", ""},
	{"igb", RATE(1000 * M, 0), ERR_NONE, "", ""},
	{"igb", RATE(0, 0), ERR_NONE, "", ""},
	{"igb", ONLY(VFSET_TRUST | VFSET_SPOOFCHK), ERR_NONE, "", ""},
	/* Values. */
	{"igb", MAC(0x01005e000001), ERR_USAGE, "mac: 01:00:5e:00:00:01 is not one station's address", "addresses of one's own"},
	{"igb", MAC(0xffffffffffff), ERR_USAGE, "mac: ff:ff:ff:ff:ff:ff is not one station's address", ""},
	{"igb", VLAN(4095, 0, 0x8100), ERR_USAGE, "vlan: 4095 is not a VLAN id (1 to 4094; 0: none)", ""},
	{"igb", VLAN(1, 8, 0x8100), ERR_USAGE, "qos: 8 is not a priority (0 to 7)", ""},
	{"igb", VLAN(0, 3, 0x8100), ERR_USAGE, "qos: 3 without a VLAN", "the priority stands in the tag"},
	{"igb", RATE(1500000, 0), ERR_USAGE, "rate: 1.5 Mbit/s is not a whole number of Mbit/s", "such as"},
	{"igb", RATE(1001 * M, 0), ERR_USAGE, "rate: 1.001 Gbit/s is above the link of eth0, 1 Gbit/s", "at most"},
	{"ice", RATE(0, 10001 * M), ERR_USAGE, "min-rate: 10.001 Gbit/s is above the link of eth0, 1 Gbit/s", "at most"},
	{"ice", RATE(100 * M, 101 * M), ERR_USAGE, "min-rate: 101 Mbit/s is more than rate, 100 Mbit/s", ""},
	{"ice", RATE(0, 101 * M), ERR_NONE, "", ""},
	{"ice", RATE(101 * M, 101 * M), ERR_NONE, "", ""},
	/* What drivers lack. */
	{"igb", RATE(200 * M, 50 * M), ERR_REFUSED, "igb has no minimum rate for VFs (eth0:1)", "leave min-rate out"},
	{"igb", VLAN(100, 0, 0x88a8), ERR_REFUSED, "igb has no 802.1ad tags for VFs (eth0:1)", "leave proto out"},
	{"igb", LINK(VFSET_LINK_DISABLE), ERR_REFUSED, "igb does not set the link state of its VFs (eth0:1)", "leave link out"},
	{"igb", ONLY(VFSET_PROMISC), ERR_REFUSED,
		"igb cannot give all unicast frames of eth0 to eth0:1: the device has no such mode", "frames for further"},
	{"igb", ONLY(VFSET_ALLMULTI), ERR_REFUSED, "igb has no switch that gives all multicast frames to eth0:1",
		"who drives the VF asks for them: leave allmulti out"},
	{"ixgbe", ONLY(VFSET_PROMISC), ERR_REFUSED, "ixgbe has no switch that gives all unicast frames to eth0:1",
		"who drives the VF asks for them, and gets them when it is trusted and its port is promiscuous: vfctl vf set eth0:1"},
	{"mlx5_core", ONLY(VFSET_PROMISC), ERR_REFUSED, "mlx5_core has no switch that gives all unicast frames to eth0:1",
		"who drives the VF asks for them, and gets them when it is trusted: vfctl vf set eth0:1 trust on"},
	{"ixgbe", LINK(VFSET_LINK_DISABLE), ERR_NONE, "", ""},
	{"ixgbe", LINK(VFSET_LINK_ENABLE), ERR_REFUSED, "ixgbe cannot hold up the link of a VF", "link auto follows"},
	{"ixgbe", VLAN(100, 0, 0x88a8), ERR_REFUSED, "ixgbe has no 802.1ad tags", ""},
	{"ixgbe", RATE(0, 50 * M), ERR_REFUSED, "ixgbe has no minimum rate", ""},
	{"i40e", ONLY(VFSET_PROMISC), ERR_NONE, "", ""},
	{"i40e", RATE(0, 50 * M), ERR_REFUSED, "i40e has no minimum rate", ""},
	{"ice", VLAN(100, 0, 0x88a8), ERR_NONE, "", ""},
	{"ice", LINK(VFSET_LINK_ENABLE), ERR_NONE, "", ""},
	{"mlx4_core", ONLY(VFSET_TRUST), ERR_REFUSED, "mlx4_core does not know trust in its VFs (eth0:1)", "leave trust out"},
	{"mlx4_core", RATE(100 * M, 50 * M), ERR_REFUSED, "mlx4_core has no minimum rate", ""},
	{"bnxt_en", VLAN(100, 0, 0x88a8), ERR_REFUSED, "bnxt_en has no 802.1ad tags", ""},
	{"bnxt_en", VLAN(100, 3, 0x8100), ERR_REFUSED, "bnxt_en has no priority beside the VLAN of a VF", "leave qos out"},
	{"sfc", VLAN(100, 3, 0x8100), ERR_REFUSED, "sfc has no priority beside the VLAN of a VF", "leave qos out"},
	{"qede", VLAN(100, 3, 0x8100), ERR_REFUSED, "qede has no priority beside the VLAN of a VF", "leave qos out"},
	{"qede", RATE(100 * M, 0), ERR_NONE, "", ""},
	{"qede", RATE(0, 0), ERR_REFUSED, "qede does not take the limit of a VF's rate away (eth0:1)", "the speed of the link"},
	{"mlx5_core", VLAN(100, 0, 0x88a8), ERR_REFUSED, "mlx5_core has no 802.1ad tags", ""},
	{"sfc", RATE(100 * M, 0), ERR_REFUSED, "sfc limits no rate of its VFs (eth0:1)", "leave rate out"},
	{"cxgb4", ONLY(VFSET_SPOOFCHK), ERR_REFUSED, "cxgb4 has no spoof check of its VFs (eth0:1)", "leave spoofchk out"},
	{"cxgb4", VLAN(100, 3, 0x8100), ERR_REFUSED, "cxgb4 has no priority beside the VLAN of a VF", "leave qos out"},
	{"cxgb4", VLAN(100, 0, 0x8100), ERR_NONE, "", ""},
	{"qede", MAC(0), ERR_REFUSED, "qede does not take back the MAC address of a VF (eth0:1)", "give it another one"},
	{"virtio-pci", MAC(0x525400000111), ERR_REFUSED, "virtio-pci takes no MAC address for its VFs", "leave mac out"},
	{"virtio-pci", VLAN(1, 0, 0x8100), ERR_REFUSED, "virtio-pci sets no VLAN of its VFs", "leave vlan out"},
	{"brandnew", VLAN(100, 3, 0x88a8), ERR_NONE, "", ""},
	{"brandnew", RATE(100 * M, 50 * M), ERR_NONE, "", ""},
	{"brandnew", LINK(VFSET_LINK_ENABLE), ERR_NONE, "", ""},
	{"brandnew", ONLY(VFSET_PROMISC), ERR_REFUSED, "brandnew has no switch that gives all unicast", "who drives the VF"},
};

static void
sets(void **state)
{
	(void)state;
	struct host host;
	hosts_igb(&host, 4);
	for (size_t i = 0; i < COUNT(settings); i++) {
		const struct setting *s = &settings[i];
		struct err err = {0};
		hosts_bind(host_at(&host, HOSTS_IGB_PF), s->driver, false);
		enum err_code code = rules_set(&host, host_vf(&host, HOSTS_IGB_PF, 1), &s->want, &err);
		if (code != s->code) {
			print_error("setting %zu: %s\n", i, err.message);
		}
		assert_int_equal(code, s->code);
		assert_int_equal(err.code, s->code);
		starts_with(err.message, s->message);
		starts_with(err.hint, s->hint);
	}
	host_free(&host);
}

static void
rates_without_link(void **state)
{
	(void)state;
	struct host host;
	struct err err;
	static const struct vfset want = RATE(100 * M, 0);
	hosts_igb(&host, 2);
	struct host_func *pf = host_at(&host, HOSTS_IGB_PF), *vf = host_vf(&host, HOSTS_IGB_PF, 0);
	pf->iface[0].carrier = false;
	pf->iface[0].set.has &= ~PORTSET_SPEED;
	assert_int_equal(rules_set(&host, vf, &want, &err), ERR_REFUSED);
	assert_string_equal(err.message, "igb takes a rate for VFs only while the port has a link, and eth0 has none (eth0:0)");
	hosts_bind(pf, "ice", false);
	assert_int_equal(rules_set(&host, vf, &want, &err), ERR_NONE);
	/* Of those that igb drives, an I350 limits no rate at all. */
	hosts_bind(pf, "igb", false);
	pf->device = 0x1521;
	assert_int_equal(rules_set(&host, vf, &want, &err), ERR_REFUSED);
	assert_string_equal(err.message, "igb limits no rate of its VFs (eth0:0)");
	pf->device = 0x10c9;
	/* A PF that is not to be seen: there is nothing to compare with. */
	free(pf->iface);
	pf->iface = NULL;
	pf->nifaces = 0;
	hosts_bind(pf, "igb", false);
	assert_int_equal(rules_set(&host, vf, &(struct vfset)RATE(100000 * M, 0), &err), ERR_NONE);
	host_free(&host);
}

static void
macs_twice(void **state)
{
	(void)state;
	struct host host;
	struct err err;
	hosts_igb(&host, 4);
	struct host_func *vf = host_vf(&host, HOSTS_IGB_PF, 1);
	host_vf(&host, HOSTS_IGB_PF, 2)->set.mac = 0x525400000112;
	hosts_iface(host_vf(&host, HOSTS_IGB_PF, 3), "eth7", 0x525400000113, 0);
	vf->set.mac = 0x525400000111;
	hosts_iface(vf, "eth6", 0x525400000111, 0);
	static const struct {
		uint64_t mac;
		const char *message;
	} taken[] = {
		{0x021100000100, "mac: 02:11:00:00:01:00 is that of eth0"},
		{0x021100000101, "mac: 02:11:00:00:01:01 is that of eth1"},
		{0x525400000009, "mac: 52:54:00:00:00:09 is that of eth9"},
		{0x525400000112, "mac: 52:54:00:00:01:12 is that of eth0:2"},
		{0x525400000113, "mac: 52:54:00:00:01:13 is that of eth7 (eth0:3)"},
	};
	for (size_t i = 0; i < COUNT(taken); i++) {
		assert_int_equal(rules_set(&host, vf, &(struct vfset)MAC(taken[i].mac), &err), ERR_EXISTS);
		assert_string_equal(err.message, taken[i].message);
		assert_string_equal(err.hint, "auto makes one that is free");
	}
	/* Its own is its own, zero is nobody's, and what is not asked is not looked at. */
	assert_int_equal(rules_set(&host, vf, &(struct vfset)MAC(0x525400000111), &err), ERR_NONE);
	assert_int_equal(rules_set(&host, vf, &(struct vfset)MAC(0), &err), ERR_NONE);
	assert_int_equal(rules_set(&host, vf, &(struct vfset){.has = VFSET_TRUST, .mac = 0x525400000112}, &err), ERR_NONE);
	/* What a PF's driver does not tell is not known. */
	host_vf(&host, HOSTS_IGB_PF, 2)->set.has = 0;
	assert_int_equal(rules_set(&host, vf, &(struct vfset)MAC(0x525400000112), &err), ERR_NONE);
	host_free(&host);
}

static void
automatic_macs(void **state)
{
	(void)state;
	struct host host;
	uint64_t mac[126];
	hosts_ixgbe(&host);
	for (unsigned i = 0; i < COUNT(mac); i++) {
		const struct host_func *vf = host_vf(&host, i < 63 ? HOSTS_IXGBE_PF : HOSTS_IXGBE_PF2, i % 63);
		mac[i] = rules_auto_mac(&host, vf);
		assert_int_equal(mac[i] >> 40, 0x02);
		assert_int_equal(mac[i], rules_auto_mac(&host, vf));
		for (unsigned k = 0; k < i; k++) {
			assert_int_not_equal(mac[i], mac[k]);
		}
	}
	/* The same after a boot, whatever has changed: given already, or to others. */
	struct host_func *vf = host_vf(&host, HOSTS_IXGBE_PF, 5);
	vf->set.mac = mac[5];
	assert_int_equal(rules_auto_mac(&host, vf), mac[5]);
	/* Somebody else has it: another one, and again the same one. */
	host_vf(&host, HOSTS_IXGBE_PF2, 7)->set.mac = mac[5];
	uint64_t other = rules_auto_mac(&host, vf);
	assert_int_not_equal(other, mac[5]);
	assert_int_equal(other >> 40, 0x02);
	assert_int_equal(rules_auto_mac(&host, vf), other);
	/* It follows the PF's own address. */
	host_at(&host, HOSTS_IXGBE_PF)->iface[0].mac++;
	assert_int_not_equal(rules_auto_mac(&host, host_vf(&host, HOSTS_IXGBE_PF, 0)), mac[0]);
	/* Without one, or without a PF that is to be seen, its place. */
	free(host_at(&host, HOSTS_IXGBE_PF)->iface);
	host_at(&host, HOSTS_IXGBE_PF)->iface = NULL;
	host_at(&host, HOSTS_IXGBE_PF)->nifaces = 0;
	uint64_t hidden = rules_auto_mac(&host, vf);
	assert_int_equal(hidden >> 40, 0x02);
	host_at(&host, HOSTS_IXGBE_PF)->addr--;
	assert_int_equal(rules_auto_mac(&host, vf), hidden);
	host_free(&host);
}

/* ---- refusals of the kernel ------------------------------------------------------------------------------------------ */

static void
refusals(void **state)
{
	(void)state;
	static const struct {
		const char *driver;
		unsigned bit;
		struct vfset want;
		enum rules_answer answer;
		const char *said;
		enum err_code code;
		const char *message, *hint;
	} cases[] = {
		/* Known, whatever the kernel's word for it. */
		{"igb", VFSET_RATE, RATE(200 * M, 50 * M), RULES_INVALID, "Invalid argument", ERR_REFUSED,
			"igb has no minimum rate for VFs (eth0:1)", "leave min-rate out"},
		{"igb", VFSET_VLAN, VLAN(7, 0, 0x88a8), RULES_UNSUPPORTED, "Protocol not supported", ERR_REFUSED,
			"igb has no 802.1ad tags for VFs (eth0:1)", "leave proto out"},
		{"igb", VFSET_LINK, LINK(VFSET_LINK_ENABLE), RULES_UNSUPPORTED, "Operation not supported", ERR_REFUSED,
			"igb does not set the link state of its VFs (eth0:1)", "leave link out"},
		/* Not known. */
		{"brandnew", VFSET_VLAN, VLAN(7, 0, 0x88a8), RULES_UNSUPPORTED, "Protocol not supported", ERR_REFUSED,
			"brandnew does not have vlan 7 802.1ad for VFs, or its firmware does not (eth0:1): Protocol not supported",
			"leave vlan out"},
		{"brandnew", VFSET_RATE, RATE(5 * M, 0), RULES_INVALID, "Invalid argument", ERR_REFUSED,
			"brandnew refuses rate 5 Mbit/s for eth0:1: Invalid argument", "the link of eth0 has 1 Gbit/s"},
		{"brandnew", VFSET_MAC, MAC(0x525400000111), RULES_INVALID, "Invalid argument", ERR_REFUSED,
			"brandnew refuses mac 52:54:00:00:01:11 for eth0:1: Invalid argument", "an address of one station"},
		{"igb", VFSET_TRUST, ONLY(VFSET_TRUST), RULES_FORBIDDEN, "Operation not permitted", ERR_REFUSED,
			"trust on for eth0:1 is not permitted: Operation not permitted", "it takes root"},
		/* A prohibition is not explained by what the driver lacks. */
		{"igb", VFSET_RATE, RATE(200 * M, 50 * M), RULES_FORBIDDEN, "Permission denied", ERR_REFUSED,
			"rate 200 Mbit/s, at least 50 Mbit/s for eth0:1 is not permitted: Permission denied", "it takes root"},
		{"i40e", VFSET_MAC, MAC(0x525400000111), RULES_BUSY, "Resource temporarily unavailable", ERR_FAILED,
			"i40e is busy with eth0:1 and did not set mac 52:54:00:00:01:11: Resource temporarily unavailable",
			"it may be in a reset: try again"},
		{"ixgbe", VFSET_VLAN, VLAN(7, 3, 0x8100), RULES_FULL, "No space left on device", ERR_REFUSED,
			"ixgbe has no room for vlan 7 qos 3 of eth0:1: No space left on device",
			"its tables are shared by all VFs of eth0"},
		{"i40e", VFSET_SPOOFCHK, ONLY(VFSET_SPOOFCHK), RULES_FAILED, "Input/output error", ERR_FAILED,
			"i40e failed to set spoofchk off for eth0:1: Input/output error", "the kernel's log may say more"},
		{"", VFSET_TRUST, ONLY(VFSET_TRUST), RULES_FAILED, "No such device", ERR_FAILED,
			"the PF's driver failed to set trust on for eth0:1: No such device", ""},
	};
	struct host host;
	hosts_igb(&host, 4);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct err err = {0};
		hosts_bind(host_at(&host, HOSTS_IGB_PF), cases[i].driver, false);
		rules_refusal(&host, host_vf(&host, HOSTS_IGB_PF, 1), cases[i].bit, &cases[i].want, cases[i].answer,
			cases[i].said, &err);
		assert_int_equal(err.code, cases[i].code);
		assert_string_equal(err.message, cases[i].message);
		starts_with(err.hint, cases[i].hint);
	}
	/* Without a link that is the likeliest reason. */
	struct err err;
	hosts_bind(host_at(&host, HOSTS_IGB_PF), "brandnew", false);
	host_at(&host, HOSTS_IGB_PF)->iface[0].carrier = false;
	rules_refusal(&host, host_vf(&host, HOSTS_IGB_PF, 1), VFSET_RATE, &(struct vfset)RATE(5 * M, 0), RULES_INVALID,
		"Invalid argument", &err);
	assert_string_equal(err.hint, "some drivers take a rate only while the port has a link, and eth0 has none");
	host_free(&host);
}

/* ---- ledgers made by hand -------------------------------------------------------------------------------------------- */

#define RECORDS 140

struct leases {
	struct ledger ledger;
	struct ledger_record record[RECORDS];
};

/* Records are added in the order of PF and index. */
static struct ledger_record *
lease(struct leases *l, uint64_t pf, int index, const char *holder)
{
	l->ledger.record = l->record;
	assert_true(l->ledger.nrecords < RECORDS);
	struct ledger_record *record = &l->record[l->ledger.nrecords++];
	*record = (struct ledger_record){.func = pf, .index = index, .generation = 1};
	snprintf(record->holder, sizeof(record->holder), "%s", holder);
	return record;
}

static void
ids(struct ledger_vlans *vlans, unsigned from, unsigned n)
{
	for (unsigned v = from; v < from + n; v++) {
		vlans->bits[v / 64] |= UINT64_C(1) << (v % 64);
	}
}

static enum err_code
budget(const struct host *host, const struct leases *l, unsigned index, uint16_t vlan, const struct ledger_vlans *vlans,
	struct err *err)
{
	struct vfset want = {.has = vlan ? VFSET_VLAN : 0, .vlan = vlan, .proto = 0x8100};
	*err = (struct err){0};
	return rules_vlans(host, &l->ledger, host_vf(host, HOSTS_IXGBE_PF, index), &want, vlans, err);
}

/* 63 VFs with a port VLAN each fill the port; the other port is another one. */
static void
vlans_of_ports(void **state)
{
	(void)state;
	struct host host;
	struct leases none = {0};
	struct err err;
	hosts_ixgbe(&host);
	for (unsigned i = 0; i < 63; i++) {
		assert_int_equal(budget(&host, &none, i, (uint16_t)(100 + i), NULL, &err), ERR_NONE);
		host_vf(&host, HOSTS_IXGBE_PF, i)->set.vlan = (uint16_t)(100 + i);
	}
	/* Another id instead of its own keeps the number, one that is there already makes it less. */
	assert_int_equal(budget(&host, &none, 5, 999, NULL, &err), ERR_NONE);
	assert_int_equal(budget(&host, &none, 5, 106, NULL, &err), ERR_NONE);
	/* One more beside it is the 64th. */
	struct ledger_vlans one = {0};
	ids(&one, 4094, 1);
	assert_int_equal(budget(&host, &none, 5, 0, &one, &err), ERR_REFUSED);
	assert_string_equal(err.message, "eth4 would carry 64 VLAN ids, and 63 is the most for all VFs of a port");
	assert_string_equal(err.hint, "most have eth4:5 2, eth4:0 1, eth4:1 1, eth4:2 1");
	/* It may be one that another VF has. */
	struct ledger_vlans shared = {0};
	ids(&shared, 100, 63);
	assert_int_equal(budget(&host, &none, 5, 0, &shared, &err), ERR_NONE);
	struct vfset want = {.has = VFSET_VLAN, .vlan = 5};
	assert_int_equal(rules_vlans(&host, &none.ledger, host_vf(&host, HOSTS_IXGBE_PF2, 0), &want, &shared, &err), ERR_REFUSED);
	assert_int_equal(rules_vlans(&host, &none.ledger, host_vf(&host, HOSTS_IXGBE_PF2, 0), &want, &one, &err), ERR_NONE);
	host_free(&host);
}

static void
vlans_of_leases(void **state)
{
	(void)state;
	struct host host;
	struct leases l = {0};
	struct err err;
	hosts_ixgbe(&host);
	ids(&lease(&l, HOSTS_IXGBE_PF, 0, "vpx1")->vlans, 100, 32);
	ids(&lease(&l, HOSTS_IXGBE_PF, 1, "vpx2")->vlans, 120, 40); /* 12 of them are vpx1's, too: 60 in all */
	ids(&lease(&l, HOSTS_IXGBE_PF, 2, "")->vlans, 2000, 50);    /* given back: counts for nothing */
	ids(&lease(&l, HOSTS_IXGBE_PF2, 0, "vpx1")->vlans, 3000, 63);
	struct ledger_vlans three = {0}, four = {0};
	ids(&three, 1, 3);
	ids(&four, 1, 4);
	assert_int_equal(budget(&host, &l, 3, 0, &three, &err), ERR_NONE);
	assert_int_equal(budget(&host, &l, 3, 0, &four, &err), ERR_REFUSED);
	assert_string_equal(err.message, "eth4 would carry 64 VLAN ids, and 63 is the most for all VFs of a port");
	assert_string_equal(err.hint, "most have eth4:1 (vpx2) 40, eth4:0 (vpx1) 32, eth4:3 4");
	/* The port VLAN counts, and so does one that is already a tagged id: once. */
	assert_int_equal(budget(&host, &l, 3, 3, &three, &err), ERR_NONE);
	assert_int_equal(budget(&host, &l, 3, 4, &three, &err), ERR_REFUSED);
	/* A lease that is changed is counted with its new ids alone. */
	assert_int_equal(budget(&host, &l, 1, 0, &four, &err), ERR_NONE);
	/* Without word of ids those of the lease stay. */
	assert_int_equal(budget(&host, &l, 1, 7, NULL, &err), ERR_NONE);
	struct ledger_vlans fifty = {0};
	ids(&fifty, 1000, 50);
	assert_int_equal(budget(&host, &l, 0, 0, &fifty, &err), ERR_REFUSED);
	/* Over the limit from before: more is refused, less is not. */
	ids(&l.record[0].vlans, 500, 30);
	assert_int_equal(budget(&host, &l, 3, 7, NULL, &err), ERR_REFUSED);
	assert_int_equal(budget(&host, &l, 3, 100, NULL, &err), ERR_NONE);
	assert_int_equal(budget(&host, &l, 1, 0, &three, &err), ERR_NONE);
	host_free(&host);
}

/* After a boot a leased VF may be missing, or not have its VLAN yet: the lease still counts. */
static void
vlans_of_lost_vfs(void **state)
{
	(void)state;
	struct host host = {0};
	struct leases l = {0};
	struct err err;
	hosts_pf(&host, "10:00.0", "ixgbe", "eth4", 0x10fb, 63);
	hosts_vfs(&host, HOSTS_IXGBE_PF, 0x10ed, 0x80, 2, 1);
	struct ledger_record *record = lease(&l, HOSTS_IXGBE_PF, 1, "vpx9");
	ids(&record->vlans, 100, 62);
	record->set = (struct vfset){.has = VFSET_VLAN, .vlan = 700};
	assert_int_equal(budget(&host, &l, 0, 700, NULL, &err), ERR_NONE);
	assert_int_equal(budget(&host, &l, 0, 701, NULL, &err), ERR_REFUSED);
	assert_string_equal(err.hint, "most have eth4:1 (vpx9) 63, eth4:0 1");
	host_free(&host);
}

/* ---- what must not be touched ---------------------------------------------------------------------------------------- */

static void
rebinds(const struct host *host, uint64_t addr, const char *driver, bool forced, enum err_code code, const char *message)
{
	struct err err = {0};
	assert_int_equal(rules_rebind(host, host_at(host, addr), driver, forced, &err), code);
	assert_string_equal(err.message, message);
	assert_true(code == ERR_NONE || err.hint[0]);
}

static void
rebinding(void **state)
{
	(void)state;
	struct host host;
	hosts_igb(&host, 2);
	uint64_t vf = host_vf(&host, HOSTS_IGB_PF, 0)->addr;
	rebinds(&host, vf, "vfio-pci", false, ERR_NONE, "");
	rebinds(&host, HOSTS_CRYPTO, "vfio-pci", false, ERR_NONE, "");
	rebinds(&host, HOSTS_IGB_PF2, "vfio-pci", false, ERR_NONE, "");
	/* The default route, by itself and over a bridge; the login; addresses. */
	struct host_if *iface = host_at(&host, HOSTS_PLAIN)->iface;
	rebinds(&host, HOSTS_PLAIN, "vfio-pci", false, ERR_REFUSED, "the default route goes over eth9");
	rebinds(&host, HOSTS_PLAIN, "vfio-pci", true, ERR_NONE, "");
	rebinds(&host, HOSTS_PLAIN, "virtio-pci", false, ERR_NONE, "");
	strcpy(iface->route, "br0");
	strcpy(iface->upper, "br0");
	rebinds(&host, HOSTS_PLAIN, "vfio-pci", false, ERR_REFUSED, "the default route goes over br0, and so over eth9");
	strcpy(iface->login, "192.0.2.7");
	rebinds(&host, HOSTS_PLAIN, "vfio-pci", false, ERR_REFUSED, "the login from 192.0.2.7 comes over eth9");
	iface->login[0] = iface->route[0] = '\0';
	rebinds(&host, HOSTS_PLAIN, "vfio-pci", false, ERR_REFUSED, "eth9 is below br0");
	iface->upper[0] = '\0';
	rebinds(&host, HOSTS_PLAIN, "vfio-pci", false, ERR_REFUSED, "eth9 has addresses");
	iface->has_address = false;
	rebinds(&host, HOSTS_PLAIN, "vfio-pci", false, ERR_NONE, "");
	/* A PF takes its VFs along. */
	rebinds(&host, HOSTS_IGB_PF, "vfio-pci", false, ERR_REFUSED, "eth0 would take its 2 VFs along");
	rebinds(&host, HOSTS_IGB_PF, "vfio-pci", true, ERR_NONE, "");
	host_at(&host, HOSTS_IGB_PF)->num_vfs = 1;
	rebinds(&host, HOSTS_IGB_PF, "vfio-pci", false, ERR_REFUSED, "eth0 would take its 1 VF along");
	host_at(&host, HOSTS_IGB_PF)->num_vfs = 2;
	/* Uses: what is no process can be forced. */
	hosts_use(host_at(&host, vf), 0, "interface eth4 is up");
	rebinds(&host, vf, "vfio-pci", false, ERR_REFUSED, "eth0:0 is in use: interface eth4 is up");
	rebinds(&host, vf, "vfio-pci", true, ERR_NONE, "");
	hosts_use(host_at(&host, vf), 812, "pe (pid 812) through /dev/vfio/14");
	rebinds(&host, vf, "vfio-pci", true, ERR_REFUSED, "eth0:0 is in use: pe (pid 812) through /dev/vfio/14");
	rebinds(&host, HOSTS_IGB_PF, "vfio-pci", true, ERR_REFUSED, "eth0:0 is in use: pe (pid 812) through /dev/vfio/14");
	/* It is nobody else's. */
	rebinds(&host, HOSTS_IGB_PF2, "vfio-pci", true, ERR_NONE, "");
	rebinds(&host, HOSTS_PLAIN, "vfio-pci", true, ERR_NONE, "");
	rebinds(&host, host_vf(&host, HOSTS_IGB_PF, 1)->addr, "vfio-pci", false, ERR_NONE, "");
	host_free(&host);
}

static void
rebinding_what_stays(void **state)
{
	(void)state;
	struct host host = {0};
	hosts_pf(&host, "01:00.0", "mlx5_core", "eth0", 0x1017, 8);
	hosts_vfs(&host, HOSTS_IGB_PF, 0x1018, 2, 1, 2);
	uint64_t vf = HOSTS_IGB_PF + 2;
	host_at(&host, HOSTS_IGB_PF)->num_vfs = 0;
	rebinds(&host, HOSTS_IGB_PF, "vfio-pci", false, ERR_REFUSED,
		"eth0 works only with mlx5_core: DPDK drives it through that, too");
	rebinds(&host, vf, "vfio-pci", false, ERR_REFUSED, "eth0:0 works only with mlx5_core: DPDK drives it through that, too");
	rebinds(&host, vf, "", false, ERR_REFUSED, "eth0:0 works only with mlx5_core: DPDK drives it through that, too");
	rebinds(&host, vf, "vfio-pci", true, ERR_NONE, "");
	/* Back to it is what we want. */
	hosts_bind(host_at(&host, vf), "vfio-pci", true);
	rebinds(&host, vf, "mlx5_core", false, ERR_NONE, "");
	rebinds(&host, vf, "kernel", false, ERR_NONE, "");
	rebinds(&host, vf, "vfio-pci", false, ERR_NONE, "");
	host_free(&host);
}

static void
destroying(void **state)
{
	(void)state;
	struct host host;
	struct leases l = {0};
	struct err err = {0};
	hosts_igb(&host, 4);
	const struct host_func *pf = host_at(&host, HOSTS_IGB_PF);
	assert_int_equal(rules_destroy(&host, &l.ledger, pf, 0, &err), ERR_NONE);
	lease(&l, HOSTS_IGB_PF, 0, "");
	lease(&l, HOSTS_IGB_PF, 2, "vpx1");
	lease(&l, HOSTS_IGB_PF, 6, "vpx7"); /* is not there: nothing is lost */
	lease(&l, HOSTS_IGB_PF2, 0, "vpx8");
	assert_int_equal(rules_destroy(&host, &l.ledger, pf, 0, &err), ERR_REFUSED);
	assert_string_equal(err.message, "eth0 would lose VF 2 (leased to vpx1)");
	assert_string_equal(err.hint, "vfctl vf release eth0:N gives a lease back; end what uses them");
	assert_int_equal(rules_destroy(&host, &l.ledger, pf, 2, &err), ERR_REFUSED);
	assert_int_equal(rules_destroy(&host, &l.ledger, pf, 3, &err), ERR_NONE);
	hosts_use(host_vf(&host, HOSTS_IGB_PF, 2), 812, "pe (pid 812)");
	hosts_use(host_vf(&host, HOSTS_IGB_PF, 3), 0, "interface eth4 is up");
	assert_int_equal(rules_destroy(&host, &l.ledger, pf, 1, &err), ERR_REFUSED);
	assert_string_equal(err.message, "eth0 would lose VFs 2 (leased to vpx1; pe (pid 812)), 3 (interface eth4 is up)");
	assert_int_equal(rules_destroy(&host, &l.ledger, pf, 3, &err), ERR_REFUSED);
	assert_int_equal(rules_destroy(&host, &l.ledger, pf, 4, &err), ERR_NONE);
	host_free(&host);
}

/* 63 holders with long names: the sentence says that there are more. */
static void
destroying_many(void **state)
{
	(void)state;
	struct host host;
	struct leases l = {0};
	struct err err = {0};
	hosts_ixgbe(&host);
	for (int i = 0; i < 63; i++) {
		lease(&l, HOSTS_IXGBE_PF, i, "a-holder-whose-name-is-as-long-as-they-may-be-in-the-ledger-01");
	}
	assert_int_equal(rules_destroy(&host, &l.ledger, host_at(&host, HOSTS_IXGBE_PF), 0, &err), ERR_REFUSED);
	assert_non_null(strstr(err.message, "eth4 would lose VFs 0 (leased to a-holder"));
	assert_string_equal(err.message + strlen(err.message) - 5, ", ...");
	host_free(&host);
}

static void
one_driver_of_several_cards(void **state)
{
	(void)state;
	struct host host;
	struct err err = {0};
	const struct vfset want = {.has = VFSET_PROMISC, .promisc = true};
	hosts_ixgbe(&host);
	assert_int_equal(rules_set(&host, host_vf(&host, HOSTS_IXGBE_PF, 1), &want, &err), ERR_REFUSED);
	assert_non_null(strstr(err.message, "the device has no such mode"));
	host_at(&host, HOSTS_IXGBE_PF)->device = 0x1528; /* X540 */
	assert_int_equal(rules_set(&host, host_vf(&host, HOSTS_IXGBE_PF, 1), &want, &err), ERR_REFUSED);
	assert_non_null(strstr(err.hint, "trust on"));
	host_free(&host);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(drivers),
		cmocka_unit_test(sets),
		cmocka_unit_test(rates_without_link),
		cmocka_unit_test(macs_twice),
		cmocka_unit_test(automatic_macs),
		cmocka_unit_test(refusals),
		cmocka_unit_test(vlans_of_ports),
		cmocka_unit_test(vlans_of_leases),
		cmocka_unit_test(vlans_of_lost_vfs),
		cmocka_unit_test(rebinding),
		cmocka_unit_test(rebinding_what_stays),
		cmocka_unit_test(destroying),
		cmocka_unit_test(destroying_many),
		cmocka_unit_test(one_driver_of_several_cards),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
