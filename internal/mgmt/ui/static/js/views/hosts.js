// Commands on hosts: who is there, what was run, and what it prints.

import { h } from '../dom.js';
import { t } from '../i18n.js';
import * as api from '../api.js';
import * as f from '../format.js';
import { go, to } from '../router.js';
import * as dialog from '../dialog.js';
import { app, tags, vhost as chosen } from '../app.js';
import { badge, button, facts, heading, link, panel, problem, table, toast } from '../parts.js';

const kinds = { ok: 'ok', failed: 'danger', lost: 'danger', refused: 'danger', 'timed out': 'warn', expired: 'warn', cancelled: 'warn' };
const stateBadge = (s, n) => badge((n ? f.count(n) + ' ' : '') + word(s), kinds[s] || '');
const mayRun = () => tags().some((x) => x === 'administrator' || x === 'hosts');
const where = (ctx) => ctx.params.vhost || chosen() || (app.vhosts.includes('/') ? '/' : app.vhosts[0] || '/');

function word(s) {
  switch (s) {
    case 'waiting': return t('hosts.state.waiting');
    case 'starting': return t('hosts.state.starting');
    case 'running': return t('hosts.state.running');
    case 'ok': return t('hosts.state.ok');
    case 'failed': return t('hosts.state.failed');
    case 'timed out': return t('hosts.state.timed_out');
    case 'cancelled': return t('hosts.state.cancelled');
    case 'expired': return t('hosts.state.expired');
    case 'lost': return t('hosts.state.lost');
    case 'refused': return t('hosts.state.refused');
  }
  return s;
}

const counts = (c) => Object.entries(c || {}).filter(([, n]) => n > 0).map(([s, n]) => h('span', { key: s }, stateBadge(s, n), ' '));

// load keeps what the server said, and its refusals; that it is away is the frame's to say.
function loader(state, fetch) {
  return async (signal) => {
    try {
      Object.assign(state, await fetch(signal), { error: null });
    } catch (err) {
      if (err.status === undefined || err.status === 0) throw err;
      state.error = err;
    }
  };
}

// run asks for a command; again is a task that it begins with, as whom and where it ran.
export function run(ctx, v, names = [], again = {}) {
  return dialog.form({
    title: t('hosts.run'), label: t('hosts.run'), wide: true, intro: h('p', t('hosts.run_text')),
    fields: [
      { name: 'command', label: t('hosts.command'), required: true, value: again.command || '', placeholder: 'df -h' },
      { name: 'hosts', label: t('hosts.on'), required: true, value: names.join(' '), placeholder: 'web-7 10.0.0.* @db @all', help: t('hosts.on_help') },
      { name: 'shell', label: t('hosts.shell'), type: 'checkbox', value: !!again.shell, help: t('hosts.shell_help') },
      again.user && { name: 'user', label: t('hosts.user'), value: again.user },
      again.dir && { name: 'dir', label: t('hosts.dir'), value: again.dir },
      { name: 'timeout', label: t('hosts.timeout'), type: 'number', min: 1, value: Math.ceil((again.timeout_ms || 300000) / 1000), help: t('hosts.timeout_help') },
      { name: 'expires', label: t('hosts.expires'), type: 'number', min: 1, value: 1800, help: t('hosts.expires_help') },
    ].filter(Boolean),
    submit: async (x) => {
      const task = await api.post(`hosts/${f.enc(v)}/tasks`, { command: x.command, hosts: x.hosts.split(/[\s,]+/).filter(Boolean), shell: x.shell, user: x.user, dir: x.dir, timeout: Number(x.timeout) || 0, expires: Number(x.expires) || 0 });
      toast(t('hosts.begun', { id: task.id }));
      go('hosts', v, 'tasks', String(task.id));
    },
  });
}

export function hosts(ctx) {
  const v = where(ctx);
  const state = { hosts: null, tasks: null, error: null };
  const load = loader(state, async (signal) => {
    const [list, tasks] = await Promise.all([api.get(`hosts/${f.enc(v)}`, { signal }), api.get(`hosts/${f.enc(v)}/tasks?limit=50`, { signal })]);
    return { hosts: list, tasks };
  });
  const begin = (names) => run(ctx, v, names);
  return {
    load, title: () => t('nav.hosts'),
    view: () => [
      heading(t('nav.hosts'), { badges: [badge(v)], actions: mayRun() && button(t('hosts.run'), () => begin([]), { kind: 'primary', icon: 'plus' }) }),
      h('p.help', t('hosts.text')),
      state.error && problem(state.error),
      !state.hosts ? !state.error && h('div.loading', t('ui.loading')) : [
        panel(t('hosts.list'), table([
          [t('hosts.name'), (x) => x.name], [t('hosts.there'), (x) => (x.online ? badge(t('hosts.online'), 'ok') : badge(t('hosts.offline'), 'warn'))],
          [t('hosts.groups'), (x) => x.groups?.join(', ') || f.none], [t('hosts.addresses'), (x) => x.addrs?.join(', ') || f.none],
          [t('hosts.load'), (x) => (x.load ? x.load.map((n) => n.toFixed(2)).join(' ') : f.none), { num: true }], [t('hosts.running'), (x) => `${f.count(x.running)} / ${f.count(x.slots)}`, { num: true }],
          [t('hosts.since'), (x) => f.date(x.since), { nowrap: true }], [t('node.version'), (x) => x.program],
          ['', (x) => mayRun() && button(t('hosts.run_here'), () => begin([x.name]), { kind: 'quiet' }), { actions: true }],
        ], state.hosts, (x) => x.name, t('hosts.none'))),
        panel(t('hosts.tasks'), table([
          [t('hosts.task'), (x) => link(String(x.id), to('hosts', v, 'tasks', String(x.id)))], [t('hosts.command'), (x) => h('code', x.command)], [t('hosts.hosts'), (x) => f.count(x.hosts), { num: true }],
          [t('hosts.result'), (x) => (x.count ? counts(x.count) : f.none)], [t('hosts.by'), (x) => x.by], [t('hosts.created'), (x) => f.date(x.created), { nowrap: true }],
        ], state.tasks, (x) => x.id, t('hosts.no_tasks'))),
      ],
    ],
  };
}

// task shows one task; while it goes on it is read every second.
export function task(ctx) {
  const v = where(ctx);
  const { id } = ctx.params;
  const state = { task: null, error: null };
  const load = loader(state, async (signal) => {
    const got = await api.get(`hosts/${f.enc(v)}/tasks/${f.enc(id)}`, { signal });
    clearTimeout(state.timer);
    if (!got.final) state.timer = setTimeout(() => { if (app.ctx === ctx && !document.hidden) ctx.refresh(); }, 1000);
    return { task: got };
  });
  const cancel = () => dialog.confirm(t('hosts.cancel'), t('hosts.cancel_text', { id }), t('hosts.cancel'), async () => { await api.del(`hosts/${f.enc(v)}/tasks/${f.enc(id)}`); toast(t('hosts.cancelling')); ctx.refresh(); });

  function host(x) {
    const exit = x.signal ? t('hosts.signal', { signal: x.signal }) : x.exit !== undefined ? t('hosts.exit', { code: x.exit }) : '';
    return panel(x.name || x.as, { key: x.name || x.as, extra: [stateBadge(x.state), ' ', exit, x.duration_ms !== undefined && ` ${f.duration(x.duration_ms)}`] },
      h('div',
        x.reason && h('p.help', x.reason), x.online === false && !x.final && h('p.help', t('hosts.not_there')),
        x.stdout && h('pre.payload', { 'data-stream': 'stdout' }, x.stdout), x.stderr && [h('p.help', t('hosts.stderr')), h('pre.payload', { 'data-stream': 'stderr' }, x.stderr)],
        !x.stdout && !x.stderr && h('p.empty', t('hosts.silent')), x.truncated && h('p.help', t('hosts.truncated', { n: f.bytes(x.printed_bytes) }))));
  }

  function view() {
    const x = state.task;
    const crumbs = [[t('nav.hosts'), to('hosts', v)]];
    if (!x) return [heading(t('hosts.task_title', { id }), { crumbs }), state.error ? problem(state.error) : h('div.loading', t('ui.loading'))];
    return [
      heading(t('hosts.task_title', { id }), { crumbs, badges: counts(x.count), actions: mayRun() && [!x.final && button(t('hosts.cancel'), cancel, { kind: 'danger' }), button(t('hosts.again'), () => run(ctx, v, x.hosts.map((y) => y.name), x))] }),
      state.error && problem(state.error),
      panel(t('ui.details'), facts([
        [t('hosts.command'), h('code', x.command)], [t('hosts.by'), x.by], [t('hosts.from'), x.from], [t('hosts.created'), f.date(x.created)],
        [t('hosts.deadline'), f.date(x.deadline)], [t('hosts.shell'), x.shell ? t('ui.yes') : null], [t('hosts.user'), x.user], [t('hosts.dir'), x.dir],
      ])),
      x.hosts.map(host),
    ];
  }
  return { load, view, title: () => t('hosts.task_title', { id }) };
}
