/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/num.h"
#include "io/host.h"
#include "io/login.h"
#include "io/sysfs.h"

#define VARIABLE "SSH_CONNECTION"
#define ANCESTORS 64
#define FILE_MAX (1u << 20)

/* "REMOTE PORT LOCAL PORT" */
static bool
split(const char *text, char *remote, char *local, size_t size)
{
	size_t length = strcspn(text, " ");
	const char *next = text[length] ? text + length + 1 : "";
	next += strcspn(next, " ");
	next += *next == ' ';
	size_t second = strcspn(next, " ");
	if (length == 0 || second == 0 || length >= size || second >= size) {
		return false;
	}
	snprintf(remote, size, "%.*s", (int)length, text);
	snprintf(local, size, "%.*s", (int)second, next);
	return true;
}

/* An environment as /proc shows it: strings that end with 0. It is no regular file with a size, so it is read as a text. */
static bool
from_process(int pid, char *remote, char *local, size_t size)
{
	char *all = malloc(FILE_MAX);
	ssize_t n = all ? sysfs_read(SYSFS_MACHINE, all, FILE_MAX, "proc/%d/environ", pid) : -1;
	bool found = false;
	for (const char *at = all; n > 0 && at < all + n && !found; at += strlen(at) + 1) {
		found = strncmp(at, VARIABLE "=", strlen(VARIABLE "=")) == 0 &&
			split(at + strlen(VARIABLE "="), remote, local, size);
	}
	free(all);
	return found;
}

/* The name of a process, in parentheses, may have any characters in it. */
static int
parent_of(int pid)
{
	char text[SYSFS_PATH_SIZE];
	uint64_t parent;
	sysfs_read(SYSFS_MACHINE, text, sizeof(text), "proc/%d/stat", pid);
	char *end = strrchr(text, ')');
	if (!end || strlen(end) < 4) {
		return 0;
	}
	char *word = end + 4; /* ") S " */
	word[strcspn(word, " ")] = '\0';
	return num_parse_u64(word, 0, INT32_MAX, &parent) ? (int)parent : 0;
}

bool
host_login(char *remote, char *local, size_t size)
{
	const char *own = getenv(VARIABLE);
	if (own && split(own, remote, local, size)) {
		return true;
	}
	int pid = getppid();
	for (int i = 0; i < ANCESTORS && pid > 1; i++) {
		if (from_process(pid, remote, local, size)) {
			return true;
		}
		pid = parent_of(pid);
	}
	return false;
}

/* Takes "%eth0" off. */
static void
take_scope(char *text, char *scope, size_t size)
{
	char *sign = strchr(text, '%');
	if (sign) {
		snprintf(scope, size, "%.*s", (int)size - 1, sign + 1);
		*sign = '\0';
	}
}

void
login_read(int root, struct login *login)
{
	char text[SYSFS_TEXT_SIZE];
	*login = (struct login){0};
	if (root == SYSFS_MACHINE) {
		host_login(login->remote, login->local, sizeof(login->remote));
	} else if (sysfs_read(root, text, sizeof(text), "login") > 0) {
		split(text, login->remote, login->local, sizeof(login->remote));
	}
	take_scope(login->remote, login->scope, sizeof(login->scope));
	take_scope(login->local, login->scope, sizeof(login->scope));
}
