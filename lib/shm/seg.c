/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shm/seg.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "shm/seg_int.h"

uint64_t
seg_now_ns(int clock)
{
	struct timespec ts;
	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

char *
seg_path(const char *name, char path[static SEG_PATH_SIZE])
{
	snprintf(path, SEG_PATH_SIZE, SEG_DIR SEG_NAME_PREFIX "%.*s", SEG_NAME_SIZE - 1, name);
	return path;
}

bool
seg_name_valid(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t length = strnlen(name, SEG_NAME_SIZE);
	return length > 0 && length < SEG_NAME_SIZE && strspn(name, letters) == length && !strchr("._-", name[0]);
}

enum err_code
seg_bad_name(const char *name, struct err *err)
{
	err_set(err, ERR_USAGE, "appliance \"%s\": not a name", name);
	return err_hint(err, "1 to %d letters, digits, dots, dashes and underscores, beginning with a letter or digit",
		SEG_NAME_SIZE - 1);
}

/* ---- who wrote it ----------------------------------------------------------------------------------------------- */

static size_t
read_small(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);
	if (fd >= 0) {
		close(fd);
	}
	text[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

#define EXITING 4u /* PF_EXITING of the kernel, in field 9: it will never write again */

uint64_t
seg_start_time(uint32_t pid)
{
	char path[32], text[1024];
	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	read_small(path, text, sizeof(text));
	/* proc(5): the command, field 2, is in parentheses and may hold anything; the state follows it */
	const char *at = strrchr(text, ')');
	if (!at || at[1] != ' ' || strchr("ZXx", at[2])) {
		return 0;
	}
	for (int field = 2; at && field < 22; field++) {
		at = strchr(at + 1, ' ');
		if (field + 1 == 9 && at && strtoull(at, NULL, 10) & EXITING) {
			return 0;
		}
	}
	return at ? strtoull(at, NULL, 10) : 0;
}

void
seg_boot_id(uint8_t id[static 16])
{
	char text[64];
	memset(id, 0, 16);
	read_small("/proc/sys/kernel/random/boot_id", text, sizeof(text));
	size_t digits = 0;
	for (const char *c = text; *c && digits < 32; c++) {
		const char *hex = "0123456789abcdef", *digit = strchr(hex, *c);
		if (digit) {
			id[digits / 2] = (uint8_t)(id[digits / 2] << 4 | (digit - hex));
			digits++;
		}
	}
}

static bool
same_boot(const struct seg *seg)
{
	uint8_t id[16];
	seg_boot_id(id);
	return memcmp(id, seg->head.boot_id, sizeof(id)) == 0;
}

bool
seg_writer_alive(const struct seg *seg)
{
	return seg->head.writer_start != 0 && seg_start_time(seg->head.writer_pid) == seg->head.writer_start && same_boot(seg);
}

/* The shared header: only what changes is read through it. */
static const struct seg_header *
live_header(const struct seg *seg)
{
	return (const struct seg_header *)(const void *)seg->base;
}

const char *
seg_state_name(const struct seg *seg)
{
	uint32_t state = seg_get_acquire(&live_header(seg)->state);
	if (state == SEG_STOPPED) {
		return "stopped";
	}
	if (seg->inode == 0) {
		return "saved";
	}
	if (!seg_writer_alive(seg)) {
		/* It may have said so between our first look and its end. */
		return seg_get_acquire(&live_header(seg)->state) == SEG_STOPPED ? "stopped" : "dead";
	}
	return state == SEG_STARTING ? "starting" : state == SEG_READY ? "ready" : state == SEG_STOPPING ? "stopping" : "unknown";
}

uint64_t
seg_heartbeat_age_ns(const struct seg *seg)
{
	uint64_t beat = seg_get(&live_header(seg)->heartbeat_ns);
	uint64_t now = seg_now_ns(CLOCK_MONOTONIC);
	if (seg->inode == 0 || !same_boot(seg)) {
		beat += (uint64_t)seg->head.wall_offset_ns;
		now = seg_now_ns(CLOCK_REALTIME);
	}
	return now > beat ? now - beat : 0;
}

/* ---- checking --------------------------------------------------------------------------------------------------- */

/* Overflow-safe: does [offset, offset + size) lie in the segment, on a line, with room for `need`? */
static bool
span_fits(const struct seg_header *head, const struct seg_span *span, uint64_t need)
{
	return span->offset >= sizeof(*head) && span->offset % SEG_LINE == 0 && span->offset <= head->size &&
	       span->size <= head->size - span->offset && span->size >= need;
}

/* NULL when everything in the header can be believed, else the name of the first field that cannot. */
static const char *
bad_field(const struct seg_header *head)
{
	if (!seg_name_valid(head->name)) {
		return "name";
	}
	if (head->ncores < 1 || head->ncores > SEG_MAX_CORES) {
		return "ncores";
	}
	if (head->ring_slots < 16 || head->ring_slots > 65536 || (head->ring_slots & (head->ring_slots - 1))) {
		return "ring_slots";
	}
	uint64_t ring = sizeof(struct seg_ring) + (uint64_t)head->ring_slots * sizeof(struct seg_msg);
	if (head->ring_stride % SEG_LINE || head->ring_stride < ring || head->ring_stride > head->size) {
		return "ring_stride";
	}
	if (head->fdb_buckets < 2) {
		return "fdb_buckets";
	}
	if (head->nbr_slots < 16 || head->nbr_slots > SEG_SLOTS_MAX || (head->nbr_slots & (head->nbr_slots - 1))) {
		return "nbr_slots";
	}
	if (head->route_slots < 16 || head->route_slots > SEG_SLOTS_MAX || (head->route_slots & (head->route_slots - 1)) ||
		!span_fits(head, &head->routes, (uint64_t)head->route_slots * sizeof(struct seg_route))) {
		return "routes";
	}
	if (!(head->fdb_seed & 1)) {
		return "fdb_seed";
	}
	if (!span_fits(head, &head->control, sizeof(struct seg_control))) {
		return "control";
	}
	uint64_t nodes = (uint64_t)head->ncores + 1;
	if (head->ring_stride > head->size / (nodes * nodes) ||
		!span_fits(head, &head->rings, nodes * nodes * head->ring_stride)) {
		return "rings";
	}
	for (unsigned i = 0; i < nodes; i++) {
		if (!span_fits(head, &head->core[i], sizeof(struct seg_core))) {
			return "core";
		}
		if (i > 0 && !span_fits(head, &head->fdb_hot[i], (uint64_t)head->fdb_buckets * sizeof(struct seg_bucket))) {
			return "fdb_hot";
		}
		if (i > 0 &&
			!span_fits(head, &head->fdb_cold[i], (uint64_t)head->fdb_buckets * SEG_WAYS * sizeof(struct seg_cold))) {
			return "fdb_cold";
		}
		for (unsigned family = 0; i > 0 && family < SEG_FAMILIES; family++) {
			if (!span_fits(head, &head->nbr[family][i], (uint64_t)head->nbr_slots * sizeof(struct seg_nbr))) {
				return "nbr";
			}
		}
	}
	return NULL;
}

static enum err_code
truncated(const char *source, uint64_t have, uint64_t need, struct err *err)
{
	return err_set(err, ERR_NO_ENGINE, "%s: truncated segment: %llu of %llu bytes", source, (unsigned long long)have,
		(unsigned long long)need);
}

enum err_code
seg_check(int fd, const char *source, struct seg_header *head, struct err *err)
{
	struct stat st;
	memset(head, 0, sizeof(*head));
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		return err_set(err, ERR_NO_ENGINE, "%s: not a segment: not a regular file", source);
	}
	ssize_t n = pread(fd, head, sizeof(*head), 0);
	size_t have = n > 0 ? (size_t)n : 0;
	const size_t first = offsetof(struct seg_header, size);
	if (have < first) {
		return truncated(source, have, sizeof(*head), err);
	}
	if (head->magic != SEG_MAGIC) {
		return err_set(err, ERR_NO_ENGINE, "%s: not a segment of pekit", source);
	}
	if (head->version != SEG_VERSION) {
		err_set(err, ERR_NO_ENGINE, "%s: layout version %u; this pekit reads %u", source, head->version, SEG_VERSION);
		return err_hint(err, "use the tools of the release that the engine is from");
	}
	if (head->header_size != sizeof(*head)) {
		return err_set(err, ERR_NO_ENGINE, "%s: damaged segment: header_size %u instead of %zu", source,
			head->header_size, sizeof(*head));
	}
	if (have < sizeof(*head) || (uint64_t)st.st_size < head->size) {
		return truncated(source, (uint64_t)st.st_size, have < sizeof(*head) ? sizeof(*head) : head->size, err);
	}
	const char *field = bad_field(head);
	if (field) {
		return err_set(err, ERR_NO_ENGINE, "%s: damaged segment: %s", source, field);
	}
	head->release[sizeof(head->release) - 1] = '\0';
	return ERR_NONE;
}

/* Takes fd over. */
static enum err_code
map_checked(struct seg *seg, int fd, const char *source, struct err *err)
{
	enum err_code code = seg_check(fd, source, &seg->head, err);
	if (code == ERR_NONE) {
		void *base = mmap(NULL, seg->head.size, PROT_READ, MAP_SHARED, fd, 0);
		if (base == MAP_FAILED) {
			code = err_set(err, ERR_NO_ENGINE, "%s: cannot be mapped: %s", source, strerror(errno));
		} else {
			seg->base = base;
			seg->size = seg->head.size;
		}
	}
	if (code != ERR_NONE) {
		close(fd);
		return code;
	}
	seg->fd = fd;
	return ERR_NONE;
}

enum err_code
seg_attach(struct seg *seg, const char *name, struct err *err)
{
	char path[SEG_PATH_SIZE], source[SEG_NAME_SIZE + 16];
	*seg = (struct seg){.fd = -1};
	if (!seg_name_valid(name)) {
		return seg_bad_name(name, err);
	}
	snprintf(source, sizeof(source), "appliance %s", name);
	int fd = open(seg_path(name, path), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 && errno == EACCES) {
		err_set(err, ERR_REFUSED, "%s: no permission to read its segment", source);
		return err_hint(err, "be root or a member of the group pekit");
	}
	if (fd < 0) {
		err_set(err, ERR_NO_ENGINE, "%s: no engine, and none has left a segment%s%s", source, errno == ENOENT ? "" : ": ",
			errno == ENOENT ? "" : strerror(errno));
		return err_hint(err, "pe run -a %s -c FILE", name);
	}
	struct stat st;
	seg->inode = fstat(fd, &st) == 0 ? st.st_ino : 0;
	snprintf(seg->source, sizeof(seg->source), "%s", name);
	return map_checked(seg, fd, source, err);
}

enum err_code
seg_open_file(struct seg *seg, const char *path, struct err *err)
{
	*seg = (struct seg){.fd = -1};
	/* O_NONBLOCK: a FIFO must not hold us */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		return err_set(err, errno == EACCES ? ERR_REFUSED : ERR_NO_ENGINE, "%s: %s", path, strerror(errno));
	}
	snprintf(seg->source, sizeof(seg->source), "%s", path);
	return map_checked(seg, fd, path, err);
}

bool
seg_replaced(const struct seg *seg)
{
	char path[SEG_PATH_SIZE];
	struct stat st;
	return seg->inode != 0 && stat(seg_path(seg->source, path), &st) == 0 && st.st_ino != seg->inode;
}

void
seg_detach(struct seg *seg)
{
	if (seg->base) {
		munmap(seg->base, seg->size);
	}
	if (seg->fd >= 0 && seg->base) {
		close(seg->fd);
	}
	seg->base = NULL;
	seg->fd = -1;
}

/* ---- finding ---------------------------------------------------------------------------------------------------- */

static int
is_segment(const struct dirent *entry)
{
	const char *prefix = &SEG_NAME_PREFIX[1];
	return strncmp(entry->d_name, prefix, strlen(prefix)) == 0 && seg_name_valid(entry->d_name + strlen(prefix));
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* An object that cannot be read for lack of permission, or is of another version, is listed too: a user asks for it by name
 * and is told. */
static bool
look_at(const char *name, struct seg_name *found)
{
	char path[SEG_PATH_SIZE];
	struct seg seg = {0};
	struct err err = {0};
	int fd = open(seg_path(name, path), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	bool denied = fd < 0 && errno == EACCES;
	bool ours = fd >= 0 && (seg_check(fd, name, &seg.head, &err) == ERR_NONE || seg.head.magic == SEG_MAGIC);
	if (fd >= 0) {
		close(fd);
	}
	snprintf(found->name, sizeof(found->name), "%s", name);
	found->alive = ours && err.code == ERR_NONE && seg_writer_alive(&seg);
	found->denied = denied;
	return ours || denied;
}

size_t
seg_list(struct seg_name *names, size_t max)
{
	struct dirent **entries = NULL;
	size_t count = 0;
	int n = scandir(SEG_DIR, &entries, is_segment, by_name);
	for (int i = 0; i < n; i++) {
		if (count < max && look_at(entries[i]->d_name + strlen(&SEG_NAME_PREFIX[1]), &names[count])) {
			count++;
		}
		free(entries[i]);
	}
	free(entries);
	return count;
}

static void
join_names(const struct seg_name *names, size_t n, bool alive_only, char *text, size_t size)
{
	size_t at = 0;
	text[0] = '\0';
	for (size_t i = 0; i < n && at + SEG_NAME_SIZE + 2 < size; i++) {
		if (names[i].alive || !alive_only) {
			at += (size_t)snprintf(text + at, size - at, "%s%s", at ? ", " : "", names[i].name);
		}
	}
}

enum err_code
seg_default_name(const char *given, char name[static SEG_NAME_SIZE], struct err *err)
{
	const char *env = getenv("PEKIT_APPLIANCE");
	const char *chosen = given ? given : env && env[0] ? env : NULL;
	if (chosen) {
		if (!seg_name_valid(chosen)) {
			return seg_bad_name(chosen, err);
		}
		snprintf(name, SEG_NAME_SIZE, "%s", chosen);
		return ERR_NONE;
	}
	struct seg_name names[64];
	char text[160];
	size_t n = seg_list(names, sizeof(names) / sizeof(names[0])), running = 0;
	bool denied = false;
	for (size_t i = 0; i < n; i++) {
		denied = denied || names[i].denied;
		if (names[i].alive) {
			running++;
			memcpy(name, names[i].name, SEG_NAME_SIZE);
		}
	}
	if (running == 1) {
		return ERR_NONE;
	}
	join_names(names, n, running > 0, text, sizeof(text));
	if (running > 1) {
		err_set(err, ERR_NO_ENGINE, "several appliances run: which one?");
		return err_hint(err, "-a NAME or PEKIT_APPLIANCE; running: %s", text);
	}
	if (denied) {
		err_set(err, ERR_REFUSED, "no permission to read the segments here: %s", text);
		return err_hint(err, "be root or a member of the group pekit");
	}
	err_set(err, ERR_NO_ENGINE, "no engine runs");
	if (n > 0) {
		return err_hint(err, "-a NAME shows what a stopped one left: %s", text);
	}
	return err_hint(err, "pe run -a NAME -c FILE");
}

/* ---- a file that shrinks ---------------------------------------------------------------------------------------- */

static void
on_sigbus(int signal_number)
{
	static const char text[] = "the segment shrank while it was read\n";
	(void)signal_number;
	ssize_t ignored = write(STDERR_FILENO, text, sizeof(text) - 1);
	(void)ignored;
	_exit(ERR_NO_ENGINE);
}

void
seg_catch_sigbus(void)
{
	struct sigaction action = {.sa_handler = on_sigbus};
	sigaction(SIGBUS, &action, NULL);
}
