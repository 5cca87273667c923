// The messages of a queue. Browsing disturbs nothing; getting is what a
// consumer does. Where the server cannot browse, only getting is offered.

import { h } from '../dom.js';
import { t } from '../i18n.js';
import * as api from '../api.js';
import * as f from '../format.js';
import * as dialog from '../dialog.js';
import { body, deaths, deathsOf, preview, properties } from '../body.js';
import { bodyFields, properties as readProperties, propertyFields } from '../publish.js';
import { badge, button, iconButton, notice, panel, problem, segments, toast } from '../parts.js';
import { icon } from '../icons.js';

const size = 50;
const filters = ['q', 'header', 'property', 'reason', 'from', 'to'];

export function messages(ctx, { vhost, name, path, queue }) {
  const state = { can: ctx.app.features.messages ? null : false, back: [], asked: '', data: null, error: null, busy: false, open: null, full: null, chosen: new Set(), view: {}, draft: null, got: null };
  const query = () => ({ offset: Number(ctx.query.offset) || 0, state: ctx.query.state || 'all', ...Object.fromEntries(filters.map((n) => [n, ctx.query[n] || ''])) });
  const mode = () => (state.can === false || ctx.query.mode === 'get' ? 'get' : 'browse');
  const filtered = () => filters.some((n) => query()[n] !== '');

  function address(offset, count, truncate) {
    const q = query();
    const p = new URLSearchParams({ offset, count, state: q.state, truncate });
    for (const n of filters) if (q[n]) p.set(n, n === 'from' || n === 'to' ? new Date(q[n]).getTime() : q[n]);
    return `${path}/messages?${p}`;
  }

  // load asks only when something else is looked for: a search may read a
  // million messages, so the clock does not repeat it.
  async function load(signal) {
    if (state.can === false || mode() === 'get' && state.can !== null) return;
    const url = address(query().offset, size, 300);
    if (url === state.asked) return;
    state.busy = true;
    ctx.update();
    try {
      const data = await api.get(url, { signal });
      Object.assign(state, { can: true, data, asked: url, error: null });
      for (const seq of [...state.chosen]) if (!data.items.some((m) => m.seq === seq)) state.chosen.delete(seq);
    } catch (err) {
      if (err.name === 'AbortError' || err.status === 0) throw err;
      if ((err.status === 404 || err.status === 405) && state.can === null) state.can = false;
      else Object.assign(state, { error: err, asked: url, can: true });
    } finally {
      state.busy = false;
    }
  }

  const again = () => {
    state.asked = '';
    ctx.refresh();
  };

  async function toggle(m) {
    if (state.open === m.seq) {
      state.open = null;
      return ctx.update();
    }
    state.open = m.seq;
    state.full = m;
    state.view = {};
    ctx.update();
    try {
      const full = await api.get(`${path}/messages/${m.seq}?truncate=1000000`);
      if (state.open === m.seq) state.full = full;
    } catch (err) {
      state.error = err;
    }
    ctx.update();
  }

  // ---- actions ----

  // taken says whether messages can be taken out: what is in a stream stays.
  const taken = () => queue()?.type !== 'stream';

  function act(body) {
    return api.post(`${path}/messages/actions`, body);
  }

  function filterBody() {
    const q = query();
    const out = {};
    for (const n of ['q', 'reason']) if (q[n]) out[n] = q[n];
    for (const n of ['from', 'to']) if (q[n]) out[n] = new Date(q[n]).getTime();
    for (const n of ['header', 'property']) {
      const [key, ...value] = q[n].split('=');
      if (key) out[n] = { [key]: value.join('=') };
    }
    return out;
  }

  async function action(kind, seqs) {
    const words = {
      move: [t('msg.move'), t('msg.move_text')], copy: [t('msg.copy'), t('msg.copy_text')],
      delete: [t('msg.delete'), t('msg.delete_text')], return: [t('msg.return'), t('msg.return_text')],
    }[kind];
    const what = seqs ? t('msg.chosen', { n: seqs.length }) : filtered() ? t('msg.all_matching') : t('msg.all_ready');
    const where = kind === 'move' || kind === 'copy';
    let names = [];
    if (where) {
      try {
        names = (await api.get(`queues/${f.enc(vhost)}?page=1&page_size=200&columns=name`)).items.map((x) => x.name).filter((n) => n !== name);
      } catch { /* the name can be typed */ }
    }
    await dialog.form({
      title: words[0], intro: [h('p', words[1]), h('p', h('strong', what))], label: words[0], danger: kind === 'delete',
      fields: [
        ...(where ? [
          { name: 'to', label: t('msg.destination'), type: 'select', value: 'queue', options: [['queue', t('nav.queue')], ['exchange', t('nav.exchange')]] },
          { name: 'queue', label: t('nav.queue'), list: names, show: (v) => v.to === 'queue', required: true },
          { name: 'exchange', label: t('nav.exchange'), show: (v) => v.to === 'exchange' },
          { name: 'routing_key', label: t('bind.key'), show: (v) => v.to === 'exchange', help: t('msg.key_kept') },
        ] : []),
        ...(seqs ? [] : [{ name: 'limit', label: t('msg.limit'), type: 'number', min: 1, help: t('msg.limit_help') }]),
        ...(kind === 'delete' ? [] : [{ name: 'rate', label: t('msg.rate'), type: 'number', min: 1, help: t('msg.rate_help') }]),
      ],
      submit: async (v) => {
        const request = { action: kind };
        if (seqs) request.seqs = seqs;
        else request.filter = filterBody();
        if (where) {
          request.destination = v.to === 'queue' ? { queue: v.queue } : { exchange: v.exchange };
          if (v.to === 'exchange' && v.routing_key) request.destination.routing_key = v.routing_key;
        }
        if (v.rate) request.rate = Number(v.rate);
        if (v.limit) request.limit = Number(v.limit);
        const r = await act(request);
        toast(t('msg.done', { done: f.count(r.done), matched: f.count(r.matched) }) + (r.failed ? ' ' + t('msg.failed', { n: f.count(r.failed) }) : ''), r.failed ? 'danger' : 'ok');
        state.chosen.clear();
        again();
      },
    });
  }

  function edit(m) {
    const p = propertyFields(m.properties && !Array.isArray(m.properties) ? m.properties : {});
    return dialog.form({
      title: t('msg.edit'), intro: h('p', t('msg.edit_text')), label: t('msg.republish'), wide: true,
      fields: [
        { name: 'exchange', label: t('nav.exchange'), value: '', help: t('msg.edit_exchange') },
        { name: 'routing_key', label: t('bind.key'), value: name },
        ...bodyFields(m.payload, m.payload_encoding), ...p.fields,
      ],
      submit: async (v) => {
        await api.post(`${path}/messages/${m.seq}/edit`, { properties: readProperties(v, p.headers), payload: v.payload, payload_encoding: v.payload_encoding, destination: { exchange: v.exchange, routing_key: v.routing_key } });
        toast(t('msg.republished'));
        state.open = null;
        again();
      },
    });
  }

  // ---- browsing ----

  function search() {
    const q = query();
    const d = (state.draft = state.draft || { ...q });
    const apply = (e) => {
      e?.preventDefault();
      const change = { offset: undefined, state: d.state === 'all' ? undefined : d.state };
      for (const n of filters) change[n] = d[n] || undefined;
      state.asked = '';
      ctx.setQuery(change);
    };
    const input = (n, label, o = {}) => h('div.field', { key: n }, h('label', { for: 'm' + n }, label), h('input', { id: 'm' + n, name: n, type: o.type || 'text', placeholder: o.placeholder, step: o.step, value: d[n], autocomplete: 'off', spellcheck: 'false', oninput: (e) => { d[n] = e.target.value; } }));
    const advanced = filters.slice(1).some((n) => d[n]);
    return h('form.message-search', { onsubmit: apply, role: 'search' },
      h('div.toolbar',
        h('label.search', icon('search'), h('span.hidden', t('msg.search')), h('input', { type: 'search', name: 'q', 'data-filter': true, placeholder: t('msg.search'), value: d.q, spellcheck: 'false', oninput: (e) => { d.q = e.target.value; } })),
        h('select', { value: d.state, 'aria-label': t('msg.state'), onchange: (e) => { d.state = e.target.value; apply(); } }, [['all', t('msg.state_all')], ['ready', t('queue.ready')], ['unacked', t('queue.unacked')]].map(([v, text]) => h('option', { key: v, value: v }, text))),
        h('button.button', { type: 'submit' }, h('span', t('msg.find'))),
        filtered() && button(t('list.clear'), () => { state.draft = null; state.asked = ''; ctx.setQuery(Object.fromEntries([...filters, 'offset', 'state'].map((n) => [n, undefined]))); }, { kind: 'quiet' }),
        h('span.space'),
        state.busy && h('span.note', { role: 'status' }, t('ui.loading')),
        iconButton('refresh', t('nav.refresh'), again)),
      h('details.argument-group', { open: advanced }, h('summary', h('span', t('msg.more_search'))),
        h('div.grid-3', input('header', t('msg.by_header'), { placeholder: 'tenant=acme' }), input('property', t('msg.by_property'), { placeholder: 'content_type=application/json' }),
          h('div.field', { key: 'reason' }, h('label', { for: 'mreason' }, t('msg.by_reason')), h('select', { id: 'mreason', value: d.reason, onchange: (e) => { d.reason = e.target.value; } }, ['', 'rejected', 'expired', 'maxlen', 'delivery_limit'].map((v) => h('option', { key: v, value: v }, v || t('msg.any_reason'))))),
          input('from', t('msg.from'), { type: 'datetime-local', step: '1' }), input('to', t('msg.to'), { type: 'datetime-local', step: '1' }))));
  }

  function browse() {
    const d = state.data;
    return [
      search(),
      state.error && problem(state.error),
      d && actions(d),
      d && (d.items.length === 0 ? h('div.empty', h('p', filtered() ? t('msg.none_match', { n: f.count(d.scanned) }) : t('msg.none'))) : messageTable(d)),
      d && pager(d),
    ];
  }

  function actions(d) {
    const seqs = [...state.chosen];
    const scope = seqs.length ? seqs : null;
    const dead = d.items.some((m) => (!scope || state.chosen.has(m.seq)) && deathsOf(m).length > 0);
    return h('div.actions-line',
      h('span.note', scope ? t('msg.chosen', { n: seqs.length }) : filtered() ? t('msg.matching', { n: f.count(d.items.length), scanned: f.count(d.scanned) }) : t('msg.in_queue', { n: f.count(d.total) })),
      h('span.space'),
      taken() && button(scope ? t('msg.move') : t('msg.move_all'), () => action('move', scope), { disabled: !d.items.length }),
      button(scope ? t('msg.copy') : t('msg.copy_all'), () => action('copy', scope), { disabled: !d.items.length }),
      dead && taken() && button(scope ? t('msg.return') : t('msg.return_all'), () => action('return', scope)),
      taken() && button(scope ? t('msg.delete') : t('msg.delete_all'), () => action('delete', scope), { kind: 'danger', disabled: !d.items.length }));
  }

  function messageTable(d) {
    const all = d.items.every((m) => state.chosen.has(m.seq));
    const choose = (list, on) => {
      for (const m of list) on ? state.chosen.add(m.seq) : state.chosen.delete(m.seq);
      ctx.update();
    };
    return h('div.scroll', h('table.list.messages', { 'aria-label': t('nav.messages') },
      h('thead', h('tr',
        h('th.pick', h('input', { type: 'checkbox', 'aria-label': t('msg.choose_all'), checked: all, onchange: (e) => choose(d.items, e.target.checked) })),
        h('th.num', { scope: 'col' }, '#'), h('th', { scope: 'col' }, t('msg.state')), h('th', { scope: 'col' }, t('bind.key')), h('th', { scope: 'col' }, t('msg.enqueued')), h('th.num', { scope: 'col' }, t('msg.size')), h('th', { scope: 'col' }, t('msg.payload')))),
      h('tbody', d.items.flatMap((m) => [
        h('tr', { key: m.seq, 'data-seq': m.seq, class: state.open === m.seq ? 'open' : '' },
          h('td.pick', h('input', { type: 'checkbox', 'aria-label': t('msg.choose', { n: m.position }), checked: state.chosen.has(m.seq), onchange: (e) => choose([m], e.target.checked) })),
          h('td.num', { 'data-label': '#' }, h('button.link', { type: 'button', 'aria-expanded': state.open === m.seq ? 'true' : 'false', onclick: () => toggle(m) }, f.count(m.position))),
          h('td.nowrap', { 'data-label': t('msg.state') }, h('div.cell', marks(m))),
          h('td', { 'data-label': t('bind.key') }, h('code', m.routing_key)),
          h('td.nowrap', { 'data-label': t('msg.enqueued') }, m.enqueued_at ? f.date(m.enqueued_at) : f.none),
          h('td.num', { 'data-label': t('msg.size') }, f.bytes(m.payload_bytes)),
          h('td.wide', { 'data-label': t('msg.payload'), onclick: () => toggle(m) }, preview(m))),
        state.open === m.seq && h('tr.detail', { key: 'd' + m.seq }, h('td', { colspan: 7 }, detail(state.full))),
      ]))));
  }

  function marks(m) {
    return [
      m.state === 'unacked' && badge(t('queue.unacked'), 'warn', t('msg.unacked_help')), m.redelivered && badge(t('msg.redelivered'), ''),
      m.delivery_count > 0 && badge('×' + m.delivery_count, '', t('msg.deliveries')), m.persistent && badge('D', '', t('msg.persistent')),
      m.priority > 0 && badge('P' + m.priority, '', t('arg.max_priority')), deathsOf(m).length > 0 && badge('† ' + (deathsOf(m)[0].reason || ''), 'warn', t('msg.deaths')),
    ];
  }

  function detail(m) {
    return h('div.message',
      h('div.message-head', h('span', t('nav.exchange'), ': ', m.exchange === '' ? h('em', t('exch.default')) : m.exchange), h('span', t('bind.key'), ': ', h('code', m.routing_key)),
        m.expires_at && h('span', t('msg.expires'), ': ', f.date(m.expires_at)), h('span.space'),
        m.seq !== undefined && m.state !== 'unacked' && taken() && [
          button(t('msg.edit'), () => edit(m)), button(t('msg.move'), () => action('move', [m.seq])),
          deathsOf(m).length > 0 && button(t('msg.return'), () => action('return', [m.seq])), button(t('msg.delete'), () => action('delete', [m.seq]), { kind: 'danger' })]),
      body(m, state.view, ctx.update), properties(m), deaths(m, vhost));
  }

  function pager(d) {
    const { offset } = query();
    if (offset === 0 && !d.more) return null;
    const goTo = (n) => ctx.setQuery({ offset: n > 0 ? n : undefined });
    // A search may have looked at many messages to find few: the next page begins where it ended.
    const next = () => {
      state.back.push(offset);
      goTo(d.next ?? offset + d.scanned);
    };
    const previous = () => goTo(state.back.pop() ?? Math.max(0, offset - size));
    return h('nav.pager', { 'aria-label': t('list.pages') },
      iconButton('left', t('list.previous'), previous, { disabled: offset <= 0 }),
      h('label', t('msg.from_position'), ' ', h('input', { type: 'number', min: 0, value: offset, onchange: (e) => goTo(Number(e.target.value) || 0) })),
      h('span', t('msg.of', { n: f.count(d.total) })),
      iconButton('right', t('list.next'), next, { disabled: !d.more }));
  }

  // ---- getting ----

  const get = { count: 1, ackmode: 'ack_requeue_true', encoding: 'auto' };

  function getForm() {
    const stream = queue()?.type === 'stream';
    const send = async (e) => {
      e.preventDefault();
      try {
        state.got = await api.post(path + '/get', { count: Number(get.count), ackmode: get.ackmode, encoding: get.encoding, truncate: 1000000 });
        state.error = null;
      } catch (err) {
        state.error = err;
      }
      state.asked = '';
      ctx.refresh();
    };
    if (stream) return notice('info', t('stream.no_get'));
    const modes = [['ack_requeue_true', t('get.requeue')], ['ack_requeue_false', t('get.ack')], ['reject_requeue_true', t('get.reject_requeue')], ['reject_requeue_false', t('get.reject')]];
    return [
      panel(t('get.title'), h('p.help', t('get.text')),
        h('form.inline-form', { onsubmit: send },
          h('div.field', h('label', { for: 'ackmode' }, t('get.mode')), h('select', { id: 'ackmode', value: get.ackmode, onchange: (e) => { get.ackmode = e.target.value; ctx.update(); } }, modes.map(([v, text]) => h('option', { key: v, value: v }, text)))),
          h('div.field', h('label', { for: 'count' }, t('get.count')), h('input', { id: 'count', type: 'number', min: 1, max: 1000, value: get.count, oninput: (e) => { get.count = e.target.value; } })),
          h('div.field', h('label', { for: 'encoding' }, t('msg.encoding')), h('select', { id: 'encoding', value: get.encoding, onchange: (e) => { get.encoding = e.target.value; } }, h('option', { value: 'auto' }, t('get.auto')), h('option', { value: 'base64' }, 'base64'))),
          h('button.button', { type: 'submit', class: get.ackmode.endsWith('true') ? 'primary' : 'danger' }, h('span', t('get.do')))),
        !get.ackmode.endsWith('true') && notice('warn', get.ackmode === 'ack_requeue_false' ? t('get.removes') : t('get.rejects'))),
      state.error && problem(state.error),
      state.got && (state.got.length === 0 ? h('div.empty', h('p', t('msg.none'))) : state.got.map((m, i) => h('section.panel', { key: i, 'data-got': true },
        h('div.panel-head', h('h2', t('get.message', { n: i + 1 })), h('div.panel-extra', m.redelivered && badge(t('msg.redelivered'), ''), h('span.note', t('get.left', { n: f.count(m.message_count) })))),
        h('div.panel-body', detail(m))))),
    ];
  }

  function view() {
    if (state.can === null && !state.error) return h('div.loading', t('ui.loading'));
    return [
      state.can && h('div.range-line', segments(t('msg.way'), mode(), [['browse', t('msg.browse')], ['get', t('get.title')]], (v) => ctx.setQuery({ mode: v === 'get' ? 'get' : undefined })),
        h('span.note', mode() === 'browse' ? t('msg.browse_help') : '')),
      mode() === 'browse' ? browse() : getForm(),
    ];
  }
  return { load, view };
}

