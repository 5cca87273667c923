// The way in.

import { h } from '../dom.js';
import { t } from '../i18n.js';
import * as api from '../api.js';
import { preferences } from '../app.js';
import { notice, problem } from '../parts.js';

const state = { user: '', password: '', error: null, busy: false };

export function loginView({ app, entered, update }) {
  const send = async (e) => {
    e.preventDefault();
    state.busy = true;
    state.error = null;
    app.message = null;
    update();
    try {
      const me = await api.login(state.user, state.password);
      state.password = '';
      state.busy = false;
      return entered(me);
    } catch (err) {
      state.error = err;
    }
    state.busy = false;
    update();
  };
  return h('main.login', { id: 'main' },
    h('div.login-preferences', preferences()),
    h('form.login-card', { onsubmit: send },
      h('div.login-brand', h('img', { src: 'icon.svg', alt: '', width: 40, height: 40 }), h('h1', 'Warren')),
      app.message === 'expired' && notice('info', t('login.expired')),
      app.message?.status !== undefined && problem(app.message),
      h('div.field', h('label', { for: 'user' }, t('login.user')), h('input', { id: 'user', name: 'username', autocomplete: 'username', required: true, autocapitalize: 'none', spellcheck: 'false', value: state.user, oninput: (e) => { state.user = e.target.value; }, created: (el) => setTimeout(() => el.focus()) })),
      h('div.field', h('label', { for: 'password' }, t('login.password')), h('input', { id: 'password', name: 'password', type: 'password', autocomplete: 'current-password', value: state.password, oninput: (e) => { state.password = e.target.value; } })),
      state.error && problem(state.error),
      h('button.button.primary', { type: 'submit', disabled: state.busy }, h('span', state.busy ? t('login.busy') : t('login.enter')))));
}
