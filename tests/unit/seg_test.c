/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/shm/seg.c lib/shm/seg_create.c lib/shm/seg_read.c lib/base/err.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shm/seg.h"

static const struct seg_shape tiny = {.ncores = 2, .ring_slots = 16, .fdb_buckets = 2, .nbr_slots = 16, .route_slots = 16};
static bool isolated; /* a /dev/shm of our own */
static char name[SEG_NAME_SIZE], path[64];

static void
create(struct seg *seg)
{
	struct err err = {0};
	assert_int_equal(seg_create(seg, name, &tiny, 6, &err), ERR_NONE);
}

/* ---- shape ------------------------------------------------------------------------------------------------------ */

static void
shape_arithmetic(void **state)
{
	(void)state;
	static const struct seg_shape shapes[] = {
		{1, 16, 2, 16, 16, 8, 8}, {3, 256, 2731, 8192, 8192, 4096, 4096}, {64, 65536, 1398102, 64, 1 << 21, 32, 1 << 20}};
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		const struct seg_shape *shape = &shapes[i];
		struct seg_header head = {0};
		uint64_t size = seg_plan(shape, &head), nodes = shape->ncores + 1;
		assert_int_equal(size, head.size);
		assert_int_equal(head.ring_stride, 128 + 64 * (uint64_t)shape->ring_slots);
		assert_int_equal(head.rings.size, nodes * nodes * head.ring_stride);
		assert_true(head.control.offset >= sizeof(head));
		uint64_t end = head.control.offset;
		const struct seg_span *spans[3 + 5 * SEG_MAX_NODES] = {&head.control, &head.rings};
		size_t n = 2;
		for (unsigned c = 0; c < nodes; c++) {
			spans[n++] = &head.core[c];
		}
		for (unsigned c = 1; c < nodes; c++) {
			spans[n++] = &head.fdb_hot[c];
			spans[n++] = &head.fdb_cold[c];
			assert_int_equal(head.fdb_hot[c].size, 64 * (uint64_t)shape->fdb_buckets);
			assert_int_equal(head.fdb_cold[c].size, 128 * (uint64_t)shape->fdb_buckets);
		}
		for (unsigned c = 1; c < nodes; c++) {
			for (unsigned f = 0; f < SEG_FAMILIES; f++) {
				spans[n++] = &head.nbr[f][c];
				assert_int_equal(head.nbr[f][c].size, sizeof(struct seg_nbr) * (uint64_t)shape->nbr_slots);
				assert_int_equal(head.nbr[f][0].size, 0);
			}
		}
		spans[n++] = &head.routes;
		assert_int_equal(head.routes.size, sizeof(struct seg_route) * (uint64_t)shape->route_slots);
		for (size_t s = 0; s < n; s++) {
			assert_int_equal(spans[s]->offset % SEG_LINE, 0);
			assert_true(spans[s]->offset >= end); /* in this order, without overlap */
			end = spans[s]->offset + spans[s]->size;
		}
		assert_true(end <= size && size - end < 4096);
		assert_int_equal(head.fdb_hot[0].size, 0);
	}
}

static void
shapes_refused(void **state)
{
	(void)state;
	static const struct {
		struct seg_shape shape;
		const char *message;
	} bad[] = {
		{{0, 16, 2, 16, 16, 8, 8}, "0 data cores: 1 to 64 are possible"},
		{{65, 16, 2, 16, 16, 8, 8}, "65 data cores: 1 to 64 are possible"},
		{{1, 17, 2, 16, 16, 8, 8}, "17 ring slots: a power of two from 16 to 65536 is possible"},
		{{1, 8, 2, 16, 16, 8, 8}, "8 ring slots: a power of two from 16 to 65536 is possible"},
		{{1, 131072, 2, 16, 16, 8, 8}, "131072 ring slots: a power of two from 16 to 65536 is possible"},
		{{1, 16, 1, 16, 16, 8, 8}, "1 buckets: at least 2 are needed"},
		{{1, 16, 2, 17, 16, 8, 8}, "17 neighbour and 16 route slots: powers of two from 16 to 16777216 are possible"},
		{{1, 16, 2, 16, 8, 8, 8}, "16 neighbour and 8 route slots: powers of two from 16 to 16777216 are possible"},
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct seg seg;
		struct err err = {0};
		assert_int_equal(seg_create(&seg, name, &bad[i].shape, 6, &err), ERR_USAGE);
		assert_string_equal(err.message, bad[i].message);
		seg_detach(&seg);
	}
}

/* ---- create and attach ------------------------------------------------------------------------------------------ */

static void
created_as_promised(void **state)
{
	(void)state;
	struct seg seg, reader;
	struct err err = {0};
	struct stat st;
	mode_t before = umask(0077);
	create(&seg);
	umask(before);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal((uint64_t)st.st_size, seg.size);
	assert_true((uint64_t)st.st_blocks * 512 >= seg.size); /* all of it is reserved */
	assert_int_equal(seg_attach(&reader, name, &err), ERR_NONE);
	assert_int_equal(reader.head.fdb_seed & 1, 1);
	assert_int_equal(reader.head.fdb_limit, 6);
	assert_int_equal(reader.head.writer_pid, getpid());
	assert_string_equal(reader.head.name, name);
	assert_string_equal(reader.source, name);
	assert_string_equal(seg_state_name(&reader), "starting");
	assert_true(seg_writer_alive(&reader));
	assert_true(seg_heartbeat_age_ns(&reader) < 60000000000ull);
	assert_null(seg_core(&reader, 3));
	assert_null(seg_hot(&reader, 0));
	assert_null(seg_hot(&reader, 3));
	assert_null(seg_cold(&reader, 3));
	assert_null(seg_ring(&reader, 3, 0));
	assert_null(seg_ring(&reader, 0, 3));
	assert_ptr_equal(seg_ring(&reader, 1, 2), reader.base + reader.head.rings.offset + 5 * reader.head.ring_stride);
	assert_false(seg_replaced(&reader));
	seg_detach(&reader);
	seg_detach(&seg);
	seg_detach(&seg); /* again: nothing */
}

static void
one_engine_a_name(void **state)
{
	(void)state;
	struct seg seg, second, reader;
	struct err err = {0};
	char wanted[100];
	create(&seg);
	assert_int_equal(seg_attach(&reader, name, &err), ERR_NONE);
	assert_int_equal(seg_create(&second, name, &tiny, 6, &err), ERR_EXISTS);
	snprintf(wanted, sizeof(wanted), "appliance %s: an engine runs already (pid %d)", name, (int)getpid());
	assert_string_equal(err.message, wanted);
	uint64_t seed = seg.head.fdb_seed;
	seg_detach(&seg); /* the lock goes with the creator */
	create(&second);
	assert_int_not_equal(second.head.fdb_seed, seed);
	assert_true(seg_replaced(&reader));
	assert_int_equal(reader.base[0], (uint8_t)SEG_MAGIC); /* its mapping stays */
	seg_detach(&reader);
	seg_detach(&second);
}

static void
a_dead_engines_state(void **state)
{
	(void)state;
	struct seg reader;
	struct err err = {0};
	static const struct {
		uint32_t state;
		const char *word;
	} ends[] = {{SEG_READY, "dead"}, {SEG_STOPPING, "dead"}, {SEG_STOPPED, "stopped"}};
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		pid_t pid = fork();
		if (pid == 0) {
			struct seg seg;
			if (seg_create(&seg, name, &tiny, 6, &err) != ERR_NONE) {
				_exit(1);
			}
			((struct seg_header *)(void *)seg.base)->state = ends[i].state;
			_exit(0);
		}
		int status;
		siginfo_t info;
		/* A zombie counts as dead, too. */
		assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
		assert_int_equal(seg_attach(&reader, name, &err), ERR_NONE);
		assert_string_equal(seg_state_name(&reader), ends[i].word);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		assert_string_equal(seg_state_name(&reader), ends[i].word);
		seg_detach(&reader);
	}
}

static void
names(void **state)
{
	(void)state;
	static const char *const good[] = {"a", "edge1", "Edge-1.b_c", "0", "abcdefghijklmnopqrstuvwxyz01234"};
	static const char *const bad[] = {
		"", ".", "..", "-a", "_a", "a/b", "a b", "a\n", "\xc3\xa4", "abcdefghijklmnopqrstuvwxyz012345"};
	struct seg seg;
	struct err err = {0};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(seg_name_valid(good[i]));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(seg_name_valid(bad[i]));
		assert_int_equal(seg_attach(&seg, bad[i], &err), ERR_USAGE);
		assert_int_equal(seg_create(&seg, bad[i], &tiny, 6, &err), ERR_USAGE);
		assert_false(seg_remove(bad[i]));
	}
}

static void
no_permission(void **state)
{
	(void)state;
	struct seg seg;
	if (getuid() != 0) {
		skip();
	}
	create(&seg);
	pid_t pid = fork();
	if (pid == 0) {
		struct err err = {0};
		struct seg reader;
		struct seg_name all[8];
		char wanted[100];
		snprintf(wanted, sizeof(wanted), "appliance %s: no permission to read its segment", name);
		bool ok = setgid(65534) == 0 && setuid(65534) == 0 && seg_attach(&reader, name, &err) == ERR_REFUSED &&
			  strcmp(err.message, wanted) == 0 && strstr(err.hint, "group pekit");
		/* It is listed nevertheless. */
		ok = ok && seg_list(all, 8) >= 1;
		_exit(ok ? 0 : 1);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	seg_detach(&seg);
}

/* ---- what attach refuses ---------------------------------------------------------------------------------------- */

static char *
read_whole(const char *from, size_t *size)
{
	FILE *file = fopen(from, "r");
	assert_non_null(file);
	char *bytes = malloc(4 << 20);
	*size = fread(bytes, 1, 4 << 20, file);
	fclose(file);
	return bytes;
}

static void
expect_refusal(const void *bytes, size_t size, const char *message)
{
	struct seg seg;
	struct err err = {0};
	char file[] = "/tmp/seg_test.XXXXXX", wanted[400];
	int fd = mkstemp(file);
	assert_int_equal(write(fd, bytes, size), size);
	close(fd);
	enum err_code code = seg_open_file(&seg, file, &err);
	unlink(file);
	assert_int_equal(code, ERR_NO_ENGINE);
	snprintf(wanted, sizeof(wanted), "%s: %s", file, message);
	assert_string_equal(err.message, wanted);
}

#define BEND(field, value, message) \
	do { \
		memcpy(bent, whole, size); \
		((struct seg_header *)(void *)bent)->field = (value); \
		expect_refusal(bent, size, (message)); \
	} while (0)

static void
headers_refused(void **state)
{
	(void)state;
	struct seg seg;
	size_t size;
	char text[100];
	create(&seg);
	char *whole = read_whole(path, &size), *bent = malloc(size);
	seg_detach(&seg);
	BEND(magic, 1, "not a segment of pekit");
	BEND(version, 7, "layout version 7; this pekit reads 3");
	BEND(version, 0, "layout version 0; this pekit reads 3");
	snprintf(text, sizeof(text), "damaged segment: header_size 64 instead of %zu", sizeof(struct seg_header));
	BEND(header_size, 64, text);
	BEND(name[0], '\0', "damaged segment: name");
	BEND(name[0], '\33', "damaged segment: name");
	BEND(ncores, 0, "damaged segment: ncores");
	BEND(ncores, 65, "damaged segment: ncores");
	BEND(ncores, UINT32_MAX, "damaged segment: ncores");
	BEND(ncores, 64, "damaged segment: rings");
	BEND(ring_slots, 24, "damaged segment: ring_slots");
	BEND(ring_slots, 0, "damaged segment: ring_slots");
	BEND(ring_slots, 32, "damaged segment: ring_stride");
	BEND(ring_stride, 0, "damaged segment: ring_stride");
	BEND(ring_stride, UINT64_MAX - 63, "damaged segment: ring_stride");
	BEND(ring_stride, 1 << 20, "damaged segment: rings");
	BEND(fdb_buckets, 1, "damaged segment: fdb_buckets");
	BEND(fdb_buckets, UINT32_MAX, "damaged segment: fdb_hot");
	BEND(fdb_seed, 2, "damaged segment: fdb_seed");
	BEND(control.offset, 0, "damaged segment: control");
	BEND(control.offset, seg.head.control.offset + 8, "damaged segment: control");
	BEND(control.offset, UINT64_MAX - 63, "damaged segment: control");
	BEND(control.size, UINT64_MAX, "damaged segment: control");
	BEND(control.size, 64, "damaged segment: control");
	BEND(rings.offset, size, "damaged segment: rings");
	BEND(core[0].offset, size - 64, "damaged segment: core");
	BEND(core[2].size, 1, "damaged segment: core");
	BEND(fdb_hot[1].size, 64, "damaged segment: fdb_hot");
	BEND(fdb_cold[2].offset, size, "damaged segment: fdb_cold");
	BEND(nbr_slots, 24, "damaged segment: nbr_slots");
	BEND(nbr_slots, 8, "damaged segment: nbr_slots");
	BEND(nbr_slots, 1u << 31, "damaged segment: nbr_slots");
	BEND(nbr_slots, 32, "damaged segment: nbr");
	BEND(nbr[SEG_IPV4][2].offset, size, "damaged segment: nbr");
	BEND(nbr[SEG_IPV6][1].size, 64, "damaged segment: nbr");
	BEND(route_slots, 24, "damaged segment: routes");
	BEND(route_slots, 32, "damaged segment: routes");
	BEND(routes.offset, UINT64_MAX - 63, "damaged segment: routes");
	snprintf(text, sizeof(text), "truncated segment: %zu of %zu bytes", size, size + 64);
	BEND(size, size + 64, text);
	snprintf(text, sizeof(text), "truncated segment: %zu of %zu bytes", size - 1, size);
	expect_refusal(whole, size - 1, text);
	snprintf(text, sizeof(text), "truncated segment: 100 of %zu bytes", sizeof(struct seg_header));
	expect_refusal(whole, 100, text);
	snprintf(text, sizeof(text), "truncated segment: 0 of %zu bytes", sizeof(struct seg_header));
	expect_refusal(whole, 0, text);
	expect_refusal("{\"appliance\": \"edge1\"}\n                 ", 32, "not a segment of pekit");
	free(bent);
	free(whole);
}

static void
files(void **state)
{
	(void)state;
	struct seg seg, saved;
	struct err err = {0};
	size_t size;
	char file[] = "/tmp/seg_test.XXXXXX";
	create(&seg);
	((struct seg_header *)(void *)seg.base)->state = SEG_READY;
	char *whole = read_whole(path, &size);
	int fd = mkstemp(file);
	assert_int_equal(write(fd, whole, size), size);
	close(fd);
	free(whole);
	assert_int_equal(seg_open_file(&saved, file, &err), ERR_NONE);
	unlink(file);
	assert_string_equal(saved.source, file);
	assert_string_equal(seg_state_name(&saved), "saved");
	assert_false(seg_replaced(&saved));
	assert_true(seg_heartbeat_age_ns(&saved) < 60000000000ull);
	seg_detach(&saved);
	seg_detach(&seg);
	assert_int_equal(seg_open_file(&saved, file, &err), ERR_NO_ENGINE);
	assert_non_null(strstr(err.message, "No such file"));
	assert_int_equal(seg_open_file(&saved, "/dev/null", &err), ERR_NO_ENGINE);
	assert_string_equal(err.message, "/dev/null: not a segment: not a regular file");
	assert_int_equal(mkfifo(file, 0600), 0); /* does not hang */
	assert_int_equal(seg_open_file(&saved, file, &err), ERR_NO_ENGINE);
	unlink(file);
	assert_int_equal(seg_attach(&saved, "nosuch-appliance", &err), ERR_NO_ENGINE);
	assert_string_equal(err.message, "appliance nosuch-appliance: no engine, and none has left a segment");
}

static void
a_file_that_shrinks(void **state)
{
	(void)state;
	struct seg seg;
	int output[2], status;
	char text[200] = "";
	assert_int_equal(pipe(output), 0);
	create(&seg);
	pid_t pid = fork();
	if (pid == 0) {
		struct seg reader;
		struct err err = {0};
		dup2(output[1], STDERR_FILENO);
		seg_catch_sigbus();
		if (seg_attach(&reader, name, &err) == ERR_NONE && truncate(path, 4096) == 0) {
			(void)seg_get(&seg_core(&reader, 2)->loops);
		}
		_exit(99);
	}
	close(output[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), ERR_NO_ENGINE);
	assert_true(read(output[0], text, sizeof(text) - 1) > 0);
	assert_string_equal(text, "the segment shrank while it was read\n");
	close(output[0]);
	seg_detach(&seg);
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

static void
tables_and_text(void **state)
{
	(void)state;
	struct seg seg;
	struct seg_tables *in = calloc(1, sizeof(*in)), *out = calloc(1, sizeof(*out));
	create(&seg);
	assert_null(seg_read_config(&seg));
	memset(in->port[3].name, 'x', SEG_NAME_SIZE); /* not terminated */
	in->fid[9] = (struct seg_fid){.bridge = 1, .vid = 10};
	memset(in->iface[255].name, 'v', SEG_NAME_SIZE);
	in->iface[255].fid = 9;
	in->iface[255].naddresses = UINT16_MAX;
	in->generation = 5;
	assert_true(seg_write_tables(&seg, in, "{\"a\": 12345}", 12));
	assert_true(seg_read_tables(&seg, out));
	assert_int_equal(strlen(out->port[3].name), SEG_NAME_SIZE - 1);
	assert_int_equal(out->fid[9].vid, 10);
	assert_int_equal(strlen(out->iface[255].name), SEG_NAME_SIZE - 1);
	assert_int_equal(out->iface[255].fid, 9);
	assert_int_equal(out->iface[255].naddresses, SEG_IFACE_ADDRESSES);
	assert_int_equal(out->generation, 5);
	char *text = seg_read_config(&seg);
	assert_string_equal(text, "{\"a\": 12345}");
	free(text);
	assert_false(seg_write_tables(&seg, in, "", SEG_CONFIG_TEXT_SIZE + 1));
	assert_true(seg_write_tables(&seg, in, "{}", 2));
	text = seg_read_config(&seg);
	assert_string_equal(text, "{}"); /* nothing of the longer one before */
	free(text);
	free(in);
	free(out);
	seg_detach(&seg);
}

static void
entries(void **state)
{
	(void)state;
	struct seg seg;
	struct seg_fdb_entry entry;
	create(&seg);
	assert_false(seg_read_fdb(&seg, 1, 0, &entry));
	struct seg_bucket *bucket = &seg_hot(&seg, 1)[1];
	struct seg_cold *cold = &seg_cold(&seg, 1)[6];
	const uint64_t key = 0x020000000001ull << 16 | 7;
	bucket->key[2] = key;
	assert_false(seg_read_fdb(&seg, 1, 6, &entry)); /* no value: it is being filled */
	bucket->value[2] = 5 | 3ull << 16;
	*cold = (struct seg_cold){.stamp = 77, .used_ns = 1, .moved_ns = 2, .born_ns = 3};
	assert_true(seg_read_fdb(&seg, 1, 6, &entry));
	assert_int_equal(entry.key, key);
	assert_int_equal(SEG_VALUE_CHANNEL(entry.value), 5);
	assert_int_equal(entry.cold.born_ns, 3);
	assert_int_equal(entry.state, SEG_FDB_LIVE);
	struct seg_control *control = seg_control(&seg);
	control->flush_channel[5] = 3;
	assert_true(seg_read_fdb(&seg, 1, 6, &entry));
	assert_int_equal(entry.state, SEG_FDB_LIVE); /* learned after that flush */
	control->flush_channel[5] = 4;
	assert_true(seg_read_fdb(&seg, 1, 6, &entry));
	assert_int_equal(entry.state, SEG_FDB_FLUSHED);
	control->flush_channel[5] = 0;
	control->flush_fid[7] = 4;
	assert_true(seg_read_fdb(&seg, 1, 6, &entry));
	assert_int_equal(entry.state, SEG_FDB_FLUSHED);
	bucket->value[2] |= SEG_VALUE_STATIC; /* outlives flushes */
	assert_true(seg_read_fdb(&seg, 1, 6, &entry));
	assert_int_equal(entry.state, SEG_FDB_LIVE);
	bucket->value[2] |= SEG_VALUE_TOMB;
	assert_true(seg_read_fdb(&seg, 1, 6, &entry));
	assert_int_equal(entry.state, SEG_FDB_TOMB);
	assert_false(seg_read_fdb(&seg, 1, 8, &entry));
	assert_false(seg_read_fdb(&seg, 1, UINT64_MAX, &entry));
	assert_false(seg_read_fdb(&seg, 0, 6, &entry));
	assert_false(seg_read_fdb(&seg, 3, 6, &entry));
	seg_detach(&seg);
}

static void
neighbours(void **state)
{
	(void)state;
	struct seg seg;
	struct seg_nbr copy;
	create(&seg);
	assert_false(seg_read_nbr(&seg, SEG_IPV6, 2, 15, &copy));
	struct seg_nbr *nbr = &seg_nbr(&seg, SEG_IPV6, 2)[15];
	*nbr = (struct seg_nbr){.address = {1, 2}, .value = 3, .stamp = 4, .iface = 5, .seq = 6, .changed_ns = 7};
	assert_true(seg_read_nbr(&seg, SEG_IPV6, 2, 15, &copy));
	assert_memory_equal(&copy, nbr, sizeof(copy));
	nbr->seq++; /* it is being changed */
	assert_false(seg_read_nbr(&seg, SEG_IPV6, 2, 15, &copy));
	nbr->seq++;
	nbr->value |= SEG_NBR_TOMB;
	assert_true(seg_read_nbr(&seg, SEG_IPV6, 2, 15, &copy));
	nbr->iface = SEG_NBR_GONE;
	assert_false(seg_read_nbr(&seg, SEG_IPV6, 2, 15, &copy));
	nbr->iface = 5;
	/* nobody else's, and nothing behind the end */
	assert_false(seg_read_nbr(&seg, SEG_IPV4, 2, 15, &copy));
	assert_false(seg_read_nbr(&seg, SEG_IPV6, 1, 15, &copy));
	assert_false(seg_read_nbr(&seg, SEG_IPV6, 2, 16, &copy));
	assert_false(seg_read_nbr(&seg, SEG_IPV6, 2, UINT64_MAX, &copy));
	assert_false(seg_read_nbr(&seg, SEG_IPV6, 0, 15, &copy));
	assert_false(seg_read_nbr(&seg, SEG_IPV6, 3, 15, &copy));
	assert_false(seg_read_nbr(&seg, SEG_FAMILIES, 2, 15, &copy));
	seg.head.nbr_slots = 15; /* the checked copy of the header counts */
	assert_false(seg_read_nbr(&seg, SEG_IPV6, 2, 15, &copy));
	seg_detach(&seg);
}

static void
routes(void **state)
{
	(void)state;
	struct seg seg;
	struct seg_route copy;
	create(&seg);
	assert_false(seg_read_route(&seg, 15, &copy));
	struct seg_route *route = &seg_routes(&seg)[15];
	*route = (struct seg_route){.prefix = {1, 2}, .via = {3, 4}, .since_ns = 5, .seq = 6, .iface = 7, .kind = SEG_ROUTE_VIA};
	assert_true(seg_read_route(&seg, 15, &copy));
	assert_memory_equal(&copy, route, sizeof(copy));
	route->seq++;
	assert_false(seg_read_route(&seg, 15, &copy));
	route->seq++;
	route->kind = SEG_ROUTE_GONE;
	assert_false(seg_read_route(&seg, 15, &copy));
	route->kind = SEG_ROUTE_KINDS; /* none that we know */
	assert_false(seg_read_route(&seg, 15, &copy));
	route->kind = SEG_ROUTE_PROHIBIT;
	assert_true(seg_read_route(&seg, 15, &copy));
	assert_false(seg_read_route(&seg, UINT64_MAX, &copy));
	seg.head.route_slots = 15; /* the checked copy of the header counts */
	assert_false(seg_read_route(&seg, 15, &copy));
	seg_detach(&seg);
}

static void
traces(void **state)
{
	(void)state;
	static struct seg_msg msg[SEG_TRACE];
	struct seg seg;
	uint64_t next = 0, lost = 9;
	create(&seg);
	struct seg_core *core = seg_core(&seg, 1);
	assert_int_equal(seg_read_trace(&seg, 1, &next, msg, SEG_TRACE, &lost), 0);
	for (uint64_t i = 0; i < 5; i++) {
		core->trace[i].seq = (uint32_t)i;
	}
	core->trace_next = 5;
	assert_int_equal(seg_read_trace(&seg, 1, &next, msg, 3, &lost), 3);
	assert_int_equal(next, 3);
	assert_int_equal(seg_read_trace(&seg, 1, &next, msg, 3, &lost), 2);
	assert_int_equal(msg[1].seq, 4);
	assert_int_equal(lost, 0);
	/* One more than all but the one that is being written over. */
	core->trace_next = 5 + SEG_TRACE;
	assert_int_equal(seg_read_trace(&seg, 1, &next, msg, SEG_TRACE, &lost), SEG_TRACE - 1);
	assert_int_equal(lost, 1);
	assert_int_equal(next, 5 + SEG_TRACE);
	next = UINT64_MAX; /* from another run of the engine */
	assert_int_equal(seg_read_trace(&seg, 1, &next, msg, SEG_TRACE, &lost), 0);
	assert_int_equal(next, 5 + SEG_TRACE);
	assert_int_equal(seg_read_trace(&seg, 3, &next, msg, SEG_TRACE, &lost), 0);
	seg_detach(&seg);
}

static void
events(void **state)
{
	(void)state;
	struct seg seg;
	struct seg_event event;
	create(&seg);
	struct seg_control *control = seg_control(&seg);
	assert_false(seg_read_event(&seg, 0, &event));
	assert_false(seg_read_event(&seg, 1, &event));
	control->event[4].id = 5 + SEG_EVENTS;
	memset(control->event[4].text, 'x', sizeof(control->event[4].text));
	assert_true(seg_read_event(&seg, 5 + SEG_EVENTS, &event));
	assert_int_equal(strlen(event.text), sizeof(event.text) - 1);
	assert_false(seg_read_event(&seg, 5, &event)); /* overwritten */
	seg_detach(&seg);
}

/* ---- the default appliance -------------------------------------------------------------------------------------- */

static void
default_name(void **state)
{
	(void)state;
	struct seg a, b;
	struct err err = {0};
	struct seg_name all[8];
	char found[SEG_NAME_SIZE] = "";
	setenv("PEKIT_APPLIANCE", "fromenv", 1);
	assert_int_equal(seg_default_name(NULL, found, &err), ERR_NONE);
	assert_string_equal(found, "fromenv");
	assert_int_equal(seg_default_name("given", found, &err), ERR_NONE);
	assert_string_equal(found, "given");
	assert_int_equal(seg_default_name("no/name", found, &err), ERR_USAGE);
	assert_string_equal(err.message, "appliance \"no/name\": not a name");
	setenv("PEKIT_APPLIANCE", "", 1);
	if (!isolated) {
		skip();
	}
	seg_remove(name);
	assert_int_equal(seg_default_name(NULL, found, &err), ERR_NO_ENGINE);
	assert_string_equal(err.message, "no engine runs");
	assert_int_equal(seg_create(&b, "unit-b", &tiny, 6, &err), ERR_NONE);
	assert_int_equal(seg_default_name(NULL, found, &err), ERR_NONE);
	assert_string_equal(found, "unit-b");
	assert_int_equal(seg_create(&a, "unit-a", &tiny, 6, &err), ERR_NONE);
	assert_int_equal(seg_default_name(NULL, found, &err), ERR_NO_ENGINE);
	assert_string_equal(err.message, "several appliances run: which one?");
	assert_string_equal(err.hint, "-a NAME or PEKIT_APPLIANCE; running: unit-a, unit-b");
	/* A dead one, a file that is none, and one too many for the caller. */
	((struct seg_header *)(void *)a.base)->writer_start ^= 1;
	int fd = open("/dev/shm/pekit.zero", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	close(fd);
	assert_int_equal(seg_list(all, 8), 2);
	assert_string_equal(all[0].name, "unit-a");
	assert_false(all[0].alive);
	assert_string_equal(all[1].name, "unit-b");
	assert_true(all[1].alive);
	assert_int_equal(seg_list(all, 1), 1);
	assert_int_equal(seg_default_name(NULL, found, &err), ERR_NONE);
	assert_string_equal(found, "unit-b");
	seg_detach(&b);
	seg_remove("unit-b");
	assert_int_equal(seg_default_name(NULL, found, &err), ERR_NO_ENGINE);
	assert_string_equal(err.hint, "-a NAME shows what a stopped one left: unit-a");
	seg_detach(&a);
	assert_true(seg_remove("unit-a"));
	assert_false(seg_remove("unit-a"));
	unlink("/dev/shm/pekit.zero");
}

/* With the rights to do so, the tests have a /dev/shm of their own, which vanishes with them. */
static int
setup(void **state)
{
	(void)state;
	isolated = unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
		   mount("shm", "/dev/shm", "tmpfs", 0, "mode=1777") == 0;
	snprintf(name, sizeof(name), "unit-%d", (int)getpid());
	snprintf(path, sizeof(path), "/dev/shm/pekit.%s", name);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	seg_remove(name);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shape_arithmetic),
		cmocka_unit_test(shapes_refused),
		cmocka_unit_test(created_as_promised),
		cmocka_unit_test(one_engine_a_name),
		cmocka_unit_test(a_dead_engines_state),
		cmocka_unit_test(names),
		cmocka_unit_test(no_permission),
		cmocka_unit_test(headers_refused),
		cmocka_unit_test(files),
		cmocka_unit_test(a_file_that_shrinks),
		cmocka_unit_test(tables_and_text),
		cmocka_unit_test(entries),
		cmocka_unit_test(neighbours),
		cmocka_unit_test(routes),
		cmocka_unit_test(traces),
		cmocka_unit_test(events),
		cmocka_unit_test(default_name),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
