/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/vf/plan.c lib/vf/plan_lease.c lib/vf/plan_numvfs.c lib/vf/plan_port.c lib/vf/ledger.c lib/vf/ledger_line.c */
/* links: lib/vf/step.c lib/vf/host.c lib/vf/names.c lib/vf/pci.c lib/vf/portset.c lib/vf/vfset.c lib/vf/keys.c lib/vf/rules.c */
/* links: lib/json/field.c lib/vf/rules_set.c lib/vf/rules_driver.c lib/base/addr.c lib/base/err.c lib/base/num.c -ljansson */
#include "vf/plan.h"
#include "vf/plan_int.h"
#include "vf_hosts.h"

#define GBIT UINT64_C(1000000000)

/* A host, and the ledger of what was done to it. */
static struct world {
	struct host host;
	struct ledger ledger;
	struct plan_input in;
	struct ledger_entry entry;
	struct err err;
	char text[32768];
} w;

static int
start(void **state)
{
	(void)state;
	memset(&w, 0, sizeof(w));
	hosts_igb(&w.host, 4);
	host_at(&w.host, HOSTS_IGB_PF)->label[0] = '\0';
	w.in = (struct plan_input){.host = &w.host, .ledger = &w.ledger};
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	ledger_entry_free(&w.entry);
	ledger_free(&w.ledger);
	host_free(&w.host);
	return 0;
}

static struct host_func *
pf(void)
{
	return host_at(&w.host, HOSTS_IGB_PF);
}

static struct host_func *
vf(unsigned index)
{
	return host_vf(&w.host, HOSTS_IGB_PF, index);
}

static void
apply_step(const struct step *step)
{
	struct host_func *func = step->index < 0 ? host_at(&w.host, step->func) : vf((unsigned)step->index);
	assert_non_null(func);
	if (step->kind == STEP_VFSET) {
		vfset_copy(&func->set, &step->to.set, step->to.set.has);
	} else if (step->kind == STEP_DRIVER) {
		memcpy(func->driver, step->to.text, sizeof(func->driver));
		memcpy(func->override, step->to.text2, sizeof(func->override));
	} else if (step->kind == STEP_PORTSET) {
		portset_copy(&func->iface->set, &step->to.port, step->to.port.has);
	}
}

/* Does the entry, and writes it down. */
static void
commit(void)
{
	struct ledger_entry end = {.at = "t", .phase = LEDGER_DONE, .index = -1};
	w.entry.seq = w.ledger.seq + 1;
	end.of = w.entry.seq;
	end.seq = w.entry.seq + 1;
	snprintf(w.entry.at, sizeof(w.entry.at), "t");
	snprintf(w.entry.who, sizeof(w.entry.who), "root");
	for (size_t i = 0; i < w.entry.steps.n; i++) {
		apply_step(&w.entry.steps.step[i]);
	}
	for (int i = 0; i < 2; i++) {
		char *line = ledger_line(i ? &end : &w.entry);
		size_t at = strlen(w.text);
		assert_true(at + strlen(line) < sizeof(w.text));
		memcpy(w.text + at, line, strlen(line) + 1);
		free(line);
	}
	ledger_entry_free(&w.entry);
	ledger_free(&w.ledger);
	if (ledger_read(w.text, strlen(w.text), &w.ledger, &w.err)) {
		fail_msg("%s", w.err.message);
	}
}

/* The plan went well, and these are its steps, a line each. */
static void
steps_are(enum err_code code, const char *want)
{
	char said[4096] = "", text[256];
	if (code) {
		fail_msg("%s", w.err.message);
	}
	for (size_t i = 0; i < w.entry.steps.n; i++) {
		size_t at = strlen(said);
		snprintf(said + at, sizeof(said) - at, "%s\n", step_text(&w.host, &w.entry.steps.step[i], text, sizeof(text)));
	}
	assert_string_equal(said, want);
}

static void
refused(enum err_code code, enum err_code want, const char *what)
{
	if (code != want || !strstr(w.err.message, what)) {
		fail_msg("%d: %s, not %s", code, w.err.message, what);
	}
	assert_int_equal(w.entry.steps.n, 0);
	assert_null(w.entry.steps.step);
}

static enum err_code
set(unsigned index, struct vfset want)
{
	ledger_entry_free(&w.entry);
	return plan_set(&w.in, vf(index), &want, &w.entry, &w.err);
}

static enum err_code
lease_as(unsigned index, struct plan_lease lease)
{
	ledger_entry_free(&w.entry);
	return plan_lease(&w.in, vf(index), &lease, &w.entry, &w.err);
}

static enum err_code
release(struct host_func *func, const char *holder, uint64_t generation)
{
	ledger_entry_free(&w.entry);
	return plan_release(&w.in, func, holder, generation, &w.entry, &w.err);
}

static enum err_code
bind(struct host_func *func, const char *driver)
{
	ledger_entry_free(&w.entry);
	return plan_bind(&w.in, func, driver, &w.entry, &w.err);
}

static enum err_code
unbind(struct host_func *func)
{
	ledger_entry_free(&w.entry);
	return plan_unbind(&w.in, func, &w.entry, &w.err);
}

static enum err_code
numvfs(unsigned n, int autoprobe)
{
	ledger_entry_free(&w.entry);
	return plan_numvfs(&w.in, pf(), n, autoprobe, &w.entry, &w.err);
}

#define SET_MAC(value) ((struct vfset){.has = VFSET_MAC, .mac = (value)})
#define SET_VLAN(value) ((struct vfset){.has = VFSET_VLAN, .vlan = (value), .proto = 0x8100})

/* ---- set ---------------------------------------------------------------------------------------------------------------- */

static void
only_what_differs_is_set(void **state)
{
	(void)state;
	struct vfset want = SET_VLAN(100);
	want.has |= VFSET_TRUST | VFSET_SPOOFCHK;
	want.spoofchk = true;
	steps_are(set(2, want), "eth0:2: vlan 100 (was none)\n");
	commit();
	steps_are(set(2, want), "");
	assert_false(ledger_news(&w.ledger, &w.entry));
	refused(set(2, (struct vfset){.has = VFSET_LINK, .link = VFSET_LINK_ENABLE}), ERR_REFUSED, "link");
	refused(set(2, SET_VLAN(5000)), ERR_USAGE, "5000");
	steps_are(set(1, SET_MAC(0x020000000001)), "eth0:1: mac 02:00:00:00:00:01 (was 00:00:00:00:00:00)\n");
	commit();
	refused(set(2, SET_MAC(0x020000000001)), ERR_EXISTS, "02:00:00:00:00:01");
	steps_are(set(1, SET_MAC(0x020000000001)), "");
}

/* ---- drivers ------------------------------------------------------------------------------------------------------------- */

static void
bound_and_back(void **state)
{
	(void)state;
	hosts_bind(vf(2), "igbvf", false);
	steps_are(bind(vf(2), "vfio-pci"), "eth0:2: driver vfio-pci (was igbvf)\n");
	assert_string_equal(w.entry.steps.step[0].to.text2, "vfio-pci");
	commit();
	steps_are(bind(vf(2), "vfio-pci"), "");
	steps_are(bind(vf(2), "xen-pciback"), "eth0:2: driver xen-pciback (was vfio-pci)\n");
	commit();
	steps_are(unbind(vf(2)), "eth0:2: driver igbvf (was xen-pciback)\n");
	commit();
	steps_are(unbind(vf(2)), "");
	assert_false(ledger_news(&w.ledger, &w.entry));
	/* nothing recorded: it has been given back; another's driver: the kernel's choice, where it is known */
	hosts_bind(vf(3), "", false);
	steps_are(unbind(vf(3)), "");
	hosts_bind(vf(3), "vfio-pci", true);
	steps_are(unbind(vf(3)), "eth0:3: driver igbvf (was vfio-pci)\n");
	assert_string_equal(w.entry.steps.step[0].to.text2, "");
	steps_are(bind(vf(3), "kernel"), "eth0:3: driver igbvf (was vfio-pci)\n");
	steps_are(bind(vf(3), "igbvf"), "eth0:3: driver igbvf (was vfio-pci)\n");
	struct host_func *crypto = host_at(&w.host, HOSTS_CRYPTO);
	hosts_bind(crypto, "vfio-pci", true);
	steps_are(unbind(crypto), "0000:05:00.0: the kernel's own driver (was vfio-pci)\n");
	steps_are(bind(crypto, ""), "0000:05:00.0: no driver (was vfio-pci)\n");
	refused(bind(crypto, "vfio/pci"), ERR_USAGE, "vfio/pci");
}

static void
what_must_not_be_rebound(void **state)
{
	(void)state;
	struct host_func *plain = host_at(&w.host, HOSTS_PLAIN);
	refused(bind(plain, "vfio-pci"), ERR_REFUSED, "default route");
	w.in.forced = true;
	steps_are(bind(plain, "vfio-pci"), "eth9: driver vfio-pci (was virtio-pci)\n");
	refused(bind(pf(), "vfio-pci"), ERR_REFUSED, "eth0 has 4 VFs");
	hosts_use(vf(2), 812, "pe (pid 812)");
	refused(bind(vf(2), "vfio-pci"), ERR_REFUSED, "pid 812");
}

/* ---- leases --------------------------------------------------------------------------------------------------------------- */

static const struct plan_lease vpx1 = {.holder = "vpx1",
	.driver = "vfio-pci",
	.want = {.has = VFSET_MAC | VFSET_VLAN, .mac = 0x020000000002, .vlan = 100, .proto = 0x8100}};

/* Nothing is begun of which it is known that it cannot be done. */
static void
settings_need_the_ports_interface(void **state)
{
	(void)state;
	pf()->nifaces = 0;
	vf(3)->set.has = 0;
	refused(set(3, (struct vfset){.has = VFSET_VLAN, .vlan = 5, .proto = 0x8100}), ERR_REFUSED,
		"its PF has no interface here");
	refused(lease_as(3, vpx1), ERR_REFUSED, "its PF has no interface here");
	steps_are(lease_as(3, (struct plan_lease){.holder = "vpx1", .driver = "vfio-pci"}),
		"0000:01:00.0:3: driver vfio-pci (was none)\n");
	pf()->nifaces = 1;
}

static void
a_release_puts_back_what_was_before_the_lease(void **state)
{
	(void)state;
	hosts_bind(vf(2), "igbvf", false);
	vf(2)->set.vlan = 7;
	steps_are(lease_as(2, vpx1), "eth0:2: driver vfio-pci (was igbvf)\n"
				     "eth0:2: mac 02:00:00:00:00:02 (was 00:00:00:00:00:00)\n"
				     "eth0:2: vlan 100 (was 7)\n");
	assert_int_equal(w.entry.generation, 1);
	commit();
	steps_are(set(2, (struct vfset){.has = VFSET_VLAN | VFSET_TRUST, .vlan = 200, .proto = 0x8100, .trust = true}),
		"eth0:2: vlan 200 (was 100)\neth0:2: trust on (was off)\n");
	commit();
	steps_are(bind(vf(2), "xen-pciback"), "eth0:2: driver xen-pciback (was vfio-pci)\n");
	commit();
	steps_are(release(vf(2), "vpx1", 1), "eth0:2: trust off (was on)\n"
					     "eth0:2: vlan 7 (was 200)\n"
					     "eth0:2: mac 00:00:00:00:00:00 (was 02:00:00:00:00:02)\n"
					     "eth0:2: driver igbvf (was xen-pciback)\n");
	commit();
	assert_string_equal(ledger_of(&w.ledger, vf(2))->holder, "");
	steps_are(release(vf(2), "vpx1", 1), "");
	assert_false(ledger_news(&w.ledger, &w.entry));
}

static void
the_kernel_driver_comes_last(void **state)
{
	(void)state;
	struct plan_lease lease = vpx1;
	hosts_bind(vf(2), "vfio-pci", true);
	lease.driver = "kernel";
	lease.want.has = VFSET_MAC;
	steps_are(lease_as(2, lease), "eth0:2: mac 02:00:00:00:00:02 (was 00:00:00:00:00:00)\n"
				      "eth0:2: driver igbvf (was vfio-pci)\n");
	commit();
	steps_are(release(vf(2), "vpx1", 0), "eth0:2: driver vfio-pci (was igbvf)\n"
					     "eth0:2: mac 00:00:00:00:00:00 (was 02:00:00:00:00:02)\n");
}

static void
a_late_release_touches_nothing(void **state)
{
	(void)state;
	steps_are(lease_as(2, vpx1), "eth0:2: driver vfio-pci (was none)\n"
				     "eth0:2: mac 02:00:00:00:00:02 (was 00:00:00:00:00:00)\n"
				     "eth0:2: vlan 100 (was none)\n");
	commit();
	steps_are(release(vf(2), NULL, 1), "eth0:2: vlan none (was 100)\n"
					   "eth0:2: mac 00:00:00:00:00:00 (was 02:00:00:00:00:02)\n"
					   "eth0:2: no driver (was vfio-pci)\n");
	commit();
	struct plan_lease next = {.holder = "vpx2"};
	steps_are(lease_as(2, next), "");
	assert_true(ledger_news(&w.ledger, &w.entry));
	assert_int_equal(w.entry.generation, 2);
	commit();
	for (int forced = 0; forced < 2; forced++) {
		w.in.forced = forced;
		refused(release(vf(2), "vpx1", 1), ERR_EXISTS, "leased to vpx2");
		refused(release(vf(2), "vpx1", 0), ERR_EXISTS, "generation 2");
		refused(release(vf(2), "vpx2", 1), ERR_EXISTS, "vpx2");
		refused(release(vf(2), NULL, 1), ERR_EXISTS, "vpx2");
	}
	w.in.forced = false;
	refused(release(vf(2), NULL, 0), ERR_EXISTS, "vpx2");
	w.in.forced = true;
	steps_are(release(vf(2), NULL, 0), "");
	assert_true(ledger_news(&w.ledger, &w.entry));
}

static void
leases_that_are_refused(void **state)
{
	(void)state;
	steps_are(lease_as(2, (struct plan_lease){.holder = "vpx1"}), "");
	commit();
	refused(lease_as(2, (struct plan_lease){.holder = "vpx2"}), ERR_EXISTS, "eth0:2 is leased to vpx1");
	steps_are(lease_as(2, (struct plan_lease){.holder = "vpx1"}), "");
	assert_int_equal(w.entry.generation, 1);
	assert_false(ledger_news(&w.ledger, &w.entry));
	steps_are(lease_as(2, (struct plan_lease){.holder = "vpx1", .want = SET_VLAN(5)}), "eth0:2: vlan 5 (was none)\n");
	assert_int_equal(w.entry.generation, 1);
	hosts_use(vf(1), 812, "pe (pid 812)");
	refused(lease_as(1, (struct plan_lease){.holder = "vpx1"}), ERR_REFUSED, "pid 812");
	refused(lease_as(0, (struct plan_lease){.holder = ""}), ERR_USAGE, "holder");
	refused(lease_as(0, (struct plan_lease){.holder = "a b"}), ERR_USAGE, "holder");
	char longest[LEDGER_HOLDER_SIZE + 1];
	memset(longest, 'x', sizeof(longest));
	longest[LEDGER_HOLDER_SIZE] = '\0';
	refused(lease_as(0, (struct plan_lease){.holder = longest}), ERR_USAGE, "holder");
	refused(plan_lease(&w.in, pf(), &(struct plan_lease){.holder = "vpx1"}, &w.entry, &w.err), ERR_REFUSED, "eth0 has 4 VFs");
	struct host_func *crypto = host_at(&w.host, HOSTS_CRYPTO);
	struct plan_lease want = {.holder = "vpx1", .want = SET_VLAN(5)};
	refused(plan_lease(&w.in, crypto, &want, &w.entry, &w.err), ERR_USAGE, "no VF");
	struct plan_lease many = {.holder = "vpx3"};
	assert_int_equal(ledger_vlans_parse("1-64", &many.vlans, &w.err), ERR_NONE);
	refused(lease_as(3, many), ERR_REFUSED, "64");
	hosts_use(vf(2), 813, "pe (pid 813)");
	refused(release(vf(2), "vpx1", 0), ERR_REFUSED, "pid 813");
}

static void
what_needs_no_step_is_known_for_the_next_boot(void **state)
{
	(void)state;
	vf(2)->set.trust = true;
	steps_are(lease_as(2, (struct plan_lease){.holder = "vpx1", .want = {.has = VFSET_TRUST, .trust = true}}), "");
	commit();
	const struct ledger_record *record = ledger_of(&w.ledger, vf(2));
	assert_true(record->set.has == VFSET_TRUST && record->set.trust && !record->before.has);
	/* after a boot trust is off, and put back; a release leaves what a new VF has */
	vf(2)->set.trust = false;
	steps_are(set(2, record->set), "eth0:2: trust on (was off)\n");
	commit();
	steps_are(release(vf(2), "vpx1", 0), "eth0:2: trust off (was on)\n");
}

static void
a_driver_that_does_not_take_a_mac_back(void **state)
{
	(void)state;
	snprintf(pf()->driver, sizeof(pf()->driver), "qede");
	steps_are(lease_as(2, (struct plan_lease){.holder = "vpx1", .want = SET_MAC(0x020000000002)}),
		"eth0:2: mac 02:00:00:00:00:02 (was 00:00:00:00:00:00)\n");
	commit();
	assert_int_equal(release(vf(2), "vpx1", 0), ERR_NONE);
	assert_int_equal(w.entry.steps.n, 1);
	uint64_t mac = w.entry.steps.step[0].to.set.mac;
	assert_true(mac == rules_auto_mac(&w.host, vf(2)) && mac != 0);
	assert_non_null(strstr(w.entry.note, "eth0:2 has the MAC"));
	assert_non_null(strstr(w.entry.note, "qede"));
}

/* VFs as a driver without a spoof check by default makes them. */
static void
forget_new(struct host *host)
{
	pf()->autoprobe = false;
	for (unsigned i = 0; i < 4; i++) {
		host_vf(host, HOSTS_IGB_PF, i)->set.spoofchk = false;
	}
}

static void
a_driver_that_does_not_take_a_limit_away(void **state)
{
	(void)state;
	struct plan_lease lease = {.holder = "vpx1", .want = {.has = VFSET_RATE, .max_rate_bps = 500000000}};
	snprintf(pf()->driver, sizeof(pf()->driver), "qede");
	steps_are(lease_as(2, lease), "eth0:2: rate 500 Mbit/s (was none)\n");
	commit();
	steps_are(release(vf(2), "vpx1", 0), "");
	assert_string_equal(w.entry.note, "its rate stays limited: qede does not take that away");
	commit();
	/* Going away it need not be asked. */
	forget_new(&w.host);
	steps_are(numvfs(0, -1), "eth0:2: rate 500 Mbit/s (as before)\neth0: 0 VFs (was 4)\n");
}

/* Of a driver that nobody knows nothing is asked that destroying its VFs does anyway: it might refuse. */
static void
an_unknown_driver_is_not_asked_in_vain(void **state)
{
	(void)state;
	snprintf(pf()->driver, sizeof(pf()->driver), "brandnew");
	vf(1)->set.mac = 0x020000000001;
	forget_new(&w.host);
	steps_are(numvfs(0, -1), "eth0:1: mac 02:00:00:00:00:01 (as before)\neth0: 0 VFs (was 4)\n");
}

static void
what_is_no_more_is_released(void **state)
{
	(void)state;
	struct host_func ghost = {.addr = PCI_NONE, .role = HOST_VF, .pf = HOSTS_IGB_PF, .index = 2};
	steps_are(lease_as(2, (struct plan_lease){.holder = "vpx1", .want = SET_VLAN(5)}), "eth0:2: vlan 5 (was none)\n");
	commit();
	host_free(&w.host);
	hosts_igb(&w.host, 2);
	refused(release(&ghost, "vpx2", 0), ERR_EXISTS, "vpx1");
	steps_are(release(&ghost, "vpx1", 0), "");
	assert_true(ledger_news(&w.ledger, &w.entry));
	assert_non_null(strstr(w.entry.note, "no more"));
}

static void
the_lowest_free_vf(void **state)
{
	(void)state;
	assert_ptr_equal(plan_free_vf(&w.in, pf(), &w.err), vf(0));
	lease_as(0, (struct plan_lease){.holder = "vpx1"});
	commit();
	hosts_use(vf(1), 812, "pe (pid 812)");
	assert_ptr_equal(plan_free_vf(&w.in, pf(), &w.err), vf(2));
	hosts_use(vf(2), 0, "interface eth4 is up");
	lease_as(3, (struct plan_lease){.holder = "vpx2"});
	commit();
	assert_null(plan_free_vf(&w.in, pf(), &w.err));
	refused(w.err.code, ERR_REFUSED, "no VF of eth0 is free: 0 vpx1, 1 pe (pid 812), 2 interface eth4 is up, 3 vpx2");
	assert_null(plan_free_vf(&w.in, host_at(&w.host, HOSTS_IGB_PF2), &w.err));
	refused(w.err.code, ERR_REFUSED, "has no VFs");
}

/* ---- numbers of VFs --------------------------------------------------------------------------------------------------- */

static void
what_stays_gets_back_what_it_had(void **state)
{
	(void)state;
	pf()->autoprobe = true;
	for (unsigned i = 0; i < 4; i++) {
		hosts_bind(vf(i), "igbvf", false);
	}
	vf(0)->set.mac = 0x020000000001;
	vf(3)->set.vlan = 9;
	hosts_bind(vf(1), "vfio-pci", true);
	hosts_bind(vf(2), "", false);
	steps_are(numvfs(2, 0), "eth0:0: mac 00:00:00:00:00:00 (was 02:00:00:00:00:01)\n"
				"eth0:1: no driver (was vfio-pci)\n"
				"eth0:2: no driver (as before)\n"
				"eth0:3: vlan none (was 9)\n"
				"eth0: autoprobe off (was on)\n"
				"eth0: 2 VFs (was 4)\n"
				"eth0: autoprobe off (was on)\n"
				"eth0:0: mac 02:00:00:00:00:01 (as before)\n"
				"eth0:0: driver igbvf (as before)\n"
				"eth0:1: driver vfio-pci (as before)\n");
	steps_are(numvfs(4, -1), "");
	steps_are(numvfs(4, 0), "eth0: autoprobe off (was on)\n");
	/* igbvf is on :1 for a moment, and makes up an address for it */
	steps_are(numvfs(2, -1), "eth0:0: mac 00:00:00:00:00:00 (was 02:00:00:00:00:01)\n"
				 "eth0:1: no driver (was vfio-pci)\n"
				 "eth0:2: no driver (as before)\n"
				 "eth0:3: vlan none (was 9)\n"
				 "eth0: 2 VFs (was 4)\n"
				 "eth0:0: mac 02:00:00:00:00:01 (as before)\n"
				 "eth0:1: driver vfio-pci (as before)\n"
				 "eth0:1: mac 00:00:00:00:00:00 (as before)\n");
	steps_are(numvfs(0, -1), "eth0:0: mac 00:00:00:00:00:00 (was 02:00:00:00:00:01)\n"
				 "eth0:1: no driver (was vfio-pci)\n"
				 "eth0:2: no driver (as before)\n"
				 "eth0:3: vlan none (was 9)\n"
				 "eth0: 0 VFs (was 4)\n");
}

static void
numbers_that_are_refused(void **state)
{
	(void)state;
	pf()->autoprobe = false;
	refused(numvfs(8, -1), ERR_REFUSED, "7 VFs at most, not 8");
	lease_as(3, (struct plan_lease){.holder = "vpx1"});
	commit();
	refused(numvfs(6, -1), ERR_REFUSED, "vpx1");
	refused(numvfs(0, -1), ERR_REFUSED, "vpx1");
	w.in.forced = true;
	refused(numvfs(0, -1), ERR_REFUSED, "vpx1");
	steps_are(numvfs(4, -1), "");
	release(vf(3), "vpx1", 0);
	commit();
	hosts_use(vf(1), 812, "pe (pid 812)");
	refused(numvfs(0, -1), ERR_REFUSED, "pid 812");
	vf(1)->nuses = 0;
	/* a rate could not be put back without a link */
	vf(1)->set.max_rate_bps = GBIT / 10;
	pf()->iface->carrier = false;
	refused(numvfs(2, -1), ERR_REFUSED, "eth0:1 could not get back");
	steps_are(numvfs(0, -1), "eth0:1: rate 100 Mbit/s (as before)\neth0: 0 VFs (was 4)\n");
	struct host_func *other = host_at(&w.host, HOSTS_IGB_PF2);
	snprintf(other->driver, sizeof(other->driver), "bnxt_en");
	other->iface->up = false;
	ledger_entry_free(&w.entry);
	refused(plan_numvfs(&w.in, other, 2, -1, &w.entry, &w.err), ERR_REFUSED, "only while the port is up");
	other->iface->up = true;
	assert_int_equal(plan_numvfs(&w.in, other, 2, -1, &w.entry, &w.err), ERR_NONE);
	assert_int_equal(w.entry.steps.n, 1);
	ledger_entry_free(&w.entry);
	assert_int_equal(plan_lease(&w.in, other, &(struct plan_lease){.holder = "vpx9"}, &w.entry, &w.err), ERR_NONE);
	commit();
	refused(plan_numvfs(&w.in, other, 2, -1, &w.entry, &w.err), ERR_REFUSED, "leased to vpx9");
}

/* ---- ports -------------------------------------------------------------------------------------------------------------- */

static enum err_code
port(struct host_func *func, struct portset want)
{
	ledger_entry_free(&w.entry);
	return plan_port(&w.in, func, &want, &w.entry, &w.err);
}

static void
a_port_and_its_defaults(void **state)
{
	struct portset slow = {.has = PORTSET_SPEED | PORTSET_AUTONEG | PORTSET_MTU | PORTSET_UP,
		.speed_bps = GBIT / 10,
		.mtu = 9000,
		.up = true};
	(void)state;
	steps_are(port(pf(), slow), "eth0: speed 100 Mbit/s, autoneg off (was autoneg on)\n"
				    "eth0: mtu 9000 (was 1500)\n");
	commit();
	steps_are(port(pf(), slow), "");
	steps_are(port(pf(), (struct portset){.has = PORTSET_MTU, .mtu = 4000}), "eth0: mtu 4000 (was 9000)\n");
	commit();
	ledger_entry_free(&w.entry);
	steps_are(plan_port_reset(&w.in, pf(), &w.entry, &w.err), "eth0: autoneg on (was off)\neth0: mtu 1500 (was 4000)\n");
	commit();
	steps_are(plan_port_reset(&w.in, pf(), &w.entry, &w.err), "");
	assert_false(ledger_news(&w.ledger, &w.entry));
	refused(port(vf(0), slow), ERR_REFUSED, "no interface");
	struct host_func *plain = host_at(&w.host, HOSTS_PLAIN);
	refused(port(plain, (struct portset){.has = PORTSET_MTU, .mtu = 9000}), ERR_REFUSED, "default route");
	steps_are(port(plain, (struct portset){.has = PORTSET_MTU, .mtu = 1500}), "");
	w.in.forced = true;
	steps_are(port(plain, (struct portset){.has = PORTSET_MTU, .mtu = 9000}), "eth9: mtu 9000 (was 1500)\n");
}

/* ---- what the host needs ------------------------------------------------------------------------------------------------ */

static void
disks_and_bridges(void **state)
{
	(void)state;
	struct host_func *disk = host_at(&w.host, HOSTS_CRYPTO);
	struct host_func *bridge = host_at(&w.host, HOSTS_PLAIN);
	disk->class_code = 0x010802;
	hosts_bind(disk, "nvme", false);
	refused(bind(disk, "vfio-pci"), ERR_REFUSED, "nvme works on its disks");
	hosts_bind(disk, "vfio-pci", true);
	steps_are(bind(disk, "nvme"), "0000:05:00.0: driver nvme (was vfio-pci)\n");
	hosts_bind(disk, "nvme", false);
	w.in.forced = true;
	steps_are(bind(disk, "vfio-pci"), "0000:05:00.0: driver vfio-pci (was nvme)\n");
	bridge->class_code = 0x060400;
	bridge->nifaces = 0;
	hosts_bind(bridge, "pcieport", false);
	refused(bind(bridge, "vfio-pci"), ERR_REFUSED, "is a bridge");
}

/* Give it an interface that the default route goes over. */
static void
give_route(struct host_func *func)
{
	struct host_if *iface = hosts_iface(func, "vf0", 0x020000000007, GBIT);
	snprintf(iface->route, sizeof(iface->route), "vf0");
}

static void
a_vf_that_carries_the_route(void **state)
{
	(void)state;
	struct plan_lease lease = {.holder = "vpx1", .want = SET_VLAN(300)};
	hosts_bind(vf(0), "igbvf", false);
	give_route(vf(0));
	refused(set(0, SET_VLAN(200)), ERR_REFUSED, "the default route goes over vf0");
	refused(set(0, SET_MAC(0x020000000001)), ERR_REFUSED, "the default route goes over vf0");
	refused(lease_as(0, lease), ERR_REFUSED, "the default route goes over vf0");
	steps_are(set(0, (struct vfset){.has = VFSET_TRUST, .trust = true}), "eth0:0: trust on (was off)\n");
	vf(0)->iface->route[0] = '\0';
	snprintf(vf(0)->iface->login, sizeof(vf(0)->iface->login), "192.0.2.7");
	refused(set(0, SET_VLAN(200)), ERR_REFUSED, "the login from 192.0.2.7 comes over vf0");
	w.in.forced = true;
	steps_are(set(0, SET_VLAN(200)), "eth0:0: vlan 200 (was none)\n");
	steps_are(lease_as(0, lease), "eth0:0: vlan 300 (was none)\n");
}

static void
a_port_whose_vfs_are_needed(void **state)
{
	(void)state;
	struct portset off = {.has = PORTSET_UP};
	give_route(vf(3));
	refused(port(pf(), (struct portset){.has = PORTSET_MTU, .mtu = 600}), ERR_REFUSED, "the default route goes over vf0");
	refused(port(pf(), off), ERR_REFUSED, "the default route goes over vf0");
	vf(3)->nifaces = 0;
	hosts_iface(pf(), "eth0b", 0x020000000009, GBIT);
	snprintf(pf()->iface[1].login, sizeof(pf()->iface[1].login), "192.0.2.7");
	refused(port(pf(), off), ERR_REFUSED, "the login from 192.0.2.7 comes over eth0b");
	pf()->nifaces = 1;
	steps_are(port(pf(), off), "eth0: up off (was on)\n");
	hosts_use(vf(1), 812, "pe (pid 812)");
	lease_as(2, (struct plan_lease){.holder = "vpx1"});
	commit();
	refused(port(pf(), off), ERR_REFUSED, "VFs 1 (pe (pid 812)), 2 (leased to vpx1)");
	steps_are(port(pf(), (struct portset){.has = PORTSET_MTU, .mtu = 2000}), "eth0: mtu 2000 (was 1500)\n");
	w.in.forced = true;
	steps_are(port(pf(), off), "eth0: up off (was on)\n");
}

static void
settings_that_cannot_be_seen(void **state)
{
	(void)state;
	pf()->autoprobe = false;
	vf(0)->set.has = vf(2)->set.has = 0;
	refused(numvfs(3, -1), ERR_REFUSED, "the settings of eth0:0 cannot be seen");
	assert_non_null(strstr(w.err.hint, "numvfs eth0 0"));
	steps_are(numvfs(0, -1), "eth0: 0 VFs (was 4)\n");
	/* one that has no settings has none to lose */
	snprintf(pf()->driver, sizeof(pf()->driver), "virtio-pci");
	steps_are(numvfs(3, -1), "eth0: 3 VFs (was 4)\n");
}

/* A lease whose VF is not there has its MAC all the same. */
static void
a_mac_that_is_leased(void **state)
{
	(void)state;
	lease_as(3, (struct plan_lease){.holder = "vpx1", .want = SET_MAC(0x020000000001)});
	commit();
	vf(3)->set.mac = 0;
	refused(set(2, SET_MAC(0x020000000001)), ERR_EXISTS, "02:00:00:00:00:01 is leased to vpx1 (eth0:3)");
	refused(lease_as(2, (struct plan_lease){.holder = "vpx2", .want = SET_MAC(0x020000000001)}), ERR_EXISTS,
		"is leased to vpx1");
	steps_are(set(3, SET_MAC(0x020000000001)), "eth0:3: mac 02:00:00:00:00:01 (was 00:00:00:00:00:00)\n");
	release(vf(3), "vpx1", 0);
	commit();
	steps_are(set(2, SET_MAC(0x020000000001)), "eth0:2: mac 02:00:00:00:00:01 (was 00:00:00:00:00:00)\n");
}

static void
names_of_drivers(void **state)
{
	(void)state;
	hosts_bind(vf(0), "igbvf", false);
	steps_are(bind(vf(0), "none"), "eth0:0: no driver (was igbvf)\n");
	refused(bind(vf(0), ".."), ERR_USAGE, ".. is not a driver's name");
	refused(bind(vf(0), "a.b"), ERR_USAGE, "a.b is not a driver's name");
	refused(bind(vf(0), "a/b"), ERR_USAGE, "a/b is not a driver's name");
}

/* What apply sets by the file on a VF that is leased is no part of the lease. */
static void
what_the_file_sets_outlives_a_lease(void **state)
{
	(void)state;
	struct vfset want = SET_VLAN(100);
	hosts_bind(vf(2), "igbvf", false);
	lease_as(2, (struct plan_lease){.holder = "vpx1", .want = SET_VLAN(100)});
	commit();
	/* A boot: the lease's VLAN and the file's address come back at once. */
	vf(2)->set = hosts_new_vf();
	want.has |= VFSET_MAC;
	want.mac = 0x020000000010;
	set(2, want);
	w.entry.by_file = true;
	commit();
	const struct ledger_record *record = ledger_of(&w.ledger, vf(2));
	assert_int_equal(record->set.has, VFSET_VLAN);
	assert_int_equal(record->before.mac, 0x020000000010);
	assert_int_equal(record->before.vlan, 0);
	bind(vf(2), "vfio-pci");
	w.entry.by_file = true;
	commit();
	assert_false(ledger_of(&w.ledger, vf(2))->rebound);
	/* The file is changed. */
	set(2, SET_MAC(0x020000000011));
	w.entry.by_file = true;
	commit();
	steps_are(release(vf(2), "vpx1", 0), "eth0:2: vlan none (was 100)\n");
	commit();
	assert_int_equal(vf(2)->set.mac, 0x020000000011);
	assert_string_equal(vf(2)->driver, "vfio-pci");
}

/* Cards were moved: what was another card's is not put back, and nothing of it is known to this one. */
static void
a_lease_of_another_card(void **state)
{
	(void)state;
	lease_as(1, (struct plan_lease){.holder = "vpx1", .want = SET_VLAN(300)});
	commit();
	assert_false(plan_moved(&w.host, vf(1), ledger_of(&w.ledger, vf(1))));
	pf()->device = 0x10fb;
	assert_true(plan_moved(&w.host, vf(1), ledger_of(&w.ledger, vf(1))));
	steps_are(release(vf(1), "vpx1", 0), "");
	assert_string_equal(w.entry.note, "another card is in its place: nothing was put back");
	commit();
	assert_false(plan_moved(&w.host, vf(1), ledger_of(&w.ledger, vf(1))));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(only_what_differs_is_set, start, stop),
		cmocka_unit_test_setup_teardown(bound_and_back, start, stop),
		cmocka_unit_test_setup_teardown(what_must_not_be_rebound, start, stop),
		cmocka_unit_test_setup_teardown(settings_need_the_ports_interface, start, stop),
		cmocka_unit_test_setup_teardown(a_release_puts_back_what_was_before_the_lease, start, stop),
		cmocka_unit_test_setup_teardown(the_kernel_driver_comes_last, start, stop),
		cmocka_unit_test_setup_teardown(a_late_release_touches_nothing, start, stop),
		cmocka_unit_test_setup_teardown(leases_that_are_refused, start, stop),
		cmocka_unit_test_setup_teardown(what_needs_no_step_is_known_for_the_next_boot, start, stop),
		cmocka_unit_test_setup_teardown(a_driver_that_does_not_take_a_mac_back, start, stop),
		cmocka_unit_test_setup_teardown(a_driver_that_does_not_take_a_limit_away, start, stop),
		cmocka_unit_test_setup_teardown(an_unknown_driver_is_not_asked_in_vain, start, stop),
		cmocka_unit_test_setup_teardown(what_is_no_more_is_released, start, stop),
		cmocka_unit_test_setup_teardown(the_lowest_free_vf, start, stop),
		cmocka_unit_test_setup_teardown(what_stays_gets_back_what_it_had, start, stop),
		cmocka_unit_test_setup_teardown(numbers_that_are_refused, start, stop),
		cmocka_unit_test_setup_teardown(a_port_and_its_defaults, start, stop),
		cmocka_unit_test_setup_teardown(disks_and_bridges, start, stop),
		cmocka_unit_test_setup_teardown(a_vf_that_carries_the_route, start, stop),
		cmocka_unit_test_setup_teardown(a_port_whose_vfs_are_needed, start, stop),
		cmocka_unit_test_setup_teardown(settings_that_cannot_be_seen, start, stop),
		cmocka_unit_test_setup_teardown(a_mac_that_is_leased, start, stop),
		cmocka_unit_test_setup_teardown(names_of_drivers, start, stop),
		cmocka_unit_test_setup_teardown(what_the_file_sets_outlives_a_lease, start, stop),
		cmocka_unit_test_setup_teardown(a_lease_of_another_card, start, stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
