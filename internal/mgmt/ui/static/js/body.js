// A message as people read it: body as text, JSON or hex, properties, deaths.

import { h } from './dom.js';
import { t } from './i18n.js';
import * as f from './format.js';
import { to } from './router.js';
import { badge, facts, link, segments, table } from './parts.js';

export function decode(m) {
  if (m.payload_encoding === 'base64') {
    const s = atob(m.payload || '');
    const out = new Uint8Array(s.length);
    for (let i = 0; i < s.length; i++) out[i] = s.charCodeAt(i);
    return out;
  }
  return new TextEncoder().encode(m.payload || '');
}

function text(m) {
  if (m.payload_encoding !== 'base64') return m.payload || '';
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(decode(m));
  } catch {
    return null;
  }
}

function json(m) {
  const s = text(m);
  if (s === null || !/^\s*[[{"]/.test(s)) return null;
  try {
    return JSON.stringify(JSON.parse(s), null, 2);
  } catch {
    return null;
  }
}

function hex(bytes, limit = 4096) {
  const lines = [];
  for (let i = 0; i < Math.min(bytes.length, limit); i += 16) {
    const row = [...bytes.subarray(i, Math.min(i + 16, limit))];
    const left = row.map((b) => b.toString(16).padStart(2, '0'));
    const dump = left.slice(0, 8).join(' ').padEnd(23) + '  ' + left.slice(8).join(' ').padEnd(23);
    lines.push(i.toString(16).padStart(8, '0') + '  ' + dump + '  ' + row.map((b) => (b >= 32 && b < 127 ? String.fromCharCode(b) : '.')).join(''));
  }
  if (bytes.length > limit) lines.push('…');
  return lines.join('\n');
}

// preview is one line for a table.
export function preview(m) {
  const s = text(m);
  if (s === null) return h('code.preview', hex(decode(m), 16).slice(10, 58));
  return h('code.preview', s.slice(0, 160).replace(/\s+/g, ' '));
}

// body shows the payload; state keeps the chosen form.
export function body(m, state, update) {
  const asJSON = json(m);
  const asText = text(m);
  const mode = state.mode || (asJSON !== null ? 'json' : asText !== null ? 'text' : 'hex');
  const shown = mode === 'json' && asJSON !== null ? asJSON : mode === 'hex' || asText === null ? hex(decode(m)) : asText;
  const cut = m.payload_bytes > decode(m).length;
  return h('div.body',
    h('div.body-head', segments(t('msg.view'), mode, [['text', t('msg.text')], ...(asJSON !== null ? [['json', 'JSON']] : []), ['hex', t('msg.hex')]], (v) => { state.mode = v; update(); }),
      h('span.note', f.bytes(m.payload_bytes)), cut && badge(t('msg.cut', { n: f.bytes(decode(m).length) }), 'warn')),
    h('pre.payload', { tabindex: '0', 'aria-label': t('msg.payload') }, shown));
}

// deathsOf is a list of objects, whatever a publisher has put into x-death.
export function deathsOf(m) {
  const list = m.deaths || m.properties?.headers?.['x-death'];
  return Array.isArray(list) ? list.filter((d) => d && typeof d === 'object' && !Array.isArray(d)) : [];
}

export function deaths(m, vhost) {
  const list = deathsOf(m);
  if (list.length === 0) return null;
  return h('div.deaths', h('h4', t('msg.deaths')), table([
    [t('msg.reason'), (d) => badge(d.reason, 'warn')],
    [t('nav.queue'), (d) => link(d.queue, to('queues', vhost, String(d.queue)))],
    [t('nav.exchange'), (d) => (d.exchange === '' ? h('em', t('exch.default')) : f.value(d.exchange))],
    [t('bind.key'), (d) => h('code', [].concat(d['routing-keys'] || d.routing_keys || []).join(', '))],
    [t('msg.count'), (d) => f.count(d.count), { num: true }],
    [t('msg.when'), (d) => when(d.time)],
  ], list));
}

// Times of deaths are seconds as in AMQP, or milliseconds.
function when(v) {
  if (typeof v === 'number') return f.date(v < 1e11 ? v * 1000 : v);
  return v ? f.date(v) : f.none;
}

export function properties(m) {
  const p = m.properties && !Array.isArray(m.properties) ? m.properties : {};
  const headers = p.headers || {};
  const list = Object.entries(p).filter(([name]) => name !== 'headers');
  return h('div.grid-2',
    h('div', h('h4', t('msg.properties')), list.length ? facts(list.map(([name, v]) => [name, name === 'timestamp' && typeof v === 'number' ? `${v} (${f.date(v * 1000)})` : h('code', f.value(v))])) : h('p.empty', t('ui.none'))),
    h('div', h('h4', t('msg.headers')), Object.keys(headers).length ? facts(Object.entries(headers).filter(([name]) => name !== 'x-death').map(([name, v]) => [name, h('code', f.value(v))])) : h('p.empty', t('ui.none'))));
}
