// Writing a message: its properties and its body.

import { h } from './dom.js';
import { t } from './i18n.js';
import * as api from './api.js';
import * as f from './format.js';
import * as dialog from './dialog.js';
import { rows, result, start } from './arguments.js';
import { toast } from './parts.js';

const texts = ['content_type', 'content_encoding', 'correlation_id', 'reply_to', 'expiration', 'message_id', 'type', 'user_id', 'app_id'];
const numbers = ['priority', 'timestamp'];

export function propertyFields(p = {}) {
  const headers = start(p.headers);
  return {
    headers,
    fields: [
      { name: 'delivery_mode', label: t('msg.durability'), type: 'select', value: String(p.delivery_mode || 2), options: [['2', t('msg.persistent')], ['1', t('msg.transient')]] },
      { name: 'headers', type: 'custom', label: t('msg.headers'), view: (values, update) => rows(headers, update, t('msg.add_header')) },
      { name: 'properties', type: 'custom', view: (values, update) => h('details.argument-group', { open: Object.keys(p).some((n) => texts.includes(n) || numbers.includes(n)) }, h('summary', h('span', t('msg.properties'))),
        h('div.grid-2', [...texts, ...numbers].map((name) => {
          values['p.' + name] ??= p[name] === undefined ? '' : String(p[name]);
          return h('div.field', { key: name }, h('label', { for: 'p.' + name }, name), h('input', { id: 'p.' + name, name: 'p.' + name, type: numbers.includes(name) ? 'number' : 'text', value: values['p.' + name], autocomplete: 'off', oninput: (e) => { values['p.' + name] = e.target.value; update(); } }));
        }))) },
    ],
  };
}

export function properties(values, headers) {
  const p = { delivery_mode: Number(values.delivery_mode) };
  for (const name of texts) if (values['p.' + name]) p[name] = values['p.' + name];
  for (const name of numbers) if (values['p.' + name]) p[name] = Number(values['p.' + name]);
  const table = result(headers);
  if (Object.keys(table).length) p.headers = table;
  return p;
}

export function bodyFields(payload = '', encoding = 'string') {
  return [
    { name: 'payload_encoding', label: t('msg.encoding'), type: 'select', value: encoding, options: [['string', t('msg.as_text')], ['base64', t('msg.as_base64')]] },
    { name: 'payload', label: t('msg.payload'), type: 'textarea', rows: 8, value: payload },
  ];
}

// publish opens the dialog for an exchange; keys: the routing key to begin with.
export function publish(ctx, vhost, exchange, key = '') {
  const p = propertyFields();
  return dialog.form({
    title: exchange ? t('msg.publish_to', { name: exchange }) : t('msg.publish_to_queue', { name: key }), label: t('msg.publish'), wide: true,
    fields: [
      ...(exchange ? [{ name: 'routing_key', label: t('bind.key'), value: key, help: t('msg.key_help') }] : []),
      ...bodyFields(), ...p.fields,
    ],
    submit: async (v) => {
      const body = { properties: properties(v, p.headers), routing_key: exchange ? v.routing_key : key, payload: v.payload, payload_encoding: v.payload_encoding };
      const answer = await api.post(`exchanges/${f.enc(vhost)}/${f.enc(exchange || 'amq.default')}/publish`, body);
      if (answer.routed) toast(t('msg.published'));
      else toast(t('msg.unrouted'), 'warn');
      ctx.refresh();
    },
  });
}
