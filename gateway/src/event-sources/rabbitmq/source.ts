import type { MappingView } from '../mapping/mapping-view.ts';
import type { EventSource, OpenDeps } from '../source.ts';
import { SourceProblem } from '../source-problem.ts';

/** A queue of RabbitMQ. Holds secrets: never to be logged. */
export interface RabbitPlace {
  readonly arn: string;
  /** host:port each, of one cluster. */
  readonly hosts: readonly string[];
  readonly tls: boolean | { readonly ca: string };
  readonly vhost: string;
  readonly queue: string;
  readonly username: string;
  readonly password: string;
}

/** RabbitMQ, as Amazon MQ has it: `arn:aws:mq:…`, a queue and a user. The client is loaded with the first mapping. */
export const rabbitmq: EventSource = {
  name: 'rabbitmq',
  serves: ({ source }) => source.eventSourceArn?.split(':')[2] === 'mq',
  traits: {
    batchSize: 100,
    batchWindowMs: 500,
    dataKeys: ['data'],
    onMismatch: 'metadataOnly',
    userAction: 'USER_INITIATED',
  },
  open: async (mapping, deps) => {
    const place = await placeOf(mapping, deps);
    const { RabbitQueue } = await import('./queue.ts');
    return RabbitQueue.open(place, deps);
  },
};

async function placeOf({ source }: MappingView, { secret, aws }: OpenDeps): Promise<RabbitPlace> {
  const { eventSourceArn: arn = '', queues: [queue] = [], sourceAccessConfigurations: ways = [] } = source;
  const uri = ways.find(({ type }) => type === 'BASIC_AUTH')?.uri;
  if (queue === undefined || uri === undefined)
    throw new SourceProblem('InvalidSource', 'RabbitMQ needs queues: [NAME], and BASIC_AUTH with a Secret of the user');
  const addresses = (source.servers ?? [aws('AWS_ENDPOINT_URL_MQ', arn).endpoint]).map(addressOf);
  const { username, password, 'ca.crt': ca } = await secret(uri);
  if (username === undefined || password === undefined)
    throw new SourceProblem('CredentialsMissing', `the Secret of ${uri} has no member username or password`);
  const isTls = addresses.some((address) => address.isTls); // no password goes in the clear unless all say so
  const vhost = ways.find(({ type }) => type === 'VIRTUAL_HOST')?.uri ?? '/';
  const hosts = addresses.map(({ host }) => host);
  return { arn, hosts, tls: isTls && (ca === undefined || { ca }), vhost, queue, username, password };
}

/** As AWS's other services are named, too: `https` and `http`. Without a scheme it is TLS, as on Amazon MQ. */
function addressOf(server: string): { readonly host: string; readonly isTls: boolean } {
  const pattern = /^(?:(amqps?|https?):\/\/)?([^/@:]+|\[[^/@]+\])(?::(\d+))?\/?$/;
  const [, scheme = 'amqps', host, port] = pattern.exec(server) ?? [];
  if (host === undefined)
    throw new SourceProblem('InvalidSource', 'an address of RabbitMQ is amqps://HOST:5671, or amqp://HOST:5672');
  const isTls = scheme.endsWith('s');
  return { host: `${host}:${port ?? (isTls ? 5671 : 5672)}`, isTls };
}
