/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Texts of files that the command line names. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vfctl.h"

static const char *
spoken(const char *path)
{
	return strcmp(path, "-") == 0 ? "standard input" : path;
}

static enum err_code
fail(const char *path, int failure, struct err *err)
{
	enum err_code code = failure == ENOENT || failure == ENOTDIR ? ERR_NOT_FOUND
			     : failure == EACCES                     ? ERR_REFUSED
								     : ERR_FAILED;
	return err_set(err, code, "%.200s: %s", spoken(path), strerror(failure));
}

enum err_code
text_read(const char *path, size_t max, char **text, size_t *size, struct err *err)
{
	FILE *from = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	if (!from) {
		return fail(path, errno, err);
	}
	*size = 0;
	*text = malloc(max + 1);
	errno = *text ? 0 : ENOMEM;
	if (*text) {
		*size = fread(*text, 1, max + 1, from);
	}
	bool bad = !*text || ferror(from);
	enum err_code code = bad ? fail(path, errno ? errno : EIO, err) : ERR_NONE;
	if (!code && *size > max) {
		code = err_set(err, ERR_USAGE, "%.200s: longer than %zu bytes", spoken(path), max);
	}
	if (from != stdin) {
		fclose(from);
	}
	if (code) {
		free(*text);
	} else {
		(*text)[*size] = '\0';
	}
	return code;
}

/* 0 or an errno. */
static int
write_all(int fd, const char *text)
{
	size_t size = strlen(text);
	while (size) {
		ssize_t n = write(fd, text, size);
		if (n < 0 && errno != EINTR) {
			return errno;
		}
		text += n > 0 ? n : 0;
		size -= n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* A pipe, a terminal, /dev/null: it stays what it is. */
static int
write_through(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
	if (fd < 0) {
		return errno;
	}
	int failure = write_all(fd, text);
	return close(fd) && !failure ? errno : failure;
}

/* Like the file that it takes the place of, or (was NULL) like any new one. */
static int
dress(int fd, const struct stat *was)
{
	mode_t mask = umask(077);
	umask(mask);
	/* Who may not give it away keeps it. */
	if (was && fchown(fd, was->st_uid, was->st_gid) && errno != EPERM) {
		return errno;
	}
	return fchmod(fd, was ? was->st_mode & 0777 : 0666 & ~mask) ? errno : 0;
}

/* A new name is on the disk when its directory is. */
static void
sync_directory_of(char *path)
{
	char *slash = strrchr(path, '/');
	if (slash) {
		slash[slash == path] = '\0';
	}
	int fd = open(slash ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		(void)fsync(fd);
		close(fd);
	}
}

/* Whole and on the disk before it has the name. */
static int
replace(const char *path, const struct stat *was, const char *text)
{
	char new[PATH_MAX];
	int n = snprintf(new, sizeof(new), "%s.new-XXXXXX", path);
	int fd = n < 0 || (size_t)n >= sizeof(new) ? -1 : mkostemp(new, O_CLOEXEC);
	if (fd < 0) {
		return n > 0 && (size_t)n < sizeof(new) ? errno : ENAMETOOLONG;
	}
	int failure = dress(fd, was);
	failure = failure ? failure : write_all(fd, text);
	failure = failure ? failure : fsync(fd) ? errno : 0;
	failure = close(fd) && !failure ? errno : failure;
	failure = failure ? failure : rename(new, path) ? errno : 0;
	if (failure) {
		unlink(new);
	} else {
		sync_directory_of(new);
	}
	return failure;
}

enum err_code
text_write(const char *path, const char *text, struct err *err)
{
	struct stat was;
	char real[PATH_MAX];
	int failure;
	if (stat(path, &was)) {
		failure = errno == ENOENT ? replace(path, NULL, text) : errno;
	} else if (!S_ISREG(was.st_mode)) {
		failure = write_through(path, text);
	} else {
		failure = realpath(path, real) ? replace(real, &was, text) : errno;
	}
	return failure ? fail(path, failure, err) : ERR_NONE;
}

enum err_code
text_blame(const char *path, enum err_code code, struct err *err)
{
	char message[sizeof(err->message)];
	snprintf(message, sizeof(message), "%.100s: %.200s", spoken(path), err->message);
	snprintf(err->message, sizeof(err->message), "%s", message);
	return code;
}
