/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/sysfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/num.h"

/* Links of a recorded host, absolute ones too, stay below its root, and a pipe in it has nobody wait for its other end. */
static int
open_path(int root, const char *path, int flags)
{
	if (root == SYSFS_MACHINE) {
		return open(path, flags | O_CLOEXEC);
	}
	flags |= O_CLOEXEC | (flags & O_PATH ? 0 : O_NONBLOCK);
	struct open_how how = {.flags = (uint64_t)(unsigned)flags, .resolve = RESOLVE_IN_ROOT};
	return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

static int __attribute__((format(printf, 3, 0))) open_fmt(int root, int flags, const char *fmt, va_list args)
{
	char path[SYSFS_PATH_SIZE] = "/";
	int n = vsnprintf(path + 1, sizeof(path) - 1, fmt, args);
	if (n < 0 || (size_t)n >= sizeof(path) - 1) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return open_path(root, path, flags);
}

/* Opens what the format behind `last` says. */
#define OPEN(fd, root, flags, last) \
	do { \
		va_list args_; \
		va_start(args_, last); \
		fd = open_fmt(root, flags, last, args_); \
		va_end(args_); \
	} while (0)

enum err_code
sysfs_open(const char *path, int *root, struct err *err)
{
	*root = SYSFS_MACHINE;
	if (!*path) {
		return ERR_NONE;
	}
	*root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*root >= 0) {
		return ERR_NONE;
	}
	return err_set(err, errno == EACCES ? ERR_REFUSED : ERR_NOT_FOUND, "%s: %s", path, strerror(errno));
}

void
sysfs_close(int root)
{
	if (root != SYSFS_MACHINE) {
		close(root);
	}
}

/* Up to size bytes; attributes give all they have at once, other files not. */
static ssize_t
read_fd(int fd, char *text, size_t size)
{
	size_t got = 0;
	while (got < size) {
		ssize_t n = read(fd, text + got, size - got);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			return -1;
		}
		if (n == 0) {
			break;
		}
		got += (size_t)n;
	}
	return (ssize_t)got;
}

static ssize_t
read_text(int fd, char *text, size_t size)
{
	text[0] = '\0';
	if (fd < 0) {
		return -1;
	}
	ssize_t n = read_fd(fd, text, size - 1);
	int error = errno;
	close(fd);
	errno = error;
	if (n < 0) {
		return -1;
	}
	if (n > 0 && text[n - 1] == '\n') {
		n--;
	}
	text[n] = '\0';
	return n;
}

ssize_t
sysfs_read(int root, char *text, size_t size, const char *fmt, ...)
{
	int fd;
	OPEN(fd, root, O_RDONLY, fmt);
	return read_text(fd, text, size);
}

bool
sysfs_number(int root, uint64_t max, uint64_t *value, const char *fmt, ...)
{
	int fd;
	char text[32];
	OPEN(fd, root, O_RDONLY, fmt);
	return read_text(fd, text, sizeof(text)) > 0 && num_parse_u64(text, 0, max, value);
}

static bool
target_of(int fd, char *target, size_t size)
{
	target[0] = '\0';
	if (fd < 0) {
		return false;
	}
	ssize_t n = readlinkat(fd, "", target, size);
	close(fd);
	bool fits = n > 0 && (size_t)n < size;
	target[fits ? n : 0] = '\0';
	return fits;
}

bool
sysfs_link(int root, char *name, size_t size, const char *fmt, ...)
{
	int fd;
	char target[SYSFS_PATH_SIZE];
	OPEN(fd, root, O_PATH | O_NOFOLLOW, fmt);
	name[0] = '\0';
	if (!target_of(fd, target, sizeof(target))) {
		return false;
	}
	const char *slash = strrchr(target, '/');
	const char *last = slash ? slash + 1 : target;
	size_t length = strlen(last);
	if (length == 0 || length >= size) {
		return false;
	}
	memcpy(name, last, length + 1);
	return true;
}

bool
sysfs_target(int root, char *target, size_t size, const char *fmt, ...)
{
	int fd;
	OPEN(fd, root, O_PATH | O_NOFOLLOW, fmt);
	return target_of(fd, target, size);
}

bool
sysfs_exists(int root, const char *fmt, ...)
{
	int fd;
	OPEN(fd, root, O_PATH | O_NOFOLLOW, fmt);
	if (fd >= 0) {
		close(fd);
	}
	return fd >= 0;
}

bool
sysfs_list(int root, sysfs_see *see, void *arg, const char *fmt, ...)
{
	int fd;
	OPEN(fd, root, O_RDONLY | O_DIRECTORY, fmt);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	if (!dir) {
		if (fd >= 0) {
			close(fd);
		}
		return false;
	}
	for (struct dirent *entry; (entry = readdir(dir));) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
			see(arg, entry->d_name);
		}
	}
	closedir(dir);
	return true;
}

static void *
load_fd(int fd, size_t max, size_t *size)
{
	struct stat st;
	if (fstat(fd, &st) < 0) {
		return NULL;
	}
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		return NULL;
	}
	if (st.st_size < 0 || (uint64_t)st.st_size > max) {
		errno = EFBIG;
		return NULL;
	}
	char *data = malloc((size_t)st.st_size + 1);
	ssize_t n = data ? read_fd(fd, data, (size_t)st.st_size) : -1;
	if (n < 0) {
		free(data);
		return NULL;
	}
	data[n] = '\0';
	*size = (size_t)n;
	return data;
}

void *
sysfs_load(int root, size_t max, size_t *size, const char *fmt, ...)
{
	int fd;
	OPEN(fd, root, O_RDONLY, fmt);
	if (fd < 0) {
		return NULL;
	}
	void *data = load_fd(fd, max, size);
	int error = errno;
	close(fd);
	errno = error;
	return data;
}

int
sysfs_fd(int root, const char *fmt, ...)
{
	int fd;
	OPEN(fd, root, O_RDONLY, fmt);
	return fd;
}

int
sysfs_write(const char *text, const char *fmt, ...)
{
	int fd;
	OPEN(fd, SYSFS_MACHINE, O_WRONLY, fmt);
	if (fd < 0) {
		return errno;
	}
	size_t size = strlen(text);
	ssize_t n = write(fd, text, size);
	int error = n < 0 ? errno : (size_t)n < size ? EIO : 0;
	close(fd);
	return error;
}
