// One queue: how it is doing, who consumes and why not, bindings, messages.

import { h } from '../dom.js';
import { t } from '../i18n.js';
import * as api from '../api.js';
import * as f from '../format.js';
import { to, go } from '../router.js';
import * as dialog from '../dialog.js';
import { ages, off, rangeChoice } from '../chart.js';
import { lengthChart, rateChart } from '../stats.js';
import { bind, bindingTable } from '../bindings.js';
import { publish } from '../publish.js';
import { ask } from '../why.js';
import { args, badge, button, facts, heading, link, notice, panel, problem, table, tabs, toast } from '../parts.js';
import { queueFeatures, queueState } from './queues.js';
import { messages } from './messages.js';

export function queue(ctx) {
  const { vhost: v, name } = ctx.params;
  const tab = ctx.params.tab || 'overview';
  const path = `queues/${f.enc(v)}/${f.enc(name)}`;
  const state = { q: null, bindings: null, why: [], error: null };
  const list = tab === 'messages' ? messages(ctx, { vhost: v, name, path, queue: () => state.q }) : null;

  async function load(signal) {
    try {
      const asked = [api.get(`${path}?${ages('lengths', 'msg_rates')}`, { signal })];
      if (tab === 'bindings') asked.push(api.get(`${path}/bindings`, { signal }));
      [state.q, state.bindings] = await Promise.all(asked);
      state.error = null;
      if (tab === 'overview') state.why = await ask(state.q, signal);
      await list?.load(signal);
    } catch (err) {
      if (err.status === undefined || err.status === 0) throw err;
      state.error = err;
    }
  }

  const n = () => f.count(state.q.messages ?? (off() ? undefined : 0));
  const purge = () => dialog.confirm(t('queue.purge'), t('queue.purge_text', { name, n: f.count(state.q.messages_ready ?? 0) }), t('queue.purge'), async () => {
    await api.del(path + '/contents');
    toast(t('queue.purged', { name }));
    ctx.refresh();
  });
  const remove = async () => {
    const done = await dialog.form({
      title: t('queue.delete'), intro: h('p', t('queue.delete_text', { name, n: n(), consumers: f.count(state.q.consumers ?? 0) })), danger: true, label: t('ui.delete'),
      fields: [
        { name: 'empty', label: t('queue.if_empty'), type: 'checkbox', value: false }, { name: 'unused', label: t('queue.if_unused'), type: 'checkbox', value: false },
      ],
      submit: async (values) => {
        const only = [values.empty && 'if-empty=true', values.unused && 'if-unused=true'].filter(Boolean).join('&');
        await api.del(path + (only ? '?' + only : ''));
        toast(t('queue.deleted', { name }));
      },
    });
    if (done) go('queues');
  };

  function view() {
    const { q } = state;
    const crumbs = [[t('nav.queues'), '#/queues'], ...(ctx.app.vhosts.length > 1 ? [[v, '#/queues']] : [])];
    if (!q) return [heading(name, { crumbs }), state.error ? (state.error.status === 404 ? notice('info', t('queue.gone', { name }), t('queue.gone.do')) : problem(state.error)) : h('div.loading', t('ui.loading'))];
    const stream = q.type === 'stream';
    return [
      heading(name, { crumbs, badges: [badge(q.type, 'type-' + q.type), queueState(q), ...queueFeatures(q)], actions: [
        button(t('msg.publish'), () => publish(ctx, v, '', name), { kind: 'primary' }),
        !stream && button(t('queue.purge'), purge), button(t('ui.delete'), remove, { kind: 'danger' })] }),
      state.error && (state.error.status === 404 ? notice('info', t('queue.gone', { name }), t('queue.gone.do')) : problem(state.error)),
      tabs([
        ['overview', t('nav.overview'), to('queues', v, name)],
        ['messages', t('nav.messages'), to('queues', v, name, 'messages'), n()],
        ['bindings', t('nav.bindings'), to('queues', v, name, 'bindings')],
      ], tab),
      tab === 'overview' ? overview(q) : tab === 'bindings' ? bindings() : list ? list.view() : null,
    ];
  }

  function bindings() {
    return panel(t('bind.to_queue'), { extra: button(t('bind.add'), () => bind(ctx, v, { destination: name, destination_type: 'queue' }), { icon: 'plus' }) },
      state.bindings ? bindingTable(ctx, state.bindings, 'source') : h('div.loading', t('ui.loading')));
  }

  function overview(q) {
    const limits = q.effective_policy_definition || {};
    const none = off() ? undefined : 0;
    return [
      h('div.tiles',
        tile(t('queue.ready'), f.count(q.messages_ready ?? none), 'ready'), tile(t('queue.unacked'), f.count(q.messages_unacknowledged ?? none), 'unacked'),
        q.oldest_ready_age_ms !== undefined && tile(t('queue.oldest_ready'), q.messages_ready ? f.duration(q.oldest_ready_age_ms) : f.none, 'oldest'),
        q.oldest_unacked_age_ms !== undefined && tile(t('queue.oldest_unacked'), q.messages_unacknowledged ? f.duration(q.oldest_unacked_age_ms) : f.none),
        tile(t('queue.consumers'), f.count(q.consumers ?? none)), tile(t('queue.capacity'), f.percent(q.consumer_capacity)),
        tile(t('queue.bytes'), f.bytes(q.message_bytes))),
      h('div.range-line', rangeChoice(ctx)),
      h('div.charts', lengthChart(q), rateChart(q.message_stats, ['publish', 'deliver', 'ack'])),
      panel(t('nav.consumers'), { extra: null, class: 'consumers' }, whyBox(q), off() ? h('p.empty', t('alarm.stats')) : consumerTable(q)),
      (q.incoming?.length > 0 || q.deliveries?.length > 0) && h('div.columns',
        q.incoming?.length > 0 && panel(t('queue.incoming'), table([
          [t('nav.exchange'), (r) => link(r.exchange.name || t('exch.default'), to('exchanges', r.exchange.vhost, r.exchange.name || 'amq.default'))],
          [t('rate.publish'), (r) => f.rate(r.stats?.publish_details?.rate), { num: true }],
        ], q.incoming, (r) => r.exchange.name)),
        q.deliveries?.length > 0 && panel(t('queue.deliveries'), table([
          [t('consumer.channel'), (r) => link(r.channel_details.name, to('channels', r.channel_details.name))],
          [t('rate.deliver_get'), (r) => f.rate(r.stats?.deliver_get_details?.rate), { num: true }], [t('rate.ack'), (r) => f.rate(r.stats?.ack_details?.rate), { num: true }],
        ], q.deliveries, (r) => r.channel_details.name))),
      h('div.columns',
        panel(t('ui.details'), facts([
          [t('queue.type'), q.type], [t('conn.vhost'), q.vhost], [t('conn.node'), q.node], [t('queue.leader'), q.leader !== q.node ? q.leader : null], [t('queue.members'), q.members?.length > 1 ? q.members.join(', ') : null],
          [t('ui.features'), queueFeatures(q)], [t('ui.arguments'), args(q.arguments)],
          [t('ui.policy'), q.policy ? link(q.policy, '#/admin/policies') : t('ui.none')], [t('ui.operator_policy'), q.operator_policy ? link(q.operator_policy, '#/admin/policies/operator') : null],
          [t('queue.effective'), args(limits)],
          [t('queue.exclusive_consumer'), q.exclusive_consumer_tag], [t('queue.active_consumer'), q.single_active_consumer_tag],
          [t('queue.idle_since'), q.idle_since],
        ])),
        panel(t('queue.contents'), facts([
          [t('queue.total'), f.count(q.messages)], [t('queue.persistent'), f.count(q.messages_persistent)], [t('queue.in_memory'), f.count(q.messages_ram)], [t('queue.paged'), q.messages_paged_out !== undefined ? f.count(q.messages_paged_out) : null],
          [t('queue.bytes'), f.bytes(q.message_bytes)], [t('queue.bytes_ready'), f.bytes(q.message_bytes_ready)], [t('queue.bytes_unacked'), f.bytes(q.message_bytes_unacknowledged)],
          [t('queue.memory'), f.bytes(q.memory)], [t('stream.segments'), q.segments !== undefined ? f.count(q.segments) : null], [t('stream.committed'), q.committed_offset !== undefined ? f.count(q.committed_offset) : null],
          [t('stream.first'), q.first_timestamp ? f.date(q.first_timestamp) : null], [t('stream.readers'), q.readers ? f.count(Object.values(q.readers).reduce((a, b) => a + b, 0)) : null],
        ]))),
    ];
  }

  function whyBox(q) {
    if (!q.messages_ready && q.consumers > 0 && !q.messages_unacknowledged) return notice('ok', t('why.fine_empty'));
    if (state.why.length === 0) return q.consumers > 0 && q.messages_ready > 0 ? notice('ok', t('why.fine')) : null;
    const flows = state.why.some((r) => r.code === 'delivering' || r.code === 'no_readers' || r.code === 'keeps_up');
    return h('div.why', { 'data-why': state.why.map((r) => r.code).join(' ') }, !flows && h('h3', t('why.title')), state.why.map((r, i) => h('div', { key: i }, notice(r.kind || 'warn', r.text, r.todo))));
  }

  return { load, view, title: () => name };
}

function tile(label, value, id) {
  return h('div.tile', { key: label }, h('span.tile-label', label), h('span.tile-value', { 'data-tile': id }, value));
}

function consumerTable(q) {
  const status = (c) => ({ up: badge(t('consumer.up'), 'ok'), single_active: badge(t('consumer.active'), 'ok'), waiting: badge(t('consumer.waiting'), 'warn'), suspected_down: badge(t('consumer.down'), 'danger') }[c.activity_status] || f.none);
  return table([
    [t('consumer.tag'), (c) => h('code', c.consumer_tag)],
    [t('consumer.channel'), (c) => (c.channel_details?.name ? link(c.channel_details.name, to('channels', c.channel_details.name)) : f.none)],
    [t('conn.user'), (c) => c.channel_details?.user || f.none],
    [t('consumer.status'), status],
    [t('consumer.ack'), (c) => (c.ack_required ? t('consumer.manual') : t('consumer.auto'))],
    [t('consumer.prefetch'), (c) => (c.prefetch_count ? f.count(c.prefetch_count) : t('ui.unlimited')), { num: true }],
    [t('ui.arguments'), (c) => args(c.arguments) || f.none],
  ], q.consumer_details, (c) => c.channel_details?.name + c.consumer_tag, t('consumer.none'));
}
