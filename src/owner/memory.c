// SPDX-License-Identifier: GPL-2.0
/*
 * Memory for what the open files of sockowner and unixowner hold.
 *
 * What an open file holds is charged to its opener's memory cgroup. But not
 * everybody is in one, and a process may open a file a thousand times. So the
 * total that one user's open files hold is limited, too, as for pipes.
 *
 * Nobody must become another user by creating user namespaces, or by taking
 * another UID in them. In the initial user namespace, the user is the real UID.
 * In any other, it is the owner of the outermost namespace around it. If that
 * is root, as with container managers, the namespace itself is the user, since
 * those in it need not be a single user, nor root.
 */
#include <linux/build_bug.h>
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/hash.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/user_namespace.h>
#include <linux/vmalloc.h>

#include "knetstat.h"
#include "memory.h"

#define OWNER_MB_MAX	1048576U

/*
 * What is in one piece is also cleared in one, during which no other task has its turn:
 * not so vmalloc()'s pages.
 */
#define OWNER_KMALLOC_MAX	SZ_1M

static_assert(OWNER_KMALLOC_MAX <= KMALLOC_MAX_SIZE);

static unsigned int owner_mb = 128;
module_param(owner_mb, uint, 0444);
MODULE_PARM_DESC(owner_mb, "MiB that one user's open files of sockowner and unixowner may hold together (default 128)");

/**
 * struct owner_account - what a user's open files hold
 * @node: in owner_accounts
 * @ns: the user, if it is a namespace; held by the credentials of each open file
 * @uid: the user otherwise
 * @files: how many open files there are; the account goes with the last one
 * @bytes: what they hold
 *
 * All under owner_accounts_lock, which is taken in process context only, inside
 * of no other lock.
 */
struct owner_account {
	struct hlist_node node;
	const struct user_namespace *ns;
	kuid_t uid;
	unsigned int files;
	size_t bytes;
};

static struct hlist_head owner_accounts[64];
static DEFINE_SPINLOCK(owner_accounts_lock);

/**
 * owner_memory_check() - look at the module's parameter
 *
 * Context: Process context, at load.
 * Return: 0, or -EINVAL after saying why in the kernel log.
 */
int __init owner_memory_check(void)
{
	if (owner_mb && owner_mb <= OWNER_MB_MAX)
		return 0;
	pr_err("owner_mb=%u is out of range: 1 to %u\n", owner_mb, OWNER_MB_MAX);
	return -EINVAL;
}

/* Who @cred is of, as said above. */
static void owner_account_key(struct owner_account *key, const struct cred *cred)
{
	const struct user_namespace *ns = cred->user_ns;

	key->ns = NULL;
	key->uid = cred->uid;
	if (ns == &init_user_ns)
		return;
	while (ns->parent != &init_user_ns)
		ns = ns->parent;
	key->uid = ns->owner;
	if (uid_eq(ns->owner, GLOBAL_ROOT_UID))
		key->ns = ns;
}

static struct hlist_head *owner_account_bucket(const struct owner_account *key)
{
	u64 number = (unsigned long)key->ns + __kuid_val(key->uid);

	return &owner_accounts[hash_64(number, 6)];
}

/**
 * owner_memory_init() - begin to take memory for an open file
 * @memory: the file's
 * @cred: its opener's credentials, which the file holds
 *
 * Context: Process context, sleeps.
 * Return: 0, or -ENOMEM.
 */
int owner_memory_init(struct owner_memory *memory, const struct cred *cred)
{
	struct owner_account *mine, *account;
	struct hlist_head *bucket;

	memory->exempt = ns_capable_noaudit(&init_user_ns, CAP_SYS_ADMIN);
	mine = kzalloc(sizeof(*mine), GFP_KERNEL_ACCOUNT);
	if (!mine)
		return -ENOMEM;
	owner_account_key(mine, cred);
	bucket = owner_account_bucket(mine);

	spin_lock(&owner_accounts_lock);
	hlist_for_each_entry(account, bucket, node)
		if (account->ns == mine->ns && uid_eq(account->uid, mine->uid))
			break;
	if (!account) {
		hlist_add_head(&mine->node, bucket);
		account = mine;
		mine = NULL;
	}
	account->files++;
	spin_unlock(&owner_accounts_lock);
	kfree(mine);
	memory->account = account;
	return 0;
}

/**
 * owner_memory_exit() - the file that took memory is closed
 * @memory: the file's; all has been given back
 *
 * Context: Process context.
 */
void owner_memory_exit(struct owner_memory *memory)
{
	struct owner_account *account = memory->account;

	if (!account)
		return;
	spin_lock(&owner_accounts_lock);
	if (--account->files) {
		account = NULL;
	} else {
		WARN_ON_ONCE(account->bytes);
		hlist_del(&account->node);
	}
	spin_unlock(&owner_accounts_lock);
	kfree(account);
	memory->account = NULL;
}

static bool owner_charge(const struct owner_memory *memory, size_t size)
{
	struct owner_account *account = memory->account;
	bool fits;

	spin_lock(&owner_accounts_lock);
	fits = memory->exempt ||
	       size + account->bytes <= (size_t)owner_mb << 20;
	if (fits)
		account->bytes += size;
	spin_unlock(&owner_accounts_lock);
	return fits;
}

static void owner_uncharge(const struct owner_memory *memory, size_t size)
{
	spin_lock(&owner_accounts_lock);
	memory->account->bytes -= size;
	spin_unlock(&owner_accounts_lock);
}

/**
 * owner_alloc() - get memory
 * @memory: the file's
 * @size: how much
 * @more: flags besides
 * @err: set to -EMFILE if the user has too much already, -ENOMEM if there is none
 *
 * Any user can ask for a lot of it, and nobody is to be killed for that: so it
 * fails where kvmalloc() would not, and tells the log nothing.
 *
 * Context: Process context, sleeps.
 * Return: the memory, to be given back by owner_free(); or NULL.
 */
void *owner_alloc(struct owner_memory *memory, size_t size, gfp_t more, int *err)
{
	const gfp_t gfp = GFP_KERNEL_ACCOUNT | __GFP_NOWARN | more;
	void *p = NULL;

	*err = -EMFILE;
	if (!owner_charge(memory, size))
		return NULL;
	*err = -ENOMEM;
	if (size <= OWNER_KMALLOC_MAX)
		p = kmalloc(size, gfp | __GFP_NORETRY);
	if (!p)
		p = __vmalloc(size, gfp | __GFP_RETRY_MAYFAIL);
	if (!p)
		owner_uncharge(memory, size);
	return p;
}

/**
 * owner_free() - give memory back
 * @memory: the file's
 * @p: what owner_alloc() returned, or NULL
 * @size: how much
 *
 * Context: Process context, may sleep.
 */
void owner_free(struct owner_memory *memory, const void *p, size_t size)
{
	if (!p)
		return;
	owner_uncharge(memory, size);
	kvfree(p);
}
