/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: */
/*
 * killat N COMMAND...: runs the command and kills it before the Nth of its calls that matter: fsync, pipe2, poll, wait4, sendmsg,
 * counted from the first fsync on. Exit status 137 when it was killed, else the command's.
 *
 * strace would do it, but loses the signal when it looks at some calls only, and takes an emulated processor 16 s when at all.
 * Children of the command must not make such calls: they have the filter and nobody who traces them.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define KILLED 137
#define NOT_RUN 127
#define LOOK(call) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (call), 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE | (call))

static void
run(char **command)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		LOOK(SYS_fsync),
		LOOK(SYS_pipe2),
		LOOK(SYS_poll),
		LOOK(SYS_wait4),
		LOOK(SYS_sendmsg),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = {.len = sizeof(code) / sizeof(code[0]), .filter = code};
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0 && raise(SIGSTOP) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0) {
		execvp(command[0], command);
	}
	perror("killat");
	_exit(NOT_RUN);
}

/* Is this stop the one to kill it at? */
static int
is_due(pid_t pid, int status, unsigned long n, unsigned long *seen)
{
	unsigned long call = 0;
	if (status >> 8 != (SIGTRAP | PTRACE_EVENT_SECCOMP << 8)) {
		return 0;
	}
	ptrace(PTRACE_GETEVENTMSG, pid, NULL, &call);
	*seen += *seen > 0 || call == SYS_fsync;
	return *seen == n;
}

int
main(int argc, char **argv)
{
	unsigned long n = argc > 2 ? strtoul(argv[1], NULL, 10) : 0, seen = 0;
	int status;
	if (n == 0) {
		fprintf(stderr, "killat N COMMAND...\n");
		return 2;
	}
	pid_t pid = fork();
	if (pid == 0) {
		run(argv + 2);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status) ||
		ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL) != 0) {
		perror("killat");
		return 1;
	}
	for (long pass = 0;;) {
		ptrace(PTRACE_CONT, pid, NULL, pass);
		if (waitpid(pid, &status, 0) != pid) {
			return 1;
		}
		if (!WIFSTOPPED(status)) {
			return WIFEXITED(status) ? WEXITSTATUS(status) : KILLED;
		}
		if (is_due(pid, status, n, &seen)) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			return KILLED;
		}
		pass = status >> 16 == 0 && WSTOPSIG(status) != SIGTRAP && WSTOPSIG(status) != SIGSTOP ? WSTOPSIG(status) : 0;
	}
}
