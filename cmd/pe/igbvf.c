/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "igbvf.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <rte_vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/addr.h"
#include "engine.h"

#define BAR_SIZE 16384 /* 82576 datasheet, 9.6.6 */

/* Registers, in words. */
#define REG_STATUS (0x8 / 4)
#define REG_MAILBOX (0xc40 / 4)
#define REG_MESSAGE (0x800 / 4)

#define MAILBOX_REQUEST 0x01u /* there is a message for the physical function */
#define MAILBOX_ACK 0x02u     /* its message was read */
#define MAILBOX_OURS 0x04u    /* the buffer is ours to write or read */
#define MAILBOX_MESSAGE 0x10u /* it has written; like the next, gone when read */
#define MAILBOX_TAKEN 0x20u   /* it has read ours */
#define MAILBOX_DOWN 0x40u    /* it is being reset, or was and has not been set up since */
#define MAILBOX_BACK 0x80u    /* it has been reset and set up again; gone when read */
#define OWN_TRIES 50
#define OWN_PAUSE_US 20
#define ANSWER_PAUSE_US 20
/* A physical function that is down or being reset does not answer, and all its virtual ones find that out at the same time. The
 * control core has other work: after the first in vain, others wait less, and who got no answer asks no more for a while. */
#define ANSWER_NS 100000000ull
#define ANSWER_SHORT_NS 15000000ull
#define SHORT_FOR_NS 1000000000ull
#define QUIET_MIN_NS 1000000000ull
#define QUIET_MAX_NS 4000000000ull

/* Messages; an answer is the first word of the question with one of the uppermost bits. */
#define MSG_RESET 0x01u
#define MSG_SET_MAC 0x02u
#define MSG_SET_VLAN 0x04u
#define MSG_SET_PROMISC 0x06u
#define MSG_PF_CONTROL 0x0100u
#define MSG_REFUSED 0x40000000u
#define MSG_CLEAR_TO_SEND 0x20000000u
#define INFO_SHIFT 16
#define INFO_FILTERS_CLEAR (1u << INFO_SHIFT)
#define INFO_FILTER_ADD (2u << INFO_SHIFT)
#define INFO_MULTICAST (2u << INFO_SHIFT)
#define INFO_VLAN_ADD (1u << INFO_SHIFT)

struct igbvf {
	volatile uint32_t *bar;
	size_t size;
	uint64_t quiet_ns, quiet_until_ns;
	bool reset; /* the physical function was, since it was last looked at */
};

static uint64_t in_vain_ns; /* when any of them has waited in vain, and none got an answer since */

bool
igbvf_is(uint16_t vendor, uint16_t device)
{
	return vendor == 0x8086 && (device == 0x10ca || device == 0x152d || device == 0x1520 || device == 0x152f);
}

/* ---- registers -------------------------------------------------------------------------------------------------- */

/* Under vfio the kernel keeps sysfs's way to the registers shut; the group that DPDK has open leads to them. */
static void *
map_vfio(const char *address, size_t *size)
{
	int group;
	void *at = MAP_FAILED;
	if (rte_vfio_get_group_num("/sys/bus/pci/devices", address, &group) <= 0) {
		errno = ENODEV;
		return at;
	}
	int group_fd = rte_vfio_get_group_fd(group);
	int fd = group_fd >= 0 ? ioctl(group_fd, VFIO_GROUP_GET_DEVICE_FD, address) : -1;
	struct vfio_region_info region = {.argsz = sizeof(region), .index = VFIO_PCI_BAR0_REGION_INDEX};
	if (fd >= 0 && ioctl(fd, VFIO_DEVICE_GET_REGION_INFO, &region) == 0 && region.size >= BAR_SIZE) {
		*size = region.size;
		at = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)region.offset);
	}
	if (fd >= 0) {
		int error = errno;
		close(fd);
		errno = error;
	}
	return at;
}

static void *
map_sysfs(const char *address, size_t *size)
{
	char path[96];
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource0", address);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	void *at = MAP_FAILED;
	if (fd >= 0) {
		*size = BAR_SIZE;
		at = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		int error = errno;
		close(fd);
		errno = error;
	}
	return at;
}

struct igbvf *
igbvf_open(const char *address, struct err *err)
{
	size_t size = 0;
	void *at = map_vfio(address, &size);
	if (at == MAP_FAILED) {
		at = map_sysfs(address, &size);
	}
	struct igbvf *vf = at != MAP_FAILED ? calloc(1, sizeof(*vf)) : NULL;
	if (vf == NULL) {
		err_set(err, ERR_FAILED, "its registers cannot be reached: %s", strerror(errno));
		return NULL;
	}
	vf->bar = at;
	vf->size = size;
	return vf;
}

void
igbvf_close(struct igbvf *vf)
{
	if (vf != NULL) {
		munmap((void *)(uintptr_t)vf->bar, vf->size);
		free(vf);
	}
}

bool
igbvf_dead(const struct igbvf *vf)
{
	return vf->bar[REG_STATUS] == UINT32_MAX;
}

/* ---- the mailbox ------------------------------------------------------------------------------------------------ */

static void
pause_us(long us)
{
	nanosleep(&(struct timespec){.tv_nsec = us * 1000}, NULL);
}

/* Some of it is gone once it was read: what is no part of an answer is kept. */
static uint32_t
mailbox(struct igbvf *vf)
{
	uint32_t seen = vf->bar[REG_MAILBOX];
	vf->reset |= (seen & (MAILBOX_DOWN | MAILBOX_BACK)) != 0;
	return seen;
}

static int
in_vain(struct igbvf *vf)
{
	vf->quiet_ns = vf->quiet_ns ? vf->quiet_ns * 2 : QUIET_MIN_NS;
	vf->quiet_ns = vf->quiet_ns < QUIET_MAX_NS ? vf->quiet_ns : QUIET_MAX_NS;
	in_vain_ns = engine_now_ns();
	vf->quiet_until_ns = in_vain_ns + vf->quiet_ns;
	return ETIMEDOUT;
}

static bool
take_buffer(struct igbvf *vf)
{
	for (int i = 0; i < OWN_TRIES; i++) {
		vf->bar[REG_MAILBOX] = MAILBOX_OURS;
		if (mailbox(vf) & MAILBOX_OURS) {
			return true;
		}
		pause_us(OWN_PAUSE_US);
	}
	return false;
}

/* Has it read our message and written its answer? */
static bool
await_answer(struct igbvf *vf)
{
	uint32_t seen = 0;
	uint64_t begin = engine_now_ns(), now = begin;
	uint64_t wait = in_vain_ns && begin < in_vain_ns + SHORT_FOR_NS ? ANSWER_SHORT_NS : ANSWER_NS;
	for (;; now = engine_now_ns()) {
		seen |= mailbox(vf);
		if ((seen & (MAILBOX_TAKEN | MAILBOX_MESSAGE)) == (MAILBOX_TAKEN | MAILBOX_MESSAGE)) {
			return true;
		}
		/* after the time it was looked at once more, had this thread lost its CPU */
		if (now > begin + wait || (seen & MAILBOX_DOWN)) {
			return false;
		}
		pause_us(ANSWER_PAUSE_US);
	}
}

static int
ask(struct igbvf *vf, const uint32_t *message, unsigned words)
{
	/* what was left unread there goes, too */
	if (engine_now_ns() < vf->quiet_until_ns || igbvf_dead(vf) || (mailbox(vf) & MAILBOX_DOWN)) {
		return ETIMEDOUT;
	}
	if (!take_buffer(vf)) {
		return in_vain(vf);
	}
	for (unsigned i = 0; i < words; i++) {
		vf->bar[REG_MESSAGE + i] = message[i];
	}
	vf->bar[REG_MAILBOX] = MAILBOX_REQUEST;
	if (!await_answer(vf) || !take_buffer(vf)) {
		return in_vain(vf);
	}
	vf->quiet_ns = in_vain_ns = 0;
	uint32_t answer = vf->bar[REG_MESSAGE];
	vf->bar[REG_MAILBOX] = MAILBOX_ACK;
	return (answer & ~MSG_CLEAR_TO_SEND) == (message[0] | MSG_REFUSED) ? EPERM : 0;
}

static int
ask_with_mac(struct igbvf *vf, uint32_t question, uint64_t mac)
{
	uint32_t message[3] = {question};
	uint8_t bytes[8] = {0};
	mac_put(mac, bytes);
	memcpy(&message[1], bytes, sizeof(bytes));
	return ask(vf, message, 3);
}

int
igbvf_add(struct igbvf *vf, uint64_t mac)
{
	return ask_with_mac(vf, MSG_SET_MAC | INFO_FILTER_ADD, mac);
}

int
igbvf_clear(struct igbvf *vf, uint64_t own)
{
	return ask_with_mac(vf, MSG_SET_MAC | INFO_FILTERS_CLEAR, own);
}

int
igbvf_vlan(struct igbvf *vf, uint16_t vid, bool on)
{
	const uint32_t message[2] = {MSG_SET_VLAN | (on ? INFO_VLAN_ADD : 0), vid};
	return ask(vf, message, 2);
}

enum igbvf_pf
igbvf_pf(struct igbvf *vf)
{
	if (mailbox(vf) & MAILBOX_DOWN) {
		return IGBVF_PF_DOWN;
	}
	/* its word to a virtual function that it has not allowed to send since a reset */
	bool reset = vf->reset || vf->bar[REG_MESSAGE] == MSG_PF_CONTROL;
	vf->reset = false;
	if (reset) {
		vf->quiet_until_ns = 0; /* it has spoken */
	}
	return reset ? IGBVF_PF_BACK : IGBVF_PF_UP;
}

void
igbvf_begun(struct igbvf *vf)
{
	(void)mailbox(vf);
	vf->reset = false;
}

int
igbvf_reset(struct igbvf *vf)
{
	const uint32_t message[1] = {MSG_RESET};
	return ask(vf, message, 1);
}

int
igbvf_multicast(struct igbvf *vf)
{
	const uint32_t message[1] = {MSG_SET_PROMISC | INFO_MULTICAST};
	return ask(vf, message, 1);
}
