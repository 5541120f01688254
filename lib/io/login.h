/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The login over the network that a command was given in: whoever cuts it off cannot take anything back. */
#ifndef PEKIT_IO_LOGIN_H
#define PEKIT_IO_LOGIN_H

#include <stdbool.h>

#include "vf/host.h"

struct login {
	char remote[64], local[64];   /* addresses as text; empty: there is none */
	char scope[HOST_IFNAME_SIZE]; /* the interface that a link-local address names; may be empty */
};

/* This process's, or what a recorded host has in ROOT/login in the words of SSH_CONNECTION. */
void
login_read(int root, struct login *login);

#endif
