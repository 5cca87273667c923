// Runtime parameters: what shovels, federation and others are set with.

import { h } from '../dom.js';
import { t } from '../i18n.js';
import * as api from '../api.js';
import * as f from '../format.js';
import * as dialog from '../dialog.js';
import { button, heading, panel, table, toast } from '../parts.js';
import { vhostField } from './exchanges.js';

export function parameters(ctx) {
  const state = { list: null, global: [], shovels: null, links: null };
  async function load(signal) {
    const asked = [api.get('parameters', { signal }), ctx.may('administrator') ? api.get('global-parameters', { signal }) : []];
    asked.push(ctx.app.features.shovels ? api.get('shovels', { signal }) : null, ctx.app.features.federation ? api.get('federation-links', { signal }) : null);
    [state.list, state.global, state.shovels, state.links] = await Promise.all(asked);
  }
  const parse = (text) => {
    try {
      return JSON.parse(text);
    } catch {
      throw new Error(t('param.not_json'));
    }
  };
  const edit = (p, global) => dialog.form({
    title: p ? t('param.change', { name: p.name }) : global ? t('param.add_global') : t('param.add'), label: t('ui.save'), wide: true,
    fields: [
      ...(p ? [] : [...(global ? [] : [vhostField(), { name: 'component', label: t('param.component'), required: true, list: ['shovel', 'federation-upstream', 'federation-upstream-set'] }]), { name: 'name', label: t('param.name'), required: true }]),
      { name: 'value', label: t('param.value'), type: 'textarea', rows: 10, required: true, value: p ? JSON.stringify(p.value, null, 2) : '', help: t('param.value_help') },
    ],
    submit: async (v) => {
      const value = parse(v.value);
      const name = p?.name || v.name;
      if (global) await api.put('global-parameters/' + f.enc(name), { name, value });
      else await api.put(`parameters/${f.enc(p?.component || v.component)}/${f.enc(p?.vhost || v.vhost)}/${f.enc(name)}`, { value, vhost: p?.vhost || v.vhost, component: p?.component || v.component, name });
      toast(t('param.saved', { name }));
      ctx.refresh();
    },
  });
  const remove = (p, global) => dialog.confirm(t('param.delete'), t('param.delete_text', { name: p.name }), t('ui.delete'), async () => {
    await api.del(global ? 'global-parameters/' + f.enc(p.name) : `parameters/${f.enc(p.component)}/${f.enc(p.vhost)}/${f.enc(p.name)}`);
    toast(t('param.deleted', { name: p.name }));
    ctx.refresh();
  });
  const buttons = (global) => (p) => [button(t('ui.change'), () => edit(p, global), { kind: 'quiet' }), button(t('ui.delete'), () => remove(p, global), { kind: 'quiet' })];
  const value = (p) => h('code.json', JSON.stringify(p.value));
  return {
    load, title: () => t('nav.parameters'),
    view: () => [heading(t('nav.parameters')), h('p.help', t('param.text')),
      !state.list ? h('div.loading', t('ui.loading')) : [
        panel(t('param.of_vhosts'), { extra: button(t('param.add'), () => edit(null, false), { icon: 'plus' }) }, table([
          [t('param.component'), (p) => p.component], [t('param.name'), (p) => p.name], [t('conn.vhost'), (p) => p.vhost], [t('param.value'), value], ['', buttons(false), { actions: true }],
        ], state.list, (p) => p.component + '\u0000' + p.vhost + '\u0000' + p.name, t('param.none'))),
        ctx.may('administrator') && panel(t('param.global'), { extra: button(t('param.add_global'), () => edit(null, true), { icon: 'plus' }) }, table([
          [t('param.name'), (p) => p.name], [t('param.value'), value], ['', buttons(true), { actions: true }],
        ], state.global, (p) => p.name, t('param.none'))),
        state.shovels && panel(t('param.shovels'), table([[t('param.name'), (s) => s.name], [t('conn.vhost'), (s) => s.vhost], [t('conn.state'), (s) => s.state], [t('bind.from'), (s) => s.src_queue || s.src_exchange || s.src_uri], [t('bind.to'), (s) => s.dest_queue || s.dest_exchange || s.dest_uri]], state.shovels)),
        state.links && panel(t('param.links'), table([[t('param.upstream'), (s) => s.upstream], [t('conn.vhost'), (s) => s.vhost], [t('conn.state'), (s) => s.status], [t('param.what'), (s) => s.exchange || s.queue], [t('param.error'), (s) => f.value(s.error)]], state.links)),
      ]],
  };
}
