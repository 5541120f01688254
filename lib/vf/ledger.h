/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The ledger: who holds which VF or device, since when, what was set for it and what will be put back; and what was in the making
 * when a command ended halfway.
 *
 * It is a file of JSON lines (lib/io/transact.h writes it, every line synced before the next step; ledger_trim.h takes out what
 *is past). Reading it from the beginning gives the state. Every change is written twice: "begin" with all its steps before the
 *first of them, and "done" or "undone" after the last. A begin without an end is what a killed command left: ledger.open is it,
 *and the next command that changes anything undoes its steps (lease, bind, set, numvfs, port: nobody was told that it was done)
 *or does the rest of them (release, unbind, reset: somebody wanted to be rid of it).
 *
 *	{"seq":7,"at":"2026-01-31T12:00:00Z","boot":"..","who":"root (alice)","op":"lease","phase":"begin","func":"0000:01:00.0",
 *	 "index":2,"generation":3,"holder":"vpx1","vlans":[10,20],"set":{..},"steps":[..]}
 *	{"seq":8,"at":"..","of":7,"phase":"done"}
 *
 * A last line without its newline was being written: it does not count. Any other line that is not understood is ERR_FAILED with
 * its number: nothing is changed on a host whose ledger cannot be read.
 */
#ifndef PEKIT_VF_LEDGER_H
#define PEKIT_VF_LEDGER_H

#include <stddef.h>

#include "vf/step.h"

#define LEDGER_HOLDER_SIZE 64
#define LEDGER_WHO_SIZE 64
#define LEDGER_AT_SIZE 24

enum ledger_op {
	LEDGER_LEASE,
	LEDGER_RELEASE,
	LEDGER_BIND,
	LEDGER_UNBIND,
	LEDGER_SET,
	LEDGER_NUMVFS,
	LEDGER_PORT_SET,
	LEDGER_PORT_RESET
};
enum ledger_phase { LEDGER_BEGIN, LEDGER_DONE, LEDGER_UNDONE };

/* Tagged VLAN ids that a holder will use by itself: bit v of word v / 64. */
struct ledger_vlans {
	uint64_t bits[64];
};

/* One line. */
struct ledger_entry {
	uint64_t seq;
	char at[LEDGER_AT_SIZE]; /* UTC, RFC 3339 */
	char boot[40];
	char who[LEDGER_WHO_SIZE];
	enum ledger_op op;
	enum ledger_phase phase;
	uint64_t of; /* of an end: the seq of its begin */
	uint64_t func;
	int index;    /* -1: func itself */
	uint64_t ids; /* of the card (plan_ids()): what is at an address after a boot may be another; 0: not known */
	uint64_t generation;
	char holder[LEDGER_HOLDER_SIZE];
	struct ledger_vlans vlans;
	struct vfset set; /* of a lease: all that was asked for, also what needs no step */
	struct steps steps;
	bool by_file;   /* "apply" does what its file or a lease says; what a lease has not set is no part of it */
	char note[160]; /* what goes, and at the end what went, otherwise than planned; may be empty */
};

/* What is recorded of one function: a VF by its PF and index, any other device with index -1. */
struct ledger_record {
	uint64_t func;
	int index;
	uint64_t generation;                                     /* of the last lease, one that was undone too; grows for ever */
	char holder[LEDGER_HOLDER_SIZE];                         /* empty: not leased */
	char who[LEDGER_WHO_SIZE], at[LEDGER_AT_SIZE], boot[40]; /* of the lease */
	uint64_t ids;                                            /* of the card that was leased */
	struct ledger_vlans vlans;
	struct vfset set;    /* what the lease wants, and what "vf set" has changed during it */
	struct vfset before; /* what release puts back: as it was before the lease, whatever was changed during it */
	bool rebound;        /* its driver was changed during the lease; release goes back to: */
	char before_driver[HOST_DRIVER_SIZE], before_override[HOST_DRIVER_SIZE];
	char driver[HOST_DRIVER_SIZE]; /* what the lease or a bind has bound it to; empty: nothing */
	bool bound;
	char former[HOST_DRIVER_SIZE], former_override[HOST_DRIVER_SIZE]; /* before the first of them: what unbind goes back to */
	struct portset defaults; /* of a port, before it was first set; has 0: it was never set */
};

struct ledger {
	struct ledger_record *record; /* sorted by func, index */
	size_t nrecords;
	uint64_t seq;             /* of the last line */
	struct ledger_entry open; /* open.seq 0: nothing was left halfway */
};

/* Reads the whole text. On success ledger_free() it. A ledger that is not there is an empty text. */
enum err_code
ledger_read(const char *text, size_t size, struct ledger *ledger, struct err *err);
/* One more line, without its newline, in place of reading all of them again. After an error the ledger must be read anew. */
enum err_code
ledger_take(struct ledger *ledger, const char *line, size_t size, struct err *err);
void
ledger_free(struct ledger *ledger);

/* NULL: nothing is recorded of it. */
const struct ledger_record *
ledger_find(const struct ledger *ledger, uint64_t func, int index);

/* The same for a function of a host: a VF by its PF and index. */
const struct ledger_record *
ledger_of(const struct ledger *ledger, const struct host_func *func);

/*
 * Must the entry be written? It has steps, or what it says is news: a lease that sets nothing, a release with nothing to put
 * back. If not, everything is "unchanged".
 */
bool
ledger_news(const struct ledger *ledger, const struct ledger_entry *entry);

/* One line with its newline; free() it. NULL: no memory. */
char *
ledger_line(const struct ledger_entry *entry);
/* One line, without the newline. */
enum err_code
ledger_parse(const char *line, size_t size, struct ledger_entry *entry, struct err *err);
void
ledger_entry_free(struct ledger_entry *entry);

/* Is what a killed command left to be undone (true) or to be finished? */
bool
ledger_undoes(enum ledger_op op);

const char *
ledger_op_name(enum ledger_op op);

/* "10,20,100-119": ids 1..4094. ERR_USAGE names the offending part. */
enum err_code
ledger_vlans_parse(const char *text, struct ledger_vlans *vlans, struct err *err);
char *
ledger_vlans_text(const struct ledger_vlans *vlans, char *text, size_t size);
unsigned
ledger_vlans_count(const struct ledger_vlans *vlans);

/* The past of one function for "vf show": calls back for every lease that ended or stands, oldest first. */
struct ledger_past {
	uint64_t generation;
	const char *holder, *who, *from, *to; /* to NULL: it stands */
	const struct vfset *set;
	const char *note;
};
typedef void
ledger_tell(void *arg, const struct ledger_past *past);
enum err_code
ledger_history(const char *text, size_t size, uint64_t func, int index, ledger_tell *tell, void *arg, struct err *err);

#endif
