// How the whole is doing.

import { h } from '../dom.js';
import { t } from '../i18n.js';
import * as api from '../api.js';
import * as f from '../format.js';
import { to } from '../router.js';
import { ages, chart, levels, off, rangeChoice } from '../chart.js';
import { history, lengthChart, rateChart } from '../stats.js';
import { badge, heading, link, meter, panel, table } from '../parts.js';

export function overview(ctx) {
  const state = { o: null, nodes: null };

  async function load(signal) {
    const asked = [api.get('overview?' + ages('lengths', 'msg_rates'), { signal })];
    if (ctx.may('monitoring')) asked.push(api.get('nodes?' + ages('node_stats') + '&columns=name,running,uptime,mem_used,mem_used_details,mem_limit,mem_alarm,disk_free,disk_free_details,disk_free_limit,disk_free_alarm,fd_used,fd_total,proc_used,processors,rabbitmq_version', { signal }));
    [state.o, state.nodes] = await Promise.all(asked);
  }

  function tile(label, value, href, id) {
    return h('a.tile', { href, key: label }, h('span.tile-label', label), h('span.tile-value', { 'data-tile': id }, f.count(value)));
  }

  function view() {
    const { o, nodes } = state;
    if (!o) return [heading(t('nav.overview')), h('div.loading', t('ui.loading'))];
    const n = o.object_totals || {};
    const q = o.queue_totals || {};
    const none = off() ? undefined : 0;
    return [
      heading(t('nav.overview'), { actions: rangeChoice(ctx) }),
      h('div.tiles',
        tile(t('queue.ready'), q.messages_ready ?? none, '#/queues?sort=messages_ready&reverse=1', 'ready'),
        tile(t('queue.unacked'), q.messages_unacknowledged ?? none, '#/queues?sort=messages_unacknowledged&reverse=1', 'unacked'),
        tile(t('nav.queues'), n.queues, '#/queues', 'queues'),
        tile(t('nav.consumers'), n.consumers, '#/queues?sort=consumers&reverse=1', 'consumers'),
        tile(t('nav.connections'), n.connections, '#/connections', 'connections'),
        tile(t('nav.channels'), n.channels, '#/channels', 'channels'),
        tile(t('nav.exchanges'), n.exchanges, '#/exchanges', 'exchanges')),
      h('div.charts', lengthChart(q), rateChart(o.message_stats || {}, ['publish', 'confirm', 'deliver', 'ack']), connectionChart(o), nodes && memoryChart(nodes), nodes && diskChart(nodes), churnChart(o)),
      nodes && panel(t('nav.nodes'), nodeTable(nodes)),
      o.listeners && panel(t('overview.listeners'), table([
        [t('overview.protocol'), (l) => l.protocol], [t('overview.address'), (l) => l.ip_address], [t('overview.port'), (l) => l.port, { num: true }], [t('overview.node'), (l) => l.node],
      ], o.listeners)),
    ];
  }

  function connectionChart(o) {
    const c = o.churn_rates || {};
    const n = o.object_totals || {};
    return chart(t('chart.connections'), [
      { id: 'connections', label: t('nav.connections'), color: 1, points: history(n.connections ?? 0, c.connection_created_details, c.connection_closed_details), value: n.connections ?? 0 },
      { id: 'channels', label: t('nav.channels'), color: 3, points: history(n.channels ?? 0, c.channel_created_details, c.channel_closed_details), value: n.channels ?? 0 },
    ], { key: 'connections', exact: f.count, whole: true });
  }

  return { load, view, title: () => t('nav.overview') };
}

function churnChart(o) {
  const c = o.churn_rates || {};
  const series = [
    ['connection_created', t('churn.connection_created'), 1], ['connection_closed', t('churn.connection_closed'), 2],
    ['channel_created', t('churn.channel_created'), 3], ['channel_closed', t('churn.channel_closed'), 4],
    ['queue_declared', t('churn.queue_declared'), 5], ['queue_created', t('churn.queue_created'), 6], ['queue_deleted', t('churn.queue_deleted'), 7],
  ].map(([id, label, color]) => ({ id, label, color, points: ratesOf(c[id + '_details']), value: c[id + '_details']?.rate ?? 0 }));
  return chart(t('chart.churn'), series, { key: 'churn', exact: f.rate });
}

function ratesOf(details) {
  const s = levels(details);
  return s.slice(1).map(([ms, n], i) => [ms, Math.max(0, (n - s[i][1]) / ((ms - s[i][0]) / 1000))]);
}

export function memoryChart(nodes) {
  const limit = Math.min(...nodes.map((n) => n.mem_limit || Infinity));
  return chart(t('chart.memory'), nodes.map((n, i) => ({ id: n.name, label: n.name, color: (i % 8) + 1, points: levels(n.mem_used_details), value: n.mem_used })), {
    key: 'memory', bytes: true, format: f.bytes, fill: true, note: limit < Infinity ? t('chart.limit', { n: f.bytes(limit), share: f.percent(Math.max(...nodes.map((n) => n.mem_used / n.mem_limit))) }) : null,
    limit: { value: limit, label: t('chart.limit_line') },
  });
}

export function diskChart(nodes) {
  const limit = Math.max(...nodes.map((n) => n.disk_free_limit));
  return chart(t('chart.disk'), nodes.map((n, i) => ({ id: n.name, label: n.name, color: ((i + 2) % 8) + 1, points: levels(n.disk_free_details), value: n.disk_free })), {
    key: 'disk', bytes: true, format: f.bytes, fill: true, note: limit > 0 ? t('chart.least', { n: f.bytes(limit) }) : null,
    limit: { value: limit, label: t('chart.least_line') },
  });
}

export function nodeTable(nodes) {
  return table([
    [t('overview.node'), (n) => [link(n.name, to('nodes', n.name)), ' ', n.running === false && badge(t('node.down'), 'danger')]],
    [t('node.uptime'), (n) => f.duration(n.uptime), { num: true }],
    [t('node.memory'), (n) => h('div.gauge', n.mem_limit > 0 && meter(n.mem_used, n.mem_limit, t('node.memory')), h('span', n.mem_limit > 0 ? t('node.of', { n: f.bytes(n.mem_used), limit: f.bytes(n.mem_limit) }) : f.bytes(n.mem_used)), n.mem_alarm && badge(t('node.alarm'), 'danger'))],
    [t('node.disk'), (n) => h('div.gauge', h('span', t('node.free', { n: f.bytes(n.disk_free), limit: f.bytes(n.disk_free_limit) })), n.disk_free_alarm && badge(t('node.alarm'), 'danger'))],
    [t('node.files'), (n) => h('div.gauge', n.fd_total > 0 && meter(n.fd_used, n.fd_total, t('node.files')), h('span', t('node.of', { n: f.count(n.fd_used), limit: f.count(n.fd_total) })))],
    [t('node.cores'), (n) => f.count(n.processors), { num: true }],
  ], nodes, (n) => n.name);
}
