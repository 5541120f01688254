/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * lib/shm with real threads and real processes, made to run under ThreadSanitizer:
 *
 *	rings        a full mesh of threads over small rings: order, loss, integrity, room
 *	processes    one ring between two processes
 *	tables       one process rewrites the configuration, others must never see two versions mixed
 *	fdb          one process churns a bridge table, others must never see a value of another key
 *	traces       one process writes messages into a trace faster than others can read: whole ones, and the lost ones counted
 *	killed       readers while their writer is killed: they end, with the right answer
 *	stalled      a writer that stops, then dies, in the middle of a change
 *	creators     several processes create one name: one wins, every time
 *
 * Each part is a process of its own with a time limit, supervised by main(), which also removes what a failed part leaves. Speaks
 * TAP; with a word, only the part of that name.
 *
 * links: lib/shm/seg.c lib/shm/seg_create.c lib/shm/seg_read.c lib/fdb/fdb.c lib/base/err.c
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fdb/fdb.h"
#include "shm/ring.h"
#include "shm/seg.h"

#define NODES 6
#define SLOTS 16
#define MESSAGES 6000
#define RECORDS 3000000 /* of a trace */
#define READERS 2
#define LIMIT_S 60 /* of a part, on a machine that is busy with other things */

static char segment[SEG_NAME_SIZE];

#define must(condition) \
	((condition) ? (void)0 : (fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition), exit(1)))

static void
create(struct seg *seg, uint32_t cores)
{
	struct err err = {0};
	const struct seg_shape shape = {
		.ncores = cores, .ring_slots = SLOTS, .fdb_buckets = 8, .nbr_slots = 16, .route_slots = 16};
	if (seg_create(seg, segment, &shape, 24, &err) != ERR_NONE) {
		fprintf(stderr, "%s\n", err.message);
		exit(1);
	}
}

/* A child that must end well. */
static void
reap(pid_t pid)
{
	int status = 0;
	must(waitpid(pid, &status, 0) == pid);
	must(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static uint64_t
now_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* ---- rings ------------------------------------------------------------------------------------------------------ */

static struct seg_msg
make_message(unsigned from, uint64_t i)
{
	struct seg_msg msg = {
		.kind = SEG_MSG_FDB_ADD, .from = (uint8_t)from, .n = 4, .seq = (uint32_t)i, .stamp = ~i, .time_ns = i * 3};
	for (unsigned w = 0; w < 4; w++) {
		msg.word[w] = (i + w) * 0x9e3779b97f4a7c15ull ^ from;
	}
	return msg;
}

/* One step of a receiver; the number of messages taken. */
static unsigned
take(struct ring_receiver *receiver, unsigned from, uint64_t *next)
{
	const struct seg_msg *msg = ring_peek(receiver);
	if (!msg) {
		return 0;
	}
	struct seg_msg wanted = make_message(from, *next);
	must(memcmp(msg, &wanted, sizeof(wanted)) == 0);
	(*next)++;
	ring_pop(receiver);
	return 1;
}

/* One step of a sender: fills the room it was promised. */
static unsigned
give(struct ring_sender *sender, unsigned from, uint64_t *next)
{
	uint32_t room = ring_room(sender);
	unsigned done = 0;
	must(room <= SLOTS);
	for (; done < room && *next < MESSAGES; done++) {
		struct seg_msg msg = make_message(from, *next);
		must(ring_push(sender, &msg));
		(*next)++;
	}
	if (done == room && *next < MESSAGES) {
		struct seg_msg msg = make_message(from, *next);
		*next += ring_push(sender, &msg); /* the receiver may have been quick; false is right, too */
	}
	return done;
}

static struct seg mesh;

static void *
mesh_node(void *arg)
{
	unsigned me = (unsigned)(uintptr_t)arg, done = 0;
	struct ring_sender sender[NODES];
	struct ring_receiver receiver[NODES];
	uint64_t sent[NODES] = {0}, taken[NODES] = {0};
	for (unsigned i = 0; i < NODES; i++) {
		sender[i] = ring_sender(seg_ring(&mesh, me, i), SLOTS);
		receiver[i] = ring_receiver(seg_ring(&mesh, i, me), SLOTS);
	}
	while (done < 2 * (NODES - 1)) {
		unsigned moved = 0;
		done = 0;
		for (unsigned i = 0; i < NODES; i++) {
			if (i != me) {
				moved += give(&sender[i], me, &sent[i]) + take(&receiver[i], i, &taken[i]);
				done += (sent[i] == MESSAGES) + (taken[i] == MESSAGES);
			}
		}
		if (moved == 0) {
			sched_yield();
		}
	}
	for (unsigned i = 0; i < NODES; i++) {
		must(i == me || ring_waiting(&receiver[i]) == 0);
	}
	return NULL;
}

static void
part_rings(void)
{
	pthread_t thread[NODES];
	create(&mesh, NODES - 1);
	for (uintptr_t i = 0; i < NODES; i++) {
		must(pthread_create(&thread[i], NULL, mesh_node, (void *)i) == 0); /* NOLINT: a small number as an argument */
	}
	for (unsigned i = 0; i < NODES; i++) {
		must(pthread_join(thread[i], NULL) == 0);
	}
	for (unsigned from = 0; from < NODES; from++) {
		for (unsigned to = 0; to < NODES; to++) {
			const struct seg_ring *ring = seg_ring(&mesh, from, to);
			must(ring->head == (from == to ? 0 : MESSAGES) && ring->tail == ring->head);
		}
	}
}

static void
part_processes(void)
{
	struct seg seg;
	uint64_t sent = 0, taken = 0;
	create(&seg, 2);
	pid_t pid = fork();
	must(pid >= 0);
	struct ring_sender sender = ring_sender(seg_ring(&seg, 1, 2), SLOTS);
	struct ring_receiver receiver = ring_receiver(seg_ring(&seg, 1, 2), SLOTS);
	while (pid == 0 ? sent < MESSAGES : taken < MESSAGES) {
		if ((pid == 0 ? give(&sender, 1, &sent) : take(&receiver, 1, &taken)) == 0) {
			sched_yield();
		}
	}
	if (pid == 0) {
		exit(0);
	}
	reap(pid);
	must(ring_waiting(&receiver) == 0);
}

/* ---- tables ----------------------------------------------------------------------------------------------------- */

/* Everything in it is made from one number, so that a mixed copy shows. */
static void
fill_tables(struct seg_tables *tables, uint64_t generation)
{
	memset(tables, (int)(generation % 127), sizeof(*tables));
	tables->generation = generation;
	tables->time_ns = ~generation;
	for (unsigned i = 0; i < SEG_MAX_PORTS; i++) {
		tables->port[i].speed_bps = generation;
		snprintf(tables->port[i].name, SEG_NAME_SIZE, "p%u-%llu", i, (unsigned long long)generation);
		tables->port[i].name[SEG_NAME_SIZE - 1] = tables->port[i].device[SEG_DEVICE_SIZE - 1] = '\0';
	}
	for (unsigned i = 0; i < SEG_MAX_BRIDGES; i++) {
		tables->bridge[i].name[SEG_NAME_SIZE - 1] = '\0';
	}
	for (unsigned i = 0; i < SEG_MAX_IFACES; i++) {
		tables->iface[i].name[SEG_NAME_SIZE - 1] = '\0';
		tables->iface[i].naddresses = (uint16_t)(generation % SEG_IFACE_ADDRESSES);
	}
	for (unsigned i = 0; i < SEG_MAX_CHANNELS; i++) {
		tables->channel_name[i][SEG_NAME_SIZE - 1] = '\0';
	}
}

static bool
tables_whole(const struct seg_tables *tables)
{
	static struct seg_tables wanted;
	if (tables->generation == 0) {
		return true; /* before the first one */
	}
	fill_tables(&wanted, tables->generation);
	return memcmp(&wanted, tables, offsetof(struct seg_tables, time_ns) + sizeof(wanted.time_ns)) == 0;
}

static void
write_generation(const struct seg *seg, uint64_t generation)
{
	static struct seg_tables tables;
	char text[400];
	size_t size = 100 + generation % 200;
	fill_tables(&tables, generation);
	memset(text, 'a' + (int)(generation % 26), size);
	must(seg_write_tables(seg, &tables, text, size));
}

static bool
text_whole(const char *text)
{
	return !text || strspn(text, (char[]){text[0], '\0'}) == strlen(text);
}

/* Reads until it has seen `changes` of them, or the writer is dead. */
static void
read_tables(unsigned changes)
{
	static struct seg_tables tables;
	struct seg seg;
	struct err err;
	uint64_t last = 0;
	must(seg_attach(&seg, segment, &err) == ERR_NONE);
	for (unsigned seen = 0; seen < changes;) {
		bool whole = seg_read_tables(&seg, &tables);
		must(!whole || tables_whole(&tables));
		must(!whole || tables.generation >= last);
		char *text = seg_read_config(&seg);
		bool dead = strcmp(seg_state_name(&seg), "dead") == 0;
		/* The text may be a torn one only when the writer died over it. */
		must(text_whole(text) || dead);
		free(text);
		must(whole || dead);
		if (dead) {
			break;
		}
		seen += whole && tables.generation != last;
		last = whole ? tables.generation : last;
	}
	seg_detach(&seg);
}

static void
part_tables(void)
{
	struct seg seg;
	pid_t reader[READERS];
	create(&seg, 1);
	for (int i = 0; i < READERS; i++) {
		reader[i] = fork();
		must(reader[i] >= 0);
		if (reader[i] == 0) {
			read_tables(200);
			exit(0);
		}
	}
	uint64_t generation = 0;
	for (int left = READERS; left > 0;) {
		write_generation(&seg, ++generation);
		/* Now and then there is time to read a whole one. */
		usleep(generation % 4 ? 0 : 2000);
		int status;
		pid_t pid = waitpid(-1, &status, WNOHANG);
		if (pid > 0) {
			must(WIFEXITED(status) && WEXITSTATUS(status) == 0);
			left--;
		}
	}
}

/* ---- the bridge table ------------------------------------------------------------------------------------------- */

#define KEYS 40 /* more than fit, so that slots change hands */

static uint16_t
channel_of(uint64_t key)
{
	return (uint16_t)(1 + fdb_key_mac(key) % 250);
}

static void
churn(const struct seg *seg, uint64_t rounds)
{
	struct fdb fdb;
	uint64_t random = 88172645463325252ull;
	fdb_init(&fdb, seg_hot(seg, 1), seg_cold(seg, 1), seg->head.fdb_buckets, seg->head.fdb_seed, &seg_core(seg, 1)->fdb);
	for (uint64_t i = 1; i <= rounds; i++) {
		random ^= random << 13, random ^= random >> 7, random ^= random << 17; /* xorshift64, Marsaglia 2003 */
		uint64_t key = fdb_key(0x020000000000 + random % KEYS, 1);
		uint32_t slot = fdb_find(&fdb, key);
		struct seg_cold cold = {.stamp = i << 8 | 1, .used_ns = i * 5, .born_ns = i * 7};
		if (slot != FDB_NONE) {
			fdb_remove(&fdb, slot);
		} else {
			(void)fdb_insert(&fdb, key, fdb_value(channel_of(key), (uint32_t)i, 0), &cold);
		}
	}
}

/* The number of entries found in one go over the table. */
static uint64_t
check_fdb(const struct seg *seg)
{
	uint64_t found = 0;
	for (uint64_t slot = 0; slot < (uint64_t)seg->head.fdb_buckets * SEG_WAYS; slot++) {
		struct seg_fdb_entry entry;
		if (!seg_read_fdb(seg, 1, slot, &entry)) {
			continue;
		}
		found++;
		uint64_t i = entry.cold.stamp >> 8;
		must(SEG_VALUE_CHANNEL(entry.value) == channel_of(entry.key));
		must(SEG_VALUE_FLUSH(entry.value) == (uint32_t)i);
		must(entry.cold.used_ns == i * 5 && entry.cold.born_ns == i * 7 && entry.state == SEG_FDB_LIVE);
	}
	return found;
}

static void
read_fdb(void)
{
	struct seg seg;
	struct err err;
	must(seg_attach(&seg, segment, &err) == ERR_NONE);
	/* Until the writer has finished, which it tells by the control core's loops. */
	while (seg_get_acquire(&seg_core(&seg, 0)->loops) == 0) {
		(void)check_fdb(&seg);
	}
	must(check_fdb(&seg) == seg_core(&seg, 1)->fdb.entries);
	seg_detach(&seg);
}

static void
part_fdb(void)
{
	struct seg seg;
	pid_t reader[READERS];
	create(&seg, 1);
	for (int i = 0; i < READERS; i++) {
		reader[i] = fork();
		must(reader[i] >= 0);
		if (reader[i] == 0) {
			read_fdb();
			exit(0);
		}
	}
	churn(&seg, 400000);
	seg_put_release(&seg_core(&seg, 0)->loops, (uint64_t)1);
	for (int i = 0; i < READERS; i++) {
		reap(reader[i]);
	}
}

/* ---- traces ----------------------------------------------------------------------------------------------------- */

static void
read_trace(void)
{
	static struct seg_msg msg[SEG_TRACE];
	struct seg seg;
	struct err err;
	uint64_t next = 0, seen = 0, lost;
	must(seg_attach(&seg, segment, &err) == ERR_NONE);
	for (bool last = false; !last;) {
		last = seg_get_acquire(&seg_core(&seg, 0)->loops) != 0;
		size_t n = seg_read_trace(&seg, 1, &next, msg, SEG_TRACE, &lost);
		for (size_t i = 0; i < n; i++) {
			struct seg_msg wanted = make_message(1, seen + lost + i);
			must(memcmp(&msg[i], &wanted, sizeof(wanted)) == 0);
		}
		seen += lost + n;
		must(seen == next);
	}
	must(seen == RECORDS);
	seg_detach(&seg);
}

static void
part_traces(void)
{
	struct seg seg;
	pid_t reader[READERS];
	create(&seg, 1);
	for (int i = 0; i < READERS; i++) {
		reader[i] = fork();
		must(reader[i] >= 0);
		if (reader[i] == 0) {
			read_trace();
			exit(0);
		}
	}
	struct seg_core *core = seg_core(&seg, 1);
	for (uint64_t i = 0; i < RECORDS; i++) {
		core->trace[i % SEG_TRACE] = make_message(1, i);
		seg_put_release(&core->trace_next, i + 1);
	}
	seg_put_release(&seg_core(&seg, 0)->loops, (uint64_t)1);
	for (int i = 0; i < READERS; i++) {
		reap(reader[i]);
	}
}

/* ---- a writer that dies ----------------------------------------------------------------------------------------- */

/* Forks a writer that has made its segment and written one configuration when this returns. */
static pid_t
start_writer(void (*go_on)(const struct seg *seg))
{
	int ready[2];
	char byte;
	must(pipe(ready) == 0);
	pid_t pid = fork();
	must(pid >= 0);
	if (pid == 0) {
		struct seg seg;
		create(&seg, 1);
		seg_put(&((struct seg_header *)(void *)seg.base)->state, (uint32_t)SEG_READY);
		write_generation(&seg, 1);
		must(write(ready[1], "", 1) == 1);
		go_on(&seg);
		exit(1);
	}
	close(ready[1]);
	must(read(ready[0], &byte, 1) == 1);
	close(ready[0]);
	return pid;
}

static void
kill_writer(pid_t pid)
{
	int status;
	must(kill(pid, SIGKILL) == 0);
	must(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
}

static void
write_for_ever(const struct seg *seg)
{
	for (uint64_t generation = 2;; generation++) {
		write_generation(seg, generation);
	}
}

static void
part_killed(void)
{
	for (unsigned round = 0; round < 12; round++) {
		pid_t writer = start_writer(write_for_ever), reader[READERS];
		for (int i = 0; i < READERS; i++) {
			reader[i] = fork();
			must(reader[i] >= 0);
			if (reader[i] == 0) {
				read_tables(UINT32_MAX); /* ends by the writer's death only */
				exit(0);
			}
		}
		usleep(1000 + round * 1777);
		kill_writer(writer);
		for (int i = 0; i < READERS; i++) {
			reap(reader[i]);
		}
	}
}

static void
stop_in_the_middle(const struct seg *seg)
{
	struct seg_control *control = seg_control(seg);
	seg_put(&control->config_seq, seg_get(&control->config_seq) + 1);
	seg_put_release(&control->port[7].speed_bps, (uint64_t)99);
	raise(SIGSTOP);
	pause();
}

static void
part_stalled(void)
{
	static struct seg_tables tables;
	struct seg seg;
	struct err err;
	int status;
	pid_t writer = start_writer(stop_in_the_middle);
	must(waitpid(writer, &status, WUNTRACED) == writer && WIFSTOPPED(status));
	must(seg_attach(&seg, segment, &err) == ERR_NONE);
	must(strcmp(seg_state_name(&seg), "ready") == 0);
	must(!seg_read_tables(&seg, &tables) && tables.port[7].speed_bps == 99);
	kill_writer(writer);
	must(strcmp(seg_state_name(&seg), "dead") == 0);
	uint64_t begun = now_ms();
	must(!seg_read_tables(&seg, &tables));
	must(strcmp(tables.port[8].name, "p8-1") == 0 && now_ms() - begun < LIMIT_S * 1000);
	char *text = seg_read_config(&seg);
	must(text && strlen(text) == 101);
	free(text);
	seg_detach(&seg);
	/* The next engine starts, and the old reader can know. */
	writer = start_writer(write_for_ever);
	must(seg_attach(&seg, segment, &err) == ERR_NONE && !seg_replaced(&seg));
	kill_writer(writer);
	writer = start_writer(write_for_ever);
	must(seg_replaced(&seg));
	kill_writer(writer);
}

/* ---- creators --------------------------------------------------------------------------------------------------- */

#define CREATORS 4

struct race { /* shared by the creators */
	int ready, won, lost;
};

/* Wins or loses; a winner lives until all the others have lost, and leaves its segment behind. */
static void
creator(struct race *race)
{
	struct seg seg;
	struct err err = {0};
	const struct seg_shape shape = {.ncores = 1, .ring_slots = SLOTS, .fdb_buckets = 8, .nbr_slots = 16, .route_slots = 16};
	__atomic_add_fetch(&race->ready, 1, __ATOMIC_ACQ_REL);
	while (__atomic_load_n(&race->ready, __ATOMIC_ACQUIRE) < CREATORS) {
		sched_yield();
	}
	enum err_code code = seg_create(&seg, segment, &shape, 24, &err);
	if (code == ERR_EXISTS) {
		must(strstr(err.message, "an engine runs already (pid "));
		__atomic_add_fetch(&race->lost, 1, __ATOMIC_ACQ_REL);
		exit(0);
	}
	must(code == ERR_NONE);
	__atomic_add_fetch(&race->won, 1, __ATOMIC_ACQ_REL);
	while (__atomic_load_n(&race->lost, __ATOMIC_ACQUIRE) < CREATORS - 1 &&
		__atomic_load_n(&race->won, __ATOMIC_ACQUIRE) == 1) {
		sched_yield();
	}
	exit(0);
}

static void
part_creators(void)
{
	struct race *race = mmap(NULL, sizeof(*race), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(race != MAP_FAILED);
	for (unsigned round = 0; round < 25; round++) {
		pid_t pid[CREATORS];
		*race = (struct race){0};
		for (int i = 0; i < CREATORS; i++) {
			pid[i] = fork();
			must(pid[i] >= 0);
			if (pid[i] == 0) {
				creator(race);
			}
		}
		for (int i = 0; i < CREATORS; i++) {
			reap(pid[i]);
		}
		must(race->won == 1 && race->lost == CREATORS - 1);
	}
}

/* ---- the supervisor --------------------------------------------------------------------------------------------- */

static const struct part {
	const char *name;
	void (*run)(void);
} parts[] = {
	{"rings", part_rings},
	{"processes", part_processes},
	{"tables", part_tables},
	{"fdb", part_fdb},
	{"traces", part_traces},
	{"killed", part_killed},
	{"stalled", part_stalled},
	{"creators", part_creators},
};

static volatile sig_atomic_t interrupted;

static void
on_signal(int signal_number)
{
	interrupted = signal_number != SIGALRM;
}

/* Runs a part as a process group of its own; false when it fails or takes too long. */
static bool
supervise(const struct part *part, unsigned number)
{
	int status = 0;
	uint64_t begun = now_ms();
	snprintf(segment, sizeof(segment), "stress-%d-%s", (int)getpid(), part->name);
	pid_t pid = fork();
	if (pid == 0) {
		setpgid(0, 0);
		part->run();
		exit(0);
	}
	setpgid(pid, pid);
	alarm(LIMIT_S);
	bool ended = pid > 0 && waitpid(pid, &status, 0) == pid;
	alarm(0);
	kill(-pid, SIGKILL); /* what it left, if anything */
	if (!ended) {
		waitpid(pid, NULL, 0);
	}
	seg_remove(segment);
	bool ok = ended && WIFEXITED(status) && WEXITSTATUS(status) == 0;
	const char *how = ok ? "passed" : ended ? "failed" : "did not end";
	printf("%s %u - %s: %s in %llu ms\n", ok ? "ok" : "not ok", number, part->name, how,
		(unsigned long long)(now_ms() - begun));
	fflush(stdout);
	return ok;
}

int
main(int argc, char **argv)
{
	const struct sigaction action = {.sa_handler = on_signal}; /* no SA_RESTART: it ends the wait */
	const int signals[] = {SIGALRM, SIGINT, SIGTERM, SIGHUP};
	unsigned run = 0, passed = 0;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		sigaction(signals[i], &action, NULL);
	}
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && !interrupted; i++) {
		if (argc < 2 || strcmp(argv[1], parts[i].name) == 0) {
			passed += supervise(&parts[i], ++run);
		}
	}
	printf("1..%u\n", run);
	return passed == run && run > 0 ? 0 : 1;
}
