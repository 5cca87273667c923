// Every argument of queues, exchanges and policies, with what it does, and the
// editor for them.

import { h } from './dom.js';
import { k, t, tx } from './i18n.js';
import { button, iconButton } from './parts.js';

const C = 'classic', Q = 'quorum', S = 'stream';

// {key, policy: the key in a policy, type, types of queue, label, help, options, operator}
export const queueArguments = [
  { group: k('args.length'), list: [
    { key: 'x-max-length', policy: 'max-length', operator: true, type: 'int', min: 0, types: [C, Q], label: k('arg.max_length'), help: k('arg.max_length.help') },
    { key: 'x-max-length-bytes', policy: 'max-length-bytes', operator: true, type: 'int', min: 0, types: [C, Q, S], label: k('arg.max_length_bytes'), help: k('arg.max_length_bytes.help') },
    { key: 'x-overflow', policy: 'overflow', operator: true, type: 'choice', options: ['drop-head', 'reject-publish', 'reject-publish-dlx'], types: [C, Q], label: k('arg.overflow'), help: k('arg.overflow.help') },
  ] },
  { group: k('args.time'), list: [
    { key: 'x-message-ttl', policy: 'message-ttl', operator: true, type: 'int', min: 0, types: [C, Q], label: k('arg.message_ttl'), help: k('arg.message_ttl.help') },
    { key: 'x-expires', policy: 'expires', operator: true, type: 'int', min: 1, types: [C, Q], label: k('arg.expires'), help: k('arg.expires.help') },
    { key: 'x-max-age', policy: 'max-age', type: 'text', placeholder: '7D', types: [S], label: k('arg.max_age'), help: k('arg.max_age.help') },
  ] },
  { group: k('args.dead'), list: [
    { key: 'x-dead-letter-exchange', policy: 'dead-letter-exchange', type: 'text', types: [C, Q], label: k('arg.dlx'), help: k('arg.dlx.help') },
    { key: 'x-dead-letter-routing-key', policy: 'dead-letter-routing-key', type: 'text', types: [C, Q], label: k('arg.dlrk'), help: k('arg.dlrk.help') },
    { key: 'x-dead-letter-strategy', policy: 'dead-letter-strategy', type: 'choice', options: ['at-most-once', 'at-least-once'], types: [Q], label: k('arg.dls'), help: k('arg.dls.help') },
    { key: 'x-delivery-limit', policy: 'delivery-limit', operator: true, type: 'int', min: -1, types: [Q], label: k('arg.delivery_limit'), help: k('arg.delivery_limit.help') },
  ] },
  { group: k('args.consumers'), list: [
    { key: 'x-single-active-consumer', type: 'bool', types: [C, Q, S], label: k('arg.sac'), help: k('arg.sac.help') },
    { key: 'x-max-priority', type: 'int', min: 0, max: 255, types: [C], label: k('arg.max_priority'), help: k('arg.max_priority.help') },
    { key: 'x-consumer-timeout', policy: 'consumer-timeout', type: 'int', min: 0, types: [Q], label: k('arg.consumer_timeout'), help: k('arg.consumer_timeout.help') },
    { key: 'x-consumer-disconnected-timeout', policy: 'consumer-disconnected-timeout', type: 'int', min: 0, types: [Q], label: k('arg.disconnected_timeout'), help: k('arg.disconnected_timeout.help') },
    { key: 'x-delayed-retry-type', policy: 'delayed-retry-type', operator: true, type: 'choice', options: ['disabled', 'all', 'failed', 'returned'], types: [Q], label: k('arg.retry_type'), help: k('arg.retry_type.help') },
    { key: 'x-delayed-retry-min', policy: 'delayed-retry-min', operator: true, type: 'int', min: 1, types: [Q], label: k('arg.retry_min'), help: k('arg.retry_min.help') },
    { key: 'x-delayed-retry-max', policy: 'delayed-retry-max', operator: true, type: 'int', min: 1, types: [Q], label: k('arg.retry_max'), help: k('arg.retry_max.help') },
  ] },
  { group: k('args.placement'), list: [
    { key: 'x-queue-leader-locator', policy: 'queue-leader-locator', type: 'choice', options: ['client-local', 'balanced'], types: [C, Q, S], label: k('arg.leader_locator'), help: k('arg.leader_locator.help') },
    { key: 'x-quorum-initial-group-size', type: 'int', min: 1, types: [Q], label: k('arg.group_size'), help: k('arg.group_size.help') },
    { key: 'x-quorum-target-group-size', policy: 'target-group-size', operator: true, type: 'int', min: 1, types: [Q], label: k('arg.target_size'), help: k('arg.target_size.help') },
    { key: 'x-initial-cluster-size', policy: 'initial-cluster-size', type: 'int', min: 1, types: [S], label: k('arg.cluster_size'), help: k('arg.cluster_size.help') },
  ] },
  { group: k('args.storage'), list: [
    { key: 'x-stream-max-segment-size-bytes', policy: 'stream-max-segment-size-bytes', type: 'int', min: 1, types: [S], label: k('arg.segment_size'), help: k('arg.segment_size.help') },
    { key: 'x-stream-filter-size-bytes', policy: 'stream-filter-size-bytes', type: 'int', min: 16, max: 255, types: [S], label: k('arg.filter_size'), help: k('arg.filter_size.help') },
    { key: 'x-queue-mode', policy: 'queue-mode', type: 'choice', options: ['default', 'lazy'], types: [C], label: k('arg.queue_mode'), help: k('arg.queue_mode.help') },
    { key: 'x-queue-version', policy: 'queue-version', operator: true, type: 'int', min: 1, max: 2, types: [C], label: k('arg.queue_version'), help: k('arg.queue_version.help') },
    { key: 'x-max-in-memory-length', policy: 'max-in-memory-length', operator: true, type: 'int', min: 0, types: [Q], label: k('arg.in_memory_length'), help: k('arg.in_memory.help') },
    { key: 'x-max-in-memory-bytes', policy: 'max-in-memory-bytes', operator: true, type: 'int', min: 0, types: [Q], label: k('arg.in_memory_bytes'), help: k('arg.in_memory.help') },
  ] },
];

export const exchangeArguments = [
  { group: k('args.exchange'), list: [
    { key: 'alternate-exchange', policy: 'alternate-exchange', type: 'text', label: k('arg.alternate'), help: k('arg.alternate.help') },
    { key: 'x-delayed-type', type: 'text', placeholder: 'direct', only: 'x-delayed-message', label: k('arg.delayed_type'), help: k('arg.delayed_type.help') },
    { key: 'hash-header', type: 'text', only: 'x-consistent-hash', label: k('arg.hash_header'), help: k('arg.hash_header.help') },
    { key: 'hash-property', type: 'text', only: 'x-consistent-hash', label: k('arg.hash_property'), help: k('arg.hash_property.help') },
    { key: 'x-recent-history-length', type: 'int', min: 1, only: 'x-recent-history', label: k('arg.history_length'), help: k('arg.history_length.help') },
  ] },
];

const forPolicy = (groups, operator) => groups.map((g) => ({ group: g.group, list: g.list.filter((a) => a.policy && (!operator || a.operator)).map((a) => ({ ...a, key: a.policy })) })).filter((g) => g.list.length);

export const policyArguments = (operator) => (operator ? forPolicy(queueArguments, true) : [...forPolicy(queueArguments), ...forPolicy(exchangeArguments), {
  group: k('args.federation'), list: [
    { key: 'federation-upstream-set', type: 'text', label: k('arg.upstream_set'), help: k('arg.upstream_set.help') },
    { key: 'federation-upstream', type: 'text', label: k('arg.upstream'), help: k('arg.upstream.help') },
  ],
}]);

// editor keeps {known: {key: text}, more: [{name, type, value}]} in state.
export const start = (existing = {}, groups = []) => {
  const known = {};
  const more = [];
  const keys = new Set(groups.flatMap((g) => g.list.map((a) => a.key)));
  for (const [name, v] of Object.entries(existing || {})) {
    if (keys.has(name) && typeof v !== 'object') known[name] = String(v);
    else more.push({ name, type: typeof v === 'object' ? 'json' : typeof v, value: typeof v === 'object' ? JSON.stringify(v) : String(v) });
  }
  return { known, more };
};

// result reads what was typed; it throws with words where that is not possible.
export function result(state, groups = []) {
  const out = {};
  const byKey = new Map(groups.flatMap((g) => g.list.map((a) => [a.key, a])));
  for (const [key, text] of Object.entries(state.known)) {
    const a = byKey.get(key);
    if (!a || text === undefined || text === '') continue;
    out[key] = a.type === 'int' ? integer(key, text) : a.type === 'bool' ? text === 'true' : text;
  }
  for (const row of state.more) {
    if (row.name.trim() === '') continue;
    out[row.name.trim()] = convert(row);
  }
  return out;
}

function integer(name, text) {
  if (!/^-?\d+$/.test(text.trim())) throw new Error(t('args.not_integer', { name }));
  return Number(text);
}

function convert({ name, type, value }) {
  if (type === 'number') {
    const n = Number(value);
    if (value.trim() === '' || Number.isNaN(n)) throw new Error(t('args.not_number', { name }));
    return n;
  }
  if (type === 'boolean') return value === 'true';
  if (type === 'json') {
    try {
      return JSON.parse(value);
    } catch {
      throw new Error(t('args.not_json', { name }));
    }
  }
  return value;
}

// editor draws the groups (those that fit: fits(argument)) and rows for others.
export function editor(state, update, groups = [], fits = () => true) {
  const set = (key, v) => {
    state.known[key] = v;
    update();
  };
  return h('div.arguments',
    groups.map((g) => ({ ...g, list: g.list.filter(fits) })).filter((g) => g.list.length).map((g) => {
      const used = g.list.filter((a) => state.known[a.key]).length;
      return h('details.argument-group', { key: g.group, open: used > 0 },
        h('summary', h('span', tx(g.group)), used > 0 ? h('span.count', used) : h('span.group-names', g.list.map((a) => tx(a.label)).join(' · '))),
        g.list.map((a) => h('div.argument', { key: a.key },
          h('div.argument-text', h('label', { for: 'arg ' + a.key }, tx(a.label), h('code', a.key)), h('p.help', { id: 'help ' + a.key }, tx(a.help))),
          control(a, state.known[a.key] || '', (v) => set(a.key, v)))));
    }),
    rows(state, update));
}

function control(a, value, set) {
  const common = { id: 'arg ' + a.key, name: a.key, placeholder: a.placeholder, 'aria-describedby': 'help ' + a.key, autocomplete: 'off' };
  if (a.type === 'choice' || a.type === 'bool') {
    const options = a.type === 'bool' ? [['true', t('ui.yes')], ['false', t('ui.no')]] : a.options.map((o) => [o, o]);
    return h('select', { ...common, value, onchange: (e) => set(e.target.value) }, h('option', { value: '' }, t('args.unset')), options.map(([v, text]) => h('option', { key: v, value: v }, text)));
  }
  if (a.type === 'int') return h('input', { ...common, type: 'number', min: a.min, max: a.max, step: 1, value, oninput: (e) => set(e.target.value) });
  return h('input', { ...common, type: 'text', value, oninput: (e) => set(e.target.value) });
}

// rows are for names that the page does not know: any name, type and value.
export function rows(state, update, label = t('args.more')) {
  const types = [['string', t('args.string')], ['number', t('args.number')], ['boolean', t('args.boolean')], ['json', t('args.json')]];
  return h('div.rows',
    state.more.map((row, i) => h('div.row', { key: i },
      h('input', { type: 'text', placeholder: t('args.name'), 'aria-label': t('args.name'), value: row.name, oninput: (e) => { row.name = e.target.value; update(); } }),
      h('select', { value: row.type, 'aria-label': t('args.type'), onchange: (e) => { row.type = e.target.value; if (row.type === 'boolean') row.value = 'true'; update(); } }, types.map(([v, text]) => h('option', { key: v, value: v }, text))),
      row.type === 'boolean'
        ? h('select', { key: 'b', value: row.value, 'aria-label': t('args.value'), onchange: (e) => { row.value = e.target.value; update(); } }, h('option', { value: 'true' }, 'true'), h('option', { value: 'false' }, 'false'))
        : h('input', { key: 't', type: 'text', placeholder: row.type === 'json' ? '[1, "a"]' : t('args.value'), 'aria-label': t('args.value'), value: row.value, oninput: (e) => { row.value = e.target.value; update(); } }),
      iconButton('close', t('args.remove'), () => { state.more.splice(i, 1); update(); }))),
    button(label, () => { state.more.push({ name: '', type: 'string', value: '' }); update(); }, { icon: 'plus', kind: 'quiet' }));
}
