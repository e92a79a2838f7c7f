import { type Spec, sha256 } from './testing-manifest.ts';

/* Parts of specs that several manifests of the tests have. */

/** Code of files with these paths. */
export const inline = (...paths: readonly string[]): Spec => ({
  code: { inline: { files: paths.map((path) => ({ path, content: 'x' })) } },
});
/** An environment whose second entry is this one. */
export const variable = (entry: Spec): Spec => ({ environment: [{ name: 'OK_1', value: '' }, entry] });
/** A key of a Secret. */
export const secretKeyRef = { name: 'secret', key: 'key' };
/** Three of a version and an alias. */
export const provisioned = [
  { qualifier: '1', executions: 2 },
  { qualifier: 'live', executions: 1 },
];

/** A source: a Kafka cluster. */
export const ownCluster = { eventSourceArn: undefined, selfManaged: { bootstrapServers: ['kafka:9092'] } };

/** A source: a schedule. */
export const scheduled = (schedule: Spec): Spec => ({ eventSourceArn: undefined, schedule });
/** A stream of Redis. */
export const redisStream = { server: 'redis://redis:6379/0', stream: 'orders' };
/** What a mapping has that is told by others. */
export const pushed = { eventSourceArn: undefined, tokenSecretRef: { name: 's', key: 'k' } };
/** A container image. */
export const image = { uri: 'registry.example/shop/cart:7' };
/** What a function from an image has. */
export const ofImage = (spec: Spec = {}): Spec => ({
  runtime: undefined,
  handler: undefined,
  code: { image },
  ...spec,
});
/** That of a pool. */
export const poolImage = {
  namespace: 'default',
  reference: `registry.example/shop/cart@sha256:${sha256}`,
  memoryMiB: 128,
};

/** ARN of a layer without its name. */
export const layerArn = 'arn:aws:lambda:us-east-1:000000000000:layer:';
/** An entry of `http.routes`. */
export const route = (entry: Spec): Spec => ({ path: '/pets', ...entry });
/** An authorizer by tokens. */
export const jwt = { issuer: 'https://login.example.com/', audience: ['pets'] };
/** A statement of a resource policy. */
export const permission = (entry: Spec): Spec => ({
  sid: 's',
  action: 'lambda:InvokeFunction',
  principal: '*',
  ...entry,
});
