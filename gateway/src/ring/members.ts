import { type Endpoint, type EndpointSlice, endpointSlices } from '@kappa/crds/client/kinds';
import type { Kubernetes } from '@kappa/crds/client/kubernetes';

/** One gateway of the install, as Kubernetes shows it. */
export interface Member {
  /** Name of its pod: what the ring hashes. */
  readonly name: string;
  readonly ip: string;
  /** Of its peer link. */
  readonly port: number;
  /** Empty when unknown. */
  readonly zone: string;
  /** It is on its way out: no owner, no voter. */
  readonly terminating: boolean;
}

/** What one EndpointSlice says of members. */
export type SliceView = readonly Member[];

/** Members that one slice names; endpoints without a pod or an address are none. Pure. */
export function viewSlice(slice: EndpointSlice, defaultPort: number): SliceView {
  if (slice.addressType === 'FQDN') return [];
  const port = slice.ports?.find((each) => each.port !== undefined)?.port ?? defaultPort;
  return slice.endpoints.flatMap((endpoint) => memberOf(endpoint, port));
}

function memberOf(endpoint: Endpoint, port: number): Member[] {
  const name = endpoint.targetRef?.name;
  const ip = endpoint.addresses[0];
  if (name === undefined || name === '' || ip === undefined) return [];
  return [{ name, ip, port, zone: endpoint.zone ?? '', terminating: endpoint.conditions?.terminating === true }];
}

/**
 * One list, sorted by name. A pod that stands in several slices (two address families, a move between slices) counts
 * once: the first address in the order of the slices' keys, terminating when any of them says so.
 */
export function mergeSlices(slices: ReadonlyMap<string, SliceView>): readonly Member[] {
  const members = new Map<string, Member>();
  for (const [, slice] of [...slices].sort(([a], [b]) => (a < b ? -1 : 1))) {
    for (const member of slice) {
      const known = members.get(member.name);
      if (known === undefined) members.set(member.name, member);
      else if (member.terminating && !known.terminating) members.set(member.name, { ...known, terminating: true });
    }
  }
  return [...members.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Where members come from: calls back with the whole list, at once when it is known, then on every change. */
export type MemberSource = (onMembers: (members: readonly Member[]) => void) => void;

/**
 * Members of a headless Service, by watching its EndpointSlices. Says nothing before the first complete list; keeps what it
 * knew last while the API server is away, over a restart too where views are kept.
 */
export function watchMembers(options: {
  readonly kubernetes: Pick<Kubernetes, 'watch'>;
  readonly namespace: string;
  readonly service: string;
  /** Of the peer link, when the slices name none. */
  readonly defaultPort: number;
  readonly signal: AbortSignal;
}): MemberSource {
  const { kubernetes, namespace, service, defaultPort, signal } = options;
  return (onMembers) => {
    const slices = new Map<string, SliceView>();
    let last = '';
    const tell = (): void => {
      if (!informer.hasSynced) return;
      const members = mergeSlices(slices);
      const text = JSON.stringify(members);
      if (text === last) return;
      last = text;
      onMembers(members);
    };
    const informer = kubernetes.watch(endpointSlices, {
      namespace,
      labelSelector: `kubernetes.io/service-name=${service}`,
      project: (slice) => viewSlice(slice, defaultPort),
      onChange: (key, view) => {
        if (view === null) slices.delete(key);
        else slices.set(key, view);
        // A slice's change of name shows as one gone, one new: settle first.
        queueMicrotask(tell);
      },
      signal,
      snapshot: { name: 'gateways', shape: 1 },
    });
    informer.whenSynced().then(tell, () => undefined); // aborted: nobody listens any more
  };
}
