/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Texts of files that the command line names. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

/* Whole and on the disk before it has the name. */
enum err_code
text_write(const char *path, const char *text, struct err *err)
{
	char new[4096];
	int n = snprintf(new, sizeof(new), "%s.new", path);
	if (n < 0 || (size_t)n >= sizeof(new)) {
		return fail(path, ENAMETOOLONG, err);
	}
	FILE *to = fopen(new, "we");
	if (!to) {
		return fail(new, errno, err);
	}
	bool ok = fputs(text, to) >= 0 && fflush(to) == 0 && fsync(fileno(to)) == 0;
	int failure = errno;
	if (fclose(to) && ok) {
		ok = false;
		failure = errno;
	}
	if (ok && rename(new, path)) {
		ok = false;
		failure = errno;
	}
	if (!ok) {
		unlink(new);
		return fail(path, failure, err);
	}
	return ERR_NONE;
}

enum err_code
text_blame(const char *path, enum err_code code, struct err *err)
{
	char message[sizeof(err->message)];
	snprintf(message, sizeof(message), "%.100s: %.200s", spoken(path), err->message);
	snprintf(err->message, sizeof(err->message), "%s", message);
	return code;
}
