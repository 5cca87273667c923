// All limits of virtual hosts and users in one place.

import { h } from '../dom.js';
import { t } from '../i18n.js';
import * as api from '../api.js';
import * as f from '../format.js';
import { to } from '../router.js';
import * as dialog from '../dialog.js';
import { app } from '../app.js';
import { button, heading, link, panel, table, toast } from '../parts.js';

const names = { vhost: ['max-connections', 'max-queues'], user: ['max-connections', 'max-channels'] };

export function limits(ctx) {
  const state = { vhosts: null, users: null };
  async function load(signal) {
    [state.vhosts, state.users] = await Promise.all([api.get('vhost-limits', { signal }), api.get('user-limits', { signal })]);
  }
  const rows = (list, kind) => list.flatMap((x) => Object.entries(x.value || {}).map(([name, value]) => ({ who: x[kind], name, value, kind })));
  const path = (r) => `${r.kind}-limits/${f.enc(r.who)}/${r.name}`;

  function set(kind, r, who) {
    return dialog.form({
      title: t('limit.set'), label: t('ui.save'),
      fields: [
        ...(r ? [] : [{ name: 'who', label: kind === 'vhost' ? t('conn.vhost') : t('user.name'), type: 'select', value: who[0], options: who.map((x) => [x, x]) }, { name: 'name', label: t('limit.name'), type: 'select', value: names[kind][0], options: names[kind].map((x) => [x, x]) }]),
        { name: 'value', label: t('limit.value'), type: 'number', min: -1, required: true, value: r?.value ?? '', help: t('limit.value_help') },
      ],
      submit: async (v) => { await api.put(path(r || { kind, who: v.who, name: v.name }), { value: Number(v.value) }); toast(t('limit.done')); ctx.refresh(); },
    });
  }
  const remove = (r) => dialog.confirm(t('limit.remove'), t('limit.remove_text', { name: r.name, who: r.who }), t('ui.remove'), async () => { await api.del(path(r)); toast(t('limit.removed')); ctx.refresh(); });
  const draw = (list, kind) => table([
    [kind === 'vhost' ? t('conn.vhost') : t('user.name'), (r) => link(r.who, to('admin', kind === 'vhost' ? 'vhosts' : 'users', r.who))], [t('limit.name'), (r) => r.name], [t('limit.value'), (r) => (r.value < 0 ? t('ui.unlimited') : f.count(r.value)), { num: true }],
    ['', (r) => [button(t('ui.change'), () => set(kind, r), { kind: 'quiet' }), button(t('ui.remove'), () => remove(r), { kind: 'quiet' })], { actions: true }],
  ], rows(list, kind), (r) => r.who + '\u0000' + r.name, t('limit.none'));

  return {
    load, title: () => t('nav.limits'),
    view: () => [heading(t('nav.limits')), h('p.help', t('limit.text')),
      !state.vhosts ? h('div.loading', t('ui.loading')) : [
        panel(t('nav.vhosts'), { extra: button(t('limit.set'), () => set('vhost', null, app.vhosts), { icon: 'plus' }) }, draw(state.vhosts, 'vhost')),
        panel(t('nav.users'), { extra: button(t('limit.set'), async () => set('user', null, (await api.get('users?columns=name')).map((u) => u.name)), { icon: 'plus' }) }, draw(state.users, 'user')),
      ]],
  };
}
