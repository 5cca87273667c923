// Bindings of an exchange or a queue: a table, a form, and taking them away.

import { h } from './dom.js';
import { t } from './i18n.js';
import * as api from './api.js';
import * as f from './format.js';
import { to } from './router.js';
import * as dialog from './dialog.js';
import { result, rows, start } from './arguments.js';
import { args, button, link, table, toast, toastError } from './parts.js';

const pathOf = (b) => `bindings/${f.enc(b.vhost)}/e/${f.enc(b.source || 'amq.default')}/${b.destination_type === 'queue' ? 'q' : 'e'}/${f.enc(b.destination)}`;

async function unbind(ctx, b) {
  await dialog.confirm(t('bind.remove_title'), t('bind.remove_text', { source: b.source, destination: b.destination, key: b.routing_key }), t('bind.remove'), async () => {
    await api.del(`${pathOf(b)}/${f.enc(b.properties_key)}`);
    toast(t('bind.removed'));
    ctx.refresh();
  });
}

// bindingTable shows the other end: 'source' or 'destination'.
export function bindingTable(ctx, list, end) {
  return table([
    [end === 'source' ? t('bind.from') : t('bind.to'), (b) => (end === 'source'
      ? b.source === '' ? h('em', t('exch.default')) : link(b.source, to('exchanges', b.vhost, b.source))
      : link(b.destination, to(b.destination_type === 'queue' ? 'queues' : 'exchanges', b.vhost, b.destination)))],
    [t('bind.kind'), (b) => (end === 'source' || b.destination_type === 'exchange' ? t('nav.exchange') : t('nav.queue'))],
    [t('bind.key'), (b) => h('code', b.routing_key)],
    [t('ui.arguments'), (b) => args(b.arguments) || f.none],
    ['', (b) => b.source !== '' && button(t('bind.remove'), () => unbind(ctx, b), { kind: 'quiet' }), { actions: true }],
  ], list, (b) => b.source + '\u0000' + b.destination_type + b.destination + '\u0000' + b.properties_key, t('bind.none'));
}

// bind opens the form. fixed: {source} or {destination, destination_type}.
export async function bind(ctx, vhost, fixed) {
  const more = start();
  const names = async (what) => {
    try {
      const found = await api.get(`${what}/${f.enc(vhost)}?page=1&page_size=200&columns=name`);
      return found.items.map((x) => x.name).filter((n) => n !== '');
    } catch (err) {
      toastError(err);
      return [];
    }
  };
  const [exchanges, queues] = await Promise.all([names('exchanges'), fixed.source ? names('queues') : []]);
  return dialog.form({
    title: fixed.source ? t('bind.add_from', { name: fixed.source }) : t('bind.add_to', { name: fixed.destination }), label: t('bind.add'),
    fields: [
      ...(fixed.source
        ? [{ name: 'type', label: t('bind.kind'), type: 'select', value: 'q', options: [['q', t('nav.queue')], ['e', t('nav.exchange')]] },
          { name: 'other', label: t('bind.to'), required: true, list: [...queues, ...exchanges] }]
        : [{ name: 'other', label: t('bind.from'), required: true, list: exchanges }]),
      { name: 'key', label: t('bind.key'), help: t('bind.key_help') },
      { name: 'arguments', type: 'custom', label: t('ui.arguments'), help: t('bind.arguments_help'), view: (v, update) => rows(more, update) },
    ],
    submit: async (v) => {
      const b = fixed.source
        ? { vhost, source: fixed.source, destination: v.other, destination_type: v.type === 'q' ? 'queue' : 'exchange' }
        : { vhost, source: v.other, ...fixed };
      await api.post(pathOf(b), { routing_key: v.key, arguments: result(more) });
      toast(t('bind.added'));
      ctx.refresh();
    },
  });
}
