/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "shm/seg_int.h"

#define SPAN_ALIGN 4096u /* a page has one writer: neither prefetchers nor NUMA balancing see two */

static struct seg_span
plan_span(uint64_t *end, uint64_t size)
{
	struct seg_span span = {.offset = (*end + SPAN_ALIGN - 1) / SPAN_ALIGN * SPAN_ALIGN, .size = size};
	*end = span.offset + span.size;
	return span;
}

uint64_t
seg_plan(const struct seg_shape *shape, struct seg_header *head)
{
	uint64_t end = sizeof(*head);
	uint64_t nodes = (uint64_t)shape->ncores + 1;
	head->ncores = shape->ncores;
	head->ring_slots = shape->ring_slots;
	head->fdb_buckets = shape->fdb_buckets;
	head->nbr_slots = shape->nbr_slots;
	head->route_slots = shape->route_slots;
	head->ring_stride = sizeof(struct seg_ring) + (uint64_t)shape->ring_slots * sizeof(struct seg_msg);
	head->control = plan_span(&end, sizeof(struct seg_control));
	head->rings = plan_span(&end, nodes * nodes * head->ring_stride);
	for (unsigned i = 0; i <= shape->ncores; i++) {
		head->core[i] = plan_span(&end, sizeof(struct seg_core));
	}
	for (unsigned i = 1; i <= shape->ncores; i++) {
		head->fdb_hot[i] = plan_span(&end, (uint64_t)shape->fdb_buckets * sizeof(struct seg_bucket));
		head->fdb_cold[i] = plan_span(&end, (uint64_t)shape->fdb_buckets * SEG_WAYS * sizeof(struct seg_cold));
	}
	for (unsigned i = 1; i <= shape->ncores; i++) {
		for (unsigned family = 0; family < SEG_FAMILIES; family++) {
			head->nbr[family][i] = plan_span(&end, (uint64_t)shape->nbr_slots * sizeof(struct seg_nbr));
		}
	}
	head->routes = plan_span(&end, (uint64_t)shape->route_slots * sizeof(struct seg_route));
	head->size = (end + SPAN_ALIGN - 1) / SPAN_ALIGN * SPAN_ALIGN;
	return head->size;
}

static bool
slots_valid(uint32_t slots)
{
	return slots >= 16 && slots <= SEG_SLOTS_MAX && !(slots & (slots - 1));
}

static enum err_code
check_shape(const struct seg_shape *shape, struct err *err)
{
	if (shape->ncores < 1 || shape->ncores > SEG_MAX_CORES) {
		return err_set(err, ERR_USAGE, "%u data cores: 1 to %u are possible", shape->ncores, SEG_MAX_CORES);
	}
	if (shape->ring_slots < 16 || shape->ring_slots > 65536 || (shape->ring_slots & (shape->ring_slots - 1))) {
		return err_set(err, ERR_USAGE, "%u ring slots: a power of two from 16 to 65536 is possible", shape->ring_slots);
	}
	if (shape->fdb_buckets < 2) {
		return err_set(err, ERR_USAGE, "%u buckets: at least 2 are needed", shape->fdb_buckets);
	}
	if (!slots_valid(shape->nbr_slots) || !slots_valid(shape->route_slots)) {
		return err_set(err, ERR_USAGE, "%u neighbour and %u route slots: powers of two from 16 to %u are possible",
			shape->nbr_slots, shape->route_slots, SEG_SLOTS_MAX);
	}
	return ERR_NONE;
}

/* An object without a name as yet: nobody sees it half made, and nothing is left when we are killed here. */
static enum err_code
make_object(const char *name, uint64_t size, int *fd, struct err *err)
{
	*fd = open(SEG_DIR, O_TMPFILE | O_RDWR | O_CLOEXEC, 0640);
	if (*fd < 0) {
		return err_set(err, errno == EACCES || errno == EPERM ? ERR_REFUSED : ERR_FAILED,
			"appliance %s: no shared memory in " SEG_DIR ": %s", name, strerror(errno));
	}
	int failure;
	do {
		failure = posix_fallocate(*fd, 0, (off_t)size);
	} while (failure == EINTR);
	if (failure) {
		close(*fd);
		err_set(err, ERR_REFUSED, "appliance %s: its segment needs %llu MB in " SEG_DIR ": %s", name,
			(unsigned long long)(size >> 20) + 1, strerror(failure));
		return err_hint(err, "a smaller tables.fdb or fewer cores; or mount -o remount,size=SIZE " SEG_DIR);
	}
	(void)fchmod(*fd, 0640); /* whatever the umask */
	const struct group *group = getgrnam("pekit");
	/* Who is neither root nor in the group keeps it to his own group. */
	(void)(group && fchown(*fd, (uid_t)-1, group->gr_gid) < 0);
	return ERR_NONE;
}

static void
fill_header(struct seg_header *head, const char *name, uint64_t fdb_limit, const struct seg_shape *shape)
{
	uint64_t now = seg_now_ns(CLOCK_MONOTONIC);
	head->version = SEG_VERSION;
	head->header_size = sizeof(*head);
	seg_boot_id(head->boot_id);
	snprintf(head->name, sizeof(head->name), "%s", name);
	snprintf(head->release, sizeof(head->release), "%s", PEKIT_VERSION);
	head->writer_pid = (uint32_t)getpid();
	head->writer_start = seg_start_time(head->writer_pid);
	head->created_ns = now;
	head->wall_offset_ns = (int64_t)(seg_now_ns(CLOCK_REALTIME) - now);
	head->generation = (uint64_t)head->wall_offset_ns + now;
	head->fdb_limit = fdb_limit;
	head->nbr_limit = shape->nbr_limit;
	head->route_limit = shape->route_limit;
	if (getrandom(&head->fdb_seed, sizeof(head->fdb_seed), GRND_NONBLOCK) != sizeof(head->fdb_seed)) {
		head->fdb_seed = head->generation * 0x9e3779b97f4a7c15ull; /* too early after boot for the kernel */
	}
	head->fdb_seed |= 1;
	head->state = SEG_STARTING;
	head->heartbeat_ns = now;
	head->magic = SEG_MAGIC;
}

#define DYING_TRIES 10
#define DYING_NS 10000000

/* One that was killed a moment ago still holds its lock while the kernel takes it apart. */
static void
wait_if_dying(const struct seg *other)
{
	for (int tries = 0; tries < DYING_TRIES && seg_writer_alive(other); tries++) {
		nanosleep(&(struct timespec){.tv_nsec = DYING_NS}, NULL);
	}
}

/* Somebody holds the lock: an engine, or for a moment another creator that clears a dead one away. */
static enum err_code
judge_locked(const char *name, int fd, struct err *err)
{
	struct seg other = {0};
	bool readable = seg_check(fd, name, &other.head, NULL) == ERR_NONE;
	if (readable) {
		wait_if_dying(&other);
	}
	if (!readable) {
		err_set(err, ERR_EXISTS, "appliance %s: an engine runs already", name);
	} else if (seg_writer_alive(&other)) {
		err_set(err, ERR_EXISTS, "appliance %s: an engine runs already (pid %u)", name, other.head.writer_pid);
	} else {
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
		return ERR_NONE;
	}
	err_hint(err, "pe stop -a %s, or give this one another name with -a", name);
	return ERR_EXISTS;
}

/* Takes the name away from a dead engine's object. ERR_EXISTS when its engine lives; ERR_NONE: the name may be free now. */
static enum err_code
clear_name(const char *name, const char *path, struct err *err)
{
	int old = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (old < 0) {
		return errno == ENOENT ? ERR_NONE
				       : err_set(err, ERR_REFUSED, "appliance %s: %s: %s", name, path, strerror(errno));
	}
	enum err_code code = ERR_NONE;
	struct stat mine, named;
	if (flock(old, LOCK_EX | LOCK_NB) < 0) {
		code = judge_locked(name, old, err);
	} else if (fstat(old, &mine) < 0 || stat(path, &named) < 0 || mine.st_ino != named.st_ino) {
		code = ERR_NONE; /* another creator was quicker: the caller looks again */
	} else if (unlink(path) < 0) {
		code = err_set(err, ERR_REFUSED, "appliance %s: %s cannot be replaced: %s", name, path, strerror(errno));
	}
	close(old);
	return code;
}

/* Gives the locked object its name: of several creators only one gets through. */
static enum err_code
publish(int fd, const char *name, const char *path, struct err *err)
{
	char self[40];
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	for (int tries = 0; tries < 100; tries++) {
		if (linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0) {
			return ERR_NONE;
		}
		if (errno != EEXIST) {
			return err_set(err, ERR_FAILED, "appliance %s: %s: %s", name, path, strerror(errno));
		}
		enum err_code code = clear_name(name, path, err);
		if (code != ERR_NONE) {
			return code;
		}
	}
	return err_set(err, ERR_EXISTS, "appliance %s: others keep creating it", name);
}

enum err_code
seg_create(struct seg *seg, const char *name, const struct seg_shape *shape, uint64_t fdb_limit, struct err *err)
{
	char path[SEG_PATH_SIZE];
	*seg = (struct seg){.fd = -1, .writable = true};
	if (!seg_name_valid(name)) {
		return seg_bad_name(name, err);
	}
	enum err_code code = check_shape(shape, err);
	if (code != ERR_NONE) {
		return code;
	}
	/* Ask before gigabytes are reserved. */
	code = clear_name(name, seg_path(name, path), err);
	if (code != ERR_NONE) {
		return code;
	}
	seg->size = seg_plan(shape, &seg->head);
	code = make_object(name, seg->size, &seg->fd, err);
	if (code != ERR_NONE) {
		return code;
	}
	void *base = mmap(NULL, seg->size, PROT_READ | PROT_WRITE, MAP_SHARED, seg->fd, 0);
	if (base == MAP_FAILED) {
		code = err_set(err, ERR_FAILED, "appliance %s: its segment cannot be mapped: %s", name, strerror(errno));
		close(seg->fd);
		return code;
	}
	seg->base = base;
	(void)madvise(base, seg->size, MADV_HUGEPAGE); /* as far as the host gives them */
	fill_header(&seg->head, name, fdb_limit, shape);
	memcpy(base, &seg->head, sizeof(seg->head));
	struct stat st;
	if (flock(seg->fd, LOCK_EX | LOCK_NB) < 0 || fstat(seg->fd, &st) < 0) {
		code = err_set(err, ERR_FAILED, "appliance %s: its segment cannot be locked: %s", name, strerror(errno));
	} else {
		seg->inode = st.st_ino;
		snprintf(seg->source, sizeof(seg->source), "%s", name);
		code = publish(seg->fd, name, path, err);
	}
	if (code != ERR_NONE) {
		seg_detach(seg);
	}
	return code;
}

bool
seg_remove(const char *name)
{
	char path[SEG_PATH_SIZE];
	return seg_name_valid(name) && unlink(seg_path(name, path)) == 0;
}
