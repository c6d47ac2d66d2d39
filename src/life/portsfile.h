/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KNETSTAT_LIFE_PORTSFILE_H
#define KNETSTAT_LIFE_PORTSFILE_H

int portsfile_init(void);
void portsfile_exit(void);

#endif /* KNETSTAT_LIFE_PORTSFILE_H */
