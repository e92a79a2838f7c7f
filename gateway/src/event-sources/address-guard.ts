import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { BlockList, isIP, type LookupFunction } from 'node:net';

import { SourceProblem } from './source-problem.ts';

/**
 * The addresses that a host of a mapping leads to now, at least one. Whoever connects goes to one of these, and asks again for the next connection:
 * so a name that leads elsewhere the second time gains nothing.
 *
 * @throws SourceProblem `InvalidSource` when one of them is not for mappings, `Unreachable` when there is none
 */
export type AddressGuard = (host: string) => Promise<readonly LookupAddress[]>;

/** What {@link addressGuard} goes by. */
export interface GuardRules {
  /** Addresses, networks (`10.0.0.0/8`) and names that are good whatever else is said. */
  readonly allow: readonly string[];
  /** The same, that are not: Kappa's own services and the cluster's. */
  readonly refuse: readonly string[];
  /** Default: as the system does. */
  readonly resolve?: (name: string) => Promise<readonly LookupAddress[]>;
}

/** Where names of `refuse` lead is asked again after so long. */
const REFRESH_MS = 5_000;

/**
 * This host, link-local (metadata of clouds), multicast and reserved ranges, and the metadata addresses that lie in others. Private networks are not
 * among them: brokers of the cluster are there.
 *
 * @see IANA special-purpose address registries (RFC 6890)
 */
const notForMappings = networksOf([
  ...['0.0.0.0/8', '127.0.0.0/8', '169.254.0.0/16', '192.0.0.0/24', '224.0.0.0/3', '100.100.100.200', '168.63.129.16'],
  ...['::/96', '64:ff9b::/96', 'fe80::/10', 'ff00::/8', 'fd00:ec2::254'],
]);

/**
 * A tenant names the servers of a mapping, and a gateway reaches more than tenants do: this keeps it from speaking to what is not theirs. Fails closed:
 * all addresses of a name have to be good.
 */
export function addressGuard({ allow, refuse, resolve = systemResolve }: GuardRules): AddressGuard {
  const [allowed, refused] = [networksOf(allow), networksOf(refuse)];
  const allowedNames = new Set(allow.map(nameOf));
  const ownNames = refuse.filter(isName);
  let own: { readonly untilMs: number; readonly networks: Promise<BlockList> } | null = null;
  const ownNetworks = (): Promise<BlockList> => {
    if (own === null || own.untilMs < performance.now()) {
      own = { untilMs: performance.now() + REFRESH_MS, networks: whereAll(ownNames, resolve) };
      own.networks.catch(() => (own = null));
    }
    return own.networks;
  };
  return async (host) => {
    const found = await whereIs(host, resolve);
    if (allowedNames.has(nameOf(host))) return found;
    const rest = found.filter(({ address }) => !has(allowed, address));
    const bad = rest.find(({ address }) => has(notForMappings, address));
    if (bad !== undefined) throw refusal(host, bad, 'a loopback, link-local or reserved address');
    const platform = rest.length === 0 ? null : await ownNetworks();
    const taken = rest.find(({ address }) => has(refused, address) || (platform !== null && has(platform, address)));
    if (taken !== undefined) throw refusal(host, taken, "one of Kappa's or the cluster's own");
    return found;
  };
}

/**
 * For sockets, which ask it for names; addresses they take as they are, so {@link checkAddresses} is for these.
 */
export function guardedLookup(guard: AddressGuard): LookupFunction {
  return (host, options, callback) => {
    guard(host).then(
      (found) => {
        const [first] = found;
        if (options.all === true) callback(null, [...found]);
        else callback(null, first?.address ?? '', first?.family ?? 0);
      },
      (error: Error) => callback(error, '', 0),
    );
  };
}

/** Asks the guard for those of the hosts that are addresses. @throws SourceProblem `InvalidSource` */
export async function checkAddresses(guard: AddressGuard, hosts: readonly string[]): Promise<void> {
  for (const host of hosts) if (isIP(bare(host)) !== 0) await guard(host);
}

function refusal(host: string, { address }: LookupAddress, what: string): SourceProblem {
  const where = host === address ? `${host} is` : `${host} leads to ${address},`;
  return new SourceProblem(
    'InvalidSource',
    `${where} ${what}, which a mapping may not name. If it is a server of yours, ask whoever installed Kappa to put it into eventSources.allow`,
  );
}

async function whereIs(host: string, resolve: Required<GuardRules>['resolve']): Promise<readonly LookupAddress[]> {
  const address = bare(host);
  const family = isIP(address);
  if (family !== 0) return [{ address, family }];
  const found = await resolve(host).catch((cause: unknown) => {
    throw new SourceProblem('Unreachable', `the name ${host} leads nowhere now (${codeOf(cause)})`, { cause });
  });
  if (found.length === 0) throw new SourceProblem('Unreachable', `the name ${host} has no address`);
  return found;
}

/** A name that there is not leads nowhere; when nobody can say, nobody is let through. */
async function whereAll(names: readonly string[], resolve: Required<GuardRules>['resolve']): Promise<BlockList> {
  const found = await Promise.all(
    names.map((name) =>
      resolve(name).catch((cause: unknown) => {
        if (codeOf(cause) === 'ENOTFOUND') return [];
        throw new SourceProblem('Unreachable', `names cannot be resolved now (${codeOf(cause)})`, { cause });
      }),
    ),
  );
  return networksOf(found.flat().map(({ address }) => address));
}

const systemResolve = (name: string): Promise<readonly LookupAddress[]> => lookup(name, { all: true });
const codeOf = (error: unknown): string => String(Reflect.get(Object(error), 'code') ?? error);
const bare = (host: string): string => host.replace(/^\[(.+)\]$/, '$1');
const nameOf = (host: string): string => host.toLowerCase().replace(/\.$/, '');
function isName(entry: string): boolean {
  return isIP(entry.replace(/\/\d+$/, '')) === 0;
}

/** Names among the entries are left out. */
function networksOf(entries: readonly string[]): BlockList {
  const networks = new BlockList();
  for (const entry of entries.filter((each) => !isName(each))) {
    const [network = '', prefix] = entry.split('/');
    const family = isIP(network) === 4 ? 'ipv4' : 'ipv6';
    networks.addSubnet(network, Number(prefix ?? (family === 'ipv4' ? 32 : 128)), family);
  }
  return networks;
}

/** IPv4 in IPv6 form counts as IPv4. */
function has(networks: BlockList, address: string): boolean {
  return networks.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6');
}
