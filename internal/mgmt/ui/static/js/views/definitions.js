// Definitions: taken from and given to a server as a file.

import { h } from '../dom.js';
import { t } from '../i18n.js';
import * as api from '../api.js';
import * as f from '../format.js';
import { facts, heading, notice, panel, problem, button, toast } from '../parts.js';
import { icon } from '../icons.js';

export function definitions(ctx) {
  const state = { vhost: '', file: null, name: '', error: null, done: null, busy: false, over: false };

  const exportAll = async () => {
    try {
      const day = f.date(Date.now()).slice(0, 10);
      const name = (state.vhost ? 'definitions-' + state.vhost.replace(/[^\w.-]/g, '_') : 'definitions') + `-${day}.json`;
      await api.download('definitions' + (state.vhost ? '/' + f.enc(state.vhost) : ''), name);
    } catch (err) {
      state.error = err;
      ctx.update();
    }
  };

  async function choose(file) {
    if (!file) return;
    Object.assign(state, { file: null, error: null, done: null, name: file.name });
    try {
      state.file = JSON.parse(await file.text());
      if (state.file === null || typeof state.file !== 'object' || Array.isArray(state.file)) throw new SyntaxError();
    } catch (err) {
      state.file = null;
      state.error = err instanceof SyntaxError ? new Error(t('defs.not_json', { name: file.name })) : err;
    }
    ctx.update();
  }

  async function upload() {
    state.busy = true;
    state.error = null;
    ctx.update();
    try {
      await api.post('definitions' + (state.vhost ? '/' + f.enc(state.vhost) : ''), state.file);
      state.done = state.name;
      state.file = null;
      toast(t('defs.imported', { name: state.name }));
    } catch (err) {
      state.error = err;
    }
    state.busy = false;
    ctx.refresh();
  }

  function contents() {
    const parts = ['vhosts', 'users', 'permissions', 'topic_permissions', 'exchanges', 'queues', 'bindings', 'policies', 'parameters', 'global_parameters'];
    return h('div.file-contents', h('h3', state.name), facts(parts.filter((p) => state.file[p]?.length).map((p) => [p.replace('_', ' '), f.count(state.file[p].length)])), h('p.help', t('defs.merge')),
      h('button.button.primary', { type: 'button', disabled: state.busy, onclick: upload }, icon('upload'), h('span', t('defs.import'))));
  }

  const where = () => h('div.field.narrow', h('label', { for: 'defvhost' }, t('defs.what')), h('select', { id: 'defvhost', value: state.vhost, onchange: (e) => { state.vhost = e.target.value; ctx.update(); } },
    h('option', { value: '' }, t('defs.everything')), ctx.app.vhosts.map((v) => h('option', { key: v, value: v }, t('defs.only', { vhost: v })))));

  return {
    title: () => t('nav.definitions'),
    view: () => [heading(t('nav.definitions')), h('p.help', t('defs.text')),
      state.error && problem(state.error), state.done && notice('ok', t('defs.imported', { name: state.done })),
      where(),
      h('div.columns',
        panel(t('defs.export'), h('p', t('defs.export_text')), notice('warn', t('defs.secret')), button(t('defs.download'), exportAll, { icon: 'download', kind: 'primary' })),
        panel(t('defs.import'), h('p', t('defs.import_text')),
          h('label.drop', {
            class: state.over ? 'over' : '',
            ondragover: (e) => { e.preventDefault(); state.over = true; ctx.update(); }, ondragleave: () => { state.over = false; ctx.update(); },
            ondrop: (e) => { e.preventDefault(); state.over = false; choose(e.dataTransfer.files[0]); },
          }, icon('upload'), h('span', t('defs.drop')), h('input', { type: 'file', accept: '.json,application/json', onchange: (e) => choose(e.target.files[0]) })),
          state.file && contents()))],
  };
}
