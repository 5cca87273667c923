// Virtual hosts.

import { h } from '../dom.js';
import { t } from '../i18n.js';
import * as api from '../api.js';
import * as f from '../format.js';
import { to, go } from '../router.js';
import * as dialog from '../dialog.js';
import { ages, rangeChoice } from '../chart.js';
import { lengthChart, rateChart } from '../stats.js';
import { badge, button, facts, heading, link, panel, problem, table, toast } from '../parts.js';
import { limitTable, permissionForm, permissionTables, saveLimits, topicForm } from './users.js';

const fields = (v = {}) => [
  { name: 'description', label: t('vhost.description'), value: v.description || '' },
  { name: 'tags', label: t('user.tags'), value: [].concat(v.tags || []).join(', '), help: t('vhost.tags_help') },
  { name: 'type', label: t('vhost.default_type'), type: 'select', value: ['classic', 'quorum', 'stream'].includes(v.default_queue_type) ? v.default_queue_type : '', options: [['', t('queue.default')], ['classic', 'classic'], ['quorum', 'quorum'], ['stream', 'stream']] },
];
const body = (v) => ({ description: v.description, tags: v.tags, ...(v.type ? { default_queue_type: v.type } : {}) });

export function vhosts(ctx) {
  const state = { list: null };
  const add = () => dialog.form({
    title: t('vhost.add'), label: t('vhost.add'), fields: [{ name: 'name', label: t('vhost.name'), required: true }, ...fields()],
    submit: async (v) => { await api.put('vhosts/' + f.enc(v.name), body(v)); toast(t('vhost.added', { name: v.name })); ctx.refresh(); },
  });
  return {
    title: () => t('nav.vhosts'),
    load: async (signal) => { state.list = await api.get('vhosts', { signal }); },
    view: () => [heading(t('nav.vhosts'), { actions: button(t('vhost.add'), add, { icon: 'plus', kind: 'primary' }) }),
      !state.list ? h('div.loading', t('ui.loading')) : table([
        [t('vhost.name'), (v) => [link(v.name, to('admin', 'vhosts', v.name)), v.description && h('div.sub', v.description)]],
        [t('user.tags'), (v) => [].concat(v.tags || []).map((x) => badge(x))],
        [t('vhost.state'), (v) => Object.values(v.cluster_state || {}).map((s) => badge(s, s === 'running' ? 'ok' : 'danger'))],
        [t('queue.ready'), (v) => f.count(v.messages_ready), { num: true }], [t('queue.unacked'), (v) => f.count(v.messages_unacknowledged), { num: true }],
        [t('rate.publish'), (v) => f.rate(v.message_stats?.publish_details?.rate), { num: true }], [t('rate.deliver_get'), (v) => f.rate(v.message_stats?.deliver_get_details?.rate), { num: true }],
      ], state.list, (v) => v.name)],
  };
}

export function vhostPage(ctx) {
  const { name } = ctx.params;
  const path = 'vhosts/' + f.enc(name);
  const state = { v: null, permissions: [], topics: [], limits: {}, users: [], error: null };
  async function load(signal) {
    try {
      const [v, permissions, topics, limits, users] = await Promise.all([api.get(`${path}?${ages('lengths', 'msg_rates')}`, { signal }), api.get(path + '/permissions', { signal }), api.get(path + '/topic-permissions', { signal }), api.get('vhost-limits/' + f.enc(name), { signal }), api.get('users?columns=name', { signal })]);
      Object.assign(state, { v, permissions, topics, limits: limits?.[0]?.value || {}, users: users.map((u) => u.name), error: null });
    } catch (err) {
      if (err.status === undefined || err.status === 0) throw err;
      state.error = err;
    }
  }
  const change = () => dialog.form({ title: t('ui.change'), fields: fields(state.v), submit: async (v) => { await api.put(path, body(v)); toast(t('vhost.changed', { name })); ctx.refresh(); } });
  const remove = async () => {
    const done = await dialog.form({
      title: t('vhost.delete'), intro: h('p', t('vhost.delete_text', { name, n: f.count(state.v.messages ?? 0) })), danger: true, label: t('ui.delete'),
      fields: [{ name: 'again', label: t('vhost.type_name', { name }), required: true }],
      submit: async (v) => { if (v.again !== name) throw new Error(t('vhost.other_name')); await api.del(path); toast(t('vhost.deleted', { name })); },
    });
    if (done) go('admin', 'vhosts');
  };
  const limits = () => dialog.form({
    title: t('limit.set'), label: t('ui.save'),
    fields: [['max-connections', t('limit.connections')], ['max-queues', t('limit.queues')]].map(([n, label]) => ({ name: n, label, type: 'number', min: -1, value: state.limits[n] ?? '', help: t('limit.help') })),
    submit: async (v) => { await saveLimits('vhost-limits/' + f.enc(name), state.limits, v); ctx.refresh(); },
  });
  return {
    load, title: () => name,
    view: () => {
      const crumbs = [[t('nav.vhosts'), '#/admin/vhosts']];
      const { v } = state;
      if (!v) return [heading(name, { crumbs }), state.error ? problem(state.error) : h('div.loading', t('ui.loading'))];
      return [
        heading(name, { crumbs, badges: [v.tracing && badge(t('vhost.tracing'), 'warn')], actions: [rangeChoice(ctx), button(t('ui.change'), change), button(t('ui.delete'), remove, { kind: 'danger' })] }),
        state.error && problem(state.error),
        h('div.charts', lengthChart(v), rateChart(v.message_stats)),
        panel(t('ui.details'), facts([[t('vhost.description'), v.description], [t('user.tags'), [].concat(v.tags || []).join(', ')], [t('vhost.default_type'), v.default_queue_type !== 'undefined' ? v.default_queue_type : null], [t('vhost.state'), Object.entries(v.cluster_state || {}).map(([n, s]) => `${n}: ${s}`).join(', ')]])),
        permissionTables(ctx, { permissions: state.permissions, topics: state.topics, by: 'vhost', onEdit: (p) => permissionForm(ctx, { vhost: name, now: p, users: state.users }), onEditTopic: (p) => topicForm(ctx, { vhost: name, now: p, users: state.users }) }),
        panel(t('nav.limits'), { extra: button(t('limit.set'), limits) }, limitTable(state.limits)),
      ];
    },
  };
}
