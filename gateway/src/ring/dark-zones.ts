import type { Member } from './members.ts';

/**
 * Zones of which no gateway has been heard for a moment: their pods are better not given anything that others can do. For
 * a while only: by then the pods' own heartbeats tell, and a gateway that ends alone does not put its zone aside. Cheap to be wrong. Pure.
 *
 * @param members the other gateways
 * @param isMissed the gateway was heard, not lately, but not long ago
 */
export function darkZones(
  members: readonly Pick<Member, 'name' | 'zone' | 'terminating'>[],
  ownZone: string,
  isMissed: (name: string) => boolean,
): ReadonlySet<string> {
  const dark = new Set<string>();
  const lit = new Set(['', ownZone]);
  for (const { name, zone, terminating } of members) {
    if (terminating) continue;
    (isMissed(name) ? dark : lit).add(zone);
  }
  return dark.difference(lit);
}
