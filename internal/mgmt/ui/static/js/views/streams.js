// Who speaks the stream protocol.

import { h } from '../dom.js';
import { t } from '../i18n.js';
import * as api from '../api.js';
import * as f from '../format.js';
import { to } from '../router.js';
import { vhost } from '../app.js';
import { heading, link, panel, problem, table } from '../parts.js';
import { stateBadge } from './connections.js';

export function streams() {
  const state = { rows: null, publishers: [], consumers: [], error: null };
  async function load(signal) {
    const below = vhost() ? '/' + f.enc(vhost()) : '';
    try {
      [state.rows, state.publishers, state.consumers] = await Promise.all(['connections', 'publishers', 'consumers'].map((x) => api.get(`stream/${x}${below}`, { signal })));
      state.error = null;
    } catch (err) {
      if (err.status === undefined || err.status === 0) throw err;
      state.error = err;
    }
  }
  const queue = (x) => link(x.queue?.name, to('queues', x.queue?.vhost, x.queue?.name));
  function view() {
    if (!state.rows) return [heading(t('nav.streams')), state.error ? problem(state.error) : h('div.loading', t('ui.loading'))];
    return [
      heading(t('nav.streams')), state.error && problem(state.error),
      panel(t('nav.connections'), table([[t('conn.name'), (c) => c.name], [t('conn.vhost'), (c) => c.vhost], [t('conn.user'), (c) => c.user], [t('conn.state'), (c) => stateBadge(c.state)]], state.rows.items || state.rows, (c) => c.name)),
      panel(t('stream.publishers'), table([[t('nav.queue'), queue], [t('stream.reference'), (p) => p.reference || f.none], [t('rate.publish'), (p) => f.count(p.published), { num: true }], [t('rate.confirm'), (p) => f.count(p.confirmed), { num: true }], [t('stream.errored'), (p) => f.count(p.errored), { num: true }]], state.publishers)),
      panel(t('nav.consumers'), table([[t('nav.queue'), queue], [t('stream.credits'), (c) => f.count(c.credits), { num: true }], [t('stream.offset'), (c) => f.count(c.offset), { num: true }], [t('stream.lag'), (c) => f.count(c.offset_lag), { num: true }], [t('stream.consumed'), (c) => f.count(c.consumed), { num: true }]], state.consumers)),
    ];
  }
  return { load, view, title: () => t('nav.streams') };
}
