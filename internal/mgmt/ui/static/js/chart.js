// Line charts, drawn by hand as SVG from the samples of the API.

import { h, render } from './dom.js';
import { t } from './i18n.js';
import * as f from './format.js';
import * as prefs from './prefs.js';
import { segments } from './parts.js';
import { app } from './app.js';

export const ranges = { '1m': [60, 5], '10m': [600, 5], '1h': [3600, 60], '8h': [28800, 600] };

// What the server is configured to tell (rates_mode, disable_stats).
export function off() { return app.overview?.disable_stats === true; }
export function noRates() { return off() || app.overview?.rates_mode === 'none'; }

// offered are the ranges that the server keeps samples for; the last minute is
// part of each.
function offered() {
  const policy = { queues: 'basic', connections: 'basic', channels: 'basic', exchanges: 'detailed' }[app.ctx?.parts[0]] || 'global';
  const kept = app.overview?.sample_retention_policies?.[policy];
  return Object.keys(ranges).filter((r) => r === '1m' || !kept || kept.includes(ranges[r][0]));
}

// range is the one that was chosen, or the longest below it that there is.
export function range() {
  const all = Object.keys(ranges);
  const chosen = Math.max(0, all.indexOf(prefs.get('range')));
  return offered().findLast((r) => all.indexOf(r) <= chosen);
}

// ages is the part of a query that asks for samples: 'lengths', 'msg_rates' …
export function ages(...kinds) {
  const [age, incr] = ranges[range()];
  return kinds.map((kind) => `${kind}_age=${age}&${kind}_incr=${incr}`).join('&');
}

export function rangeChoice(ctx) {
  if (off()) return null;
  const labels = { '1m': t('chart.1m'), '10m': t('chart.10m'), '1h': t('chart.1h'), '8h': t('chart.8h') };
  return segments(t('chart.range'), range(), offered().map((r) => [r, labels[r]]), (v) => {
    prefs.set('range', v);
    ctx.refresh();
  });
}

// levels reads [time, value] from the samples of a length.
export function levels(details) {
  if (!details?.samples) return [];
  return details.samples.map((s) => [s.timestamp, s.sample]).sort((a, b) => a[0] - b[0]);
}

// rates reads [time, per second] from the samples of a counter.
export function rates(details) {
  const s = levels(details);
  const out = [];
  for (let i = 1; i < s.length; i++) {
    const dt = (s[i][0] - s[i - 1][0]) / 1000;
    if (dt > 0) out.push([s[i][0], Math.max(0, (s[i][1] - s[i - 1][1]) / dt)]);
  }
  return out;
}

// chart describes one: series are {id, label, points, color: 1…8, value}; limit is
// {value, label}; format writes values.
export function chart(title, series, options = {}) {
  if (off()) return null;
  return h('figure.chart', { key: options.key || title, 'aria-label': title },
    h('figcaption', h('h3', title), options.note && h('span.note', options.note)),
    h('div.chart-area', { widget: area, data: { title, series, span: ranges[range()][0] * 1000, format: f.short, ...options } }));
}

// without stands where a chart would, and says why there is none.
export function without(title, why, todo) {
  return h('figure.chart', { key: title, 'aria-label': title }, h('figcaption', h('h3', title)), h('div.empty', h('strong', why), h('p', todo)));
}

function area(el, data) {
  const state = (el.chart = el.chart || { off: new Set(prefs.get('chart.' + (data.key || data.title), [])), width: 0, hover: null });
  state.data = data;
  const draw = (state.draw = () => render(el, svg(el, state), legend(el, state)));
  if (!state.observer) {
    state.observer = new ResizeObserver((entries) => {
      const w = Math.round(entries[0].contentRect.width);
      if (w !== state.width && w > 0) {
        state.width = w;
        state.draw();
      }
    });
    state.observer.observe(el);
  }
  draw();
}

const height = 168;
const margins = { left: 46, right: 8, top: 8, bottom: 20 };

function niceMax(v) {
  if (!(v > 0)) return 1;
  const e = 10 ** Math.floor(Math.log10(v));
  for (const m of [1, 1.5, 2, 3, 4, 5, 6, 8, 10]) if (m * e >= v) return m * e;
  return 10 * e;
}

function niceBytes(v) {
  let unit = 1;
  while (v >= unit * 1024) unit *= 1024;
  return niceMax(v / unit) * unit;
}

function svg(el, state) {
  const { data } = state;
  const w = state.width || 480;
  const pad = data.bytes ? { ...margins, left: 64 } : margins;
  const shown = data.series.filter((s) => !state.off.has(s.id));
  const last = Math.max(0, ...data.series.flatMap((s) => s.points.map((p) => p[0])));
  const end = last || Date.now();
  const start = end - data.span;
  const points = shown.map((s) => s.points.filter((p) => p[0] >= start - data.span / 12));
  let max = Math.max(0, ...points.flat().map((p) => p[1]));
  const limit = data.limit?.value > 0 ? data.limit : null;
  if (limit && limit.always) max = Math.max(max, limit.value * 1.05);
  max = data.bytes ? niceBytes(max) : niceMax(Math.max(max, data.whole ? 4 : 0));
  const x = (ms) => pad.left + ((ms - start) / data.span) * (w - pad.left - pad.right);
  const y = (v) => height - pad.bottom - (v / max) * (height - pad.top - pad.bottom);
  const line = (p) => p.map(([ms, v], i) => `${i ? 'L' : 'M'}${x(ms).toFixed(1)} ${y(v).toFixed(1)}`).join('');
  const hover = state.hover !== null && shown.length ? nearest(points, start + ((state.hover - pad.left) / (w - pad.left - pad.right)) * data.span) : null;
  const clip = 'clip' + (state.id = state.id || Math.random().toString(36).slice(2));
  state.hovered = hover;
  return h('svg', {
    viewBox: `0 0 ${w} ${height}`, width: w, height, role: 'img', 'aria-label': summary(data),
    onpointermove: (e) => { state.hover = e.clientX - el.getBoundingClientRect().left; state.draw(); },
    onpointerleave: () => { state.hover = null; state.draw(); },
  },
  h('clipPath', { id: clip }, h('rect', { x: pad.left, y: 0, width: Math.max(0, w - pad.left - pad.right), height })),
  [0, 0.25, 0.5, 0.75, 1].map((q) => [
    h('line.grid', { x1: pad.left, x2: w - pad.right, y1: y(max * q), y2: y(max * q) }),
    q * 4 % 2 === 0 && h('text.axis', { x: pad.left - 6, y: y(max * q) + 4, 'text-anchor': 'end' }, data.format(max * q)),
  ]),
  [0, 0.5, 1].map((q) => h('text.axis', { x: x(start + data.span * q), y: height - 4, 'text-anchor': q === 0 ? 'start' : q === 1 ? 'end' : 'middle' }, f.time(start + data.span * q).slice(0, data.span > 600000 ? 5 : 8))),
  limit && limit.value <= max && h('line.limit', { x1: pad.left, x2: w - pad.right, y1: y(limit.value), y2: y(limit.value) }),
  limit && limit.value <= max && h('text.axis.limit-label', { x: w - pad.right - 4, y: y(limit.value) < 24 ? y(limit.value) + 13 : y(limit.value) - 5, 'text-anchor': 'end' }, limit.label),
  h('g', { 'clip-path': `url(#${clip})` }, shown.map((s, i) => points[i].length > 0 && [
    data.fill && h('path.fill', { key: s.id + 'f', class: 'c' + s.color, d: `${line(points[i])}L${x(points[i].at(-1)[0]).toFixed(1)} ${y(0)}L${x(points[i][0][0]).toFixed(1)} ${y(0)}Z` }),
    h('path.line', { key: s.id, class: 'c' + s.color, d: line(points[i]) }),
  ])),
  hover && h('line.cross', { x1: x(hover.ms), x2: x(hover.ms), y1: pad.top, y2: height - pad.bottom }),
  hover && shown.map((s, i) => hover.at[i] !== null && h('circle', { class: 'dot c' + s.color, cx: x(hover.ms), cy: y(hover.at[i]), r: 3 })),
  shown.every((s) => s.points.length === 0) && h('text.axis', { x: (w + pad.left) / 2, y: height / 2, 'text-anchor': 'middle' }, t('chart.none')));
}

// nearest finds the sample time closest to ms, and each series' value there.
function nearest(points, ms) {
  let best = null;
  for (const p of points.flat()) if (best === null || Math.abs(p[0] - ms) < Math.abs(best - ms)) best = p[0];
  if (best === null) return null;
  return { ms: best, at: points.map((list) => { const p = list.find((q) => q[0] === best); return p ? p[1] : null; }) };
}

function summary(data) {
  return data.title + ': ' + data.series.map((s) => `${s.label} ${valueOf(s, data)}`).join(', ');
}

function valueOf(s, data) {
  const v = s.value ?? s.points.at(-1)?.[1];
  return v === undefined ? f.none : (data.exact || data.format)(v);
}

function legend(el, state) {
  const { data, hovered } = state;
  const shown = data.series.filter((s) => !state.off.has(s.id));
  return h('div.legend',
    data.series.map((s) => {
      const off = state.off.has(s.id);
      const at = hovered && shown.includes(s) ? hovered.at[shown.indexOf(s)] : null;
      return h('button', {
        key: s.id, type: 'button', 'aria-pressed': off ? 'false' : 'true', title: t('chart.toggle'), class: off ? 'off' : '',
        onclick: () => {
          off ? state.off.delete(s.id) : state.off.add(s.id);
          prefs.set('chart.' + (data.key || data.title), [...state.off]);
          state.draw();
        },
      }, h('span.swatch', { class: 'c' + s.color }), h('span.legend-label', s.label),
      h('span.legend-value', { 'data-series': s.id }, at !== null && at !== undefined ? (data.exact || data.format)(at) : valueOf(s, data)));
    }),
    hovered && h('span.legend-time', { key: 'time' }, f.time(hovered.ms)));
}
