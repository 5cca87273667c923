// A list that the server pages, sorts and filters: with 10,000 queues only the
// page that is looked at, and only the columns that are shown, travel.

import { h } from './dom.js';
import { t, tx } from './i18n.js';
import * as api from './api.js';
import * as f from './format.js';
import * as prefs from './prefs.js';
import * as dialog from './dialog.js';
import { button, iconButton, problem } from './parts.js';
import { icon } from './icons.js';

// list gives {load, view}. spec: {id, path(), columns, key(row), empty, fields}.
// A column: {id, label, view(row), sort, fields: [...], num, off, fixed}.
export function list(ctx, spec) {
  const state = { data: null, error: null, typing: null, loading: false };
  const q = () => ({ page: Number(ctx.query.page) || 1, size: Number(ctx.query.size) || prefs.get('size', 100), name: ctx.query.name || '', regex: ctx.query.regex === '1', sort: ctx.query.sort || '', reverse: ctx.query.reverse === '1' });
  const chosen = () => {
    const ids = prefs.get('columns.' + spec.id);
    return spec.columns.filter((c) => !c.hide?.() && (c.fixed || (ids ? ids.includes(c.id) : !c.off)));
  };

  function address() {
    const { page, size, name, regex, sort, reverse } = q();
    const fields = new Set([...spec.fields, ...chosen().flatMap((c) => c.fields || [])]);
    let url = `${spec.path()}?page=${page}&page_size=${size}&pagination=true&name=${f.enc(name)}&use_regex=${regex}&columns=${[...fields].join(',')}`;
    if (sort) url += `&sort=${sort}&sort_reverse=${reverse}`;
    return url;
  }

  async function load(signal) {
    try {
      const data = await api.get(address(), { signal });
      state.data = Array.isArray(data) ? { items: data, page: 1, page_count: 1, total_count: data.length, filtered_count: data.length, item_count: data.length } : data;
      state.error = null;
    } catch (err) {
      if (err.name === 'AbortError') throw err;
      if (err.status === 400 && /out of range/i.test(err.reason) && q().page > 1) {
        ctx.setQuery({ page: undefined });
        return;
      }
      if (err.status === 0) throw err;
      state.error = err;
    }
  }

  const setQuery = (change) => ctx.setQuery({ page: undefined, ...change });

  function sortBy(c) {
    const { sort, reverse } = q();
    // Numbers are first sorted largest first: that is what one looks for.
    if (sort !== c.sort) setQuery({ sort: c.sort, reverse: c.num ? '1' : undefined });
    else if (reverse === !!c.num) setQuery({ sort: c.sort, reverse: c.num ? undefined : '1' });
    else setQuery({ sort: undefined, reverse: undefined });
  }

  function header(c) {
    const { sort, reverse } = q();
    const active = c.sort && sort === c.sort;
    return h('th', { key: c.id, scope: 'col', class: c.num ? 'num' : '', 'aria-sort': active ? (reverse ? 'descending' : 'ascending') : null },
      c.sort ? h('button.sort', { type: 'button', onclick: () => sortBy(c), title: t('list.sort') }, tx(c.label), active && icon(reverse ? 'down' : 'up')) : tx(c.label));
  }

  function chooseColumns() {
    const on = new Set(chosen().map((c) => c.id));
    dialog.form({
      title: t('list.columns'), label: t('ui.apply'),
      fields: spec.columns.filter((c) => !c.fixed).map((c) => ({ name: c.id, label: tx(c.label), type: 'checkbox', value: on.has(c.id) })),
      submit: (values) => {
        prefs.set('columns.' + spec.id, Object.keys(values).filter((id) => values[id]));
        ctx.refresh();
      },
    });
  }

  function toolbar() {
    const { name, regex, sort, reverse, size } = q();
    return h('div.toolbar',
      h('label.search', icon('search'), h('span.hidden', t('list.filter')),
        h('input', {
          type: 'search', value: name, placeholder: regex ? t('list.filter_regex') : t('list.filter'), spellcheck: 'false', 'data-filter': true,
          oninput: (e) => {
            clearTimeout(state.typing);
            const v = e.target.value;
            state.typing = setTimeout(() => setQuery({ name: v }), 250);
          },
        })),
      h('label.check', { title: t('list.regex_help') }, h('input', { type: 'checkbox', checked: regex, onchange: (e) => setQuery({ regex: e.target.checked ? '1' : undefined }) }), h('span', t('list.regex'))),
      h('label.only-phone', h('span.hidden', t('list.sort')), h('select', { value: sort + (reverse ? ' r' : ''), onchange: (e) => { const [s, r] = e.target.value.split(' '); setQuery({ sort: s || undefined, reverse: r ? '1' : undefined }); } },
        h('option', { value: '' }, t('list.sort_default')),
        chosen().filter((c) => c.sort).flatMap((c) => [[c.sort, tx(c.label) + ' ↑'], [c.sort + ' r', tx(c.label) + ' ↓']]).map(([v, text]) => h('option', { key: v, value: v }, text)))),
      h('span.space'),
      h('span.shown', { 'aria-live': 'polite' }, shownText()),
      h('label.choice', h('span.hidden', t('list.size')), h('select', {
        value: String(size), title: t('list.size'),
        onchange: (e) => { prefs.set('size', Number(e.target.value)); setQuery({ size: e.target.value }); },
      }, [20, 50, 100, 250, 500].map((n) => h('option', { value: String(n), key: n }, t('list.per_page', { n }))))),
      iconButton('columns', t('list.columns'), chooseColumns));
  }

  function shownText() {
    const d = state.data;
    if (!d) return '';
    const from = d.item_count === 0 ? 0 : (d.page - 1) * d.page_size + 1 || 1;
    const to = d.item_count === 0 ? 0 : from + d.item_count - 1;
    if (d.filtered_count !== d.total_count) return t('list.shown_filtered', { from: f.count(from), to: f.count(to), n: f.count(d.filtered_count), total: f.count(d.total_count) });
    return d.item_count === 0 ? '' : t('list.shown', { from: f.count(from), to: f.count(to), n: f.count(d.filtered_count) });
  }

  function pager() {
    const d = state.data;
    if (!d || d.page_count <= 1) return null;
    const goTo = (page) => ctx.setQuery({ page: page === 1 ? undefined : page });
    return h('nav.pager', { 'aria-label': t('list.pages') },
      iconButton('left', t('list.previous'), () => goTo(d.page - 1), { disabled: d.page <= 1 }),
      h('span', t('list.page_before')), h('input', { type: 'number', min: 1, max: d.page_count, value: d.page, 'aria-label': t('list.page'), onchange: (e) => goTo(Math.min(d.page_count, Math.max(1, Number(e.target.value) || 1))) }),
      h('span', t('list.page_of', { n: f.count(d.page_count) })),
      iconButton('right', t('list.next'), () => goTo(d.page + 1), { disabled: d.page >= d.page_count }));
  }

  function rows() {
    const d = state.data;
    if (!d) return state.error ? null : h('div.loading', t('ui.loading'));
    if (d.items.length === 0) return h('div.empty', q().name ? [h('p', t('list.no_match', { name: q().name })), button(t('list.clear'), () => setQuery({ name: undefined, regex: undefined }))] : h('p', tx(spec.empty)));
    const columns = chosen();
    return h('div.scroll', h('table.list', { 'aria-label': spec.title },
      h('thead', h('tr', columns.map(header))),
      h('tbody', d.items.map((row) => h('tr', { key: spec.key(row), 'data-key': spec.key(row) }, columns.map((c) =>
        h('td', { key: c.id, 'data-col': c.id, class: c.num ? 'num' : '', 'data-label': tx(c.label) }, h('div.cell', c.view(row)))))))));
  }

  return {
    load,
    state,
    view: () => [toolbar(), state.error && problem(state.error), rows(), pager()],
  };
}
