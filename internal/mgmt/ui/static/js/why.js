// Why a queue's consumers get nothing, in words. The server says so itself where
// it can; else it is worked out from what the API tells about each consumer.

import { t } from './i18n.js';
import * as api from './api.js';
import * as f from './format.js';
import { app } from './app.js';

// ask gives [{text, todo, consumer}], empty if nothing is in the way.
export async function ask(q, signal) {
  const own = await answer(q, signal);
  if (own) return own;
  return work(q, await channelsOf(q, signal));
}

async function answer(q, signal) {
  if (!app.features.messages) return null;
  try {
    const a = await api.get(`queues/${f.enc(q.vhost)}/${f.enc(q.name)}/why`, { signal });
    const words = { empty: [t('why.empty'), ''], no_consumers: [t('why.no_consumers'), t('why.no_consumers.do')], prefetch: [null, t('why.prefetch.do')], prefetch_full: [null, t('why.prefetch.do')], waiting: [null, t('why.waiting.do')], single_active: [null, t('why.waiting.do')] };
    return (a?.reasons || []).map((r) => ({ code: r.code, text: words[r.code]?.[0] || r.text, todo: words[r.code]?.[1] || '', consumer: r.consumer }));
  } catch (err) {
    if (err.status === 404 || err.status === 405) return null;
    throw err;
  }
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
  if (!q.messages_ready) out.push({ code: 'empty', text: q.messages_unacknowledged > 0 ? t('why.all_unacked', { n: f.count(q.messages_unacknowledged) }) : t('why.empty'), todo: q.messages_unacknowledged > 0 ? t('why.prefetch.do') : '' });
  if (consumers.length === 0) out.push({ code: 'no_consumers', text: t('why.no_consumers'), todo: t('why.no_consumers.do') });
  for (const c of consumers) {
    const ch = channels.get(c.channel_details?.name);
    const who = c.consumer_tag;
    if (c.activity_status === 'waiting' || c.active === false) {
      out.push({ code: 'waiting', consumer: who, text: t('why.waiting', { tag: who }), todo: t('why.waiting.do') });
    } else if (ch && c.ack_required && c.prefetch_count > 0 && ch.messages_unacknowledged >= c.prefetch_count) {
      out.push({ code: 'prefetch', consumer: who, text: t('why.prefetch', { tag: who, n: f.count(ch.messages_unacknowledged), limit: f.count(c.prefetch_count) }), todo: t('why.prefetch.do') });
    } else if (ch && ch.global_prefetch_count > 0 && ch.messages_unacknowledged >= ch.global_prefetch_count) {
      out.push({ code: 'prefetch', consumer: who, text: t('why.global_prefetch', { tag: who, n: f.count(ch.messages_unacknowledged), limit: f.count(ch.global_prefetch_count) }), todo: t('why.prefetch.do') });
    } else if (ch?.state === 'flow') out.push({ code: 'flow', consumer: who, text: t('why.flow', { tag: who }), todo: t('conn.flow.do') });
  }
  return out;
}
