import type { RingLimits } from './limits.ts';
import type { Member } from './members.ts';

/**
 * Zones of which no gateway has been heard for a moment: their pods are better not given anything that others can do. For
 * `darkTicks` only: by then the pods' own heartbeats tell, and a gateway that ends alone does not put its zone aside. Cheap to be wrong. Pure.
 *
 * @param members the other gateways
 * @param silentTicks heartbeats since a gateway was heard
 */
export function darkZones(
  members: readonly Pick<Member, 'name' | 'zone' | 'terminating'>[],
  ownZone: string,
  silentTicks: (name: string) => number,
  limits: Pick<RingLimits, 'quietTicks' | 'darkTicks'>,
): ReadonlySet<string> {
  const dark = new Set<string>();
  const lit = new Set(['', ownZone]);
  for (const { name, zone, terminating } of members) {
    if (terminating) continue;
    const ticks = silentTicks(name);
    (ticks >= limits.quietTicks && ticks < limits.darkTicks ? dark : lit).add(zone);
  }
  return dark.difference(lit);
}
