// The page's icons: strokes on a grid of 20.

import { h } from './dom.js';

const paths = {
  overview: 'M3 17V9m5 8V4m5 13v-6m4 6V7',
  connections: 'M7 13l6-6M8 5l2-2a4 4 0 0 1 6 6l-2 2M12 15l-2 2a4 4 0 0 1-6-6l2-2',
  channels: 'M3 6h14M3 10h14M3 14h14',
  exchanges: 'M4 6h9l-3-3M16 14H7l3 3',
  queues: 'M3 5h14v10H3zM7 5v10M11 5v10',
  streams: 'M3 7c3-3 5 3 8 0s4-1 6 0M3 13c3-3 5 3 8 0s4-1 6 0',
  nodes: 'M3 4h14v5H3zM3 11h14v5H3zM6 6.5h.01M6 13.5h.01',
  hosts: 'M3 4h14v10H3zM6 8l2 2-2 2M10 12h4M7 17h6',
  admin: 'M10 3l6 2v5c0 4-3 6-6 7-3-1-6-3-6-7V5z',
  menu: 'M3 5h14M3 10h14M3 15h14',
  close: 'M5 5l10 10M15 5L5 15',
  sun: 'M10 6.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7M10 2v1.5M10 16.5V18M2 10h1.5M16.5 10H18M4.3 4.3l1.1 1.1M14.6 14.6l1.1 1.1M4.3 15.7l1.1-1.1M14.6 5.4l1.1-1.1',
  moon: 'M16 12A7 7 0 0 1 8 4a7 7 0 1 0 8 8z',
  auto: 'M10 3a7 7 0 1 0 0 14zM10 3a7 7 0 0 1 0 14',
  refresh: 'M16 8a6 6 0 1 0 .5 4M16 4v4h-4',
  search: 'M9 4a5 5 0 1 0 0 10A5 5 0 0 0 9 4M13 13l4 4',
  plus: 'M10 4v12M4 10h12',
  up: 'M6 12l4-4 4 4',
  down: 'M6 8l4 4 4-4',
  left: 'M12 5l-5 5 5 5',
  right: 'M8 5l5 5-5 5',
  warning: 'M10 3l8 14H2zM10 8v4M10 14.5h.01',
  info: 'M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14M10 9v5M10 6.5h.01',
  check: 'M4 10l4 4 8-8',
  logout: 'M8 4H4v12h4M12 7l3 3-3 3M15 10H8',
  columns: 'M3 4h14v12H3zM8 4v12M13 4v12',
  download: 'M10 3v9M6 9l4 4 4-4M4 16h12',
  upload: 'M10 13V4M6 7l4-4 4 4M4 16h12',
};

export function icon(name) {
  return h('svg.icon', { viewBox: '0 0 20 20', 'aria-hidden': 'true' }, h('path', { d: paths[name] }));
}
