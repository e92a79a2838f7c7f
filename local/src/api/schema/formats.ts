import { isIP, isIPv4, isIPv6 } from 'node:net';
import { fullFormats } from 'ajv-formats/dist/formats.js';

/** Formats of the API server that a string must obey; others are documentation and accept everything. */
const formats: Readonly<Record<string, (text: string) => boolean>> = {
  'date-time': (text) => isDate(text) && /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d/.test(text),
  date: (text) => isDate(text) && /^\d{4}-\d\d-\d\d$/.test(text),
  duration: (text) => /^[-+]?(\d+(\.\d+)?(ns|us|µs|ms|s|m|h|d|w))+$/.test(text),
  uri: (text) => URL.canParse(text) || text.startsWith('/'),
  email: (text) => matchesAjv('email', text),
  hostname: (text) => matchesAjv('hostname', text),
  ipv4: isIPv4,
  ipv6: isIPv6,
  cidr: isCidr,
  mac: (text) => /^([0-9a-f]{2}[:-]){5}[0-9a-f]{2}$/i.test(text),
  uuid: (text) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i.test(text),
  byte: (text) => /^([\w+/-]{4})*([\w+/-]{2}==|[\w+/-]{3}=)?$/.test(text),
};

/** True when `text` has the format, or when the format is one that the API server does not check. */
export function hasFormat(format: string, text: string): boolean {
  return formats[format]?.(text) ?? true;
}

function matchesAjv(name: 'email' | 'hostname', text: string): boolean {
  const format = fullFormats[name];
  return format instanceof RegExp ? format.test(text) : true;
}

function isDate(text: string): boolean {
  return !Number.isNaN(Date.parse(text));
}

function isCidr(text: string): boolean {
  const [address = '', prefix = '', ...rest] = text.split('/');
  const version = isIP(address);
  const max = version === 4 ? 32 : 128;
  return rest.length === 0 && version !== 0 && /^\d{1,3}$/.test(prefix) && Number(prefix) <= max;
}
