/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KNETSTAT_LIFEFILE_H
#define KNETSTAT_LIFEFILE_H

int lifefile_init(void);
void lifefile_exit(void);

#endif /* KNETSTAT_LIFEFILE_H */
