/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX (8u << 20)

static const char *
spoken(const char *file)
{
	return strcmp(file, "-") == 0 ? "standard input" : file;
}

static enum err_code
fail_file(const char *file, int failure, struct err *err)
{
	enum err_code code = failure == ENOENT || failure == ENOTDIR ? ERR_NOT_FOUND
			     : failure == EACCES                     ? ERR_REFUSED
								     : ERR_FAILED;
	return err_set(err, code, "%s: %s", spoken(file), strerror(failure));
}

/* Puts the file's name before the message, as much of it as leaves the message whole. */
static enum err_code
name_file(const char *file, enum err_code code, struct err *err)
{
	const char *name = spoken(file);
	size_t n = strlen(name), said = strlen(err->message), room = sizeof(err->message) - 3 - said;
	if (n > room) {
		name += n - room;
		n = room;
	}
	memmove(err->message + n + 2, err->message, said + 1);
	memcpy(err->message, name, n);
	memcpy(err->message + n, ": ", 2);
	return code;
}

static enum err_code
read_all(FILE *in, const char *file, char **text, size_t *size, struct err *err)
{
	size_t room = 65536;
	char *buffer = NULL;
	*size = 0;
	for (;;) {
		char *more = realloc(buffer, room + 1);
		if (!more) {
			free(buffer);
			return err_set(err, ERR_FAILED, "no memory");
		}
		buffer = more;
		*size += fread(buffer + *size, 1, room - *size, in);
		if (*size < room) {
			break;
		}
		if (room >= FILE_MAX) {
			free(buffer);
			return err_set(err, ERR_USAGE, "%s: longer than %u MiB", spoken(file), FILE_MAX >> 20);
		}
		room *= 2;
	}
	if (ferror(in)) {
		int failure = errno;
		free(buffer);
		return fail_file(file, failure, err);
	}
	buffer[*size] = '\0';
	*text = buffer;
	return ERR_NONE;
}

enum err_code
load_text(const char *file, char **text, size_t *size, struct err *err)
{
	FILE *in = strcmp(file, "-") == 0 ? stdin : fopen(file, "re");
	if (!in) {
		return fail_file(file, errno, err);
	}
	enum err_code code = read_all(in, file, text, size, err);
	if (in != stdin) {
		fclose(in);
	}
	return code;
}

enum err_code
load_check_mbufs(const struct conf *conf, struct err *err)
{
	uint32_t needed = conf_mbufs_needed(conf);
	if (conf->mbufs >= needed) {
		return ERR_NONE;
	}
	err_set(err, ERR_REFUSED, "memory.mbufs: %u are too few for %u data core%s and %zu port%s", conf->mbufs, conf->cores,
		conf->cores == 1 ? "" : "s", conf->nports, conf->nports == 1 ? "" : "s");
	return err_hint(err, "at least %u", needed);
}

enum err_code
load_conf(const char *file, const char *appliance, struct conf *conf, struct err *err)
{
	char *text;
	size_t size;
	enum err_code code = load_text(file, &text, &size, err);
	if (code) {
		return code;
	}
	code = conf_parse(text, size, conf, err);
	free(text);
	if (code) {
		return name_file(file, code, err);
	}
	if (appliance && strcmp(appliance, conf->appliance) != 0) {
		code = err_set(err, ERR_USAGE, "appliance: the file is for %s, not for %s", conf->appliance, appliance);
		err_hint(err, "without -a the file's own name is taken");
	} else {
		code = load_check_mbufs(conf, err);
	}
	if (code) {
		conf_free(conf);
		return name_file(file, code, err);
	}
	return ERR_NONE;
}
