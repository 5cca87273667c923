// Dialogs: a native <dialog>, which keeps the focus inside, closes with Escape
// and gives the focus back.

import { h, render, scheduled } from './dom.js';
import { t } from './i18n.js';
import { iconButton, button, problem } from './parts.js';

// open shows a dialog; content(d) describes its inside, d.update() draws it
// anew, d.close(value) ends it. The promise gives the value, undefined if it was
// dismissed.
export function open(title, content, props = {}) {
  return new Promise((resolve) => {
    const el = document.createElement('dialog');
    if (props.wide) el.classList.add('wide');
    el.setAttribute('aria-label', title);
    let value;
    const d = { close: (v) => { value = v; el.close(); }, el };
    d.draw = () => render(el,
      h('div.dialog-head', h('h2', title), iconButton('close', t('ui.close'), () => d.close())),
      content(d));
    d.update = scheduled(d.draw);
    el.onclose = () => {
      el.remove();
      resolve(value);
    };
    d.draw();
    document.getElementById('dialogs').append(el);
    el.showModal();
    const first = el.querySelector('[autofocus], .dialog-body input, .dialog-body select, .dialog-body textarea');
    if (first) first.focus();
  });
}

// closeAll is for logging out.
export function closeAll() {
  for (const el of document.querySelectorAll('dialog')) el.close();
}

// form asks for values. A field is {name, label, type, help, value, options,
// required, show(values)}; submit(values) does it, and what it throws is shown
// in the dialog, with the values kept.
export function form({ title, intro, fields, submit, label, danger, wide, extra }) {
  const values = {};
  for (const x of fields) values[x.name] = x.value ?? (x.type === 'checkbox' ? false : '');
  const state = { error: null, busy: false };
  return open(title, (d) => {
    const send = async (e) => {
      e.preventDefault();
      state.busy = true;
      state.error = null;
      d.update();
      try {
        d.close((await submit(values, d)) ?? true);
      } catch (err) {
        state.error = err;
      }
      state.busy = false;
      d.update();
    };
    return h('form.dialog-form', { onsubmit: send },
      h('div.dialog-body',
        intro && h('div.intro', typeof intro === 'function' ? intro(values) : intro),
        fields.filter((x) => !x.show || x.show(values)).map((x) => field(x, values, d.update)),
        extra && extra(values, d.update)),
      state.error && h('div.dialog-error', { key: 'error' }, problem(state.error)),
      h('div.dialog-foot',
        button(t('ui.cancel'), () => d.close()),
        h('button.button', { type: 'submit', class: danger ? 'danger' : 'primary', disabled: state.busy }, h('span', label || t('ui.save')))));
  }, { wide });
}

export function confirm(title, text, label, submit, danger = true) {
  return form({ title, intro: h('p', text), fields: [], label, danger, submit });
}

let ids = 0;

export function field(x, values, update) {
  x.id = x.id || 'f' + ++ids;
  const set = (v) => {
    values[x.name] = v;
    x.changed?.(v, values);
    update();
  };
  const common = { id: x.id, name: x.name, required: x.required, placeholder: x.placeholder, 'aria-describedby': x.help ? x.id + 'h' : null, autocomplete: x.autocomplete || 'off' };
  const help = x.help && h('p.help', { id: x.id + 'h' }, typeof x.help === 'function' ? x.help(values) : x.help);
  if (x.type === 'custom') return h('div.field', { key: x.name }, x.label && h('span.label', x.label), x.view(values, update), help);
  if (x.type === 'checkbox') {
    return h('div.field', { key: x.name },
      h('label.check', h('input', { ...common, type: 'checkbox', checked: values[x.name], onchange: (e) => set(e.target.checked) }), h('span', x.label)), help);
  }
  let control;
  if (x.type === 'select') {
    control = h('select', { ...common, value: values[x.name], onchange: (e) => set(e.target.value) },
      x.options.map(([v, text]) => h('option', { key: v, value: v, selected: v === values[x.name] }, text)));
  } else if (x.type === 'textarea') {
    control = h('textarea', { ...common, rows: x.rows || 6, value: values[x.name], spellcheck: 'false', oninput: (e) => set(e.target.value) });
  } else if (x.type === 'file') {
    control = h('input', { ...common, type: 'file', accept: x.accept, onchange: (e) => set(e.target.files[0]) });
  } else {
    control = h('input', { ...common, type: x.type || 'text', min: x.min, max: x.max, list: x.list && x.id + 'l', value: values[x.name], spellcheck: 'false', oninput: (e) => set(e.target.value) });
  }
  return h('div.field', { key: x.name },
    h('label', { for: x.id }, x.label, x.required && h('span.required', { title: t('ui.required') }, ' *')), control,
    x.list && h('datalist', { id: x.id + 'l' }, x.list.map((v) => h('option', { key: v, value: v }))), help);
}
