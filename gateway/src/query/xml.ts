/** What an answer of the query protocol is made of; a list's elements are called `member`; undefined is left out. */
export type XmlValue =
  | string
  | number
  | boolean
  | undefined
  | readonly XmlValue[]
  | { readonly [name: string]: XmlValue };

/** An element as text. @param namespace its `xmlns`; absent = its parent's */
export function element(name: string, value: XmlValue, namespace?: string): string {
  if (value === undefined) return '';
  const open = namespace === undefined ? name : `${name} xmlns="${escaped(namespace)}"`;
  return `<${open}>${contentOf(value)}</${name}>`;
}

function contentOf(value: Exclude<XmlValue, undefined>): string {
  if (isList(value)) return value.map((each) => element('member', each)).join('');
  if (typeof value !== 'object') return escaped(String(value));
  return Object.entries(value)
    .map(([name, part]) => element(name, part))
    .join('');
}

function isList(value: XmlValue): value is readonly XmlValue[] {
  return Array.isArray(value);
}

/** XML has no way to write most control characters: they become a question mark. */
function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll('\r', '&#13;')
    .replaceAll(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '?');
}
