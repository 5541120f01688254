/* SPDX-License-Identifier: GPL-3.0-or-later */
/* port show: what can be set at a physical port. */
#include <string.h>

#include "view.h"

static const struct out_column columns[] = {
	{.key = "name", .title = "PORT"},
	{.key = "pci"},
	{.key = "label", .flags = OUT_WIDE},
	{.key = "interface", .flags = OUT_NO_TABLE},
	{.key = "driver"},
	{.key = "mac", .flags = OUT_WIDE},
	{.key = "link", .flags = OUT_NO_JSON},
	{.key = "up", .flags = OUT_NO_TABLE},
	{.key = "carrier", .flags = OUT_NO_TABLE},
	{.key = "speed_bps", .title = "SPEED", .flags = OUT_RIGHT},
	{.key = "duplex"},
	{.key = "autoneg"},
	{.key = "pause", .flags = OUT_NO_JSON},
	{.key = "pause_autoneg", .title = "PAUSE AUTONEG"},
	{.key = "pause_rx", .flags = OUT_NO_TABLE},
	{.key = "pause_tx", .flags = OUT_NO_TABLE},
	{.key = "mtu", .flags = OUT_RIGHT},
	{.key = "upper", .flags = OUT_WIDE},
	{.key = "default_route", .title = "ROUTE", .flags = OUT_WIDE},
	{.key = "login", .flags = OUT_WIDE},
	{.key = "defaults", .flags = OUT_WIDE},
	{.key = NULL},
};

static bool
is_port(const struct host_func *func)
{
	return func->role != HOST_VF && (func->nifaces > 0 || (func->role == HOST_PF && host_is_network(func)));
}

static enum err_code
print_list(const struct vfctl *v, const struct host_func *only, struct err *err)
{
	struct out *out = out_open(v->cli, columns);
	for (size_t i = 0; i < v->host.nfuncs; i++) {
		const struct host_func *func = &v->host.func[i];
		if (only ? func == only : is_port(func)) {
			view_row(out, columns, v, func);
		}
	}
	return out_close(out, err);
}

/* What reset restores, for people. */
static void
say_defaults(const struct vfctl *v, const struct host_func *port)
{
	const struct ledger_record *record = ledger_of(&v->ledger.ledger, port);
	const struct portset *defaults = record ? &record->defaults : NULL;
	for (unsigned bit = 1; defaults && bit < 1u << PORTSET_COUNT; bit <<= 1) {
		char text[64];
		if (defaults->has & bit) {
			cli_say(v->cli, "reset sets %s to %s", portset_name(bit),
				portset_text(defaults, bit, text, sizeof(text)));
		}
	}
}

enum err_code
port_show_run(struct cli *cli, struct err *err)
{
	struct vfctl v;
	struct host_func *port = NULL;
	enum err_code code = vfctl_open(cli, HOST_READ_PORTS, &v, err);
	if (code) {
		return code;
	}
	if (cli_has(cli, "port")) {
		code = vfctl_func(&v, cli_text(cli, "port"), HOST_WANT_PF | HOST_WANT_PLAIN, &port, err);
	}
	if (!code && port && !port->nifaces) {
		code = err_set(err, ERR_NOT_FOUND, "%s carries no interface of this network namespace", cli_text(cli, "port"));
		err_hint(err, port->driver[0] ? "its driver is %s" : "it has no driver%s", port->driver);
	}
	if (!code) {
		code = print_list(&v, port, err);
	}
	if (!code && port) {
		say_defaults(&v, port);
	}
	vfctl_close(&v);
	return code;
}
