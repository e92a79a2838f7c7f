import type { Part } from './bench-cluster.ts';
import { readMetrics } from './metrics.ts';

/** The gateway that has given a function's invocations to its pods: its owner. @throws Error when none or several have */
export async function ownerOf(gateways: readonly Part[], fn: string): Promise<Part> {
  const series = `kappa_gateway_invocations_total{namespace="default",function="${fn}"}`;
  const metrics = await Promise.all(gateways.map(readMetrics));
  const owners = gateways.filter((_, index) => (metrics[index]?.get(series) ?? 0) > 0);
  const [owner] = owners;
  if (owner === undefined || owners.length > 1) throw new Error(`${owners.length} gateways have run ${fn}`);
  return owner;
}
