// SPDX-License-Identifier: GPL-2.0
/*
 * The sockets that processes hold.
 *
 * A table of descriptors is searched once, however many processes share it:
 * first up to the first socket that is looked for, since most have none; then
 * the opener's right to know is checked; then the rest is read. The check must
 * hold for the process as it was when its descriptors were read. So it is made
 * before and after that, and the program must still be the same: one that had
 * other rights or secrets before has been through exec, or is not shown.
 *
 * A task is held by a reference while it is looked at, and one task of each
 * table until the end: otherwise a new table at the same address could be taken
 * for the old one.
 */
#include <linux/capability.h>
#include <linux/mount.h>
#include <linux/net.h>
#include <linux/pid_namespace.h>
#include <linux/proc_fs.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <net/sock.h>

#include "compat.h"
#include "collect.h"
#include "judge.h"
#include "walk.h"

/* Sockets that are copied before the locks are dropped. */
#define OWNER_PIECE	128

/* How often a task is judged that has become another program meanwhile. */
#define OWNER_TRIES	3

/* What is known of a table of descriptors. */
enum owner_table_state {
	OWNER_TABLE_EMPTY,	/* no socket that is looked for in it */
	OWNER_TABLE_UNSEEN,	/* the opener may not know who has it, so far */
	OWNER_TABLE_SEEN,	/* it has been looked through */
};

/**
 * struct owner_table - a table of descriptors
 * @task: a task that has it, held
 * @pid: if it was looked through, the first process that has it; below 2^22
 * @state: enum owner_table_state
 * @named: the last other process that it was added for by the name of @pid; a process's
 *	threads may have several tables, and come to one of them again and again
 */
struct owner_table {
	struct task_struct *task;
	u32 pid : 30;
	u32 state : 2;
	u32 named;
};

/**
 * struct owner_walk - the walk through all processes
 * @collect: what is known
 * @kind: which sockets are looked for
 * @pid_ns: whose processes
 * @may_ptrace: the opener has CAP_SYS_PTRACE in the initial user namespace
 * @tables: struct owner_table
 * @by_address: the number of the table at an address
 * @leader: the process that is looked at
 * @pid: its number
 * @comm: its name
 * @piece: what was copied and is not added yet
 * @count: how many that are
 */
struct owner_walk {
	struct owner_collect *collect;
	const struct owner_kind *kind;
	struct pid_namespace *pid_ns;
	bool may_ptrace;
	struct owner_array tables;
	struct owner_map by_address;
	struct task_struct *leader;
	u32 pid;
	char comm[TASK_COMM_LEN];
	struct owner_seen *piece;
	unsigned int count;
};

/* The socket of a file, if it is one that is looked for. */
static struct sock *owner_wanted(const struct owner_walk *walk, struct file *file)
{
	const struct socket *sock = sock_from_file(file);
	struct sock *sk = sock ? READ_ONCE(sock->sk) : NULL;

	return sk && walk->kind->wanted(walk->collect, sk) ? sk : NULL;
}

/* Stops at the first one; see walk_files(). */
static bool owner_look_for_one(void *arg, unsigned int fd, struct file *file)
{
	struct owner_walk *walk = arg;

	if (!owner_wanted(walk, file))
		return true;
	walk->count = 1;
	return false;
}

/* Copies all; see walk_files(). */
static bool owner_look_and_copy(void *arg, unsigned int fd, struct file *file)
{
	struct owner_walk *walk = arg;
	struct sock *sk = owner_wanted(walk, file);
	const struct owner_slot *slot;
	struct owner_seen *seen;

	if (!sk)
		return true;
	if (walk->count == OWNER_PIECE)
		return false;
	seen = &walk->piece[walk->count++];
	seen->fd = fd;
	seen->mptcp = sk->sk_protocol == IPPROTO_MPTCP;
	slot = owner_map_find(&walk->collect->by_inode, file_inode(file)->i_ino);
	if (likely(slot)) {
		seen->number = slot->value - 1;
		return true;
	}
	seen->number = OWNER_UNKNOWN;
	seen->kuid = READ_ONCE(sk->sk_uid);
	seen->sock.inode = file_inode(file)->i_ino;
	walk->kind->copy(walk->collect, seen, sk);
	return true;
}

/* Adds a socket that was in no hash table, unless another descriptor led to it. */
static int owner_add_unhashed(struct owner_walk *walk, struct owner_seen *seen,
			      u32 *number)
{
	struct owner_collect *collect = walk->collect;
	const struct owner_slot *slot;
	int err;

	slot = owner_map_find(&collect->by_inode, seen->sock.inode);
	if (slot) {
		*number = slot->value - 1;
		return 0;
	}
	*number = collect->found->socks.count;
	seen->sock.uid = owner_uid(collect, seen->kuid);
	err = walk->kind->add(collect, seen);
	return err ?: owner_map_socks(collect, *number);
}

/* Adds a descriptor; of MPTCP it is one for each subflow. */
static int owner_add_seen(struct owner_walk *walk, struct owner_seen *seen)
{
	struct owner_found *found = walk->collect->found;
	u32 number = seen->number;
	struct owner_fd *fd;
	int err;

	if (unlikely(number == OWNER_UNKNOWN)) {
		err = owner_add_unhashed(walk, seen, &number);
		if (err)
			return err;
	}
	do {
		fd = owner_array_add(&found->fds, &err);
		if (!fd)
			return err;
		fd->fd = seen->fd;
		fd->sock = number;
		if (likely(!seen->mptcp))
			return 0;
		number = owner_array_at(&found->socks, struct owner_sock,
					number)->next;
	} while (number--);
	return 0;
}

/* Looks at a table from @place on, piece by piece. */
static int owner_look(struct owner_walk *walk, struct task_struct *task,
		      struct walk_place *place, walk_look_t look)
{
	const struct owner_kind *kind = walk->kind;
	struct owner_seen *seen;
	int more, err;

	do {
		err = owner_may_go_on();
		if (err)
			return err;
		walk->count = 0;
		more = walk_files(task, place, look, walk);
		if (look == owner_look_for_one && walk->count)
			return 0;
		for (seen = walk->piece; seen < &walk->piece[walk->count]; seen++) {
			if (!err)
				err = owner_add_seen(walk, seen);
			if (kind->put && seen->number == OWNER_UNKNOWN)
				kind->put(seen);
		}
		if (err)
			return err;
	} while (more > 0);
	return more;
}

/* The table that a task has now, if it is known; NULL if not, or it has none. */
static struct owner_table *owner_table_of(struct owner_walk *walk,
					  struct task_struct *task)
{
	struct owner_table *table = NULL;
	struct owner_slot *slot;

	/* It stays where it is as long as this task has it. */
	task_lock(task);
	slot = task->files ? owner_map_find(&walk->by_address,
					    (unsigned long)task->files) : NULL;
	if (slot)
		table = owner_array_at(&walk->tables, struct owner_table,
				       slot->value);
	if (table && READ_ONCE(table->task->files) != task->files)
		table = NULL;
	task_unlock(task);
	return table;
}

/* Makes a task's table known, if it has one; looks for the first socket in it. */
static int owner_add_table(struct owner_walk *walk, struct task_struct *task,
			   struct walk_place *place, struct owner_table **added)
{
	struct owner_table *table;
	int err;

	*added = NULL;
	err = owner_look(walk, task, place, owner_look_for_one);
	if (err || !place->files)
		return err;
	err = owner_map_reserve(&walk->by_address, walk->by_address.count + 1);
	if (err)
		return err;
	table = owner_array_add(&walk->tables, &err);
	if (!table)
		return err;
	owner_map_get(&walk->by_address, (unsigned long)place->files)->value =
		walk->tables.count - 1;
	get_task_struct(task);
	*table = (struct owner_table){
		.task = task,
		.state = walk->count ? OWNER_TABLE_UNSEEN : OWNER_TABLE_EMPTY,
	};
	*added = table;
	return 0;
}

static int owner_add_process(struct owner_walk *walk, u32 shares,
			     unsigned long first)
{
	struct owner_found *found = walk->collect->found;
	struct owner_process *process;
	int err;

	process = owner_array_add(&found->processes, &err);
	if (!process)
		return err;
	process->pid = walk->pid;
	process->shares = shares;
	process->first = first;
	process->count = found->fds.count - first;
	memcpy(process->comm, walk->comm, sizeof(process->comm));
	return 0;
}

static int owner_judge(const struct owner_walk *walk, struct task_struct *task)
{
	return owner_may_see(walk->collect->seq, walk->may_ptrace,
			     task_pid_nr_ns(task, walk->pid_ns));
}

/*
 * Reads a task's table, from its first socket on. Returns 1 if the opener may
 * know it, 0 if not, or -EAGAIN if the program or the table changed meanwhile.
 * Unless it returns 1, no descriptors are added.
 */
static int owner_look_through(struct owner_walk *walk, struct task_struct *task,
			      struct walk_place *place,
			      struct owner_program program)
{
	struct owner_found *found = walk->collect->found;
	unsigned long first = found->fds.count;
	int err;

	err = owner_judge(walk, task);
	if (err <= 0)
		return err;
	err = owner_look(walk, task, place, owner_look_and_copy);
	if (!err)
		err = owner_judge(walk, task);
	if (err > 0 && (!pid_alive(task) || !owner_same_program(task, program)))
		err = -EAGAIN;
	if (err <= 0)
		owner_array_truncate(&found->fds, first);
	return err;
}

/*
 * Adds a task's table, if the opener may know of it. @shares is set to the
 * other process that it was added for already; or 0, also where that was said of this
 * process before.
 */
static int owner_collect_table(struct owner_walk *walk, struct task_struct *task,
			       u32 *shares)
{
	struct owner_table *table;
	int tries, err = 0;

	*shares = 0;
	for (tries = 0; tries < OWNER_TRIES; tries++) {
		struct owner_program program = owner_program(task);
		struct walk_place place = {};

		task_lock(walk->leader);
		memcpy(walk->comm, walk->leader->comm, sizeof(walk->comm));
		task_unlock(walk->leader);
		table = owner_table_of(walk, task);
		if (!table) {
			err = owner_add_table(walk, task, &place, &table);
			if (err == -EAGAIN)
				continue;
			if (err)
				return err;
		}
		if (!table || table->state == OWNER_TABLE_EMPTY)
			return 0;
		if (table->state == OWNER_TABLE_SEEN) {
			if (table->pid == walk->pid || table->named == walk->pid)
				return 0;
			err = owner_judge(walk, task);
			if (err <= 0)
				return err;
			table->named = walk->pid;
			*shares = table->pid;
			return 0;
		}
		err = owner_look_through(walk, task, &place, program);
		if (err > 0) {
			table->state = OWNER_TABLE_SEEN;
			table->pid = walk->pid;
			return 0;
		}
		if (err != -EAGAIN)
			return err;
	}
	return 0;
}

/* Adds the tables of a process's other threads, as far as they have their own. */
static int owner_collect_threads(struct owner_walk *walk,
				 struct task_struct *leader)
{
	/* It must come to an end though threads are made and end meanwhile. */
	unsigned int steps = 2 * get_nr_threads(leader) + 16;
	struct task_struct *thread = leader;
	u32 shares;
	int err = 0;

	get_task_struct(leader);
	while (!err && (thread = walk_thread(leader, thread)) && steps--) {
		err = owner_may_go_on();
		/* Only compared: a look at a table that has gone does no harm. */
		if (err || READ_ONCE(thread->files) == READ_ONCE(leader->files))
			continue;
		err = owner_collect_table(walk, thread, &shares);
		if (!err && shares)
			err = owner_add_process(walk, shares, 0);
	}
	if (thread)
		put_task_struct(thread);
	return err;
}

/*
 * Adds the descriptors of a process: of its leader's table, and of the tables of
 * threads that have one of their own. The leader may have ended before its
 * threads and have none.
 */
static int owner_collect_process(struct owner_walk *walk,
				 struct task_struct *leader)
{
	struct owner_found *found = walk->collect->found;
	unsigned long first = found->fds.count, own;
	u32 shares;
	int err;

	walk->leader = leader;
	err = owner_collect_table(walk, leader, &shares);
	own = found->fds.count;
	if (!err && shares)
		err = owner_add_process(walk, shares, 0);
	if (!err && get_nr_threads(leader) > 1)
		err = owner_collect_threads(walk, leader);
	if (err || found->fds.count == first)
		return err;
	if (found->fds.count > own)
		owner_order_fds(found, first);
	return owner_add_process(walk, 0, first);
}

static int owner_collect_processes(struct owner_walk *walk)
{
	struct task_struct *task;
	int nr, err = 0;

	for (nr = 1; !err && (task = walk_process(walk->pid_ns, &nr)); nr++) {
		walk->pid = nr;
		err = owner_collect_process(walk, task);
		put_task_struct(task);
		if (!err)
			err = owner_may_go_on();
	}
	return err;
}

/*
 * Marks the sockets whose holder is shown. A socket that moved to another
 * bucket while those were read may have been found twice.
 */
static void owner_mark_held(struct owner_found *found)
{
	const struct owner_array *socks = &found->socks;
	unsigned long i;

	for (i = 0; i < found->fds.count; i++) {
		u32 number = owner_array_at(&found->fds, struct owner_fd, i)->sock;

		do {
			struct owner_sock *sock =
				owner_array_at(socks, struct owner_sock, number);

			sock->held = OWNER_HELD_FD;
			number = sock->next;
		} while (number--);
		if (!(i % 1024))
			cond_resched();
	}
}

/*
 * A socket that is in no hash table is only known through its descriptors, so
 * it must not be shown if they are not.
 */
static void owner_hide_unhashed(struct owner_found *found, unsigned long hashed)
{
	unsigned long i;

	for (i = hashed; i < found->socks.count; i++) {
		owner_array_at(&found->socks, struct owner_sock, i)->held =
			OWNER_HELD_FD;
		if (!(i % 1024))
			cond_resched();
	}
}

/**
 * owner_collect_held() - add what the processes of the opener's PID namespace hold
 * @collect: what is known
 * @kind: which sockets are looked for
 *
 * Context: Process context, sleeps.
 * Return: 0, or a negative error.
 */
int owner_collect_held(struct owner_collect *collect,
		       const struct owner_kind *kind)
{
	const struct path *path = &collect->seq->file->f_path;
	struct owner_memory *memory = &collect->found->memory;
	unsigned long hashed = collect->found->socks.count, i;
	struct owner_walk walk = {
		.collect = collect,
		.kind = kind,
		.pid_ns = proc_pid_ns(path->mnt->mnt_sb),
		.may_ptrace = ns_capable_noaudit(&init_user_ns, CAP_SYS_PTRACE),
	};
	const size_t size = OWNER_PIECE * sizeof(*walk.piece);
	int err;

	/* Of a procfs of which only a part is mounted nobody could be listed. */
	if (path->mnt->mnt_root != path->mnt->mnt_sb->s_root)
		return 0;
	walk.piece = owner_alloc(memory, size, 0, &err);
	if (!walk.piece)
		return err;
	owner_array_init(&walk.tables, memory, struct owner_table);
	owner_map_init(&walk.by_address, memory);
	err = owner_collect_processes(&walk);
	for (i = 0; i < walk.tables.count; i++)
		put_task_struct(owner_array_at(&walk.tables, struct owner_table, i)->task);
	owner_map_free(&walk.by_address);
	owner_array_free(&walk.tables);
	owner_free(memory, walk.piece, size);
	owner_mark_held(collect->found);
	owner_hide_unhashed(collect->found, hashed);
	return err;
}
