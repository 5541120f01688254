/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/source.h"
#include "io/sysfs.h"
#include "vf/file.h"
#include "vfctl.h"

#define STEP_SIZE 256

/* ---- labels ------------------------------------------------------------------------------------------------------- */

/* Of a recorded host nothing outside of it. */
static enum err_code
load_file(const char *at, const char *path, char **text, size_t *size, struct err *err)
{
	int root;
	enum err_code code = sysfs_open(at, &root, err);
	if (code) {
		return code;
	}
	*text = sysfs_load(root, FILE_SIZE_MAX, size, "%s", &VFCTL_FILE[1]);
	int failure = *text ? 0 : errno;
	sysfs_close(root);
	return failure ? err_set(err, failure == ENOENT ? ERR_NOT_FOUND : ERR_FAILED, "%.200s: %s", path, strerror(failure))
		       : ERR_NONE;
}

/* Only names come from it: a listing is possible without. */
static void
read_labels(struct vfctl *v)
{
	char path[512];
	struct err err = {.code = ERR_NONE};
	struct file file;
	char *text;
	size_t size;
	snprintf(path, sizeof(path), "%s%s", v->root, VFCTL_FILE);
	enum err_code code = load_file(v->root, path, &text, &size, &err);
	if (!code) {
		code = file_parse(text, size, &file, &err);
		free(text);
		if (!code) {
			code = file_label(&file, &v->host, &err);
			file_free(&file);
		}
		code = code ? text_blame(path, ERR_USAGE, &err) : ERR_NONE;
	}
	if (code && code != ERR_NOT_FOUND && v->cli) {
		cli_note(v->cli, "%s; the ports have no labels from it", err.message);
	}
}

/* ---- opening ------------------------------------------------------------------------------------------------------ */

/* The tool's option: of a line of a batch it stands on the command line. */
static const char *
root_of(const struct cli *cli)
{
	for (; cli; cli = cli->parent) {
		const struct cli_value *value = cli_nth(cli, "root", 0);
		if (value) {
			return value->text;
		}
	}
	return "";
}

static enum err_code
read_host(struct vfctl *v, unsigned what, struct err *err)
{
	enum err_code code = host_read(v->root, what, &v->host, err);
	if (!code) {
		read_labels(v);
	}
	return code;
}

enum err_code
vfctl_open_host(struct cli *cli, struct vfctl *v, struct err *err)
{
	*v = (struct vfctl){.cli = cli, .root = root_of(cli)};
	return read_host(v, 0, err);
}

enum err_code
vfctl_open(struct cli *cli, unsigned what, struct vfctl *v, struct err *err)
{
	*v = (struct vfctl){.cli = cli, .root = root_of(cli)};
	enum err_code code = read_host(v, what, err);
	if (code) {
		return code;
	}
	code = transact_read(v->root, &v->ledger, err);
	if (code) {
		host_free(&v->host);
	}
	return code;
}

/* What was left halfway is said in the words of the host, which is read for that. */
struct mending {
	const struct vfctl *v;
	struct host host;
	bool tried;
};

static void
tell_mended(void *arg, const struct step *step, bool undone)
{
	struct mending *m = arg;
	char text[STEP_SIZE];
	if (!m->tried) {
		m->tried = true;
		if (host_read("", 0, &m->host, NULL)) {
			m->host = (struct host){.nfuncs = 0};
		}
	}
	cli_note(m->v->cli, "%s what a command left halfway: %s", undone ? "took back" : "finished",
		step_text(&m->host, step, text, sizeof(text)));
}

static enum err_code
open_dry(struct cli *cli, struct vfctl *v, struct err *err)
{
	enum err_code code = vfctl_open(cli, HOST_READ_ALL, v, err);
	if (!code && v->ledger.ledger.open.seq && transact_busy(&v->ledger)) {
		cli_note(cli, "another command (%s) is changing something", ledger_op_name(v->ledger.ledger.open.op));
	} else if (!code && v->ledger.ledger.open.seq) {
		cli_note(cli, "a command (%s) was left halfway; the next change %s first",
			ledger_op_name(v->ledger.ledger.open.op),
			ledger_undoes(v->ledger.ledger.open.op) ? "takes it back" : "finishes it");
	}
	return code;
}

enum err_code
vfctl_open_change(struct cli *cli, struct vfctl *v, struct err *err)
{
	*v = (struct vfctl){.cli = cli, .root = root_of(cli)};
	uint64_t mended = 0;
	struct mending mending = {.v = v};
	if (cli->dry_run) {
		return open_dry(cli, v, err);
	}
	if (v->root[0]) {
		err_set(err, ERR_REFUSED, "%.200s is a recorded host: nothing of it can be changed", v->root);
		return err_hint(err, "--dry-run says what would change");
	}
	v->ledger.force = cli_nth(cli, "force", 0) != NULL;
	enum err_code code = transact_open(cli->timeout_ms, &v->ledger, tell_mended, &mending, &mended, err);
	host_free(&mending.host);
	if (code) {
		return code;
	}
	if (v->ledger.left[0]) {
		cli_note(cli, "of what a command left halfway this stays as it is: %s", v->ledger.left);
	}
	v->ledger.host = &v->host;
	v->changing = true;
	code = read_host(v, HOST_READ_ALL, err);
	if (code) {
		transact_close(&v->ledger);
	}
	return code;
}

void
vfctl_close(struct vfctl *v)
{
	host_free(&v->host);
	transact_close(&v->ledger);
}

enum err_code
vfctl_reread(struct vfctl *v, struct err *err)
{
	struct host host;
	enum err_code code = host_read(v->root, HOST_READ_ALL, &host, err);
	if (code) {
		return code;
	}
	host_free(&v->host);
	v->host = host;
	read_labels(v);
	return ERR_NONE;
}

enum err_code
vfctl_func(const struct vfctl *v, const char *word, unsigned want, struct host_func **func, struct err *err)
{
	return host_find(&v->host, word, want, func, err);
}

struct plan_input
vfctl_input(const struct vfctl *v)
{
	return (struct plan_input){.host = &v->host, .ledger = &v->ledger.ledger, .forced = cli_nth(v->cli, "force", 0) != NULL};
}

/* ---- doing -------------------------------------------------------------------------------------------------------- */

struct doing {
	struct vfctl *v;
	json_t *steps; /* of an answer, which there is only when nothing was taken back */
};

static void
tell_step(void *arg, const struct step *step, bool undone)
{
	struct doing *d = arg;
	char text[STEP_SIZE];
	step_text(&d->v->host, step, text, sizeof(text));
	cli_say(d->v->cli, "%s%s", undone ? "taken back: " : d->v->cli->dry_run ? "would be " : "", text);
	if (!undone) {
		json_array_append_new(d->steps, cli_json_text(text));
	}
}

static enum err_code
answer(struct doing *d, const struct ledger_entry *entry, const char *what, bool changed, struct err *err)
{
	struct cli *cli = d->v->cli;
	char generation[48] = "";
	bool leases = entry->op == LEDGER_LEASE || entry->op == LEDGER_RELEASE;
	if (entry->op == LEDGER_LEASE && entry->generation) {
		snprintf(generation, sizeof(generation), ", generation %llu", (unsigned long long)entry->generation);
	}
	if (entry->note[0]) {
		cli_say(cli, "note: %s", entry->note);
	}
	cli_say(cli, "%s: %s%s", what, !changed ? "unchanged" : cli->dry_run ? "would be done" : "done", generation);
	return cli_print_answer(cli,
		json_pack("{s:o, s:b, s:b, s:O, s:o, s:o}", "what", cli_json_text(what), "changed", changed, "dry_run",
			cli->dry_run, "steps", d->steps, "generation",
			leases && entry->generation ? json_integer((json_int_t)entry->generation) : json_null(), "note",
			cli_json_text(entry->note)),
		err);
}

enum err_code
vfctl_commit(struct vfctl *v, struct ledger_entry *entry, const char *what, struct err *err)
{
	struct doing doing = {.v = v, .steps = json_array()};
	bool changes = ledger_news(&v->ledger.ledger, entry);
	enum err_code code = ERR_NONE;
	for (size_t i = 0; v->cli->dry_run && i < entry->steps.n; i++) {
		tell_step(&doing, &entry->steps.step[i], false);
	}
	if (changes && !v->cli->dry_run) {
		code = transact_run(&v->ledger, entry, v->cli->timeout_ms, tell_step, &doing, err);
	}
	if (!code) {
		code = answer(&doing, entry, what, changes, err);
	}
	json_decref(doing.steps);
	ledger_entry_free(entry);
	return code;
}

/* ---- completion ---------------------------------------------------------------------------------------------------- */

/* What is wanted at the place of the function's name. */
static unsigned
wanted(const struct cli *cli, const struct cli_param *param)
{
	const char *verb = cli->verb ? cli->verb->name : "";
	if (strcmp(param->name, "pf") == 0 || strncmp(verb, "pf ", 3) == 0 || strcmp(verb, "numvfs") == 0) {
		return HOST_WANT_PF;
	}
	if (strncmp(verb, "vf ", 3) == 0) {
		return HOST_WANT_VF;
	}
	return strncmp(verb, "port ", 5) == 0 ? HOST_WANT_PF | HOST_WANT_PLAIN : HOST_WANT_ANY;
}

static void
complete_devices(const struct host *host, unsigned want, bool any, cli_offer *offer, void *arg)
{
	char text[HOST_TEXT_SIZE + 8], name[HOST_TEXT_SIZE];
	host_names(host, want, offer, arg);
	for (size_t i = 0; any && i < host->nfuncs; i++) {
		if (host->func[i].role == HOST_PF && host->func[i].num_vfs) {
			snprintf(text, sizeof(text), "%s:any", host_name(host, &host->func[i], name));
			offer(arg, text);
		}
	}
}

static void
complete_drivers(const struct host *host, bool has, cli_offer *offer, void *arg)
{
	/* "kernel" is one to get, not one to have. */
	static const char *const always[] = {"vfio-pci", "xen-pciback", "none", "kernel"};
	for (size_t i = 0; i < sizeof(always) / sizeof(*always) - has; i++) {
		offer(arg, always[i]);
	}
	for (size_t i = 0; i < host->nfuncs; i++) {
		const char *driver = host->func[i].driver;
		bool seen = !driver[0] || strcmp(driver, always[0]) == 0 || strcmp(driver, always[1]) == 0;
		for (size_t k = 0; k < i && !seen; k++) {
			seen = strcmp(host->func[k].driver, driver) == 0;
		}
		if (!seen) {
			offer(arg, driver);
		}
	}
}

static void
complete_holders(const struct ledger *ledger, cli_offer *offer, void *arg)
{
	for (size_t i = 0; i < ledger->nrecords; i++) {
		bool seen = !ledger->record[i].holder[0];
		for (size_t k = 0; k < i && !seen; k++) {
			seen = strcmp(ledger->record[k].holder, ledger->record[i].holder) == 0;
		}
		if (!seen) {
			offer(arg, ledger->record[i].holder);
		}
	}
}

static bool
is_verb(const struct cli *cli, const char *name)
{
	return cli->verb && strcmp(cli->verb->name, name) == 0;
}

void
vfctl_complete(const struct cli *cli, const struct cli_param *param, cli_offer *offer, void *arg)
{
	struct vfctl v = {.root = root_of(cli)};
	bool driver = strcmp(param->name, "driver") == 0, holder = strcmp(param->name, "holder") == 0;
	if (param->type == CLI_APPLIANCE) {
		source_complete(cli, param, offer, arg);
		return;
	}
	if (param->type != CLI_WORD || strcmp(param->name, "vlans") == 0) {
		return;
	}
	if (holder) {
		if (transact_read(v.root, &v.ledger, NULL) == ERR_NONE) {
			complete_holders(&v.ledger.ledger, offer, arg);
			transact_close(&v.ledger);
		}
		return;
	}
	if (read_host(&v, 0, NULL)) {
		return;
	}
	if (driver) {
		complete_drivers(&v.host, is_verb(cli, "vf list"), offer, arg);
	} else {
		complete_devices(&v.host, wanted(cli, param), is_verb(cli, "vf lease"), offer, arg);
	}
	host_free(&v.host);
}
