// A small virtual DOM: h() describes, render() changes only what differs. Data
// becomes text nodes and attributes, never markup, so nothing needs escaping.

const SVG = 'http://www.w3.org/2000/svg';

// Described is what h() returns. Only it becomes an element: what came from
// outside as JSON is text, whatever it looks like.
export class Described {
  constructor(tag, cls, props, kids) {
    Object.assign(this, { tag, cls, props, key: props.key, kids, el: null });
  }
}

// h('td.num', {title: 'x'}, 'text', child, [more]) describes an element.
// Properties: on… are listeners; class is added to those of the tag; style is an
// object of CSS properties; key tells siblings apart; widget is a function
// (element, data) that draws the inside itself and is called again when data
// changes; created is called once with the element.
export function h(tag, props, ...children) {
  if (props === null || typeof props !== 'object' || Array.isArray(props) || props instanceof Described) {
    if (props !== undefined && props !== null) children.unshift(props);
    props = {};
  }
  const [name, ...classes] = tag.split('.');
  if (props.class) classes.push(props.class);
  return new Described(name || 'div', classes.join(' '), props, flat(children, []));
}

function flat(list, out) {
  for (const c of list) {
    if (c === null || c === undefined || c === false || c === true) continue;
    if (Array.isArray(c)) flat(c, out);
    else if (c instanceof Described) out.push(c);
    else out.push({ tag: '#', text: typeof c === 'object' ? JSON.stringify(c) : String(c), el: null });
  }
  return out;
}

const handled = new Set(['key', 'class', 'style', 'widget', 'data', 'created', 'tag']);

function create(v, ns) {
  if (v.tag === '#') return (v.el = document.createTextNode(v.text));
  if (v.tag === 'svg') ns = SVG;
  const el = ns ? document.createElementNS(ns, v.tag) : document.createElement(v.tag);
  v.el = el;
  if (v.cls) el.setAttribute('class', v.cls);
  for (const name in v.props) setProp(el, name, v.props[name], undefined);
  if (v.props.style) setStyle(el, v.props.style, {});
  if (v.props.widget) v.props.widget(el, v.props.data);
  else for (const k of v.kids) el.appendChild(create(k, ns));
  if (v.tag === 'select' && v.props.value !== undefined) el.value = v.props.value;
  if (v.props.created) v.props.created(el);
  return el;
}

function setProp(el, name, value, old) {
  if (handled.has(name) || value === old) return;
  if (name.startsWith('on')) el[name] = value || null;
  else if (name === 'value' || name === 'checked' || name === 'indeterminate' || name === 'disabled' || name === 'open' && el.tagName !== 'DIALOG') {
    if (value === undefined) value = name === 'value' ? '' : false;
    if (el[name] !== value) el[name] = value;
  } else if (value === null || value === undefined || value === false) el.removeAttribute(name);
  else el.setAttribute(name, value === true ? '' : value);
}

function setStyle(el, style, old) {
  for (const p in old) if (!(p in style)) el.style.removeProperty(p);
  for (const p in style) if (style[p] !== old[p]) el.style.setProperty(p, style[p]);
}

function same(a, b) {
  return a.tag === b.tag && a.key === b.key && a.props?.widget === b.props?.widget;
}

function patch(old, v, ns) {
  const el = (v.el = old.el);
  if (v === old) return;
  if (v.tag === '#') {
    if (v.text !== old.text) el.nodeValue = v.text;
    return;
  }
  if (v.tag === 'svg') ns = SVG;
  if (v.cls !== old.cls) v.cls ? el.setAttribute('class', v.cls) : el.removeAttribute('class');
  for (const name in old.props) if (!(name in v.props)) setProp(el, name, undefined, old.props[name]);
  for (const name in v.props) setProp(el, name, v.props[name], old.props[name]);
  if (v.props.style || old.props.style) setStyle(el, v.props.style || {}, old.props.style || {});
  if (v.props.widget) {
    if (v.props.data !== old.props.data) v.props.widget(el, v.props.data);
  } else patchKids(el, old.kids, v.kids, ns);
  if (v.tag === 'select' && v.props.value !== undefined && v.props.value !== old.props.value) el.value = v.props.value;
}

function patchKids(el, olds, news, ns) {
  let i = 0;
  while (i < olds.length && i < news.length && same(olds[i], news[i])) patch(olds[i], news[i++], ns);
  if (i === olds.length && i === news.length) return;
  const byKey = new Map();
  const rest = [];
  for (let j = i; j < olds.length; j++) {
    if (olds[j].key !== undefined) byKey.set(olds[j].key, olds[j]);
    else rest.push(olds[j]);
  }
  let at = i < olds.length ? olds[i].el : null;
  for (; i < news.length; i++) {
    const v = news[i];
    let old;
    if (v.key !== undefined) {
      old = byKey.get(v.key);
      if (old && same(old, v)) byKey.delete(v.key);
      else old = undefined;
    } else {
      const r = rest.findIndex((o) => same(o, v));
      if (r >= 0) old = rest.splice(r, 1)[0];
    }
    if (old) {
      patch(old, v, ns);
      if (old.el === at) at = at.nextSibling;
      else el.insertBefore(old.el, at);
    } else el.insertBefore(create(v, ns), at);
  }
  for (const o of byKey.values()) o.el.remove();
  for (const o of rest) o.el.remove();
}

// render makes the children of root what the description says.
export function render(root, ...children) {
  const kids = flat(children, []);
  patchKids(root, root.vkids || [], kids, null);
  root.vkids = kids;
}

// scheduled returns a function that calls fn once, soon, however often it is called.
export function scheduled(fn) {
  let due = false;
  return () => {
    if (due) return;
    due = true;
    queueMicrotask(() => {
      due = false;
      fn();
    });
  };
}
