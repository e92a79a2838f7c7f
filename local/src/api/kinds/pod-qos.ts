import { at, items, record, text } from '../json.ts';
import type { KubeObject } from '../object.ts';

/** Guaranteed, Burstable or BestEffort, from the requests and limits of all containers. */
export function qosClassOf(pod: KubeObject): 'Guaranteed' | 'Burstable' | 'BestEffort' {
  const containers = [...items(at(pod, 'spec', 'containers')), ...items(at(pod, 'spec', 'initContainers'))];
  const all = containers.map((container) => ({
    requests: record(at(container, 'resources', 'requests')),
    limits: record(at(container, 'resources', 'limits')),
  }));
  const isEmpty = all.every(({ requests, limits }) => !hasComputeIn(requests) && !hasComputeIn(limits));
  if (isEmpty) return 'BestEffort';
  const isFull = all.every(({ requests, limits }) =>
    ['cpu', 'memory'].every((name) => text(limits[name]) !== '' && text(requests[name]) === text(limits[name])),
  );
  return isFull ? 'Guaranteed' : 'Burstable';
}

function hasComputeIn(quantities: Record<string, unknown>): boolean {
  return quantities['cpu'] !== undefined || quantities['memory'] !== undefined;
}
