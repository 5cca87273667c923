// Addresses of views: #/queues/%2F/orders/messages?page=2. They survive a
// reload and can be sent to others.

export function parse(hash = location.hash) {
  const [path, search] = hash.replace(/^#\/?/, '').split('?');
  const parts = path.split('/').filter((p) => p !== '').map(decode);
  return { parts, query: Object.fromEntries(new URLSearchParams(search || '')) };
}

function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

// to builds an address from decoded parts.
export function to(...parts) {
  let query = '';
  const last = parts[parts.length - 1];
  if (typeof last === 'object') {
    parts.pop();
    const set = Object.entries(last).filter(([, v]) => v !== undefined && v !== null && v !== '' && v !== false);
    if (set.length) query = '?' + new URLSearchParams(set.map(([n, v]) => [n, v === true ? '1' : v]));
  }
  return '#/' + parts.map(encodeURIComponent).join('/') + query;
}

export const go = (...parts) => { location.hash = parts.length === 1 && parts[0].startsWith('#') ? parts[0] : to(...parts); };

// match compares parts with a pattern such as 'queues/:vhost/:name'; '*' at the end takes the rest.
export function match(pattern, parts) {
  const want = pattern.split('/');
  const params = {};
  for (let i = 0; i < want.length; i++) {
    if (want[i].endsWith('?') && parts[i] === undefined) continue;
    if (parts[i] === undefined) return null;
    if (want[i].startsWith(':')) params[want[i].replace(/[:?]/g, '')] = parts[i];
    else if (want[i] !== parts[i]) return null;
  }
  return parts.length > want.length ? null : params;
}
