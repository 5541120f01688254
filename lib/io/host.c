/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/ethtool.h"
#include "io/function.h"
#include "io/ifaces.h"
#include "io/links.h"
#include "io/login.h"
#include "io/pci.h"
#include "io/sysfs.h"
#include "io/uses.h"
#include "vf/rules.h"

/* A link-local end is on every interface: its scope tells which. */
static void
take_ends(struct links *links, const struct login *login)
{
	if (!login->scope[0]) {
		ip_parse(login->remote, &links->remote);
		ip_parse(login->local, &links->local);
	}
}

static enum err_code
read_interfaces(int root, struct host *host, struct err *err)
{
	struct links links = {0};
	struct login login;
	login_read(root, &login);
	take_ends(&links, &login);
	enum err_code code = links_read(root, &links, err);
	if (code == ERR_NONE) {
		ifaces_fill(root, host, &links, login.remote, login.scope);
	}
	links_free(&links);
	return code;
}

/* A PF's private flag that counts for all of its VFs. */
static void
read_promisc(struct ethtool *tool, struct host *host, const struct host_func *pf)
{
	const struct rules_driver *driver = rules_driver(pf->driver);
	bool on;
	if (driver->promisc != RULES_PROMISC_FLAG || pf->nifaces == 0 || pf->num_vfs == 0 ||
		ethtool_flag(tool, pf->iface[0].name, driver->promisc_flag, &on) != 0) {
		return;
	}
	for (size_t i = 0; i < host->nfuncs; i++) {
		struct host_func *vf = &host->func[i];
		if (vf->role == HOST_VF && vf->pf == pf->addr) {
			vf->set.has |= VFSET_PROMISC;
			vf->set.promisc = on;
		}
	}
}

/* A kernel or a driver that tells nothing of its ports is no error. */
static void
read_ports(unsigned what, struct host *host)
{
	struct ethtool tool;
	if (ethtool_open(&tool) != 0) {
		return;
	}
	if (what & HOST_READ_PORTS) {
		ethtool_read(&tool, host);
	}
	for (size_t i = 0; i < host->nfuncs; i++) {
		if (host->func[i].role == HOST_PF) {
			read_promisc(&tool, host, &host->func[i]);
		}
	}
	ethtool_close(&tool);
}

static enum err_code
read_all(int root, unsigned what, struct host *host, struct err *err)
{
	struct pci_sriov *sriov;
	enum err_code code = pci_functions(root, host, &sriov, err);
	if (code) {
		return code;
	}
	functions_fill(root, host, sriov);
	free(sriov);
	code = read_interfaces(root, host, err);
	if (code) {
		return code;
	}
	functions_drop_labels(host);
	if (root == SYSFS_MACHINE) {
		read_ports(what, host);
	}
	if (what & HOST_READ_PORTS) {
		ifaces_speeds(root, host);
	}
	if (what & HOST_READ_USES) {
		uses_read(root, host);
	}
	sysfs_read(root, host->boot_id, sizeof(host->boot_id), "proc/sys/kernel/random/boot_id");
	return ERR_NONE;
}

enum err_code
host_read(const char *path, unsigned what, struct host *host, struct err *err)
{
	int root;
	*host = (struct host){.recorded = *path};
	enum err_code code = sysfs_open(path, &root, err);
	if (code) {
		return code;
	}
	code = read_all(root, what, host, err);
	sysfs_close(root);
	if (code) {
		host_free(host);
	}
	return code;
}
