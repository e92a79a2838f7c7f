import type { Cluster } from '../cluster/src/cluster.ts';

/**
 * What a spec needs that not every cluster has: `faults` (zones, nodes, the API server and single processes can be taken away, and the audit
 * log can be read), `zones` (three of them), `registry` (its nodes pull from a registry without TLS that the specs run).
 */
export type Need = 'faults' | 'zones' | 'registry';

/** Needs that the cluster does not meet, with the reason. */
export type Lacks = Readonly<Partial<Record<Need, string>>>;

/** The one check of what a cluster can do. A cluster of the harness lacks nothing. */
export function lacksOf({ isOwn, zones }: Pick<Cluster, 'isOwn' | 'zones'>): Lacks {
  const count = [...zones.keys()].filter((zone) => zone !== '').length;
  return {
    ...(!isOwn && {
      faults: "the cluster is not the harness's own",
      registry: "the cluster's nodes do not know the specs' registry",
    }),
    ...(count < 3 && { zones: `the cluster has ${count} zones` }),
  };
}
