// Says in words what went wrong and what to do about it. What the server said
// is shown as well: it has the details.

import { k, tx } from './i18n.js';

const rules = [
  [(e) => e.status === 0, k('err.unreachable'), k('err.unreachable.do')],
  [(e) => e.status === 401 && e.error === 'not_authorized', k('err.login'), k('err.login.do')],
  [(e) => e.status === 401 && /administrator user/.test(e.reason), k('err.tag_administrator'), k('err.tag.do')],
  [(e) => e.status === 401 && /monitor user/.test(e.reason), k('err.tag_monitoring'), k('err.tag.do')],
  [(e) => e.status === 401 && /management user/.test(e.reason), k('err.tag_management'), k('err.tag.do')],
  [(e) => e.status === 401 && /policymaker/.test(e.reason), k('err.tag_policymaker'), k('err.tag.do')],
  [(e) => e.status === 401 || e.status === 403, k('err.refused'), k('err.refused.do')],
  [(e) => /inequivalent arg/.test(e.reason), k('err.inequivalent'), k('err.inequivalent.do')],
  [(e) => /RESOURCE_LOCKED|exclusive access/.test(e.reason), k('err.locked'), k('err.locked.do')],
  [(e) => /reserved prefix/.test(e.reason), k('err.reserved'), k('err.reserved.do')],
  [(e) => /not_json/.test(e.reason), k('err.not_json'), k('err.not_json.do')],
  [(e) => /not empty/.test(e.reason), k('err.not_empty'), k('err.not_empty.do')],
  [(e) => / in use/.test(e.reason), k('err.in_use'), k('err.in_use.do')],
  [(e) => e.status === 404, k('err.not_found'), k('err.not_found.do')],
  [(e) => e.status === 405, k('err.not_here'), k('err.not_here.do')],
  [(e) => e.status === 413, k('err.too_large'), k('err.too_large.do')],
  [(e) => e.status === 429, k('err.too_many'), k('err.too_many.do')],
  [(e) => e.status === 400, k('err.bad_request'), k('err.bad_request.do')],
  [(e) => e.status === 503, k('err.unavailable'), k('err.unavailable.do')],
  [(e) => e.status >= 500, k('err.server'), k('err.server.do')],
];

export function explain(err) {
  if (err.status === undefined) return { what: err.message, todo: '', detail: '' };
  for (const [test, what, todo] of rules) {
    if (test(err)) return { what: tx(what), todo: tx(todo), detail: detailOf(err) };
  }
  return { what: err.message, todo: '', detail: '' };
}

function detailOf(err) {
  const said = err.reason || err.error || '';
  if (err.status === 0) return '';
  return said ? `${err.status}: ${said}` : String(err.status);
}
