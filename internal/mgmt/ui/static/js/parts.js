// Small pieces that every view uses.

import { Described, h, render } from './dom.js';
import { t } from './i18n.js';
import { icon } from './icons.js';
import { explain } from './errors.js';
import * as f from './format.js';

export function button(label, onclick, props = {}) {
  const { icon: name, kind, ...rest } = props;
  return h('button', { type: 'button', class: 'button' + (kind ? ' ' + kind : ''), onclick, ...rest }, name && icon(name), h('span', label));
}

export function iconButton(name, label, onclick, props = {}) {
  return h('button.icon-button', { type: 'button', 'aria-label': label, title: label, onclick, ...props }, icon(name));
}

export const link = (label, href, props = {}) => h('a', { href, ...props }, label);

export function badge(text, kind, title) {
  return h('span.badge', { class: kind || '', title }, text);
}

export function panel(title, props, ...body) {
  if (props === null || props instanceof Described || Array.isArray(props)) {
    body.unshift(props);
    props = {};
  }
  return h('section.panel', { class: props.class || '', 'aria-label': title, key: props.key },
    h('div.panel-head', h('h2', title), props.extra && h('div.panel-extra', props.extra)),
    h('div.panel-body', body));
}

// facts is a list of [label, value]; empty values are left out.
export function facts(list) {
  return h('dl.facts', list.filter((x) => x && x[1] !== undefined && x[1] !== null && x[1] !== '').map(([label, value]) =>
    h('div', { key: label }, h('dt', label), h('dd', value))));
}

// table is for lists that come whole: columns are [label, row → cell, {num}].
export function table(columns, rows, key, empty) {
  if (!rows || rows.length === 0) return h('p.empty', empty || t('list.empty'));
  return h('div.scroll', h('table.list',
    h('thead', h('tr', columns.map(([label, , o]) => h('th', { scope: 'col', class: o?.num ? 'num' : '' }, label || h('span.hidden', t('list.actions')))))),
    h('tbody', rows.map((row, i) => h('tr', { key: key ? key(row) : i }, columns.map(([label, cell, o]) =>
      h('td', { class: (o?.num ? 'num' : '') + (o?.actions ? ' actions' : '') + (o?.nowrap ? ' nowrap' : ''), 'data-label': label }, h('div.cell', cell(row)))))))));
}

export function args(o, hide = []) {
  const names = o && !Array.isArray(o) ? Object.keys(o).filter((n) => !hide.includes(n)) : [];
  if (names.length === 0) return null;
  return h('span.args', names.map((n) => h('span.arg', { key: n }, h('span.arg-name', n), h('span.arg-value', f.value(o[n])))));
}

// notice states a fact in words; todo is what to do about it.
export function notice(kind, what, todo, detail) {
  return h('div.notice', { class: kind, role: kind === 'danger' ? 'alert' : 'note' },
    icon(kind === 'ok' ? 'check' : kind === 'info' ? 'info' : 'warning'),
    h('div', h('strong', what), todo && h('p', todo), detail && h('code.detail', detail)));
}

export function problem(err) {
  const e = explain(err);
  return notice('danger', e.what, e.todo, e.detail);
}

export function meter(part, whole, label) {
  const share = whole > 0 ? Math.min(1, part / whole) : 0;
  return h('div.meter', { role: 'img', 'aria-label': label }, h('div.meter-fill', { class: share > 0.9 ? 'danger' : share > 0.75 ? 'warn' : '', style: { width: (share * 100).toFixed(1) + '%' } }));
}

export function tabs(list, current) {
  return h('nav.tabs', { 'aria-label': t('nav.tabs') }, list.filter(Boolean).map(([id, label, href, extra]) =>
    h('a', { key: id, href, 'aria-current': id === current ? 'page' : null }, label, extra !== undefined && extra !== null && h('span.count', extra))));
}

export function choice(label, value, options, onchange) {
  return h('label.choice', h('span.hidden', label), h('select', { value, title: label, onchange: (e) => onchange(e.target.value) },
    options.map(([v, text]) => h('option', { key: String(v), value: v, selected: String(v) === String(value) }, text))));
}

// segments is a choice of few, all visible.
export function segments(label, value, options, onchange) {
  return h('div.segments', { role: 'group', 'aria-label': label }, options.map(([v, text]) =>
    h('button', { key: v, type: 'button', 'aria-pressed': v === value ? 'true' : 'false', onclick: () => onchange(v) }, text)));
}

export function heading(title, props = {}) {
  return h('header.heading',
    props.crumbs && h('nav.crumbs', { 'aria-label': t('nav.crumbs') }, props.crumbs.map(([text, href]) => [h('a', { href }, text), h('span', { 'aria-hidden': 'true' }, '/')])),
    h('div.heading-line', h('h1', { tabindex: '-1' }, title), props.badges, h('div.heading-actions', props.actions)));
}

// toast says for a few seconds what was done.
export function toast(text, kind = 'ok') {
  const box = document.createElement('div');
  box.className = 'toast ' + kind;
  render(box, icon(kind === 'ok' ? 'check' : 'warning'), h('span', text));
  document.getElementById('toasts').append(box);
  setTimeout(() => box.remove(), kind === 'ok' ? 4000 : 8000);
}

export function toastError(err) {
  const e = explain(err);
  toast([e.what, e.todo, e.detail].filter(Boolean).join(' '), 'danger');
}
