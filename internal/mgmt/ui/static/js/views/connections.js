// Connections: who is connected, and closing them.

import { h } from '../dom.js';
import { t, k } from '../i18n.js';
import * as api from '../api.js';
import * as f from '../format.js';
import { to, go } from '../router.js';
import { list } from '../list.js';
import * as dialog from '../dialog.js';
import { ages, rangeChoice } from '../chart.js';
import { byteChart } from '../stats.js';
import { oneVHost, vhost } from '../app.js';
import { args, badge, button, facts, heading, link, notice, panel, problem, table, toast } from '../parts.js';

export function stateBadge(s) {
  if (!s) return f.none;
  return badge(s, { running: 'ok', flow: 'warn', blocking: 'warn', blocked: 'danger', closing: 'warn', closed: '' }[s] || '');
}

const columns = [
  { id: 'name', label: k('conn.name'), fixed: true, sort: 'name', view: (c) => [link(c.user_provided_name || c.name, to('connections', c.name)), c.user_provided_name && h('div.sub', c.name)] },
  { id: 'vhost', label: k('conn.vhost'), hide: oneVHost, sort: 'vhost', fields: ['vhost'], view: (c) => c.vhost },
  { id: 'user', label: k('conn.user'), sort: 'user', fields: ['user'], view: (c) => c.user },
  { id: 'state', label: k('conn.state'), sort: 'state', fields: ['state'], view: (c) => stateBadge(c.state) },
  { id: 'ssl', label: k('conn.tls'), sort: 'ssl', fields: ['ssl'], view: (c) => (c.ssl ? badge('TLS', 'ok') : f.none) },
  { id: 'protocol', label: k('conn.protocol'), sort: 'protocol', fields: ['protocol'], view: (c) => c.protocol },
  { id: 'channels', label: k('conn.channels'), sort: 'channels', num: true, fields: ['channels'], view: (c) => f.count(c.channels) },
  { id: 'in', label: k('conn.from_client'), sort: 'recv_oct_details.rate', num: true, fields: ['recv_oct_details.rate'], view: (c) => f.byteRate(c.recv_oct_details?.rate) },
  { id: 'out', label: k('conn.to_client'), sort: 'send_oct_details.rate', num: true, fields: ['send_oct_details.rate'], view: (c) => f.byteRate(c.send_oct_details?.rate) },
  { id: 'client', label: k('conn.client'), sort: 'client_properties.product', fields: ['client_properties.product', 'client_properties.version', 'client_properties.platform'], view: (c) => clientName(c.client_properties) },
  { id: 'heartbeat', label: k('conn.heartbeat'), sort: 'timeout', num: true, off: true, fields: ['timeout'], view: (c) => (c.timeout ? t('unit.s', { n: c.timeout }) : f.none) },
  { id: 'since', label: k('conn.since'), sort: 'connected_at', off: true, fields: ['connected_at'], view: (c) => f.date(c.connected_at) },
  { id: 'node', label: k('conn.node'), sort: 'node', off: true, fields: ['node'], view: (c) => c.node },
];

function clientName(p) {
  if (!p || Array.isArray(p)) return f.none;
  return [p.product, p.version].filter((x) => typeof x === 'string').join(' ') || f.none;
}

export function connections(ctx) {
  const l = list(ctx, {
    id: 'connections', title: t('nav.connections'), columns, key: (c) => c.name, empty: k('conn.empty'), fields: ['name', 'user_provided_name'],
    path: () => (vhost() ? `vhosts/${f.enc(vhost())}/connections` : 'connections'),
  });
  return { load: l.load, title: () => t('nav.connections'), view: () => [heading(t('nav.connections')), l.view()] };
}

function closeDialog(name, label) {
  return dialog.form({
    title: t('conn.close_title'), intro: h('p', t('conn.close_text', { name: label || name })), danger: true, label: t('conn.close'),
    fields: [{ name: 'reason', label: t('conn.close_reason'), value: '', placeholder: t('conn.close_default'), help: t('conn.close_reason_help') }],
    submit: async (v) => {
      await api.del('connections/' + f.enc(name), v.reason ? { 'X-Reason': encodeHeader(v.reason) } : {});
      toast(t('conn.closed'));
    },
  });
}

// A header holds ASCII; the server decodes what the page sends.
const encodeHeader = encodeURIComponent;

export function connection(ctx) {
  const { name } = ctx.params;
  const state = { c: null, channels: null, error: null };

  async function load(signal) {
    try {
      [state.c, state.channels] = await Promise.all([
        api.get(`connections/${f.enc(name)}?${ages('data_rates')}`, { signal }),
        api.get(`connections/${f.enc(name)}/channels`, { signal }).catch((err) => { if (err.status === 404) return []; throw err; }),
      ]);
      state.error = null;
    } catch (err) {
      if (err.status === undefined || err.status === 0) throw err;
      state.error = err;
    }
  }

  async function close() {
    if (await closeDialog(name, state.c?.user_provided_name)) go('connections');
  }

  function blocked(c) {
    if (c.state === 'blocked') return notice('danger', t('conn.blocked'), t('conn.blocked.do'));
    if (c.state === 'blocking') return notice('warn', t('conn.blocking'), t('conn.blocked.do'));
    if (c.state === 'flow') return notice('warn', t('conn.flow'), t('conn.flow.do'));
    return null;
  }

  function view() {
    const { c } = state;
    const crumbs = [[t('nav.connections'), '#/connections']];
    if (!c) return [heading(name, { crumbs }), state.error ? state.error.status === 404 ? notice('info', t('conn.gone'), t('conn.gone.do')) : problem(state.error) : h('div.loading', t('ui.loading'))];
    return [
      heading(c.user_provided_name || c.name, { crumbs, badges: stateBadge(c.state), actions: [rangeChoice(ctx), button(t('conn.close'), close, { kind: 'danger', disabled: !!state.error })] }),
      state.error?.status === 404 ? notice('info', t('conn.gone'), t('conn.gone.do')) : state.error && problem(state.error),
      blocked(c),
      h('div.columns',
        byteChart(c),
        panel(t('ui.details'), facts([
          [t('conn.name'), c.name], [t('conn.user'), c.user], [t('conn.vhost'), c.vhost], [t('conn.protocol'), c.protocol], [t('conn.node'), c.node],
          [t('conn.since'), c.connected_at ? f.date(c.connected_at) : null], [t('conn.auth'), c.auth_mechanism],
          [t('conn.heartbeat'), c.timeout ? t('unit.s', { n: c.timeout }) : t('ui.none')], [t('conn.frame_max'), c.frame_max ? f.bytes(c.frame_max) : null], [t('conn.channel_max'), c.channel_max ? f.count(c.channel_max) : null],
          [t('conn.received'), f.bytes(c.recv_oct)], [t('conn.sent'), f.bytes(c.send_oct)], [t('conn.pending'), f.count(c.send_pend)],
        ])),
        panel(t('conn.client'), facts(clientFacts(c.client_properties)) ),
        c.ssl && panel('TLS', facts([[t('conn.tls_version'), c.ssl_protocol], [t('conn.cipher'), c.ssl_cipher], [t('conn.peer_subject'), c.peer_cert_subject], [t('conn.peer_issuer'), c.peer_cert_issuer], [t('conn.peer_validity'), c.peer_cert_validity]]))),
      panel(t('nav.channels'), channelTable(state.channels)),
    ];
  }
  return { load, view, title: () => name };
}

function clientFacts(p) {
  if (!p || Array.isArray(p)) return [];
  return Object.entries(p).filter(([n]) => n !== 'capabilities').map(([n, v]) => [n, f.value(v)]).concat(
    p.capabilities && !Array.isArray(p.capabilities) ? [[t('conn.capabilities'), args(p.capabilities)]] : []);
}

export function channelTable(rows) {
  return table([
    [t('chan.name'), (c) => link(String(c.name || c.number), to('channels', c.name))],
    [t('chan.state'), (c) => stateBadge(c.state)],
    [t('chan.mode'), (c) => modes(c)],
    [t('chan.consumers'), (c) => f.count(c.consumer_count), { num: true }],
    [t('chan.prefetch'), (c) => f.count(c.prefetch_count || c.global_prefetch_count), { num: true }],
    [t('chan.unacked'), (c) => f.count(c.messages_unacknowledged), { num: true }],
    [t('chan.unconfirmed'), (c) => f.count(c.messages_unconfirmed), { num: true }],
    [t('rate.publish'), (c) => f.rate(c.message_stats?.publish_details?.rate), { num: true }],
    [t('rate.deliver_get'), (c) => f.rate(c.message_stats?.deliver_get_details?.rate), { num: true }],
  ], rows, (c) => c.name, t('chan.empty'));
}

export function modes(c) {
  return [c.confirm && badge('C', '', t('chan.confirm')), c.transactional && badge('T', '', t('chan.tx')), !c.confirm && !c.transactional && f.none];
}
