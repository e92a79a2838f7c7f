/** Type of one field on the wire. `int` leaves out 0, as fields without a pointer do in Go; `optionalInt` keeps it. */
export type FieldType =
  | 'string'
  | 'bytes'
  | 'int'
  | 'optionalInt'
  | 'bool'
  | 'time'
  | 'microTime'
  | 'intOrString'
  | { readonly list: FieldType }
  | { readonly map: 'string' | 'bytes' }
  | Message;

/** Field number → JSON name and type. */
export interface Message {
  readonly [fieldNumber: number]: readonly [name: string, type: FieldType];
}

const ownerReference: Message = {
  1: ['kind', 'string'],
  3: ['name', 'string'],
  4: ['uid', 'string'],
  5: ['apiVersion', 'string'],
  6: ['controller', 'bool'],
  7: ['blockOwnerDeletion', 'bool'],
};

const objectMeta: Message = {
  1: ['name', 'string'],
  2: ['generateName', 'string'],
  3: ['namespace', 'string'],
  5: ['uid', 'string'],
  6: ['resourceVersion', 'string'],
  7: ['generation', 'int'],
  8: ['creationTimestamp', 'time'],
  9: ['deletionTimestamp', 'time'],
  10: ['deletionGracePeriodSeconds', 'optionalInt'],
  11: ['labels', { map: 'string' }],
  12: ['annotations', { map: 'string' }],
  13: ['ownerReferences', { list: ownerReference }],
  14: ['finalizers', { list: 'string' }],
};

const objectReference: Message = {
  1: ['kind', 'string'],
  2: ['namespace', 'string'],
  3: ['name', 'string'],
  4: ['uid', 'string'],
  5: ['apiVersion', 'string'],
  6: ['resourceVersion', 'string'],
  7: ['fieldPath', 'string'],
};

const configMap: Message = {
  1: ['metadata', objectMeta],
  2: ['data', { map: 'string' }],
  3: ['binaryData', { map: 'bytes' }],
  4: ['immutable', 'bool'],
};

const secret: Message = {
  1: ['metadata', objectMeta],
  2: ['data', { map: 'bytes' }],
  3: ['type', 'string'],
  4: ['stringData', { map: 'string' }],
  5: ['immutable', 'bool'],
};

const namespace: Message = {
  1: ['metadata', objectMeta],
  2: ['spec', { 1: ['finalizers', { list: 'string' }] }],
  3: ['status', { 1: ['phase', 'string'] }],
};

const serviceAccount: Message = {
  1: ['metadata', objectMeta],
  2: ['secrets', { list: objectReference }],
  3: ['imagePullSecrets', { list: { 1: ['name', 'string'] } }],
  4: ['automountServiceAccountToken', 'bool'],
};

const servicePort: Message = {
  1: ['name', 'string'],
  2: ['protocol', 'string'],
  3: ['port', 'int'],
  4: ['targetPort', 'intOrString'],
  5: ['nodePort', 'int'],
  6: ['appProtocol', 'string'],
};

const service: Message = {
  1: ['metadata', objectMeta],
  2: [
    'spec',
    {
      1: ['ports', { list: servicePort }],
      2: ['selector', { map: 'string' }],
      3: ['clusterIP', 'string'],
      4: ['type', 'string'],
      5: ['externalIPs', { list: 'string' }],
      7: ['sessionAffinity', 'string'],
      10: ['externalName', 'string'],
      13: ['publishNotReadyAddresses', 'bool'],
    },
  ],
};

const event: Message = {
  1: ['metadata', objectMeta],
  2: ['involvedObject', objectReference],
  3: ['reason', 'string'],
  4: ['message', 'string'],
  5: ['source', { 1: ['component', 'string'], 2: ['host', 'string'] }],
  6: ['firstTimestamp', 'time'],
  7: ['lastTimestamp', 'time'],
  8: ['count', 'int'],
  9: ['type', 'string'],
  10: ['eventTime', 'microTime'],
  12: ['action', 'string'],
  13: ['related', objectReference],
  14: ['reportingComponent', 'string'],
  15: ['reportingInstance', 'string'],
};

const lease: Message = {
  1: ['metadata', objectMeta],
  2: [
    'spec',
    {
      1: ['holderIdentity', 'string'],
      2: ['leaseDurationSeconds', 'optionalInt'],
      3: ['acquireTime', 'microTime'],
      4: ['renewTime', 'microTime'],
      5: ['leaseTransitions', 'optionalInt'],
    },
  ],
};

const tokenRequest: Message = {
  1: ['metadata', objectMeta],
  2: [
    'spec',
    {
      1: ['audiences', { list: 'string' }],
      3: [
        'boundObjectRef',
        { 1: ['kind', 'string'], 2: ['apiVersion', 'string'], 3: ['name', 'string'], 4: ['uid', 'string'] },
      ],
      4: ['expirationSeconds', 'optionalInt'],
    },
  ],
};

const resourceAttributes: Message = {
  1: ['namespace', 'string'],
  2: ['verb', 'string'],
  3: ['group', 'string'],
  4: ['version', 'string'],
  5: ['resource', 'string'],
  6: ['subresource', 'string'],
  7: ['name', 'string'],
};

const nonResourceAttributes: Message = { 1: ['path', 'string'], 2: ['verb', 'string'] };

const accessReview: Message = {
  1: ['metadata', objectMeta],
  2: [
    'spec',
    {
      1: ['resourceAttributes', resourceAttributes],
      2: ['nonResourceAttributes', nonResourceAttributes],
      3: ['user', 'string'],
      4: ['groups', { list: 'string' }],
      6: ['uid', 'string'],
    },
  ],
};

const rulesReview: Message = { 1: ['metadata', objectMeta], 2: ['spec', { 1: ['namespace', 'string'] }] };

const tokenReview: Message = {
  1: ['metadata', objectMeta],
  2: ['spec', { 1: ['token', 'string'], 2: ['audiences', { list: 'string' }] }],
};

const deleteOptions: Message = {
  1: ['gracePeriodSeconds', 'optionalInt'],
  2: ['preconditions', { 1: ['uid', 'string'], 2: ['resourceVersion', 'string'] }],
  3: ['orphanDependents', 'bool'],
  4: ['propagationPolicy', 'string'],
  5: ['dryRun', { list: 'string' }],
};

const messages: Readonly<Record<string, Message>> = {
  'v1/ConfigMap': configMap,
  'v1/Secret': secret,
  'v1/Namespace': namespace,
  'v1/ServiceAccount': serviceAccount,
  'v1/Service': service,
  'v1/Event': event,
  'v1/DeleteOptions': deleteOptions,
  'coordination.k8s.io/v1/Lease': lease,
  'policy/v1/Eviction': { 1: ['metadata', objectMeta], 2: ['deleteOptions', deleteOptions] },
  'authentication.k8s.io/v1/TokenRequest': tokenRequest,
  'authentication.k8s.io/v1/TokenReview': tokenReview,
  'authentication.k8s.io/v1/SelfSubjectReview': { 1: ['metadata', objectMeta] },
  'authorization.k8s.io/v1/SelfSubjectAccessReview': accessReview,
  'authorization.k8s.io/v1/SubjectAccessReview': accessReview,
  'authorization.k8s.io/v1/LocalSubjectAccessReview': accessReview,
  'authorization.k8s.io/v1/SelfSubjectRulesReview': rulesReview,
};

/**
 * The message of a kind, undefined for kinds that no client sends here in protobuf.
 * @see the generated.proto files of k8s.io/api and k8s.io/apimachinery for the numbers
 */
export function messageOf(apiVersion: string, kind: string): Message | undefined {
  return kind === 'DeleteOptions' ? deleteOptions : messages[`${apiVersion}/${kind}`];
}
