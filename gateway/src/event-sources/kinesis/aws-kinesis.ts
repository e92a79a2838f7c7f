import { KinesisClient } from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';

import type { ClientConfig } from '../../async/destinations/neighbours.ts';

/** Shards are read at the same time. */
const MAX_SOCKETS = 256;

/** What is used of the AWS SDK, by name, so that a bundle has that and not all of it. */
export { GetRecordsCommand, GetShardIteratorCommand, ListShardsCommand } from '@aws-sdk/client-kinesis';

/** A client that speaks HTTP/1.1: by itself it would speak HTTP/2, which servers other than Amazon's do not without TLS. */
export function connectKinesis(config: ClientConfig): KinesisClient {
  const sockets = { maxSockets: MAX_SOCKETS };
  const requestHandler = new NodeHttpHandler({ ...config.requestHandler, httpAgent: sockets, httpsAgent: sockets });
  return new KinesisClient({ ...config, requestHandler });
}
