// The HTTP API. A session cookie where the server gives one, else the user's
// name and password for as long as the tab lives.

import * as prefs from './prefs.js';

export class ApiError extends Error {
  constructor(status, error, reason) {
    super(reason || error || String(status));
    this.status = status; // 0: no answer
    this.error = error;
    this.reason = reason || '';
  }
}

const root = new URL('api/', document.baseURI).pathname;
let basic = null; // 'Basic …', where there is no session
let expired = () => {};

try {
  basic = sessionStorage.getItem('warren.basic');
} catch { /* no storage */ }

export const onExpired = (fn) => { expired = fn; };

function keepBasic(value) {
  basic = value;
  try {
    if (value) sessionStorage.setItem('warren.basic', value);
    else sessionStorage.removeItem('warren.basic');
  } catch { /* for this page only */ }
}

function reasonText(reason) {
  if (typeof reason === 'string') return reason;
  return Array.isArray(reason) ? reason.map(reasonText).join(', ') : JSON.stringify(reason ?? '');
}

async function failure(response) {
  const text = await response.text();
  try {
    const body = JSON.parse(text);
    return new ApiError(response.status, body.error, reasonText(body.reason ?? body.error));
  } catch {
    return new ApiError(response.status, '', text.slice(0, 300));
  }
}

// call asks the server; path is below api/. It returns the JSON of the answer, null if it has none.
export async function call(method, path, body, options = {}) {
  const headers = { 'X-Requested-With': 'warren', Accept: 'application/json', ...options.headers };
  if (basic) headers.Authorization = basic;
  let payload;
  if (options.form) payload = new URLSearchParams(body);
  else if (body !== undefined) {
    headers['Content-Type'] = 'application/json';
    payload = JSON.stringify(body);
  }
  let response;
  try {
    response = await fetch(root + path, { method, headers, body: payload, signal: options.signal, credentials: 'same-origin', cache: 'no-store' });
  } catch (err) {
    if (err.name === 'AbortError') throw err;
    throw new ApiError(0, 'unreachable', err.message);
  }
  if (!response.ok) {
    const err = await failure(response);
    // Both spellings are RabbitMQ's: not_authorized means who, not_authorised means what.
    if (err.status === 401 && err.error !== 'not_authorised' && !options.login) expired(err);
    throw err;
  }
  if (response.status === 204) return null;
  const text = await response.text();
  if (text === '') return null;
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiError(response.status, 'bad_answer', text.slice(0, 200));
  }
}

export const get = (path, options) => call('GET', path, undefined, options);
export const put = (path, body) => call('PUT', path, body);
export const post = (path, body) => call('POST', path, body);
export const del = (path, headers) => call('DELETE', path, undefined, { headers });

// download fetches a document and hands it to the browser as a file.
export async function download(path, name) {
  const data = await get(path);
  const url = URL.createObjectURL(new Blob([JSON.stringify(data, null, 2)], { type: 'application/json' }));
  const a = document.createElement('a');
  a.href = url;
  a.download = name;
  a.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

function base64(text) {
  let s = '';
  for (const b of new TextEncoder().encode(text)) s += String.fromCharCode(b);
  return btoa(s);
}

export async function login(username, password) {
  keepBasic(null);
  try {
    const answer = await call('POST', 'login', { username, password }, { form: true, login: true });
    if (!answer?.token) keepBasic('Basic ' + base64(username + ':' + password)); // RabbitMQ before 4
  } catch (err) {
    if (err.status !== 404 && err.status !== 405) throw err;
    keepBasic('Basic ' + base64(username + ':' + password));
  }
  try {
    const who = await call('GET', 'whoami', undefined, { login: true });
    prefs.set('session', true);
    return who;
  } catch (err) {
    keepBasic(null);
    throw err;
  }
}

export async function logout() {
  prefs.set('session', undefined);
  const had = basic;
  keepBasic(null);
  if (!had) await call('DELETE', 'login', undefined, { login: true });
}

// resume says who is logged in, or null.
export async function resume() {
  if (!basic && !prefs.get('session')) return null;
  try {
    return await call('GET', 'whoami', undefined, { login: true });
  } catch (err) {
    if (err.status !== 401) throw err;
    prefs.set('session', undefined);
    keepBasic(null);
    return null;
  }
}

// Which additions the server has. Asked once per session.
const known = new Map();
export async function has(path) {
  if (!known.has(path)) {
    known.set(path, get(path).then(() => true, (err) => {
      if (err.status !== 404 && err.status !== 405) known.delete(path);
      return ![0, 401, 404, 405, 406].includes(err.status);
    }));
  }
  return known.get(path);
}
export const forget = () => known.clear();
