/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The file tcplive: sessions that are alive.
 */
#ifndef KNETSTAT_LIFE_LIVE_H
#define KNETSTAT_LIFE_LIVE_H

int live_init(void);
void live_exit(void);

#endif /* KNETSTAT_LIFE_LIVE_H */
