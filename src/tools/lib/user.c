// SPDX-License-Identifier: GPL-2.0
/*
 * Users. See user.h.
 */
#include <limits.h>
#include <pwd.h>
#include <string.h>

#include "lists.h"
#include "say.h"
#include "text.h"
#include "user.h"

/**
 * struct user - a user whose name has been looked up
 * @next: another one in the same bucket
 * @uid: the number
 * @name: the name; NULL where there is none
 */
struct user {
	struct user *next;
	u64 uid;
	char *name;
};

/**
 * user_name() - the name of a user, who is looked up once
 * @uid: the number
 *
 * Return: the name; NULL where there is none.
 */
const char *user_name(u64 uid)
{
	static struct user *users[256];
	struct user **bucket = &users[uid % ARRAY_SIZE(users)], *user;
	struct passwd *entry;

	for (user = *bucket; user; user = user->next)
		if (user->uid == uid)
			return user->name;
	entry = getpwuid(uid);
	user = more(NULL, 1, sizeof(*user));
	user->uid = uid;
	user->name = entry ? copy_of(entry->pw_name, strlen(entry->pw_name)) :
			     NULL;
	user->next = *bucket;
	*bucket = user;
	return user->name;
}

/**
 * parse_user() - the user that an option names
 * @arg: a name or a number; a user whose name is a number comes first, as
 *	with chown(1)
 *
 * Return: the number.
 */
u64 parse_user(const char *arg)
{
	struct passwd *entry = *arg ? getpwnam(arg) : NULL;
	u64 uid;

	if (entry)
		return entry->pw_uid;
	if (!parse_number(word_of(arg), UINT_MAX - 1, &uid))
		usage_error("unknown user", arg);
	return uid;
}
