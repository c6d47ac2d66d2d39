/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KNETSTAT_LIFE_COUNTERS_H
#define KNETSTAT_LIFE_COUNTERS_H

int counters_init(void);
void counters_exit(void);

#endif /* KNETSTAT_LIFE_COUNTERS_H */
