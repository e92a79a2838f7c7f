import { at, child, defaultTo, isRecord, isSameJson, items, type JsonObject, number, record, text } from '../json.ts';
import { copy, type KubeObject } from '../object.ts';
import type { Strategy } from '../resource.ts';
import { type FieldError, fieldError } from '../schema/field-error.ts';
import { qosClassOf } from './pod-qos.ts';
import { validateResources } from './pod-resources.ts';

/** The same values as the real server's defaults; only what a reader of a pod relies on. */
function setDefaults(pod: KubeObject): void {
  const spec = child(pod, 'spec');
  defaultTo(spec, 'restartPolicy', 'Always');
  defaultTo(spec, 'dnsPolicy', 'ClusterFirst');
  defaultTo(spec, 'schedulerName', 'default-scheduler');
  defaultTo(spec, 'terminationGracePeriodSeconds', 30);
  defaultTo(spec, 'enableServiceLinks', true);
  defaultTo(spec, 'securityContext', {});
  defaultTo(spec, 'preemptionPolicy', 'PreemptLowerPriority');
  defaultTo(spec, 'priority', 0);
  defaultTo(spec, 'serviceAccountName', 'default');
  spec['serviceAccount'] = spec['serviceAccountName'];
  for (const container of containersOf(spec)) setContainerDefaults(container);
}

function containersOf(spec: JsonObject): JsonObject[] {
  return [...items(spec['containers']), ...items(spec['initContainers'])].filter(isRecord);
}

function setContainerDefaults(container: JsonObject): void {
  const image = text(container['image']);
  const tag = /:([^:/@]+)$/.exec(image)?.[1];
  const isLatest = !image.includes('@') && (tag === undefined || tag === 'latest');
  defaultTo(container, 'imagePullPolicy', isLatest ? 'Always' : 'IfNotPresent');
  defaultTo(container, 'terminationMessagePath', '/dev/termination-log');
  defaultTo(container, 'terminationMessagePolicy', 'File');
  const resources = child(container, 'resources');
  setRequestsFromLimits(resources);
  for (const port of items(container['ports']).filter(isRecord)) defaultTo(port, 'protocol', 'TCP');
  for (const variable of items(container['env']).filter(isRecord)) {
    const fieldRef = at(variable, 'valueFrom', 'fieldRef');
    if (isRecord(fieldRef)) defaultTo(fieldRef, 'apiVersion', 'v1');
  }
  for (const probe of ['livenessProbe', 'readinessProbe', 'startupProbe']) setProbeDefaults(container[probe]);
}

function setRequestsFromLimits(resources: JsonObject): void {
  const limits = record(resources['limits']);
  if (Object.keys(limits).length === 0) return;
  const requests = child(resources, 'requests');
  for (const [name, quantity] of Object.entries(limits)) defaultTo(requests, name, quantity);
}

function setProbeDefaults(probe: unknown): void {
  if (!isRecord(probe)) return;
  const values = { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 };
  for (const [key, value] of Object.entries(values)) defaultTo(probe, key, value);
  const http = probe['httpGet'];
  if (isRecord(http)) {
    defaultTo(http, 'scheme', 'HTTP');
    defaultTo(http, 'path', '/');
  }
}

function validateNew(pod: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  const containers = items(at(pod, 'spec', 'containers'));
  if (containers.length === 0) errors.push(fieldError('spec.containers', 'Required', ''));
  const names = new Set<string>();
  for (const [index, container] of containers.entries()) {
    const name = text(at(container, 'name'));
    const path = `spec.containers[${index}]`;
    if (name === '') errors.push(fieldError(`${path}.name`, 'Required', ''));
    else if (names.has(name)) errors.push(fieldError(`${path}.name`, 'Duplicate', '', name));
    names.add(name);
    errors.push(...validateResources(at(container, 'resources'), `${path}.resources`));
    if (text(at(container, 'image')) === '') errors.push(fieldError(`${path}.image`, 'Required', ''));
  }
  return errors;
}

/** What an update of the main resource may change, taken out of both sides before they are compared. */
function fixedSpec(pod: KubeObject): JsonObject {
  const spec = copy(record(pod['spec']));
  spec['nodeName'] = '';
  for (const field of ['activeDeadlineSeconds', 'tolerations', 'terminationGracePeriodSeconds', 'schedulingGates'])
    delete spec[field];
  for (const container of containersOf(spec)) delete container['image'];
  return spec;
}

/** What the resize subresource may not change. */
function unresizedSpec(pod: KubeObject): JsonObject {
  const spec = copy(record(pod['spec']));
  for (const container of containersOf(spec)) {
    delete container['resources'];
    delete container['resizePolicy'];
  }
  return spec;
}

function validateChange(pod: KubeObject, live: KubeObject, subresource: string): FieldError[] {
  if (subresource === 'resize') {
    const containers = items(at(pod, 'spec', 'containers'));
    const errors = containers.flatMap((container, index) =>
      validateResources(at(container, 'resources'), `spec.containers[${index}].resources`),
    );
    if (isSameJson(unresizedSpec(pod), unresizedSpec(live))) return errors;
    return [fieldError('spec', 'Forbidden', 'only cpu and memory resources are mutable')];
  }
  const from = text(at(live, 'spec', 'nodeName'));
  // local mode has no scheduler: a node may take a free pod
  const isMoved = from !== '' && from !== text(at(pod, 'spec', 'nodeName'));
  if (!isMoved && isSameJson(fixedSpec(pod), fixedSpec(live))) return [];
  const allowed =
    'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,' +
    '`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),' +
    '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';
  return [fieldError('spec', 'Forbidden', allowed)];
}

/** Grace of a delete: none before the pod is on a node or after it has ended. */
function gracePeriodSeconds(pod: KubeObject, asked: number | undefined): number {
  if (text(at(pod, 'spec', 'nodeName')) === '') return 0;
  if (['Succeeded', 'Failed'].includes(text(at(pod, 'status', 'phase')))) return 0;
  return Math.max(0, asked ?? number(at(pod, 'spec', 'terminationGracePeriodSeconds')) ?? 30);
}

/** Pods: defaults, phase Pending, an immutable spec but for what `resize` and image updates may touch. */
export const podStrategy: Strategy = {
  prepareForCreate(pod) {
    setDefaults(pod);
    pod['status'] = { phase: 'Pending', qosClass: qosClassOf(pod) };
  },
  prepareForUpdate(pod, live, { subresource }) {
    if (subresource === '') setDefaults(pod);
    if (subresource === 'resize') {
      for (const container of containersOf(record(pod['spec']))) setRequestsFromLimits(child(container, 'resources'));
      pod['status'] = copy(live['status'] ?? {});
    }
    if (subresource === 'status') defaultTo(child(pod, 'status'), 'qosClass', at(live, 'status', 'qosClass'));
  },
  validate(pod, live, { subresource }) {
    if (live === null) return validateNew(pod);
    return subresource === 'status' ? [] : validateChange(pod, live, subresource);
  },
  gracePeriodSeconds,
};
