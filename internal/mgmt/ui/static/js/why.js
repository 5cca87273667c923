// Why a queue's consumers get nothing, in words. The server says so itself where
// it can; else it is worked out from what the API tells about each consumer.

import { k, t, tx } from './i18n.js';
import * as api from './api.js';
import * as f from './format.js';
import { app } from './app.js';

// ask gives [{text, todo, consumer}], empty if nothing is in the way.
export async function ask(q, signal) {
  const own = await answer(q, signal);
  if (own) return own;
  return work(q, await channelsOf(q, signal));
}

// words for the server's reasons, in the user's language: [text, what to do, kind].
const words = {
  queue_empty: [k('why.empty'), null, 'info'],
  all_unacknowledged: [k('why.all_unacked'), k('why.prefetch.do')],
  no_consumers: [k('why.no_consumers'), k('why.no_consumers.do')],
  reading_from_disk: [k('why.disk'), null, 'info'],
  delivering: [k('why.fine'), null, 'ok'],
  delivering_to_others: [k('why.others'), null, 'ok'],
  no_readers: [k('why.no_readers'), null, 'info'],
  single_active_waiting: [k('why.waiting'), k('why.waiting.do'), 'info'],
  prefetch_full: [k('why.prefetch_full'), k('why.prefetch.do')],
  channel_prefetch_full: [k('why.channel_full'), k('why.prefetch.do')],
  connection_full: [k('why.connection_full'), k('why.connection_full.do')],
  publishers_blocked: [k('why.publishers_blocked'), k('conn.blocked.do')],
  nothing_published: [k('why.nothing_published'), k('why.nothing_published.do'), 'info'],
  nothing_published_lately: [k('why.nothing_lately'), null, 'info'],
  keeps_up: [k('why.keeps_up'), null, 'ok'],
};

async function answer(q, signal) {
  if (!app.features.messages) return null;
  let reasons;
  try {
    ({ reasons } = await api.get(`queues/${f.enc(q.vhost)}/${f.enc(q.name)}/why`, { signal }));
  } catch (err) {
    if (err.status === 404 || err.status === 405) return null;
    throw err;
  }
  return (reasons || []).map((r) => {
    const w = words[r.code];
    if (!w) return { ...r, todo: '', kind: 'warn' };
    const consumer = (q.consumer_details || []).find((c) => c.consumer_tag === r.consumer);
    const values = { tag: r.consumer, n: f.count(q.messages_unacknowledged), limit: f.count(consumer?.prefetch_count) };
    return { code: r.code, consumer: r.consumer, text: tx(w[0], values), todo: w[1] ? tx(w[1]) : '', kind: w[2] || 'warn' };
  });
}

async function channelsOf(q, signal) {
  const names = [...new Set((q.consumer_details || []).map((c) => c.channel_details?.name).filter(Boolean))].slice(0, 20);
  const found = await Promise.all(names.map((n) => api.get(`channels/${f.enc(n)}?columns=name,messages_unacknowledged,prefetch_count,global_prefetch_count,state`, { signal }).catch((err) => {
    if (err.status === 404) return null;
    throw err;
  })));
  return new Map(found.filter(Boolean).map((c) => [c.name, c]));
}

export function work(q, channels) {
  const out = [];
  const consumers = q.consumer_details || [];
  if (['down', 'stopped', 'crashed', 'minority'].includes(q.state)) out.push({ code: 'state', text: t('why.state', { state: q.state }), todo: t('why.state.do') });
  if (!q.messages_ready) out.push({ code: 'empty', kind: 'info', text: q.messages_unacknowledged > 0 ? t('why.all_unacked', { n: f.count(q.messages_unacknowledged) }) : t('why.empty'), todo: q.messages_unacknowledged > 0 ? t('why.prefetch.do') : '' });
  if (consumers.length === 0) out.push({ code: 'no_consumers', text: t('why.no_consumers'), todo: t('why.no_consumers.do') });
  for (const c of consumers) {
    const ch = channels.get(c.channel_details?.name);
    const who = c.consumer_tag;
    if (c.activity_status === 'waiting' || c.active === false) {
      out.push({ code: 'waiting', kind: 'info', consumer: who, text: t('why.waiting', { tag: who }), todo: t('why.waiting.do') });
    } else if (ch && c.ack_required && c.prefetch_count > 0 && ch.messages_unacknowledged >= c.prefetch_count) {
      out.push({ code: 'prefetch', consumer: who, text: t('why.prefetch', { tag: who, n: f.count(ch.messages_unacknowledged), limit: f.count(c.prefetch_count) }), todo: t('why.prefetch.do') });
    } else if (ch && ch.global_prefetch_count > 0 && ch.messages_unacknowledged >= ch.global_prefetch_count) {
      out.push({ code: 'prefetch', consumer: who, text: t('why.global_prefetch', { tag: who, n: f.count(ch.messages_unacknowledged), limit: f.count(ch.global_prefetch_count) }), todo: t('why.prefetch.do') });
    } else if (ch?.state === 'flow') out.push({ code: 'flow', consumer: who, text: t('why.flow', { tag: who }), todo: t('conn.flow.do') });
  }
  return out;
}
