import { ageOf } from './age.ts';
import { ageColumn, type Column, nameColumn, textColumn } from './column.ts';
import { isObject, type JsonObject, listOr, objectOr, textOr, valueAt } from './json.ts';
import { podColumns } from './pod-columns.ts';

const none = '<none>';

const countOf = (object: JsonObject, ...keys: string[]): number =>
  keys.reduce((sum, key) => sum + Object.keys(objectOr(object[key])).length, 0);

const namespaceColumns: Column[] = [
  nameColumn,
  textColumn('Status', (object) => textOr(valueAt(object, 'status', 'phase'))),
  ageColumn,
];

const configMapColumns: Column[] = [
  nameColumn,
  textColumn('Data', (object) => countOf(object, 'data', 'binaryData')),
  ageColumn,
];

const secretColumns: Column[] = [
  nameColumn,
  textColumn('Type', (object) => textOr(object['type'])),
  textColumn('Data', (object) => countOf(object, 'data')),
  ageColumn,
];

const leaseColumns: Column[] = [
  nameColumn,
  textColumn('Holder', (object) => textOr(valueAt(object, 'spec', 'holderIdentity'))),
  ageColumn,
];

const crdColumns: Column[] = [
  nameColumn,
  { ...textColumn('Created At', (object) => textOr(valueAt(object, 'metadata', 'creationTimestamp'))), type: 'date' },
];

const serviceColumns: Column[] = [
  nameColumn,
  textColumn('Type', (object) => textOr(valueAt(object, 'spec', 'type'))),
  textColumn('Cluster-IP', (object) => textOr(listOr(valueAt(object, 'spec', 'clusterIPs'))[0], none)),
  textColumn('External-IP', externalAddress),
  textColumn('Port(s)', servicePorts),
  ageColumn,
  textColumn('Selector', (object) => labelsText(valueAt(object, 'spec', 'selector')), 1),
];

function externalAddress(object: JsonObject): string {
  const spec = objectOr(object['spec']);
  if (spec['type'] === 'ExternalName') return textOr(spec['externalName']);
  const given = listOr(spec['externalIPs']).join(',');
  if (given !== '') return given;
  return spec['type'] === 'LoadBalancer' ? '<pending>' : none;
}

function servicePorts(object: JsonObject): string {
  const ports = listOr(valueAt(object, 'spec', 'ports')).filter(isObject);
  const texts = ports.map(
    ({ port, nodePort, protocol }) => `${port}${nodePort ? `:${nodePort}` : ''}/${protocol ?? 'TCP'}`,
  );
  return texts.join(',') || none;
}

function labelsText(labels: unknown): string {
  const texts = Object.entries(objectOr(labels)).map(([key, value]) => `${key}=${value}`);
  return texts.sort().join(',') || none;
}

const endpointSliceColumns: Column[] = [
  nameColumn,
  textColumn('AddressType', (object) => textOr(object['addressType'])),
  textColumn('Ports', (object) =>
    firstThree(
      listOr(object['ports']).map((port) => (isObject(port) ? String(port['port'] ?? port['name'] ?? '*') : '*')),
    ),
  ),
  textColumn('Endpoints', (object) =>
    firstThree(
      listOr(object['endpoints'])
        .flatMap((one) => listOr(objectOr(one)['addresses']))
        .map(String),
    ),
  ),
  ageColumn,
];

function firstThree(texts: readonly string[]): string {
  if (texts.length === 0) return '<unset>';
  const shown = texts.slice(0, 3).join(',');
  return texts.length > 3 ? `${shown} + ${texts.length - 3} more...` : shown;
}

const nodeColumns: Column[] = [
  nameColumn,
  textColumn('Status', nodeStatus),
  textColumn('Roles', nodeRoles),
  ageColumn,
  textColumn('Version', (object) => textOr(nodeInfo(object)['kubeletVersion'])),
  textColumn('Internal-IP', (object) => nodeAddress(object, 'InternalIP'), 1),
  textColumn('External-IP', (object) => nodeAddress(object, 'ExternalIP'), 1),
  textColumn('OS-Image', (object) => textOr(nodeInfo(object)['osImage']) || '<unknown>', 1),
  textColumn('Kernel-Version', (object) => textOr(nodeInfo(object)['kernelVersion']) || '<unknown>', 1),
  textColumn('Container-Runtime', (object) => textOr(nodeInfo(object)['containerRuntimeVersion']) || '<unknown>', 1),
];

function nodeInfo(object: JsonObject): JsonObject {
  return objectOr(valueAt(object, 'status', 'nodeInfo'));
}

function nodeStatus(object: JsonObject): string {
  const conditions = listOr(valueAt(object, 'status', 'conditions')).filter(isObject);
  const ready = conditions.find((one) => one['type'] === 'Ready');
  const status = ready === undefined ? 'Unknown' : ready['status'] === 'True' ? 'Ready' : 'NotReady';
  return valueAt(object, 'spec', 'unschedulable') === true ? `${status},SchedulingDisabled` : status;
}

function nodeRoles(object: JsonObject): string {
  const labels = objectOr(valueAt(object, 'metadata', 'labels'));
  const prefix = 'node-role.kubernetes.io/';
  const roles = Object.keys(labels).flatMap((key) => (key.startsWith(prefix) ? [key.slice(prefix.length)] : []));
  const named = textOr(labels['kubernetes.io/role']);
  return (
    [...new Set([...roles, named])]
      .filter((role) => role !== '')
      .sort()
      .join(',') || none
  );
}

function nodeAddress(object: JsonObject, type: string): string {
  const addresses = listOr(valueAt(object, 'status', 'addresses')).filter(isObject);
  return textOr(addresses.find((one) => one['type'] === type)?.['address'], none);
}

/** Both event APIs show the same columns; the newer one only names some fields differently. */
const eventColumns: Column[] = [
  textColumn('Last Seen', lastSeen),
  textColumn('Type', (object) => textOr(object['type'])),
  textColumn('Reason', (object) => textOr(object['reason'])),
  textColumn('Object', (object) => {
    const { kind, name } = eventTarget(object);
    return textOr(name) === '' ? textOr(kind).toLowerCase() : `${textOr(kind).toLowerCase()}/${textOr(name)}`;
  }),
  textColumn('Subobject', (object) => textOr(eventTarget(object)['fieldPath']), 1),
  textColumn('Source', eventSource, 1),
  textColumn('Message', (object) => textOr(object['message'] ?? object['note']).trim()),
  textColumn('First Seen', firstSeen, 1),
  textColumn('Count', eventCount, 1),
  { ...nameColumn, priority: 1 },
];

function eventTarget(object: JsonObject): JsonObject {
  return objectOr(object['involvedObject'] ?? object['regarding']);
}

function firstSeen(object: JsonObject, nowMs: number): string {
  const first = object['firstTimestamp'] ?? object['deprecatedFirstTimestamp'] ?? object['eventTime'];
  return ageOf(first, nowMs);
}

function lastSeen(object: JsonObject, nowMs: number): string {
  const repeated = valueAt(object, 'series', 'lastObservedTime');
  if (repeated !== undefined) return ageOf(repeated, nowMs);
  const last = object['lastTimestamp'] ?? object['deprecatedLastTimestamp'];
  return typeof last === 'string' ? ageOf(last, nowMs) : firstSeen(object, nowMs);
}

function eventCount(object: JsonObject): number {
  const count = valueAt(object, 'series', 'count') ?? object['count'] ?? object['deprecatedCount'];
  return typeof count === 'number' && count > 0 ? count : 1;
}

function eventSource(object: JsonObject): string {
  const source = objectOr(object['source'] ?? object['deprecatedSource']);
  const component =
    textOr(source['component']) || textOr(object['reportingComponent'] ?? object['reportingController']);
  const instance = textOr(source['host']) || textOr(object['reportingInstance']);
  return instance === '' ? component : `${component}, ${instance}`;
}

const columns: Readonly<Record<string, readonly Column[]>> = {
  'v1/Pod': podColumns,
  'v1/Node': nodeColumns,
  'v1/Namespace': namespaceColumns,
  'v1/ConfigMap': configMapColumns,
  'v1/Secret': secretColumns,
  'v1/ServiceAccount': [nameColumn, ageColumn],
  'v1/Service': serviceColumns,
  'v1/Event': eventColumns,
  'events.k8s.io/v1/Event': eventColumns,
  'coordination.k8s.io/v1/Lease': leaseColumns,
  'discovery.k8s.io/v1/EndpointSlice': endpointSliceColumns,
  'apiextensions.k8s.io/v1/CustomResourceDefinition': crdColumns,
};

/** Columns of a built-in kind; null for a kind without any of its own. */
export function builtinColumns(apiVersion: string, kind: string): readonly Column[] | null {
  return columns[`${apiVersion}/${kind}`] ?? null;
}
