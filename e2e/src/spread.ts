import { eventually } from './eventually.ts';
import { type InstalledKappa, isReady, release } from './installed.ts';

/** Zones by the names of their nodes. */
export async function zonesOfNodes(kappa: InstalledKappa): Promise<ReadonlyMap<string, string>> {
  const { items } = await kappa.kubectl.json<{
    items: { metadata: { name: string; labels: Readonly<Record<string, string>> } }[];
  }>(['nodes']);
  return new Map(items.map(({ metadata }) => [metadata.name, metadata.labels['topology.kubernetes.io/zone'] ?? '']));
}

/** Sees to a gateway in every zone. After nodes went away two may stand in one: the scheduler moves nothing by itself. */
export async function spreadGateways(kappa: InstalledKappa): Promise<void> {
  await eventually(
    'a gateway stands in every zone',
    async () => {
      const zoneOf = await zonesOfNodes(kappa);
      const gateways = (await kappa.gateways()).filter(isReady);
      if (gateways.length < 3) return false;
      const seen = new Set<string | undefined>();
      const second = gateways.find(({ spec }) => seen.size === seen.add(zoneOf.get(spec.nodeName ?? '')).size);
      if (second === undefined) return true;
      await kappa.kubectl.ok(['delete', 'pod', second.metadata.name, '-n', release.namespace]);
      return false;
    },
    240_000,
  );
}
