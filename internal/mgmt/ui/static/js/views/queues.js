// The list of queues, and declaring one.

import { t, k } from '../i18n.js';
import * as api from '../api.js';
import * as f from '../format.js';
import { to } from '../router.js';
import { list } from '../list.js';
import * as dialog from '../dialog.js';
import { app, oneVHost, vhost } from '../app.js';
import { noRates } from '../chart.js';
import { editor, queueArguments, result, start } from '../arguments.js';
import { badge, button, heading, link, toast } from '../parts.js';
import { vhostField } from './exchanges.js';

export function queueState(q) {
  const bad = { down: 'danger', crashed: 'danger', stopped: 'danger', minority: 'danger', terminated: 'danger' }[q.state];
  if (bad) return badge(q.state, bad);
  if (q.idle_since && q.state !== 'running') return badge(t('queue.idle'), '');
  return badge(q.state === 'idle' ? t('queue.idle') : t('queue.running'), q.state === 'idle' ? '' : 'ok');
}

const short = [['x-message-ttl', 'TTL', k('arg.message_ttl')], ['x-expires', 'Exp', k('arg.expires')], ['x-max-length', 'Lim', k('arg.max_length')], ['x-max-length-bytes', 'LimB', k('arg.max_length_bytes')],
  ['x-dead-letter-exchange', 'DLX', k('arg.dlx')], ['x-max-priority', 'Pri', k('arg.max_priority')], ['x-single-active-consumer', 'SAC', k('arg.sac')], ['x-delivery-limit', 'DL', k('arg.delivery_limit')], ['x-overflow', 'Ovfl', k('arg.overflow')]];

export function queueFeatures(q) {
  return [
    q.durable && badge('D', '', t('feature.durable')), q.auto_delete && badge('AD', '', t('feature.auto_delete')), q.exclusive && badge('Excl', '', t('feature.exclusive')),
    ...short.filter(([key]) => q.arguments?.[key] !== undefined).map(([key, text]) => badge(text, '', `${key}: ${q.arguments[key]}`)),
  ].filter(Boolean);
}

const number = (id, label, o = {}) => ({ id, label, num: true, sort: id, fields: [id], view: (q) => f.count(q[id]), ...o });
const rate = (id, label, o = {}) => ({ id, label, num: true, hide: noRates, sort: `message_stats.${id}_details.rate`, fields: [`message_stats.${id}_details.rate`], view: (q) => f.rate(q.message_stats?.[id + '_details']?.rate), ...o });
const age = (id, label, o = {}) => ({ id, label, num: true, sort: id, fields: [id], view: (q) => f.duration(q[id]), ...o });

const columns = [
  { id: 'name', label: k('queue.name'), fixed: true, sort: 'name', view: (q) => link(q.name, to('queues', q.vhost, q.name)) },
  { id: 'vhost', label: k('conn.vhost'), hide: oneVHost, sort: 'vhost', view: (q) => q.vhost },
  { id: 'type', label: k('queue.type'), sort: 'type', fields: ['type'], view: (q) => badge(q.type, 'type-' + q.type) },
  { id: 'features', label: k('ui.features'), fields: ['durable', 'auto_delete', 'exclusive', 'arguments'], view: queueFeatures },
  { id: 'policy', label: k('ui.policy'), sort: 'policy', fields: ['policy', 'operator_policy'], view: (q) => [q.policy, q.operator_policy].filter(Boolean).join(', ') || f.none, off: true },
  { id: 'state', label: k('queue.state'), sort: 'state', fields: ['state', 'idle_since'], view: queueState },
  number('messages_ready', k('queue.ready')), number('messages_unacknowledged', k('queue.unacked')), number('messages', k('queue.total')),
  age('oldest_ready_age_ms', k('queue.oldest_ready'), { off: true }), age('oldest_unacked_age_ms', k('queue.oldest_unacked'), { off: true }),
  number('consumers', k('queue.consumers')),
  { id: 'capacity', label: k('queue.capacity'), num: true, off: true, sort: 'consumer_capacity', fields: ['consumer_capacity'], view: (q) => f.percent(q.consumer_capacity) },
  rate('publish', k('rate.publish')), rate('deliver_get', k('rate.deliver_get')), rate('ack', k('rate.ack')), rate('redeliver', k('rate.redeliver'), { off: true }),
  { ...number('message_bytes', k('queue.bytes'), { off: true }), view: (q) => f.bytes(q.message_bytes) },
  { ...number('memory', k('queue.memory'), { off: true }), view: (q) => f.bytes(q.memory) },
  { id: 'node', label: k('conn.node'), sort: 'node', off: true, fields: ['node'], view: (q) => q.node },
];

export function queues(ctx) {
  const l = list(ctx, {
    id: 'queues', title: t('nav.queues'), columns, key: (q) => q.vhost + '\u0000' + q.name, empty: k('queue.empty_list'), fields: ['name', 'vhost'],
    path: () => 'queues' + (vhost() ? '/' + f.enc(vhost()) : ''),
  });
  return {
    load: l.load, title: () => t('nav.queues'),
    view: () => [heading(t('nav.queues'), { actions: button(t('queue.declare'), () => declare(ctx), { icon: 'plus', kind: 'primary' }) }), l.view()],
  };
}

function declare(ctx) {
  const extra = start();
  const about = { classic: t('queue.classic_help'), quorum: t('queue.quorum_help'), stream: t('queue.stream_help'), default: t('queue.default_help') };
  const fits = (type) => (a) => a.types.includes(type === 'default' ? 'classic' : type);
  return dialog.form({
    title: t('queue.declare'), label: t('queue.declare'), wide: true,
    fields: [
      ...(app.vhosts.length > 1 ? [vhostField()] : []),
      { name: 'name', label: t('queue.name'), required: true, help: t('queue.name_help') },
      { name: 'type', label: t('queue.type'), type: 'select', value: 'default', options: [['default', t('queue.default')], ['classic', 'classic'], ['quorum', 'quorum'], ['stream', 'stream']], help: (v) => about[v.type] },
      { name: 'durable', label: t('feature.durable'), type: 'checkbox', value: true, help: t('queue.durable_help'), show: (v) => v.type === 'classic' || v.type === 'default' },
      { name: 'auto_delete', label: t('feature.auto_delete'), type: 'checkbox', help: t('queue.auto_delete_help'), show: (v) => v.type === 'classic' || v.type === 'default' },
      { name: 'arguments', type: 'custom', label: t('ui.arguments'), help: t('args.help'), view: (v, update) => editor(extra, update, queueArguments, fits(v.type)) },
    ],
    submit: async (v) => {
      const where = v.vhost || app.vhosts[0] || '/';
      const fitting = queueArguments.map((g) => ({ ...g, list: g.list.filter(fits(v.type)) }));
      const args = result(extra, fitting);
      const replicated = v.type === 'quorum' || v.type === 'stream';
      if (v.type !== 'default') args['x-queue-type'] = v.type;
      await api.put(`queues/${f.enc(where)}/${f.enc(v.name)}`, { durable: replicated || v.durable, auto_delete: !replicated && v.auto_delete, arguments: args });
      toast(t('queue.declared', { name: v.name }));
      ctx.refresh();
    },
  });
}

