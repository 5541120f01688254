/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/transact.h"

#include <stdarg.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/perform.h"
#include "io/transact_file.h"

#define TRIM_EACH (256u << 10) /* bytes of the ledger: some 10 ms to read */

/* A change under way, or its mending. */
struct doing {
	struct transact *t;
	int timeout_ms;
	transact_tell *tell;
	void *arg;
	bool mends;
	char gone[96];     /* a function that is no more */
	uint64_t gone_of;  /* its PF, of a VF */
	char left[240];    /* what was not done, and never will be */
	struct err stuck;  /* why something could not be done this time */
	char halfway[120]; /* what that was */
};

static void __attribute__((format(printf, 3, 4))) add_text(char *text, size_t size, const char *fmt, ...)
{
	size_t end = strlen(text);
	va_list args;
	va_start(args, fmt);
	vsnprintf(text + end, size - end, fmt, args);
	va_end(args);
}

static const char *
name_of(const struct transact *t, const struct step *step, char *text, size_t size)
{
	step_text(t->host, step, text, size);
	char *end = strstr(text, ": ");
	if (end) {
		*end = '\0';
	}
	return text;
}

static bool
is_empty(const struct step *step)
{
	return (step->kind == STEP_VFSET && !step->to.set.has) || (step->kind == STEP_PORTSET && !step->to.port.has);
}

static void
leave(struct doing *d, const struct step *step)
{
	char text[160];
	step_text(d->t->host, step, text, sizeof(text));
	add_text(d->left, sizeof(d->left), "%s%s", d->left[0] ? "; " : "", text);
}

/* What has failed, of a step that is mended or taken back. step is the one of the plan. */
static void
note_failure(struct doing *d, const struct step *step, const struct err *why)
{
	if (why->code == ERR_REFUSED || (d->mends && d->t->force)) {
		leave(d, step);
	} else if (!d->stuck.code) {
		d->stuck = *why;
		step_text(d->t->host, step, d->halfway, sizeof(d->halfway));
	}
}

/* VFs that the number of them has brought back are there again. */
static void
forget_gone(struct doing *d, const struct step *step)
{
	if (step->kind == STEP_NUMVFS && d->gone_of == step->func) {
		d->gone[0] = '\0';
	}
}

static void
note_gone(struct doing *d, const struct step *step)
{
	name_of(d->t, step, d->gone, sizeof(d->gone));
	d->gone_of = step->index >= 0 ? step->func : 0;
}

/* One step of what must be done whatever fails. step is the plan's, and undone it is done backwards. */
static void
do_anyway(struct doing *d, const struct step *step, bool undone)
{
	struct step action = undone ? step_undo(step) : *step;
	struct err why = {.code = ERR_NONE};
	if (is_empty(&action)) {
		return;
	}
	enum err_code code = perform_step(&action, d->timeout_ms, &why);
	if (code == ERR_NONE) {
		forget_gone(d, step);
		if (d->tell) {
			d->tell(d->arg, step, undone);
		}
	} else if (code == ERR_NOT_FOUND) {
		note_gone(d, step);
	} else {
		why.code = code;
		note_failure(d, step, &why);
	}
}

static void
take_back(struct doing *d, const struct steps *steps, size_t n)
{
	while (n > 0) {
		do_anyway(d, &steps->step[--n], true);
	}
}

/* The end of begin; its note is what the plan said and what has become of it. */
static enum err_code
write_end(struct doing *d, const struct ledger_entry *begin, enum ledger_phase phase, const char *note, struct err *err)
{
	struct ledger_entry end = {.seq = d->t->ledger.seq + 1, .phase = phase, .of = begin->seq, .index = -1};
	add_text(end.note, sizeof(end.note), "%s", note);
	if (d->gone[0]) {
		add_text(end.note, sizeof(end.note), "%s%s is no more", end.note[0] ? "; " : "", d->gone);
	}
	if (d->left[0]) {
		add_text(end.note, sizeof(end.note), "%snot %s: %s", end.note[0] ? "; " : "",
			phase == LEDGER_UNDONE ? "taken back" : "done", d->left);
	}
	transact_now(end.at);
	return transact_append(d->t, &end, err);
}

/* ---- mending --------------------------------------------------------------------------------------------------------- */

static enum err_code
fail_mending(struct doing *d, const struct ledger_entry *open, struct err *err)
{
	enum err_code code = d->stuck.code;
	bool undoes = ledger_undoes(open->op);
	err_set(err, code, "a command (%s by %s) was left halfway and cannot be %s: %.120s: %.150s", ledger_op_name(open->op),
		open->who, undoes ? "taken back" : "finished", d->halfway, d->stuck.message);
	return err_hint(err,
		"take out of the way what hinders it; echo '{}' | vfctl apply --force - leaves what cannot be %s as it is",
		undoes ? "taken back" : "done");
}

/* After a boot there is nothing to undo: VFs, their settings, drivers and the settings of ports are gone with the old one. */
static enum err_code
mend(struct transact *t, int timeout_ms, transact_tell *tell, void *arg, struct err *err)
{
	const struct ledger_entry *open = &t->ledger.open;
	struct doing d = {.t = t, .timeout_ms = timeout_ms, .tell = tell, .arg = arg, .mends = true};
	bool undoes = ledger_undoes(open->op);
	char boot[sizeof(open->boot)], note[sizeof(open->note)];
	transact_boot(boot, sizeof(boot));
	snprintf(note, sizeof(note), "%s", open->note);
	if (strcmp(boot, open->boot) != 0) {
		snprintf(note, sizeof(note), "left halfway before the machine was started anew");
	} else if (undoes) {
		take_back(&d, &open->steps, open->steps.n);
	} else {
		for (size_t i = 0; i < open->steps.n; i++) {
			do_anyway(&d, &open->steps.step[i], false);
		}
	}
	if (d.stuck.code) {
		return fail_mending(&d, open, err);
	}
	memcpy(t->left, d.left, sizeof(t->left));
	return write_end(&d, open, undoes ? LEDGER_UNDONE : LEDGER_DONE, note, err);
}

/*
 * Who presses ctrl-C, logs off or closes the pipe that hears of the steps would leave the change halfway: such signals wait for
 * its end. Each step is bounded in time.
 */
static void
hold_signals(sigset_t *before)
{
	static const int held[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(held) / sizeof(held[0]); i++) {
		sigaddset(&set, held[i]);
	}
	sigprocmask(SIG_BLOCK, &set, before);
}

enum err_code
transact_open(int timeout_ms, struct transact *t, transact_tell *tell, void *arg, uint64_t *mended, struct err *err)
{
	enum err_code code = transact_lock(t, timeout_ms, err);
	if (!code) {
		code = transact_load(t, err);
	}
	*mended = code ? 0 : t->ledger.open.seq;
	if (*mended) {
		sigset_t before;
		hold_signals(&before);
		code = mend(t, timeout_ms, tell, arg, err);
		sigprocmask(SIG_SETMASK, &before, NULL);
	}
	if (code) {
		transact_close(t);
	}
	return code;
}

/* ---- doing ----------------------------------------------------------------------------------------------------------- */

/* Who is forced to be rid of something leaves what a driver does not put back; what it has not yet done is waited for. */
static bool
is_leavable(enum err_code code)
{
	return code == ERR_REFUSED || code == ERR_FAILED;
}

/* Everything is taken back, and the error is that of the step. */
static enum err_code
fail_step(struct doing *d, const struct ledger_entry *entry, size_t done, const struct err *why, struct err *err)
{
	struct err what = {.code = ERR_NONE};
	if (done < entry->steps.n) {
		struct step half = step_undo(&entry->steps.step[done]);
		struct err ignored;
		/* What the failed step has left, when it has left anything, is found by those that look for it. */
		enum err_code code = is_empty(&half) ? ERR_NONE : perform_step(&half, d->timeout_ms, &ignored);
		if (code && code != ERR_NOT_FOUND) {
			ignored.code = code;
			note_failure(d, &entry->steps.step[done], &ignored);
		}
	}
	take_back(d, &entry->steps, done);
	if (!d->stuck.code) {
		write_end(d, entry, LEDGER_UNDONE, entry->note, &what);
	}
	if (err) {
		*err = *why;
		if (!ledger_undoes(entry->op) && is_leavable(why->code)) {
			snprintf(err->hint, sizeof(err->hint), "--force leaves what cannot be put back as it is");
		}
		if (d->stuck.code) {
			add_text(err->message, sizeof(err->message), "; not taken back: %.100s", d->halfway);
			snprintf(err->hint, sizeof(err->hint), "the next change %s: %.160s",
				ledger_undoes(entry->op) ? "tries again to take it back" : "tries again to do it all",
				d->stuck.message);
		} else if (d->left[0]) {
			add_text(err->message, sizeof(err->message), "; not taken back: %s", d->left);
		} else if (done == entry->steps.n) {
			snprintf(err->hint, sizeof(err->hint), "everything is taken back: nothing is changed");
		} else if (what.code) {
			snprintf(err->hint, sizeof(err->hint), "and %.200s", what.message);
		}
	}
	return why->code;
}

static enum err_code
do_steps(struct doing *d, struct ledger_entry *entry, struct err *err)
{
	for (size_t i = 0; i < entry->steps.n; i++) {
		const struct step *step = &entry->steps.step[i];
		struct err why = {.code = ERR_NONE};
		enum err_code code = perform_step(step, d->timeout_ms, &why);
		if (code == ERR_NOT_FOUND && !ledger_undoes(entry->op)) {
			note_gone(d, step);
			continue;
		}
		if (is_leavable(code) && d->t->force && !ledger_undoes(entry->op)) {
			leave(d, step);
			continue;
		}
		if (code) {
			why.code = code;
			return fail_step(d, entry, i, &why, err);
		}
		if (d->tell) {
			d->tell(d->arg, step, false);
		}
	}
	return ERR_NONE;
}

/* All is done, and cannot be written down: what the next command would take back must not be used until then. */
static enum err_code
fail_end(struct doing *d, const struct ledger_entry *entry, const struct err *why, struct err *err)
{
	if (ledger_undoes(entry->op)) {
		return fail_step(d, entry, entry->steps.n, why, err);
	}
	if (err) {
		*err = *why;
		snprintf(err->hint, sizeof(err->hint),
			"everything is done, but not noted: the next change does and notes it again");
	}
	return why->code;
}

static enum err_code
run(struct doing *d, struct ledger_entry *entry, struct err *err)
{
	struct transact *t = d->t;
	struct err why = {.code = ERR_NONE};
	enum err_code code = t->ledger.open.seq ? mend(t, d->timeout_ms, d->tell, d->arg, err) : ERR_NONE;
	if (code) {
		return code;
	}
	entry->seq = t->ledger.seq + 1;
	entry->phase = LEDGER_BEGIN;
	transact_now(entry->at);
	transact_boot(entry->boot, sizeof(entry->boot));
	transact_who(entry->who, sizeof(entry->who));
	code = transact_append(t, entry, err);
	if (!code) {
		code = do_steps(d, entry, err);
	}
	if (code) {
		return code;
	}
	code = write_end(d, entry, LEDGER_DONE, entry->note, &why);
	if (code) {
		return fail_end(d, entry, &why, err);
	}
	if (d->gone[0]) {
		add_text(entry->note, sizeof(entry->note), "%s%s is no more", entry->note[0] ? "; " : "", d->gone);
	}
	if (d->left[0]) {
		add_text(entry->note, sizeof(entry->note), "%snot done: %s", entry->note[0] ? "; " : "", d->left);
	}
	return ERR_NONE;
}

enum err_code
transact_run(struct transact *t, struct ledger_entry *entry, int timeout_ms, transact_tell *tell, void *arg, struct err *err)
{
	struct doing d = {.t = t, .timeout_ms = timeout_ms, .tell = tell, .arg = arg};
	sigset_t before;
	if (!ledger_news(&t->ledger, entry)) {
		return ERR_NONE;
	}
	hold_signals(&before);
	size_t was = t->size;
	enum err_code code = run(&d, entry, err);
	if (code == ERR_NONE && was / TRIM_EACH != t->size / TRIM_EACH) {
		transact_trim(t);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	return code;
}
