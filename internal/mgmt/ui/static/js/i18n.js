// All words of the page come from here. t('key') translates; k('key') marks a
// key that is translated later, with tx(). A test reads the sources and sees
// that every key is in both dictionaries.

import en from './text/en.js';
import zh from './text/zh.js';
import * as prefs from './prefs.js';

export const languages = { en: 'English', zh: '中文' };
const dictionaries = { en, zh };

let language = prefs.get('language') || (navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en');
if (!dictionaries[language]) language = 'en';
document.documentElement.lang = language === 'zh' ? 'zh-CN' : language;

export const current = () => language;

export function choose(l) {
  language = l;
  prefs.set('language', l);
  document.documentElement.lang = l === 'zh' ? 'zh-CN' : l;
}

// t fills {name} from values.
export function t(key, values) {
  let text = dictionaries[language][key];
  if (text === undefined) text = en[key];
  if (text === undefined) return key;
  if (!values) return text;
  return text.replace(/\{(\w+)\}/g, (all, name) => (name in values ? values[name] : all));
}

export const k = (key) => key;
export const tx = (key, values) => t(key, values); // for keys that k() marked
