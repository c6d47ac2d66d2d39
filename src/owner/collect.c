// SPDX-License-Identifier: GPL-2.0
/*
 * Finds out which process holds which socket, in one pass.
 *
 * First all sockets are copied from the hash tables, then the descriptors of
 * all processes, then the former are left out that are among the latter. In
 * this order a socket that is made meanwhile is found with its holder or not
 * at all; the other way round it would look as if nobody held it. One that is
 * closed or handed on meanwhile may look so for this once.
 *
 * Contexts and locks. Everything here runs in open(), in process context. A
 * bucket's lock is held only by iter_batch(), and only to copy. For a
 * process's descriptors the order is
 *
 *	task_lock(task)		exit, exec and unshare() take it to give up the
 *				task's table, which stays while we hold it
 *	  files->file_lock	by iterate_fd(); who closes a descriptor takes it
 *				to take the file out of the table, which holds
 *				the file, which holds the socket
 *
 * as update_classid_sock() has it, too. Nothing is allocated, looked up or
 * waited for under these two: rows are copied into memory that is there
 * already. When that is used up, or after OWNER_FDS descriptors, both are
 * dropped, and the walk goes on from the descriptor where it stopped. (Between
 * two open descriptors iterate_fd() may pass over as many that are not as
 * fs.nr_open allows; it is one load for each.) A task with no table, since it
 * exits, has no descriptors. RCU is held to find one task or one thread; a task
 * is held by a reference while its descriptors are collected. All loops are
 * preemptible and end when the opener is killed. Other signals can wait, as
 * they do for open() of any file that does not wait for someone else.
 *
 * A process is shown to those who may look at its descriptors in /proc. The
 * rules of that (ptrace, LSMs, hidepid, dumpable or not) are not repeated here:
 * procfs is asked, in the mount that the file is opened in, by the opener's
 * credentials, which are current's: see owner_may_see().
 *
 * Who looks at sockets and at descriptors without their owners' locks may see a
 * socket with its old port and its new state, as a reader of /proc/net/tcp may.
 */
#include <linux/capability.h>
#include <linux/fdtable.h>
#include <linux/fs.h>
#include <linux/idr.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/net.h>
#include <linux/path.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/proc_fs.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/seq_file.h>
#include <linux/user_namespace.h>
#include <net/inet_sock.h>
#include <net/inet_timewait_sock.h>
#include <net/request_sock.h>
#include <net/tcp_states.h>

#include "compat.h"
#include "iter.h"
#include "collect.h"
#include "map.h"

/* Descriptors that are looked at before the locks are dropped for a moment. */
#define OWNER_FDS	1024

/* How often a task is judged that has become another program meanwhile. */
#define OWNER_TRIES	3

/* All of the addresses' bytes: rows are compared. */
static void owner_copy_addresses(struct owner_row *row, const struct sock *sk)
{
	memset(&row->ends, 0, sizeof(row->ends));
	endpoints_copy_addresses(&row->ends, sk);
}

/* A full socket. */
static void owner_copy_sock(struct owner_row *row, const struct sock *sk)
{
	memset(&row->ends, 0, sizeof(row->ends));
	endpoints_copy(&row->ends, sk);
	row->state = inet_sk_state_load(sk);
}

/* Numbers of users in the opener's terms; the next row is likely of the same user. */
struct owner_users {
	struct user_namespace *ns;
	kuid_t kuid;
	uid_t uid;
};

static void owner_users_init(struct owner_users *users, struct seq_file *seq)
{
	users->ns = seq_user_ns(seq);
	users->kuid = GLOBAL_ROOT_UID;
	users->uid = from_kuid_munged(users->ns, users->kuid);
}

static uid_t owner_uid(struct owner_users *users, kuid_t kuid)
{
	if (!uid_eq(kuid, users->kuid)) {
		users->kuid = kuid;
		users->uid = from_kuid_munged(users->ns, kuid);
	}
	return users->uid;
}

/* What owner_copy_hashed() is told. */
struct owner_hashed {
	struct owner_users users;
	bool udp;
};

/* Copies a row of the hash tables; see iter_batch(). */
static char *owner_copy_hashed(char *p, struct sock *sk, void *arg)
{
	struct owner_row *row = (struct owner_row *)p;
	struct owner_hashed *hashed = arg;

	row->pid = 0;
	row->held = false;
	row->udp = hashed->udp;
	row->inode = 0;
	switch (row->udp ? 0 : sk->sk_state) {
	case TCP_TIME_WAIT:
		owner_copy_addresses(row, sk);
		row->ends.lport = ntohs(inet_twsk(sk)->tw_sport);
		row->ends.rport = ntohs(inet_twsk(sk)->tw_dport);
		row->state = READ_ONCE(inet_twsk(sk)->tw_substate);
		/* As in /proc/net/tcp: 0, whatever root's number is here. */
		row->uid = 0;
		break;
	case TCP_NEW_SYN_RECV:
		owner_copy_addresses(row, sk);
		row->ends.lport = inet_rsk(inet_reqsk(sk))->ir_num;
		row->ends.rport = ntohs(inet_rsk(inet_reqsk(sk))->ir_rmt_port);
		row->state = TCP_SYN_RECV;
		row->uid = owner_uid(&hashed->users,
				     sk_uid(inet_reqsk(sk)->rsk_listener));
		break;
	default:
		owner_copy_sock(row, sk);
		row->uid = owner_uid(&hashed->users, sk_uid(sk));
		row->inode = sk_ino(sk);
	}
	return (char *)(row + 1);
}

static int owner_collect_hashed(struct owner_rows *rows, struct seq_file *seq,
				enum iter_proto proto)
{
	struct owner_hashed hashed = { .udp = proto == ITER_UDP };
	struct iter_place place = {};
	bool done;

	owner_users_init(&hashed.users, seq);
	do {
		struct owner_chunk *chunk;
		char *p;

		if (fatal_signal_pending(current))
			return -EINTR;
		/* An empty one, since only whole buckets are copied. */
		chunk = owner_rows_grow(rows, OWNER_CHUNK_ROWS);
		if (!chunk)
			return -ENOMEM;
		p = (char *)chunk->rows;
		done = iter_batch(seq, proto, &place, &p,
				  (char *)&chunk->rows[OWNER_CHUNK_ROWS - 1],
				  owner_copy_hashed, &hashed);
		chunk->count = (struct owner_row *)p - chunk->rows;
		rows->count += chunk->count;
		cond_resched();
	} while (!done);
	return 0;
}

/* Makes it known which rows of the hash tables are of which inode. */
static int owner_map_hashed(struct owner_map *map,
			    const struct owner_rows *hashed)
{
	struct owner_chunk *chunk;
	unsigned int i;

	if (owner_map_init(map, hashed->count))
		return -ENOMEM;
	list_for_each_entry(chunk, &hashed->chunks, list) {
		for (i = 0; i < chunk->count; i++)
			if (chunk->rows[i].inode)
				owner_map_add(map, chunk->rows[i].inode,
					      &chunk->rows[i]);
		cond_resched();
	}
	return 0;
}

/**
 * struct owner_walk - the walk through all processes' descriptors
 * @seq: the file that is being opened
 * @net: only sockets of this namespace count
 * @users: their numbers
 * @pid_ns: whose processes
 * @may_ptrace: the opener has CAP_SYS_PTRACE in the initial user namespace
 * @hashed: the rows of the hash tables, by inode
 * @rows: where to
 * @chunk: the last one of them
 * @room: how many rows it must have room for
 * @seen: descriptors looked at since the locks were taken
 * @next: where to go on when they have been dropped
 * @leader: the process
 * @pid: its number
 * @comm: its name
 */
struct owner_walk {
	struct seq_file *seq;
	const struct net *net;
	struct owner_users users;
	struct pid_namespace *pid_ns;
	bool may_ptrace;
	const struct owner_map *hashed;
	struct owner_rows *rows;
	struct owner_chunk *chunk;
	unsigned int room;
	unsigned int seen;
	unsigned int next;
	struct task_struct *leader;
	u32 pid;
	char comm[TASK_COMM_LEN];
};

static bool owner_wants(const struct owner_walk *walk, const struct sock *sk)
{
	sa_family_t family = READ_ONCE(sk->sk_family);

	if (family != AF_INET && family != AF_INET6)
		return false;
	if (!net_eq(sock_net(sk), walk->net))
		return false;
	switch (sk->sk_protocol) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_MPTCP:
		/* A raw socket may be of any protocol. */
		return sk->sk_type == SOCK_STREAM || sk->sk_type == SOCK_DGRAM;
	default:
		return false;
	}
}

/*
 * Copies what the hash tables hold of an MPTCP socket, that is its subflows:
 * they are TCP sockets of their own, with other addresses maybe, but have no
 * descriptors; what they have is the inode of the socket that they belong to.
 *
 * Returns how many there are, at most @room + 1.
 */
static unsigned int owner_copy_subflows(const struct owner_walk *walk,
					struct owner_row *rows,
					unsigned int room, u64 inode)
{
	struct owner_slot *slot = NULL;
	unsigned int n = 0;

	while ((slot = owner_map_next(walk->hashed, inode, slot))) {
		if (n == room)
			return room + 1;
		rows[n++] = *slot->row;
	}
	return n;
}

/* Copies a descriptor's socket; see iterate_fd(). Not 0 stops the walk. */
static int owner_copy_fd(const void *data, struct file *file, unsigned int fd)
{
	struct owner_walk *walk = (struct owner_walk *)data;
	struct owner_chunk *chunk = walk->chunk;
	struct owner_row *row = &chunk->rows[chunk->count];
	unsigned int room = OWNER_CHUNK_ROWS - chunk->count;
	const struct socket *sock;
	const struct sock *sk;
	unsigned int n = 0;
	u64 inode;

	walk->next = fd;
	if (++walk->seen > OWNER_FDS)
		return 1;
	sock = sock_from_file(file);
	sk = sock ? READ_ONCE(sock->sk) : NULL;
	if (!sk || !owner_wants(walk, sk))
		return 0;

	inode = file_inode(file)->i_ino;
	if (sk->sk_protocol == IPPROTO_MPTCP)
		n = owner_copy_subflows(walk, row, room, inode);
	if (max(n, 1U) > room) {
		if (room < OWNER_CHUNK_ROWS) {
			walk->room = n ? OWNER_CHUNK_ROWS : 1;
			return 1;
		}
		n = room;	/* more subflows than there can be */
	}
	if (!n) {
		owner_copy_sock(row, sk);
		n = 1;
	}
	chunk->count += n;
	walk->rows->count += n;
	for (; n; n--, row++) {
		row->inode = inode;
		row->uid = owner_uid(&walk->users, READ_ONCE(sk->sk_uid));
		row->udp = sk->sk_protocol == IPPROTO_UDP;
		row->held = false;
		row->pid = walk->pid;
		row->fd = fd;
		memcpy(row->comm, walk->comm, sizeof(row->comm));
	}
	return 0;
}

/* Collects the descriptors of @task's table. */
static int owner_collect_table(struct owner_walk *walk, struct task_struct *task)
{
	int more;

	walk->next = 0;
	walk->room = 1;
	do {
		if (fatal_signal_pending(current))
			return -EINTR;
		walk->chunk = owner_rows_grow(walk->rows, walk->room);
		if (!walk->chunk)
			return -ENOMEM;
		walk->seen = 0;
		walk->room = 1;
		task_lock(task);
		more = iterate_fd(task->files, walk->next, owner_copy_fd, walk);
		task_unlock(task);
		cond_resched();
	} while (more);
	return 0;
}

/*
 * Finds @name of task @tid in the opener's procfs. No link must be followed on
 * the way: this is inside of open()'s own walk to our file, and the links of
 * both walks are counted together; of the forty-first the answer is ELOOP. And
 * no mount must be crossed: what the opener may have mounted over a process's
 * directory does not speak for the process.
 *
 * Where audit rules are loaded, audit remembers each name that is looked up,
 * until open() returns.
 */
static int owner_find(const struct owner_walk *walk, pid_t tid,
		      const char *name, struct path *path)
{
	struct vfsmount *mnt = walk->seq->file->f_path.mnt;
	char text[32];

	snprintf(text, sizeof(text), "%d/%s", tid, name);
	return vfs_path_lookup(mnt->mnt_root, mnt, text, LOOKUP_NO_XDEV, path);
}

/*
 * Whether the opener could list the descriptors of task @tid: 1, 0, or -ENOMEM.
 *
 * To see where they lead takes two things. To enter the directory fd: for that
 * procfs asks for the owner or a capability, and on the way there applies what
 * the mount hides. And to read a link there: for that it asks
 * ptrace_may_access(), which is not exported, and that asks all LSMs. Any link
 * that is guarded in the same way will do, and one that no close() can take
 * away is better: "root". It is read as readlink() reads it, but no byte of it.
 *
 * Who has CAP_SYS_PTRACE need not be able to enter the directory: there are
 * other ways for them to get at the descriptors.
 */
static int owner_may_see(const struct owner_walk *walk, pid_t tid)
{
	struct path path;
	int err;

	if (!walk->may_ptrace) {
		err = owner_find(walk, tid, "fd/.", &path);
		if (err)
			return err == -ENOMEM ? err : 0;
		path_put(&path);
	}
	err = owner_find(walk, tid, "root", &path);
	if (!err) {
		err = vfs_readlink(path.dentry, NULL, 0);
		path_put(&path);
	}
	/* A root that is too deep for a name was found, and so may be seen. */
	if (err == -ENAMETOOLONG)
		return 1;
	return err == -ENOMEM ? err : err >= 0;
}

/*
 * Collects the descriptors of @task's table, if the opener may know of them.
 *
 * It is asked when they are known, so that it need not be asked for the most
 * processes, which have no sockets. What was true of them must still be true
 * of the task that is judged then: it must not have become another program,
 * which may be everybody's while the one before was not (exec changes mm before
 * that, and self_exec_id after it: together they can't be as they were); and no
 * other task must have got its number. And procfs, when it has no memory for an
 * inode, says that there is nothing of that name; then a second answer counts.
 */
static int owner_collect_task(struct owner_walk *walk, struct task_struct *task)
{
	unsigned long first = walk->rows->count;
	int tries, err;

	for (tries = 0; tries < OWNER_TRIES; tries++) {
		const struct mm_struct *mm = READ_ONCE(task->mm);
		u64 program = READ_ONCE(task->self_exec_id);

		task_lock(walk->leader);
		memcpy(walk->comm, walk->leader->comm, sizeof(walk->comm));
		task_unlock(walk->leader);
		err = owner_collect_table(walk, task);
		if (err || walk->rows->count == first)
			return err;
		err = owner_may_see(walk, task_pid_nr_ns(task, walk->pid_ns));
		if (err < 0)
			return err;
		if (err && pid_alive(task) && mm == READ_ONCE(task->mm) &&
		    program == READ_ONCE(task->self_exec_id))
			return 0;
		owner_rows_truncate(walk->rows, first);
	}
	return 0;
}

/*
 * The thread after @thread, with a reference; drops that of @thread. One that
 * has ended doesn't know who came after it: then it begins again.
 */
static struct task_struct *owner_next_thread(struct task_struct *leader,
					     struct task_struct *thread)
{
	struct task_struct *next = NULL;

	rcu_read_lock();
	if (pid_alive(leader)) {
		next = next_thread(pid_alive(thread) ? thread : leader);
		if (next == leader)
			next = NULL;
		else
			get_task_struct(next);
	}
	rcu_read_unlock();
	put_task_struct(thread);
	return next;
}

/*
 * Collects what is in those tables that a process's other threads have. @first
 * is its first row.
 */
static int owner_collect_threads(struct owner_walk *walk,
				 struct task_struct *leader,
				 unsigned long first)
{
	unsigned long sorted = walk->rows->count - first;
	unsigned int threads = get_nr_threads(leader);
	/* It must come to an end though threads are made and end meanwhile. */
	unsigned int steps = 2 * threads + 16;
	struct task_struct *thread = leader;
	struct owner_map tables = {};
	int err = 0;

	get_task_struct(leader);
	while (!err && (thread = owner_next_thread(leader, thread))) {
		/*
		 * Only compared: who shares a table is asked once. That it is
		 * freed and used for another one meanwhile is as if that one
		 * had been made too late.
		 */
		const struct files_struct *files = READ_ONCE(thread->files);
		u64 key = (unsigned long)files;

		if (!steps--)
			break;
		if (!files || files == READ_ONCE(leader->files) ||
		    owner_map_next(&tables, key, NULL))
			continue;
		if (!tables.slots)
			err = owner_map_init(&tables, threads);
		if (err || !owner_map_add(&tables, key, NULL))
			break;
		err = owner_collect_task(walk, thread);
		/* Tables may be copies of each other: memory is for what differs. */
		if (!err && walk->rows->count - first >
			    2 * sorted + OWNER_CHUNK_ROWS) {
			err = owner_rows_sort(walk->rows, first);
			sorted = walk->rows->count - first;
		}
	}
	if (thread)
		put_task_struct(thread);
	owner_map_free(&tables);
	return err;
}

/*
 * Collects the descriptors of a process: of its leader's table, and of the
 * tables of threads that have one of their own. The leader may have ended
 * before its threads and have none.
 */
static int owner_collect_process(struct owner_walk *walk,
				 struct task_struct *leader, u32 pid)
{
	unsigned long first = walk->rows->count, own;
	int err;

	walk->leader = leader;
	walk->pid = pid;
	err = owner_collect_task(walk, leader);
	own = walk->rows->count;
	if (!err && get_nr_threads(leader) > 1)
		err = owner_collect_threads(walk, leader, first);
	if (!err && walk->rows->count > own)
		err = owner_rows_sort(walk->rows, first);
	return err;
}

/* Collects the descriptors of all processes of the opener's PID namespace. */
static int owner_collect_held(struct owner_rows *rows, struct seq_file *seq,
			      const struct owner_map *hashed)
{
	const struct path *path = &seq->file->f_path;
	struct owner_walk walk = {
		.seq = seq,
		.net = seq_file_net(seq),
		.pid_ns = proc_pid_ns(path->mnt->mnt_sb),
		.may_ptrace = ns_capable_noaudit(&init_user_ns, CAP_SYS_PTRACE),
		.hashed = hashed,
		.rows = rows,
	};
	struct task_struct *task;
	struct pid *pid;
	int err = 0;
	int nr;

	/* Of a procfs of which only a part is mounted nobody could be listed. */
	if (path->mnt->mnt_root != path->mnt->mnt_sb->s_root)
		return 0;
	owner_users_init(&walk.users, seq);
	for (nr = 1; !err; nr++) {
		rcu_read_lock();
		pid = idr_get_next(&walk.pid_ns->idr, &nr);
		task = pid ? pid_task(pid, PIDTYPE_TGID) : NULL;
		if (task && (task->flags & PF_KTHREAD))
			task = NULL;
		if (task)
			get_task_struct(task);
		rcu_read_unlock();
		if (!pid)
			break;
		if (task) {
			err = owner_collect_process(&walk, task, nr);
			put_task_struct(task);
		}
		cond_resched();
	}
	return err;
}

/* Marks those of the hash tables' rows that somebody holds. */
static void owner_mark_held(const struct owner_rows *held,
			    const struct owner_map *hashed)
{
	const struct owner_chunk *chunk;
	struct owner_slot *slot;
	unsigned int i;

	list_for_each_entry(chunk, &held->chunks, list) {
		for (i = 0; i < chunk->count; i++) {
			u64 inode = chunk->rows[i].inode;

			slot = NULL;
			while ((slot = owner_map_next(hashed, inode, slot)))
				slot->row->held = true;
		}
		cond_resched();
	}
}

/**
 * owner_collect() - find out who holds what
 * @rows: to be filled in: the descriptors of all processes that the opener may
 *	know of, by PID and, in a process, by descriptor; then the sockets that
 *	are in none of those
 * @seq: the file that is being opened; its private data begin with a struct
 *	iter, and pde_data() of it is an iter_afinfo of AF_UNSPEC
 *
 * What is shown is what current may know.
 *
 * Context: Process context, sleeps.
 * Return: 0, -ENOMEM, or -EINTR when current is being killed; then there is
 * nothing to be freed.
 */
int owner_collect(struct owner_rows *rows, struct seq_file *seq)
{
	struct owner_map map = {};
	struct owner_rows rest;
	int err;

	owner_rows_init(rows);
	owner_rows_init(&rest);

	err = owner_collect_hashed(&rest, seq, ITER_TCP);
	if (!err)
		err = owner_collect_hashed(&rest, seq, ITER_UDP);
	if (!err)
		err = owner_map_hashed(&map, &rest);
	if (!err)
		err = owner_collect_held(rows, seq, &map);
	if (!err) {
		owner_mark_held(rows, &map);
		owner_rows_drop_held(&rest);
		owner_rows_append(rows, &rest);
	}
	owner_map_free(&map);
	owner_rows_free(&rest);
	if (err)
		owner_rows_free(rows);
	return err;
}
