import { isJsonObject, type JsonObject, objectIn, textIn } from '../json.ts';

/** A record of a bucket's notification, as AWS has it, and what it is chosen by. */
export interface S3Record {
  readonly record: JsonObject;
  /** Without `s3:`. */
  readonly eventName: string;
  readonly bucket: string;
  /** Not encoded. */
  readonly key: string;
}

/** versitygw's own name for what AWS calls Delete. */
const DELETE_OBJECTS = 'ObjectRemoved:DeleteObjects';

/**
 * A record in AWS's shape, whoever sent it; null = it is no record of a bucket.
 *
 *   sender     | tells `s3:` in names | key         | more
 *   AWS        | no                   | URL-encoded |
 *   MinIO      | yes                  | URL-encoded | eventSource minio:s3, no region
 *   versitygw  | yes                  | as it is    | PrincipalId, the bucket's ARN with the key, members that are null
 *
 * @param region of the mapping's namespace, where the server says none
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
 */
export function s3Record(value: unknown, region: string): S3Record | null {
  if (!isJsonObject(value)) return null;
  const s3 = objectIn(value, 's3');
  const [bucket, object] = [objectIn(s3, 'bucket'), objectIn(s3, 'object')];
  const [told, name, rawKey] = [textIn(value, 'eventName'), textIn(bucket, 'name'), textIn(object, 'key')];
  if (told === undefined || name === undefined || rawKey === undefined) return null;
  const isOwnShape = told.startsWith('s3:');
  const source = textIn(value, 'eventSource');
  const key = isOwnShape && source === 'aws:s3' ? rawKey : decodeKey(rawKey);
  const bare = told.replace(/^s3:/, '');
  const eventName = bare === DELETE_OBJECTS ? 'ObjectRemoved:Delete' : bare;
  const record = {
    eventVersion: textIn(value, 'eventVersion') ?? '2.1',
    eventSource: 'aws:s3',
    awsRegion: textIn(value, 'awsRegion') || region,
    eventTime: timeOf(textIn(value, 'eventTime')),
    eventName,
    userIdentity: principalOf(objectIn(value, 'userIdentity')),
    requestParameters: { sourceIPAddress: textIn(objectIn(value, 'requestParameters'), 'sourceIPAddress') ?? '' },
    responseElements: objectIn(value, 'responseElements'),
    s3: {
      s3SchemaVersion: textIn(s3, 's3SchemaVersion') ?? '1.0',
      configurationId: textIn(s3, 'configurationId') ?? '',
      bucket: { name, ownerIdentity: principalOf(objectIn(bucket, 'ownerIdentity')), arn: `arn:aws:s3:::${name}` },
      object: { ...withoutNulls(object), key: encodeKey(key) },
    },
  };
  return { record: isOwnShape ? record : value, eventName, bucket: name, key };
}

/** As AWS writes keys: slashes stay, a blank is a plus. */
export function encodeKey(key: string): string {
  return encodeURIComponent(key.toWellFormed())
    .replace(/%20/g, '+')
    .replace(/%2F/g, '/')
    .replace(/[!'()~]/g, percent);
}

/** What is no encoding stays as it is. */
export function decodeKey(key: string): string {
  try {
    return decodeURIComponent(key.replace(/\+/g, ' '));
  } catch {
    return key;
  }
}

function percent(char: string): string {
  return `%${char.charCodeAt(0).toString(16).toUpperCase()}`;
}

function principalOf(identity: JsonObject): JsonObject {
  return { principalId: textIn(identity, 'principalId') ?? textIn(identity, 'PrincipalId') ?? '' };
}

/** AWS's times are UTC with milliseconds. */
function timeOf(text = ''): string {
  const time = Date.parse(text);
  return Number.isNaN(time) ? text : new Date(time).toISOString();
}

function withoutNulls(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null));
}
