// Exchanges: declare, bind, publish, delete.

import { h } from '../dom.js';
import { t, k } from '../i18n.js';
import * as api from '../api.js';
import * as f from '../format.js';
import { to, go } from '../router.js';
import { list } from '../list.js';
import * as dialog from '../dialog.js';
import { ages, noRates, rangeChoice } from '../chart.js';
import { rateChart } from '../stats.js';
import { app, oneVHost, vhost } from '../app.js';
import { editor, exchangeArguments, result, start } from '../arguments.js';
import { bind, bindingTable } from '../bindings.js';
import { publish } from '../publish.js';
import { args, badge, button, facts, heading, link, notice, panel, problem, table, toast } from '../parts.js';

const label = (x) => x.name || t('exch.default');
const href = (x) => to('exchanges', x.vhost, x.name || 'amq.default');

export const features = (x) => [
  x.durable && badge('D', '', t('feature.durable')), x.auto_delete && badge('AD', '', t('feature.auto_delete')),
  x.internal && badge('I', '', t('feature.internal')), x.arguments?.['alternate-exchange'] && badge('AE', '', t('arg.alternate')),
];

const columns = [
  { id: 'name', label: k('exch.name'), fixed: true, sort: 'name', view: (x) => link(label(x), href(x), { class: x.name ? '' : 'special' }) },
  { id: 'vhost', label: k('conn.vhost'), hide: oneVHost, sort: 'vhost', view: (x) => x.vhost },
  { id: 'type', label: k('exch.type'), sort: 'type', fields: ['type'], view: (x) => x.type },
  { id: 'features', label: k('ui.features'), fields: ['durable', 'auto_delete', 'internal', 'arguments'], view: features },
  { id: 'policy', label: k('ui.policy'), sort: 'policy', fields: ['policy'], view: (x) => x.policy || f.none },
  { id: 'in', label: k('rate.publish_in'), hide: noRates, sort: 'message_stats.publish_in_details.rate', num: true, fields: ['message_stats.publish_in_details.rate'], view: (x) => f.rate(x.message_stats?.publish_in_details?.rate) },
  { id: 'out', label: k('rate.publish_out'), hide: noRates, sort: 'message_stats.publish_out_details.rate', num: true, fields: ['message_stats.publish_out_details.rate'], view: (x) => f.rate(x.message_stats?.publish_out_details?.rate) },
];

export function exchanges(ctx) {
  const l = list(ctx, {
    id: 'exchanges', title: t('nav.exchanges'), columns, key: (x) => x.vhost + '\u0000' + x.name, empty: k('exch.empty'), fields: ['name', 'vhost'],
    path: () => 'exchanges' + (vhost() ? '/' + f.enc(vhost()) : ''),
  });
  return { load: l.load, title: () => t('nav.exchanges'), view: () => [heading(t('nav.exchanges'), { actions: button(t('exch.declare'), () => declare(ctx), { icon: 'plus', kind: 'primary' }) }), l.view()] };
}

export const vhostField = () => ({ name: 'vhost', label: t('conn.vhost'), type: 'select', value: vhost() || app.vhosts[0] || '/', options: app.vhosts.map((v) => [v, v]) });

function declare(ctx) {
  const extra = start();
  const types = (app.overview?.exchange_types || []).filter((x) => !x.internal_purpose).map((x) => x.name);
  const about = { direct: t('exch.direct'), fanout: t('exch.fanout'), topic: t('exch.topic'), headers: t('exch.headers') };
  return dialog.form({
    title: t('exch.declare'), label: t('exch.declare'), wide: true,
    fields: [
      ...(app.vhosts.length > 1 ? [vhostField()] : []),
      { name: 'name', label: t('exch.name'), required: true },
      { name: 'type', label: t('exch.type'), type: 'select', value: 'direct', options: (types.length ? types : ['direct', 'fanout', 'headers', 'topic']).map((x) => [x, x]), help: (v) => about[v.type] || '' },
      { name: 'durable', label: t('feature.durable'), type: 'checkbox', value: true, help: t('exch.durable_help') },
      { name: 'auto_delete', label: t('feature.auto_delete'), type: 'checkbox', help: t('exch.auto_delete_help') },
      { name: 'internal', label: t('feature.internal'), type: 'checkbox', help: t('exch.internal_help') },
      { name: 'arguments', type: 'custom', label: t('ui.arguments'), view: (v, update) => editor(extra, update, exchangeArguments, (a) => !a.only || a.only === v.type) },
    ],
    submit: async (v) => {
      const where = v.vhost || app.vhosts[0] || '/';
      await api.put(`exchanges/${f.enc(where)}/${f.enc(v.name)}`, { type: v.type, durable: v.durable, auto_delete: v.auto_delete, internal: v.internal, arguments: result(extra, exchangeArguments) });
      toast(t('exch.declared', { name: v.name }));
      ctx.refresh();
    },
  });
}

export function exchange(ctx) {
  const { vhost: v, name } = ctx.params;
  const isDefault = name === 'amq.default';
  const path = `exchanges/${f.enc(v)}/${f.enc(name)}`;
  const state = { x: null, from: [], into: [], error: null };

  async function load(signal) {
    try {
      [state.x, state.from, state.into] = await Promise.all([
        api.get(`${path}?${ages('msg_rates')}`, { signal }),
        isDefault ? [] : api.get(`${path}/bindings/source`, { signal }), isDefault ? [] : api.get(`${path}/bindings/destination`, { signal }),
      ]);
      state.error = null;
    } catch (err) {
      if (err.status === undefined || err.status === 0) throw err;
      state.error = err;
    }
  }

  const remove = async () => {
    const done = await dialog.form({
      title: t('exch.delete'), intro: h('p', t('exch.delete_text', { name })), danger: true, label: t('ui.delete'),
      fields: [{ name: 'unused', label: t('exch.if_unused'), type: 'checkbox', value: false }],
      submit: async (values) => { await api.del(path + (values.unused ? '?if-unused=true' : '')); toast(t('exch.deleted', { name })); },
    });
    if (done) go('exchanges');
  };

  function view() {
    const { x } = state;
    const crumbs = [[t('nav.exchanges'), '#/exchanges']];
    if (!x) return [heading(name, { crumbs }), state.error ? problem(state.error) : h('div.loading', t('ui.loading'))];
    const reserved = isDefault || name.startsWith('amq.');
    return [
      heading(label(x), { crumbs, badges: [badge(x.type), ...features(x).filter(Boolean)], actions: [rangeChoice(ctx),
        button(t('msg.publish'), () => publish(ctx, v, isDefault ? 'amq.default' : name), { kind: 'primary', disabled: x.internal }),
        !isDefault && button(t('bind.add'), () => bind(ctx, v, { source: name })),
        !reserved && button(t('ui.delete'), remove, { kind: 'danger' })] }),
      state.error && problem(state.error),
      isDefault && notice('info', t('exch.default_text')),
      h('div.charts', rateChart(x.message_stats, ['publish_in', 'publish_out']), panel(t('ui.details'), facts([
        [t('exch.type'), x.type], [t('conn.vhost'), x.vhost], [t('ui.features'), features(x)], [t('ui.arguments'), args(x.arguments)],
        [t('ui.policy'), x.policy ? link(x.policy, '#/admin/policies') : t('ui.none')], [t('exch.declared_by'), x.user_who_performed_action],
      ]))),
      x.incoming?.length > 0 && panel(t('exch.incoming'), table([
        [t('consumer.channel'), (r) => link(r.channel_details.name, to('channels', r.channel_details.name))], [t('conn.user'), (r) => r.channel_details.user],
        [t('rate.publish'), (r) => f.rate(r.stats?.publish_details?.rate), { num: true }], [t('rate.confirm'), (r) => f.rate(r.stats?.confirm_details?.rate), { num: true }],
      ], x.incoming, (r) => r.channel_details.name)),
      x.outgoing?.length > 0 && panel(t('exch.outgoing'), table([
        [t('nav.queue'), (r) => link(r.queue.name, to('queues', r.queue.vhost, r.queue.name))],
        [t('rate.publish'), (r) => f.rate(r.stats?.publish_details?.rate), { num: true }],
      ], x.outgoing, (r) => r.queue.name)),
      !isDefault && panel(t('bind.from_here'), bindingTable(ctx, state.from, 'destination')),
      !isDefault && state.into.length > 0 && panel(t('bind.into_here'), bindingTable(ctx, state.into, 'source')),
    ];
  }
  return { load, view, title: () => name };
}
