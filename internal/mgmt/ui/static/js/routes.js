// Which address shows which view, and who may see it.

import { t } from './i18n.js';
import { app, may } from './app.js';
import { heading, notice } from './parts.js';
import { overview } from './views/overview.js';
import { connections, connection } from './views/connections.js';
import { channels, channel } from './views/channels.js';
import { exchanges, exchange } from './views/exchanges.js';
import { queues } from './views/queues.js';
import { queue } from './views/queue.js';
import { streams } from './views/streams.js';
import { nodes, node } from './views/nodes.js';
import { users, user } from './views/users.js';
import { vhosts, vhostPage } from './views/vhosts.js';
import { policies } from './views/policies.js';
import { limits } from './views/limits.js';
import { parameters } from './views/parameters.js';
import { definitions } from './views/definitions.js';
import { plugins, flags, config } from './views/server.js';
import { audit } from './views/audit.js';
import { hosts, task } from './views/hosts.js';

export const routes = [
  { path: 'overview', section: 'overview', view: overview },
  { path: 'connections', section: 'connections', view: connections },
  { path: 'connections/:name', section: 'connections', view: connection },
  { path: 'channels', section: 'channels', view: channels },
  { path: 'channels/:name', section: 'channels', view: channel },
  { path: 'exchanges', section: 'exchanges', view: exchanges },
  { path: 'exchanges/:vhost/:name', section: 'exchanges', view: exchange },
  { path: 'queues', section: 'queues', view: queues },
  { path: 'queues/:vhost/:name/:tab?', section: 'queues', view: queue },
  { path: 'streams', section: 'streams', view: streams },
  { path: 'nodes', section: 'nodes', view: nodes, tag: 'monitoring' },
  { path: 'nodes/:name', section: 'nodes', view: node, tag: 'monitoring' },
  { path: 'hosts/:vhost?', section: 'hosts', view: hosts },
  { path: 'hosts/:vhost/tasks/:id', section: 'hosts', view: task },
  { path: 'admin', section: 'users', view: (ctx) => (may('administrator') ? users : policies)(ctx), tag: 'policymaker' },
  { path: 'admin/users', section: 'users', view: users, tag: 'administrator' },
  { path: 'admin/users/:name', section: 'users', view: user, tag: 'administrator' },
  { path: 'admin/vhosts', section: 'vhosts', view: vhosts, tag: 'administrator' },
  { path: 'admin/vhosts/:name', section: 'vhosts', view: vhostPage, tag: 'administrator' },
  { path: 'admin/policies/:kind?', section: 'policies', view: policies, tag: 'policymaker' },
  { path: 'admin/limits', section: 'limits', view: limits, tag: 'administrator' },
  { path: 'admin/parameters', section: 'parameters', view: parameters, tag: 'policymaker' },
  { path: 'admin/definitions', section: 'definitions', view: definitions, tag: 'administrator' },
  { path: 'admin/plugins', section: 'plugins', view: plugins, tag: 'administrator' },
  { path: 'admin/flags', section: 'flags', view: flags, tag: 'administrator' },
  { path: 'admin/config', section: 'config', view: config, tag: 'administrator' },
  { path: 'admin/audit', section: 'audit', view: audit, tag: 'administrator' },
  { path: 'none', section: '', view: missing },
];

export function navigation() {
  const n = app.overview?.object_totals || {};
  return [
    { id: 'overview', label: t('nav.overview'), href: '#/overview', icon: 'overview' },
    { id: 'connections', label: t('nav.connections'), href: '#/connections', icon: 'connections', count: n.connections },
    { id: 'channels', label: t('nav.channels'), href: '#/channels', icon: 'channels', count: n.channels },
    { id: 'exchanges', label: t('nav.exchanges'), href: '#/exchanges', icon: 'exchanges', count: n.exchanges },
    { id: 'queues', label: t('nav.queues'), href: '#/queues', icon: 'queues', count: n.queues },
    app.features.streams && { id: 'streams', label: t('nav.streams'), href: '#/streams', icon: 'streams' },
    may('monitoring') && { id: 'nodes', label: t('nav.nodes'), href: '#/nodes', icon: 'nodes' },
    app.features.hosts && { id: 'hosts', label: t('nav.hosts'), href: '#/hosts', icon: 'hosts' },
    may('policymaker') && { id: 'admin', label: t('nav.admin'), href: '#/admin', icon: 'admin' },
    may('administrator') && { id: 'users', label: t('nav.users'), href: '#/admin/users', child: true },
    may('administrator') && { id: 'vhosts', label: t('nav.vhosts'), href: '#/admin/vhosts', child: true },
    may('policymaker') && { id: 'policies', label: t('nav.policies'), href: '#/admin/policies', child: true },
    may('administrator') && { id: 'limits', label: t('nav.limits'), href: '#/admin/limits', child: true },
    may('policymaker') && { id: 'parameters', label: t('nav.parameters'), href: '#/admin/parameters', child: true },
    may('administrator') && { id: 'definitions', label: t('nav.definitions'), href: '#/admin/definitions', child: true },
    app.features.plugins && { id: 'plugins', label: t('nav.plugins'), href: '#/admin/plugins', child: true },
    may('administrator') && { id: 'flags', label: t('nav.flags'), href: '#/admin/flags', child: true },
    app.features.config && { id: 'config', label: t('nav.config'), href: '#/admin/config', child: true },
    app.features.audit && { id: 'audit', label: t('nav.audit'), href: '#/admin/audit', child: true },
  ].filter(Boolean);
}

function missing() {
  return { title: () => t('page.missing'), view: () => [heading(t('page.missing')), notice('info', t('page.missing_text'), t('page.missing_do'))] };
}

export function forbidden(ctx, tag) {
  return { title: () => t('page.forbidden'), view: () => [heading(t('page.forbidden')), notice('warn', t('page.forbidden_text', { tag }), t('err.tag.do'))] };
}

