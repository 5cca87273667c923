// The charts and columns that several views share.

import { k, t, tx } from './i18n.js';
import * as f from './format.js';
import { chart, levels, noRates, off, rates, without } from './chart.js';

const kinds = [
  ['publish', k('rate.publish'), 1], ['publish_in', k('rate.publish_in'), 1], ['publish_out', k('rate.publish_out'), 2],
  ['confirm', k('rate.confirm'), 3], ['deliver', k('rate.deliver'), 2], ['deliver_no_ack', k('rate.deliver_no_ack'), 6],
  ['get', k('rate.get'), 5], ['get_no_ack', k('rate.get_no_ack'), 7], ['get_empty', k('rate.get_empty'), 9], ['ack', k('rate.ack'), 8],
  ['redeliver', k('rate.redeliver'), 4], ['return_unroutable', k('rate.return_unroutable'), 10], ['drop_unroutable', k('rate.drop_unroutable'), 11],
];

// rateChart shows the kinds that there are, the usual ones always.
export function rateChart(stats = {}, always = ['publish', 'deliver', 'ack'], title = t('chart.rates')) {
  if (off()) return null;
  if (noRates()) return without(title, t('chart.no_rates'), t('chart.no_rates.do'));
  const series = kinds.filter(([id]) => always.includes(id) || stats[id] > 0).map(([id, label, color]) => {
    const points = rates(stats[id + '_details']);
    return { id, label: tx(label), color, points, value: stats[id + '_details']?.rate ?? 0 };
  });
  return chart(title, series, { key: 'rates', exact: f.rate });
}

export function lengthChart(o, title = t('chart.queued')) {
  return chart(title, [
    { id: 'ready', label: t('queue.ready'), color: 1, points: levels(o.messages_ready_details), value: o.messages_ready ?? 0 },
    { id: 'unacked', label: t('queue.unacked'), color: 2, points: levels(o.messages_unacknowledged_details), value: o.messages_unacknowledged ?? 0 },
    { id: 'total', label: t('queue.total'), color: 8, points: levels(o.messages_details), value: o.messages ?? 0 },
  ], { key: 'lengths', exact: f.count, fill: false, whole: true });
}

export function byteChart(o) {
  return chart(t('chart.bytes'), [
    { id: 'in', label: t('conn.from_client'), color: 1, points: rates(o.recv_oct_details), value: o.recv_oct_details?.rate ?? 0 },
    { id: 'out', label: t('conn.to_client'), color: 2, points: rates(o.send_oct_details), value: o.send_oct_details?.rate ?? 0 },
  ], { key: 'bytes', bytes: true, format: f.bytes, exact: f.byteRate });
}

// fall is the level in the past, from what came and went since.
export function history(now, came, went) {
  const a = levels(came);
  const b = new Map(levels(went));
  if (a.length === 0) return [];
  const last = a.at(-1);
  return a.filter(([ms]) => b.has(ms)).map(([ms, n]) => [ms, Math.max(0, now - (last[1] - n) + ((b.get(last[0]) ?? 0) - b.get(ms)))]);
}
