/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KNETSTAT_OWNERFILE_H
#define KNETSTAT_OWNERFILE_H

int ownerfile_init(void);
void ownerfile_exit(void);

#endif /* KNETSTAT_OWNERFILE_H */
