// What the server consists of: plugins, feature flags, settings in effect.

import { h } from '../dom.js';
import { t } from '../i18n.js';
import * as api from '../api.js';
import * as f from '../format.js';
import * as dialog from '../dialog.js';
import { badge, button, heading, problem, table, toast, toastError } from '../parts.js';
import { icon } from '../icons.js';

function simple(path, title, draw) {
  return (ctx) => {
    const state = { list: null, error: null, filter: '' };
    async function load(signal) {
      try {
        state.list = await api.get(path, { signal });
        state.error = null;
      } catch (err) {
        if (err.status === undefined || err.status === 0) throw err;
        state.error = err;
      }
    }
    return { load, title, view: () => [heading(title()), state.error && problem(state.error), state.list ? draw(ctx, state) : !state.error && h('div.loading', t('ui.loading'))] };
  };
}

export const plugins = simple('plugins', () => t('nav.plugins'), (ctx, state) => {
  const enable = async (p) => {
    try {
      await api.put('plugins/' + f.enc(p.name), {});
      toast(t('plugin.on', { name: p.name }));
    } catch (err) {
      toastError(err);
    }
    ctx.refresh();
  };
  const disable = (p) => dialog.confirm(t('plugin.disable'), p.name === 'rabbitmq_management' ? t('plugin.disable_page') : t('plugin.disable_text', { name: p.name }), t('plugin.disable'), async () => {
    await api.del('plugins/' + f.enc(p.name));
    toast(t('plugin.off', { name: p.name }));
    ctx.refresh();
  });
  return table([
    [t('plugin.name'), (p) => [h('strong', p.name), p.description && h('div.sub', p.description)]], [t('node.version'), (p) => p.version],
    [t('conn.state'), (p) => [p.running ? badge(t('queue.running'), 'ok') : p.enabled ? badge(t('plugin.enabled'), 'warn') : badge(t('plugin.disabled'))]],
    ['', (p) => (p.running && !p.enabled ? h('span.note', t('plugin.implicit')) : button(p.enabled ? t('plugin.disable') : t('plugin.enable'), () => (p.enabled ? disable(p) : enable(p)), { kind: 'quiet' })), { actions: true }],
  ], state.list, (p) => p.name);
});

export const flags = simple('feature-flags', () => t('nav.flags'), (ctx, state) => {
  const enable = async (x) => {
    try {
      await api.put(`feature-flags/${f.enc(x.name)}/enable`, {});
      toast(t('flag.on', { name: x.name }));
    } catch (err) {
      toastError(err);
    }
    ctx.refresh();
  };
  return [h('p.help', t('flag.text')), table([
    [t('flag.name'), (x) => [h('strong', x.name), x.desc && h('div.sub', x.desc)]], [t('flag.stability'), (x) => x.stability],
    [t('conn.state'), (x) => badge(x.state, x.state === 'enabled' ? 'ok' : '')],
    ['', (x) => x.state === 'disabled' && button(t('plugin.enable'), () => enable(x), { kind: 'quiet' }), { actions: true }],
  ], state.list, (x) => x.name)];
});

export const config = simple('config/effective', () => t('nav.config'), (ctx, state) => {
  const list = Array.isArray(state.list) ? state.list : Object.entries(state.list).map(([key, value]) => ({ key, value }));
  const shown = list.filter((x) => x.key.includes(state.filter) || f.value(x.value).includes(state.filter));
  return [h('p.help', t('config.text')),
    h('div.toolbar', h('label.search', icon('search'), h('span.hidden', t('list.filter')), h('input', { type: 'search', 'data-filter': true, placeholder: t('list.filter'), value: state.filter, oninput: (e) => { state.filter = e.target.value; ctx.update(); } }))),
    table([[t('config.key'), (x) => h('code', x.key)], [t('config.value'), (x) => h('code', f.value(x.value))], [t('config.origin'), (x) => x.origin || f.none]], shown, (x) => x.key)];
});
