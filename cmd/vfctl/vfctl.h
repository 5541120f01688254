/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the verbs of vfctl share: the host and the ledger, opened for reading or for a change; one verb a file. */
#ifndef PEKIT_VFCTL_H
#define PEKIT_VFCTL_H

#include "cli/cli.h"
#include "io/host.h"
#include "io/transact.h"
#include "vf/plan.h"

#define VFCTL_FILE "/etc/pekit/vf.json" /* of apply, and where the labels of the ports are */

/* Classes of devices as the command line names them; what each is, is in pci.c. */
#define VFCTL_CLASSES \
	"storage|network|display|multimedia|memory|communication|system|input|processor|serial|wireless|crypto|signal|accelerator|" \
	"coprocessor|other"

struct vfctl {
	struct cli *cli;
	const char *root; /* --root; "": this machine */
	struct host host;
	struct transact ledger;
	bool changing;
};

/* ---- open.c ---- */

/* Reads host (HOST_READ_* in what) and ledger; labels of VFCTL_FILE are given to the ports (a file that cannot be read is a
 * remark). */
enum err_code
vfctl_open(struct cli *cli, unsigned what, struct vfctl *v, struct err *err);
/* The functions alone, without the ledger. */
enum err_code
vfctl_open_host(struct cli *cli, struct vfctl *v, struct err *err);
/*
 * As vfctl_open() with the ledger locked: what a killed command left is mended first (and said on stderr). With --dry-run it is
 * only read; of a recorded host only --dry-run is possible (ERR_REFUSED).
 */
enum err_code
vfctl_open_change(struct cli *cli, struct vfctl *v, struct err *err);
void
vfctl_close(struct vfctl *v);

/* Reads the host anew, after something was done to it. */
enum err_code
vfctl_reread(struct vfctl *v, struct err *err);

/* The function that a word of the command line names. */
enum err_code
vfctl_func(const struct vfctl *v, const char *word, unsigned want, struct host_func **func, struct err *err);

struct plan_input
vfctl_input(const struct vfctl *v);

/*
 * Does what a plan made, or prints it with --dry-run; to people a line a step and at the end "WHAT: done" or "WHAT: unchanged",
 * to programs
 * {"what":WHAT,"changed":true,"dry_run":false,"steps":["eth0:2: mac .. (was ..)"],"generation":3|null,"note":""}. Frees the
 * entry.
 */
enum err_code
vfctl_commit(struct vfctl *v, struct ledger_entry *entry, const char *what, struct err *err);

void
vfctl_complete(const struct cli *cli, const struct cli_param *param, cli_offer *offer, void *arg);

/* ---- text.c ---- */

/* A file of at most max bytes ("-": standard input), terminated; free() it. */
enum err_code
text_read(const char *path, size_t max, char **text, size_t *size, struct err *err);
/* In place of the file that is there, all at once; what is no file (a pipe, /dev/null) is written to. */
enum err_code
text_write(const char *path, const char *text, struct err *err);
/* Puts the file's name before what err says of its contents; returns code. */
enum err_code
text_blame(const char *path, enum err_code code, struct err *err);

/* ---- the verbs: pf.c vf.c pci.c port.c; numvfs.c set.c bind.c lease.c port_set.c; apply.c save.c doctor.c ---- */

enum err_code
pf_list_run(struct cli *cli, struct err *err);
enum err_code
pf_show_run(struct cli *cli, struct err *err);
enum err_code
vf_list_run(struct cli *cli, struct err *err);
enum err_code
vf_show_run(struct cli *cli, struct err *err);
enum err_code
pci_list_run(struct cli *cli, struct err *err);
enum err_code
pci_show_run(struct cli *cli, struct err *err);
enum err_code
pci_assignable_run(struct cli *cli, struct err *err);
enum err_code
port_show_run(struct cli *cli, struct err *err);

enum err_code
numvfs_run(struct cli *cli, struct err *err);
enum err_code
vf_set_run(struct cli *cli, struct err *err);
/* bind, unbind, lease and release are those of "vf" and of "pci". */
enum err_code
bind_run(struct cli *cli, struct err *err);
enum err_code
unbind_run(struct cli *cli, struct err *err);
enum err_code
lease_run(struct cli *cli, struct err *err);
enum err_code
release_run(struct cli *cli, struct err *err);
enum err_code
port_set_run(struct cli *cli, struct err *err);
enum err_code
port_reset_run(struct cli *cli, struct err *err);

/* What the words alone do not say. */
enum err_code
vf_set_check(const struct cli *cli, struct err *err);
enum err_code
lease_check(const struct cli *cli, struct err *err);
enum err_code
port_set_check(const struct cli *cli, struct err *err);

enum err_code
apply_run(struct cli *cli, struct err *err);
enum err_code
save_run(struct cli *cli, struct err *err);
enum err_code
doctor_run(struct cli *cli, struct err *err);

#endif
