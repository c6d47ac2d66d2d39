/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KNETSTAT_PROBE_H
#define KNETSTAT_PROBE_H

int probe_init(void);
void probe_exit(void);

#endif /* KNETSTAT_PROBE_H */
