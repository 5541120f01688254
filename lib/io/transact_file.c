/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/transact_file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/num.h"
#include "io/bounded.h"
#include "io/sysfs.h"

#define DIR_MODE 0755
#define LOCK_MODE 0600 /* who may read it may lock it */
#define RECORD_MAX (1u << 30)
#define RETRY_MS 20
#define END_ROOM 2048 /* its note, if every byte is escaped, and the rest */

const char *
transact_dir(void)
{
	const char *dir = getenv("PEKIT_VF_STATE");
	return dir && *dir ? dir : "/var/lib/pekit/vf";
}

bool
transact_path(const struct transact *t, const char *name, char *path, size_t size)
{
	int n = snprintf(path, size, "%s/%s", t->dir, name);
	return n > 0 && (size_t)n < size;
}

static enum err_code
fail_file(const char *path, const char *what, int failure, struct err *err)
{
	bool refused = failure == EACCES || failure == EPERM || failure == EROFS;
	err_set(err, refused ? ERR_REFUSED : ERR_FAILED, "%.200s %s: %s", path, what, strerror(failure));
	return refused && geteuid() != 0 ? err_hint(err, "what changes VFs runs as root") : refused ? ERR_REFUSED : ERR_FAILED;
}

/* ---- reading --------------------------------------------------------------------------------------------------------- */

enum err_code
transact_read_all(const char *path, char **text, size_t *size, struct err *err)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	*text = NULL;
	*size = 0;
	if (fd < 0) {
		return errno == ENOENT ? ERR_NONE : fail_file(path, "cannot be read", errno, err);
	}
	size_t room = fstat(fd, &st) == 0 && st.st_size > 0 ? (size_t)st.st_size : 0;
	ssize_t n = 0;
	*text = malloc(room + 1);
	/* What is appended meanwhile is for those who read it later. */
	while (*text && *size < room && (n = read(fd, *text + *size, room - *size)) != 0) {
		if (n < 0 && errno != EINTR) {
			break;
		}
		*size += n > 0 ? (size_t)n : 0;
	}
	int failure = !*text ? ENOMEM : n < 0 ? errno : 0;
	close(fd);
	if (failure) {
		free(*text);
		*text = NULL;
		return fail_file(path, "cannot be read", failure, err);
	}
	return ERR_NONE;
}

/* What a killed writer left without a newline would be part of the next line. */
static enum err_code
cut_torn(struct transact *t, const char *path, struct err *err)
{
	const char *end = t->size ? memrchr(t->text, '\n', t->size) : NULL;
	size_t whole = end ? (size_t)(end - t->text) + 1 : 0;
	if (whole == t->size) {
		return ERR_NONE;
	}
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && ftruncate(fd, (off_t)whole) == 0 && fsync(fd) == 0;
	int failure = errno;
	if (fd >= 0) {
		close(fd);
	}
	t->size = whole;
	return good ? ERR_NONE : fail_file(path, "cannot be written", failure, err);
}

static enum err_code
understand(struct transact *t, const char *path, struct err *err)
{
	struct err why;
	if (!ledger_read(t->text, t->size, &t->ledger, &why)) {
		return ERR_NONE;
	}
	err_set(err, ERR_FAILED, "%.120s, %.160s", path, why.message);
	return err_hint(err, "nothing is changed while it cannot be read; a copy of it, cut before that line, can");
}

/* That of a recorded host: of a link that leads out of it nothing is read. */
static enum err_code
load_record(struct transact *t, struct err *err)
{
	char path[sizeof(t->dir) + 16];
	int root;
	if (!transact_path(t, "ledger", path, sizeof(path))) {
		return err_set(err, ERR_FAILED, "%.200s: too long a name", t->dir);
	}
	enum err_code code = sysfs_open(t->dir, &root, err);
	if (code) {
		return code;
	}
	t->text = sysfs_load(root, RECORD_MAX, &t->size, "ledger");
	int failure = t->text ? 0 : errno;
	sysfs_close(root);
	if (failure) {
		t->size = 0;
		return failure == ENOENT ? ERR_NONE : fail_file(path, "cannot be read", failure, err);
	}
	return understand(t, path, err);
}

enum err_code
transact_load(struct transact *t, struct err *err)
{
	char path[sizeof(t->dir) + 16];
	ledger_free(&t->ledger);
	free(t->text);
	t->text = NULL;
	t->size = 0;
	if (!transact_path(t, "ledger", path, sizeof(path))) {
		return err_set(err, ERR_FAILED, "%.200s: too long a name", t->dir);
	}
	enum err_code code = transact_read_all(path, &t->text, &t->size, err);
	if (!code && t->lock >= 0) {
		code = cut_torn(t, path, err);
	}
	return code ? code : understand(t, path, err);
}

enum err_code
transact_read(const char *root, struct transact *t, struct err *err)
{
	const char *dir = root && root[0] ? root : transact_dir();
	t->lock = t->steps = -1;
	int n = snprintf(t->dir, sizeof(t->dir), "%s", dir);
	if (n < 0 || (size_t)n >= sizeof(t->dir)) {
		return err_set(err, ERR_USAGE, "%.200s: too long a name", dir);
	}
	enum err_code code = root && root[0] ? load_record(t, err) : transact_load(t, err);
	if (code) {
		transact_close(t);
	}
	return code;
}

/* Everybody may ask, and nobody has to wait for who asks: the kernel's list has "n: FLOCK ADVISORY WRITE PID MAJOR:MINOR:INODE".
 */
bool
transact_busy(const struct transact *t)
{
	char path[sizeof(t->dir) + 16], file[64], line[256];
	struct stat st;
	if (!transact_path(t, "lock", path, sizeof(path)) || stat(path, &st)) {
		return false;
	}
	/* Of some file systems stat() has another device than the list. */
	snprintf(file, sizeof(file), ":%llu ", (unsigned long long)st.st_ino);
	FILE *locks = fopen("/proc/locks", "re");
	bool busy = false;
	while (locks && !busy && fgets(line, sizeof(line), locks)) {
		busy = strstr(line, "FLOCK") && strstr(line, "WRITE") && strstr(line, file);
	}
	if (locks) {
		fclose(locks);
	}
	return busy;
}

void
transact_close(struct transact *t)
{
	if (t->dir[0] && t->lock >= 0) {
		bounded_keep(-1);
		if (t->steps >= 0) {
			close(t->steps);
		}
		close(t->lock);
	}
	ledger_free(&t->ledger);
	free(t->text);
	t->text = NULL;
	t->size = 0;
	t->dir[0] = '\0';
	t->lock = t->steps = -1;
}

/* ---- writing --------------------------------------------------------------------------------------------------------- */

void
transact_sync(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		(void)fsync(fd);
		close(fd);
	}
}

static void
sync_parent(const char *path)
{
	char parent[256];
	size_t n = strlen(path);
	memcpy(parent, path, n + 1);
	while (n > 0 && parent[n] != '/') {
		n--;
	}
	parent[n] = '\0';
	transact_sync(n > 0 ? parent : path[0] == '/' ? "/" : ".");
}

static enum err_code
make_directory(const char *dir, struct err *err)
{
	char path[256];
	size_t n = strlen(dir);
	memcpy(path, dir, n + 1);
	for (size_t i = 1; i <= n; i++) {
		if (i < n && path[i] != '/') {
			continue;
		}
		path[i] = '\0';
		/* Whatever the umask: listings are for everybody. */
		if (mkdir(path, DIR_MODE) == 0) {
			(void)chmod(path, DIR_MODE);
			sync_parent(path);
		} else if (errno != EEXIST) {
			return fail_file(path, "cannot be made", errno, err);
		}
		path[i] = dir[i];
	}
	return ERR_NONE;
}

int
transact_open_file(const char *path, int flags, mode_t mode)
{
	struct stat st;
	int fd = open(path, flags | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		fd = open(path, flags | O_CREAT | O_CLOEXEC, mode);
	}
	if (fd >= 0 && fstat(fd, &st) == 0 && (st.st_mode & 0777) != mode) {
		(void)fchmod(fd, mode);
	}
	return fd;
}

static enum err_code
fail_locked(int fd, int timeout_ms, struct err *err)
{
	char text[24] = "";
	uint64_t pid;
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	text[n > 0 ? strcspn(text, "\n") : 0] = '\0';
	if (num_parse_u64(text, 1, INT32_MAX, &pid)) {
		err_set(err, ERR_TIMEOUT, "another command (pid %llu) is changing something, and was not ready within %g s",
			(unsigned long long)pid, timeout_ms / 1000.0);
	} else {
		err_set(err, ERR_TIMEOUT, "another command is changing something, and was not ready within %g s",
			timeout_ms / 1000.0);
	}
	return err_hint(err, "-T waits longer");
}

static enum err_code
wait_lock(int fd, const char *path, int timeout_ms, struct err *err)
{
	int64_t end = bounded_now_ms() + timeout_ms;
	while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK && errno != EINTR) {
			return fail_file(path, "cannot be locked", errno, err);
		}
		if (timeout_ms >= 0 && bounded_now_ms() >= end) {
			return fail_locked(fd, timeout_ms, err);
		}
		(void)poll(NULL, 0, RETRY_MS);
	}
	char text[24];
	int n = snprintf(text, sizeof(text), "%d\n", (int)getpid());
	if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)n, 0) != n) {
		return fail_file(path, "cannot be written", errno, err);
	}
	return ERR_NONE;
}

/*
 * Who holds the lock is alone but for what the kernel does for a process that a killed command has left (io/bounded.h): what that
 * will have done cannot be seen before it is done.
 */
static enum err_code
wait_steps(struct transact *t, int timeout_ms, struct err *err)
{
	char path[sizeof(t->dir) + 16];
	int64_t end = bounded_now_ms() + timeout_ms;
	transact_path(t, "steps", path, sizeof(path));
	t->steps = transact_open_file(path, O_RDWR, LOCK_MODE);
	if (t->steps < 0) {
		return fail_file(path, "cannot be opened", errno, err);
	}
	while (flock(t->steps, LOCK_EX | LOCK_NB) != 0) {
		if (t->force) {
			return ERR_NONE;
		}
		if (timeout_ms >= 0 && bounded_now_ms() >= end) {
			err_set(err, ERR_TIMEOUT, "the kernel is not through with what an earlier command has begun");
			return err_hint(err, "a process may have the device open; --force does not wait for it");
		}
		(void)poll(NULL, 0, RETRY_MS);
	}
	bounded_keep(t->steps);
	return ERR_NONE;
}

enum err_code
transact_lock(struct transact *t, int timeout_ms, struct err *err)
{
	char path[sizeof(t->dir) + 16];
	const char *dir = transact_dir();
	int n = snprintf(t->dir, sizeof(t->dir), "%s", dir);
	t->lock = t->steps = -1;
	if (n < 0 || (size_t)n >= sizeof(t->dir) || !transact_path(t, "lock", path, sizeof(path))) {
		return err_set(err, ERR_USAGE, "%.200s: too long a name", dir);
	}
	enum err_code code = make_directory(dir, err);
	if (code) {
		return code;
	}
	t->lock = transact_open_file(path, O_RDWR, LOCK_MODE);
	code = t->lock < 0 ? fail_file(path, "cannot be opened", errno, err) : wait_lock(t->lock, path, timeout_ms, err);
	return code ? code : wait_steps(t, timeout_ms, err);
}

/* A line that could not be read again would be the last that is ever written. */
static char *
checked_line(const struct ledger_entry *entry, struct err *err)
{
	struct ledger_entry again;
	struct err why;
	char *line = ledger_line(entry);
	if (!line) {
		err_set(err, ERR_FAILED, "no memory");
		return NULL;
	}
	if (ledger_parse(line, strlen(line) - 1, &again, &why)) {
		err_set(err, ERR_FAILED, "what is to be done cannot be written down: %.200s", why.message);
		free(line);
		return NULL;
	}
	ledger_entry_free(&again);
	return line;
}

bool
transact_write_all(int fd, const char *text, size_t size)
{
	while (size) {
		ssize_t n = write(fd, text, size);
		if (n < 0 && errno != EINTR) {
			return false;
		}
		text += n > 0 ? n : 0;
		size -= n > 0 ? (size_t)n : 0;
	}
	return fsync(fd) == 0;
}

/*
 * Room for the line; of a begin also for its end, so that a disk which is full meanwhile does not keep it from being written. Not
 * every file system can.
 */
static bool
reserve(int fd, off_t at, size_t size, bool begins)
{
	off_t room = (off_t)size + (begins ? END_ROOM : 0);
	return fallocate(fd, FALLOC_FL_KEEP_SIZE, at, room) == 0 || (errno != ENOSPC && errno != EDQUOT && errno != EFBIG);
}

/* What was written is as good as read. */
static enum err_code
take_line(struct transact *t, const char *line, struct err *err)
{
	size_t length = strlen(line);
	char *text = realloc(t->text, t->size + length);
	if (!text || ledger_take(&t->ledger, line, length - 1, NULL)) {
		t->text = text ? text : t->text;
		return transact_load(t, err);
	}
	memcpy(text + t->size, line, length);
	t->text = text;
	t->size += length;
	return ERR_NONE;
}

enum err_code
transact_append(struct transact *t, const struct ledger_entry *entry, struct err *err)
{
	char path[sizeof(t->dir) + 16];
	char *line = checked_line(entry, err);
	if (!line) {
		return ERR_FAILED;
	}
	transact_path(t, "ledger", path, sizeof(path));
	int fd = transact_open_file(path, O_WRONLY | O_APPEND, TRANSACT_FILE_MODE);
	off_t before = fd >= 0 ? lseek(fd, 0, SEEK_END) : -1;
	bool good = fd >= 0 && before >= 0 && reserve(fd, before, strlen(line), entry->phase == LEDGER_BEGIN) &&
		    transact_write_all(fd, line, strlen(line));
	int failure = errno;
	if (!good && before >= 0 && ftruncate(fd, before) != 0) {
		failure = errno;
	}
	if (fd >= 0) {
		close(fd);
	}
	enum err_code code = good ? take_line(t, line, err) : fail_file(path, "cannot be written", failure, err);
	free(line);
	if (good && before == 0) {
		transact_sync(t->dir);
	}
	return code;
}

/* ---- who, when ------------------------------------------------------------------------------------------------------- */

void
transact_now(char at[static LEDGER_AT_SIZE])
{
	struct tm tm;
	time_t now = time(NULL);
	if (!gmtime_r(&now, &tm) || strftime(at, LEDGER_AT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0) {
		snprintf(at, LEDGER_AT_SIZE, "?");
	}
}

static void
read_word(const char *path, char *word, size_t size)
{
	ssize_t n = -1;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, word, size - 1);
		close(fd);
	}
	word[n > 0 ? n : 0] = '\0';
	word[strcspn(word, "\n")] = '\0';
}

void
transact_boot(char *boot, size_t size)
{
	read_word("/proc/sys/kernel/random/boot_id", boot, size);
}

static void
name_uid(uid_t uid, char *name, size_t size)
{
	const struct passwd *entry = getpwuid(uid);
	if (entry) {
		snprintf(name, size, "%s", entry->pw_name);
	} else {
		snprintf(name, size, "%u", (unsigned)uid);
	}
}

/* sudo says for whom it works; else the kernel knows who has logged in, unless nobody has (proc_pid_loginuid(5)). */
void
transact_who(char *who, size_t size)
{
	char name[LEDGER_WHO_SIZE / 2], login[LEDGER_WHO_SIZE / 2] = "", text[16];
	uint64_t uid;
	const char *sudo = getenv("SUDO_USER");
	name_uid(getuid(), name, sizeof(name));
	if (sudo && getuid() == 0) {
		snprintf(login, sizeof(login), "%s", sudo);
	} else {
		read_word("/proc/self/loginuid", text, sizeof(text));
		if (num_parse_u64(text, 0, UINT32_MAX - 1, &uid)) {
			name_uid((uid_t)uid, login, sizeof(login));
		}
	}
	if (login[0] && strcmp(login, name) != 0) {
		snprintf(who, size, "%.28s (%.28s)", name, login);
	} else {
		snprintf(who, size, "%s", name);
	}
}
