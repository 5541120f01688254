/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * vfctl apply: makes the host what a file says, one entry of the ledger after the other. What fails is said and left out; the
 * others are done. A step that comes up again after it was done is one that the driver has not kept: it is not done again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/bounded.h"
#include "vf/file.h"
#include "vf/pretend.h"
#include "vfctl.h"

#define STEP_SIZE 256
#define LOOK_AGAIN_MS 100

struct apply {
	struct vfctl v;
	const char *name;
	struct file file;
	struct file_skip skip; /* the first nsettled are settled; the others are not there, and may come */
	size_t nsettled;
	struct err *why;      /* of each of skip */
	json_t *steps, *done; /* for the answer; to's of steps, for what comes up again */
	json_t *failed;
	bool changed;
	bool waited;
	bool pretended; /* the model has steps that were done and not looked at since */
	int64_t until_ms;
};

static enum err_code
no_memory(struct err *err)
{
	return err_set(err, ERR_FAILED, "no memory");
}

/* ---- parts that are left out ------------------------------------------------------------------------------------------------
 */

static enum err_code
leave_out(struct apply *a, const char *path, const struct err *why, struct err *err)
{
	char(*paths)[FILE_PATH_SIZE] = realloc(a->skip.path, (a->skip.n + 1) * sizeof(*paths));
	a->skip.path = paths ? paths : a->skip.path;
	struct err *whys = realloc(a->why, (a->skip.n + 1) * sizeof(*whys));
	a->why = whys ? whys : a->why;
	if (!paths || !whys) {
		return no_memory(err);
	}
	snprintf(a->skip.path[a->skip.n], FILE_PATH_SIZE, "%s", path);
	a->why[a->skip.n++] = *why;
	return ERR_NONE;
}

/* For good: it goes before those that wait. */
static enum err_code
give_up(struct apply *a, const char *path, const struct err *why, struct err *err)
{
	enum err_code code = leave_out(a, path, why, err);
	size_t last = a->skip.n - 1;
	if (!code && a->nsettled != last) {
		memcpy(a->skip.path[last], a->skip.path[a->nsettled], FILE_PATH_SIZE);
		a->why[last] = a->why[a->nsettled];
		snprintf(a->skip.path[a->nsettled], FILE_PATH_SIZE, "%s", path);
		a->why[a->nsettled] = *why;
	}
	a->nsettled += !code;
	return code;
}

static void
say_failed(struct apply *a, const char *path, const struct err *why)
{
	cli_note(a->v.cli, "%s: %s%s%s%s", path, why->message, why->hint[0] ? " (" : "", why->hint, why->hint[0] ? ")" : "");
	json_array_append_new(a->failed,
		json_pack("{s:o, s:i, s:s, s:o, s:o}", "part", cli_json_text(path), "code", (int)why->code, "name",
			err_name(why->code), "message", cli_json_text(why->message), "hint", cli_json_text(why->hint)));
}

static enum err_code
part_failed(struct apply *a, const char *path, const struct err *why, struct err *err)
{
	enum err_code code = give_up(a, path, why, err);
	if (!code) {
		say_failed(a, path, why);
	}
	return code;
}

/* ---- steps ----------------------------------------------------------------------------------------------------------------- */

static void
tell(void *arg, const struct step *step, bool undone)
{
	struct apply *a = arg;
	char text[STEP_SIZE];
	step_text(&a->v.host, step, text, sizeof(text));
	cli_say(a->v.cli, "%s%s%s", undone ? "taken back: " : "", a->v.cli->dry_run ? "would be " : "", text);
	if (undone) {
		json_array_append_new(a->steps, json_sprintf("taken back: %s", text));
	} else {
		json_array_append_new(a->steps, cli_json_text(text));
	}
}

/* What a step comes to, whatever was there before. */
static char *
outcome(const struct step *step)
{
	json_t *object = step_to_json(step);
	json_object_del(object, "from");
	char *text = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(object);
	return text;
}

/* A setting that is not told back can only be made once. */
static bool
is_told(const struct apply *a, const struct step *step)
{
	const struct host_func *func =
		step->index < 0 ? host_at(&a->v.host, step->func) : host_vf(&a->v.host, step->func, (unsigned)step->index);
	if (func && step->kind == STEP_PORTSET) {
		return func->nifaces && (func->iface[0].set.has & step->to.port.has) == step->to.port.has;
	}
	return !func || step->kind != STEP_VFSET || func->set.has & step->to.set.has;
}

/* Steps that count as done: what is taken from VFs and put back around a change of their number is no setting. */
static bool
counts(const struct ledger_entry *entry, const struct step *step)
{
	return entry->op != LEDGER_NUMVFS || step->index < 0;
}

static const struct step *
known_step(const struct apply *a, const struct ledger_entry *entry)
{
	for (size_t i = 0; i < entry->steps.n; i++) {
		const struct step *step = &entry->steps.step[i];
		char *text = outcome(step);
		bool known = text && counts(entry, step) && json_object_get(a->done, text);
		free(text);
		if (known) {
			return step;
		}
	}
	return NULL;
}

/* Was one of the steps done before? Then the part is left out, and that is an error when the setting could have been seen. */
static enum err_code
comes_again(struct apply *a, const char *path, const struct ledger_entry *entry, bool *again, struct err *err)
{
	const struct step *known = known_step(a, entry);
	char said[STEP_SIZE];
	struct err why;
	*again = known != NULL;
	if (known) {
		err_set(&why, ERR_FAILED, "%s: was done, and the driver has not kept it",
			step_text(&a->v.host, known, said, sizeof(said)));
		return is_told(a, known) ? part_failed(a, path, &why, err) : give_up(a, path, &why, err);
	}
	for (size_t i = 0; i < entry->steps.n; i++) {
		char *text = outcome(&entry->steps.step[i]);
		if (text && counts(entry, &entry->steps.step[i])) {
			json_object_set_new(a->done, text, json_true());
		}
		free(text);
	}
	return ERR_NONE;
}

/* VFs that are to go, whether somebody needs them or not. */
static enum err_code
confirm(struct apply *a, const struct ledger_entry *entry, struct err *why)
{
	for (size_t i = 0; i < entry->steps.n; i++) {
		const struct step *step = &entry->steps.step[i];
		char what[STEP_SIZE + 16], text[STEP_SIZE];
		if (step->kind == STEP_NUMVFS && step->to.number < step->from.number) {
			step_text(&a->v.host, step, text, sizeof(text));
			snprintf(what, sizeof(what), "make it %s", text);
			return cli_confirm(a->v.cli, what, why);
		}
	}
	return ERR_NONE;
}

/* Notes in the model what was done; false: it must be read anew. */
static bool
note_done(struct apply *a, const struct ledger_entry *entry)
{
	bool ok = true;
	for (size_t i = 0; i < entry->steps.n && ok; i++) {
		const struct step *step = &entry->steps.step[i];
		ok = (a->v.cli->dry_run || step->kind != STEP_NUMVFS) && pretend_step(&a->v.host, step);
	}
	a->pretended = a->pretended || !a->v.cli->dry_run;
	return ok;
}

static enum err_code
look_again(struct apply *a, struct err *err)
{
	a->pretended = false;
	enum err_code code = vfctl_reread(&a->v, err);
	return code ? code : file_label(&a->file, &a->v.host, err);
}

static enum err_code
do_entry(struct apply *a, const char *path, struct ledger_entry *entry, struct err *err)
{
	struct err why = {0};
	bool again;
	enum err_code code = comes_again(a, path, entry, &again, err);
	if (code || again) {
		return code;
	}
	if (confirm(a, entry, &why)) {
		return part_failed(a, path, &why, err);
	}
	if (a->v.cli->dry_run) {
		for (size_t i = 0; i < entry->steps.n; i++) {
			tell(a, &entry->steps.step[i], false);
		}
		a->changed = true;
		return note_done(a, entry) ? ERR_NONE : no_memory(err);
	}
	if (transact_run(&a->v.ledger, entry, a->v.cli->timeout_ms, tell, a, &why)) {
		code = part_failed(a, path, &why, err);
		return code ? code : look_again(a, err);
	}
	a->changed = true;
	return note_done(a, entry) ? ERR_NONE : look_again(a, err);
}

/* ---- the loop -------------------------------------------------------------------------------------------------------------- */

/* Nothing is to do, but for what is not there yet: a driver may be loading. */
static enum err_code
wait_for_more(struct apply *a, bool *ended, struct err *err)
{
	struct cli *cli = a->v.cli;
	if (a->pretended) {
		return look_again(a, err);
	}
	bool waits = a->skip.n > a->nsettled;
	if (waits && !a->waited && !cli->dry_run) {
		a->waited = true;
		cli_note(cli, "waiting for %s: %s", a->skip.path[a->nsettled], a->why[a->nsettled].message);
	}
	if (waits && bounded_now_ms() < a->until_ms && !cli->dry_run && cli_wait(cli, LOOK_AGAIN_MS)) {
		a->skip.n = a->nsettled;
		return look_again(a, err);
	}
	for (; a->nsettled < a->skip.n; a->nsettled++) {
		say_failed(a, a->skip.path[a->nsettled], &a->why[a->nsettled]);
	}
	*ended = true;
	return ERR_NONE;
}

static enum err_code
apply_all(struct apply *a, struct err *err)
{
	enum err_code code = file_label(&a->file, &a->v.host, err);
	for (bool ended = false; !code && !ended;) {
		struct plan_input in = vfctl_input(&a->v);
		struct ledger_entry entry;
		struct err why = {0};
		char path[FILE_PATH_SIZE];
		enum err_code next = file_next(&a->file, &in, &a->skip, path, &entry, &why);
		if (next == ERR_NOT_FOUND) {
			code = leave_out(a, path, &why, err);
		} else if (next) {
			code = part_failed(a, path, &why, err);
		} else if (entry.steps.n) {
			code = do_entry(a, path, &entry, err);
			ledger_entry_free(&entry);
		} else {
			code = wait_for_more(a, &ended, err);
		}
	}
	return code;
}

static enum err_code
answer(struct apply *a, struct err *err)
{
	struct cli *cli = a->v.cli;
	size_t failed = json_array_size(a->failed);
	char parts[48] = "";
	if (failed) {
		snprintf(parts, sizeof(parts), ", but for %zu part%s", failed, failed > 1 ? "s" : "");
	}
	cli_say(cli, "%s: %s%s", a->name, !a->changed ? "unchanged" : cli->dry_run ? "would be done" : "done", parts);
	enum err_code code = cli_print_answer(cli,
		json_pack("{s:o, s:b, s:b, s:O, s:O}", "what", cli_json_text(a->name), "changed", a->changed, "dry_run",
			cli->dry_run, "steps", a->steps, "failed", a->failed),
		err);
	return code ? code : failed ? ERR_PARTLY : ERR_NONE;
}

enum err_code
apply_run(struct cli *cli, struct err *err)
{
	const char *path = cli_text(cli, "file");
	struct apply a = {.name = strcmp(path, "-") == 0 ? "standard input" : path,
		.until_ms = bounded_now_ms() + cli->timeout_ms,
		.steps = json_array(),
		.failed = json_array(),
		.done = json_object()};
	char *text;
	size_t size;
	enum err_code code = text_read(path, FILE_SIZE_MAX, &text, &size, err);
	if (!code) {
		code = file_parse(text, size, &a.file, err);
		code = code ? text_blame(path, code, err) : vfctl_open_change(cli, &a.v, err);
		free(text);
		if (!code) {
			code = apply_all(&a, err);
			code = code ? code : answer(&a, err);
			vfctl_close(&a.v);
		}
		file_free(&a.file);
	}
	json_decref(a.steps);
	json_decref(a.failed);
	json_decref(a.done);
	free(a.skip.path);
	free(a.why);
	return code;
}
