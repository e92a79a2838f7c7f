import type { GatewayConfig } from '../config.ts';
import type { GuardRules } from './address-guard.ts';

/** Addresses, networks and names that mappings may name whatever else is said, and may not. */
export type GuardedHosts = Pick<GuardRules, 'allow' | 'refuse'>;

const hostList = /^([\w.:-]+(\/\d{1,3})?(,(?!$)|$))*$/;

/** @param text reads a variable: its name, default and form */
export function parseGuarded(text: (name: string, fallback: string, form: RegExp) => string): GuardedHosts {
  const list = (name: string, fallback: string): readonly string[] =>
    text(name, fallback, hostList)
      .split(',')
      .filter((entry) => entry !== '');
  return { allow: list('KAPPA_EVENT_SOURCE_ALLOW', '127.0.0.0/8,::1'), refuse: list('KAPPA_EVENT_SOURCE_REFUSE', '') };
}

/** What of an install this has to do with. */
type Install = Pick<
  GatewayConfig,
  'eventSources' | 'redis' | 's3' | 'internalUrl' | 'peerService' | 'namespace' | 'podIp'
>;

/** What mappings may name: not the install's Redis, store and gateways. Pure. */
export function guardRules(config: Install): GuardRules {
  const { eventSources, redis, s3, internalUrl, peerService, namespace, podIp } = config;
  const urls = [redis?.url, s3?.endpoint, internalUrl].filter((url) => url !== undefined);
  return {
    allow: eventSources.allow,
    refuse: [
      ...eventSources.refuse,
      ...urls.map((url) => new URL(url).hostname.replace(/^\[(.+)\]$/, '$1')),
      ...(peerService === '' ? [] : [`${peerService}.${namespace}`]),
      podIp,
    ],
  };
}
