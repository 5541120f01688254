/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A machine of memory that steps change, a folder with its ledger, and operations on both; in a child they are killed where the
 * test likes. It stands in for lib/io/perform.h and for libc's write() and fsync(): one source of a test includes it.
 */
#ifndef PEKIT_TESTS_UNIT_VF_MACHINE_H
#define PEKIT_TESTS_UNIT_VF_MACHINE_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
static unsigned synced_folders;
static int lines_left = -1;        /* until the disk is full; below 0: it has room */
static bool full;                  /* already when room is asked for */
static int interrupting;           /* the signal that comes in the middle of each step; 0: none */
static enum err_code fail_with;    /* of the next steps ... */
static enum step_kind fail_kind;   /* ... of this kind ... */
static int fail_after, fail_times; /* ... after so many of them, so many times */

static inline void
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
	if (lines_left >= 0 && lines_left-- == 0) {
		lines_left = 0;
		errno = ENOSPC;
		return -1;
	}
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
fallocate(int fd, int mode, off_t at, off_t size)
{
	(void)fd, (void)mode, (void)at, (void)size;
	errno = ENOSPC;
	return full ? -1 : 0;
}

int
fsync(int fd)
{
	struct stat st;
	synced_folders += fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
	unsynced = false;
	return 0;
}

static inline void
new_vf(struct fake_vf *vf, bool autoprobe)
{
	memset(vf, 0, sizeof(*vf));
	vf->set = hosts_new_vf();
	snprintf(vf->driver, sizeof(vf->driver), "%s", autoprobe ? "igbvf" : "");
}

static inline void
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

static inline void
set_driver(char *driver, char *override, const struct step_value *to)
{
	memset(driver, 0, HOST_DRIVER_SIZE);
	may_die();
	memset(override, 0, HOST_DRIVER_SIZE);
	snprintf(driver, HOST_DRIVER_SIZE, "%s", strcmp(to->text, STEP_KERNEL) == 0 ? "" : to->text);
	snprintf(override, HOST_DRIVER_SIZE, "%s", to->text2);
}

static inline enum err_code
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
	if (interrupting) {
		raise(interrupting);
	}
	(void)timeout_ms;
	if (unsynced) {
		_exit(UNSYNCED);
	}
	may_die();
	enum err_code code = perform(step, err);
	shared->performed++;
	return code;
}

static inline void
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
static inline void
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

static inline void
path_of(const char *name, char path[96])
{
	snprintf(path, 96, "%s/%s", folder, name);
}

static inline void
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

static inline void
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

static inline int
set_up(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/pekit-transact-XXXXXX");
	assert_non_null(mkdtemp(folder));
	setenv("PEKIT_VF_STATE", folder, 1);
	countdown = -1;
	fail_with = ERR_NONE;
	lines_left = -1;
	full = false;
	boot();
	return 0;
}

static inline int
tear_down(void **state)
{
	char path[96];
	(void)state;
	static const char *const names[] = {"ledger", "ledger.new", "history", "lock", "steps"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		path_of(names[i], path);
		unlink(path);
	}
	rmdir(folder);
	return 0;
}

/* ---- operations ------------------------------------------------------------------------------------------------------- */

typedef enum err_code
plan_it(const struct plan_input *in, struct ledger_entry *entry, struct err *err);

/* What it knows is what who reads the ledger now knows. */
static inline void
check_known(const struct transact *t)
{
	struct transact now = {.lock = -1};
	struct err err = {0};
	assert_int_equal(transact_read("", &now, &err), ERR_NONE);
	assert_int_equal(t->size, now.size);
	assert_memory_equal(t->text, now.text, now.size);
	assert_true(t->ledger.seq == now.ledger.seq && t->ledger.open.seq == now.ledger.open.seq);
	assert_int_equal(t->ledger.nrecords, now.ledger.nrecords);
	assert_memory_equal(t->ledger.record, now.ledger.record, now.ledger.nrecords * sizeof(*now.ledger.record));
	transact_close(&now);
}

static inline enum err_code
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
		check_known(&t);
	}
	host_free(&host);
	transact_close(&t);
	return code;
}

static inline void
must(plan_it *plan)
{
	struct err err = {0};
	if (run(plan, NULL, &err)) {
		fail_msg("%s", err.message);
	}
}

static inline struct host_func *
vf_at(const struct plan_input *in, unsigned index)
{
	struct host_func *vf = host_vf(in->host, HOSTS_IGB_PF, index);
	assert_non_null(vf);
	return vf;
}

static inline enum err_code
numvfs(const struct plan_input *in, unsigned n, int autoprobe, struct ledger_entry *entry, struct err *err)
{
	return plan_numvfs(in, host_at(in->host, HOSTS_IGB_PF), n, autoprobe, entry, err);
}

static inline enum err_code
four_vfs(const struct plan_input *in, struct ledger_entry *entry, struct err *err)
{
	return numvfs(in, 4, -1, entry, err);
}

static inline enum err_code
two_vfs(const struct plan_input *in, struct ledger_entry *entry, struct err *err)
{
	return numvfs(in, 2, 0, entry, err);
}

static inline enum err_code
six_vfs(const struct plan_input *in, struct ledger_entry *entry, struct err *err)
{
	return numvfs(in, 6, -1, entry, err);
}

static inline enum err_code
no_vfs(const struct plan_input *in, struct ledger_entry *entry, struct err *err)
{
	return numvfs(in, 0, 0, entry, err);
}

static inline enum err_code
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

static inline enum err_code
set_1(const struct plan_input *in, struct ledger_entry *entry, struct err *err)
{
	struct vfset want = {.has = VFSET_MAC, .mac = 0x020000000a01};
	return plan_set(in, vf_at(in, 1), &want, entry, err);
}

static inline enum err_code
bind_1(const struct plan_input *in, struct ledger_entry *entry, struct err *err)
{
	return plan_bind(in, vf_at(in, 1), "vfio-pci", entry, err);
}

static inline enum err_code
bind_2(const struct plan_input *in, struct ledger_entry *entry, struct err *err)
{
	return plan_bind(in, vf_at(in, 2), "vfio-pci", entry, err);
}

static inline enum err_code
bind_2_kernel(const struct plan_input *in, struct ledger_entry *entry, struct err *err)
{
	return plan_bind(in, vf_at(in, 2), "kernel", entry, err);
}

static inline enum err_code
unbind_2(const struct plan_input *in, struct ledger_entry *entry, struct err *err)
{
	return plan_unbind(in, vf_at(in, 2), entry, err);
}

static inline enum err_code
bind_crypto(const struct plan_input *in, struct ledger_entry *entry, struct err *err)
{
	return plan_bind(in, host_at(in->host, HOSTS_CRYPTO), "vfio-pci", entry, err);
}

static inline enum err_code
unbind_crypto(const struct plan_input *in, struct ledger_entry *entry, struct err *err)
{
	return plan_unbind(in, host_at(in->host, HOSTS_CRYPTO), entry, err);
}

static inline enum err_code
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

static inline enum err_code
lease_2_more(const struct plan_input *in, struct ledger_entry *entry, struct err *err)
{
	struct plan_lease lease = {.holder = "vpx1",
		.want = {.has = VFSET_VLAN | VFSET_RATE, .vlan = 200, .proto = 0x8100, .max_rate_bps = GBIT / 4}};
	lease.vlans.bits[0] = 1 << 20;
	return plan_lease(in, vf_at(in, 2), &lease, entry, err);
}

static inline enum err_code
set_2(const struct plan_input *in, struct ledger_entry *entry, struct err *err)
{
	struct vfset want = {.has = VFSET_RATE | VFSET_SPOOFCHK, .max_rate_bps = GBIT / 10};
	return plan_set(in, vf_at(in, 2), &want, entry, err);
}

static inline enum err_code
release_2(const struct plan_input *in, struct ledger_entry *entry, struct err *err)
{
	struct host_func ghost = {.role = HOST_VF, .pf = HOSTS_IGB_PF, .index = 2};
	struct host_func *vf = host_vf(in->host, HOSTS_IGB_PF, 2);
	return plan_release(in, vf ? vf : &ghost, "vpx1", 0, entry, err);
}

static inline enum err_code
lease_crypto(const struct plan_input *in, struct ledger_entry *entry, struct err *err)
{
	return plan_lease(
		in, host_at(in->host, HOSTS_CRYPTO), &(struct plan_lease){.holder = "vpx2", .driver = "vfio-pci"}, entry, err);
}

static inline enum err_code
release_crypto(const struct plan_input *in, struct ledger_entry *entry, struct err *err)
{
	return plan_release(in, host_at(in->host, HOSTS_CRYPTO), "vpx2", 0, entry, err);
}

static inline enum err_code
set_port(const struct plan_input *in, struct ledger_entry *entry, struct err *err)
{
	struct portset want = {.has = PORTSET_SPEED | PORTSET_DUPLEX | PORTSET_AUTONEG | PORTSET_MTU | PORTSET_PAUSE_RX,
		.speed_bps = GBIT / 10,
		.duplex = HOST_DUPLEX_FULL,
		.mtu = 9000,
		.pause_rx = true};
	return plan_port(in, host_at(in->host, HOSTS_IGB_PF), &want, entry, err);
}

static inline enum err_code
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

/* ---- children ---------------------------------------------------------------------------------------------------------- */

static struct image before;

/* The operation, or (NULL) the mending, in a child that is killed at a point; its exit status. */
static inline int
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

static inline void
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

static inline int
machine_run(const struct CMUnitTest *tests, size_t n)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return shared == MAP_FAILED ? 1 : _cmocka_run_group_tests("transact", tests, n, NULL, NULL);
}

#endif
