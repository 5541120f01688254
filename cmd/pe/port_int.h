/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Shared by the port drivers.
 */
#ifndef PEKIT_PE_PORT_INT_H
#define PEKIT_PE_PORT_INT_H

#include "port.h"

#define PORT_ETH_HEADER 14
#define PORT_TAG 4
#define PORT_TAGS_MAX 2 /* a frame of the MTU may carry an 802.1ad and an 802.1Q tag beside it */

enum err_code
port_if_open(struct port *port, const struct conf_port *conf, const struct port_env *env, struct err *err);
enum err_code
port_eth_open(struct port *port, const struct conf_port *conf, const struct port_env *env, struct err *err);

/*
 * Takes a kernel interface for the engine: claims it, refuses one that the kernel uses, keeps the kernel's stack off it, sets it
 * up and its MTU to at least the port's with room for tags; fills name (canonical), mac and link. keeper_undo() gives it back.
 */
enum err_code
port_take_interface(struct port *port, const char *given, char *name, struct err *err);

/*
 * A kernel interface that is a virtual function: promiscuous mode does not let all in there, so the kernel is told addresses,
 * which it tells the device. Looks whether it is one.
 */
void
port_look_at_interface(struct port *port, const char *name);

int
port_filter_interface(struct port *port, const char *name, uint64_t mac, bool add);

/* The part of it that an interface needs again after it was created anew, or for another MTU. */
enum err_code
port_prepare_interface(struct port *port, const char *name, struct err *err);

/* Makes the monitor's descriptor readable; from any thread. */
void
link_monitor_poke(void);

/* Is a frame of this size too long for the MTU, its tags not counted? data holds at least 22 bytes when size is greater. */
static inline bool
port_oversize(const struct port *port, const uint8_t *data, uint32_t size)
{
	uint32_t limit = seg_get(&port->mtu) + PORT_ETH_HEADER;
	for (unsigned at = 12; at < 12 + PORT_TAG * PORT_TAGS_MAX && size > limit; at += PORT_TAG) {
		unsigned type = (unsigned)data[at] << 8 | data[at + 1];
		if (type != 0x8100 && type != 0x88a8) {
			break;
		}
		limit += PORT_TAG;
	}
	return size > limit;
}

#endif
