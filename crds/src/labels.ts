import { createHash } from 'node:crypto';

/** Name of the Pool that a pod belongs to. */
export const poolLabel = 'kappa.dev/pool';
/** What a pool pod is: `generic` or `claimed`. */
export const stateLabel = 'kappa.dev/state';
/** `labelValue` of the Function's `metadata.name`: on claimed pods and on FunctionVersions. */
export const functionLabel = 'kappa.dev/function';
/** Namespace of the Function of a claimed pod. */
export const functionNamespaceLabel = 'kappa.dev/function-namespace';
/** `labelValue` of the FunctionVersion's `metadata.name`, on a claimed pod. */
export const versionLabel = 'kappa.dev/version';
/** On a pool pod: hash of the template that it was made by, 10 hexadecimal digits. */
export const templateLabel = 'kappa.dev/template';
/** Account of the function that a pod runs, 12 digits. */
export const accountLabel = 'kappa.dev/account';
/** On a Namespace: the account that it is, 12 digits. */
export const accountIdLabel = 'kappa.dev/account-id';
/** On a Namespace: the region that its objects are in; absent = the install's own. */
export const regionLabel = 'kappa.dev/region';
/** Annotation of a Namespace: where its functions find AWS's services; with `-s3`, `-sqs`, … at its end, one service. */
export const endpointUrlAnnotation = 'kappa.dev/aws-endpoint-url';
/** On a Namespace: `dedicated` gives it pools of its own. */
export const poolsLabel = 'kappa.dev/pools';

/** Annotation of a claimed pod: `metadata.uid` of its FunctionVersion. */
export const versionUidAnnotation = 'kappa.dev/version-uid';
/** Annotation of a claimed pod: `metadata.name` of its FunctionVersion in full, which a label may be too short for. */
export const versionNameAnnotation = 'kappa.dev/version-name';
/** Annotation of a claimed pod: `metadata.name` of its Function in full, which a label may be too short for. */
export const functionNameAnnotation = 'kappa.dev/function-name';

/** Annotation of a Function: number of the version that was published last. Numbers are never given twice. */
export const lastVersionAnnotation = 'kappa.dev/last-version';

/** Annotation of an EventSourceMapping: when Lambda's API changed it last, ISO 8601. */
export const lastModifiedAnnotation = 'kappa.dev/last-modified';

/** Values of `stateLabel`. */
export type PoolPodState = 'generic' | 'claimed';

/** Longest label value that Kubernetes takes, characters. */
const labelValueMaxChars = 63;
const digestChars = 10;

/**
 * An object's name as a label value. Names may have 253 characters, label values 63: a longer name is cut and gets 10
 * hexadecimal digits of its SHA-256, so that two names do not meet.
 *
 * @param objectName a DNS-1123 subdomain
 * @returns the name itself when it fits
 */
export function labelValue(objectName: string): string {
  if (objectName.length <= labelValueMaxChars) return objectName;
  const digest = createHash('sha256').update(objectName).digest('hex').slice(0, digestChars);
  return `${objectName.slice(0, labelValueMaxChars - digestChars - 1)}_${digest}`;
}

/** A label selector from equalities, sorted, for example `kappa.dev/pool=nodejs24.x,kappa.dev/state=generic`. */
export function selectorOf(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .sort()
    .join(',');
}
