/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who may know which process holds a socket.
 */
#ifndef KNETSTAT_OWNER_JUDGE_H
#define KNETSTAT_OWNER_JUDGE_H

#include <linux/sched.h>
#include <linux/seq_file.h>

int owner_may_see(struct seq_file *seq, bool may_ptrace, pid_t tid);

/**
 * struct owner_program - the program that a task runs, only to be compared
 * @mm: its memory
 * @exec_id: how many programs there have been
 *
 * exec changes @mm before the descriptors become the new program's, and
 * @exec_id after that: if neither has changed, it is still the same program.
 */
struct owner_program {
	const struct mm_struct *mm;
	u64 exec_id;
};

static inline struct owner_program owner_program(const struct task_struct *task)
{
	return (struct owner_program){
		READ_ONCE(task->mm), READ_ONCE(task->self_exec_id)
	};
}

static inline bool owner_same_program(const struct task_struct *task,
				      struct owner_program before)
{
	struct owner_program now = owner_program(task);

	return now.mm == before.mm && now.exec_id == before.exec_id;
}

#endif /* KNETSTAT_OWNER_JUDGE_H */
