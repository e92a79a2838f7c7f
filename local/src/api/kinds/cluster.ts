import { child, defaultTo, isRecord, items, record } from '../json.ts';
import { copy } from '../object.ts';
import type { Strategy } from '../resource.ts';
import { fieldError } from '../schema/field-error.ts';

/** Namespaces: Active until deleted; the finalizer `kubernetes` stands for their contents. */
export const namespaceStrategy: Strategy = {
  prepareForCreate(namespace) {
    namespace['spec'] = { finalizers: ['kubernetes'] };
    namespace['status'] = { phase: 'Active' };
    namespace.metadata.labels = {
      ...namespace.metadata.labels,
      'kubernetes.io/metadata.name': namespace.metadata.name,
    };
  },
  prepareForUpdate(namespace, live, { subresource }) {
    namespace.metadata.labels = {
      ...namespace.metadata.labels,
      'kubernetes.io/metadata.name': namespace.metadata.name,
    };
    if (subresource === 'finalize') namespace['status'] = copy(live['status']);
    else namespace['spec'] = copy(live['spec']);
  },
  validate(namespace) {
    const { name } = namespace.metadata;
    return name.length <= 63 && !name.includes('.')
      ? []
      : [fieldError('metadata.name', 'Invalid', 'must be a DNS-1123 label', name)];
  },
};

/** Services: kept as they are, with the defaults that kubectl prints. No address is ever given out. */
export const serviceStrategy: Strategy = {
  prepareForCreate: setServiceDefaults,
  prepareForUpdate: setServiceDefaults,
};

function setServiceDefaults(service: Record<string, unknown>): void {
  const spec = child(service, 'spec');
  defaultTo(spec, 'type', 'ClusterIP');
  defaultTo(spec, 'sessionAffinity', 'None');
  for (const port of items(spec['ports']).filter(isRecord)) {
    defaultTo(port, 'protocol', 'TCP');
    defaultTo(port, 'targetPort', port['port']);
  }
  defaultTo(child(service, 'status'), 'loadBalancer', {});
}

/** Nodes: what a node says of itself is kept, status too. */
export const nodeStrategy: Strategy = {
  prepareForCreate(node) {
    child(node, 'spec');
    child(node, 'status');
  },
};

/** EndpointSlices: the address type never changes. */
export const endpointSliceStrategy: Strategy = {
  validate(slice, live) {
    if (live === null || live['addressType'] === slice['addressType']) return [];
    return [fieldError('addressType', 'Invalid', 'field is immutable', slice['addressType'])];
  },
};

/** Leases: durations are positive. */
export const leaseStrategy: Strategy = {
  validate(lease) {
    const seconds = record(lease['spec'])['leaseDurationSeconds'];
    if (seconds === undefined || (typeof seconds === 'number' && seconds > 0)) return [];
    return [fieldError('spec.leaseDurationSeconds', 'Invalid', 'must be greater than 0', seconds)];
  },
};
