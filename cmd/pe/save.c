/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control.h"

static enum err_code
fail(const struct save *save, struct err *err)
{
	return err_set(err, errno == EACCES || errno == EPERM || errno == EROFS ? ERR_REFUSED : ERR_FAILED,
		"%s cannot be saved: %s", save->path, strerror(errno));
}

static bool
write_all(int fd, const char *text)
{
	size_t size = strlen(text);
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

enum err_code
save_prepare(struct save *save, const char *path, const char *text, struct err *err)
{
	*save = (struct save){.path = path};
	if (!path) {
		return err_set(err, ERR_REFUSED, "this engine has no configuration file to save to");
	}
	if (asprintf(&save->temporary, "%s.XXXXXX", path) < 0) {
		save->temporary = NULL;
		return err_set(err, ERR_FAILED, "no memory");
	}
	int fd = mkostemp(save->temporary, O_CLOEXEC);
	if (fd < 0) {
		free(save->temporary);
		save->temporary = NULL;
		return fail(save, err);
	}
	struct stat st;
	bool known = stat(path, &st) == 0; /* the new file is whose the old one was */
	bool good = write_all(fd, text) && fchmod(fd, known ? st.st_mode & 07777 : 0644) == 0;
	if (good && known && (st.st_uid != geteuid() || st.st_gid != getegid())) {
		good = fchown(fd, st.st_uid, st.st_gid) == 0;
	}
	enum err_code code = good ? ERR_NONE : fail(save, err);
	close(fd);
	if (!good) {
		save_drop(save);
	}
	return code;
}

/* The name's change is on the disk when its directory is. */
static void
sync_directory(const char *path)
{
	char *copy = strdup(path);
	int fd = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (fd >= 0) {
		(void)fsync(fd);
		close(fd);
	}
	free(copy);
}

enum err_code
save_commit(struct save *save, struct err *err)
{
	enum err_code code = rename(save->temporary, save->path) == 0 ? ERR_NONE : fail(save, err);
	if (code == ERR_NONE) {
		sync_directory(save->path);
		free(save->temporary);
		save->temporary = NULL;
	}
	return code;
}

void
save_drop(struct save *save)
{
	if (save->temporary) {
		unlink(save->temporary);
		free(save->temporary);
		save->temporary = NULL;
	}
}
