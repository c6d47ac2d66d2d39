/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KNETSTAT_LIFE_FILE_H
#define KNETSTAT_LIFE_FILE_H

int lifefile_init(void);
void lifefile_exit(void);

#endif /* KNETSTAT_LIFE_FILE_H */
