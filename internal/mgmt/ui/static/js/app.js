// The frame around all views: who is logged in, navigation, what is wrong, and
// the clock that asks the server again. It does not ask while nobody looks.

import { h, render, scheduled } from './dom.js';
import { t, choose, current, languages } from './i18n.js';
import * as api from './api.js';
import * as router from './router.js';
import * as prefs from './prefs.js';
import * as dialog from './dialog.js';
import * as f from './format.js';
import { icon } from './icons.js';
import { button, choice, iconButton, notice, problem, toastError } from './parts.js';
import { loginView } from './views/login.js';
import { navigation, routes, forbidden } from './routes.js';
import { problems } from './health.js';

const root = document.getElementById('app');

export const app = {
  me: null,
  page: null, // {view(), load(signal)}
  ctx: null,
  overview: null,
  nodes: [],
  vhosts: [],
  features: {},
  error: null, // of the last round
  updated: 0,
  loading: false,
  menu: false,
};

export const tags = () => [].concat(app.me?.tags || []).flatMap((x) => String(x).split(',')).map((x) => x.trim());
const above = { management: ['management', 'policymaker', 'monitoring', 'administrator'], policymaker: ['policymaker', 'administrator'], monitoring: ['monitoring', 'administrator'], administrator: ['administrator'] };
export const may = (tag) => !tag || tags().some((x) => above[tag].includes(x));

let timer = null;
let running = null; // AbortController of the round under way

export const interval = () => prefs.get('interval', 5);

async function round() {
  clearTimeout(timer);
  if (!app.me || document.hidden) return;
  running?.abort();
  const control = (running = new AbortController());
  const { page } = app;
  app.loading = true;
  update();
  try {
    await Promise.all([page?.load?.(control.signal), status(control.signal)]);
    app.error = null;
    app.updated = Date.now();
  } catch (err) {
    if (err.name === 'AbortError' || control !== running) return;
    app.error = err;
  }
  if (control !== running) return;
  running = null;
  app.loading = false;
  update();
  const wait = app.error ? Math.max(3, interval() || 3) : interval();
  if (wait > 0 && app.me) timer = setTimeout(round, wait * 1000);
}

// status is what the frame itself shows.
async function status(signal) {
  const asked = [api.get('overview?columns=cluster_name,product_name,product_version,rabbitmq_version,object_totals,exchange_types,queue_totals,rates_mode,disable_stats,sample_retention_policies', { signal })];
  asked.push(api.get('vhosts?columns=name', { signal }));
  if (may('monitoring')) asked.push(api.get('nodes?columns=name,running,mem_alarm,mem_used,mem_limit,disk_free_alarm,disk_free,disk_free_limit,fd_used,fd_total,partitions,being_drained', { signal }));
  const [overview, vhosts, nodes] = await Promise.all(asked);
  app.overview = overview;
  app.vhosts = vhosts.map((v) => v.name);
  app.nodes = nodes || [];
}

export const refresh = () => { round(); };

// ---- views ----

function show() {
  if (!app.me) return update();
  const { parts, query } = router.parse();
  const path = parts.join('\u0000');
  if (app.ctx && app.ctx.path === path) {
    app.ctx.query = query;
    update();
    return round();
  }
  app.menu = false;
  const found = find(parts);
  const ctx = (app.ctx = { path, parts, query, params: found.params, app, update, refresh, setQuery, may });
  app.page = may(found.tag) ? found.view(ctx) : forbidden(ctx, found.tag);
  app.section = found.section;
  update();
  window.scrollTo(0, 0);
  round();
}

function find(parts) {
  for (const r of routes) {
    const params = router.match(r.path, parts.length ? parts : ['overview']);
    if (params) return { ...r, params };
  }
  return { ...routes.at(-1), params: {} };
}

// setQuery changes the address of the view without a step in the history.
function setQuery(change) {
  const query = { ...app.ctx.query, ...change };
  history.replaceState(null, '', router.to(...app.ctx.parts, query));
  app.ctx.query = router.parse().query;
  update();
  round();
}

export function vhost() {
  const v = prefs.get('vhost', '');
  return app.vhosts.length === 0 || app.vhosts.includes(v) ? v : '';
}

// oneVHost: no need to say which.
export function oneVHost() {
  return app.vhosts.length === 1 || vhost() !== '';
}

// ---- the frame ----

const draw = () => {
  document.title = [app.page?.title?.(), app.overview?.cluster_name, 'Warren'].filter(Boolean).join(' · ');
  if (!app.me) return render(root, loginView({ app, entered, update }));
  render(root,
    h('a.skip', { href: '#main', onclick: (e) => { e.preventDefault(); document.getElementById('main').focus(); } }, t('nav.skip')),
    h('div.frame', { class: app.menu ? 'menu-open' : '' },
      sidebar(),
      h('div.content',
        topbar(),
        h('main', { id: 'main', tabindex: '-1' },
          app.error && h('div.banner', { key: 'error' }, problem(app.error)),
          problems(app).map((p) => h('div.banner', { key: p.key }, notice(p.kind, p.what, p.todo))),
          h('div.page', { key: app.ctx?.path }, app.page?.view())))));
};
const update = scheduled(draw);
export { update };

function sidebar() {
  return h('aside.sidebar',
    h('div.brand', h('img', { src: 'icon.svg', alt: '', width: 28, height: 28 }), h('div', h('strong', 'Warren'), h('span.cluster', { title: app.overview?.cluster_name }, app.overview?.cluster_name || '')),
      iconButton(app.menu ? 'close' : 'menu', t('nav.menu'), () => { app.menu = !app.menu; update(); }, { class: 'icon-button menu-button', 'aria-expanded': app.menu ? 'true' : 'false' })),
    h('nav', { 'aria-label': t('nav.main') }, navigation().map((n) => h('a.nav', {
      key: n.id, href: n.href, 'aria-current': app.section === n.id ? 'page' : null,
      class: n.child ? 'child' : '',
    }, n.icon && icon(n.icon), h('span', n.label), n.count !== undefined && h('span.count', f.short(n.count))))),
    h('div.sidebar-foot', app.overview && h('span', `${app.overview.product_name} ${app.overview.product_version}`)));
}

function topbar() {
  const intervals = [1, 2, 5, 10, 30, 60, 0];
  return h('div.topbar',
    app.vhosts.length > 1 && choice(t('nav.vhost'), vhost(), [['', t('nav.all_vhosts')], ...app.vhosts.map((v) => [v, v])], (v) => { prefs.set('vhost', v); refresh(); }),
    h('span.space'),
    h('span.fresh', { class: app.error ? 'bad' : app.loading ? 'busy' : '', title: app.updated ? t('nav.updated', { time: f.time(app.updated) }) : '' },
      h('span.pulse', { 'aria-hidden': 'true' }), h('span.fresh-text', app.error ? t('nav.offline') : app.updated ? f.time(app.updated) : '')),
    choice(t('nav.interval'), String(interval()), intervals.map((s) => [String(s), s ? t('nav.every', { s }) : t('nav.paused')]), (v) => { prefs.set('interval', Number(v)); refresh(); }),
    iconButton('refresh', t('nav.refresh'), refresh),
    preferences(),
    h('span.user', h('span.user-name', { title: tags().join(', ') }, app.me.name), iconButton('logout', t('nav.logout'), logout)));
}

// preferences are there before the login, too.
export function preferences() {
  const theme = prefs.get('theme', 'auto');
  const next = { auto: 'light', light: 'dark', dark: 'auto' }[theme];
  const names = { auto: t('theme.auto'), light: t('theme.light'), dark: t('theme.dark') };
  return [
    iconButton({ auto: 'auto', light: 'sun', dark: 'moon' }[theme], t('theme.switch', { now: names[theme], next: names[next] }), () => {
      prefs.set('theme', next);
      prefs.applyTheme(next);
      update();
    }, { 'data-theme-switch': theme }),
    choice(t('nav.language'), current(), Object.entries(languages), (l) => { choose(l); update(); }),
  ];
}

// ---- coming and going ----

async function entered(me) {
  app.me = me;
  app.error = null;
  app.features = {};
  api.forget();
  app.ctx = null;
  try {
    await detect();
  } catch (err) {
    app.error = err; // what is missing then is not offered; the first round says why
  }
  show();
}

// detect finds out once what the server has beyond the common API. Plugins are
// listed by the nodes; additions are asked for, unless this is a RabbitMQ.
async function detect() {
  const { product_name: product, additions = [] } = await api.get('overview?columns=product_name,additions');
  const nodes = may('monitoring') ? await api.get('nodes?columns=enabled_plugins') : [];
  const plugin = (name) => nodes.some((n) => n.enabled_plugins?.includes(name));
  const found = { streams: plugin('rabbitmq_stream_management'), shovels: plugin('rabbitmq_shovel_management'), federation: plugin('rabbitmq_federation_management'), messages: product !== 'RabbitMQ', hosts: additions.includes('hosts') };
  if (product !== 'RabbitMQ' && may('administrator')) {
    const probes = { audit: 'audit?count=1', plugins: 'plugins', config: 'config/effective' };
    await Promise.all(Object.entries(probes).map(async ([name, path]) => { found[name] = await api.has(path); }));
  }
  app.features = found;
}

async function logout() {
  try {
    await api.logout();
  } catch (err) {
    toastError(err);
  }
  history.replaceState(null, '', '#/'); // whoever comes next begins at the beginning
  leave();
}

function leave(reason) {
  app.me = null;
  app.page = null;
  app.ctx = null;
  app.overview = null;
  app.vhosts = [];
  app.nodes = [];
  app.message = reason;
  clearTimeout(timer);
  running?.abort();
  dialog.closeAll();
  prefs.set('session', undefined);
  update();
}

function shortcuts(e) {
  if (e.ctrlKey || e.metaKey || e.altKey || !app.me || document.querySelector('dialog')) return;
  if (/^(INPUT|TEXTAREA|SELECT)$/.test(e.target.tagName)) return;
  const views = { o: 'overview', c: 'connections', h: 'channels', e: 'exchanges', q: 'queues', n: 'nodes', a: 'admin' };
  if (shortcuts.g && views[e.key]) router.go(views[e.key]);
  shortcuts.g = e.key === 'g';
  if (e.key === '/') {
    const input = document.querySelector('[data-filter]');
    if (input) {
      e.preventDefault();
      input.focus();
    }
  }
  if (e.key === 'r') refresh();
  if (e.key === '?') help();
}

function help() {
  dialog.open(t('help.title'), () => h('div.dialog-body', h('dl.facts', [
    ['/', t('help.filter')], ['r', t('help.refresh')], ['g o', t('nav.overview')], ['g c', t('nav.connections')], ['g h', t('nav.channels')],
    ['g e', t('nav.exchanges')], ['g q', t('nav.queues')], ['g n', t('nav.nodes')], ['g a', t('nav.admin')], ['?', t('help.title')],
  ].map(([key, text]) => h('div', h('dt', h('kbd', key)), h('dd', text))))));
}

export async function start() {
  api.onExpired(() => { if (app.me) leave('expired'); });
  window.addEventListener('hashchange', show);
  document.addEventListener('visibilitychange', () => { if (document.hidden) clearTimeout(timer); else round(); });
  document.addEventListener('keydown', shortcuts);
  try {
    const me = await api.resume();
    if (me) return entered(me);
  } catch (err) {
    app.message = err;
  }
  update();
}
