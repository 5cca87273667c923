// Numbers, bytes, times and names, as people read them.

import { t, current } from './i18n.js';

const formats = new Map();
function numberFormat(digits) {
  const id = current() + digits;
  if (!formats.has(id)) formats.set(id, new Intl.NumberFormat(current() === 'zh' ? 'zh-CN' : 'en', { maximumFractionDigits: digits }));
  return formats.get(id);
}

export const none = '–';

export function count(n) {
  return typeof n === 'number' ? numberFormat(0).format(n) : none;
}

export function rate(n) {
  if (typeof n !== 'number') return none;
  const a = Math.abs(n);
  return t('unit.per_second', { n: numberFormat(a >= 100 ? 0 : a >= 10 ? 1 : 2).format(n) });
}

export function bytes(n) {
  if (typeof n !== 'number') return none;
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let i = 0;
  while (Math.abs(n) >= 1024 && i < units.length - 1) {
    n /= 1024;
    i++;
  }
  return numberFormat(i === 0 || Math.abs(n) >= 100 ? 0 : Math.abs(n) >= 10 ? 1 : 2).format(n) + ' ' + units[i];
}

export const byteRate = (n) => (typeof n === 'number' ? t('unit.per_second', { n: bytes(n) }) : none);

export function percent(n) {
  if (typeof n !== 'number') return none;
  return (n > 0 && n < 0.005 ? '< 1' : numberFormat(0).format(n * 100)) + ' %';
}

// short is for the axis of a chart: 1.2k, 3M.
export function short(n) {
  const a = Math.abs(n);
  if (a >= 1e9) return numberFormat(1).format(n / 1e9) + 'G';
  if (a >= 1e6) return numberFormat(1).format(n / 1e6) + 'M';
  if (a >= 1e4) return numberFormat(1).format(n / 1e3) + 'k';
  return numberFormat(a < 10 ? 1 : 0).format(n);
}

export function duration(ms) {
  if (typeof ms !== 'number') return none;
  if (ms < 1000) return t('unit.ms', { n: Math.max(0, Math.round(ms)) });
  const s = Math.floor(ms / 1000);
  if (s < 60) return t('unit.s', { n: s });
  if (s < 3600) return t('unit.m_s', { m: Math.floor(s / 60), s: s % 60 });
  if (s < 86400) return t('unit.h_m', { h: Math.floor(s / 3600), m: Math.floor(s / 60) % 60 });
  return t('unit.d_h', { d: Math.floor(s / 86400), h: Math.floor(s / 3600) % 24 });
}

const two = (n) => String(n).padStart(2, '0');

export function time(ms) {
  const d = new Date(ms);
  return isNaN(d) ? none : `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}

export function date(ms) {
  if (ms === undefined || ms === null || ms === '') return none;
  const d = new Date(ms);
  return isNaN(d) ? none : `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ${time(ms)}`;
}

export function value(v) {
  if (v === undefined || v === null) return none;
  return typeof v === 'object' ? JSON.stringify(v) : String(v);
}

// path reads a.b.c from an object.
export function path(o, p) {
  for (const part of p.split('.')) {
    if (o === undefined || o === null) return undefined;
    o = o[part];
  }
  return o;
}

export const enc = encodeURIComponent;
