// Nodes: memory, disk, listeners, version.

import { h } from '../dom.js';
import { t } from '../i18n.js';
import * as api from '../api.js';
import * as f from '../format.js';
import { ages, rangeChoice } from '../chart.js';
import { badge, facts, heading, panel, problem, table } from '../parts.js';
import { diskChart, memoryChart, nodeTable } from './overview.js';

export function nodes(ctx) {
  const state = { nodes: null };
  return {
    title: () => t('nav.nodes'),
    load: async (signal) => { state.nodes = await api.get(`nodes?${ages('node_stats')}`, { signal }); },
    view: () => [heading(t('nav.nodes'), { actions: rangeChoice(ctx) }), state.nodes ? [nodeTable(state.nodes), h('div.charts', memoryChart(state.nodes), diskChart(state.nodes))] : h('div.loading', t('ui.loading'))],
  };
}

export function node(ctx) {
  const { name } = ctx.params;
  const state = { n: null, memory: null, overview: null, error: null };
  async function load(signal) {
    try {
      [state.n, state.memory, state.overview] = await Promise.all([
        api.get(`nodes/${f.enc(name)}?${ages('node_stats')}`, { signal }), api.get(`nodes/${f.enc(name)}/memory`, { signal }), api.get('overview?columns=listeners,contexts,rabbitmq_version,product_name,product_version,erlang_version,management_version', { signal }),
      ]);
      state.error = null;
    } catch (err) {
      if (err.status === undefined || err.status === 0) throw err;
      state.error = err;
    }
  }

  function view() {
    const { n } = state;
    const crumbs = [[t('nav.nodes'), '#/nodes']];
    if (!n) return [heading(name, { crumbs }), state.error ? problem(state.error) : h('div.loading', t('ui.loading'))];
    const o = state.overview || {};
    return [
      heading(name, { crumbs, badges: [n.running ? badge(t('queue.running'), 'ok') : badge(t('node.down'), 'danger'), n.mem_alarm && badge(t('node.mem_alarm'), 'danger'), n.disk_free_alarm && badge(t('node.disk_alarm'), 'danger')], actions: rangeChoice(ctx) }),
      state.error && problem(state.error),
      h('div.charts', memoryChart([n]), diskChart([n])),
      panel(t('node.breakdown'), breakdown()),
      h('div.columns',
        panel(t('ui.details'), facts([
          [t('node.version'), `${o.product_name || ''} ${o.product_version || ''}`], [t('node.level'), o.rabbitmq_version], [t('node.runtime'), o.erlang_version],
          [t('node.uptime'), f.duration(n.uptime)], [t('node.pid'), n.os_pid], [t('node.cores'), f.count(n.processors)],
          [t('node.files'), t('node.of', { n: f.count(n.fd_used), limit: f.count(n.fd_total) })], [t('node.processes'), n.proc_total ? t('node.of', { n: f.count(n.proc_used), limit: f.count(n.proc_total) }) : null],
          [t('node.memory_limit'), f.bytes(n.mem_limit)], [t('node.disk_limit'), f.bytes(n.disk_free_limit)], [t('node.data'), n.db_dir], [t('node.config_files'), n.config_files?.join(', ')], [t('node.log_files'), n.log_files?.join(', ')],
          [t('nav.plugins'), n.enabled_plugins?.join(', ')], [t('node.auth'), n.auth_mechanisms?.map((x) => x.name).join(', ')],
        ])),
        panel(t('overview.listeners'), table([
          [t('overview.protocol'), (l) => l.protocol], [t('overview.address'), (l) => l.ip_address], [t('overview.port'), (l) => l.port, { num: true }],
        ], (o.listeners || []).filter((l) => l.node === name)))),
    ];
  }

  function breakdown() {
    const m = state.memory?.memory;
    if (!m || typeof m !== 'object') return h('p.empty', t('node.no_breakdown'));
    const parts = Object.entries(m).filter(([key, v]) => typeof v === 'number' && key !== 'total' && v > 0).sort((a, b) => b[1] - a[1]);
    const total = typeof m.total === 'object' ? m.total.rss || m.total.allocated || m.total.erlang : parts.reduce((s, p) => s + p[1], 0);
    const most = Math.max(1, parts[0]?.[1] || 1);
    return h('div.breakdown', { role: 'table', 'aria-label': t('node.breakdown') },
      parts.map(([key, v]) => h('div.breakdown-row', { key, role: 'row' }, h('span.breakdown-name', { role: 'cell' }, key.replace(/_/g, ' ')),
        h('span.breakdown-bar', { 'aria-hidden': 'true' }, h('span', { style: { width: (100 * v / most).toFixed(1) + '%' } })),
        h('span.breakdown-value', { role: 'cell' }, f.bytes(v)), h('span.breakdown-share', { role: 'cell' }, f.percent(v / total)))),
      h('p.note', t('node.total', { n: f.bytes(total) })));
  }
  return { load, view, title: () => name };
}
