// Who did what.

import { h } from '../dom.js';
import { t } from '../i18n.js';
import * as api from '../api.js';
import * as f from '../format.js';
import { badge, button, heading, problem, table } from '../parts.js';
import { icon } from '../icons.js';

export function audit(ctx) {
  const state = { list: null, older: [], end: false, error: null, filter: '' };
  async function load(signal) {
    try {
      state.list = await api.get('audit?count=100', { signal });
      state.error = null;
    } catch (err) {
      if (err.status === undefined || err.status === 0) throw err;
      state.error = err;
    }
  }
  const rows = () => {
    const seen = new Set();
    return [...state.list, ...state.older].filter((e) => {
      const id = JSON.stringify(e);
      return !seen.has(id) && seen.add(id);
    });
  };
  async function more() {
    try {
      const last = rows().at(-1);
      const next = await api.get('audit?count=100&before=' + f.enc(last.id ?? last.time));
      state.older.push(...next);
      state.end = next.length === 0;
    } catch (err) {
      state.error = err;
    }
    ctx.update();
  }
  function view() {
    if (!state.list) return [heading(t('nav.audit')), state.error ? problem(state.error) : h('div.loading', t('ui.loading'))];
    const shown = rows().filter((e) => state.filter === '' || JSON.stringify(e).toLowerCase().includes(state.filter.toLowerCase()));
    return [heading(t('nav.audit')), h('p.help', t('audit.text')), state.error && problem(state.error),
      h('div.toolbar', h('label.search', icon('search'), h('span.hidden', t('list.filter')), h('input', { type: 'search', 'data-filter': true, placeholder: t('list.filter'), value: state.filter, oninput: (e) => { state.filter = e.target.value; ctx.update(); } }))),
      table([
        [t('audit.time'), (e) => f.date(e.time), { nowrap: true }], [t('conn.user'), (e) => e.user || f.none], [t('audit.source'), (e) => e.source || f.none], [t('audit.action'), (e) => h('code', e.action)],
        [t('conn.vhost'), (e) => e.vhost || f.none], [t('audit.object'), (e) => e.object || f.none], [t('audit.result'), (e) => badge(e.result || '', e.result === 'ok' ? 'ok' : 'warn')], [t('audit.detail'), (e) => f.value(e.detail)],
      ], shown, (e) => e.id ?? JSON.stringify(e), t('audit.none')),
      state.list.length >= 100 && !state.end && button(t('audit.more'), more)];
  }
  return { load, view, title: () => t('nav.audit') };
}
