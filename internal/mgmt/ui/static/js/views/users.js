// Users, their permissions and limits.

import { h } from '../dom.js';
import { t } from '../i18n.js';
import * as api from '../api.js';
import * as f from '../format.js';
import { to, go } from '../router.js';
import * as dialog from '../dialog.js';
import { app } from '../app.js';
import { badge, button, heading, link, notice, panel, problem, table, toast } from '../parts.js';

export const tagsOf = (u) => [].concat(u.tags || []).flatMap((x) => String(x).split(',')).map((x) => x.trim()).filter(Boolean);
const known = ['administrator', 'monitoring', 'policymaker', 'management', 'impersonator'];

function tagHelp() {
  return h('dl.facts.small', [['administrator', t('tag.administrator')], ['monitoring', t('tag.monitoring')], ['policymaker', t('tag.policymaker')], ['management', t('tag.management')], ['impersonator', t('tag.impersonator')]].map(([tag, text]) => h('div', { key: tag }, h('dt', tag), h('dd', text))));
}

const tagFields = (tags) => [
  ...known.map((tag) => ({ name: 'tag ' + tag, label: tag, type: 'checkbox', value: tags.includes(tag) })),
  { name: 'other', label: t('user.other_tags'), value: tags.filter((x) => !known.includes(x)).join(', ') },
  { name: 'help', type: 'custom', label: '', view: tagHelp },
];
const readTags = (v) => [...known.filter((tag) => v['tag ' + tag]), ...v.other.split(',').map((x) => x.trim()).filter(Boolean)].join(',');

export function users(ctx) {
  const state = { users: null, permissions: [] };
  async function load(signal) {
    [state.users, state.permissions] = await Promise.all([api.get('users', { signal }), api.get('permissions?columns=user,vhost', { signal })]);
  }
  const add = () => dialog.form({
    title: t('user.add'), label: t('user.add'),
    fields: [{ name: 'name', label: t('user.name'), required: true }, { name: 'password', label: t('user.password'), type: 'password', autocomplete: 'new-password', help: t('user.password_help') }, ...tagFields([]),
      { name: 'grant', label: t('user.grant_all'), type: 'checkbox', value: true, help: t('user.grant_help') }],
    submit: async (v) => {
      await api.put('users/' + f.enc(v.name), { tags: readTags(v), password: v.password });
      if (v.grant) for (const vh of app.vhosts) await api.put(`permissions/${f.enc(vh)}/${f.enc(v.name)}`, { configure: '.*', write: '.*', read: '.*' });
      toast(t('user.added', { name: v.name }));
      ctx.refresh();
    },
  });
  return {
    load, title: () => t('nav.users'),
    view: () => [heading(t('nav.users'), { actions: button(t('user.add'), add, { icon: 'plus', kind: 'primary' }) }),
      !state.users ? h('div.loading', t('ui.loading')) : table([
        [t('user.name'), (u) => link(u.name, to('admin', 'users', u.name))],
        [t('user.tags'), (u) => tagsOf(u).map((x) => badge(x, x === 'administrator' ? 'accent' : ''))],
        [t('user.may_use'), (u) => { const v = state.permissions.filter((p) => p.user === u.name).map((p) => p.vhost); return v.length ? v.map((x) => badge(x)) : badge(t('user.no_access'), 'warn'); }],
        [t('user.password'), (u) => (u.password_hash ? t('ui.yes') : t('user.no_password'))],
      ], state.users, (u) => u.name)],
  };
}

// permissionForm asks for patterns; where: fixed user or virtual host.
export function permissionForm(ctx, { user, vhost, now, users: names }) {
  return dialog.form({
    title: t('perm.set'), label: t('perm.set'), intro: h('p', t('perm.text')),
    fields: [
      user ? { name: 'vhost', label: t('conn.vhost'), type: 'select', value: vhost || app.vhosts[0], options: app.vhosts.map((v) => [v, v]) } : { name: 'user', label: t('user.name'), type: 'select', value: now?.user || names[0], options: names.map((n) => [n, n]) },
      { name: 'configure', label: t('perm.configure'), value: now?.configure ?? '.*', help: t('perm.configure_help') }, { name: 'write', label: t('perm.write'), value: now?.write ?? '.*', help: t('perm.write_help') }, { name: 'read', label: t('perm.read'), value: now?.read ?? '.*', help: t('perm.read_help') },
    ],
    submit: async (v) => {
      await api.put(`permissions/${f.enc(v.vhost || vhost)}/${f.enc(v.user || user)}`, { configure: v.configure, write: v.write, read: v.read });
      toast(t('perm.done'));
      ctx.refresh();
    },
  });
}

export function topicForm(ctx, { user, vhost, now, users: names }) {
  return dialog.form({
    title: t('topic.set'), label: t('topic.set'), intro: h('p', t('topic.text')),
    fields: [
      user ? { name: 'vhost', label: t('conn.vhost'), type: 'select', value: vhost || app.vhosts[0], options: app.vhosts.map((v) => [v, v]) } : { name: 'user', label: t('user.name'), type: 'select', value: now?.user || names[0], options: names.map((n) => [n, n]) },
      { name: 'exchange', label: t('nav.exchange'), value: now?.exchange ?? 'amq.topic', required: true }, { name: 'write', label: t('perm.write'), value: now?.write ?? '.*' }, { name: 'read', label: t('perm.read'), value: now?.read ?? '.*' },
    ],
    submit: async (v) => {
      await api.put(`topic-permissions/${f.enc(v.vhost || vhost)}/${f.enc(v.user || user)}`, { exchange: v.exchange, write: v.write, read: v.read });
      toast(t('perm.done'));
      ctx.refresh();
    },
  });
}

const code = (text) => (text === '' ? h('em', t('perm.nothing')) : h('code', text));

export function permissionTables(ctx, { permissions, topics, by, onEdit, onEditTopic }) {
  const who = by === 'user' ? [t('conn.vhost'), (p) => link(p.vhost, to('admin', 'vhosts', p.vhost))] : [t('user.name'), (p) => link(p.user, to('admin', 'users', p.user))];
  const remove = (p) => dialog.confirm(t('perm.remove'), t('perm.remove_text', { user: p.user, vhost: p.vhost }), t('perm.remove'), async () => { await api.del(`permissions/${f.enc(p.vhost)}/${f.enc(p.user)}`); toast(t('perm.removed')); ctx.refresh(); });
  const removeTopic = (p) => dialog.confirm(t('perm.remove'), t('perm.remove_text', { user: p.user, vhost: p.vhost }), t('perm.remove'), async () => { await api.del(`topic-permissions/${f.enc(p.vhost)}/${f.enc(p.user)}/${f.enc(p.exchange || 'amq.default')}`); toast(t('perm.removed')); ctx.refresh(); });
  const buttons = (edit, del) => (p) => [button(t('ui.change'), () => edit(p), { kind: 'quiet' }), button(t('ui.remove'), () => del(p), { kind: 'quiet' })];
  return [
    panel(t('perm.title'), { extra: button(t('perm.set'), () => onEdit(), { icon: 'plus' }) },
      table([who, [t('perm.configure'), (p) => code(p.configure)], [t('perm.write'), (p) => code(p.write)], [t('perm.read'), (p) => code(p.read)], ['', buttons(onEdit, remove), { actions: true }]], permissions, (p) => p.vhost + p.user, t('perm.none'))),
    panel(t('topic.title'), { extra: button(t('topic.set'), () => onEditTopic(), { icon: 'plus' }) },
      table([who, [t('nav.exchange'), (p) => p.exchange || t('exch.default')], [t('perm.write'), (p) => code(p.write)], [t('perm.read'), (p) => code(p.read)], ['', buttons(onEditTopic, removeTopic), { actions: true }]], topics, (p) => p.vhost + p.user + p.exchange, t('topic.none'))),
  ];
}

export function user(ctx) {
  const { name } = ctx.params;
  const path = 'users/' + f.enc(name);
  const state = { u: null, permissions: [], topics: [], limits: {}, error: null };
  async function load(signal) {
    try {
      const [u, permissions, topics, limits] = await Promise.all([api.get(path, { signal }), api.get(path + '/permissions', { signal }), api.get(path + '/topic-permissions', { signal }), api.get('user-limits/' + f.enc(name), { signal })]);
      Object.assign(state, { u, permissions, topics, limits: limits?.[0]?.value || {}, error: null });
    } catch (err) {
      if (err.status === undefined || err.status === 0) throw err;
      state.error = err;
    }
  }
  const change = () => dialog.form({
    title: t('user.change', { name }), label: t('ui.save'),
    fields: [
      { name: 'what', label: t('user.password'), type: 'select', value: 'keep', options: [['keep', t('user.keep')], ['new', t('user.new_password')], ['none', t('user.without')]] },
      { name: 'password', label: t('user.new_password'), type: 'password', autocomplete: 'new-password', required: true, show: (v) => v.what === 'new' },
      ...tagFields(tagsOf(state.u)),
    ],
    submit: async (v) => {
      const b = { tags: readTags(v) };
      if (v.what === 'new') b.password = v.password;
      else if (v.what === 'none') b.password_hash = '';
      else Object.assign(b, { password_hash: state.u.password_hash, hashing_algorithm: state.u.hashing_algorithm });
      await api.put(path, b);
      toast(t('user.changed', { name }));
      ctx.refresh();
    },
  });
  const remove = async () => { if (await dialog.confirm(t('user.delete'), t('user.delete_text', { name }), t('ui.delete'), async () => { await api.del(path); toast(t('user.deleted', { name })); })) go('admin', 'users'); };
  const limits = () => dialog.form({
    title: t('limit.set'), label: t('ui.save'),
    fields: [['max-connections', t('limit.connections')], ['max-channels', t('limit.channels')]].map(([n, label]) => ({ name: n, label, type: 'number', min: -1, value: state.limits[n] ?? '', help: t('limit.help') })),
    submit: async (v) => { await saveLimits('user-limits/' + f.enc(name), state.limits, v); ctx.refresh(); },
  });
  return {
    load, title: () => name,
    view: () => {
      const crumbs = [[t('nav.users'), '#/admin/users']];
      if (!state.u) return [heading(name, { crumbs }), state.error ? problem(state.error) : h('div.loading', t('ui.loading'))];
      return [
        heading(name, { crumbs, badges: tagsOf(state.u).map((x) => badge(x)), actions: [button(t('ui.change'), change), button(t('ui.delete'), remove, { kind: 'danger' })] }),
        state.error && problem(state.error),
        state.permissions.length === 0 && notice('warn', t('user.no_access_text'), t('user.no_access_do')),
        permissionTables(ctx, { permissions: state.permissions, topics: state.topics, by: 'user', onEdit: (p) => permissionForm(ctx, { user: name, vhost: p?.vhost, now: p }), onEditTopic: (p) => topicForm(ctx, { user: name, vhost: p?.vhost, now: p }) }),
        panel(t('nav.limits'), { extra: button(t('limit.set'), limits) }, limitTable(state.limits)),
      ];
    },
  };
}

export function limitTable(limits) {
  return table([[t('limit.name'), ([n]) => n], [t('limit.value'), ([, v]) => (v < 0 ? t('ui.unlimited') : f.count(v)), { num: true }]], Object.entries(limits), ([n]) => n, t('limit.none'));
}

// saveLimits writes what changed; an emptied field takes the limit away.
export async function saveLimits(path, before, values) {
  for (const [n, v] of Object.entries(values)) {
    const text = String(v);
    if (text === String(before[n] ?? '')) continue;
    if (text === '') await api.del(`${path}/${n}`);
    else await api.put(`${path}/${n}`, { value: Number(text) });
  }
  toast(t('limit.done'));
}
