/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KNETSTAT_TABLE_H
#define KNETSTAT_TABLE_H

int table_init(void);
void table_exit(void);

#endif /* KNETSTAT_TABLE_H */
