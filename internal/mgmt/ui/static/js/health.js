// What is wrong with the nodes, in words, and what to do.

import { t } from './i18n.js';
import * as f from './format.js';

export function problems(app) {
  const list = [];
  if (app.overview?.disable_stats) list.push({ key: 'stats', kind: 'info', what: t('alarm.stats'), todo: t('alarm.stats.do') });
  for (const n of app.nodes) {
    if (n.running === false) {
      list.push({ key: 'down ' + n.name, kind: 'danger', what: t('alarm.down', { node: n.name }), todo: t('alarm.down.do') });
      continue;
    }
    if (n.mem_alarm) list.push({ key: 'mem ' + n.name, kind: 'danger', what: t('alarm.memory', { node: n.name, used: f.bytes(n.mem_used), limit: f.bytes(n.mem_limit) }), todo: t('alarm.memory.do') });
    if (n.disk_free_alarm) list.push({ key: 'disk ' + n.name, kind: 'danger', what: t('alarm.disk', { node: n.name, free: f.bytes(n.disk_free), limit: f.bytes(n.disk_free_limit) }), todo: t('alarm.disk.do') });
    if (n.fd_total > 0 && n.fd_used > 0.9 * n.fd_total) list.push({ key: 'fd ' + n.name, kind: 'warn', what: t('alarm.files', { node: n.name, used: f.count(n.fd_used), limit: f.count(n.fd_total) }), todo: t('alarm.files.do') });
    if (n.partitions?.length) list.push({ key: 'part ' + n.name, kind: 'danger', what: t('alarm.partition', { node: n.name, others: n.partitions.join(', ') }), todo: t('alarm.partition.do') });
    if (n.being_drained) list.push({ key: 'drain ' + n.name, kind: 'warn', what: t('alarm.drained', { node: n.name }), todo: t('alarm.drained.do') });
  }
  return list;
}
