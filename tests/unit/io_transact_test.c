/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/io/transact.c lib/io/transact_file.c lib/vf/ledger.c lib/vf/ledger_line.c lib/vf/step.c lib/vf/plan.c */
/* links: lib/vf/plan_lease.c lib/vf/plan_numvfs.c lib/vf/plan_port.c lib/vf/host.c lib/vf/names.c lib/vf/pci.c lib/vf/portset.c
 */
/* links: lib/vf/vfset.c lib/vf/keys.c lib/vf/rules.c lib/vf/rules_set.c lib/vf/rules_driver.c lib/base/addr.c lib/base/err.c */
/* links: lib/base/num.c -ljansson */
/*
 * The ledger on a machine of memory, killed everywhere: a child does an operation and ends in the middle, at every step and in
 * every line that is written; the next one mends, and is killed in the middle, too.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/perform.h"
#include "io/transact.h"
#include "vf/plan.h"
#include "vf_hosts.h"

#define VFS 7
#define KILLED 42
#define UNSYNCED 77
#define FAILED 78
#define GBIT UINT64_C(1000000000)

/* ---- the machine ------------------------------------------------------------------------------------------------------ */

struct fake_vf {
	struct vfset set;
	char driver[HOST_DRIVER_SIZE], override[HOST_DRIVER_SIZE];
};

struct machine {
	unsigned num_vfs;
	bool autoprobe;
	struct fake_vf vf[VFS];
	char driver[HOST_DRIVER_SIZE], override[HOST_DRIVER_SIZE]; /* of the crypto device */
	struct portset port;
};

/* Shared with the children. */
static struct shared {
	struct machine m;
	unsigned performed;
	bool no_crypto; /* it was unplugged */
} * shared;

static int countdown = -1; /* until the child is killed; below 0: never */
static bool unsynced;
static enum err_code fail_with;    /* of the next steps ... */
static enum step_kind fail_kind;   /* ... of this kind ... */
static int fail_after, fail_times; /* ... after so many of them, so many times */

static void
may_die(void)
{
	if (countdown >= 0 && countdown-- == 0) {
		_exit(KILLED);
	}
}

/* Stands in for libc's: dies before, in the middle of, and after a line. */
ssize_t
write(int fd, const void *data, size_t size)
{
	may_die();
	if (countdown == 0) {
		syscall(SYS_write, fd, data, size / 2);
	}
	may_die();
	ssize_t n = syscall(SYS_write, fd, data, size);
	unsynced = true;
	may_die();
	return n;
}

int
fsync(int fd)
{
	(void)fd;
	unsynced = false;
	return 0;
}

static void
new_vf(struct fake_vf *vf, bool autoprobe)
{
	memset(vf, 0, sizeof(*vf));
	vf->set = hosts_new_vf();
	snprintf(vf->driver, sizeof(vf->driver), "%s", autoprobe ? "igbvf" : "");
}

static void
make_vfs(unsigned n)
{
	if (shared->m.num_vfs != n && shared->m.num_vfs) {
		shared->m.num_vfs = 0;
		memset(shared->m.vf, 0, sizeof(shared->m.vf));
		may_die();
	}
	for (unsigned i = shared->m.num_vfs; i < n; i++) {
		new_vf(&shared->m.vf[i], shared->m.autoprobe);
	}
	shared->m.num_vfs = n;
}

static void
set_driver(char *driver, char *override, const struct step_value *to)
{
	memset(driver, 0, HOST_DRIVER_SIZE);
	may_die();
	memset(override, 0, HOST_DRIVER_SIZE);
	snprintf(driver, HOST_DRIVER_SIZE, "%s", strcmp(to->text, STEP_KERNEL) == 0 ? "" : to->text);
	snprintf(override, HOST_DRIVER_SIZE, "%s", to->text2);
}

static enum err_code
perform(const struct step *step, struct err *err)
{
	struct machine *m = &shared->m;
	bool there = step->func == HOSTS_CRYPTO ? !shared->no_crypto : step->func == HOSTS_IGB_PF;
	if (!there || (step->index >= 0 && step->index >= (int)m->num_vfs)) {
		return err_set(err, ERR_NOT_FOUND, "no such function");
	}
	if (fail_with && step->kind == fail_kind && fail_after-- <= 0 && fail_times-- > 0) {
		return err_set(err, fail_with, "the driver says no");
	}
	struct fake_vf *vf = step->index >= 0 ? &m->vf[step->index] : NULL;
	switch (step->kind) {
	case STEP_NUMVFS:
		make_vfs(step->to.number);
		break;
	case STEP_AUTOPROBE:
		m->autoprobe = step->to.number;
		break;
	case STEP_DRIVER:
		set_driver(vf ? vf->driver : m->driver, vf ? vf->override : m->override, &step->to);
		break;
	case STEP_VFSET:
		vfset_copy(&vf->set, &step->to.set, step->to.set.has);
		break;
	case STEP_PORTSET:
		portset_copy(&m->port, &step->to.port, step->to.port.has);
		if (m->port.autoneg) {
			m->port.speed_bps = GBIT; /* as the other side has it */
			m->port.duplex = HOST_DUPLEX_FULL;
		}
		break;
	}
	return ERR_NONE;
}

enum err_code
perform_step(const struct step *step, int timeout_ms, struct err *err)
{
	(void)timeout_ms;
	if (unsynced) {
		_exit(UNSYNCED);
	}
	may_die();
	enum err_code code = perform(step, err);
	shared->performed++;
	may_die();
	return code;
}

static void
boot(void)
{
	memset(shared, 0, sizeof(*shared));
	shared->m.autoprobe = true;
	struct host host = {0};
	hosts_igb(&host, 0);
	shared->m.port = host_at(&host, HOSTS_IGB_PF)->iface->set;
	host_free(&host);
}

/* The machine as lib/io/host.h would read it. */
static void
read_host(struct host *host)
{
	const struct machine *m = &shared->m;
	hosts_igb(host, m->num_vfs);
	struct host_func *pf = host_at(host, HOSTS_IGB_PF), *crypto = host_at(host, HOSTS_CRYPTO);
	pf->autoprobe = m->autoprobe;
	pf->iface->set = m->port;
	snprintf(crypto->driver, sizeof(crypto->driver), "%s", m->driver);
	snprintf(crypto->override, sizeof(crypto->override), "%s", m->override);
	for (unsigned i = 0; i < m->num_vfs; i++) {
		struct host_func *vf = host_vf(host, HOSTS_IGB_PF, i);
		vf->set = m->vf[i].set;
		snprintf(vf->driver, sizeof(vf->driver), "%s", m->vf[i].driver);
		snprintf(vf->override, sizeof(vf->override), "%s", m->vf[i].override);
	}
}

/* ---- the folder ------------------------------------------------------------------------------------------------------- */

static char folder[64];

struct image {
	char text[65536];
	size_t size;
	struct shared machine;
};

static void
path_of(const char *name, char path[96])
{
	snprintf(path, 96, "%s/%s", folder, name);
}

static void
save_image(struct image *image)
{
	char path[96];
	path_of("ledger", path);
	FILE *from = fopen(path, "re");
	image->size = from ? fread(image->text, 1, sizeof(image->text), from) : 0;
	assert_true(image->size < sizeof(image->text));
	if (from) {
		fclose(from);
	}
	image->machine = *shared;
}

static void
put_image(const struct image *image)
{
	char path[96];
	path_of("ledger", path);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(syscall(SYS_write, fd, image->text, image->size), image->size);
	close(fd);
	*shared = image->machine;
}

static int
set_up(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/pekit-transact-XXXXXX");
	assert_non_null(mkdtemp(folder));
	setenv("PEKIT_VF_STATE", folder, 1);
	countdown = -1;
	fail_with = ERR_NONE;
	boot();
	return 0;
}

static int
tear_down(void **state)
{
	char path[96];
	(void)state;
	path_of("ledger", path);
	unlink(path);
	path_of("lock", path);
	unlink(path);
	rmdir(folder);
	return 0;
}

/* ---- operations ------------------------------------------------------------------------------------------------------- */

typedef enum err_code
plan_it(const struct plan_input *in, struct ledger_entry *entry, struct err *err);

static enum err_code
run(plan_it *plan, char note[160], struct err *err)
{
	struct transact t = {.lock = -1};
	struct host host;
	struct ledger_entry entry;
	uint64_t mended;
	enum err_code code = transact_open(0, &t, NULL, NULL, &mended, err);
	if (code) {
		return code;
	}
	read_host(&host);
	struct plan_input in = {.host = &host, .ledger = &t.ledger};
	code = plan(&in, &entry, err);
	if (!code) {
		code = transact_run(&t, &entry, 0, NULL, NULL, err);
		if (note) {
			snprintf(note, 160, "%s", entry.note);
		}
		ledger_entry_free(&entry);
	}
	host_free(&host);
	transact_close(&t);
	return code;
}

static void
must(plan_it *plan)
{
	struct err err = {0};
	if (run(plan, NULL, &err)) {
		fail_msg("%s", err.message);
	}
}

static struct host_func *
vf_at(const struct plan_input *in, unsigned index)
{
	struct host_func *vf = host_vf(in->host, HOSTS_IGB_PF, index);
	assert_non_null(vf);
	return vf;
}

static enum err_code
numvfs(const struct plan_input *in, unsigned n, int autoprobe, struct ledger_entry *entry, struct err *err)
{
	return plan_numvfs(in, host_at(in->host, HOSTS_IGB_PF), n, autoprobe, entry, err);
}

static enum err_code
four_vfs(const struct plan_input *in, struct ledger_entry *entry, struct err *err)
{
	return numvfs(in, 4, -1, entry, err);
}

static enum err_code
two_vfs(const struct plan_input *in, struct ledger_entry *entry, struct err *err)
{
	return numvfs(in, 2, 0, entry, err);
}

static enum err_code
six_vfs(const struct plan_input *in, struct ledger_entry *entry, struct err *err)
{
	return numvfs(in, 6, -1, entry, err);
}

static enum err_code
no_vfs(const struct plan_input *in, struct ledger_entry *entry, struct err *err)
{
	return numvfs(in, 0, 0, entry, err);
}

static enum err_code
set_0(const struct plan_input *in, struct ledger_entry *entry, struct err *err)
{
	struct vfset want = {.has = VFSET_MAC | VFSET_VLAN | VFSET_RATE | VFSET_TRUST | VFSET_SPOOFCHK,
		.mac = 0x020000000a00,
		.vlan = 10,
		.qos = 3,
		.proto = 0x8100,
		.max_rate_bps = GBIT / 2,
		.trust = true};
	return plan_set(in, vf_at(in, 0), &want, entry, err);
}

static enum err_code
set_1(const struct plan_input *in, struct ledger_entry *entry, struct err *err)
{
	struct vfset want = {.has = VFSET_MAC, .mac = 0x020000000a01};
	return plan_set(in, vf_at(in, 1), &want, entry, err);
}

static enum err_code
bind_1(const struct plan_input *in, struct ledger_entry *entry, struct err *err)
{
	return plan_bind(in, vf_at(in, 1), "vfio-pci", entry, err);
}

static enum err_code
bind_2(const struct plan_input *in, struct ledger_entry *entry, struct err *err)
{
	return plan_bind(in, vf_at(in, 2), "vfio-pci", entry, err);
}

static enum err_code
bind_2_kernel(const struct plan_input *in, struct ledger_entry *entry, struct err *err)
{
	return plan_bind(in, vf_at(in, 2), "kernel", entry, err);
}

static enum err_code
unbind_2(const struct plan_input *in, struct ledger_entry *entry, struct err *err)
{
	return plan_unbind(in, vf_at(in, 2), entry, err);
}

static enum err_code
bind_crypto(const struct plan_input *in, struct ledger_entry *entry, struct err *err)
{
	return plan_bind(in, host_at(in->host, HOSTS_CRYPTO), "vfio-pci", entry, err);
}

static enum err_code
unbind_crypto(const struct plan_input *in, struct ledger_entry *entry, struct err *err)
{
	return plan_unbind(in, host_at(in->host, HOSTS_CRYPTO), entry, err);
}

static enum err_code
lease_2(const struct plan_input *in, struct ledger_entry *entry, struct err *err)
{
	struct plan_lease lease = {.holder = "vpx1",
		.driver = "vfio-pci",
		.want = {.has = VFSET_MAC | VFSET_VLAN | VFSET_TRUST,
			.mac = 0x020000000002,
			.vlan = 100,
			.proto = 0x8100,
			.trust = true}};
	return plan_lease(in, vf_at(in, 2), &lease, entry, err);
}

static enum err_code
lease_2_more(const struct plan_input *in, struct ledger_entry *entry, struct err *err)
{
	struct plan_lease lease = {.holder = "vpx1",
		.want = {.has = VFSET_VLAN | VFSET_RATE, .vlan = 200, .proto = 0x8100, .max_rate_bps = GBIT / 4}};
	lease.vlans.bits[0] = 1 << 20;
	return plan_lease(in, vf_at(in, 2), &lease, entry, err);
}

static enum err_code
set_2(const struct plan_input *in, struct ledger_entry *entry, struct err *err)
{
	struct vfset want = {.has = VFSET_RATE | VFSET_SPOOFCHK, .max_rate_bps = GBIT / 10};
	return plan_set(in, vf_at(in, 2), &want, entry, err);
}

static enum err_code
release_2(const struct plan_input *in, struct ledger_entry *entry, struct err *err)
{
	struct host_func ghost = {.role = HOST_VF, .pf = HOSTS_IGB_PF, .index = 2};
	struct host_func *vf = host_vf(in->host, HOSTS_IGB_PF, 2);
	return plan_release(in, vf ? vf : &ghost, "vpx1", 0, entry, err);
}

static enum err_code
lease_crypto(const struct plan_input *in, struct ledger_entry *entry, struct err *err)
{
	return plan_lease(
		in, host_at(in->host, HOSTS_CRYPTO), &(struct plan_lease){.holder = "vpx2", .driver = "vfio-pci"}, entry, err);
}

static enum err_code
release_crypto(const struct plan_input *in, struct ledger_entry *entry, struct err *err)
{
	return plan_release(in, host_at(in->host, HOSTS_CRYPTO), "vpx2", 0, entry, err);
}

static enum err_code
set_port(const struct plan_input *in, struct ledger_entry *entry, struct err *err)
{
	struct portset want = {.has = PORTSET_SPEED | PORTSET_DUPLEX | PORTSET_AUTONEG | PORTSET_MTU | PORTSET_PAUSE_RX,
		.speed_bps = GBIT / 10,
		.duplex = HOST_DUPLEX_FULL,
		.mtu = 9000,
		.pause_rx = true};
	return plan_port(in, host_at(in->host, HOSTS_IGB_PF), &want, entry, err);
}

static enum err_code
reset_port(const struct plan_input *in, struct ledger_entry *entry, struct err *err)
{
	return plan_port_reset(in, host_at(in->host, HOSTS_IGB_PF), entry, err);
}

static const struct scenario {
	const char *name;
	plan_it *before[8];
	plan_it *op;
} scenarios[] = {
	{"first VFs", {NULL}, four_vfs},
	{"fewer VFs", {four_vfs, set_0, set_1, bind_1}, two_vfs},
	{"more VFs", {two_vfs, set_0, bind_1}, six_vfs},
	{"no VFs", {four_vfs, set_0, bind_1}, no_vfs},
	{"set", {four_vfs}, set_0},
	{"bind", {four_vfs}, bind_2},
	{"unbind", {four_vfs, bind_2}, unbind_2},
	{"bind a device", {NULL}, bind_crypto},
	{"unbind a device", {bind_crypto}, unbind_crypto},
	{"lease", {four_vfs}, lease_2},
	{"lease changed", {four_vfs, lease_2}, lease_2_more},
	{"set a leased one", {four_vfs, lease_2}, set_2},
	{"bind a leased one", {four_vfs, lease_2}, bind_2_kernel},
	{"release", {four_vfs, lease_2, lease_2_more, set_2, bind_2_kernel}, release_2},
	{"release of what was bound", {two_vfs, six_vfs, bind_2, lease_2, bind_2_kernel}, release_2},
	{"second lease", {four_vfs, lease_2, release_2}, lease_2},
	{"lease a device", {NULL}, lease_crypto},
	{"release a device", {lease_crypto}, release_crypto},
	{"port set", {NULL}, set_port},
	{"port reset", {set_port}, reset_port},
};
#define SCENARIOS (sizeof(scenarios) / sizeof(scenarios[0]))

/* ---- killed everywhere -------------------------------------------------------------------------------------------------- */

static struct image before, after, killed;

/* The operation, or (NULL) the mending, in a child that is killed at a point; its exit status. */
static int
in_child(plan_it *op, int kill_at)
{
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct transact t = {.lock = -1};
		struct err err;
		uint64_t mended;
		countdown = kill_at;
		_exit((op ? run(op, NULL, &err) : transact_open(0, &t, NULL, NULL, &mended, &err)) ? FAILED : 0);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static bool
ends_with(const struct image *image, const char *phase)
{
	const char *last = memrchr(image->text, '\n', image->size - 1);
	last = last ? last : image->text;
	return memmem(last, image->size - (size_t)(last - image->text), phase, strlen(phase)) != NULL;
}

static const char *
describe(void)
{
	static char text[256];
	const struct fake_vf *vf = &shared->m.vf[0];
	snprintf(text, sizeof(text), "%u VFs, autoprobe %d, 0: %s/%s mac %llx, 1: %s, 2: %s vlan %u mtu %u", shared->m.num_vfs,
		shared->m.autoprobe, vf->driver, vf->override, (unsigned long long)vf->set.mac, vf[1].driver, vf[2].driver,
		vf[2].set.vlan, shared->m.port.mtu);
	return text;
}

static void
record_state(const struct ledger *ledger, struct ledger_record *record)
{
	const struct ledger_record *found = ledger_find(ledger, HOSTS_IGB_PF, 2);
	*record = found ? *found : (struct ledger_record){.func = HOSTS_IGB_PF, .index = 2};
	memset(record->at, 0, sizeof(record->at));
}

static void
read_record(const struct image *image, struct ledger_record *record)
{
	struct ledger ledger;
	struct err err;
	assert_int_equal(ledger_read(image->text, image->size, &ledger, &err), ERR_NONE);
	record_state(&ledger, record);
	ledger_free(&ledger);
}

/* After whatever has happened: mended, and the machine and the ledger agree. */
static void
check_mended(const char *name, int at, int again)
{
	static struct image now;
	struct transact t = {.lock = -1};
	struct err err = {0};
	uint64_t mended;
	if (transact_open(0, &t, NULL, NULL, &mended, &err)) {
		fail_msg("%s, killed at %d and %d: %s", name, at, again, err.message);
	}
	struct ledger_record record, want;
	record_state(&t.ledger, &record);
	assert_true(t.ledger.open.seq == 0 && t.left[0] == '\0');
	transact_close(&t);
	save_image(&now);
	bool done = now.size != before.size && ends_with(&now, "\"done\"");
	if (now.size != before.size && !done) {
		assert_true(ends_with(&now, "\"undone\""));
	}
	if (memcmp(&shared->m, done ? &after.machine.m : &before.machine.m, sizeof(shared->m)) != 0) {
		fail_msg("%s, killed at %d and %d: the machine is not as %s: %s", name, at, again, done ? "after" : "before",
			describe());
	}
	read_record(done ? &after : &before, &want);
	assert_true(record.generation >= want.generation);
	want.generation = record.generation;
	if (memcmp(&record, &want, sizeof(record)) != 0) {
		fail_msg("%s, killed at %d and %d: the ledger is not as %s", name, at, again, done ? "after" : "before");
	}
}

/* Kills the mending of what is in the image, everywhere; and then once more. */
static void
kill_mending(const char *name, int at)
{
	int status = KILLED;
	for (int again = 0; status == KILLED; again++) {
		put_image(&killed);
		status = in_child(NULL, again);
		assert_true(status == KILLED || status == 0);
		assert_true(again < 200);
		check_mended(name, at, again);
	}
}

static void
prepare(const struct scenario *s)
{
	static const struct image none;
	put_image(&none);
	boot();
	for (size_t i = 0; i < 8 && s->before[i]; i++) {
		must(s->before[i]);
	}
	save_image(&before);
}

static void
a_kill_anywhere_is_mended(void **state)
{
	(void)state;
	for (size_t i = 0; i < SCENARIOS; i++) {
		const struct scenario *s = &scenarios[i];
		int status = KILLED, at = 0;
		prepare(s);
		assert_int_equal(in_child(s->op, -1), 0);
		save_image(&after);
		assert_true(after.size > before.size);
		for (; status == KILLED; at++) {
			put_image(&before);
			status = in_child(s->op, at);
			if (status != KILLED && status != 0) {
				fail_msg("%s, to be killed at %d: status %d", s->name, at, status);
			}
			save_image(&killed);
			kill_mending(s->name, at);
		}
		assert_true(at > 8);
	}
}

static void
a_generation_is_never_given_twice(void **state)
{
	(void)state;
	uint64_t last = 0;
	must(four_vfs);
	for (int at = 0; at < 30; at++) {
		struct transact t = {.lock = -1};
		struct err err;
		uint64_t mended;
		int status = in_child(lease_2, at);
		assert_true(status == KILLED || status == 0);
		assert_int_equal(transact_open(0, &t, NULL, NULL, &mended, &err), ERR_NONE);
		const struct ledger_record *record = ledger_find(&t.ledger, HOSTS_IGB_PF, 2);
		uint64_t now = record ? record->generation : 0;
		assert_true(now == last || now == last + 1);
		assert_true(!mended || now == last + 1);
		last = now;
		bool leased = record && record->holder[0];
		transact_close(&t);
		if (leased) {
			must(release_2);
		}
	}
	assert_true(last > 10);
}

/* ---- boots, vanished functions, drivers that do not want -------------------------------------------------------------- */

/* The ledger's lines are of a former boot now. */
static void
age_ledger(void)
{
	static struct image image;
	static const char key[] = "\"boot\":\"";
	save_image(&image);
	for (char *at = image.text; (at = memmem(at, image.size - (size_t)(at - image.text), key, strlen(key))); at++) {
		memcpy(at + strlen(key), "00000000", 8);
	}
	put_image(&image);
}

static void
a_boot_leaves_nothing_to_undo(void **state)
{
	(void)state;
	for (size_t i = 0; i < SCENARIOS; i++) {
		const struct scenario *s = &scenarios[i];
		struct transact t = {.lock = -1};
		struct err err;
		uint64_t mended;
		prepare(s);
		put_image(&before);
		assert_int_equal(in_child(s->op, 5), KILLED); /* the first step is done */
		age_ledger();
		boot();
		assert_int_equal(transact_open(0, &t, NULL, NULL, &mended, &err), ERR_NONE);
		assert_true(mended > 0 && t.ledger.open.seq == 0);
		assert_int_equal(shared->performed, 0);
		const struct ledger_record *record = ledger_find(&t.ledger, HOSTS_IGB_PF, 2);
		if (s->op == release_2) {
			assert_string_equal(record->holder, "");
		} else if (s->before[1] == lease_2 && s->before[2] == NULL) {
			assert_string_equal(record->holder, "vpx1");
			assert_int_equal(record->before.has, VFSET_MAC | VFSET_VLAN | VFSET_TRUST);
		}
		transact_close(&t);
	}
}

static void
a_lease_outlives_a_boot(void **state)
{
	(void)state;
	must(four_vfs);
	must(lease_2);
	age_ledger();
	boot();
	must(four_vfs);
	static struct image fresh;
	save_image(&fresh);
	must(lease_2);
	assert_int_equal(shared->m.vf[2].set.vlan, 100);
	assert_string_equal(shared->m.vf[2].driver, "vfio-pci");
	must(release_2);
	assert_memory_equal(&shared->m, &fresh.machine.m, sizeof(shared->m));
}

static void
what_is_no_more_can_be_released(void **state)
{
	(void)state;
	char note[160];
	struct err err = {0};
	must(four_vfs);
	must(lease_2);
	/* gone before the release is planned: a hand has destroyed the VFs */
	struct image held;
	save_image(&held);
	shared->m.num_vfs = 2;
	assert_int_equal(run(release_2, note, &err), ERR_NONE);
	assert_non_null(strstr(note, "no more"));
	/* gone while it is released: in the middle of it, killed, and mended */
	put_image(&held);
	assert_int_equal(in_child(release_2, 6), KILLED);
	shared->m.num_vfs = 2;
	struct transact t = {.lock = -1};
	uint64_t mended;
	assert_int_equal(transact_open(0, &t, NULL, NULL, &mended, &err), ERR_NONE);
	assert_true(mended > 0);
	assert_string_equal(ledger_find(&t.ledger, HOSTS_IGB_PF, 2)->holder, "");
	assert_non_null(memmem(t.text, t.size, "is no more", 10));
	transact_close(&t);
}

static enum err_code
release_2_late(const struct plan_input *in, struct ledger_entry *entry, struct err *err)
{
	enum err_code code = release_2(in, entry, err);
	shared->m.num_vfs = 2; /* after the plan */
	return code;
}

static void
what_goes_while_it_is_released_is_said(void **state)
{
	(void)state;
	char note[160];
	struct err err = {0};
	must(four_vfs);
	must(lease_2);
	assert_int_equal(run(release_2_late, note, &err), ERR_NONE);
	assert_string_equal(note, "0000:01:00.0:2 is no more");
	must(lease_crypto);
	assert_int_equal(in_child(release_crypto, 5), KILLED);
	shared->no_crypto = true;
	must(set_1); /* mends on its way */
}

static void
a_step_that_fails_takes_all_back(void **state)
{
	(void)state;
	static struct image start;
	struct err err = {0};
	must(four_vfs);
	save_image(&start);
	fail_with = ERR_REFUSED;
	fail_kind = STEP_VFSET;
	fail_after = 2;
	fail_times = 1;
	assert_int_equal(run(lease_2, NULL, &err), ERR_REFUSED);
	assert_string_equal(err.message, "the driver says no");
	assert_memory_equal(&shared->m, &start.machine.m, sizeof(shared->m));
	fail_with = ERR_NONE;
	must(lease_2);
}

static void
what_cannot_be_taken_back_is_said(void **state)
{
	(void)state;
	struct err err = {0};
	struct transact t = {.lock = -1};
	uint64_t mended;
	must(four_vfs);
	/* for good: the second setting, its way back, and the way back of the first */
	fail_with = ERR_REFUSED;
	fail_kind = STEP_VFSET;
	fail_after = 1;
	fail_times = 3;
	assert_int_equal(run(lease_2, NULL, &err), ERR_REFUSED);
	assert_non_null(strstr(err.message, "not taken back"));
	assert_non_null(strstr(err.message, "mac"));
	fail_with = ERR_NONE;
	assert_int_equal(transact_open(0, &t, NULL, NULL, &mended, &err), ERR_NONE);
	assert_int_equal(mended, 0);
	assert_non_null(memmem(t.text, t.size, "not taken back", 14));
	transact_close(&t);
	/* this time: it stays halfway, and is in everybody's way until it goes, or is given up */
	fail_with = ERR_TIMEOUT;
	fail_after = 0;
	fail_times = 100;
	assert_int_equal(run(set_1, NULL, &err), ERR_TIMEOUT);
	assert_int_equal(run(bind_crypto, NULL, &err), ERR_TIMEOUT);
	assert_non_null(strstr(err.message, "left halfway"));
	assert_string_equal(shared->m.driver, "");
	t.force = true;
	assert_int_equal(transact_open(0, &t, NULL, NULL, &mended, &err), ERR_NONE);
	assert_true(mended > 0);
	assert_non_null(strstr(t.left, "mac"));
	transact_close(&t);
	must(bind_crypto);
}

static void
what_stays_halfway_is_mended_in_the_same_process(void **state)
{
	(void)state;
	struct transact t = {.lock = -1};
	struct host host;
	struct ledger_entry entry;
	struct err err = {0};
	uint64_t mended;
	must(four_vfs);
	assert_int_equal(transact_open(0, &t, NULL, NULL, &mended, &err), ERR_NONE);
	read_host(&host);
	struct plan_input in = {.host = &host, .ledger = &t.ledger};
	assert_int_equal(set_0(&in, &entry, &err), ERR_NONE);
	fail_with = ERR_TIMEOUT;
	fail_kind = STEP_VFSET;
	fail_after = 1;
	fail_times = 2;
	assert_int_equal(transact_run(&t, &entry, 0, NULL, NULL, &err), ERR_TIMEOUT);
	ledger_entry_free(&entry);
	assert_true(t.ledger.open.seq > 0);
	assert_int_equal(bind_1(&in, &entry, &err), ERR_NONE);
	assert_int_equal(transact_run(&t, &entry, 0, NULL, NULL, &err), ERR_NONE);
	ledger_entry_free(&entry);
	assert_true(t.ledger.open.seq == 0);
	assert_int_equal(shared->m.vf[0].set.mac, 0);
	host_free(&host);
	transact_close(&t);
}

/* ---- files -------------------------------------------------------------------------------------------------------------- */

static void
one_at_a_time(void **state)
{
	(void)state;
	struct transact t = {.lock = -1}, other = {.lock = -1};
	struct err err = {0};
	uint64_t mended;
	char pid[32];
	assert_int_equal(transact_open(0, &t, NULL, NULL, &mended, &err), ERR_NONE);
	assert_int_equal(transact_open(1, &other, NULL, NULL, &mended, &err), ERR_TIMEOUT);
	snprintf(pid, sizeof(pid), "(pid %d)", (int)getpid());
	assert_non_null(strstr(err.message, pid));
	assert_int_equal(transact_read("", &other, &err), ERR_NONE);
	transact_close(&other);
	transact_close(&t);
	assert_int_equal(transact_open(0, &t, NULL, NULL, &mended, &err), ERR_NONE);
	transact_close(&t);
}

static void
directories_are_made_for_everybody_to_read(void **state)
{
	(void)state;
	char deep[96], path[96];
	struct stat st;
	struct err err;
	mode_t mask = umask(077);
	path_of("a/b", deep);
	setenv("PEKIT_VF_STATE", deep, 1);
	must(bind_crypto);
	umask(mask);
	path_of("a", path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	path_of("a/b/ledger", path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	unlink(path);
	struct transact t = {.lock = -1};
	assert_int_equal(transact_read(deep, &t, &err), ERR_NONE);
	assert_int_equal(t.ledger.seq, 0);
	transact_close(&t);
	path_of("a/b/lock", path);
	unlink(path);
	rmdir(deep);
	path_of("a", path);
	rmdir(path);
}

static void
a_ledger_that_cannot_be_read_stops_everything(void **state)
{
	(void)state;
	static struct image bad = {.text = "{\"seq\":1}\n", .size = 10};
	struct err err = {0};
	put_image(&bad);
	boot();
	assert_int_equal(run(bind_crypto, NULL, &err), ERR_FAILED);
	assert_non_null(strstr(err.message, "line 1"));
	assert_int_equal(shared->performed, 0);
}

static void
what_could_not_be_read_again_is_not_written(void **state)
{
	(void)state;
	struct transact t = {.lock = -1};
	struct step step = {.kind = STEP_VFSET, .func = HOSTS_IGB_PF, .index = 0, .to = {.set = {.has = VFSET_VLAN, .proto = 7}}};
	struct ledger_entry entry = {.op = LEDGER_SET, .func = HOSTS_IGB_PF, .index = 0};
	struct err err = {0};
	uint64_t mended;
	assert_true(steps_add(&entry.steps, &step));
	assert_int_equal(transact_open(0, &t, NULL, NULL, &mended, &err), ERR_NONE);
	assert_int_equal(transact_run(&t, &entry, 0, NULL, NULL, &err), ERR_FAILED);
	assert_int_equal(t.size, 0);
	assert_int_equal(shared->performed, 0);
	ledger_entry_free(&entry);
	transact_close(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_kill_anywhere_is_mended, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_generation_is_never_given_twice, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_boot_leaves_nothing_to_undo, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_lease_outlives_a_boot, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_no_more_can_be_released, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_goes_while_it_is_released_is_said, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_step_that_fails_takes_all_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_cannot_be_taken_back_is_said, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_stays_halfway_is_mended_in_the_same_process, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_at_a_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(directories_are_made_for_everybody_to_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_ledger_that_cannot_be_read_stops_everything, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_could_not_be_read_again_is_not_written, set_up, tear_down),
	};
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED) {
		return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
