/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the segment says about the configuration and the ports. */
#include <stdio.h>
#include <string.h>

#include "control.h"
#include "filters.h"

static uint32_t
port_flags(const struct port *port, const struct lane *lane, bool enabled)
{
	return SEG_PORT_USED | (enabled ? SEG_PORT_ENABLED : 0) | (port->link ? SEG_PORT_LINK : 0) |
	       (lane && lane->faulty ? SEG_PORT_FAULTY : 0) | (port->vf ? SEG_PORT_VF : 0) |
	       (port->present ? 0 : SEG_PORT_ABSENT) | (port->filtered ? SEG_PORT_FILTERED : 0);
}

static void
fill_port(const struct control *control, const struct conf_port *conf, uint16_t number, struct seg_port *out)
{
	const struct engine *engine = control->engine;
	const struct port *port = engine->port[number];
	const struct lane *lane = engine->view->lane[number];
	snprintf(out->name, sizeof(out->name), "%s", conf->name);
	snprintf(out->device, sizeof(out->device), "%s", conf->device);
	out->mac = port->mac;
	out->speed_bps = port->speed_bps;
	out->link_since_ns = control->link_since_ns[number];
	out->link_changes = control->link_changes[number];
	out->rx_missed = port->rx_missed;
	out->flags = port_flags(port, lane, conf->enabled);
	out->kind = (uint16_t)conf->kind;
	out->mtu = conf->mtu;
	out->rx_queues = port->nrxq;
	out->tx_queues = port->ntxq;
	out->bridge = engine->view->plan->port[number].bridge;
	for (uint16_t q = 0; q < port->nrxq; q++) {
		out->poller[q] = lane->rxq[q].poller;
	}
	memcpy(out->driver, port->driver_name, sizeof(out->driver));
	filters_publish(control, number, out);
}

static void
fill_iface(const struct control *control, const struct iface *iface, struct seg_iface *out)
{
	const struct plan_fid *fid = &control->engine->view->plan->fid[iface->fid];
	memcpy(out->name, iface->name, sizeof(out->name));
	out->mac = iface->mac;
	out->flags = SEG_IFACE_USED | (iface->enabled ? SEG_IFACE_ENABLED : 0) |
		     (iface->enabled && iface->ra.enabled ? SEG_IFACE_RA : 0); /* SEG_IFACE_UP is owns.c's */
	out->bridge = iface->port ? 0 : fid->bridge;
	out->port = iface->port;
	out->vid = iface->vid;
	out->fid = iface->fid;
	out->mtu = iface->mtu;
	out->naddresses = (uint16_t)iface->naddresses;
	memcpy(out->address, iface->address, sizeof(out->address));
}

enum err_code
publish_config(struct control *control, struct err *err)
{
	struct engine *engine = control->engine;
	const struct conf *conf = &engine->conf;
	struct seg_tables *tables = control->tables;
	memset(tables, 0, sizeof(*tables));
	for (size_t i = 0; i < conf->nports; i++) {
		uint16_t number = plan_port_number(&engine->numbers, conf->port[i].name);
		fill_port(control, &conf->port[i], number, &tables->port[number]);
		memcpy(tables->channel_name[number], tables->port[number].name, SEG_NAME_SIZE);
	}
	for (size_t i = 0; i < conf->nbridges; i++) {
		struct seg_bridge *bridge = &tables->bridge[plan_bridge_number(&engine->numbers, conf->bridge[i].name)];
		snprintf(bridge->name, sizeof(bridge->name), "%s", conf->bridge[i].name);
		bridge->stp = (uint32_t)conf->bridge[i].stp;
	}
	memcpy(tables->fid, engine->numbers.fid, sizeof(tables->fid));
	for (unsigned n = 1; n < SEG_MAX_IFACES; n++) {
		if (engine->view->plan->iface[n]) {
			fill_iface(control, engine->view->plan->iface[n], &tables->iface[n]);
		}
	}
	tables->generation = control->config_generation;
	tables->time_ns = engine_now_ns();
	if (!seg_write_tables(&engine->seg, tables, conf->text, strlen(conf->text))) {
		return err_set(err, ERR_REFUSED, "the configuration is longer than %u bytes", SEG_CONFIG_TEXT_SIZE);
	}
	return ERR_NONE;
}

void
publish_port(struct control *control, uint16_t number)
{
	const struct engine *engine = control->engine;
	const struct port *port = engine->port[number];
	struct seg_port *out = &seg_control(&engine->seg)->port[number];
	filters_publish(control, number, out);
	seg_put(&out->mac, port->mac);
	seg_put(&out->speed_bps, port->speed_bps);
	seg_put(&out->rx_missed, port->rx_missed);
	seg_put(&out->link_since_ns, control->link_since_ns[number]);
	seg_put(&out->link_changes, control->link_changes[number]);
	seg_put(&out->flags, port_flags(port, engine->view->lane[number], engine->view->plan->port[number].enabled));
	for (uint16_t q = 0; engine->view->lane[number] && q < port->nrxq; q++) {
		seg_put(&out->poller[q], engine->view->lane[number]->rxq[q].poller);
	}
}
