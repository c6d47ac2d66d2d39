/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sessions and listeners that are older than the module.
 */
#ifndef KNETSTAT_LIFE_OLDER_H
#define KNETSTAT_LIFE_OLDER_H

void older_init(void);

#endif /* KNETSTAT_LIFE_OLDER_H */
