/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages about neighbours in words: whom they are about, and what they say of it. */
#include <stdio.h>
#include <string.h>

#include "base/addr.h"
#include "nbr/cache.h"
#include "nbr/own.h"
#include "pemon.h"

/* All that a message says of one neighbour; empty where it does not. */
struct words {
	char address[IP_TEXT_SIZE + 4]; /* or a prefix */
	const char *iface;
	char mac[MAC_TEXT_SIZE];
	char detail[80];
};

bool
neighbors_message(const struct seg_msg *msg)
{
	return msg->kind >= SEG_MSG_NBR_ADD && msg->kind <= SEG_MSG_NBR_NOTICE;
}

static const char *
family_name(const struct seg_msg *msg)
{
	return nbr_msg_family(msg) == SEG_IPV4 ? "ipv4" : "ipv6";
}

static void
heard_words(uint64_t value, char *text, size_t size)
{
	static const struct {
		unsigned bit;
		const char *word;
	} names[] = {{NBR_HEARD_SENDER, "sender"}, {NBR_HEARD_ANSWER, "answer"}, {NBR_HEARD_ANNOUNCED, "announced"},
		{NBR_HEARD_OVERRIDE, "override"}, {NBR_HEARD_ROUTER, "router"}, {NBR_HEARD_HOST, "host"}};
	size_t at = 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if ((value & names[i].bit) && at + strlen(names[i].word) + 2 < size) {
			at += (size_t)snprintf(text + at, size - at, "%s%s", at ? " " : "", names[i].word);
		}
	}
}

static const char *
word_of(const char *const *words, size_t n, uint64_t value)
{
	unsigned number = value & 0xffff;
	return number < n && words[number] ? words[number] : "unknown";
}
#define WORD_OF(words, value) word_of((words), sizeof(words) / sizeof((words)[0]), (value))

static void
value_words(const struct seg_msg *msg, struct words *words)
{
	static const char *const frames[] = {[OWN_ANNOUNCE] = "announcement",
		[OWN_DAD] = "duplicate address detection",
		[OWN_RA] = "router advertisement",
		[OWN_RA_LAST] = "last router advertisement"};
	static const char *const notices[] = {[OWN_CONFLICT] = "conflict",
		[OWN_DAD_RIVAL] = "rival in duplicate address detection",
		[OWN_RS] = "router solicitation",
		[OWN_RA_HEARD] = "router advertisement of another"};
	uint64_t value = msg->word[2];
	size_t size = sizeof(words->detail);
	switch (msg->kind) {
	case SEG_MSG_NBR_ADD:
	case SEG_MSG_NBR_SET:
		snprintf(words->detail, size, "%s%s", names_nbr_state(SEG_NBR_STATE(value)),
			value & SEG_NBR_ROUTER ? " router" : "");
		break;
	case SEG_MSG_NBR_ASK:
		if (value) {
			snprintf(words->detail, size, "for core %llu", (unsigned long long)value);
		}
		return;
	case SEG_MSG_NBR_HEARD:
		heard_words(value, words->detail, size);
		break;
	case SEG_MSG_NBR_ANNOUNCE:
		snprintf(words->detail, size, "%s", WORD_OF(frames, value));
		return;
	case SEG_MSG_NBR_NOTICE:
		snprintf(words->detail, size, "%s", WORD_OF(notices, value));
		break;
	default:
		return;
	}
	if (SEG_NBR_MAC(value)) {
		mac_format(SEG_NBR_MAC(value), words->mac);
	}
}

static void
flush_words(const struct seg_msg *msg, struct words *words)
{
	unsigned state = (unsigned)(msg->word[2] >> NBR_FLUSH_STATE_SHIFT) & 7, length = (unsigned)(msg->word[2] >> 16) & 0xff;
	snprintf(words->detail, sizeof(words->detail), "%s%s", state ? names_nbr_state(state) : "",
		msg->word[2] & NBR_FLUSH_PERMANENT && !state ? "with permanent ones" : "");
	if (length) {
		size_t used = strlen(words->address);
		snprintf(words->address + used, sizeof(words->address) - used, "/%u", length);
	} else {
		words->address[0] = '\0';
	}
}

static void
read_words(const struct seg_tables *tables, const struct seg_msg *msg, struct words *words)
{
	uint32_t iface = (uint32_t)msg->word[3];
	struct ip ip;
	*words = (struct words){.iface = NULL};
	if (iface > 0 && iface < SEG_MAX_IFACES && tables->iface[iface].name[0]) {
		words->iface = tables->iface[iface].name;
	}
	if (msg->kind == SEG_MSG_NBR_USED || msg->kind == SEG_MSG_NBR_AGAIN) {
		return;
	}
	nbr_ip(nbr_msg_family(msg), msg->word, &ip);
	ip_format(&ip, words->address);
	value_words(msg, words);
	if (msg->kind == SEG_MSG_NBR_FLUSH) {
		flush_words(msg, words);
	}
}

json_t *
neighbors_json(const struct seg_tables *tables, const struct seg_msg *msg)
{
	json_t *neighbors = json_array();
	struct words words;
	if (!neighbors_message(msg) || msg->kind == SEG_MSG_NBR_USED) {
		return neighbors; /* hints are hashes */
	}
	read_words(tables, msg, &words);
	json_array_append_new(
		neighbors, json_pack("{s:s, s:s?, s:o, s:s?, s:s?}", "family", family_name(msg), "address",
				   words.address[0] ? words.address : NULL, "interface", cli_json_text(words.iface), "mac",
				   words.mac[0] ? words.mac : NULL, "detail", words.detail[0] ? words.detail : NULL));
	return neighbors;
}

void
neighbors_text(const struct seg_tables *tables, const struct seg_msg *msg, char *text, size_t size)
{
	struct words words;
	read_words(tables, msg, &words);
	if (msg->kind == SEG_MSG_NBR_USED) {
		snprintf(text, size, "%u of %s in use", msg->n < NBR_HINTS ? msg->n : NBR_HINTS, family_name(msg));
		return;
	}
	snprintf(text, size, "%s%s%s%s%s%s%s%s%s", words.address[0] ? words.address : "all of ",
		words.address[0] ? "" : family_name(msg), words.iface ? " dev " : "", words.iface ? words.iface : "",
		words.mac[0] ? " lladdr " : "", words.mac, words.detail[0] ? " (" : "", words.detail, words.detail[0] ? ")" : "");
}
