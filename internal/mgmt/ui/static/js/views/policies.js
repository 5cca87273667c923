// Policies and operator policies.

import { h } from '../dom.js';
import { t } from '../i18n.js';
import * as api from '../api.js';
import * as f from '../format.js';
import * as dialog from '../dialog.js';
import { vhost } from '../app.js';
import { editor, policyArguments, result, start } from '../arguments.js';
import { args, button, heading, problem, table, tabs, toast } from '../parts.js';
import { vhostField } from './exchanges.js';

export function policies(ctx) {
  const operator = ctx.params.kind === 'operator';
  const what = operator ? 'operator-policies' : 'policies';
  const state = { list: null, error: null };

  async function load(signal) {
    try {
      state.list = await api.get(what + (vhost() ? '/' + f.enc(vhost()) : ''), { signal });
      state.error = null;
    } catch (err) {
      if (err.status === undefined || err.status === 0) throw err;
      state.error = err;
    }
  }

  function edit(p) {
    const groups = policyArguments(operator);
    const state = start(p?.definition, groups);
    return dialog.form({
      title: p ? t('policy.change', { name: p.name }) : operator ? t('policy.add_operator') : t('policy.add'), label: t('ui.save'), wide: true,
      intro: h('p', operator ? t('policy.operator_text') : t('policy.text')),
      fields: [
        ...(p ? [] : [...(ctx.app.vhosts.length > 1 ? [vhostField()] : []), { name: 'name', label: t('policy.name'), required: true }]),
        { name: 'pattern', label: t('policy.pattern'), value: p?.pattern ?? '', required: true, placeholder: '^orders\\.', help: t('policy.pattern_help') },
        { name: 'apply', label: t('policy.apply_to'), type: 'select', value: p?.['apply-to'] || (operator ? 'queues' : 'all'), options: [...(operator ? [] : [['all', t('policy.all')]]), ['queues', t('nav.queues')], ...(operator ? [] : [['exchanges', t('nav.exchanges')]]), ['classic_queues', t('policy.classic')], ['quorum_queues', t('policy.quorum')], ['streams', t('nav.streams')]] },
        { name: 'priority', label: t('policy.priority'), type: 'number', value: p?.priority ?? 0, help: t('policy.priority_help') },
        { name: 'definition', type: 'custom', label: t('policy.definition'), view: (v, update) => editor(state, update, groups) },
      ],
      submit: async (v) => {
        const where = p?.vhost || v.vhost || ctx.app.vhosts[0] || '/';
        const name = p?.name || v.name;
        await api.put(`${what}/${f.enc(where)}/${f.enc(name)}`, { pattern: v.pattern, 'apply-to': v.apply, priority: Number(v.priority), definition: result(state, groups) });
        toast(t('policy.saved', { name }));
        ctx.refresh();
      },
    });
  }

  const remove = (p) => dialog.confirm(t('policy.delete'), t('policy.delete_text', { name: p.name, pattern: p.pattern }), t('ui.delete'), async () => {
    await api.del(`${what}/${f.enc(p.vhost)}/${f.enc(p.name)}`);
    toast(t('policy.deleted', { name: p.name }));
    ctx.refresh();
  });

  const allowed = !operator || ctx.may('administrator');
  return {
    load, title: () => t('nav.policies'),
    view: () => [
      heading(t('nav.policies'), { actions: allowed && button(operator ? t('policy.add_operator') : t('policy.add'), () => edit(), { icon: 'plus', kind: 'primary' }) }),
      tabs([['user', t('nav.policies'), '#/admin/policies'], ['operator', t('policy.operator'), '#/admin/policies/operator']], operator ? 'operator' : 'user'),
      h('p.help', operator ? t('policy.operator_text') : t('policy.text')),
      state.error && problem(state.error),
      state.list && table([
        [t('policy.name'), (p) => h('strong', p.name)], [t('conn.vhost'), (p) => p.vhost], [t('policy.pattern'), (p) => h('code', p.pattern)], [t('policy.apply_to'), (p) => p['apply-to']],
        [t('policy.priority'), (p) => f.count(p.priority), { num: true }], [t('policy.definition'), (p) => args(p.definition)],
        ['', (p) => allowed && [button(t('ui.change'), () => edit(p), { kind: 'quiet' }), button(t('ui.delete'), () => remove(p), { kind: 'quiet' })], { actions: true }],
      ], state.list, (p) => p.vhost + '\u0000' + p.name, t('policy.none')),
      !state.list && !state.error && h('div.loading', t('ui.loading')),
    ],
  };
}
