import { at, text } from './json.ts';
import {
  endpointSliceStrategy,
  leaseStrategy,
  namespaceStrategy,
  nodeStrategy,
  serviceStrategy,
} from './kinds/cluster.ts';
import { configMapStrategy, secretStrategy } from './kinds/config.ts';
import { crdStrategy } from './kinds/crd.ts';
import { eventFields, eventStrategy, modernEventStrategy, toCoreEvent, toModernEvent } from './kinds/event.ts';
import { podStrategy } from './kinds/pod.ts';
import type { KubeObject } from './object.ts';
import { apiVersionOf, type ResourceType } from './resource.ts';
import { builtinSchema } from './schema/builtins.ts';

/** All verbs of an ordinary resource. */
export const allVerbs: readonly string[] = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
];

type Declared = Pick<ResourceType, 'group' | 'version' | 'plural' | 'kind'> & Partial<ResourceType>;

function declare(declared: Declared): ResourceType {
  const apiVersion = apiVersionOf(declared);
  return {
    singular: declared.kind.toLowerCase(),
    listKind: `${declared.kind}List`,
    shortNames: [],
    categories: [],
    isNamespaced: true,
    verbs: allVerbs,
    subresources: new Set(),
    storage: declared.group === '' ? declared.plural : `${declared.group}/${declared.plural}`,
    storageApiVersion: apiVersion,
    schema: builtinSchema(apiVersion, declared.kind),
    strategy: {},
    countsGeneration: false,
    needsVersionOnUpdate: false,
    keepsStatusOnCreate: false,
    returnsDeleted: false,
    selectableFields: {},
    scale: null,
    custom: null,
    fromStorage: (object) => object,
    toStorage: (object) => object,
    ...declared,
  };
}

function field(...path: readonly string[]): (object: KubeObject) => string {
  return (object) => {
    const value = at(object, ...path);
    return typeof value === 'boolean' ? String(value) : text(value);
  };
}

const podFields = {
  'spec.nodeName': field('spec', 'nodeName'),
  'spec.restartPolicy': field('spec', 'restartPolicy'),
  'spec.schedulerName': field('spec', 'schedulerName'),
  'spec.serviceAccountName': field('spec', 'serviceAccountName'),
  'status.phase': field('status', 'phase'),
  'status.podIP': field('status', 'podIP'),
  'status.nominatedNodeName': field('status', 'nominatedNodeName'),
};

const event = {
  plural: 'events',
  kind: 'Event',
  shortNames: ['ev'],
  storage: 'events',
  storageApiVersion: 'v1',
  strategy: eventStrategy,
  selectableFields: eventFields,
};

/** The built-in resources of local mode. */
export function builtinTypes(): readonly ResourceType[] {
  return [...coreTypes(), ...groupTypes()];
}

function coreTypes(): ResourceType[] {
  const core = { group: '', version: 'v1' };
  return [
    declare({ ...core, plural: 'configmaps', kind: 'ConfigMap', shortNames: ['cm'], strategy: configMapStrategy }),
    declare({ ...core, ...event }),
    declare({
      ...core,
      plural: 'namespaces',
      kind: 'Namespace',
      shortNames: ['ns'],
      isNamespaced: false,
      verbs: allVerbs.filter((verb) => verb !== 'deletecollection'),
      subresources: new Set(['status', 'finalize']),
      strategy: namespaceStrategy,
      selectableFields: { 'status.phase': field('status', 'phase') },
    }),
    declare({
      ...core,
      plural: 'nodes',
      kind: 'Node',
      shortNames: ['no'],
      isNamespaced: false,
      subresources: new Set(['status']),
      strategy: nodeStrategy,
      keepsStatusOnCreate: true,
      selectableFields: {
        'spec.unschedulable': (node) => String(at(node, 'spec', 'unschedulable') === true),
      },
    }),
    declare({
      ...core,
      plural: 'pods',
      kind: 'Pod',
      shortNames: ['po'],
      categories: ['all'],
      subresources: new Set(['status', 'resize']),
      strategy: podStrategy,
      countsGeneration: true,
      returnsDeleted: true,
      selectableFields: podFields,
    }),
    declare({
      ...core,
      plural: 'secrets',
      kind: 'Secret',
      strategy: secretStrategy,
      selectableFields: { type: field('type') },
    }),
    declare({ ...core, plural: 'serviceaccounts', kind: 'ServiceAccount', shortNames: ['sa'], returnsDeleted: true }),
    declare({
      ...core,
      plural: 'services',
      kind: 'Service',
      shortNames: ['svc'],
      categories: ['all'],
      subresources: new Set(['status']),
      strategy: serviceStrategy,
      keepsStatusOnCreate: true,
      returnsDeleted: true,
      selectableFields: { 'spec.clusterIP': field('spec', 'clusterIP'), 'spec.type': field('spec', 'type') },
    }),
  ];
}

function groupTypes(): ResourceType[] {
  return [
    declare({
      group: 'apiextensions.k8s.io',
      version: 'v1',
      plural: 'customresourcedefinitions',
      kind: 'CustomResourceDefinition',
      shortNames: ['crd', 'crds'],
      categories: ['api-extensions'],
      isNamespaced: false,
      subresources: new Set(['status']),
      strategy: crdStrategy,
      countsGeneration: true,
      needsVersionOnUpdate: true,
    }),
    declare({
      group: 'coordination.k8s.io',
      version: 'v1',
      plural: 'leases',
      kind: 'Lease',
      strategy: leaseStrategy,
      needsVersionOnUpdate: true,
    }),
    declare({
      group: 'discovery.k8s.io',
      version: 'v1',
      plural: 'endpointslices',
      kind: 'EndpointSlice',
      strategy: endpointSliceStrategy,
      countsGeneration: true,
    }),
    declare({
      ...event,
      group: 'events.k8s.io',
      version: 'v1',
      shortNames: [], // `ev` means the core ones
      strategy: modernEventStrategy,
      fromStorage: toModernEvent,
      toStorage: toCoreEvent,
    }),
  ];
}
