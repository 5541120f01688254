/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "shm/seg_int.h"

/* ---- accessors -------------------------------------------------------------------------------------------------- */

static void *
at_offset(const struct seg *seg, uint64_t offset)
{
	return seg->base + offset; /* checked at attach */
}

struct seg_control *
seg_control(const struct seg *seg)
{
	return at_offset(seg, seg->head.control.offset);
}

struct seg_core *
seg_core(const struct seg *seg, unsigned node)
{
	return node <= seg->head.ncores ? at_offset(seg, seg->head.core[node].offset) : NULL;
}

struct seg_bucket *
seg_hot(const struct seg *seg, unsigned core)
{
	return core >= 1 && core <= seg->head.ncores ? at_offset(seg, seg->head.fdb_hot[core].offset) : NULL;
}

struct seg_cold *
seg_cold(const struct seg *seg, unsigned core)
{
	return core >= 1 && core <= seg->head.ncores ? at_offset(seg, seg->head.fdb_cold[core].offset) : NULL;
}

struct seg_nbr *
seg_nbr(const struct seg *seg, unsigned family, unsigned core)
{
	bool there = family < SEG_FAMILIES && core >= 1 && core <= seg->head.ncores;
	return there ? at_offset(seg, seg->head.nbr[family][core].offset) : NULL;
}

struct seg_route *
seg_routes(const struct seg *seg)
{
	return at_offset(seg, seg->head.routes.offset);
}

struct seg_ring *
seg_ring(const struct seg *seg, unsigned from, unsigned to)
{
	uint64_t nodes = (uint64_t)seg->head.ncores + 1;
	if (from >= nodes || to >= nodes) {
		return NULL;
	}
	return at_offset(seg, seg->head.rings.offset + (from * nodes + to) * seg->head.ring_stride);
}

/* ---- the configuration ------------------------------------------------------------------------------------------ */

#define TRIES 200
#define RETRY_NS 1000000 /* a writer needs some 0.1 ms; TRIES of these are more than a preempted one should need */

/*
 * Words, each loaded with acquire: the second look at config_seq cannot come before any of them. (An acquire fence would do as
 * well, but ThreadSanitizer does not know fences.)
 */
static void
load_words(void *to, const void *from, size_t size)
{
	const uint64_t *source = from;
	for (size_t i = 0; i < size / 8; i++) {
		uint64_t word = seg_get_acquire(&source[i]);
		memcpy((uint8_t *)to + 8 * i, &word, 8);
	}
}

/* Each word is stored with release: whoever reads one of them finds config_seq odd. */
static void
store_words(void *to, const void *from, size_t size)
{
	uint64_t *target = to;
	for (size_t i = 0; i < size / 8; i++) {
		uint64_t word;
		memcpy(&word, (const uint8_t *)from + 8 * i, 8);
		seg_put_release(&target[i], word);
	}
}

_Static_assert(sizeof(((struct seg_control *)0)->bridge) % 8 == 0, "copied by words");
_Static_assert(sizeof(((struct seg_control *)0)->fid) % 8 == 0, "copied by words");
_Static_assert(sizeof(((struct seg_control *)0)->iface) % 8 == 0, "copied by words");
_Static_assert(sizeof(((struct seg_control *)0)->channel_name) % 8 == 0, "copied by words");

static void
copy_tables(const struct seg_control *control, void *arg)
{
	struct seg_tables *copy = arg;
	load_words(copy->port, control->port, sizeof(copy->port));
	load_words(copy->bridge, control->bridge, sizeof(copy->bridge));
	load_words(copy->fid, control->fid, sizeof(copy->fid));
	load_words(copy->iface, control->iface, sizeof(copy->iface));
	load_words(copy->channel_name, control->channel_name, sizeof(copy->channel_name));
	copy->generation = seg_get_acquire(&control->config_generation);
	copy->time_ns = seg_get_acquire(&control->config_time_ns);
}

struct text_copy {
	char *text;
	size_t size;
};

static void
copy_text(const struct seg_control *control, void *arg)
{
	struct text_copy *copy = arg;
	uint64_t size = seg_get_acquire(&control->config_text_size);
	copy->size = size < SEG_CONFIG_TEXT_SIZE ? size : SEG_CONFIG_TEXT_SIZE;
	load_words(copy->text, control->config_text, (copy->size + 7) / 8 * 8);
}

/* Copies until nothing was written meanwhile; false when the writer died (or hangs) with the sequence odd. */
static bool
read_config(const struct seg *seg, void (*copy)(const struct seg_control *control, void *arg), void *arg)
{
	const struct seg_control *control = seg_control(seg);
	for (int tries = 0; tries < TRIES; tries++) {
		uint64_t before = seg_get_acquire(&control->config_seq);
		copy(control, arg);
		if (!(before & 1) && seg_get(&control->config_seq) == before) {
			return true;
		}
		if (seg->inode == 0 || !seg_writer_alive(seg)) {
			/* Nobody writes any more: one look with that known is as good as it gets. */
			copy(control, arg);
			return !(seg_get(&control->config_seq) & 1);
		}
		nanosleep(&(struct timespec){.tv_nsec = RETRY_NS}, NULL);
	}
	return false;
}

bool
seg_read_tables(const struct seg *seg, struct seg_tables *copy)
{
	bool whole = read_config(seg, copy_tables, copy);
	for (size_t i = 0; i < SEG_MAX_PORTS; i++) {
		copy->port[i].name[SEG_NAME_SIZE - 1] = '\0';
		copy->port[i].device[SEG_DEVICE_SIZE - 1] = '\0';
	}
	for (size_t i = 0; i < SEG_MAX_BRIDGES; i++) {
		copy->bridge[i].name[SEG_NAME_SIZE - 1] = '\0';
	}
	for (size_t i = 0; i < SEG_MAX_IFACES; i++) {
		copy->iface[i].name[SEG_NAME_SIZE - 1] = '\0';
		if (copy->iface[i].naddresses > SEG_IFACE_ADDRESSES) {
			copy->iface[i].naddresses = SEG_IFACE_ADDRESSES;
		}
	}
	for (size_t i = 0; i < SEG_MAX_CHANNELS; i++) {
		copy->channel_name[i][SEG_NAME_SIZE - 1] = '\0';
	}
	return whole;
}

char *
seg_read_config(const struct seg *seg)
{
	struct text_copy copy = {.text = malloc(SEG_CONFIG_TEXT_SIZE + 1)};
	if (!copy.text) {
		return NULL;
	}
	(void)read_config(seg, copy_text, &copy);
	copy.text[copy.size] = '\0';
	copy.size = strlen(copy.text);
	if (copy.size == 0) {
		free(copy.text);
		return NULL;
	}
	char *fitting = realloc(copy.text, copy.size + 1);
	return fitting ? fitting : copy.text;
}

bool
seg_write_tables(const struct seg *seg, const struct seg_tables *tables, const char *text, size_t text_size)
{
	struct seg_control *control = seg_control(seg);
	if (text_size > SEG_CONFIG_TEXT_SIZE) {
		return false;
	}
	uint64_t seq = seg_get(&control->config_seq) | 1;
	seg_put(&control->config_seq, seq);
	store_words(control->port, tables->port, sizeof(tables->port));
	store_words(control->bridge, tables->bridge, sizeof(tables->bridge));
	store_words(control->fid, tables->fid, sizeof(tables->fid));
	store_words(control->iface, tables->iface, sizeof(tables->iface));
	store_words(control->channel_name, tables->channel_name, sizeof(tables->channel_name));
	seg_put_release(&control->config_generation, tables->generation);
	seg_put_release(&control->config_time_ns, tables->time_ns);
	seg_put_release(&control->config_text_size, text_size);
	store_words(control->config_text, text, text_size / 8 * 8);
	char tail[8] = {0};
	memcpy(tail, text + text_size / 8 * 8, text_size % 8);
	if (text_size % 8) {
		store_words(control->config_text + text_size / 8 * 8, tail, 8);
	}
	/* release: all of the above is there before the sequence says so */
	seg_put_release(&control->config_seq, seq + 1);
	return true;
}

/* ---- the bridge tables ------------------------------------------------------------------------------------------ */

/* As fdb_alive() of lib/fdb/fdb.h, by the flush words as they are now. */
static enum seg_fdb_state
entry_state(const struct seg *seg, uint64_t key, uint64_t value)
{
	const struct seg_control *control = seg_control(seg);
	uint32_t learned = SEG_VALUE_FLUSH(value);
	if (value & SEG_VALUE_TOMB) {
		return SEG_FDB_TOMB;
	}
	if (!(value & SEG_VALUE_STATIC) &&
		(learned < seg_get(&control->flush_channel[SEG_VALUE_CHANNEL(value) % SEG_MAX_CHANNELS]) ||
			learned < seg_get(&control->flush_fid[(uint16_t)key % SEG_MAX_FIDS]))) {
		return SEG_FDB_FLUSHED;
	}
	return SEG_FDB_LIVE;
}

/*
 * The writer (fdb_fill(), fdb_clear() of lib/fdb/fdb.c) empties a slot by key 0, value 0, and fills it by stamp, cold part,
 * value, key. Stamps are unique, so while the stamp stays the same the value is 0 or the stamp's, and the key is 0 or the
 * stamp's. Comparing keys alone would not do: an entry may leave and come back to its slot meanwhile. (One that was pushed
 * along and back keeps its stamp; hence the second look at the value.)
 */
bool
seg_read_fdb(const struct seg *seg, unsigned core, uint64_t slot, struct seg_fdb_entry *entry)
{
	const struct seg_bucket *bucket = seg_hot(seg, core);
	const struct seg_cold *cold = seg_cold(seg, core);
	if (!bucket || slot >= (uint64_t)seg->head.fdb_buckets * SEG_WAYS) {
		return false;
	}
	bucket += slot / SEG_WAYS;
	cold += slot;
	const unsigned way = slot % SEG_WAYS;
	for (int tries = 0; tries < 16 && seg_get(&bucket->key[way]) != 0; tries++) {
		/* acquire: the loads happen in this order */
		entry->cold.stamp = seg_get_acquire(&cold->stamp);
		entry->value = seg_get_acquire(&bucket->value[way]);
		entry->cold.used_ns = seg_get_acquire(&cold->used_ns);
		entry->cold.moved_ns = seg_get_acquire(&cold->moved_ns);
		entry->cold.born_ns = seg_get_acquire(&cold->born_ns);
		entry->key = seg_get_acquire(&bucket->key[way]);
		uint64_t again = seg_get_acquire(&bucket->value[way]);
		bool filled = entry->key != 0 && (entry->value & SEG_VALUE_SHARED) != 0;
		if (filled && ((again ^ entry->value) & SEG_VALUE_SHARED) == 0 && seg_get(&cold->stamp) == entry->cold.stamp) {
			entry->state = entry_state(seg, entry->key, entry->value);
			return true;
		}
	}
	return false;
}

/* ---- neighbours and routes -------------------------------------------------------------------------------------- */

/* A line that has its own sequence word: seq is odd while its one writer changes it. */
static bool
read_line(const void *line, const uint32_t *seq, void *copy)
{
	for (int tries = 0; tries < 16; tries++) {
		uint32_t before = seg_get_acquire(seq);
		load_words(copy, line, SEG_LINE);
		if (!(before & 1) && seg_get(seq) == before) {
			return true;
		}
	}
	return false;
}

bool
seg_read_nbr(const struct seg *seg, unsigned family, unsigned core, uint64_t slot, struct seg_nbr *copy)
{
	const struct seg_nbr *nbr = seg_nbr(seg, family, core);
	if (!nbr || slot >= seg->head.nbr_slots) {
		return false;
	}
	uint32_t iface = seg_get(&nbr[slot].iface);
	return iface != 0 && iface != SEG_NBR_GONE && read_line(&nbr[slot], &nbr[slot].seq, copy) && copy->iface != 0 &&
	       copy->iface != SEG_NBR_GONE;
}

bool
seg_read_route(const struct seg *seg, uint64_t slot, struct seg_route *copy)
{
	const struct seg_route *route = seg_routes(seg);
	if (slot >= seg->head.route_slots) {
		return false;
	}
	uint8_t kind = seg_get(&route[slot].kind);
	return kind != SEG_ROUTE_NONE && read_line(&route[slot], &route[slot].seq, copy) && copy->kind > SEG_ROUTE_NONE &&
	       copy->kind < SEG_ROUTE_KINDS;
}

/* ---- traces and events ------------------------------------------------------------------------------------------ */

size_t
seg_read_trace(const struct seg *seg, unsigned node, uint64_t *next, struct seg_msg *msg, size_t max, uint64_t *lost)
{
	const struct seg_core *core = seg_core(seg, node);
	*lost = 0;
	if (!core) {
		return 0;
	}
	uint64_t end = seg_get_acquire(&core->trace_next); /* the records before it are whole */
	uint64_t first = *next < end ? *next : end;
	/* Record n is written over record n - SEG_TRACE while trace_next still says n. */
	if (end - first >= SEG_TRACE) {
		*lost = end - first - (SEG_TRACE - 1);
		first = end - (SEG_TRACE - 1);
	}
	size_t n = end - first < max ? (size_t)(end - first) : max;
	for (size_t i = 0; i < n; i++) {
		load_words(&msg[i], &core->trace[(first + i) % SEG_TRACE], sizeof(msg[i]));
	}
	*next = first + n;
	uint64_t now = seg_get(&core->trace_next), gone = 0;
	if (now - first >= SEG_TRACE) {
		gone = now - first - (SEG_TRACE - 1) < n ? now - first - (SEG_TRACE - 1) : n;
		memmove(msg, msg + gone, (n - gone) * sizeof(*msg));
	}
	*lost += gone;
	return n - gone;
}

bool
seg_read_event(const struct seg *seg, uint32_t id, struct seg_event *event)
{
	const struct seg_event *place = &seg_control(seg)->event[(id - 1) % SEG_EVENTS];
	if (id == 0 || seg_get_acquire(&place->id) != id) {
		return false;
	}
	load_words(event, place, sizeof(*event));
	event->id = id;
	event->text[sizeof(event->text) - 1] = '\0';
	return seg_get(&place->id) == id;
}
