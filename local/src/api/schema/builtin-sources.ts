import type { JsonObject } from './json.ts';

const text: JsonObject = { type: 'string' };
const integer: JsonObject = { type: 'integer' };
const yesNo: JsonObject = { type: 'boolean' };
const instant: JsonObject = { type: 'string', format: 'date-time', nullable: true };
const textMap: JsonObject = { type: 'object', additionalProperties: text };
const quantities: JsonObject = { type: 'object', additionalProperties: { 'x-kubernetes-int-or-string': true } };

/** An object that describes some fields and keeps the rest. */
function open(description: string, properties: JsonObject = {}): JsonObject {
  return { type: 'object', description, 'x-kubernetes-preserve-unknown-fields': true, properties };
}

/** A whole object: its own fields are all here, others are unknown and dropped. */
function whole(description: string, properties: JsonObject): JsonObject {
  return { type: 'object', description, properties };
}

/** A list whose items are known by `keys`; the first key is the one of strategic merge patches. */
function keyed(description: string, keys: readonly string[], items: JsonObject): JsonObject {
  return {
    type: 'array',
    description,
    items,
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': keys,
    'x-kubernetes-patch-merge-key': keys[0],
    'x-kubernetes-patch-strategy': 'merge',
  };
}

function list(description: string, items: JsonObject): JsonObject {
  return { type: 'array', description, items, 'x-kubernetes-list-type': 'atomic' };
}

/** A reference that is replaced as a whole. */
function reference(description: string): JsonObject {
  const properties = { apiVersion: text, kind: text, name: text, namespace: text, uid: text, fieldPath: text };
  return { ...open(description, { ...properties, resourceVersion: text }), 'x-kubernetes-map-type': 'atomic' };
}

const conditions = keyed(
  'What is true of the object now.',
  ['type'],
  open('One condition.', { type: text, status: text, reason: text, message: text, lastTransitionTime: instant }),
);

const named = (description: string, more: JsonObject = {}): JsonObject => open(description, { name: text, ...more });

const resources = open('Requests and limits of resources.', { limits: quantities, requests: quantities });

const container = named('One container of a pod.', {
  image: { ...text, description: 'Image to run.' },
  imagePullPolicy: text,
  command: list('Entry point; replaces that of the image.', text),
  args: list('Arguments of the entry point.', text),
  workingDir: text,
  env: keyed(
    'Environment variables.',
    ['name'],
    named('One variable.', { value: text, valueFrom: open('Where the value comes from.') }),
  ),
  envFrom: list('Sources of many variables.', open('One source.')),
  ports: keyed(
    'Ports that the container listens on.',
    ['containerPort', 'protocol'],
    named('One port.', { containerPort: integer, protocol: { ...text, default: 'TCP' }, hostPort: integer }),
  ),
  resources,
  resizePolicy: list('What a change of resources does to the container.', open('One resource.')),
  volumeMounts: keyed(
    'Where volumes appear.',
    ['mountPath'],
    named('One mount.', { mountPath: text, readOnly: yesNo }),
  ),
  volumeDevices: keyed('Where block devices appear.', ['devicePath'], named('One device.', { devicePath: text })),
  readinessProbe: open('When the container takes requests.'),
  livenessProbe: open('When the container must be restarted.'),
  securityContext: open('Security settings of the container.'),
});

const podSpec = open('What the pod shall run.', {
  containers: keyed('Containers of the pod.', ['name'], container),
  initContainers: keyed('Containers that run before the others.', ['name'], container),
  ephemeralContainers: keyed('Containers added for debugging.', ['name'], container),
  volumes: {
    ...keyed('Volumes of the pod.', ['name'], named('One volume.')),
    'x-kubernetes-patch-strategy': 'merge,retainKeys',
  },
  nodeName: text,
  nodeSelector: { ...textMap, 'x-kubernetes-map-type': 'atomic' },
  restartPolicy: { ...text, description: 'Always, OnFailure or Never.' },
  serviceAccountName: text,
  schedulerName: text,
  terminationGracePeriodSeconds: integer,
  activeDeadlineSeconds: integer,
  enableServiceLinks: yesNo,
  automountServiceAccountToken: yesNo,
  hostAliases: keyed(
    'Names added to the hosts file.',
    ['ip'],
    open('One address.', { ip: text, hostnames: list('', text) }),
  ),
  imagePullSecrets: keyed('Secrets for pulling images.', ['name'], named('One secret.')),
  tolerations: list('Taints that the pod takes.', open('One toleration.')),
  topologySpreadConstraints: keyed(
    'How pods spread over zones and nodes.',
    ['topologyKey', 'whenUnsatisfiable'],
    open('One rule.', { topologyKey: text, whenUnsatisfiable: text, maxSkew: integer }),
  ),
  readinessGates: list('Conditions that the pod waits for.', open('One gate.', { conditionType: text })),
  securityContext: open('Security settings of the pod.'),
  resources,
});

const containerStatuses = list('State of the containers.', named('State of one container.'));

const podStatus = open('What was last seen of the pod.', {
  phase: { ...text, description: 'Pending, Running, Succeeded, Failed or Unknown.' },
  conditions,
  message: text,
  reason: text,
  hostIP: text,
  podIP: text,
  podIPs: keyed('Addresses of the pod.', ['ip'], open('One address.', { ip: text })),
  hostIPs: list('Addresses of the node.', open('One address.', { ip: text })),
  startTime: instant,
  containerStatuses,
  initContainerStatuses: containerStatuses,
  qosClass: text,
});

const nodeSpec = open('What the node shall be.', {
  podCIDR: text,
  podCIDRs: { type: 'array', items: text, 'x-kubernetes-list-type': 'set', 'x-kubernetes-patch-strategy': 'merge' },
  providerID: text,
  unschedulable: yesNo,
  taints: list('Taints of the node.', open('One taint.', { key: text, value: text, effect: text })),
});

const nodeStatus = open('What was last seen of the node.', {
  addresses: keyed('Addresses of the node.', ['type'], open('One address.', { type: text, address: text })),
  allocatable: quantities,
  capacity: quantities,
  conditions,
  nodeInfo: open('Versions on the node.'),
});

const servicePorts = keyed(
  'Ports of the service.',
  ['port', 'protocol'],
  named('One port.', {
    port: integer,
    protocol: { ...text, default: 'TCP' },
    targetPort: { 'x-kubernetes-int-or-string': true },
    nodePort: integer,
  }),
);

const subset = { ...textMap, 'x-kubernetes-map-type': 'atomic' };

/** OpenAPI fragments by `apiVersion/kind`; whole objects know their own fields, `open` parts keep what they do not name. */
export const builtinSources: Readonly<Record<string, JsonObject>> = {
  'v1/Pod': whole('Containers that run together on one node.', { spec: podSpec, status: podStatus }),
  'v1/Node': whole('A machine that runs pods.', { spec: nodeSpec, status: nodeStatus }),
  'v1/Namespace': whole('A scope for names.', {
    spec: open('Behaviour of the namespace.', {
      finalizers: { type: 'array', items: text, 'x-kubernetes-list-type': 'atomic' },
    }),
    status: open('State of the namespace.', { phase: text, conditions }),
  }),
  'v1/ConfigMap': whole('Configuration for pods to read.', {
    data: { ...textMap, description: 'Text by key.' },
    binaryData: { type: 'object', description: 'Base64 by key.', additionalProperties: { ...text, format: 'byte' } },
    immutable: { ...yesNo, description: 'True: the content can no longer be changed.' },
  }),
  'v1/Secret': whole('Confidential data, base64 by key.', {
    data: { type: 'object', description: 'Base64 by key.', additionalProperties: { ...text, format: 'byte' } },
    stringData: { ...textMap, description: 'Text by key; written into data, never read.' },
    type: { ...text, description: 'What the data is for.' },
    immutable: { ...yesNo, description: 'True: the content can no longer be changed.' },
  }),
  'v1/ServiceAccount': whole('An identity for pods.', {
    secrets: keyed('Secrets that pods of the account may use.', ['name'], reference('One secret.')),
    imagePullSecrets: list('Secrets for pulling images.', named('One secret.')),
    automountServiceAccountToken: yesNo,
  }),
  'v1/Service': whole('A stable address for a set of pods.', {
    spec: open('What the service does.', { ports: servicePorts, selector: subset, type: text, clusterIP: text }),
    status: open('What was last seen of the service.', { conditions }),
  }),
  'v1/Event': whole('Something that happened to an object.', {
    involvedObject: reference('What it happened to.'),
    reason: text,
    message: text,
    source: open('Who reports it.', { component: text, host: text }),
    firstTimestamp: instant,
    lastTimestamp: instant,
    count: integer,
    type: text,
    eventTime: instant,
    reportingComponent: text,
    reportingInstance: text,
    action: text,
    related: reference('A second object.'),
    series: open('The repetition of the event.', { count: integer, lastObservedTime: instant }),
  }),
  'events.k8s.io/v1/Event': whole('Something that happened to an object.', {
    regarding: reference('What it happened to.'),
    reason: text,
    note: text,
    deprecatedSource: open('Who reports it, for old clients.'),
    deprecatedFirstTimestamp: instant,
    deprecatedLastTimestamp: instant,
    deprecatedCount: integer,
    type: text,
    eventTime: instant,
    action: text,
    reportingController: text,
    reportingInstance: text,
    related: reference('A second object.'),
    series: open('The repetition of the event.', { count: integer, lastObservedTime: instant }),
  }),
  'coordination.k8s.io/v1/Lease': whole('A lock with an expiry.', {
    spec: whole('Who holds it, until when.', {
      holderIdentity: text,
      leaseDurationSeconds: integer,
      acquireTime: instant,
      renewTime: instant,
      leaseTransitions: integer,
      preferredHolder: text,
      strategy: text,
    }),
  }),
  'discovery.k8s.io/v1/EndpointSlice': whole('Addresses behind a service.', {
    addressType: text,
    endpoints: list(
      'The addresses.',
      open('One endpoint.', {
        addresses: { type: 'array', items: text, 'x-kubernetes-list-type': 'set' },
        conditions: open('Whether it takes requests.'),
        deprecatedTopology: textMap,
        nodeName: text,
        zone: text,
        hostname: text,
        targetRef: reference('The pod.'),
      }),
    ),
    ports: list('Ports of every endpoint.', named('One port.', { port: integer, protocol: text, appProtocol: text })),
  }),
  'apiextensions.k8s.io/v1/CustomResourceDefinition': whole('A kind of object that the API learns.', {
    spec: open('What the kind is.', {
      group: { ...text, description: 'Group of the kind.' },
      scope: { ...text, description: 'Cluster or Namespaced.' },
      names: open('Names of the kind.', {
        plural: text,
        singular: text,
        kind: text,
        listKind: text,
        shortNames: list('Short names.', text),
        categories: list('Groups such as all.', text),
      }),
      versions: list('Versions of the kind.', named('One version.', { served: yesNo, storage: yesNo })),
      conversion: open('How versions turn into each other.'),
      preserveUnknownFields: yesNo,
    }),
    status: open('What became of the definition.', {
      conditions,
      acceptedNames: open('Names that are served.'),
      storedVersions: list('Versions that are stored.', text),
    }),
  }),
};
