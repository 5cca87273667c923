// Channels: what each publishes, gets and owes.

import { h } from '../dom.js';
import { t, k } from '../i18n.js';
import * as api from '../api.js';
import * as f from '../format.js';
import { to } from '../router.js';
import { list } from '../list.js';
import { ages, noRates, rangeChoice } from '../chart.js';
import { rateChart } from '../stats.js';
import { oneVHost, vhost } from '../app.js';
import { badge, facts, heading, link, notice, panel, problem, table, args } from '../parts.js';
import { modes, stateBadge } from './connections.js';

const rate = (id, label, off) => ({ id, label, off, num: true, hide: noRates, sort: `message_stats.${id}_details.rate`, fields: [`message_stats.${id}_details.rate`], view: (c) => f.rate(c.message_stats?.[id + '_details']?.rate) });

const columns = [
  { id: 'name', label: k('chan.name'), fixed: true, sort: 'name', view: (c) => link(c.name, to('channels', c.name)) },
  { id: 'vhost', label: k('conn.vhost'), hide: oneVHost, sort: 'vhost', fields: ['vhost'], view: (c) => c.vhost },
  { id: 'user', label: k('conn.user'), sort: 'user', fields: ['user'], view: (c) => c.user },
  { id: 'mode', label: k('chan.mode'), fields: ['confirm', 'transactional'], view: modes },
  { id: 'state', label: k('chan.state'), sort: 'state', fields: ['state'], view: (c) => stateBadge(c.state) },
  { id: 'unconfirmed', label: k('chan.unconfirmed'), sort: 'messages_unconfirmed', num: true, fields: ['messages_unconfirmed'], view: (c) => f.count(c.messages_unconfirmed) },
  { id: 'prefetch', label: k('chan.prefetch'), sort: 'prefetch_count', num: true, fields: ['prefetch_count', 'global_prefetch_count'], view: (c) => [c.prefetch_count ? f.count(c.prefetch_count) : '', c.global_prefetch_count ? [' ', badge(f.count(c.global_prefetch_count), '', t('chan.global'))] : '', !c.prefetch_count && !c.global_prefetch_count && f.none] },
  { id: 'unacked', label: k('chan.unacked'), sort: 'messages_unacknowledged', num: true, fields: ['messages_unacknowledged'], view: (c) => f.count(c.messages_unacknowledged) },
  { id: 'consumers', label: k('chan.consumers'), sort: 'consumer_count', num: true, fields: ['consumer_count'], view: (c) => f.count(c.consumer_count) },
  rate('publish', k('rate.publish')), rate('confirm', k('rate.confirm')), rate('deliver_get', k('rate.deliver_get')), rate('ack', k('rate.ack')),
  rate('redeliver', k('rate.redeliver'), true), rate('return_unroutable', k('rate.return_unroutable'), true),
];

export function channels(ctx) {
  const l = list(ctx, {
    id: 'channels', title: t('nav.channels'), columns, key: (c) => c.name, empty: k('chan.empty'), fields: ['name'],
    path: () => (vhost() ? `vhosts/${f.enc(vhost())}/channels` : 'channels'),
  });
  return { load: l.load, title: () => t('nav.channels'), view: () => [heading(t('nav.channels')), l.view()] };
}

export function channel(ctx) {
  const { name } = ctx.params;
  const state = { c: null, error: null };

  async function load(signal) {
    try {
      state.c = await api.get(`channels/${f.enc(name)}?${ages('msg_rates')}`, { signal });
      state.error = null;
    } catch (err) {
      if (err.status === undefined || err.status === 0) throw err;
      state.error = err;
    }
  }

  function view() {
    const { c } = state;
    const crumbs = [[t('nav.channels'), '#/channels']];
    const gone = state.error && (state.error.status === 404 ? notice('info', t('chan.gone'), t('conn.gone.do')) : problem(state.error));
    if (!c) return [heading(name, { crumbs }), gone || h('div.loading', t('ui.loading'))];
    const full = c.prefetch_count > 0 && c.messages_unacknowledged >= c.prefetch_count;
    return [
      heading(c.name, { crumbs, badges: stateBadge(c.state), actions: rangeChoice(ctx) }),
      gone,
      c.state === 'flow' && notice('warn', t('conn.flow'), t('conn.flow.do')),
      full && c.consumer_count > 0 && notice('info', t('chan.full', { n: f.count(c.messages_unacknowledged), limit: f.count(c.prefetch_count) }), t('why.prefetch.do')),
      h('div.charts', rateChart(c.message_stats, ['publish', 'confirm', 'deliver', 'ack']), panel(t('ui.details'), facts([
        [t('chan.connection'), c.connection_details && link(c.connection_details.name, to('connections', c.connection_details.name))],
        [t('conn.user'), c.user], [t('conn.vhost'), c.vhost], [t('conn.node'), c.node], [t('chan.mode'), c.confirm ? t('chan.confirm') : c.transactional ? t('chan.tx') : t('chan.plain')],
        [t('chan.prefetch'), c.prefetch_count ? f.count(c.prefetch_count) : t('ui.unlimited')], [t('chan.global_prefetch'), c.global_prefetch_count ? f.count(c.global_prefetch_count) : null],
        [t('chan.unacked'), f.count(c.messages_unacknowledged)], [t('chan.unconfirmed'), f.count(c.messages_unconfirmed)],
        [t('chan.uncommitted'), f.count(c.messages_uncommitted)], [t('chan.acks_uncommitted'), f.count(c.acks_uncommitted)], [t('chan.idle'), c.idle_since],
      ]))),
      panel(t('nav.consumers'), table([
        [t('nav.queue'), (x) => link(x.queue.name, to('queues', x.queue.vhost, x.queue.name))],
        [t('consumer.tag'), (x) => x.consumer_tag],
        [t('consumer.ack'), (x) => (x.ack_required ? t('consumer.manual') : t('consumer.auto'))],
        [t('consumer.prefetch'), (x) => f.count(x.prefetch_count), { num: true }],
        [t('ui.arguments'), (x) => args(x.arguments) || f.none],
      ], c.consumer_details, (x) => x.consumer_tag, t('consumer.none'))),
      c.publishes?.length > 0 && panel(t('chan.publishes'), table([
        [t('nav.exchange'), (x) => link(x.exchange.name || t('exch.default'), to('exchanges', x.exchange.vhost, x.exchange.name || 'amq.default'))],
        [t('rate.publish'), (x) => f.rate(x.stats?.publish_details?.rate), { num: true }], [t('rate.confirm'), (x) => f.rate(x.stats?.confirm_details?.rate), { num: true }],
      ], c.publishes)),
      c.deliveries?.length > 0 && panel(t('chan.deliveries'), table([
        [t('nav.queue'), (x) => link(x.queue.name, to('queues', x.queue.vhost, x.queue.name))],
        [t('rate.deliver_get'), (x) => f.rate(x.stats?.deliver_get_details?.rate), { num: true }], [t('rate.ack'), (x) => f.rate(x.stats?.ack_details?.rate), { num: true }],
      ], c.deliveries)),
    ];
  }
  return { load, view, title: () => name };
}
