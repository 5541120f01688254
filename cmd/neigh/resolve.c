/* SPDX-License-Identifier: GPL-3.0-or-later */
/* resolve: the engine asks, and answers when somebody has answered it, or nobody. */
#include <stdio.h>

#include "cli/change.h"
#include "neigh.h"

#define MOST_MS 10000  /* an engine waits no longer for one request */
#define ANSWER_MS 1000 /* beyond that: for its own answer */

struct resolve {
	struct cli *cli;
	struct neigh n;
	struct nbr_key key;
	char address[IP_TEXT_SIZE];
	const char *iface;
};

static enum err_code
ask(const struct resolve *r, int timeout_ms, json_t **result, struct err *err)
{
	json_t *args = json_pack("{s:s, s:s, s:s, s:i}", "family", neigh_tool.protocol, "address", r->address, "interface",
		r->iface, "timeout_ms", timeout_ms);
	return change_ask(r->cli, "nbr.resolve", args, timeout_ms + ANSWER_MS, result, err);
}

static const char *
text_of(const json_t *result, const char *key)
{
	const char *text = json_string_value(json_object_get(result, key));
	return text ? text : "";
}

static enum err_code
print(struct resolve *r, json_t *result, struct err *err)
{
	json_int_t ms = json_integer_value(json_object_get(result, "answered_by_ms"));
	unsigned owner = neigh_owner(&r->n, &r->key);
	cli_say(r->cli, "%s dev %s lladdr %s %s: %lld ms, core %u owns it", r->address, text_of(result, "interface"),
		text_of(result, "mac"), text_of(result, "state"), (long long)ms, owner);
	json_t *answer = json_pack("{s:s, s:O?, s:O?, s:O?, s:i, s:I}", "address", r->address, "mac",
		json_object_get(result, "mac"), "interface", json_object_get(result, "interface"), "state",
		json_object_get(result, "state"), "owner", (int)owner, "answered_by_ms", ms);
	json_decref(result);
	return cli_print_answer(r->cli, answer, err);
}

static enum err_code
resolve_open(struct resolve *r, struct err *err)
{
	struct neigh_address address;
	uint16_t iface = 0;
	json_t *result = NULL;
	neigh_address(r->cli, &address);
	neigh_text(address.words, r->address);
	enum err_code code = neigh_pick_iface(&r->n, &address, &iface, err);
	if (code) {
		return code;
	}
	r->key = (struct nbr_key){.address = {address.words[0], address.words[1]}, .iface = iface};
	r->iface = neigh_iface_name(&r->n, iface);
	code = ask(r, r->cli->timeout_ms < MOST_MS ? r->cli->timeout_ms : MOST_MS, &result, err);
	return code ? code : print(r, result, err);
}

enum err_code
resolve_run(struct cli *cli, struct err *err)
{
	struct resolve r = {.cli = cli};
	enum err_code code = neigh_open(cli, &r.n, err);
	if (!code) {
		code = resolve_open(&r, err);
		neigh_close(&r.n);
	}
	return code;
}
