/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/io/perform_vfset.c lib/vf/rules.c lib/vf/rules_set.c lib/vf/rules_driver.c lib/vf/host.c lib/vf/names.c */
/* links: lib/vf/pci.c lib/vf/vfset.c lib/vf/keys.c lib/vf/portset.c lib/vf/ledger.c lib/vf/ledger_line.c lib/vf/step.c */
/* links: lib/json/field.c lib/base/addr.c lib/base/num.c lib/base/err.c -lhost -ljansson */
/* What PFs' drivers say of a VF that was set, which is not always what was set: a driver of memory in place of rtnetlink. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "io/driver.h"
#include "io/ethtool.h"
#include "io/host.h"
#include "io/links.h"
#include "io/netlink.h"
#include "io/performing.h"
#include "io/sysfs.h"
#include "vf_hosts.h"

static const char *driver;
static struct vfset told; /* whatever is set */
static int answer;        /* of the kernel */
static unsigned asked;

/* ---- in place of the machine ------------------------------------------------------------------------------------------ */

void
driver_of(int root, const char *address, char name[HOST_DRIVER_SIZE])
{
	(void)root, (void)address;
	snprintf(name, HOST_DRIVER_SIZE, "%s", driver);
}

int
links_get(const char *name, struct links *links)
{
	(void)name;
	links->link = calloc(1, sizeof(*links->link));
	assert_non_null(links->link);
	links->n = 1;
	links->link->index = 7;
	links->link->vf = calloc(1, sizeof(*links->link->vf));
	assert_non_null(links->link->vf);
	links->link->nvfs = 1;
	links->link->vf->index = 1;
	links->link->vf->set = told;
	return 0;
}

void
links_free(struct links *links)
{
	free(links->link->vf);
	free(links->link);
	*links = (struct links){0};
}

int
netlink_open(struct netlink *nl, int protocol, int timeout_ms)
{
	(void)protocol, (void)timeout_ms;
	*nl = (struct netlink){0};
	return 0;
}

void
netlink_close(struct netlink *nl)
{
	(void)nl;
}

int
netlink_ask(struct netlink *nl, struct nl_msg *msg, netlink_hear *hear, void *arg)
{
	(void)nl, (void)hear, (void)arg;
	nlmsg_free(msg);
	asked++;
	return answer;
}

enum err_code
host_read(const char *root, unsigned what, struct host *host, struct err *err)
{
	(void)root, (void)what, (void)err;
	*host = (struct host){0};
	hosts_igb(host, 4);
	hosts_bind(host_at(host, HOSTS_IGB_PF), driver, false);
	return ERR_NONE;
}

bool
sysfs_number(int root, uint64_t max, uint64_t *value, const char *fmt, ...)
{
	(void)root, (void)max, (void)value, (void)fmt;
	return false;
}

int64_t
bounded_now_ms(void)
{
	return 0;
}

void
performing_await_link(const struct performing *p)
{
	(void)p;
}

int
ethtool_open(struct ethtool *tool)
{
	(void)tool;
	return EOPNOTSUPP;
}

void
ethtool_close(struct ethtool *tool)
{
	(void)tool;
}

int
ethtool_flag(struct ethtool *tool, const char *ifname, const char *flag, bool *on)
{
	(void)tool, (void)ifname, (void)flag, (void)on;
	return ENOENT;
}

int
ethtool_flag_set(struct ethtool *tool, const char *ifname, const char *flag, bool on)
{
	(void)tool, (void)ifname, (void)flag, (void)on;
	return ENOENT;
}

/* ---- settings --------------------------------------------------------------------------------------------------------- */

static enum err_code
set(const char *by, struct vfset is, struct vfset want, struct err *err)
{
	struct step step = {.kind = STEP_VFSET, .func = HOSTS_IGB_PF, .index = 1, .to = {.set = want}};
	struct performing p = {.step = &step, .name = "eth0:1", .ifname = "eth0", .owner = "0000:01:00.0", .err = err};
	driver = by;
	told = is;
	asked = 0;
	*err = (struct err){0};
	return perform_vfset(&p);
}

static void
what_is_told_is_compared(void **state)
{
	(void)state;
	struct err err;
	const struct vfset trusted = {.has = VFSET_TRUST, .trust = true}, not = {.has = VFSET_TRUST};
	answer = 0;
	assert_int_equal(set("igb", trusted, trusted, &err), ERR_NONE);
	assert_int_equal(asked, 0);
	assert_int_equal(set("igb", not, trusted, &err), ERR_FAILED);
	assert_string_equal(err.message, "eth0:1: igb has said yes to trust and has done nothing: it is off");
	assert_int_equal(asked, 1);
	/* A driver without a word about it: it is asked each time. */
	assert_int_equal(set("sfc", (struct vfset){.has = VFSET_MAC}, trusted, &err), ERR_NONE);
	assert_int_equal(asked, 1);
}

/* ixgbe knows the link state of a VF and does not tell it: the kernel says auto. */
static void
a_link_state_that_is_not_told(void **state)
{
	(void)state;
	struct err err;
	const struct vfset off = {.has = VFSET_LINK, .link = VFSET_LINK_DISABLE}, automatic = {.has = VFSET_LINK};
	const struct vfset is = {.has = VFSET_MAC | VFSET_LINK};
	answer = 0;
	assert_int_equal(set("ixgbe", is, off, &err), ERR_NONE);
	assert_int_equal(asked, 1);
	/* And back, though it seems to be so already. */
	assert_int_equal(set("ixgbe", is, automatic, &err), ERR_NONE);
	assert_int_equal(asked, 1);
	assert_int_equal(set("i40e", is, off, &err), ERR_FAILED);
	assert_int_equal(set("i40e", is, automatic, &err), ERR_NONE);
	assert_int_equal(asked, 0);
}

/* bnxt_en tells then what the VF's own driver has chosen, and others do when that is quick. */
static void
a_vf_without_an_address_may_have_its_own(void **state)
{
	(void)state;
	struct err err;
	const struct vfset own = {.has = VFSET_MAC, .mac = 0x020000000007}, none = {.has = VFSET_MAC};
	answer = 0;
	assert_int_equal(set("bnxt_en", own, none, &err), ERR_NONE);
	assert_int_equal(asked, 1);
	assert_int_equal(set("bnxt_en", own, (struct vfset){.has = VFSET_MAC, .mac = 0x020000000008}, &err), ERR_FAILED);
}

/* What may go better the next time is no refusal: a mending would give up for good. */
static void
busy_is_no_refusal(void **state)
{
	(void)state;
	static const struct {
		int answer;
		enum err_code code;
		const char *message;
	} cases[] = {
		{EAGAIN, ERR_FAILED, "i40e is busy with eth0:1 and did not set trust on: Resource temporarily unavailable"},
		{EBUSY, ERR_FAILED, "i40e is busy with eth0:1 and did not set trust on: Device or resource busy"},
		{ETIMEDOUT, ERR_TIMEOUT, "eth0:1: trust: no answer from the kernel"},
		{EPERM, ERR_REFUSED, "trust on for eth0:1 is not permitted: Operation not permitted"},
		{524, ERR_REFUSED,
			"i40e does not have trust on for VFs, or its firmware does not (eth0:1): Operation not supported"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err err;
		answer = cases[i].answer;
		assert_int_equal(
			set("i40e", (struct vfset){.has = VFSET_TRUST}, (struct vfset){.has = VFSET_TRUST, .trust = true}, &err),
			cases[i].code);
		assert_string_equal(err.message, cases[i].message);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_told_is_compared),
		cmocka_unit_test(a_link_state_that_is_not_told),
		cmocka_unit_test(a_vf_without_an_address_may_have_its_own),
		cmocka_unit_test(busy_is_no_refusal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
