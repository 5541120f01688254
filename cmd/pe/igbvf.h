/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What DPDK's driver for the virtual functions of Intel's 82576 and I350 does not do: ask the physical function's driver for
 * further unicast addresses, and hear whether it lets all multicasts in. Control core only.
 *
 * Both use the mailbox of the virtual function (82576 datasheet, 7.8.2.9 and 8.14). DPDK uses it, too, from this same thread; its
 * interrupt thread does no more than acknowledge the physical function's own message.
 */
#ifndef PEKIT_PE_IGBVF_H
#define PEKIT_PE_IGBVF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct igbvf;

/* Is a PCI device one of these? */
bool
igbvf_is(uint16_t vendor, uint16_t device);

/* Of a device that DPDK has probed, address as in sysfs. NULL: its registers cannot be reached, *err says why. */
struct igbvf *
igbvf_open(const char *address, struct err *err);

/* Before DPDK removes the device, or the kernel would wait for it. NULL is allowed. */
void
igbvf_close(struct igbvf *vf);

/*
 * 0, EPERM: refused, ETIMEDOUT: no answer in 0.1 s, or none a moment ago: then nothing is asked for 1 s, later for up to 4 s. To
 * take back all addresses, one must be said that is valid: the own one does.
 */
int
igbvf_add(struct igbvf *vf, uint64_t mac);
int
igbvf_clear(struct igbvf *vf, uint64_t own);
int
igbvf_multicast(struct igbvf *vf);
/* DPDK's own call takes a refusal for a consent. */
int
igbvf_vlan(struct igbvf *vf, uint16_t vid, bool on);

/* Says to the physical function, after it was reset, that this one begins anew. ETIMEDOUT: it does not hear. */
int
igbvf_reset(struct igbvf *vf);

/* Its registers read as all ones: it is unplugged, and DPDK would wait for it for ever. */
bool
igbvf_dead(const struct igbvf *vf);

/*
 * How the physical function is. BACK is said once after each time that it was reset: it waits for this one to begin anew. DOWN:
 * it is set down or being reset, and will hear nothing until it is up.
 */
enum igbvf_pf { IGBVF_PF_UP, IGBVF_PF_DOWN, IGBVF_PF_BACK };

enum igbvf_pf
igbvf_pf(struct igbvf *vf);

/* This one has begun anew: what happened before is of no interest. */
void
igbvf_begun(struct igbvf *vf);

#endif
