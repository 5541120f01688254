/* SPDX-License-Identifier: GPL-3.0-or-later */
/* vfctl doctor: what keeps VFs from working, and the command that mends it. */
#include "vf/doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/out.h"
#include "shm/seg.h"
#include "vfctl.h"

struct showing {
	struct cli *cli;
	struct out *out; /* NULL: lines for people */
	enum doctor_level worst;
	unsigned count[DOCTOR_FAIL + 1];
};

/* ---- the appliance --------------------------------------------------------------------------------------------------------- */

/*
 * An engine may be asked for more than this release's has (virtual routers): what such a key needs of the host is looked at all
 * the same, in the text.
 */
static enum err_code
parse_conf(const char *text, size_t size, struct conf *conf, struct err *err)
{
	json_t *document = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
	json_t *routers = json_incref(json_object_get(document, "vrrp"));
	if (!json_array_size(routers)) {
		json_decref(routers);
		json_decref(document);
		return conf_parse(text, size, conf, err);
	}
	json_object_del(document, "vrrp");
	char *rest = json_dumps(document, 0);
	json_object_set_new(document, "vrrp", routers);
	char *whole = json_dumps(document, 0);
	json_decref(document);
	enum err_code code = rest && whole ? conf_parse(rest, strlen(rest), conf, err) : err_set(err, ERR_FAILED, "no memory");
	free(rest);
	if (code) {
		free(whole);
		return code;
	}
	free(conf->text);
	conf->text = whole;
	return ERR_NONE;
}

static enum err_code
conf_of_file(const char *path, struct conf *conf, struct err *err)
{
	char *text;
	size_t size;
	enum err_code code = text_read(path, 4 * SEG_CONFIG_TEXT_SIZE, &text, &size, err);
	if (code) {
		return code;
	}
	code = parse_conf(text, size, conf, err);
	free(text);
	return code ? text_blame(path, code, err) : ERR_NONE;
}

/* Of an engine, also of one that has ended. */
static enum err_code
conf_of_appliance(const struct cli *cli, const char *name, struct conf *conf, bool *runs, struct err *err)
{
	struct seg seg;
	enum err_code code = seg_attach(&seg, name, err);
	if (code) {
		return code;
	}
	*runs = seg_writer_alive(&seg);
	if (!*runs) {
		cli_note(cli, "no engine runs %s: this is what it ran with last", name);
	}
	char *text = seg_read_config(&seg);
	seg_detach(&seg);
	if (!text) {
		return err_set(err, ERR_NO_ENGINE, "%s: no configuration in the segment", name);
	}
	code = parse_conf(text, strlen(text), conf, err);
	free(text);
	return code ? text_blame(name, code, err) : ERR_NONE;
}

/* ---- showing --------------------------------------------------------------------------------------------------------------- */

static const struct out_column columns[] = {
	{.key = "check"},
	{.key = "level"},
	{.key = "subject"},
	{.key = "text", .title = "FINDING"},
	{.key = "fix"},
	{.key = NULL},
};

static void
count(struct showing *s, enum doctor_level level)
{
	s->worst = level > s->worst ? level : s->worst;
	s->count[level]++;
}

static void
show(void *arg, const struct doctor_finding *finding)
{
	struct showing *s = arg;
	count(s, finding->level);
	out_text(s->out, finding->check);
	out_text(s->out, doctor_level_name(finding->level));
	out_text(s->out, finding->subject);
	out_text(s->out, finding->text);
	out_text(s->out, finding->fix[0] ? finding->fix : NULL);
	out_row(s->out);
}

static void
say(void *arg, const struct doctor_finding *finding)
{
	struct showing *s = arg;
	const char *subject = strcmp(finding->subject, "host") == 0 ? "" : finding->subject;
	count(s, finding->level);
	cli_say(s->cli, "%-4s  %-9s  %s%s%s", doctor_level_name(finding->level), finding->check, subject, *subject ? ": " : "",
		finding->text);
	if (finding->fix[0]) {
		cli_say(s->cli, "                 %s", finding->fix);
	}
}

static void
sum_up(const struct showing *s)
{
	const unsigned *n = s->count;
	cli_say(s->cli, "%u failed, %u warning%s, %u note%s", n[DOCTOR_FAIL], n[DOCTOR_WARN], n[DOCTOR_WARN] == 1 ? "" : "s",
		n[DOCTOR_NOTE], n[DOCTOR_NOTE] == 1 ? "" : "s");
}

static enum err_code
examine(struct cli *cli, const struct conf *conf, bool runs, const char *file, struct err *err)
{
	struct showing s = {.cli = cli};
	struct vfctl v;
	struct doctor_facts facts;
	enum err_code code = vfctl_open(cli, HOST_READ_ALL, &v, err);
	if (code) {
		return code;
	}
	code = facts_read(v.root, &v.host, &facts, err);
	if (!code) {
		facts.runs = runs;
		facts.conf_file = file;
		if (v.ledger.ledger.open.seq && transact_busy(&v.ledger)) {
			cli_note(cli, "another command (%s) is changing something", ledger_op_name(v.ledger.ledger.open.op));
			v.ledger.ledger.open.seq = 0; /* it is not left halfway */
		}
		s.out = cli->format == CLI_TABLE ? NULL : out_open(cli, columns);
		doctor_check(&v.host, &v.ledger.ledger, &facts, conf, s.out ? show : say, &s);
		facts_free(&facts);
		if (s.out) {
			code = out_close(s.out, err);
		}
		sum_up(&s);
	}
	vfctl_close(&v);
	return code ? code : s.worst > DOCTOR_NOTE ? ERR_FAILED : ERR_NONE;
}

enum err_code
doctor_run(struct cli *cli, struct err *err)
{
	const char *file = cli_text(cli, "config"), *name = cli_text(cli, "appliance");
	struct conf conf;
	bool runs = false;
	if (file && name) {
		return err_set(err, ERR_USAGE, "doctor: -c FILE or -a NAME, not both");
	}
	if (!file && !name) {
		return examine(cli, NULL, false, NULL, err);
	}
	enum err_code code = file ? conf_of_file(file, &conf, err) : conf_of_appliance(cli, name, &conf, &runs, err);
	if (!code) {
		code = examine(cli, &conf, runs, file && strcmp(file, "-") ? file : NULL, err);
		conf_free(&conf);
	}
	return code;
}
